"""Where this user's cache is."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_VARIABLE = "HSI_CACHE_DIR"


def cache_folder() -> Path:
    """The user's cache: `HSI_CACHE_DIR`, else the platform's place for caches."""
    own = os.environ.get(CACHE_VARIABLE)
    if own:
        return Path(own)
    import pooch

    return Path(pooch.os_cache("hsi_suite"))
