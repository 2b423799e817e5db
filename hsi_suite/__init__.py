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
from typing import TYPE_CHECKING, Any

from .cublas import reserve_workspace

if TYPE_CHECKING:
    from . import backbones as blocks
    from . import metrics as metrics
    from . import models as models
    from .api import splits as splits
    from .api.auditing import Audit, audit
    from .api.comparing import Comparisons, compare
    from .api.denoising import Denoiser, denoise
    from .api.evaluation import Evaluation, JointEvaluation
    from .api.predicting import predict
    from .api.retrieval import Matches, Retriever
    from .api.running import batch, evaluate, evaluate_together, replay
    from .api.scene_classifier import SceneClassifier
    from .api.training import train
    from .data.catalogue import dataset_names, load_dataset
    from .data.readers import read_scene
    from .data.scene import Scene
    from .data.splits import Split
    from .errors import HsiSuiteError
    from .runs.batches.files import Batch
    from .runs.comparison import Contest
    from .runs.folder import Run, open_run
    from .runs.replay import Replay
    from .tasks.scenes.prediction import Prediction

__all__ = [
    "Audit",
    "Batch",
    "Comparisons",
    "Contest",
    "Denoiser",
    "Evaluation",
    "HsiSuiteError",
    "JointEvaluation",
    "Matches",
    "Prediction",
    "Replay",
    "Retriever",
    "Run",
    "Scene",
    "SceneClassifier",
    "Split",
    "audit",
    "batch",
    "blocks",
    "compare",
    "dataset_names",
    "denoise",
    "evaluate",
    "evaluate_together",
    "load_dataset",
    "metrics",
    "models",
    "open_run",
    "predict",
    "read_scene",
    "replay",
    "splits",
    "train",
]
_MODULES = {"splits": "api.splits", "metrics": "metrics", "models": "models", "blocks": "backbones"}
_PLACES = {
    "Audit": "api.auditing",
    "Batch": "runs.batches.files",
    "Comparisons": "api.comparing",
    "Contest": "runs.comparison",
    "Denoiser": "api.denoising",
    "Evaluation": "api.evaluation",
    "HsiSuiteError": "errors",
    "JointEvaluation": "api.evaluation",
    "Matches": "api.retrieval",
    "Prediction": "tasks.scenes.prediction",
    "Replay": "runs.replay",
    "Retriever": "api.retrieval",
    "Run": "runs.folder",
    "Scene": "data.scene",
    "SceneClassifier": "api.scene_classifier",
    "Split": "data.splits",
    "audit": "api.auditing",
    "batch": "api.running",
    "compare": "api.comparing",
    "dataset_names": "data.catalogue",
    "denoise": "api.denoising",
    "evaluate": "api.running",
    "evaluate_together": "api.running",
    "load_dataset": "data.catalogue",
    "open_run": "runs.folder",
    "predict": "api.predicting",
    "read_scene": "data.readers",
    "replay": "api.running",
    "train": "api.training",
}

# Before anything can start CUDA.
reserve_workspace()


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{_MODULES[name]}", __name__)
    if name not in _PLACES:
        from .registry import nearest_names

        near = nearest_names(name, __all__)
        hint = f"; did you mean {' or '.join(near)}?" if near and not name.startswith("_") else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    value = getattr(import_module(f".{_PLACES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
