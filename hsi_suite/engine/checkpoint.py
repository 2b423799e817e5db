"""The state of an unfinished training, on disk: plain tensors and numbers, never pickled code.

A file ends with a seal: which run it belongs to, and the checksum of everything before.
"""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path
from typing import Any

import torch

from ..atomic import atomic_file
from ..errors import OutputError, RunError
from ..guard import parsing
from ..user_files import read_bytes, require_regular
from .distributed import ALONE, Team

_SEAL = re.compile(rb"\nhsi_suite checkpoint of run (\w*), sha256 ([0-9a-f]{64})\n")
_LONGEST_SEAL = 200


class ForeignCheckpointError(RunError):
    """The state is of another training."""


def save_checkpoint(path: Path, state: dict[str, Any], identity: str = "") -> None:
    """Write `state` (tensors, numbers, strings and containers of them) atomically.

    Args:
        path: the file.
        state: of a training.
        identity: of the run that it belongs to.
    """
    with atomic_file(path) as temporary:
        try:
            torch.save(state, temporary)
        except RuntimeError as error:
            # What torch's writer raises when a disk is full.
            raise OutputError(path, "cannot be written", "a place with free space") from error
        with temporary.open("rb+") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.write(f"\nhsi_suite checkpoint of run {identity}, sha256 {digest}\n".encode())


def load_checkpoint(path: Path, identity: str = "", team: Team = ALONE) -> dict[str, Any] | None:
    """The state in `path`; None when there is none.

    Args:
        path: read by the first process of the team alone.
        identity: of the run; the other processes need not know it.
        team: all of whose processes get the state.

    Raises:
        RunError: the file is damaged, no checkpoint, or that of another run.
    """
    with parsing(
        path,
        "a checkpoint of this run",
        "delete it to train from the start",
        kind=RunError,
        found="is damaged or of another version",
    ):
        content = team.tell(_content(path) if team.first and path.exists() else None)
        if content is None:
            return None
        owner, sealed = _opened(content)
        state = torch.load(io.BytesIO(sealed), map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise TypeError("no training state")
    if team.first and owner != identity:
        raise ForeignCheckpointError(
            path,
            f"is the checkpoint of run {owner}",
            f"that of run {identity}",
            "bring its own back, or delete it to train from the start",
        )
    return state


def _content(path: Path) -> bytes:
    # Bounded by the size that it has: a pipe or a device has none.
    size = require_regular(path, "a checkpoint of this run", kind=RunError)
    return read_bytes(path, "a checkpoint of this run", kind=RunError, largest=size)


def _opened(content: bytes) -> tuple[str, bytes]:
    """Whose checkpoint this is, and what the seal stands for.

    Raises:
        ValueError: there is no seal, or it is broken.
    """
    found = list(_SEAL.finditer(content, max(0, len(content) - _LONGEST_SEAL)))
    if not found or found[-1].end() != len(content):
        raise ValueError("no seal")
    sealed = content[: found[-1].start()]
    if hashlib.sha256(sealed).hexdigest() != found[-1][2].decode():
        raise ValueError("a broken seal")
    return found[-1][1].decode(), sealed
