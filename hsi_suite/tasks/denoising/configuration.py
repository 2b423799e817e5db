"""The configuration of a denoiser's training, and what it leaves to chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from ...config import load_tree, validate
from ...models.building import build_denoiser
from ...runs.chance import absent_dropout
from ...schemas.denoising import DenoisingConfig
from ..shared.model_options import configured
from ..shared.named_options import named_keys, replace_source

_DEFAULT_MODEL = "residual_unet"
# What a user may name directly, and the key of the configuration that it sets.
_OPTIONS = {
    "images": ("data", "images"),
    "folder": ("data", "folder"),
    "model": ("model", "name"),
    "epochs": ("train", "epochs"),
    "seed": ("seeds", "base"),
    "device": ("device",),
    "threads": ("threads",),
}
_SOURCES = ("images", "folder")


def denoising_config(
    *,
    config: str = "denoising/default_denoiser",
    options: Mapping[str, Any] | None = None,
    settings: Sequence[str] = (),
) -> DenoisingConfig:
    """The configuration of a denoiser's training: a named one, options, then settings.

    Args:
        config: name or path of a configuration.
        options: images, folder, model, epochs, seed, device, threads; None leaves a key alone.
        settings: "a.b=c" texts, as of `--set`.

    Raises:
        ConfigError: a key or value is wrong.
    """
    tree = named_keys(options, _OPTIONS, "no option of a denoiser's training")
    replace_source(tree, _SOURCES, settings)
    given = configured(load_tree(config), tree, settings, _DEFAULT_MODEL, DenoisingConfig)
    return validate(DenoisingConfig, given, config)


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
