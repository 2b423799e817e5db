"""In what numbers a network computes: fp32, tf32, bf16 or fp16, and what a device makes of it.

fp32 means fp32: TF32, which torch lets convolutions on CUDA take by default, is off unless it is
asked for. TF32 keeps 10 bits of each factor's 23 in products and convolutions; bf16 keeps 7 and
the range of fp32; fp16 keeps 10 and a range that small gradients leave (see `loss_scaling`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ..schemas.training import Precision
from .device_names import has_precision, require_precision
from .observer import Observer

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
# TF32 and products of bf16 are in NVIDIA's hardware from this compute capability on.
_NATIVE = (8, 0)


def usable(precision: Precision, device: torch.device) -> Precision:
    """What is computed with: on processors fp32 in the place of tf32 and fp16."""
    return precision if has_precision(precision, device.type) else "fp32"


def check_precision(
    key: str, precision: Precision, device: torch.device, observer: Observer
) -> None:
    """Refuse what a device does not have, and say what a user has to know of what it has.

    Raises:
        ConfigError: as of `device_names.require_precision`.
    """
    require_precision(key, precision, str(device))
    remark = precision_remark(key, precision, device)
    if remark is not None:
        observer.message(remark)


def precision_remark(key: str, precision: Precision, device: torch.device) -> str | None:
    """What a user has to know of a precision on a device, in one line; None where nothing.

    Args:
        key: how the user asked for it, e.g. "train.precision".
        precision: what was asked for.
        device: what computes.
    """
    if not has_precision(precision, device.type):
        return f"{key}={precision} is of CUDA devices; {device} computes in fp32 instead"
    if precision not in ("tf32", "bf16") or _in_hardware(device):
        return None
    name = torch.cuda.get_device_name(device)
    capability = ".".join(map(str, torch.cuda.get_device_capability(device)))
    where = f"{name} (compute capability {capability}; it is there from 8.0 on)"
    if precision == "tf32":
        return f"{key}=tf32: not in {where}; computed in fp32"
    return f"{key}=bf16: emulated by {where}, and slow; {key}=fp16 is fast there"


def precision_facts(precision: Precision, device: torch.device) -> str:
    """What is computed with, for the record: the precision, and whether it is emulated."""
    used = usable(precision, device)
    if used in ("tf32", "bf16") and not _in_hardware(device):
        return "fp32" if used == "tf32" else "bf16, emulated"
    return used


@contextmanager
def products_in(precision: Precision, device: torch.device) -> Iterator[None]:
    """Let products and convolutions of CUDA devices use TF32 where it is asked for, and only there.

    Everything is restored afterwards.
    """
    wanted = usable(precision, device) == "tf32"
    places, (no, yes) = _tf32_switches()
    before = [getattr(place, key) for place, key in places]
    for place, key in places:
        setattr(place, key, yes if wanted else no)
    try:
        yield
    finally:
        for (place, key), value in zip(places, before, strict=True):
            setattr(place, key, value)


def _tf32_switches() -> tuple[list[tuple[Any, str]], tuple[bool, bool] | tuple[str, str]]:
    """Where torch keeps what products and convolutions may use, and its words for no and yes.

    Versions from 2.9 on know newer words beside `allow_tf32`, and refuse to read the older ones in
    a program that has used the newer.
    """
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    try:
        _ = matmul.allow_tf32, cudnn.allow_tf32
    except RuntimeError:
        convolutions = cudnn.conv  # type: ignore[attr-defined]
        return [(matmul, "fp32_precision"), (convolutions, "fp32_precision")], ("ieee", "tf32")
    return [(matmul, "allow_tf32"), (cudnn, "allow_tf32")], (False, True)


@contextmanager
def forward_in(precision: Precision, device: torch.device) -> Iterator[None]:
    """Compute forward passes in a precision; weights and what is given stay fp32."""
    used = usable(precision, device)
    with (
        products_in(precision, device),
        torch.autocast(device.type, _TYPES.get(used, torch.bfloat16), enabled=used in _TYPES),
    ):
        yield


def _in_hardware(device: torch.device) -> bool:
    """Whether a device has TF32 and bf16; processors and AMD's devices are not asked."""
    if device.type != "cuda" or torch.version.hip is not None:
        return True
    return torch.cuda.get_device_capability(device) >= _NATIVE
