"""The CUDA devices of this machine, and which of them a process is to see."""

from __future__ import annotations

import os

VISIBLE = "CUDA_VISIBLE_DEVICES"


def visible_devices() -> list[str]:
    """The CUDA devices that torch sees, in its order, as CUDA_VISIBLE_DEVICES names them.

    Where somebody has set that variable, a process of ours is given one of its entries: a number
    would count among all devices of the machine.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    own = os.environ.get(VISIBLE)
    names = map(str, range(count)) if own is None else own.split(",")
    return [name.strip() for name in names][:count]
