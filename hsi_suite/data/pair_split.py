"""Which pixels of a scene become pairs to learn from, to select by and to report on."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import SplitError
from .disjoint_split import Layout, disjoint_split
from .splits import RareClasses, Split, random_split


def split_pairs(
    labels: NDArray[np.integer],
    *,
    kind: Literal["disjoint", "random"],
    train: float,
    validation: float,
    guard: int,
    layout: Layout,
    rare_classes: RareClasses,
    pairs: int | None,
    generator: np.random.Generator,
) -> Split:
    """Divide labelled pixels for pairs; what is learnt from, selected by and tested keep apart.

    A disjoint split keeps the guard between all three parts: selection by neighbours of training
    pixels would favour what memorises them. Classes that cannot be divided once more for the
    validation are only learnt.

    Args:
        labels: lines × samples, 0 = unlabelled.
        kind: disjoint, or random, which lets windows of the parts overlap.
        train: share of the training side, validation included.
        validation: share of it set apart for selection; 0 for none.
        guard: pixels between the parts of a disjoint split.
        layout: as of `disjoint_split`.
        rare_classes: as of `disjoint_split`, between the training side and the test.
        pairs: training pairs to keep, drawn at random with every class's share; None for all.
        generator: source of chance.

    Raises:
        SplitError: the labels cannot be divided so, or there are fewer training pairs.
    """
    if kind == "random":
        split = random_split(
            labels,
            train=train,
            validation=validation,
            rare_classes=rare_classes,
            generator=generator,
        )
    else:
        split = disjoint_split(
            labels,
            train=train,
            guard=guard,
            rare_classes=rare_classes,
            layout=layout,
            generator=generator,
        )
        if validation:
            split = _with_validation(split, labels, validation, guard, layout, generator)
    if pairs is None:
        return split
    return replace(split, train=_drawn(split.train, labels.ravel()[split.train], pairs, generator))


def _with_validation(
    split: Split,
    labels: NDArray[np.integer],
    validation: float,
    guard: int,
    layout: Layout,
    generator: np.random.Generator,
) -> Split:
    """The split with its training side divided once more, the guard kept there too."""
    inner = np.zeros_like(labels)
    inner.ravel()[split.train] = labels.ravel()[split.train]
    parts = disjoint_split(
        inner,
        train=1 - validation,
        guard=guard,
        rare_classes="train",
        layout=layout,
        generator=generator,
    )
    used = np.concatenate([parts.train, parts.test, split.test])
    left = np.isin(labels, split.classes)
    left.ravel()[used] = False
    counts = {label: int((left & (labels == label)).sum()) for label in split.classes}
    lost = {label: count for label, count in counts.items() if count}
    return replace(split, train=parts.train, validation=parts.test, lost=lost)


def _drawn(
    pixels: NDArray[np.int64],
    classes: NDArray[np.integer],
    number: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """So many of the pixels, of each class its share and at least one."""
    if number > len(pixels):
        raise SplitError(
            "split.pairs",
            f"{number}, and {len(pixels)} training pairs are left",
            f"at most {len(pixels)}",
            "lower split.pairs or split.guard",
        )
    values, counts = np.unique(classes, return_counts=True)
    if number < len(values):
        raise SplitError("split.pairs", f"{number}", f"at least {len(values)}, one for each class")
    wanted = counts * number / len(pixels)
    taken = np.maximum(1, np.floor(wanted).astype(int))
    for place in np.argsort(taken - wanted, kind="stable"):
        taken[place] += int(taken.sum() < number and taken[place] < counts[place])
    while taken.sum() > number:
        taken[taken.argmax()] -= 1
    chosen = [
        generator.permutation(pixels[classes == value])[:count]
        for value, count in zip(values, taken, strict=True)
    ]
    return np.sort(np.concatenate(chosen))
