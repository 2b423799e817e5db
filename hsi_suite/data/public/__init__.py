"""Public scenes: what they are, where their files come from and how they are verified."""
