"""The losses of deep supervised cross-modal retrieval (Zhen et al., CVPR 2019)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .errors import ShapeError


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
