"""Where the weights of a denoiser lie that a user names; known without loading them."""

from __future__ import annotations

from pathlib import Path

from ...models.checkpoint_forms import require_checkpoint
from ...runs.folder import MODEL
from ...user_files import is_there
from ...weights import shipped_names, shipped_weights


def find_weights(weights: str) -> Path:
    """The file of a shipped name, of a finished run's folder, or the file itself.

    Raises:
        UnknownNameError: no such name, and no such file.
        InputFileError: no such file, or one that is no checkpoint.
    """
    path = Path(weights)
    there = is_there(path)
    if there and path.is_dir() and (path / MODEL).is_file():
        return path / MODEL
    bare = not path.suffix and path.name == weights
    if weights in shipped_names() or (bare and not there):
        return shipped_weights(weights)
    require_checkpoint(path)
    return path
