"""When memory runs out: fewer rows at a time where results stay the same, else one clear line.

A call is repeated only after its error is let go of, as the error keeps everything that the call
held. Once a size did not fit, no larger one is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from .observer import Observer
from .tiles import Region, Tiling

FAILURES = (RuntimeError, MemoryError)
# What torch's allocator for processors, CUDA and its libraries say, in a plain RuntimeError.
_SAID = (
    "DefaultCPUAllocator",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "DEVICE_ALLOCATION_FAILED",
    "CUSOLVER_STATUS_ALLOC_FAILED",
    # cuDNN: no way of computing a convolution fits into what is left (torch issue 108645).
    "unable to find an engine",
)
_LEAST_SIDE = 16
_Rows = TypeVar("_Rows")


def exhausted(error: BaseException) -> bool:
    """Whether an error says that memory ran out."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID)
    )


def release() -> None:
    """Give what a failed call held back to the device."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()


def rows_apart(network: nn.Module) -> bool:
    """Whether rows of a network's input do not see each other: nothing of it is in training mode.

    Dropout and batch norms are then as in every evaluation, and any number of rows at a time gives
    the same but for rounding.
    """
    return not any(module.training for module in network.modules())


class InHalves(Generic[_Rows]):
    """Computes something for each row, for fewer rows at a time where memory does not hold all.

    Args:
        compute: from rows to rows; each depends on its own alone.
        observer: is told when rows are taken in smaller numbers.
        join: makes one of several results; None for tensors.
    """

    def __init__(
        self,
        compute: Callable[[Tensor], _Rows],
        observer: Observer | None = None,
        join: Callable[..., Any] | None = None,
    ) -> None:
        self._compute = compute
        self._observer = observer or Observer()
        self._join: Callable[..., Any] = torch.cat if join is None else join
        self.most: int | None = None

    def __call__(self, rows: Tensor) -> _Rows:
        """What `compute` gives for all rows.

        Raises:
            RuntimeError: memory does not hold a single row.
        """
        parts: list[_Rows] = []
        done = 0
        while not parts or done < len(rows):
            size = min(self.most or len(rows), len(rows) - done)
            part = self._tried(rows[done : done + size])
            if part is not None:
                parts.append(part)
                done += size
                continue
            release()
            self.most = -(-size // 2)
            self._observer.message(
                f"memory did not hold {size:,} rows at once: {self.most:,} from here on"
            )
        if len(parts) == 1:
            return parts[0]
        joined: _Rows = self._join(parts)
        return joined

    def _tried(self, rows: Tensor) -> _Rows | None:
        try:
            return self._compute(rows)
        except FAILURES as error:
            if len(rows) < 2 or not exhausted(error):
                raise
            return None


class TilesInHalves(Generic[_Rows]):
    """Computes something for each tile of an image, in halves where memory does not hold it.

    Args:
        tiling: where it gives tiles nothing that is around them, none is halved: what is computed
            may need the whole.
        compute: for a tile or any part of one.
    """

    def __init__(self, tiling: Tiling, compute: Callable[[Region], _Rows]) -> None:
        self._compute = compute
        self._divisible = tiling.radius > 0
        self._most: int | None = None

    def __call__(self, tile: Region) -> Iterator[tuple[Region, _Rows]]:
        """The tile, or its parts one after the other, each with what was computed.

        Raises:
            RuntimeError: memory does not hold the smallest part.
        """
        waiting = [tile]
        while waiting:
            part = waiting.pop()
            if self._most is not None and _longest(part) > self._most:
                waiting += reversed(_halves(part))
                continue
            result = self._tried(part)
            if result is not None:
                yield part, result
                continue
            release()
            self._most = -(-_longest(part) // 2)
            waiting.append(part)

    def _tried(self, part: Region) -> _Rows | None:
        try:
            return self._compute(part)
        except FAILURES as error:
            if not self._divisible or _longest(part) <= _LEAST_SIDE or not exhausted(error):
                raise
            return None


def _longest(part: Region) -> int:
    return max(int(each.stop - each.start) for each in part)


def _halves(part: Region) -> list[Region]:
    """Both halves across the longer side."""
    lines, samples = part
    if lines.stop - lines.start >= samples.stop - samples.start:
        middle = (lines.start + lines.stop) // 2
        return [
            (slice(lines.start, middle), samples),
            (slice(middle, lines.stop), samples),
        ]
    middle = (samples.start + samples.stop) // 2
    return [(lines, slice(samples.start, middle)), (lines, slice(middle, samples.stop))]
