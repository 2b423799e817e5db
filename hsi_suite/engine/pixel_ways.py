"""Which pixels of a scene go by their windows, and which by the scene around them.

A few pixels here and there are cheaper by windows, many neighbours by what their windows have in
common. Multiply-adds decide, weighted by measured speeds (docs/decisions/0003-dense-training.md);
nothing is timed, so the same pixels always go the same way. Both ways give the same up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from .dense import features_grid, head_effort, strip_height
from .device_memory import rows_apart
from .memory import unfolds
from .task import WindowNetwork

# Multiply-adds per second in a scene's features, as a share of those in the features of windows,
# and the same of deep layers where torch unfolds what they are given (`engine.memory.unfolds`).
_SCENE_RATE, _UNFOLDED_RATE = 1.1, 0.35
# What calls cost however small a part is, in multiply-adds.
_CALLS = 2e7
_BATCH_PLACES = 10_000
# So few pixels are never cheaper by the head's transforms, whose weights cost more than they do.
_FEW = 256


@dataclass(frozen=True)
class Part:
    """Some lines and samples of a scene, and how the wanted pixels in them are seen.

    Attributes:
        lines: from first to last.
        samples: likewise.
        by_windows: each by its window; else all by the scene around them.
    """

    lines: slice
    samples: slice
    by_windows: bool

    @property
    def place(self) -> tuple[slice, slice]:
        """Where it is in an array of lines × samples."""
        return self.lines, self.samples

    def padded(self, scene: Tensor, window: int) -> Tensor:
        """What its pixels' windows see of a zero-padded scene, as a view."""
        lines, samples = (slice(each.start, each.stop + window - 1) for each in self.place)
        return scene[:, lines, samples]


@dataclass(frozen=True)
class _Layer:
    """A convolution of the features.

    Attributes:
        products: multiply-adds for each place of its output.
        lines: that its output has more than the features.
        samples: likewise.
        deep: whether kernels are deep and have neither height nor width: what is unfolded for them
            is far more than what there was.
    """

    products: float
    lines: int
    samples: int
    deep: bool = False


def plan_parts(network: WindowNetwork, padded: Tensor, wanted: Tensor) -> list[Part]:
    """The cheaper way of each part of a scene, from the first line to the last.

    Parts are as many lines as there are wanted pixels whose windows touch. Where rows of a batch
    see each other (dropout that is left on) everything goes by the scene, as what is dropped
    would be another.

    Args:
        network: one that `engine.dense.runs_dense`.
        padded: the zero-padded scene.
        wanted: lines × samples, True for the pixels whose logits are needed; one at least.
    """
    assert isinstance(network, nn.Module)
    if not rows_apart(network):
        return [Part(slice(0, wanted.shape[0]), slice(0, wanted.shape[1]), by_windows=False)]
    parts: list[Part] = []
    for part in _bands(wanted, network.window):
        part = replace(part, by_windows=_windows_pay(network, padded, wanted[part.place]))
        if parts and parts[-1].by_windows and part.by_windows:
            part = _joined(parts.pop(), part)
        parts.append(part)
    return parts


def _bands(wanted: Tensor, window: int) -> Iterator[Part]:
    """Lines and samples of the wanted pixels, cut where no window reaches across."""
    lines = wanted.any(1).nonzero().squeeze(1)
    apart = (lines.diff() > window).nonzero().squeeze(1) + 1
    for first, last in pairwise([0, *apart.tolist(), len(lines)]):
        rows = slice(int(lines[first]), int(lines[last - 1]) + 1)
        samples = wanted[rows].any(0).nonzero().squeeze(1)
        yield Part(rows, slice(int(samples[0]), int(samples[-1]) + 1), by_windows=False)


def _joined(one: Part, other: Part) -> Part:
    """Two parts by windows, one below the other; there are no wanted pixels beside them."""
    first = min(one.samples.start, other.samples.start)
    last = max(one.samples.stop, other.samples.stop)
    return Part(slice(one.lines.start, other.lines.stop), slice(first, last), by_windows=True)


def _windows_pay(network: WindowNetwork, padded: Tensor, wanted: Tensor) -> bool:
    """Whether the wanted pixels of a part are cheaper by their windows."""
    count, places, side = int(wanted.sum()), wanted.numel(), network.window - network.margin
    if count == places:
        # What the pixels of a rectangle have in common is cheaper whatever the network is.
        return places == 1
    around = [size + network.window - 1 for size in wanted.shape]
    if count <= min(_FEW, places / 4) and math.prod(around) > count * network.window**2:
        # The scene is larger than all windows, and so is what each layer makes of it.
        return True
    layers = _layers(network, padded)
    one = sum(each.products * (side + each.lines) * (side + each.samples) for each in layers)
    windows = count * one + head_effort(network, count, None)
    lines, samples = (size + side - 1 for size in wanted.shape)
    strips = -(-wanted.shape[0] // strip_height(network, wanted.shape[1]))
    down, across = features_grid(network, -(-lines // strips), samples)
    assert isinstance(network, nn.Module)
    slow = unfolds(network) and down * across < 16
    # Squares of a grid are equal, and each has the margins of all layers.
    down *= strips
    lines, samples = -(-lines // down) * down, -(-samples // across) * across
    scene = sum(
        each.products
        * (lines + down * each.lines)
        * (samples + across * each.samples)
        / (_UNFOLDED_RATE if slow and each.deep else _SCENE_RATE)
        for each in layers
    )
    return windows < scene + head_effort(network, count, places) + strips * _CALLS


# What was found of each network, which takes about a millisecond.
_seen: WeakKeyDictionary[nn.Module, list[_Layer]] = WeakKeyDictionary()


def _layers(network: WindowNetwork, padded: Tensor) -> list[_Layer]:
    """The convolutions of the features, from a look at them at one place of a scene.

    Torch's own counter of operations takes a second to be imported.
    """
    assert isinstance(network, nn.Module)
    if network in _seen:
        return _seen[network]
    found: list[_Layer] = []

    def look(layer: Any, _: object, output: Tensor) -> None:
        lines, samples = output.shape[-2:]
        products = output[0].numel() * layer.weight[0].numel() / (lines * samples)
        depth, *others = layer.kernel_size
        deep = depth > 1 and others == [1, 1]
        found.append(_Layer(products, lines - 1, samples - 1, deep))

    kinds = (nn.Conv2d, nn.Conv3d)
    hooks = [m.register_forward_hook(look) for m in network.modules() if isinstance(m, kinds)]
    size = network.margin + 1
    try:
        with torch.no_grad():
            # One alone may go to a slower convolution.
            network.features(padded[:, :size, :size].expand(2, -1, -1, -1).contiguous())
    finally:
        for hook in hooks:
            hook.remove()
    return _seen.setdefault(network, found or [_Layer(float(len(padded)), 0, 0)])


def windows_at_once(network: WindowNetwork, device: torch.device) -> int:
    """Windows in a batch, so that processors need no more memory than for a strip of the scene."""
    return 2**30 if device.type == "cuda" else max(1, _BATCH_PLACES // network.window**2)
