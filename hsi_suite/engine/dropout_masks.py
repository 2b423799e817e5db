"""What dropout multiplies its input by, drawn apart from the network that drops.

Draws of torch have no generator of one's own where several networks are computed at once. So the
places where a network drops something are found once, by a forward pass; masks are drawn for them
as the network itself would draw, in the same order from the same seed, and are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

# Those that multiply; the others of torch do more.
_DROPS = {
    functional.dropout,
    functional.dropout1d,
    functional.dropout2d,
    functional.dropout3d,
}


@dataclass(frozen=True, eq=False)
class Drop:
    """A place where a network drops something.

    Attributes:
        function: of torch.
        options: how it is called.
        values: like what it was called for, in shape, strides, type and device.
    """

    function: Callable[..., Tensor]
    options: Mapping[str, Any]
    values: Tensor

    def drawn(self) -> Tensor:
        """A mask, from torch's own source of chance: 0, or what makes up for what is dropped."""
        return self.function(torch.ones_like(self.values), **self.options)


def drops_of(forward: Callable[[], object]) -> list[Drop]:
    """Where a forward pass drops something, in order; it drops nothing now."""
    finding = _Finding()
    with finding:
        forward()
    return finding.found


@contextmanager
def handed(masks: Sequence[Tensor]) -> Iterator[None]:
    """Let dropout take these masks, one after the other."""
    with _Handing(masks):
        yield


def _drops(function: Any, options: Mapping[str, Any]) -> bool:
    return function in _DROPS and bool(options["training"])


class _Finding(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Drop] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        if not _drops(func, kwargs or {}):
            return func(*args, **(kwargs or {}))
        self.found.append(Drop(func, dict(kwargs), torch.empty_like(args[0])))
        return args[0]


class _Handing(TorchFunctionMode):
    def __init__(self, masks: Sequence[Tensor]) -> None:
        super().__init__()
        self._masks = iter(masks)

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        if not _drops(func, kwargs or {}):
            return func(*args, **(kwargs or {}))
        return args[0] * next(self._masks)
