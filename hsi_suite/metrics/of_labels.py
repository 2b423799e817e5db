"""Scores of classification from true and predicted label values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ShapeError
from . import overall
from .classification import scores
from .confusion import Confusion


def overall_accuracy(truth: ArrayLike, predicted: ArrayLike) -> float:
    """The share of the items whose label is predicted, 0 to 1.

    Args:
        truth: label values of any shape; 0 is unlabelled and does not count.
        predicted: of the same shape.

    Raises:
        ShapeError: the shapes differ, or nothing is labelled.
    """
    return overall.overall_accuracy(_counts(truth, predicted)[0])


def average_accuracy(truth: ArrayLike, predicted: ArrayLike) -> float:
    """The mean recall of the classes that occur in the truth; see `overall_accuracy`."""
    return overall.average_accuracy(_counts(truth, predicted)[0])


def cohen_kappa(truth: ArrayLike, predicted: ArrayLike) -> float | None:
    """Agreement beyond chance (Cohen 1960), at most 1; see `overall_accuracy`.

    None where truth and predictions are all of one and the same class.
    """
    return overall.cohen_kappa(_counts(truth, predicted)[0])


def class_scores(truth: ArrayLike, predicted: ArrayLike) -> dict[str, Any]:
    """Every score, as metrics.json of a run holds them; see `overall_accuracy`."""
    counts, names = _counts(truth, predicted)
    return scores(counts).to_dict(names)


def _counts(truth: ArrayLike, predicted: ArrayLike) -> tuple[Confusion, list[str]]:
    true, found = _array("truth", truth), _array("predictions", predicted)
    if true.shape != found.shape:
        raise ShapeError("predictions", f"shape {found.shape}", f"the truth's, {true.shape}")
    for name, values in (("truth", true), ("predictions", found)):
        if values.dtype.kind not in "iu":
            raise ShapeError(name, f"values of type {values.dtype}", "whole numbers")
    labelled = true != 0
    if not labelled.any():
        raise ShapeError("truth", "nothing labelled", "values other than 0")
    true, found = true[labelled], found[labelled]
    classes = np.union1d(true, found)
    true, found = (np.searchsorted(classes, values) for values in (true, found))
    return Confusion.of(true, found, len(classes)), [str(label) for label in classes]


def _array(name: str, labels: ArrayLike) -> NDArray[Any]:
    try:
        return np.asarray(labels)
    except ValueError:
        raise ShapeError(name, "rows of different lengths", "label values") from None
