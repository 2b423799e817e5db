"""Items in two modalities that belong together, with their classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, ShapeError
from .modalities import Items

Targets = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Items of one modality with their classes.

    Attributes:
        items: N × the shape of an item.
        targets: N × classes, one-hot or multi-hot.

    Raises:
        ShapeError: there are not as many of the one as of the other.
    """

    items: Items
    targets: Targets

    def __post_init__(self) -> None:
        if len(self.items) != len(self.targets):
            raise ShapeError(
                "labels", f"{len(self.targets)} of them", f"{len(self.items)}, one for each item"
            )

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Items that belong together row by row.

    Attributes:
        first: items of the first modality.
        second: those of the second.
        targets: N × classes, one-hot or multi-hot.

    Raises:
        ShapeError: the counts differ.
    """

    first: Items
    second: Items
    targets: Targets

    def __post_init__(self) -> None:
        if len(self.first) != len(self.second):
            raise ShapeError(
                "pairs",
                f"{len(self.first)} items of the first modality and {len(self.second)} of the "
                "second",
                "as many of each, row by row",
                "give items without a partner as extra items of the gallery",
            )
        if len(self.first) != len(self.targets):
            raise ShapeError(
                "labels", f"{len(self.targets)} of them", f"{len(self.first)}, one for each pair"
            )

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: NDArray[np.integer]) -> Pairs:
        """The pairs of some rows."""
        return Pairs(self.first[rows], self.second[rows], self.targets[rows])

    @property
    def sides(self) -> tuple[Labelled, Labelled]:
        """The items of each modality with their classes."""
        return Labelled(self.first, self.targets), Labelled(self.second, self.targets)


@dataclass(frozen=True, eq=False)
class PairParts:
    """Pairs to learn from, to select by and to report on.

    Attributes:
        train: to learn from.
        validation: to select by; may be empty.
        test: to report on.
        extra: items without a partner, of the first and of the second modality, that stand in the
            gallery of the test beside those of the pairs; None where there are none.
        class_names: in the order of the targets' columns.
        checksums: SHA-256 of what was read, by file name.
    """

    train: Pairs
    validation: Pairs
    test: Pairs
    class_names: tuple[str, ...]
    extra: tuple[Labelled | None, Labelled | None] = (None, None)
    checksums: Mapping[str, str] = field(default_factory=dict)

    @property
    def multi_label(self) -> bool:
        """Whether a pair can be of several classes at once, or of none."""
        parts = (self.train, self.validation, self.test)
        sums = np.concatenate([part.targets.sum(1) for part in parts])
        return bool((sums != 1).any())

    @property
    def galleries(self) -> tuple[Labelled, Labelled]:
        """What the test searches: items of the first and of the second modality."""
        first, second = (
            own if more is None else _joined(own, more)
            for own, more in zip(self.test.sides, self.extra, strict=True)
        )
        return first, second


def pair_names(pair: str) -> tuple[str, str]:
    """The two names of a pair such as `spectrum:rgb`.

    Raises:
        ConfigError: it is not of this form, or names one modality twice.
    """
    first, colon, second = pair.partition(":")
    if not (first and colon and second) or ":" in second:
        raise ConfigError("data.pair", repr(pair), "two modalities such as spectrum:rgb")
    if first == second:
        raise ConfigError("data.pair", f"{first} twice", "two modalities that differ")
    return first, second


def one_hot(classes: NDArray[np.integer], number: int) -> Targets:
    """N class indices as N × number."""
    targets = np.zeros((len(classes), number), np.uint8)
    targets[np.arange(len(classes)), classes] = 1
    return targets


def _joined(own: Labelled, more: Labelled) -> Labelled:
    if own.items.shape[1:] != more.items.shape[1:]:
        raise ShapeError(
            "extra items", f"shape {more.items.shape[1:]}", f"{own.items.shape[1:]} like the others"
        )
    return Labelled(
        np.concatenate([own.items, more.items]), np.concatenate([own.targets, more.targets])
    )
