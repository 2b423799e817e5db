"""Scores over all classes and of each, from a confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError
from .confusion import Confusion
from .measure import Measure
from .measures import of_classifiers
from .overall import average_accuracy, cohen_kappa, overall_accuracy


def confusion_matrix(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], num_classes: int
) -> NDArray[np.int64]:
    """Count the pixels of each true class (rows) by predicted class (columns).

    Memory grows with the square of the classes; `Confusion.of` holds what is not 0 alone.

    Args:
        truth: true classes as indices 0 … num_classes - 1, of any shape.
        predicted: predicted classes, of the same shape.
        num_classes: number of classes K.

    Returns:
        K × K counts.

    Raises:
        ShapeError: the two differ in shape, or an index is outside 0 … K - 1.
    """
    return Confusion.of(truth, predicted, num_classes).matrix()


@dataclass(frozen=True, eq=False)
class ClassificationScores:
    """Scores of one set of predictions; shares lie in 0 … 1.

    Attributes:
        precision: per class, the correct share of its predictions; NaN where it is not predicted.
        recall: per class, the share of its pixels that is found; NaN where it has none.
        f1: per class, harmonic mean of the two, 2·hits / (pixels + predictions); NaN where the
            class neither has pixels nor is predicted.
        support: per class, its number of pixels.
        confusion: counts by true and predicted class.
        absent: indices of the classes without a pixel; average_accuracy leaves them out.
        never_predicted: indices of the classes that have pixels but are never predicted.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]
    confusion: Confusion
    absent: tuple[int, ...]
    never_predicted: tuple[int, ...]

    @property
    def overall_accuracy(self) -> float:
        """See `metrics.overall`."""
        return overall_accuracy(self.confusion)

    @property
    def average_accuracy(self) -> float:
        """See `metrics.overall`; the absent classes are left out."""
        return average_accuracy(self.confusion)

    @property
    def cohen_kappa(self) -> float | None:
        """See `metrics.overall`."""
        return cohen_kappa(self.confusion)

    def to_dict(self, class_names: Sequence[str]) -> dict[str, Any]:
        """The scores as plain values for JSON, undefined ones as None.

        Args:
            class_names: a name for each of the K classes.

        Raises:
            ShapeError: the number of names is not K.
        """
        if len(class_names) != len(self.support):
            raise ShapeError(
                "class names", f"{len(class_names)} names", f"one for each of {len(self.support)}"
            )
        return {
            **{each.name: _figure(each, self.confusion) for each in of_classifiers()},
            "num_pixels": int(self.support.sum()),
            "per_class": [
                {
                    "name": str(name),
                    "support": int(self.support[index]),
                    "precision": _or_none(self.precision[index]),
                    "recall": _or_none(self.recall[index]),
                    "f1": _or_none(self.f1[index]),
                }
                for index, name in enumerate(class_names)
            ],
            "confusion_matrix": self.confusion.plain(),
            "absent": [str(class_names[index]) for index in self.absent],
            "never_predicted": [str(class_names[index]) for index in self.never_predicted],
        }


def scores(matrix: NDArray[np.integer] | Confusion) -> ClassificationScores:
    """All scores of a confusion matrix.

    Args:
        matrix: K × K counts, rows truth, columns predictions, or the cells that hold any.

    Raises:
        ShapeError: the matrix is not square, has a negative count or counts no pixel.
    """
    counts = matrix if isinstance(matrix, Confusion) else Confusion.from_matrix(matrix)
    if not counts.counts.size:
        raise ShapeError("confusion matrix", "no pixel to score", "at least one labelled pixel")
    support, answered, hits = counts.support, counts.answered, counts.hits
    return ClassificationScores(
        precision=_ratio(hits, answered),
        recall=_ratio(hits, support),
        f1=_ratio(2 * hits, support + answered),
        support=support,
        confusion=counts,
        absent=_indices(support == 0),
        never_predicted=_indices((support > 0) & (answered == 0)),
    )


def _figure(each: Measure, counts: Confusion) -> float | None:
    assert each.of_counts is not None
    value = each.of_counts(counts)
    return None if value is None else _or_none(value)


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    ratio = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio


def _indices(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(index) for index in np.flatnonzero(mask))


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
