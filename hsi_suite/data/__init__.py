"""Scenes: where they come from, how they are read, split, reduced and cut into windows."""
