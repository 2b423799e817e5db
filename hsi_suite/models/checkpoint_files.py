"""Public checkpoints as rows of named layers, read without running any code in them.

PyTorch files and safetensors are state dictionaries; the authors' own files are MatConvNet structs
in MATLAB v7.3. A file may hold several networks, each a state dictionary under a number.
"""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from ..errors import InputFileError
from ..guard import reason_of
from ..memory import bytes_of, require_room
from ..process_wide import ignoring
from .checkpoint_forms import FORMS, require_checkpoint

_TORCH_EPS = 1e-5
# KAIR's batch norms have another, and no state dictionary holds it; its rows are named as this.
_KAIR_EPS = 1e-4
_KAIR_LAYER = re.compile(r"(module\.)?model\.\d+")
# The arrays as they are read, and those of the network.
_COPIES = 2


@dataclass(frozen=True)
class Layer:
    """The arrays of one layer, named as PyTorch names them; `eps` belongs to running_var."""

    name: str
    arrays: dict[str, Tensor]
    eps: float = _TORCH_EPS


@dataclass(frozen=True)
class CheckpointFile:
    """What a file of weights holds.

    Attributes:
        networks: the layers of each network, in their order; by number, or one under "".
        matconvnet: whether it is of the authors' MATLAB code, which orders cells by columns.
    """

    networks: Mapping[str, list[Layer]]
    matconvnet: bool


def read_checkpoint(path: Path) -> CheckpointFile:
    """The layers in a file of weights.

    Raises:
        InputFileError: it cannot be read, or holds no layers; the line says what.
    """
    size = require_checkpoint(path)
    with one_line(path):
        require_room(path, _COPIES * _unpacked(path, size))
        if h5py.is_hdf5(path):
            return CheckpointFile({"": list(_matconvnet_layers(path))}, matconvnet=True)
        states = _states(path)
        for state in states.values():
            _require_plain(path, state)
        return CheckpointFile({name: _layers(state) for name, state in states.items()}, False)


@contextmanager
def one_line(path: Path) -> Iterator[None]:
    """Say in one line what libraries raise over a file of weights, whatever it is.

    Raises:
        InputFileError: something fails.
    """
    try:
        yield
    except InputFileError:
        raise
    except Exception as error:  # whatever the unpickler, h5py, safetensors and torch raise
        text = reason_of(error).partition(". ")[0]
        # Of a file that is no checkpoint the unpickler names the byte that it stumbled over.
        reason = "no checkpoint" if text.isdecimal() else text
        raise InputFileError(path, f"cannot be read ({reason})", FORMS) from error


def _unpacked(path: Path, size: int) -> float:
    """Bytes of the arrays in a file, as far as they are packed in it; its size otherwise."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return float(sum(member.file_size for member in archive.infolist()))
    if not h5py.is_hdf5(path):
        return float(size)
    held = 0.0

    def add(_: str, item: object) -> None:
        nonlocal held
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            held += bytes_of(item.shape, np.dtype(np.float32))

    with h5py.File(path, "r", locking=False) as file:
        file.visititems(add)
    return held


def _states(path: Path) -> dict[str, dict[str, Tensor]]:
    """The state dictionary of each network in a file, by its number, or one under ""."""
    if path.suffix == ".safetensors":
        state: Any = load_file(path)
    else:
        with ignoring():
            state = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "params"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if _is_state(state):
        return {"": state}
    if not isinstance(state, dict) or not state or not all(map(_is_state, state.values())):
        raise ValueError(f"a {type(state).__name__} that is no state dictionary")
    if not all(str(key).isdecimal() for key in state):
        raise ValueError("several state dictionaries, not numbered as those of IRCNN")
    return {str(key): state[key] for key in sorted(state, key=lambda key: int(key))}


def _is_state(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, Tensor) for each in value.values())


def _require_plain(path: Path, state: Mapping[str, Tensor]) -> None:
    """Refuse arrays that are larger than what the file holds of them."""
    for value in state.values():
        held = value.untyped_storage().nbytes() if value.layout == torch.strided else -1
        if held < value.numel() * value.element_size():
            raise ValueError("an array that is not stored in full")
    require_room(
        path, _COPIES * bytes_of((sum(v.numel() for v in state.values()),), np.dtype(np.float32))
    )


def _layers(state: Mapping[str, Tensor]) -> list[Layer]:
    named = [(*str(key).rpartition(".")[::2], value) for key, value in state.items()]
    named.sort(key=lambda entry: _natural(entry[0]))
    return [
        Layer(
            name,
            {array: value for _, array, value in group},
            _KAIR_EPS if _KAIR_LAYER.fullmatch(name) else _TORCH_EPS,
        )
        for name, group in itertools.groupby(named, key=lambda entry: entry[0])
    ]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorting key in which layer 10 comes after layer 9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in name.split(".")]


def _matconvnet_layers(path: Path) -> Iterator[Layer]:
    """The layers of a MatConvNet struct `net` whose cell array `layers` holds structs."""
    with h5py.File(path, "r", locking=False) as file:
        if "net/layers" not in file:
            raise ValueError(f"no struct net with layers, only {', '.join(file) or 'nothing'}")
        for number, reference in enumerate(file["net/layers"][()].ravel()):
            layer = file[reference]
            if "weights" in layer and layer["weights"].dtype == h5py.ref_dtype:
                kind = "".join(map(chr, layer["type"][()].ravel()))
                arrays = [_matlab_array(file[each]) for each in layer["weights"][()].ravel()]
                yield _matconvnet_layer(f"net.layers{{{number + 1}}} ({kind})", kind, arrays)


def _matlab_array(dataset: h5py.Dataset) -> NDArray[np.float32]:
    """An array with its axes reversed, as HDF5 shows MATLAB's; an empty one is 1-D."""
    if dataset.attrs.get("MATLAB_empty", 0):
        return np.empty(0, np.float32)
    return np.asarray(dataset[()], np.float32)


def _matconvnet_layer(name: str, kind: str, arrays: list[NDArray[np.float32]]) -> Layer:
    if kind == "bnorm":
        scale, shift, moments = arrays
        # The second moment that MatConvNet keeps is √(variance + its own eps).
        mean, deviation = moments
        tensors = {
            "weight": scale.ravel(),
            "bias": shift.ravel(),
            "running_mean": mean,
            "running_var": deviation.astype(np.float64) ** 2,
        }
        return Layer(name, {key: torch.from_numpy(v.copy()) for key, v in tensors.items()}, 0.0)
    if kind != "conv":
        raise ValueError(f"{name} has weights, and only conv and bnorm layers are known")
    filters = arrays[0]
    if filters.ndim == 3:
        # MATLAB drops a last axis of one: a layer with a single output channel.
        filters = filters[None]
    # HDF5 shows (out, in, width, height).
    tensors = {"weight": filters.swapaxes(-1, -2)}
    if len(arrays) > 1 and arrays[1].size:
        tensors["bias"] = arrays[1].ravel()
    return Layer(name, {key: torch.from_numpy(v.copy()) for key, v in tensors.items()})
