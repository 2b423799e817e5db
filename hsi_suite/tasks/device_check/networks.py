"""Every network forwards and backwards on torch's meta device, which keeps shapes and no values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ...engine.determinism import Watch
from ...models.building import build_example
from ...models.registry import spec_of

_BATCH = 2


def pass_through(names: Sequence[str], watch: Watch) -> None:
    """Let a watch see the operations of networks, in training mode.

    Args:
        names: of registered networks.
        watch: sees the passes; is entered here.
    """
    for name in names:
        with torch.device("meta"):
            network = build_example(name, {}).train()
            batch = torch.zeros(_BATCH, *spec_of(name).example_input)
            with watch:
                sum_of(network(batch)).backward()  # type: ignore[no-untyped-call]


def sum_of(output: Any) -> Tensor:
    """One number of all tensors that a network gives."""
    total = sum(tensor.float().sum() for tensor in _tensors(output))
    assert isinstance(total, Tensor)
    return total


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
        return
    parts = vars(output).values() if not isinstance(output, tuple | list) else output
    for part in parts:
        if isinstance(part, Tensor | tuple | list):
            yield from _tensors(part)
