"""Hyperspectral images: classification, denoising and retrieval, with honest numbers.

>>> import hsi_suite as hsi
>>> run = hsi.train(dataset="synthetic")  # doctest: +SKIP
>>> run.metrics["test"]["overall_accuracy"]  # doctest: +SKIP
>>> clean = hsi.denoise(image)  # doctest: +SKIP
>>> split = hsi.splits.disjoint(labels, guard=7)  # doctest: +SKIP
>>> print(hsi.audit(labels, split, window=15))  # doctest: +SKIP
>>> model = hsi.SceneClassifier("hybridsn", window=15)  # doctest: +SKIP
>>> model.fit(cube, labels, split=split).score(cube, labels, split=split)  # doctest: +SKIP

The names below are imported when they are first used: `import hsi_suite` does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "SceneClassifier": "api.scene_classifier",
    "denoise": "api.denoising",
    "audit": "api.auditing",
    "compare": "api.comparing",
    "train": "runs.launch",
    "evaluate": "runs.evaluation",
    "predict": "tasks.scenes.prediction",
    "replay": "runs.replay",
    "load_dataset": "data.catalogue",
    "read_scene": "data.readers",
    "open_run": "runs.folder",
    "Run": "runs.folder",
    "Scene": "data.scene",
    "HsiSuiteError": "errors",
}
_MODULES = {"splits": "api.splits", "metrics": "metrics", "models": "models", "blocks": "backbones"}
__all__ = sorted([*_PUBLIC, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{_MODULES[name]}", __name__)
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
