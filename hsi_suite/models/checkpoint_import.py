"""Public checkpoints of denoisers as networks of this project.

DnCNN and FDnCNN (with batch norms, as in SaoYan's repository, or merged, as in KAIR and the
authors' own files), FFDNet, IRCNN (25 networks in one file, or one), DRUNet. All but the last are
rows of convolutions, and one walk reads them; `drunet_layout` knows the names of a DRUNet.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import InputFileError
from .checkpoint_files import Layer, one_line, read_checkpoint
from .checkpoint_forms import FORMS
from .dncnn import DnCNN, FDnCNN
from .drunet import DRUNet
from .drunet_layout import is_drunet, read_drunet
from .ffdnet import FFDNet
from .folding import folded_convolution
from .ircnn import IRCNN, IRCNN_DEPTH

Convolution = tuple[Tensor, Tensor]
PublicNetwork = DnCNN | FDnCNN | FFDNet | IRCNN | DRUNet
# Channels of a cell of 2 × 2 pixels as MATLAB counts them, by columns.
_BY_COLUMNS = (0, 2, 1, 3)
# In names of layers: the FFDNet of ffdnet-pytorch, whose grey arrays have another meaning.
_MAP_FIRST = "itermediate_dncnn"


def import_checkpoint(path: str | Path) -> PublicNetwork:
    """The network in a public checkpoint, batch norms folded, in evaluation mode on the CPU.

    A row of convolutions with as many channels in as out is a DnCNN, which predicts the noise; one
    with a channel more in, the σ map, is an FDnCNN, which gives the image; one with four times the
    image's channels, and one more in, is an FFDNet. Numbered rows of seven are the networks of an
    IRCNN; whether a single row of seven is one of them, whose dilations no array shows, or a short
    DnCNN is told from the file's name or the layers'. Names that begin with m_head are those of a
    DRUNet.

    Raises:
        InputFileError: the file cannot be read, or holds something else; the line says what.
    """
    path = Path(path)
    held = read_checkpoint(path)
    with one_line(path):
        network = _network(path, held.networks, held.matconvnet)
    if not all(value.isfinite().all() for value in network.state_dict().values()):
        raise InputFileError(path, "holds weights that are not finite", "finite weights")
    return network.eval()


def _network(path: Path, networks: Mapping[str, list[Layer]], by_columns: bool) -> PublicNetwork:
    if "" not in networks:
        return _read_ircnn(path, {name: _walk(path, row) for name, row in networks.items()})
    layers = networks[""]
    if is_drunet(layers):
        return read_drunet(path, layers)
    if any(_MAP_FIRST in layer.name for layer in layers):
        found = "holds the FFDNet of ffdnet-pytorch, which takes σ first and gives the noise"
        raise InputFileError(path, found, FORMS, "take ffdnet_gray.pth or ffdnet_color.pth of KAIR")
    row = _walk(path, layers)
    if len(row) == IRCNN_DEPTH and _is_dilated(path, layers, row):
        return _read_ircnn(path, {"0": row})
    return _read_row(path, row, by_columns)


def _is_dilated(path: Path, layers: list[Layer], row: list[Convolution]) -> bool:
    """Whether a row of seven is a network of an IRCNN and no DnCNN.

    Raises:
        InputFileError: no name tells.
    """
    if row[0][0].shape[1] != len(row[-1][0]):
        return False
    names = "".join(filter(str.isalnum, path.stem.lower()))
    if "ircnn" in names:
        return True
    if "dncnn" in names or any("dncnn" in layer.name.lower() for layer in layers):
        return False
    raise InputFileError(
        path,
        "holds 7 convolutions, which are a DnCNN or one network of an IRCNN",
        "ircnn or dncnn in the name of the file",
        "rename it",
    )


def _walk(path: Path, layers: list[Layer]) -> list[Convolution]:
    """Weight and bias of each convolution, the batch norm behind it folded in."""
    convolutions: list[Convolution] = []
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
            raise InputFileError(path, f"{name} holds {shapes}"[:240], FORMS)
    return convolutions


def _is_norm(layer: Layer, convolutions: list[Convolution]) -> bool:
    wanted = {"weight", "bias", "running_mean", "running_var"}
    if not convolutions or not wanted <= layer.arrays.keys():
        return False
    channels = convolutions[-1][1].shape
    return all(layer.arrays[name].shape == channels for name in wanted)


def _read_row(path: Path, row: list[Convolution], by_columns: bool) -> PublicNetwork:
    in_channels, width, out_channels = _row_channels(path, row)
    network: DnCNN | FDnCNN | FFDNet
    if (in_channels, out_channels) in ((1, 1), (3, 3)):
        network = DnCNN(out_channels, depth=len(row), width=width, norm=None)
    elif (in_channels, out_channels) in ((2, 1), (4, 3)):
        network = FDnCNN(out_channels, depth=len(row), width=width)
    elif (in_channels, out_channels) in ((5, 4), (13, 12)):
        network = FFDNet(out_channels // 4, depth=len(row), width=width)
        row = _cells_by_lines(row) if by_columns else row
    else:
        raise InputFileError(path, f"holds {_described(row)}", FORMS)
    _fill(network, row, "layers.")
    return network


def _read_ircnn(path: Path, rows: Mapping[str, list[Convolution]]) -> IRCNN:
    sizes = {}
    for number, (name, row) in enumerate(rows.items()):
        in_channels, width, out_channels = sizes[name] = _row_channels(path, row)
        known = len(row) == IRCNN_DEPTH and in_channels == out_channels and out_channels in (1, 3)
        if not known or int(name) != number:
            raise InputFileError(path, f"holds {_described(row)} as network {name}", FORMS)
        if sizes[name] != sizes["0"]:
            raise InputFileError(path, f"holds networks 0 and {name} of other sizes", FORMS)
    channels, width, _ = sizes["0"]
    network = IRCNN(channels, width=width, norm=None, networks=len(rows))
    for member, row in zip(network.networks, rows.values(), strict=True):
        _fill(member, row, "")
    return network


def _row_channels(path: Path, row: list[Convolution]) -> tuple[int, int, int]:
    """Channels before, within and behind a row of 3×3 convolutions that fit together."""
    shapes = [tuple(weight.shape) for weight, _ in row]
    if len(shapes) < 2:
        raise InputFileError(path, f"holds {len(shapes)} convolutions", FORMS)
    width, in_channels = shapes[0][:2]
    out_channels = shapes[-1][0]
    chained = [
        (width, in_channels, 3, 3),
        *[(width, width, 3, 3)] * (len(shapes) - 2),
        (out_channels, width, 3, 3),
    ]
    if shapes != chained or not all(len(bias) == len(weight) for weight, bias in row):
        raise InputFileError(path, f"holds {_described(row)}", FORMS)
    return in_channels, width, out_channels


def _cells_by_lines(row: list[Convolution]) -> list[Convolution]:
    """The row of an FFDNet whose cells are counted by columns, for cells counted by lines."""
    (first, first_bias), *inner, (last, last_bias) = row
    order = torch.arange(len(last)).view(-1, 4)[:, _BY_COLUMNS].flatten()
    # The σ map comes behind the cells.
    with_map = torch.cat([order, order.new_tensor([len(order)])])
    return [(first[:, with_map], first_bias), *inner, (last[order], last_bias[order])]


def _fill(network: nn.Module, row: list[Convolution], prefix: str) -> None:
    state: dict[str, Tensor] = {}
    for number, (weight, bias) in enumerate(row):
        state[f"{prefix}{number}.conv.weight"] = weight
        state[f"{prefix}{number}.conv.bias"] = bias
    network.load_state_dict(state)


def _described(row: list[Convolution]) -> str:
    shapes = [tuple(weight.shape) for weight, _ in row]
    texts = [f"{s[1]}→{s[0]} of {'×'.join(map(str, s[2:]))}" for s in shapes]
    shown = texts if len(texts) <= 4 else [*texts[:2], "…", texts[-1]]
    return f"{len(shapes)} convolutions, {', '.join(shown)}"
