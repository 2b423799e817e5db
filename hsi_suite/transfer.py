"""Tensors from the host's memory to a device."""

from __future__ import annotations

import torch
from torch import Tensor


def to_device(values: Tensor, device: torch.device) -> Tensor:
    """The values on a device; a CUDA device fetches them while the program goes on.

    From pinned memory, of which torch keeps pages for the next time; it does not use them again
    before they were fetched.

    Args:
        values: of any device.
        device: where they are wanted.
    """
    if device.type != "cuda" or values.device.type != "cpu":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)
