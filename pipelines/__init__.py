"""Where configurations, data, models, engine and reports are joined into tasks."""
