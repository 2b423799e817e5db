"""What a denoiser's training leaves to chance."""

from __future__ import annotations

import torch
from torch import nn

from ...models.building import build_denoiser
from ...runs.chance import absent_dropout
from ...schemas.denoising import DenoisingConfig


def absent_source(config: DenoisingConfig, source: str) -> str | None:
    """Why there is no such source; None where there is."""
    if source == "split" and not config.data.validation:
        return "no validation images are set apart"
    if source == "init" and getattr(config.model, "weights", None) is not None:
        return "training starts from given weights"
    return absent_dropout(config, lambda: _network(config)) if source == "dropout" else None


def _network(config: DenoisingConfig) -> nn.Module:
    return build_denoiser(
        config.model.name, in_channels=1, options=config.model.options, generator=torch.Generator()
    )
