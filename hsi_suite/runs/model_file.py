"""The one file of a trained model: its tensors, and a header that says what they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from ..atomic import atomic_file
from ..checksums import hash_file
from ..engine.finite import check_weights
from ..errors import OutputError, RunError
from ..json_text import json_text
from ..models.network_file import (
    checksum_of,
    is_network_file,
    network_class,
    parts_of,
)
from ..models.stored_model import read_model

_CHECKSUM = "model_sha256"


def write_model_file(path: Path, tensors: dict[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write tensors and a header as safetensors, atomically.

    Args:
        path: the file.
        tensors: by name.
        header: plain values.

    Raises:
        OutputError: the place cannot be written, or the header holds a number that is not finite.
    """
    if is_network_file(name := header.get("model")):
        header = {**header, _CHECKSUM: checksum_of(str(name))}
    # One key of metadata: the library writes several in an order of its own.
    metadata = {"header": json_text(header, path, compact=True)}
    with atomic_file(path) as temporary:
        try:
            # The library's own writing of files goes by a second temporary one.
            temporary.write_bytes(save(_apart(tensors), metadata))
        except SafetensorError as error:
            raise OutputError(path, f"cannot be written ({error})") from error


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, each with memory of its own: networks may tie weights."""
    apart: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        tied = place in seen or not tensor.is_contiguous()
        apart[name] = tensor.clone(memory_format=torch.contiguous_format) if tied else tensor
        seen.add(place)
    return apart


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
    if (digest := header.pop(_CHECKSUM, None)) is not None:
        header["model"] = _own_network(header, str(digest), path)
    return header, tensors


def _own_network(header: Mapping[str, Any], digest: str, path: Path) -> str:
    """The name of a network of the user's, whose file is that of the training.

    It is looked for where it was, then beside the model file, where runs keep a copy.
    """
    name = header.get("model")
    if not is_network_file(name):
        raise RunError(path, f"model: {name!r}", "FILE.py:Class", "train the run again")
    file, class_name = parts_of(str(name))
    for place in (file, path.parent / file.name):
        if place.is_file() and hash_file(place) == digest:
            # Asked here, as what fails when a network is built is taken for damage of this file.
            network_class(own := f"{place}:{class_name}")
            return own
    found = "has changed since the training" if file.is_file() else "no such file"
    raise RunError(file, found, f"the file of SHA-256 {digest[:12]}…", "bring it back")


def _what(kind: object) -> str:
    if isinstance(kind, str) and kind.startswith("hsi_suite "):
        return f"holds another kind of model, {kind!r}"
    return "holds no model of ours"
