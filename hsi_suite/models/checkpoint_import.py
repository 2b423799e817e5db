"""Public checkpoints of DnCNN and FDnCNN, read without running any code in them.

Three forms are known, and one walk reads them all: a checkpoint is a row of layers, each with a
few arrays. PyTorch files (with batch norms, as in SaoYan's repository, or merged, as in KAIR) are
state dictionaries; the authors' own files are MatConvNet structs in MATLAB v7.3; safetensors are
state dictionaries too.
"""

from __future__ import annotations

import itertools
import warnings
import zipfile
from collections.abc import Iterator
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
from ..user_files import require_regular
from .dncnn import DnCNN, FDnCNN
from .folding import folded_convolution

_FORMS = "a DnCNN or FDnCNN: .pth (SaoYan, KAIR), MatConvNet .mat (v7.3) or .safetensors"
_TORCH_EPS = 1e-5
# The arrays as they are read, and those of the network.
_COPIES = 2


@dataclass(frozen=True)
class _Layer:
    """The arrays of one layer, named as PyTorch names them; `eps` belongs to running_var."""

    name: str
    arrays: dict[str, Tensor]
    eps: float = _TORCH_EPS


def import_checkpoint(path: str | Path) -> DnCNN | FDnCNN:
    """The network in a public checkpoint, batch norms folded, in evaluation mode on the CPU.

    A network with as many channels in as out is a DnCNN, which predicts the noise; one with a
    channel more, the σ map, is an FDnCNN, which gives the image.

    Raises:
        InputFileError: the file cannot be read, or holds something else; the line says what.
    """
    path = Path(path)
    size = require_regular(path, _FORMS)
    try:
        require_room(path, _COPIES * _unpacked(path, size))
        layers = list(_read_layers(path))
    except InputFileError:
        raise
    except Exception as error:  # whatever the unpickler, h5py and safetensors raise
        text = reason_of(error).partition(". ")[0]
        # Of a file that is no checkpoint the unpickler names the byte that it stumbled over.
        reason = "no checkpoint" if text.isdecimal() else text
        raise InputFileError(path, f"cannot be read ({reason})", _FORMS) from error
    return _build(path, _walk(path, layers))


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


def _read_layers(path: Path) -> Iterator[_Layer]:
    if h5py.is_hdf5(path):
        yield from _matconvnet_layers(path)
        return
    if path.suffix == ".safetensors":
        state: Any = load_file(path)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "params"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ValueError(f"a {type(state).__name__} that is no state dictionary")
    named = [(*str(key).rpartition(".")[::2], value) for key, value in state.items()]
    named.sort(key=lambda entry: _natural(entry[0]))
    for name, group in itertools.groupby(named, key=lambda entry: entry[0]):
        yield _Layer(name, {array: value for _, array, value in group})


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorting key in which layer 10 comes after layer 9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in name.split(".")]


def _matconvnet_layers(path: Path) -> Iterator[_Layer]:
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


def _matconvnet_layer(name: str, kind: str, arrays: list[NDArray[np.float32]]) -> _Layer:
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
        return _Layer(name, {key: torch.from_numpy(v.copy()) for key, v in tensors.items()}, 0.0)
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
    return _Layer(name, {key: torch.from_numpy(v.copy()) for key, v in tensors.items()})


def _walk(path: Path, layers: list[_Layer]) -> list[tuple[Tensor, Tensor]]:
    """Weight and bias of each convolution, the batch norm behind it folded in."""
    convolutions: list[tuple[Tensor, Tensor]] = []
    for layer in layers:
        arrays = layer.arrays
        weight = arrays.get("weight")
        if weight is not None and weight.ndim == 4 and arrays.keys() <= {"weight", "bias"}:
            bias = arrays.get("bias", torch.zeros(len(weight)))
            convolutions.append((weight.float(), bias.float()))
        elif _is_norm(layer, convolutions):
            convolutions[-1] = folded_convolution(
                *convolutions[-1],
                mean=arrays["running_mean"],
                variance=arrays["running_var"],
                scale=arrays["weight"],
                shift=arrays["bias"],
                eps=layer.eps,
            )
        else:
            shapes = ", ".join(f"{key} {tuple(v.shape)}" for key, v in arrays.items())
            name = layer.name or "the file"
            raise InputFileError(path, f"{name} holds {shapes}"[:240], _FORMS)
    return convolutions


def _is_norm(layer: _Layer, convolutions: list[tuple[Tensor, Tensor]]) -> bool:
    wanted = {"weight", "bias", "running_mean", "running_var"}
    if not convolutions or not wanted <= layer.arrays.keys():
        return False
    channels = convolutions[-1][1].shape
    return all(layer.arrays[name].shape == channels for name in wanted)


def _build(path: Path, convolutions: list[tuple[Tensor, Tensor]]) -> DnCNN | FDnCNN:
    shapes = [tuple(weight.shape) for weight, _ in convolutions]
    if len(shapes) < 2:
        raise InputFileError(path, f"holds {len(shapes)} convolutions", _FORMS)
    width, in_channels = shapes[0][:2]
    out_channels = shapes[-1][0]
    chained = [
        (width, in_channels, 3, 3),
        *[(width, width, 3, 3)] * (len(shapes) - 2),
        (out_channels, width, 3, 3),
    ]
    fits = all(len(bias) == len(weight) for weight, bias in convolutions)
    if shapes != chained or out_channels not in (1, 3) or not fits:
        raise InputFileError(path, f"holds {_described(shapes)}", _FORMS)
    if not all(torch.isfinite(t).all() for pair in convolutions for t in pair):
        raise InputFileError(path, "holds weights that are not finite", "finite weights")
    network: DnCNN | FDnCNN
    if in_channels == out_channels:
        network = DnCNN(out_channels, depth=len(shapes), width=width, norm=None)
    elif in_channels == out_channels + 1:
        network = FDnCNN(out_channels, depth=len(shapes), width=width)
    else:
        raise InputFileError(path, f"holds {_described(shapes)}", _FORMS)
    state: dict[str, Tensor] = {}
    for number, (weight, bias) in enumerate(convolutions):
        state |= {f"layers.{number}.conv.weight": weight, f"layers.{number}.conv.bias": bias}
    network.load_state_dict(state)
    return network.eval()


def _described(shapes: list[tuple[int, ...]]) -> str:
    texts = [f"{s[1]}→{s[0]} of {'×'.join(map(str, s[2:]))}" for s in shapes]
    shown = texts if len(texts) <= 4 else [*texts[:2], "…", texts[-1]]
    return f"{len(shapes)} convolutions, {', '.join(shown)}"
