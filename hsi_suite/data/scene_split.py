"""The split by scenes: whole ones train or test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from ..errors import SplitError
from .disjoint_split import validation_blocks
from .splits import (
    RareClasses,
    Split,
    apply_rare_policy,
    check_fraction,
    check_rare_classes,
    count_labels,
    require_two_classes,
)

_DRAWS = 500
_REMEDY = "name other scenes with --test-scene, or set split.rare_classes to drop or train"


@dataclass(frozen=True)
class SceneParts:
    """Where scenes lie in a label map that holds them below each other.

    Attributes:
        names: of the scenes.
        lines: first and last line, not included, of each.
    """

    names: Sequence[str]
    lines: Sequence[tuple[int, int]]

    def counts(self, labels: NDArray[np.integer], classes: Sequence[int]) -> NDArray[np.int64]:
        """Labelled pixels, scenes × classes."""
        size = max(classes) + 1
        rows = [np.bincount(labels[a:b].ravel(), minlength=size) for a, b in self.lines]
        return np.array(rows)[:, list(classes)]

    def pixels(self, scenes: Sequence[int], labels: NDArray[np.integer]) -> NDArray[np.int64]:
        """Flat indices, rising, of the labelled pixels of some scenes."""
        inside = np.zeros(labels.shape, bool)
        for scene in scenes:
            first, last = self.lines[scene]
            inside[first:last] = labels[first:last] > 0
        return np.flatnonzero(inside).astype(np.int64)

    def named(self, scenes: Sequence[int]) -> str:
        """Their names, for people."""
        return ", ".join(self.names[scene] for scene in scenes)


def scene_split(
    labels: NDArray[np.integer],
    parts: SceneParts,
    *,
    train: float = 0.5,
    test_scenes: Sequence[str] = (),
    validation_scenes: Sequence[str] = (),
    validation: float = 0.0,
    block: int = 1,
    rare_classes: RareClasses = "train",
    generator: np.random.Generator,
) -> Split:
    """Divide scenes, not pixels: all labelled pixels of a scene learn, select or test.

    Which scenes test is named, or drawn: of at most 500 draws the first that has most classes on
    both sides, then most in training. The validation part comes from scenes that do not test:
    those named; else whole scenes, where `validation` times the training scenes rounds to one or
    more, two are left and each class stays in them; else blocks of pixels, as in
    `disjoint_split`.

    A class that no training scene has cannot be learnt, and is left out of every part.

    Args:
        labels: lines × samples, 0 = unlabelled, of all scenes below each other.
        parts: where each lies.
        train: share of the scenes that train, or from 1 on their number, where none are named.
        test_scenes: names of those that test; () to draw them.
        validation_scenes: names of those that select; () for the rule above.
        validation: share of the training side set apart for selection, in [0, 1).
        block: side of the blocks in pixels.
        rare_classes: for classes that no test scene has: "train" learns them untested, "drop"
            leaves them out, "error" refuses.
        generator: source of chance.

    Raises:
        SplitError: fewer than two scenes, no training or test scene left, fewer than two classes,
            or a class that cannot be tested or learnt under "error".
    """
    found = count_labels(labels)
    check_fraction("split.validation", validation, allow_zero=True)
    check_rare_classes(rare_classes)
    if len(parts.names) < 2:
        raise SplitError("split", "a single scene", "several, to hold one out", "add --scene FILE")
    classes = tuple(found)
    counts = parts.counts(labels, classes)
    test = _numbers(parts, test_scenes) or _drawn(counts, train, generator)
    selecting = _numbers(parts, validation_scenes)
    learning = [n for n in range(len(parts.names)) if n not in test and n not in selecting]
    if not learning:
        raise SplitError(
            "split", "no scene is left for training", "one at least", "hold out fewer scenes"
        )
    if validation and not selecting:
        selecting = _whole_scenes(counts, learning, validation, generator)
        learning = [n for n in learning if n not in selecting]
    dropped, train_only = _rare(parts, counts, classes, learning, test, rare_classes)
    kept = tuple(label for label in classes if label not in dropped)
    require_two_classes(kept, dropped, "train on more scenes, or on others")
    used = np.where(np.isin(labels, kept), labels, 0)
    learnt = parts.pixels(learning, used)
    held = np.zeros(len(learnt), bool)
    if validation and not selecting:
        held = validation_blocks(labels, learnt, validation, max(1, block), generator)
    tested = parts.pixels(test, used)
    if not len(tested):
        raise SplitError(
            "split",
            f"no class that is learnt occurs in {parts.named(test)}",
            "one at least in the test scenes",
            "check the names or numbers of its classes",
        )
    roles = [("training", learning), ("validation", selecting), ("test", test)]
    return Split(
        kind="scenes",
        shape=(labels.shape[0], labels.shape[1]),
        classes=kept,
        train=learnt[~held],
        validation=np.sort(np.concatenate([learnt[held], parts.pixels(selecting, used)])),
        test=tested,
        guard=0,
        dropped=dropped,
        train_only=train_only,
        lost={},
        layout="; ".join(f"{role}: {parts.named(which)}" for role, which in roles if which),
    )


def _numbers(parts: SceneParts, names: Sequence[str]) -> list[int]:
    unknown = [name for name in names if name not in parts.names]
    if unknown:
        raise SplitError(
            "split", f"no scene is called {unknown[0]!r}", f"one of {', '.join(parts.names)}"
        )
    return sorted({list(parts.names).index(name) for name in names})


def _drawn(counts: NDArray[np.int64], train: float, generator: np.random.Generator) -> list[int]:
    """The scenes that test, drawn."""
    scenes = len(counts)
    if train >= 1:
        number = int(train)
    else:
        check_fraction("split.train", train)
        number = min(max(1, int(np.floor(train * scenes + 0.5))), scenes - 1)
    if number >= scenes:
        raise SplitError(
            "split.train",
            f"{number} training scenes of {scenes}",
            f"at most {scenes - 1}, so that one is left for the test",
        )
    best: tuple[int, ...] = ()
    most = (-1, -1)
    for chosen in _choices(scenes, number, generator):
        learnt = counts[list(chosen)].any(0)
        tested = np.delete(counts, list(chosen), axis=0).any(0)
        covered = int((learnt & tested).sum()), int(learnt.sum())
        if covered > most:
            best, most = chosen, covered
    return [scene for scene in range(scenes) if scene not in best]


def _choices(scenes: int, number: int, generator: np.random.Generator) -> list[tuple[int, ...]]:
    """Sets of so many scenes: all of them in random order, or some."""
    if comb(scenes, number) <= _DRAWS:
        every = list(combinations(range(scenes), number))
        return [every[place] for place in generator.permutation(len(every))]
    draws = (generator.permutation(scenes)[:number] for _ in range(_DRAWS))
    return [tuple(sorted(map(int, draw))) for draw in draws]


def _whole_scenes(
    counts: NDArray[np.int64], learning: Sequence[int], share: float, generator: np.random.Generator
) -> list[int]:
    """Training scenes that select instead; none where too few would be left."""
    number = int(np.floor(share * len(learning) + 0.5))
    if not number or len(learning) - number < 2:
        return []
    there = counts[list(learning)].any(0)
    for places in _choices(len(learning), number, generator):
        rest = [scene for place, scene in enumerate(learning) if place not in places]
        if (counts[rest].any(0) == there).all():
            return [learning[place] for place in places]
    return []


def _rare(
    parts: SceneParts,
    counts: NDArray[np.int64],
    classes: Sequence[int],
    learning: Sequence[int],
    test: Sequence[int],
    policy: RareClasses,
) -> tuple[dict[int, str], dict[int, str]]:
    """Classes that are left out, and those that are learnt without a test, and why."""
    learnt, tested = (counts[list(which)].sum(0) for which in (learning, test))
    unlearnt, untested = {}, {}
    for place, label in enumerate(classes):
        where = parts.named(np.flatnonzero(counts[:, place]).tolist())
        if not learnt[place]:
            unlearnt[label] = f"only in {where}, no training scene"
        elif not tested[place]:
            untested[label] = f"only in {where}, no test scene"
    apply_rare_policy(unlearnt, "error" if policy == "error" else "drop", _REMEDY)
    dropped, train_only = apply_rare_policy(untested, policy, _REMEDY)
    return dict(sorted({**unlearnt, **dropped}.items())), train_only
