"""Hyperspectral images: classification, denoising and retrieval, with honest numbers.

>>> import hsi_suite as hsi
>>> run = hsi.train(dataset="synthetic")  # doctest: +SKIP
>>> run.metrics["test"]["overall_accuracy"]  # doctest: +SKIP

The names below are imported when they are first used: `import hsi_suite` does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "train": "runs.launch",
    "evaluate": "runs.evaluation",
    "predict": "tasks.scenes.prediction",
    "load_dataset": "data.catalogue",
    "open_run": "runs.folder",
    "Run": "runs.folder",
    "Scene": "data.scene",
    "HsiSuiteError": "errors",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
