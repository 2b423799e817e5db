"""File formats: how cubes, label maps and maps lie on disk; see `data.readers`, `data.writers`."""
