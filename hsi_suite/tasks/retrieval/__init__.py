"""Retrieval across modalities: `hsi train` on pairs, `hsi retrieve index` and `query`."""
