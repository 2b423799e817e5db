"""Files of trained models: tensors with a JSON header, as safetensors holds them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from ..errors import HsiSuiteError, RunError
from ..guard import parsing
from ..memory import require_room
from ..user_files import parse_json, require_regular

_AGAIN = "train the run again"
# The tensors as they are read, and those of the network.
_COPIES = 2


def read_model(
    path: Path,
    expected: str = "the model of a finished run",
    remedy: str = _AGAIN,
    *,
    kind: type[HsiSuiteError] = RunError,
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The header and the tensors of a model file.

    Args:
        path: the file.
        expected: what it should be.
        remedy: what the user can do where it is not.
        kind: the error to raise.

    Returns:
        The fields of the header, none where the file has no header of ours, and the tensors.

    Raises:
        HsiSuiteError: of `kind`: the file is missing or damaged.
    """
    header = read_header(path, expected, remedy, kind=kind)
    require_room(path, _COPIES * require_regular(path, expected, remedy, kind=kind))
    with parsing(path, expected, remedy, kind=kind), safe_open(path, framework="pt") as file:
        return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def read_header(
    path: Path,
    expected: str = "the model of a finished run",
    remedy: str = _AGAIN,
    *,
    kind: type[HsiSuiteError] = RunError,
) -> dict[str, Any]:
    """The header of a model file alone; see `read_model`."""
    require_regular(path, expected, remedy, kind=kind)
    with parsing(path, expected, remedy, kind=kind), safe_open(path, framework="pt") as file:
        text = (file.metadata() or {}).get("header", "{}")
    header = parse_json(text, path, expected, remedy, kind=kind)
    return header if isinstance(header, dict) else {}


def require_fitting(
    build: Callable[[], nn.Module], options: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> None:
    """Refuse a header that asks for another network than the tensors are of, before it is built.

    A number in a damaged header can ask for more memory or time than there is.

    Args:
        build: makes the network; called without memory for its parameters.
        options: of the header.
        tensors: of the network, by the names of its state.

    Raises:
        ValueError: names or shapes differ.
    """
    most = sum(math.prod(tensor.shape) for tensor in tensors.values())
    for name, value in options.items():
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, int) and abs(number) > max(most, 1):
                raise ValueError(f"{name} = {number} for {most} parameters")
    try:
        with torch.device("meta"):
            wanted = {name: value.shape for name, value in build().state_dict().items()}
    except HsiSuiteError as error:
        # The user named no network: it is the file that asks for one that cannot be.
        raise ValueError(str(error)) from error
    if wanted != {name: value.shape for name, value in tensors.items()}:
        raise ValueError("header and weights do not fit")
