"""Blocks of memory that one training step hands on to the next.

What a forward pass keeps for the backward pass is large, lives long, and is as large again at the
next step. From malloc it comes to lie between what is soon freed, and leaves holes there that
nothing of another size fills. Here it comes from the system, and stays until the training is over.
Threads share the blocks: one may train while another has a network in a loop of its own.
"""

from __future__ import annotations

import mmap
import threading
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

_free: list[Tensor] = []
_trainings = 0
_guard = threading.Lock()


@contextmanager
def keeping_blocks() -> Iterator[None]:
    """Keep blocks that are given back for who asks next, to the end of a training."""
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(more: int) -> None:
    global _trainings
    with _guard:
        _trainings += more
        if not _trainings:
            _free.clear()


def take_block(size: int) -> Tensor:
    """Memory of `size` bytes or more, 1-D and uint8, with anything in it."""
    with _guard:
        place = bisect_left([len(block) for block in _free], size)
        if place < len(_free):
            return _free.pop(place)
        if _free:
            # The largest is too small: for batches of another size, say.
            _free.pop()
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # The system fills pages with zeros, hundreds at a time if they are large.
        pages.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(pages, dtype=torch.uint8)


def give_back(blocks: list[Tensor]) -> None:
    """Let others have blocks; nothing in them is needed any more."""
    with _guard:
        if _trainings:
            _free.extend(blocks)
            _free.sort(key=len)
    blocks.clear()
