"""The report of a batch as a page, Markdown and LaTeX, and its tables for the terminal."""
