"""A whole scene through a network at once, instead of a window for every pixel.

Valid convolutions of stride 1 give, at each place of a scene, what they give on the window cut
around it. A linear layer over the features of a window is then a layer over each neighbourhood
in the scene's features, and all that follows it sees single rows. Nothing is approximated:
windows that overlap share what they have in common.

Scenes come zero-padded by the window's radius on all sides, as components × (lines + 2·radius)
× (samples + 2·radius); pixels are flat indices into lines × samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

import torch
from torch import Tensor
from torch.nn import functional

from .sliding import SlidingLinear
from .task import WindowNetwork

# Memory stays below that of training, and what strips compute beyond their borders is little.
_STRIP_PIXELS = 10_000
_STRIP_LINES = 16


def runs_dense(network: object, training: bool) -> TypeGuard[WindowNetwork]:
    """Whether a whole scene gives what its windows give, in training or evaluation."""
    return isinstance(network, WindowNetwork) and network.window_equivariant(training)


def scene_features(network: WindowNetwork, padded: Tensor) -> Tensor:
    """Features, depth × lines × samples, of a padded scene or of a strip of it.

    Args:
        network: one that `runs_dense`.
        padded: components × (lines + margin) × (samples + margin).
    """
    lines = padded.shape[1] - network.margin
    # A single input with few channels goes to a convolution that is up to ten times slower than
    # the one for batches (torch 2.13 on CPUs); hence a batch of two halves.
    half = -(-lines // 2)
    padded = functional.pad(padded, (0, 0, 0, 2 * half - lines))
    upper, lower = padded[:, : half + network.margin], padded[:, half:]
    halves = network.features(torch.stack([upper, lower]))
    return halves.transpose(0, 1).flatten(1, 2)[:, :lines]


def pixel_logits(network: WindowNetwork, features: Tensor, pixels: Tensor) -> Tensor:
    """Logits (N, classes) of some pixels, by gathering their neighbourhoods; for training.

    The gathering is an embedding, whose backward pass is a fast scatter-add; that of indexing or
    unfolding takes twice as long.

    Args:
        network: one that `runs_dense`.
        features: of the whole padded scene, see `scene_features`.
        pixels: N flat indices, on the device of the features.
    """
    first, rest = network.split_head()
    depth, _, width = features.shape
    side = network.window - network.margin
    samples = width - side + 1
    reach = torch.arange(side, device=features.device)
    corners = pixels // samples * width + pixels % samples
    places = corners[:, None] + (reach[:, None] * width + reach).flatten()
    rows = functional.embedding(places, features.flatten(1).t().contiguous()).flatten(1)
    # The rows are ordered by place, then depth; the layer's own order is the opposite.
    weight = first.weight.reshape(-1, depth, side * side).transpose(1, 2).flatten(1)
    logits: Tensor = rest(functional.linear(rows, weight, first.bias))
    return logits


def strip_logits(
    network: WindowNetwork, padded: Tensor, wanted: Tensor, strip_lines: int | None = None
) -> Iterator[tuple[int, Tensor]]:
    """Logits of a scene, one strip of lines after the other; for maps.

    Features that a strip has in common with the one before it are computed once.

    Args:
        network: one that `runs_dense`.
        padded: the zero-padded scene.
        wanted: lines × samples, True for the pixels whose logits are needed; strips without any
            are left out.
        strip_lines: lines of a strip; None takes about 10,000 pixels, at least 16 lines.

    Yields:
        The first line of a strip and its logits, lines × samples × classes.
    """
    lines, samples = wanted.shape
    height = strip_lines or _STRIP_LINES * max(1, _STRIP_PIXELS // samples // _STRIP_LINES)
    first, rest = network.split_head()
    linear = SlidingLinear(first, network.window - network.margin, int(wanted.sum()))
    held = padded.new_empty(0)
    begin = end = 0  # the lines of features that are held
    for start in range(0, lines, height):
        stop = min(start + height, lines)
        if not wanted[start:stop].any():
            continue
        fresh = scene_features(network, padded[:, max(start, end) : stop + network.window - 1])
        held = torch.cat([held[:, start - begin :], fresh], 1) if end > start else fresh
        begin, end = start, start + held.shape[1]
        sums = linear(held)
        yield start, rest(sums.flatten(1).t()).reshape(*sums.shape[1:], -1)
