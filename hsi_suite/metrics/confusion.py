"""What is taken for what, held as the cells that are not empty.

A full matrix grows with the square of the classes: 20,000 of them would take 3 GB. The cells that
hold a count are no more than the pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError

Counts = NDArray[np.int64]

#: Classes up to which metrics.json holds the matrix in full; beyond, its cells.
MOST_IN_FULL = 256


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts by true and predicted class, rising by truth, then by prediction.

    Attributes:
        num_classes: number of classes K.
        truth: true class of each cell, an index.
        predicted: predicted class of each cell.
        counts: what it holds, never 0.
    """

    num_classes: int
    truth: Counts
    predicted: Counts
    counts: Counts

    @classmethod
    def of(
        cls, truth: NDArray[np.integer], predicted: NDArray[np.integer], num_classes: int
    ) -> Confusion:
        """Count pixels.

        Args:
            truth: true classes as indices 0 … num_classes - 1, of any shape.
            predicted: predicted classes, of the same shape.
            num_classes: number of classes K.

        Raises:
            ShapeError: the two differ in shape, or an index is outside 0 … K - 1.
        """
        truth, predicted = np.asarray(truth), np.asarray(predicted)
        if truth.shape != predicted.shape:
            raise ShapeError(
                "predictions", f"shape {predicted.shape}", f"the truth's, {truth.shape}"
            )
        for what, values in (("truth", truth), ("predictions", predicted)):
            if not np.issubdtype(values.dtype, np.integer):
                raise ShapeError(what, f"values of type {values.dtype}", "integer class indices")
            if values.size and not 0 <= int(values.min()) <= int(values.max()) < num_classes:
                raise ShapeError(
                    what,
                    f"class indices {values.min()} … {values.max()}",
                    f"0 … {num_classes - 1} for {num_classes} classes",
                )
        places = truth.ravel().astype(np.int64) * num_classes + predicted.ravel().astype(np.int64)
        cells, counts = np.unique(places, return_counts=True)
        return cls(num_classes, *np.divmod(cells, num_classes), counts.astype(np.int64))

    @classmethod
    def from_matrix(cls, matrix: NDArray[np.integer] | Sequence[Sequence[int]]) -> Confusion:
        """The same counts as a K × K matrix, rows truth, columns predictions.

        Raises:
            ShapeError: the matrix is not square or has a negative count.
        """
        counts: Counts = np.asarray(matrix, dtype=np.int64)
        if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
            raise ShapeError("confusion matrix", f"shape {counts.shape}", "K × K")
        if (counts < 0).any():
            raise ShapeError("confusion matrix", "a negative count", "counts of pixels")
        truth, predicted = np.nonzero(counts)
        return cls(len(counts), truth, predicted, counts[truth, predicted])

    @classmethod
    def from_plain(
        cls, value: NDArray[np.integer] | Mapping[str, Any] | Sequence[Sequence[int]]
    ) -> Confusion:
        """What `plain` gave, of few classes or of many.

        Raises:
            ShapeError: it holds no such counts.
        """
        if not isinstance(value, Mapping):
            return cls.from_matrix(value)
        size = int(value["num_classes"])
        truth, predicted, counts = (
            np.asarray(value[name], dtype=np.int64) for name in ("truth", "predicted", "counts")
        )
        indices = np.concatenate([truth, predicted])
        if not len(truth) == len(predicted) == len(counts) or (counts < 1).any():
            raise ShapeError("confusion matrix", "cells without counts", "one count for each cell")
        if indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < size:
            raise ShapeError("confusion matrix", "cells outside it", f"classes 0 … {size - 1}")
        return cls(size, truth, predicted, counts)

    def plain(self) -> dict[str, Any] | list[list[int]]:
        """For JSON: the full matrix, or of more than `MOST_IN_FULL` classes the cells alone."""
        if self.num_classes <= MOST_IN_FULL:
            rows: list[list[int]] = self.matrix().tolist()
            return rows
        return {
            "num_classes": self.num_classes,
            "truth": self.truth.tolist(),
            "predicted": self.predicted.tolist(),
            "counts": self.counts.tolist(),
        }

    def matrix(self) -> Counts:
        """K × K counts, rows truth, columns predictions; for few classes."""
        full = np.zeros((self.num_classes, self.num_classes), dtype=np.int64)
        full[self.truth, self.predicted] = self.counts
        return full

    @property
    def support(self) -> Counts:
        """Pixels of each class."""
        return self._sums(self.truth, self.counts)

    @property
    def answered(self) -> Counts:
        """How often each class is predicted."""
        return self._sums(self.predicted, self.counts)

    @property
    def hits(self) -> Counts:
        """Pixels of each class that are classified correctly."""
        right = self.truth == self.predicted
        return self._sums(self.truth[right], self.counts[right])

    def _sums(self, classes: Counts, counts: Counts) -> Counts:
        sums: Counts = np.zeros(self.num_classes, dtype=np.int64)
        np.add.at(sums, classes, counts)
        return sums

    def errors(self) -> Confusion:
        """The cells off the diagonal, the largest first; then by share of the true class."""
        wrong = np.flatnonzero(self.truth != self.predicted)
        shares = self.counts[wrong] / self.support[self.truth[wrong]]
        order = wrong[np.lexsort((-shares, -self.counts[wrong]))]
        return Confusion(
            self.num_classes, self.truth[order], self.predicted[order], self.counts[order]
        )
