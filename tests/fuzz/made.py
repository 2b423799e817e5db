"""Folders that take seconds to make."""

import shutil
import tempfile
from pathlib import Path

_KEEPER = tempfile.TemporaryDirectory(prefix="fuzz-made-")


def copied(name, make, folder):
    """Fill a folder with what `make` writes: it is made once, then copied."""
    place = Path(_KEEPER.name) / name
    if not place.exists():
        place.mkdir()
        make(place)
    shutil.copytree(place, folder, dirs_exist_ok=True)
