"""What every run has, whatever its task: folder, identity, life, model file, scores."""
