"""In what numbers a run computes: what its configuration asks for, and what the device has.

What is refused by names alone needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..engine.device_names import require_precision
from ..schemas.training import MachineConfig, Precision

if TYPE_CHECKING:
    import torch


def precisions(config: Mapping[str, Any]) -> dict[str, Precision]:
    """In what numbers is computed, by section of a configuration.

    Args:
        config: the plain tree of a configuration.
    """
    found = {name: config.get(name) or {} for name in ("train", "evaluation")}
    return {name: section["precision"] for name, section in found.items() if "precision" in section}


def require_precisions(config: MachineConfig) -> None:
    """Refuse a configuration whose device does not have what it asks for.

    Args:
        config: its device may be open.

    Raises:
        ConfigError: tf32 or fp16 on a processor.
    """
    for name, precision in precisions(config.model_dump()).items():
        require_precision(f"{name}.precision", precision, config.device)


def precision_remarks(
    config: Mapping[str, Any], device: torch.device, section: str | None = None
) -> list[str]:
    """What a user has to know of the precisions of a configuration on a device.

    Args:
        config: the plain tree of a configuration.
        device: that computes.
        section: the only one that does; None for all.
    """
    from ..engine.precision import precision_remark

    remarks = (
        precision_remark(f"{name}.precision", each, device)
        for name, each in precisions(config).items()
        if section in (None, name)
    )
    return [remark for remark in remarks if remark is not None]


def used_precisions(config: Mapping[str, Any], device: torch.device) -> dict[str, str]:
    """What is computed in on a device, by section, for the record.

    Args:
        config: the plain tree of a configuration.
        device: that computes.
    """
    from ..engine.precision import precision_facts

    return {key: precision_facts(each, device) for key, each in precisions(config).items()}
