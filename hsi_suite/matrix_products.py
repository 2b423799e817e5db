"""Products of matrices, by the faster library where torch has two."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional


def product(left: Tensor, right: Tensor) -> Tensor:
    """The product left · rightᵀ, without gradients; on processors in fp32 by oneDNN where it is.

    Args:
        left: rows × depth.
        right: other rows × the same depth.
    """
    library = onednn() if left.device.type == "cpu" and left.dtype == torch.float32 else None
    if library is None:
        return functional.linear(left, right)
    found: Tensor = library(_dense(left), _dense(right), None, "none", [], "")
    return found


def connected(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """What a connected layer makes of rows, without gradients; in whole fp32 by oneDNN.

    Equal rows then have equal results; torch's own library adds their parts in another order in
    short batches and at their ends, and so does oneDNN in a batch of a single row.

    Args:
        rows: number × depth.
        weight: units × the same depth.
        bias: of the units.
    """
    plain = rows.device.type == "cpu" and rows.dtype == torch.float32 and rows.dim() == 2
    library = onednn() if plain and _is_whole() else None
    if library is None:
        return functional.linear(rows, weight, bias)
    found: Tensor = library(_dense(rows), _dense(weight), bias, "none", [], "")
    return found


def _dense(matrix: Tensor) -> Tensor:
    """The same in one piece; for rows cut out of wider ones oneDNN takes 700 times as long."""
    lies_well = matrix.is_contiguous() or matrix.t().is_contiguous()
    return matrix if lies_well else matrix.contiguous()


def full_product(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """The product left · rightᵀ in whole fp32, whatever torch may use elsewhere.

    By oneDNN equal rows have equal products; NumPy's library adds their parts in another order here
    and there.

    Args:
        left: rows × depth.
        right: other rows × the same depth.
    """
    library = onednn()
    if library is None or not left.shape[1] or not _is_whole():
        return np.asarray(left @ right.T)
    tensors = (_dense(torch.from_numpy(each)) for each in (left, right))
    found: Tensor = library(*tensors, None, "none", [], "")
    return np.asarray(found.numpy())


def _is_whole() -> bool:
    """Whether oneDNN computes fp32 in fp32; no where torch cannot tell, as its words differ."""
    try:
        return torch.get_float32_matmul_precision() == "highest"
    except RuntimeError:
        return False


def onednn() -> Any:
    """The product of matrices of oneDNN in fp32; None where torch has none.

    Torch itself gives such products to MKL, which on some processors (AMD's) reaches two fifths of
    this. The operation is that of torch's compiler; it takes transposed tensors as they lie.
    """
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return None
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)
