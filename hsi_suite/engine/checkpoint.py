"""The state of an unfinished training, on disk: plain tensors and numbers, never pickled code."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from ..atomic import atomic_file
from ..errors import OutputError, RunError
from .distributed import ALONE, Team


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` (tensors, numbers, strings and containers of them) atomically."""
    with atomic_file(path) as temporary:
        try:
            torch.save(state, temporary)
        except RuntimeError as error:
            # What torch's writer raises when a disk is full.
            raise OutputError(path, "cannot be written", "a place with free space") from error


def load_checkpoint(path: Path, team: Team = ALONE) -> dict[str, Any] | None:
    """The state in `path`; None when there is none.

    Args:
        path: read by the first process of the team alone.
        team: all of whose processes get the state.

    Raises:
        RunError: the file is damaged or no checkpoint.
    """
    try:
        content = team.tell(path.read_bytes() if team.first and path.exists() else None)
        if content is None:
            return None
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise RunError(
            path, "is damaged", "a checkpoint of this run", "delete it to train from the start"
        ) from error
    if not isinstance(state, dict):
        raise RunError(path, "holds no training state", "a checkpoint of this run")
    return state
