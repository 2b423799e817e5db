"""Pure functions from predictions to figures of merit."""
