"""What the errors of a device mean to who uses it: one line each, with what to do about it."""

from __future__ import annotations

import re

import torch

from ..errors import DeviceError
from .device_memory import exhausted

# What cuDNN's errors say where no way of computing a convolution fits into what memory is left.
_NO_ENGINE = "unable to find an engine"
# Of CUDA's messages a part, then: what was found, what was expected, what to do.
_STATES = (
    (
        "busy or unavailable",
        "is busy: another program has it to itself",
        "a device that takes further programs",
        "wait for the other program, or take another device (--device)",
    ),
    (
        "no kernel image is available",
        "is of a kind that this build of torch has nothing for",
        "a build of torch for this GPU",
        "install one that names its compute capability (hsi doctor), or take --device cpu",
    ),
    (
        "ECC error",
        "has found a fault in its own memory",
        "sound memory",
        "have the device reset or looked after, and begin again",
    ),
    (
        "launch timed out",
        "was stopped by the system's watch for screens",
        "a device that drives no screen",
        "lower the batch size, or take another device (--device)",
    ),
)


def device_failure(
    device: torch.device, error: BaseException, lower: str = ""
) -> DeviceError | None:
    """The one line that a user reads of an error; None where it is a defect of the program.

    Args:
        device: that computed.
        error: what torch raised.
        lower: what the user can lower where memory runs out, as keys or options.
    """
    if exhausted(error):
        return _out_of_memory(device, error, lower)
    operation = re.search(r"(\S+) does not have a deterministic implementation", str(error))
    if operation is not None:
        return DeviceError(
            f"{operation[1]} on {device}",
            "has no deterministic form",
            "deterministic operations",
            "train on the CPU or with --set deterministic=false",
        )
    found = (words for said, *words in _STATES if said in str(error))
    words = next(found, None)
    return None if words is None else DeviceError(device, *words)


def _out_of_memory(device: torch.device, error: BaseException, lower: str) -> DeviceError:
    asked = re.search(r"allocate ([\d.]+ [KMGT]iB|\d+ bytes)", str(error))
    found = "out of memory" + (f", at another {asked[1]}" if asked else "")
    if _NO_ENGINE in str(error):
        found = "cuDNN found no way to compute a convolution, mostly as memory has run out"
    elsewhere = "close other programs" if device.type == "cpu" else "take --device cpu"
    remedy = f"lower {lower}, or {elsewhere}" if lower else elsewhere
    return DeviceError(device, found, "work that its memory holds", remedy)
