"""Scores of class probabilities: how likely the truth was, and whether they mean what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ShapeError

Floats = NDArray[np.float64]

#: The scores of probabilities by the names of their measures, in the order of tables.
PROBABILITY_SCORES = ("negative_log_likelihood", "brier_score", "expected_calibration_error")
#: Bins of the expected calibration error, as many as Guo et al. take.
BINS = 15
#: Shares of the pixels of which the accuracy is told.
KEPT = (0.5, 0.8, 0.9, 1.0)
# What a probability counts as at least in a logarithm: scikit-learn's limit for float32.
_LEAST = 2.0**-23
_CURVE = tuple(step / 20 for step in range(1, 21))


@dataclass(frozen=True)
class JudgedProbabilities:
    """What is kept of each pixel's probabilities once its class is known: a few numbers.

    Attributes:
        confidence: the largest probability, N.
        right: whether it is that of the true class, N.
        surprise: −ln of the true class's probability, which counts as 2⁻²³ at least, N.
        distance: squared distance of the probabilities from the truth's (1 and zeros), N.
    """

    confidence: Floats
    right: NDArray[np.bool_]
    surprise: Floats
    distance: Floats

    @classmethod
    def of(
        cls, probabilities: NDArray[np.floating], truth: NDArray[np.integer]
    ) -> JudgedProbabilities:
        """Probabilities, N × classes, of pixels whose class indices are known, N."""
        rows = np.arange(len(truth))
        own = probabilities[rows, truth].astype(np.float64)
        squares = np.einsum("nk,nk->n", probabilities, probabilities, dtype=np.float64)
        return cls(
            probabilities.max(1).astype(np.float64),
            probabilities.argmax(1) == truth,
            -np.log(np.clip(own, _LEAST, 1)),
            np.maximum(squares - 2 * own + 1, 0),
        )

    @classmethod
    def joined(cls, parts: Sequence[JudgedProbabilities]) -> JudgedProbabilities:
        """All parts in a row."""
        names = ("confidence", "right", "surprise", "distance")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def scores(self) -> dict[str, float]:
        """The three scores by the names of their measures.

        Negative log-likelihood in nats; the Brier score of several classes, the sum of squared
        differences to the truth (Brier, Monthly Weather Review 78, 1950), 0 to 2; the expected
        calibration error of the largest probability over 15 bins of equal width (Guo, Pleiss, Sun,
        Weinberger, ICML 2017, equation 3): the mean difference between confidence and accuracy.
        """
        gaps = [
            row["pixels"] * abs(row["confidence"] - row["accuracy"])
            for row in self.reliability()
            if row["pixels"]
        ]
        values = (self.surprise.mean(), self.distance.mean(), sum(gaps) / len(self.right))
        return dict(zip(PROBABILITY_SCORES, map(float, values), strict=True))

    def reliability(self) -> list[dict[str, Any]]:
        """Pixels by their largest probability: mean of it, and accuracy, of each bin.

        Bins are open below and closed above; those without pixels have None.
        """
        place = np.clip(np.ceil(self.confidence * BINS).astype(int) - 1, 0, BINS - 1)
        pixels = np.bincount(place, minlength=BINS)
        confidence = np.bincount(place, self.confidence, minlength=BINS)
        right = np.bincount(place, self.right, minlength=BINS)
        return [
            {
                "from": number / BINS,
                "to": (number + 1) / BINS,
                "pixels": int(pixels[number]),
                "confidence": float(confidence[number] / n) if n else None,
                "accuracy": float(right[number] / n) if n else None,
            }
            for number in range(BINS)
            for n in [pixels[number]]
        ]

    def kept(self) -> dict[str, Any]:
        """What is gained where the least sure pixels get no class (the reject option).

        Pixels of one confidence are kept or left together, each counting with their mean.

        Returns:
            "accuracy": of the surest 50, 80, 90 and 100 %, as [share, accuracy, least
            probability]; "curve": the same for every 5 %; "area": that under the error of the
            kept as a function of their share, averaged over the shares 1/N … 1 (risk and coverage:
            Geifman and El-Yaniv, NeurIPS 2017).
        """
        order = np.argsort(-self.confidence, kind="stable")
        sure = self.confidence[order]
        starts = np.flatnonzero(np.r_[True, sure[1:] != sure[:-1]])
        sizes = np.diff(np.r_[starts, len(sure)])
        right = np.repeat(np.add.reduceat(self.right[order].astype(float), starts) / sizes, sizes)
        accuracy = right.cumsum() / np.arange(1, len(sure) + 1)

        def row(share: float) -> list[float]:
            last = max(1, int(np.ceil(round(share * len(sure), 6)))) - 1
            return [share, float(accuracy[last]), float(sure[last])]

        return {
            "accuracy": [row(share) for share in KEPT],
            "curve": [row(share) for share in _CURVE],
            "area": float((1 - accuracy).mean()),
        }


def probability_scores(labels: ArrayLike, probabilities: ArrayLike) -> dict[str, Any]:
    """How good probabilities of several classes are, and whether they mean what they say.

    Args:
        labels: the true class of each item as the index of its column, N.
        probabilities: N × classes, each row summing to 1.

    Returns:
        "negative_log_likelihood", "brier_score", "expected_calibration_error", "reliability" and
        "kept", see `JudgedProbabilities`.

    Raises:
        ShapeError: the two do not fit, or there is nothing to score.

    >>> found = probability_scores([0, 1], [[0.8, 0.2], [0.6, 0.4]])
    >>> round(found["brier_score"], 3), round(found["negative_log_likelihood"], 3)
    (0.4, 0.57)
    """
    truth, given = np.asarray(labels), np.asarray(probabilities, np.float64)
    if given.ndim != 2 or truth.shape != given.shape[:1] or not truth.size:
        raise ShapeError(
            "probabilities", f"shape {given.shape}", f"{truth.shape[:1]} labels × classes"
        )
    if not np.issubdtype(truth.dtype, np.integer) or truth.min() < 0:
        raise ShapeError("labels", f"values of type {truth.dtype}", "indices from 0 on")
    if truth.max() >= given.shape[1]:
        raise ShapeError("labels", f"the index {truth.max()}", f"below {given.shape[1]}")
    if not (given >= 0).all() or not np.allclose(given.sum(1), 1, atol=1e-3):
        raise ShapeError("probabilities", "rows that do not sum to 1", "probabilities")
    judged = JudgedProbabilities.of(given, truth)
    return {**judged.scores(), "reliability": judged.reliability(), "kept": judged.kept()}
