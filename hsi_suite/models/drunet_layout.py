"""The names that the authors' checkpoints of DRUNet give its layers (KAIR, DPIR)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from ..errors import InputFileError
from .checkpoint_files import Layer
from .checkpoint_forms import FORMS
from .drunet import DRUNet

_HEAD = "m_head"
_PREFIX = "module."  # of networks that were trained on several GPUs


def is_drunet(layers: list[Layer]) -> bool:
    """Whether layers have names as those of a DRUNet."""
    return any(layer.name.removeprefix(_PREFIX) == _HEAD for layer in layers)


def read_drunet(path: Path, layers: list[Layer]) -> DRUNet:
    """The network that has these layers.

    Raises:
        InputFileError: a layer is missing, is not a DRUNet's, or has another shape.
    """
    weights = {layer.name.removeprefix(_PREFIX): _weight(path, layer) for layer in layers}
    levels = sum(name.startswith("m_down") and ".res." not in name for name in weights)
    blocks = sum(name.startswith("m_body.") for name in weights) // 2
    steps = [f"m_down{level}.{blocks}" for level in range(1, levels + 1)]
    for name in (_HEAD, *steps, "m_tail"):
        if name not in weights:
            raise InputFileError(path, f"is a DRUNet without {name}", FORMS)
    channels = [len(weights[name]) for name in (_HEAD, *steps)]
    image_channels = len(weights["m_tail"])
    if image_channels not in (1, 3) or not blocks:
        found = f"is a DRUNet of {blocks} blocks for {image_channels} channels"
        raise InputFileError(path, found, FORMS)
    network = DRUNet(image_channels, channels, blocks)
    network.load_state_dict(_named_as_here(path, network, weights, levels, blocks))
    return network


def _weight(path: Path, layer: Layer) -> Tensor:
    if layer.arrays.keys() != {"weight"}:
        found = f"{layer.name} holds {', '.join(layer.arrays)}, and DRUNet has no biases"
        raise InputFileError(path, found[:240], FORMS)
    return layer.arrays["weight"].float()


def _named_as_here(
    path: Path, network: DRUNet, weights: dict[str, Tensor], levels: int, blocks: int
) -> dict[str, Tensor]:
    expected = {name: value.shape for name, value in network.state_dict().items()}
    state = {}
    left = dict(weights)
    for theirs, ours in _names(levels, blocks):
        if theirs not in left:
            raise InputFileError(path, f"is a DRUNet without {theirs}", FORMS)
        weight = left.pop(theirs)
        fitted = (
            _as_one_by_one(weight)
            if theirs.startswith("m_up") and ".res." not in theirs
            else weight
        )
        if fitted.shape != expected[ours]:
            raise InputFileError(path, f"{theirs} holds weight {tuple(weight.shape)}", FORMS)
        state[ours] = fitted
    if left:
        raise InputFileError(path, f"holds {next(iter(left))} beside a DRUNet"[:240], FORMS)
    return state


def _as_one_by_one(weight: Tensor) -> Tensor:
    """A transposed 2×2 convolution of stride 2 as the 1×1 convolution before a pixel shuffle."""
    if weight.ndim != 4:
        return weight
    return weight.permute(1, 2, 3, 0).reshape(-1, len(weight), 1, 1)


def _names(levels: int, blocks: int) -> Iterator[tuple[str, str]]:
    """Each layer's name there, and the name of its weight here."""
    yield _HEAD, "head.conv.weight"
    for level in range(levels):
        yield from _of_blocks(f"m_down{level + 1}", 0, f"downs.{level}.0", blocks)
        yield f"m_down{level + 1}.{blocks}", f"downs.{level}.1.conv.weight"
    yield from _of_blocks("m_body", 0, "body", blocks)
    for step in range(levels):
        yield f"m_up{levels - step}.0", f"ups.{step}.0.0.conv.weight"
        yield from _of_blocks(f"m_up{levels - step}", 1, f"ups.{step}.1", blocks)
    yield "m_tail", "tail.conv.weight"


def _of_blocks(theirs: str, first: int, ours: str, blocks: int) -> Iterator[tuple[str, str]]:
    for block in range(blocks):
        for there, here in ((0, 0), (2, 1)):
            name = f"{theirs}.{first + block}.res.{there}"
            yield name, f"{ours}.{block}.body.{here}.conv.weight"
