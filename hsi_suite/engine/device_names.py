"""What the names of devices tell: known without torch, which takes seconds to load."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import ConfigError, DeviceError

if TYPE_CHECKING:
    from ..schemas.training import Precision

_KNOWN = re.compile(r"auto|cpu|cuda(:\d+)?")


def check_device_name(name: str) -> None:
    """Refuse what names no device; whether it is there is seen by `devices.resolve_device`.

    Raises:
        DeviceError: it is none of auto, cpu, cuda and cuda:N.
    """
    if not _KNOWN.fullmatch(name):
        raise DeviceError("device", f"{name!r}", "auto, cpu, cuda or cuda:N")


def has_precision(precision: Precision, device: str) -> bool:
    """Whether devices of a name may have a precision: tf32 and fp16 are of CUDA devices."""
    return precision in ("fp32", "bf16") or not device.startswith("cpu")


def require_precision(key: str, precision: Precision, device: str) -> None:
    """Refuse what devices of a name do not have.

    Args:
        key: how the user asked for it, e.g. "train.precision".
        precision: what was asked for.
        device: what is to compute; auto may be anything.

    Raises:
        ConfigError: tf32 or fp16 on a processor.
    """
    if not has_precision(precision, device):
        raise ConfigError(
            key,
            f"{precision} on {device}, which does not have it",
            "fp32 or bf16",
            "choose one of them, or a CUDA device (--device cuda)",
        )
