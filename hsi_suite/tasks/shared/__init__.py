"""What the pipelines of all tasks use: the life of a run, its folder, its page, its output."""
