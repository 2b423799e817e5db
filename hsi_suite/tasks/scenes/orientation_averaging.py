"""Class probabilities of a scene's pixels, averaged over the orientations of their windows.

The scene is turned, not each window: a turned scene's windows are the turned windows of the scene.
So networks that see a whole scene at once still do.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ...data.orientations import turn
from ...data.patches import WindowSampler
from ...engine.observer import Observer
from .task import scene_logits

# Pixels whose lines are turned at a time, so that copies of large scenes stay small.
_TURNED_PIXELS = 2**17
_TURNED_VALUES = 2**26  # of pixels × classes


def lines_at_a_time(samples: int, window: int, classes: int) -> int:
    """How many lines of a scene are turned at a time: fewer of very many classes."""
    pixels = min(_TURNED_PIXELS, _TURNED_VALUES // classes)
    return max(window, pixels // samples)


def scene_probabilities(
    model: nn.Module,
    sampler: WindowSampler,
    wanted: Tensor,
    batch_size: int,
    orientations: int,
    observer: Observer,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Class probabilities of the wanted pixels of a scene, part after part, in the model's mode.

    Args:
        model: sees the scene in strips where that is exact, else windows.
        sampler: of the scene.
        wanted: lines × samples, True for N pixels.
        batch_size: windows per forward pass.
        orientations: 1 takes windows as they are; 8 averages over all ways to turn them.
        observer: counts each pixel once.

    Yields:
        N flat indices in all, in ascending order, and their probabilities, N × classes.

    Raises:
        NotFiniteError: the model gives no numbers.
    """
    if orientations == 1:
        for pixels, logits in scene_logits(model, sampler, wanted, batch_size, observer):
            yield pixels, logits.softmax(1)
        return
    lines, samples = wanted.shape
    *_, last = model.parameters()  # of the layer that has an output for each class
    height = lines_at_a_time(samples, sampler.window, len(last))
    for first in range(0, lines, height):
        part = slice(first, min(first + height, lines))
        chosen = wanted[part]
        if chosen.any():
            rows = _mean_probabilities(model, sampler, part, chosen, batch_size, orientations)
            yield first * samples + chosen.flatten().nonzero().squeeze(1), rows
            observer.advance(len(rows))


def _mean_probabilities(
    model: nn.Module,
    sampler: WindowSampler,
    lines: slice,
    wanted: Tensor,
    batch_size: int,
    orientations: int,
) -> Tensor:
    """Mean over the first orientations, for the wanted pixels of some lines, in their order."""
    ranks = wanted.flatten().cumsum(0).reshape(wanted.shape) - 1
    total = torch.zeros(())
    for orientation in range(orientations):
        turned, silent = sampler.turned(orientation, lines), Observer()
        chosen = turn(wanted, orientation).contiguous()
        parts = scene_logits(model, turned, chosen, batch_size, silent)
        rows = torch.cat([logits.softmax(1) for _, logits in parts])
        # Where each wanted pixel stands among those of the turned lines.
        places = torch.empty(len(rows), dtype=torch.int64)
        places[turn(ranks, orientation)[chosen]] = torch.arange(len(rows))
        total = total.to(rows.device) + rows[places.to(rows.device)]
    return total / orientations
