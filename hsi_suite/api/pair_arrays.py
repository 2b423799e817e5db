"""Pairs of arrays in memory, as files would hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..data.modalities import Items
from ..data.pair_files import PairFiles
from ..data.pairs import Pairs
from ..errors import ShapeError
from .arrays import as_classes, as_items

#: What stands where a configuration names the file of pairs.
IN_MEMORY = "arrays in memory"


@dataclass(frozen=True, eq=False)
class GivenPairs:
    """Pairs as files would hold them, and the values of their classes; empty for 0 and 1."""

    files: PairFiles
    values: tuple[int, ...]


def pairs_given(
    first: ArrayLike, second: ArrayLike, labels: ArrayLike, names: Sequence[str]
) -> GivenPairs:
    """Pairs of arrays as a training takes them.

    Args:
        first: items of the first modality, pairs × values or pairs × lines × samples × channels.
        second: of the second.
        labels: of the pairs, whole numbers; or 0 and 1 of pairs × classes.
        names: of the modalities, for errors.

    Raises:
        ShapeError: arrays of other shapes, that do not fit each other, or of a single class.
    """
    items = [
        channels_first(as_items(each, f"items of {name!r}"))
        for each, name in zip((first, second), names, strict=True)
    ]
    classes = as_classes(labels)
    if classes.ndim == 1:
        values = np.unique(classes)
        targets = (classes[:, None] == values).astype(np.uint8)
    else:
        values, targets = np.zeros(0, int), classes.astype(np.uint8)
    class_names = [str(v) for v in values] or [f"class {k + 1}" for k in range(targets.shape[1])]
    if len(class_names) < 2:
        raise ShapeError("labels", "a single class", "at least two")
    pairs = Pairs(items[0], items[1], targets)
    # Nothing is held back for a test: what is given is learnt from.
    files = PairFiles(IN_MEMORY, pairs, pairs.take(np.zeros(0, int)), (None, None),
                      tuple(class_names), {})  # fmt: skip
    return GivenPairs(files, tuple(map(int, values)))


def channels_first(items: Items) -> Items:
    """Patches as the networks have them; features as they are."""
    return items if items.ndim == 2 else np.ascontiguousarray(np.moveaxis(items, 3, 1))


def items_text(shape: tuple[int, ...]) -> str:
    """The shape of one item, channels first, in words."""
    if len(shape) == 1:
        return f"{shape[0]} values each"
    return f"patches of {shape[1]} × {shape[2]} × {shape[0]}"
