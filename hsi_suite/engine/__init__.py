"""Training and inference. Models and data come in as arguments; see `engine.task`."""
