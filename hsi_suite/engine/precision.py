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

    What a program has allowed processors (`torch.set_float32_matmul_precision`, by which they may
    take bf16 for fp32) is not allowed here either. Everything is restored afterwards.
    """
    wanted = usable(precision, device) == "tf32"
    cudnn, places = torch.backends.cudnn, _newer_switches()
    before = [place.fp32_precision for place in places]
    products, convolutions = _older_switches()
    # All of torch's words say the same: it refuses to answer where they differ.
    torch.set_float32_matmul_precision("high" if wanted else "highest")
    cudnn.allow_tf32 = wanted
    if not wanted:
        for place in places:
            place.fp32_precision = "ieee"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(products)
        cudnn.allow_tf32 = convolutions
        for place, value in zip(places, before, strict=True):
            place.fp32_precision = value


def _older_switches() -> tuple[str, bool]:
    """What is set by torch's older words; their defaults where newer ones have said another."""
    try:
        products = torch.get_float32_matmul_precision()
    except RuntimeError:
        products = "highest"
    try:
        return products, torch.backends.cudnn.allow_tf32
    except RuntimeError:
        return products, True


def _newer_switches() -> list[Any]:
    """Where versions from 2.9 on keep the same, for each kind of operation."""
    cudnn, onednn = torch.backends.cudnn, torch.backends.mkldnn
    named = ((torch.backends.cuda, "matmul"), (cudnn, "conv"), (cudnn, "rnn"),
             (onednn, "matmul"), (onednn, "conv"), (onednn, "rnn"))  # fmt: skip
    places = [getattr(library, name, None) for library, name in named]
    return [place for place in places if hasattr(place, "fp32_precision")]


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
