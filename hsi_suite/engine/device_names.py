"""What the names of devices tell: known without torch, which takes seconds to load."""

from __future__ import annotations

import os
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, DeviceError
from .launched import launched_processes

if TYPE_CHECKING:
    from ..schemas.training import Precision

_KNOWN = re.compile(r"auto|cpu|cuda(:\d+)?")
# What the driver of NVIDIA leaves in the system, and those of other devices that torch calls so:
# of Tegra, of Windows' subsystem for Linux, and of AMD.
_DRIVER, _LISTED = "dev/nvidia*", "proc/driver/nvidia/gpus"
_DRIVER_TOLD = "proc/driver/nvidia/version"
_OTHERS = ("dev/nvhost*", "dev/nvmap", "dev/dxg", "dev/kfd")


def check_device_name(name: str) -> None:
    """Refuse what names no device; whether it is there is seen by `require_device`.

    Raises:
        DeviceError: it is none of auto, cpu, cuda and cuda:N.
    """
    if not _KNOWN.fullmatch(name):
        raise DeviceError("device", f"{name!r}", "auto, cpu, cuda or cuda:N")


def require_device(name: str) -> None:
    """Refuse what names no device, and a CUDA device that cannot be there.

    Where torch is loaded `devices.resolve_device` asks it, and where a launcher gives out devices;
    what the system does not tell is left to that as well.

    Raises:
        DeviceError: it is none of the names, or the system has no such device.
    """
    check_device_name(name)
    if not name.startswith("cuda") or "torch" in sys.modules or launched_processes() > 1:
        return
    index, most = int(name.partition(":")[2] or 0), most_cuda_devices()
    if most is not None and index >= most:
        raise no_such_device(index, most)


def sure_device(name: str) -> str:
    """What a name stands for as far as that is known without torch: auto is cpu where no other is.

    Args:
        name: auto, cpu, cuda or cuda:N.
    """
    return "cpu" if name == "auto" and most_cuda_devices() == 0 else name


def no_such_device(index: int, count: int) -> DeviceError:
    """What is said of a CUDA device that is not there.

    Args:
        index: its number, from 0.
        count: how many there are.
    """
    why = "" if count else f" ({why_none()})"
    return DeviceError(
        "device",
        f"cuda:{index}, and this machine has {count} CUDA devices{why}",
        "a device that is there",
        "use --device auto",
    )


def why_none(root: Path = Path("/")) -> str:
    """Why torch finds no CUDA device, as far as that is known without it; in a few words.

    Args:
        root: of the file system.
    """
    if _without_cuda():
        return "this torch was built without CUDA"
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return f"CUDA_VISIBLE_DEVICES={chosen!r} leaves none, or the driver does not suit torch"
    if most_cuda_devices(root) == 0:
        return "the system has no driver for one"
    driver = driver_version(root)
    named = "" if driver is None else f" {driver}"
    return f"this torch was built without CUDA, or for a newer driver than this one{named}"


def driver_version(root: Path = Path("/")) -> str | None:
    """The version of NVIDIA's driver, e.g. "570.86.15"; None where the system does not tell it.

    Args:
        root: of the file system.
    """
    try:
        told = re.search(r"\b\d{3,}(\.\d+)+", (root / _DRIVER_TOLD).read_text())
    except OSError:
        return None
    return None if told is None else told[0]


def most_cuda_devices(root: Path = Path("/")) -> int | None:
    """As many CUDA devices as torch may find at most; None where that is not known without it.

    Args:
        root: of the file system.
    """
    if sys.platform != "linux" or not (root / "proc").is_dir():
        return None
    if _without_cuda():
        return 0
    if any(any(root.glob(trace)) for trace in _OTHERS):
        return None
    listed = root / _LISTED
    if not listed.is_dir():
        return None if any(root.glob(_DRIVER)) else 0
    count, chosen = len(list(listed.iterdir())), os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return count
    # What stands behind a -1 does not count.
    names = chosen.partition("-1")[0].split(",")
    return min(count, sum(bool(each.strip()) for each in names))


def _without_cuda() -> bool:
    """Whether the torch that is installed was built for processors alone."""
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False


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
