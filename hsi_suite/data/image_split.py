"""Labelled images into training, validation and test parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import SplitError
from .labelled_images import LabelledImages
from .splits import Split, random_split


def divide_images(
    images: LabelledImages, *, test: float, validation: float, generator: np.random.Generator
) -> Split:
    """The parts of labelled images: those given with them, else drawn class by class.

    Args:
        images: N of them; classes become label values 1 … K of an N × 1 map.
        test: share of each class set apart for final scores, where no test part is given.
        validation: share of the training side set apart for selection, where no validation part
            is given; may be 0.
        generator: source of chance.

    Returns:
        A split of kind "given" (its test part is) or "random", in indices of images.

    Raises:
        SplitError: a class has too few images to be divided.
    """
    labels = (images.classes + 1)[:, None]
    if "test" not in images.given:
        side = images.given.get("train")
        kept = labels if side is None else _only(labels, side)
        _require(images, kept, 2, "one to learn from and one to test")
        return random_split(kept, train=1 - test, validation=validation, generator=generator)
    train, given = images.given["train"], images.given.get("validation")
    side_labels = _only(labels, train)
    _require(images, side_labels, 1, "one to learn from")
    drawn = given if given is not None else np.empty(0, np.int64)
    if given is None and validation:
        _require(images, side_labels, 2, "one to learn from and one to validate")
        halves = random_split(side_labels, train=1 - validation, generator=generator)
        train, drawn = halves.train, halves.test
    return Split(
        "given",
        (len(images), 1),
        tuple(range(1, len(images.class_names) + 1)),
        train=np.sort(train),
        validation=np.sort(drawn),
        test=np.sort(images.given["test"]),
        guard=0,
        dropped={},
        train_only={},
        lost={},
        layout="",
    )


def _only(labels: NDArray[np.int64], indices: NDArray[np.int64]) -> NDArray[np.int64]:
    kept = np.zeros_like(labels)
    kept[indices] = labels[indices]
    return kept


def _require(images: LabelledImages, labels: NDArray[np.int64], least: int, purpose: str) -> None:
    counts = np.bincount(labels.ravel(), minlength=len(images.class_names) + 1)[1:]
    for name, count in zip(images.class_names, counts, strict=True):
        if count < least:
            few = f"{count} image" if count == 1 else f"{count} images"
            raise SplitError(
                images.name, f"the class {name} has {few}", f"{least} or more, {purpose}"
            )
