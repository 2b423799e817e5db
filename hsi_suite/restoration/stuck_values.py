"""Values at which single elements of a cube are stuck: salt, pepper, codes of lost transmission."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cube_lines import CubeLines, spread_lines
from .damage import Damage

Mask = NDArray[np.bool_]

# Lines that are looked at: at most, at least, and the values on them between these.
_MOST_LINES, _FEWEST_LINES, _SAMPLED_VALUES = 256, 16, 2**23
# Of the pixels of a band, and at least so many: rarer repetitions are left to other tests.
_LEAST_SHARE, _LEAST_COUNT = 0.005, 12
# Times as often as the most frequent of so many values around: calibration of whole numbers leaves
# gaps, so that some values come often and those next to them never.
_STANDS_OUT, _AROUND = 5.0, 100
# Another stuck value may be among these.
_OTHERS = 1
# Of fewer values none stands out.
_FEWEST_VALUES = 32
# Of what chance leaves: more neighbours with the same value make a dark or saturated area.
_MOST_CLUMPED = 0.3


@dataclass(frozen=True)
class StuckValues:
    """The values that mean nothing, band by band.

    Attributes:
        values: of each band of the cube those at which elements are stuck, ascending.
    """

    values: tuple[NDArray[Any], ...]

    def mask(self, block: NDArray[Any]) -> Mask:
        """Where a block of lines × samples × bands holds one of them."""
        stuck = np.zeros(block.shape, bool)
        for band, values in enumerate(self.values):
            for value in values:
                stuck[..., band] |= block[..., band] == value
        return stuck

    def __bool__(self) -> bool:
        """Whether there are any."""
        return any(len(values) for values in self.values)


def find_stuck(cube: CubeLines, damage: Damage) -> StuckValues:
    """The values that repeat far more often in a band than those next to them, all over it.

    Noise makes neighbouring values alike in how often they come. One that stands out is what a
    dead or saturated element reads, or what a fault of transmission leaves. Where it covers areas,
    as deep shadow and saturation do, it says something, and is no such value: pixels beside each
    other share it more often than its frequency alone would have it. Values of dead lines and
    columns (`Damage`) do not count.

    Args:
        cube: what is looked at, some lines of it.
        damage: of the cube.
    """
    lines, samples, bands = cube.shape
    wanted = _SAMPLED_VALUES // (samples * bands)
    chosen = spread_lines(lines, min(max(wanted, _FEWEST_LINES), _MOST_LINES))
    found: list[list[Any]] = [[] for _ in range(bands)]
    block = np.concatenate([cube.read(line, line + 1) for line in chosen])
    usable = np.concatenate(
        [
            ~damage.missing(block[at : at + 1], line) & damage.valid[line : line + 1, :, None]
            for at, line in enumerate(chosen)
        ]
    )
    for band in damage.live_bands:
        plane, good = block[..., band], usable[..., band]
        for value in _standing_out(plane[good]):
            if _is_scattered(plane == value, good):
                found[band].append(value)
    return StuckValues(tuple(np.array(values, block.dtype) for values in found))


def _standing_out(values: NDArray[Any]) -> list[Any]:
    """The values that come far more often than all those around them."""
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < _FEWEST_VALUES:
        return []
    least = max(float(_LEAST_COUNT), _LEAST_SHARE * values.size)
    chosen = []
    for place in np.flatnonzero(counts >= least):
        start = int(np.clip(place - _AROUND // 2, 0, max(0, len(counts) - _AROUND - 1)))
        around = np.sort(counts[start : start + _AROUND + 1])
        # The value itself is the last, or the next but one.
        if counts[place] > _STANDS_OUT * around[-2 - _OTHERS]:
            chosen.append(distinct[place])
    return chosen


def _is_scattered(held: Mask, good: Mask) -> bool:
    """Whether pixels side by side share a value hardly more often than chance has it."""
    held = held & good
    share = held.sum() / good.sum()
    pairs = held[:, :-1] & good[:, 1:]
    if not pairs.any():
        return True
    together = (pairs & held[:, 1:]).sum() / pairs.sum()
    return bool(together - share <= _MOST_CLUMPED * (1 - share))
