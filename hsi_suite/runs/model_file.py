"""The one file of a trained model: its tensors, and a header that says what they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from ..atomic import atomic_file
from ..engine.finite import check_weights
from ..errors import OutputError, RunError
from ..json_text import json_text
from ..models.stored_model import read_model


def write_model_file(path: Path, tensors: dict[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write tensors and a header as safetensors, atomically.

    Args:
        path: the file.
        tensors: by name; each with memory of its own.
        header: plain values.

    Raises:
        OutputError: the place cannot be written, or the header holds a number that is not finite.
    """
    # One key of metadata: the library writes several in an order of its own.
    metadata = {"header": json_text(header, path, compact=True)}
    with atomic_file(path) as temporary:
        try:
            # The library's own writing of files goes by a second temporary one.
            temporary.write_bytes(save(tensors, metadata))
        except SafetensorError as error:
            raise OutputError(path, f"cannot be written ({error})") from error


def read_model_file(
    path: Path, kind: str, expected: str, remedy: str = "train the run again"
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The header and the tensors of a file that `write_model_file` wrote.

    Args:
        path: the file.
        kind: the value of "format" in its header: "hsi_suite", what it is, its version.
        expected: what it should be, in words.
        remedy: what the user can do where it is not.

    Returns:
        The header without "format", and the tensors, all of them finite.

    Raises:
        RunError: the file is missing, damaged or of another kind, which is named.
        NotFiniteError: a tensor holds NaN or infinity.
    """
    header, tensors = read_model(path, expected, remedy)
    found = header.pop("format", None)
    if found != kind:
        raise RunError(path, _what(found), f"{expected} ({kind!r})", remedy)
    check_weights(tensors, path)
    return header, tensors


def _what(kind: object) -> str:
    if isinstance(kind, str) and kind.startswith("hsi_suite "):
        return f"holds another kind of model, {kind!r}"
    return "holds no model of ours"
