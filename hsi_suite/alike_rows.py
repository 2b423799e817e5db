"""Equal items have equal results, wherever they stand, so that they tie in rankings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .matrix_products import connected

Rows = TypeVar("Rows", Tensor, NDArray[np.float32])

# In shorter batches, and behind the last whole sixteen, torch's libraries convolve otherwise.
_TOGETHER = 16


def alike(compute: Callable[[Tensor], Rows], items: Tensor) -> Rows:
    """What a network makes of a batch of items; of equal ones the same on processors in fp32.

    Args:
        compute: one result for each item; without gradients.
        items: one or more; the last is repeated until there are whole sixteens.
    """
    lacking = -len(items) % _TOGETHER
    whole = torch.cat([items, items[-1:].expand(lacking, *items.shape[1:])]) if lacking else items
    with _ConnectedAlike():
        return compute(whole)[: len(items)]


class _ConnectedAlike(TorchFunctionMode):
    """Connected layers by `matrix_products.connected`."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Results of a function of torch."""
        # Without gradients alone: they do not go through oneDNN's operation.
        ours = function is functional.linear and not torch.is_grad_enabled()
        return (connected if ours else function)(*args, **(kwargs or {}))
