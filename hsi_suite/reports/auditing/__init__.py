"""The audit of a split in words, tables and figures."""
