"""Weights that torchvision trained, loaded into the same networks here, without torchvision."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ...errors import InputFileError
from ...guard import parsing
from ...process_wide import ignoring
from ...user_files import require_regular
from .network import ClassicNetwork
from .torchvision_names import torchvision_names

_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    SafetensorError,
)
_SHOWN = 3


def load_torchvision(
    network: ClassicNetwork, state: Mapping[str, Tensor], source: str | Path = "state dictionary"
) -> None:
    """Put the tensors of torchvision's network of the same name into ours, in place.

    Torchvision's GoogLeNet and Inception v3 take images scaled to -1 … 1, its other networks
    images normalised by the means and deviations of ImageNet.

    Args:
        network: built as torchvision's is, see `torchvision_names`.
        state: torchvision's state dictionary. The batch counters of norms may be absent, as they
            are in files of its first versions.
        source: the file it comes from, for messages.

    Raises:
        ConfigError: torchvision has no such network.
        InputFileError: tensors are missing, unknown, of other shapes or not finite.
    """
    names = torchvision_names(network)
    own = network.state_dict()
    counters = {name for name in names if name.endswith("num_batches_tracked")}
    missing = [name for name in names if name not in state and name not in counters]
    unknown = [name for name in state if name not in names]
    expected = f"the {len(names)} tensors of torchvision's {network.name}"
    if missing or unknown:
        found = f"{len(missing)} tensors missing{_some(missing)}, {len(unknown)} unknown"
        remedy = "auxiliary heads, norm and depth must be those of the file"
        raise InputFileError(source, found + _some(unknown), expected, remedy)
    other = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(own[ours].shape)}"
        for name, ours in names.items()
        if name in state and state[name].shape != own[ours].shape
    ]
    if other:
        found = f"{len(other)} tensors of other shapes{_some(other)}"
        remedy = "channels, classes, width and stem must be those of the file"
        raise InputFileError(source, found, expected, remedy)
    wrong = [name for name in names if name in state and not torch.isfinite(state[name]).all()]
    if wrong:
        raise InputFileError(source, f"values that are not finite{_some(wrong)}", expected)
    network.load_state_dict({ours: state.get(name, own[ours]) for name, ours in names.items()})


def load_torchvision_file(network: ClassicNetwork, path: str | Path) -> None:
    """`load_torchvision` from a `.pth` or `.safetensors` file, running no code in it.

    Raises:
        ConfigError: torchvision has no such network.
        InputFileError: the file cannot be read, or holds something else.
    """
    load_torchvision(network, read_torchvision_file(path), path)


def read_torchvision_file(path: str | Path) -> dict[str, Tensor]:
    """The state dictionary in a `.pth` or `.safetensors` file, running no code in it.

    Raises:
        InputFileError: the file cannot be read, or holds something else.
    """
    path = Path(path)
    expected = "a state dictionary of torchvision (.pth or .safetensors)"
    require_regular(path, expected)
    with parsing(path, expected):
        return _read(path)


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return load_file(path)
    with ignoring():
        state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ValueError(f"a {type(state).__name__} that is no state dictionary")
    return {str(name): value for name, value in state.items()}


def _some(names: Collection[str]) -> str:
    """The first of the names in brackets."""
    shown = list(names)[:_SHOWN]
    more = ", …" if len(names) > _SHOWN else ""
    return f" ({', '.join(shown)}{more})" if shown else ""
