"""What a classification of a scene leaves to chance."""

from __future__ import annotations

import torch
from torch import nn

from ...models.building import build_model
from ...models.classical import CLASSICAL
from ...runs.chance import absent_dropout, generated
from ...schemas.classification import ClassificationConfig

_BANDS = 200


def absent_source(config: ClassificationConfig, source: str) -> str | None:
    """Why there is no such source; None where there is."""
    model = config.model.name
    if source == "data":
        return None if generated(config) else "the scene was recorded, not generated"
    if source == "split":
        if config.split.kind == "scenes" and config.split.test_scenes:
            drawn = config.split.validation and not config.split.validation_scenes
            return None if drawn else "the test scenes are named"
        return "the split is read from a file" if config.split.kind == "file" else None
    if model in CLASSICAL:
        if source == "augment" and config.train.augmentation.active:
            return None
        if source in ("order", "dropout", "augment"):
            return f"{model} is not trained step by step"
        if not CLASSICAL[model].DRAWS:
            return f"{model} draws nothing"
        return f"{model} with given settings draws nothing" if config.model.options else None
    if source == "augment" and not config.train.augmentation.active:
        return "nothing is augmented"
    return absent_dropout(config, lambda: _network(config)) if source == "dropout" else None


def _network(config: ClassificationConfig) -> nn.Module:
    reduction = config.reduction
    return build_model(
        config.model.name,
        in_channels=reduction.components if reduction.method == "pca" else _BANDS,
        num_classes=2,
        window=config.model.window,
        options=config.model.options,
        generator=torch.Generator(),
    )
