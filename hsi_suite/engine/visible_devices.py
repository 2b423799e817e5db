"""The CUDA devices of this machine, and which of them a process is to see."""

from __future__ import annotations

import os

VISIBLE = "CUDA_VISIBLE_DEVICES"
_PART = "MIG-"


def visible_devices() -> list[str]:
    """The CUDA devices that torch sees, in its order, as CUDA_VISIBLE_DEVICES names them.

    Where somebody has set that variable, a process of ours is given one of its entries: a number
    would count among all devices of the machine. Of parts of a device (MIG) a process sees one
    alone, the first that is named; each of them serves a process.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    own = os.environ.get(VISIBLE)
    names = map(str, range(count)) if own is None else own.split(",")
    found = [name.strip() for name in names]
    parts = count > 0 and all(name.startswith(_PART) for name in found)
    return found if parts else found[:count]
