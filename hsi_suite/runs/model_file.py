"""The one file of a trained model: its tensors, and a header that says what they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from ..atomic import atomic_file
from ..errors import OutputError
from ..json_text import json_text


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
