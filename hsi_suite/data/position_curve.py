"""How far position alone tells the classes of a scene, by the distance kept: a guard's floor.

Each labelled pixel is given the class of the nearest labelled pixel that is more than a guard away:
leave-one-out with a buffer (Le Rest et al. 2014; Ploton et al. 2020, Nature Communications 11,
4540). It knows no layout, so it costs no search; the audit judges the split that is made then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metrics.position import NEAR_CHANCE, position_skill
from .leakage import Lines
from .partition_problem import ClassPlaces
from .splits import Indices, pixels_by_label

RULE = (
    "the smallest guard at which position alone comes less than 25 % of the way from naming always "
    "the commonest class to 100 %, or, where no guard that leaves two classes gets there, the one "
    "at which position alone scores least"
)
# Every guard up to the first number, then steps of about an eighth.
_EVERY = 16
# Pixels that are asked, and labelled pixels that they may find: of larger maps every n-th line and
# sample.
_ASKED, _KNOWN = 1000, 60_000
_GOLDEN = 0.618033988749895
_EVERYWHERE = 2**31
_NONE = np.iinfo(np.int64).max
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class GuardRow:
    """What a guard does.

    Attributes:
        guard: pixels.
        overall_accuracy: of position alone.
        commonest: share of the commonest class.
        pixels: labelled pixels with one of their class farther than the guard: these can be tested.
        classes: that can be divided.
    """

    guard: int
    overall_accuracy: float
    commonest: float
    pixels: int
    classes: int

    @property
    def skill(self) -> float:
        """See `metrics.position`."""
        return position_skill(self.overall_accuracy, self.commonest)


@dataclass(frozen=True)
class PositionCurve:
    """The scores of position alone by guard.

    Attributes:
        rows: for rising guards, while two classes at least can be divided.
        step: of the map's lines and samples every so many took part; then accuracies are of guards
            one pixel short of a multiple of it.
    """

    rows: tuple[GuardRow, ...]
    step: int

    @property
    def floor(self) -> int:
        """The guard to take at least; see `RULE`."""
        if not self.rows:
            return 0
        near = [row.guard for row in self.rows if row.skill < NEAR_CHANCE]
        return near[0] if near else min(self.rows, key=lambda row: row.skill).guard

    @property
    def reached(self) -> bool:
        """Whether position alone falls near chance."""
        return any(row.skill < NEAR_CHANCE for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "floor": self.floor,
            "near_chance": self.reached,
            "limit": NEAR_CHANCE,
            "rule": RULE,
            "step": self.step,
            "rows": [asdict(row) for row in self.rows],
        }


def position_curve(labels: NDArray[np.integer], scenes: Sequence[Lines] = ()) -> PositionCurve:
    """How position alone does at every guard, and what each guard leaves.

    Args:
        labels: lines × samples, 0 = unlabelled.
        scenes: first and last line, not included, of each of several scenes below each other:
            nothing is told across scenes.
    """
    found = pixels_by_label(labels)
    own = {label: _places(labels, label, pixels) for label, pixels in found.items()}
    step = int(np.ceil(np.sqrt(max(1.0, np.count_nonzero(labels) / _KNOWN))))
    known = _Known.of(labels, step, scenes)
    rows: list[GuardRow] = []
    for guards in _guards(max(labels.shape) // 2, step):
        kept = {
            guard: tuple(label for label, places in own.items() if places.can_be_divided(guard))
            for guard in guards
        }
        for left in dict.fromkeys(kept.values()):
            if len(left) < 2:
                return PositionCurve(tuple(rows), step)
            alike = [guard for guard in guards if kept[guard] == left]
            scores = known.only(left).accuracies(alike)
            classes = [own[label] for label in left]
            rows += [_row(*each, classes) for each in zip(alike, scores, strict=True)]
        if rows[-1].skill < NEAR_CHANCE and guards[-1] > 2 * PositionCurve(tuple(rows), step).floor:
            break
    return PositionCurve(tuple(rows), step)


def _places(labels: NDArray[np.integer], label: int, pixels: Indices) -> ClassPlaces:
    """Where a class lies, looked for in the lines that have it."""
    first, last = pixels[0] // labels.shape[1], pixels[-1] // labels.shape[1] + 1
    return ClassPlaces.of(labels[first:last] == label)


def _row(guard: int, accuracy: float, classes: Sequence[ClassPlaces]) -> GuardRow:
    sizes = [len(each.places) for each in classes]
    pixels = sum(int((len(each.places) > each.near(guard)).sum()) for each in classes)
    return GuardRow(guard, accuracy, max(sizes) / sum(sizes), pixels, len(sizes))


def _guards(widest: int, step: int) -> Iterator[list[int]]:
    """Rising guards, those of one order of magnitude together."""
    guards: list[int] = []
    guard = step - 1
    while guard <= widest:
        if guards and guard.bit_length() > guards[0].bit_length():
            yield guards
            guards = []
        guards.append(guard)
        wider = guard + 1 if guard < _EVERY else guard + guard // 8
        # Points of a grid of every n-th pixel are multiples of n apart.
        guard = max(guard + step, -(-(wider + 1) // step) * step - 1)
    if guards:
        yield guards


@dataclass(frozen=True, eq=False)
class _Known:
    """Labelled pixels of which position alone tells.

    Attributes:
        places: lines and samples, N × 2.
        label: of each.
        scene: which of several each lies in.
    """

    places: NDArray[np.int64]
    label: NDArray[np.int64]
    scene: NDArray[np.int64]

    @classmethod
    def of(cls, labels: NDArray[np.integer], step: int, scenes: Sequence[Lines]) -> _Known:
        """Those of every n-th line and sample."""
        places = np.argwhere(labels[::step, ::step] > 0) * step
        starts = np.array([first for first, _ in scenes], np.int64)
        scene = np.searchsorted(starts, places[:, 0], side="right")
        return cls(places, labels[places[:, 0], places[:, 1]].astype(np.int64), scene)

    def only(self, labels: Sequence[int]) -> _Known:
        """Those of some labels."""
        own = np.isin(self.label, labels)
        return _Known(self.places[own], self.label[own], self.scene[own])

    def accuracies(self, guards: Sequence[int]) -> list[float]:
        """Share of pixels whose nearest one beyond each of the guards, rising, has their class."""
        count = len(self.label)
        if not count:
            return [0.0] * len(guards)
        asked = np.arange(count)
        if count > _ASKED:
            # Spread evenly, whatever the width of the scene.
            asked = np.unique((asked[:_ASKED] * _GOLDEN % 1 * count).astype(np.int64))
        values, rank = np.unique(self.label, return_inverse=True)
        commonest = int(np.bincount(rank).argmax())
        passed = np.searchsorted(guards, np.arange(int(self.places.max()) + 1)).astype(np.int64)
        hits = np.zeros(len(guards), np.int64)
        for pixel in asked:
            nearest = self._nearest(int(pixel), guards, passed, rank, len(values))
            hits += np.where(nearest < 0, commonest, nearest % len(values)) == rank[pixel]
        return [float(each) / len(asked) for each in hits]

    def _nearest(
        self, pixel: int, guards: Sequence[int], passed: Ids, rank: Ids, number: int
    ) -> Ids:
        """For each guard squared distance · number of classes + class of the nearest pixel.

        Of equally near ones the first class; −1 where its scene has none beyond the guard.

        Args:
            pixel: that is asked.
            guards: rising.
            passed: how many of the guards are less than each distance.
            rank: the class of each pixel.
            number: of classes.
        """
        line = self.places[pixel, 0]
        first = int(np.searchsorted(self.scene, self.scene[pixel], "left"))
        last = int(np.searchsorted(self.scene, self.scene[pixel], "right"))
        # Lines near it first: what lies beyond them is farther than anything found within.
        for reach in (2 * guards[-1] + 8, _EVERYWHERE):
            ends = (line - reach, line + reach + 1)
            low, high = np.searchsorted(self.places[first:last, 0], ends)
            near = slice(first + low, first + high)
            lines, samples = np.abs(self.places[near] - self.places[pixel]).T
            key = (lines**2 + samples**2) * number + rank[near]
            best = np.full(len(guards) + 1, _NONE)
            np.minimum.at(best, passed[np.maximum(lines, samples)], key)
            beyond = np.minimum.accumulate(best[::-1])[::-1][1:]
            if reach == _EVERYWHERE or (beyond // number <= reach**2).all():
                break
        return np.where(beyond == _NONE, -1, beyond)
