"""What a person looks at: tables for the terminal, figures, and the page of a run."""
