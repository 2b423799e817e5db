"""The eight ways to lay a square on itself: four quarter turns, each plain and mirrored."""

from __future__ import annotations

import torch
from torch import Tensor

#: An orientation is a number below this. Its bits say what is done, in this order: 4, lines and
#: samples change places; 2, the lines are reversed; 1, the samples are.
ORIENTATIONS = 8


def turn(planes: Tensor, orientation: int) -> Tensor:
    """Planes (…, lines, samples), turned; of orientations with bit 4 (…, samples, lines)."""
    if orientation & 4:
        planes = planes.transpose(-2, -1)
    reversed_axes = [axis for bit, axis in ((2, -2), (1, -1)) if orientation & bit]
    return planes.flip(reversed_axes)


def orientations_of(flips: bool, rotations: bool) -> tuple[int, ...]:
    """The orientations that flips of lines and samples, or quarter turns, or both give."""
    if flips and rotations:
        return tuple(range(ORIENTATIONS))
    if rotations:
        return (0, 3, 5, 6)
    return (0, 1, 2, 3) if flips else (0,)


def turned_places(side: int) -> Tensor:
    """Where in a square each place of the turned square comes from, orientations × side².

    Flat indices: `turn(square, k).flatten()` is `square.flatten()[turned_places(side)[k]]`.
    """
    places = torch.arange(side * side).reshape(side, side)
    return torch.stack([turn(places, k).flatten() for k in range(ORIENTATIONS)])
