"""Losses: of classifiers, and of deep supervised cross-modal retrieval (Zhen et al., CVPR 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from .errors import ShapeError


def classification_loss(
    logits: Tensor, classes: Tensor, weights: Tensor | None = None, smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy, the mean over the items, each times the weight of its class.

    The mean is over the number of items, not over their weights as in torch, so that the shares of
    several processes, and of batches, add up to the same.

    Args:
        logits: N × classes.
        classes: indices of the true classes, N.
        weights: of each class, see `class_weights`; None for 1.
        smoothing: share of the target that is spread evenly over all classes (Szegedy et al., CVPR
            2016, section 7), of each of them times its weight.
    """
    if weights is None:
        return functional.cross_entropy(logits, classes, label_smoothing=smoothing)
    total = functional.cross_entropy(
        logits, classes, weights.to(logits), reduction="sum", label_smoothing=smoothing
    )
    return total / len(classes)


def class_weights(
    counts: Sequence[int], kind: Literal["balanced", "effective"], beta: float
) -> list[float]:
    """What an item of each class counts for, so that rare classes count more; 1 on average.

    Args:
        counts: items of each class in training, N_c.
        kind: balanced: ∝ 1 / N_c, so that all classes count alike; effective: ∝ (1 − β) /
            (1 − β^N_c), by the effective number of items (Cui, Jia, Lin, Song, Belongie, CVPR 2019,
            equation 4; they divide by the mean over the classes instead).
        beta: β of effective, 0 to below 1: 0 weighs nothing, towards 1 it comes to balanced.

    Returns:
        A weight for each class; 1 for those without items.
    """
    if kind == "balanced":
        raw = [1 / max(count, 1) for count in counts]
    else:
        raw = [(1 - beta) / (1 - beta ** max(count, 1)) for count in counts]
    mean = sum(w * count for w, count in zip(raw, counts, strict=True)) / sum(counts)
    return [w / mean if count else 1.0 for w, count in zip(raw, counts, strict=True)]


def label_loss(first: Tensor, second: Tensor, targets: Tensor) -> Tensor:
    """How far predicted labels are from the true ones: J1, equation 5.

    Args:
        first: label predictions of one modality, N × classes.
        second: of the other.
        targets: one-hot or multi-hot, N × classes.

    Returns:
        The mean L2 norm of the rows of first − targets, plus the same of second.
    """
    _same(first, second, targets)
    targets = targets.to(first.dtype)
    return row_norms(first - targets).mean() + row_norms(second - targets).mean()


def discrimination_loss(first: Tensor, second: Tensor, targets: Tensor) -> Tensor:
    """Negative log-likelihood of who shares a class with whom: J2, equations 6 to 9.

    The likelihood of sharing one is the logistic function of θ = cos / 2, within each modality
    and across.

    Args:
        first: common representations of one modality, N × dimensions.
        second: of the other.
        targets: one-hot or multi-hot, N × classes; two items are alike if they share a class.
    """
    _same(first, second, None)
    if targets.ndim != 2 or len(targets) != len(first):
        raise ShapeError("targets", f"shape {tuple(targets.shape)}", f"{len(first)} × classes")
    present = (targets > 0).to(first.dtype)
    alike = ((present @ present.T) > 0).to(first.dtype)
    left, right = (functional.normalize(items, dim=1) for items in (first, second))
    pairs = ((left, left), (left, right), (right, right))
    return torch.stack([_likelihood(one @ other.T / 2, alike) for one, other in pairs]).sum()


def invariance_loss(first: Tensor, second: Tensor) -> Tensor:
    """How far the representations of one item in the two modalities are apart: J3, equation 10.

    Args:
        first: common representations of one modality, N × dimensions.
        second: of the other.
    """
    _same(first, second, None)
    return row_norms(first - second).mean()


def row_norms(rows: Tensor) -> Tensor:
    """L2 norms of N × dimensions, with a gradient of 0 where a row is 0 (it has none there)."""
    squares = rows.square().sum(1)
    zero = squares == 0
    return torch.where(zero, 0.0, torch.where(zero, 1.0, squares).sqrt())


def _likelihood(theta: Tensor, alike: Tensor) -> Tensor:
    return (functional.softplus(theta) - alike * theta).mean()


def _same(first: Tensor, second: Tensor, third: Tensor | None) -> None:
    others = (second,) if third is None else (second, third)
    for other in others:
        if first.ndim != 2 or first.shape != other.shape:
            raise ShapeError("loss", f"shape {tuple(other.shape)}", f"that of {tuple(first.shape)}")
