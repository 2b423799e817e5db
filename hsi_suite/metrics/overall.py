"""Scores over all classes, each from a confusion matrix."""

from __future__ import annotations

import numpy as np

from .confusion import Confusion


def overall_accuracy(counts: Confusion) -> float:
    """The share of the items that are classified correctly."""
    return int(counts.hits.sum()) / int(counts.support.sum())


def average_accuracy(counts: Confusion) -> float:
    """The mean recall of the classes that have items."""
    known = counts.support > 0
    return float(np.mean(counts.hits[known] / counts.support[known]))


def cohen_kappa(counts: Confusion) -> float | None:
    """Agreement beyond chance, at most 1; None where truth and answers are all of one class.

    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
    Measurement 20 (1960), equation 1.
    """
    # Both sides of (p_o - p_e) / (1 - p_e) times n², in Python's exact integers: no rounding can
    # turn an undefined kappa into a number or a perfect one into 0.9999….
    total = int(counts.support.sum())
    pairs = zip(counts.support, counts.answered, strict=True)
    chance = sum(int(truth) * int(answers) for truth, answers in pairs)
    if chance == total * total:
        return None
    return (total * int(counts.hits.sum()) - chance) / (total * total - chance)
