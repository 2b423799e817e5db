"""The networks and classical models of each task, built from `backbones`.

>>> import hsi_suite as hsi
>>> net = hsi.models.create("hybridsn", in_channels=30, num_classes=16, window=25)
>>> sum(parameter.numel() for parameter in net.parameters())
5122176
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .building import create
    from .description import describe_model as describe
    from .registry import model_names as names
    from .registry import register

_PUBLIC = {
    "create": ("building", "create"),
    "register": ("registry", "register"),
    "names": ("registry", "model_names"),
    "describe": ("description", "describe_model"),
}
__all__ = ["create", "describe", "names", "register"]


def __dir__() -> list[str]:
    return list(__all__)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, own = _PUBLIC[name]
    return getattr(import_module(f".{module}", __name__), own)
