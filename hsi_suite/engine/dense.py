"""A whole scene through a network at once, instead of a window for every pixel.

Valid convolutions of stride 1 give, at each place of a scene, what they give on the window cut
around it. A linear layer over the features of a window is then a layer over each neighbourhood
in the scene's features, and all that follows it sees single rows. Where something else than a
linear layer comes first (attention over the window, say), the network is dense up to there and
sees one neighbourhood after the other from there on. Nothing is approximated: windows that
overlap share what they have in common.

Scenes come zero-padded by the window's radius on all sides, as components × (lines + 2·radius)
× (samples + 2·radius); pixels are flat indices into lines × samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import TypeGuard

import torch
from torch import Tensor
from torch.nn import functional

from .device_memory import FAILURES, exhausted, release, rows_apart
from .gathered import gathered_linear, suits_lines
from .memory import unfolds
from .sliding import SlidingLinear, sliding_effort
from .task import WindowNetwork

# Memory stays below that of training, and what strips compute beyond their borders is little.
_STRIP_PIXELS = 10_000
_STRIP_LOGITS = 2**25
_STRIP_LINES = 16
# A scene goes through in pieces of at least so many places and lines of features: gradients then
# are in memory for one piece at a time, and what neighbours both compute stays little.
_PIECE_PLACES = 12_000
_PIECE_LINES = 80
# Neighbourhoods of features at once, where a head sees them one by one.
_SQUARES = 512
# A product with copied neighbourhoods, or with the features of windows, against the multiply-adds
# of a convolution: its weights are read anew for a few rows.
_ROWS_EFFORT = 2.5
#: How features are computed at least, and where torch is slow with fewer than 16 inputs.
HALVES, SIXTEEN = (2, 1), (4, 4)


def runs_dense(network: object, training: bool) -> TypeGuard[WindowNetwork]:
    """Whether a whole scene gives what its windows give, in training or evaluation."""
    return isinstance(network, WindowNetwork) and network.window_equivariant(training)


def scene_features(network: WindowNetwork, padded: Tensor) -> Tensor:
    """Features, depth × lines × samples, of a padded scene or of a strip of it.

    Args:
        network: one that `runs_dense`.
        padded: components × (lines + margin) × (samples + margin).
    """
    lines, samples = (size - network.margin for size in padded.shape[1:])
    pieces = max(1, min(lines * samples // _PIECE_PLACES, lines // _PIECE_LINES))
    edges = [lines * piece // pieces for piece in range(pieces + 1)]
    parts = [
        _piece_features(network, padded[:, first : last + network.margin])
        for first, last in pairwise(edges)
    ]
    return parts[0] if pieces == 1 else torch.cat(parts, 1)


def _piece_features(network: WindowNetwork, padded: Tensor) -> Tensor:
    margin = network.margin
    lines, samples = (size - margin for size in padded.shape[1:])
    down, across = features_grid(network, lines, samples)
    height, width = -(-lines // down), -(-samples // across)
    padded = functional.pad(padded, (0, across * width - samples, 0, down * height - lines))
    tiles = padded.unfold(1, height + margin, height).unfold(2, width + margin, width)
    features = network.features(tiles.permute(1, 2, 0, 3, 4).flatten(0, 1))
    side_by_side = features.reshape(down, across, *features.shape[1:]).permute(2, 0, 3, 1, 4)
    return side_by_side.flatten(3, 4).flatten(1, 2)[:, :lines, :samples]


def features_grid(network: WindowNetwork, lines: int, samples: int) -> tuple[int, int]:
    """How many tiles, down and across, the features of a piece are computed in, as one batch.

    A single input with few channels goes to a convolution that is up to ten times slower than the
    one for batches (torch 2.13 on CPUs); hence two halves. Of networks that torch unfolds for
    batches below 16, where that pays.

    Args:
        network: whose features.
        lines: of the features.
        samples: likewise.
    """
    assert isinstance(network, torch.nn.Module)
    if unfolds(network) and min(lines, samples) >= 4 * max(1, network.margin):
        return SIXTEEN
    return HALVES


def pixel_logits(network: WindowNetwork, features: Tensor, pixels: Tensor) -> Tensor:
    """Logits (N, classes) of some pixels, by gathering their neighbourhoods; for training.

    The gathering is an embedding, whose backward pass is a fast scatter-add; that of indexing or
    unfolding takes twice as long.

    Args:
        network: one that `runs_dense`.
        features: of the whole padded scene, see `scene_features`.
        pixels: N flat indices, on the device of the features.
    """
    width = features.shape[2]
    samples = width - (network.window - network.margin) + 1
    corners = pixels // samples * width + pixels % samples
    return neighbourhood_logits(network, features.flatten(1).t(), width, corners)


def neighbourhood_logits(
    network: WindowNetwork, table: Tensor, width: int, corners: Tensor
) -> Tensor:
    """Logits (N, classes) of neighbourhoods of features.

    Args:
        network: one that `runs_dense`.
        table: features, places × depth, of lines one after the other.
        width: places in a line.
        corners: the place of each neighbourhood's first line and sample.
    """
    first, rest = network.split_head()
    side = network.window - network.margin
    if first is not None and suits_lines(table, corners):
        outputs: Tensor = rest(gathered_linear(first, table, corners, width, side))
        return outputs
    reach = torch.arange(side, device=table.device)
    places = corners[:, None] + (reach[:, None] * width + reach).flatten()
    rows = functional.embedding(places, table.contiguous())
    # The rows are ordered by place, then depth; the head's own order is the opposite.
    if first is None:
        squares: Tensor = rest(rows.transpose(1, 2).reshape(len(rows), -1, side, side))
        return squares
    weight = first.weight.reshape(len(first.weight), -1, side * side).transpose(1, 2).flatten(1)
    logits: Tensor = rest(functional.linear(rows.flatten(1), weight, first.bias))
    return logits


def strip_logits(
    network: WindowNetwork, padded: Tensor, wanted: Tensor, strip_lines: int | None = None
) -> Iterator[tuple[int, Tensor]]:
    """Logits of a scene, one strip of lines after the other; for maps.

    Features that a strip has in common with the one before it are computed once. Strips that
    memory does not hold are halved, where pixels do not see each other (no dropout).

    Args:
        network: one that `runs_dense`.
        padded: the zero-padded scene.
        wanted: lines × samples, True for the pixels whose logits are needed; strips without any
            are left out.
        strip_lines: lines of a strip; None takes about 10,000 pixels, at least 16 lines, and
            fewer of more than 1,000 classes.

    Yields:
        The first line of a strip and its logits, lines × samples × classes; those of unwanted
        pixels mean nothing.
    """
    lines, samples = wanted.shape
    height = strip_lines or strip_height(network, samples)
    head = _head_of_strips(network, int(wanted.sum()), wanted.numel())
    held = _Held(network, padded)
    start = 0
    while start < lines:
        stop = min(start + height, lines)
        if not wanted[start:stop].any():
            start = stop
            continue
        logits = _tried_strip(held, head, wanted, start, stop)
        if logits is None:
            # What is held cannot be cut to the smaller strip, and is in the way.
            held = _Held(network, padded)
            release()
            height = -(-(stop - start) // 2)
            continue
        yield start, logits
        start = stop


class _Held:
    """Features of a padded scene from some line on, kept while strips go down it.

    Args:
        network: see `strip_logits`.
        padded: the scene.
    """

    def __init__(self, network: WindowNetwork, padded: Tensor) -> None:
        self.network, self._padded = network, padded
        self._features = padded.new_empty(0)
        self._begin = self._end = 0

    def strip(self, start: int, stop: int) -> Tensor:
        """Those that the pixels of lines `start` to `stop` see."""
        reach = stop + self.network.window - 1
        fresh = self._padded[:, max(start, self._end) : reach].contiguous()
        fresh = scene_features(self.network, fresh)
        if self._end > start:
            fresh = torch.cat([self._features[:, start - self._begin :], fresh], 1)
        self._features = fresh
        self._begin, self._end = start, start + fresh.shape[1]
        return fresh


def _tried_strip(
    held: _Held, head: Callable[[Tensor, Tensor], Tensor], wanted: Tensor, start: int, stop: int
) -> Tensor | None:
    """Logits of a strip; None where memory does not hold them and half of it may."""
    try:
        return head(held.strip(start, stop), wanted[start:stop])
    except FAILURES as error:
        network: object = held.network
        assert isinstance(network, torch.nn.Module)
        if stop - start < 2 or not rows_apart(network) or not exhausted(error):
            raise
        return None


def strip_height(network: WindowNetwork, samples: int) -> int:
    """Lines of a strip of so many samples, unless said otherwise."""
    height = _STRIP_LINES * max(1, _STRIP_PIXELS // samples // _STRIP_LINES)
    assert isinstance(network, torch.nn.Module)
    # The last layer holds a weight or bias for each class; a pixel has a logit for each.
    *_, last = network.parameters()
    return min(height, max(1, _STRIP_LOGITS // (len(last) * samples)))


def head_effort(network: WindowNetwork, count: int, places: int | None) -> float:
    """What the head's layer over all features of a window costs, as multiply-adds of convolutions.

    What comes after it costs the same however it is done, and so does a head without one.

    Args:
        network: whose head.
        count: of wanted pixels.
        places: of the part of the scene they are in; None where they are seen by their windows.
    """
    first, _ = network.split_head()
    if first is None:
        return 0.0
    rows = _ROWS_EFFORT * count * first.weight.numel()
    if places is None:
        return rows
    return min(rows, sliding_effort(first, network.window - network.margin, places))


def _head_of_strips(
    network: WindowNetwork, count: int, places: int
) -> Callable[[Tensor, Tensor], Tensor]:
    """The head over a strip: from features and wanted pixels to lines × samples × classes.

    Args:
        network: one that `runs_dense`.
        count: of wanted pixels.
        places: about how many there will be in all.
    """
    first, rest = network.split_head()
    if first is None or head_effort(network, count, None) <= head_effort(network, count, places):
        return partial(_square_logits, network)
    linear = SlidingLinear(first, network.window - network.margin, places)

    def row_logits(features: Tensor, wanted: Tensor) -> Tensor:
        logits: Tensor = rest(linear(features).flatten(0, 1))
        return logits.reshape(*wanted.shape, -1)

    return row_logits


def _square_logits(network: WindowNetwork, features: Tensor, wanted: Tensor) -> Tensor:
    """Logits of the wanted pixels of a strip, NaN at the others."""
    pixels = wanted.flatten().nonzero().squeeze(1).to(features.device)
    chunks = torch.split(pixels, _SQUARES)
    rows = torch.cat([pixel_logits(network, features, chunk) for chunk in chunks])
    logits = rows.new_full((wanted.numel(), rows.shape[1]), torch.nan)
    return logits.index_copy(0, pixels, rows).reshape(*wanted.shape, -1)
