"""Which sources of chance a training has, and how one of them is set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from ...data.synthetic import SYNTHETIC_RECIPES
from ...errors import HsiSuiteError
from ...models.classical import CLASSICAL
from ...models.registry import MODELS, build_denoiser, build_example, build_model
from ...schemas.classification import ClassificationConfig
from ...schemas.denoising import DenoisingConfig
from ...schemas.image_classification import AugmentConfig, ImageClassificationConfig
from ...seeding import STREAMS, SeedStreams, derive_seed
from ...tasks.scenes.classifier import dropout_layers
from ..training import Config

_BANDS = 200


def with_base_seed(config: Config, seed: int, *, new_data: bool) -> Config:
    """The same training with every stream drawn from another base seed.

    Args:
        config: of the training.
        seed: the base seed.
        new_data: whether a synthetic scene is made from it as well.
    """
    changed = config.model_copy(update={"seeds": config.seeds.model_copy(update={"base": seed})})
    return _with_scene(changed, seed) if new_data and _generated(config) else changed


def with_source(config: Config, source: str, seed: int) -> Config:
    """The same training with one source of chance as a base seed would have it.

    Args:
        config: of the training; all else stays.
        source: as in the batch's key `vary`.
        seed: the base seed that the source is taken from.
    """
    if source == "data" and _generated(config):
        return _with_scene(config, seed)
    stream = "noise" if source == "data" else source
    seeds = config.seeds.model_copy(update={stream: SeedStreams(seed).seed(stream)})
    return config.model_copy(update={"seeds": seeds})


def fixed(config: Config, source: str) -> str | None:
    """The key of a configuration that already fixes a source of chance; None where none does."""
    if source == "data" and _generated(config):
        return None if config.data.seed is None else "data.seed"  # type: ignore[union-attr]
    stream = "noise" if source == "data" else source
    if stream in STREAMS and getattr(config.seeds, stream) is not None:
        return f"seeds.{stream}"
    return None


def absent(config: Config, source: str) -> str | None:
    """Why a training has no such source of chance; None where it has, or nobody can tell."""
    known: Mapping[type, Callable[[Any, str], str | None]] = {
        ClassificationConfig: _absent_from_scenes,
        DenoisingConfig: _absent_from_denoising,
        ImageClassificationConfig: _absent_from_images,
    }
    reason = known.get(type(config), _absent_elsewhere)(config, source)
    network = _network(config) if reason is None and source == "dropout" else None
    if network is not None and not dropout_layers(network):
        return f"{config.model.name} has no dropout"
    return reason


def _absent_from_scenes(config: ClassificationConfig, source: str) -> str | None:
    model = config.model.name
    if source == "data":
        return None if _generated(config) else "the scene was recorded, not generated"
    if source == "split":
        return "the split is read from a file" if config.split.kind == "file" else None
    if model in CLASSICAL:
        if source in ("order", "dropout", "augment"):
            return f"{model} is not trained step by step"
        return f"{model} with given settings draws nothing" if config.model.options else None
    if source == "augment" and not config.train.augmentation.active:
        return "nothing is augmented"
    return None


def _absent_from_denoising(config: DenoisingConfig, source: str) -> str | None:
    if source == "split" and not config.data.validation:
        return "no validation images are set apart"
    if source == "init" and getattr(config.model, "weights", None) is not None:
        return "training starts from given weights"
    return None


def _absent_from_images(config: ImageClassificationConfig, source: str) -> str | None:
    if source == "data":
        return "the images were recorded, not generated"
    if source == "augment" and config.augment == AugmentConfig():
        return "nothing is augmented"
    return None


def _absent_elsewhere(config: Config, source: str) -> str | None:
    if source == "augment":
        return "nothing is augmented"
    return "its data were recorded" if source == "data" and not _generated(config) else None


def _generated(config: Config) -> bool:
    """Whether the data are a synthetic scene with a seed of its own."""
    data: Any = config.data
    return hasattr(data, "seed") and getattr(data, "dataset", None) in SYNTHETIC_RECIPES


def _with_scene(config: Config, seed: int) -> Config:
    data: Any = config.data
    changed = data.model_copy(update={"seed": derive_seed(seed, "data")})
    return config.model_copy(update={"data": changed})


def _network(config: Config) -> nn.Module | None:
    """A network like the one to be trained; None where it takes the data to build it."""
    builders: Mapping[type, Callable[[Any], nn.Module]] = {
        ClassificationConfig: _scene_network,
        DenoisingConfig: _denoising_network,
        ImageClassificationConfig: _image_network,
    }
    build = builders.get(type(config))
    if build is None or config.model.name not in MODELS:
        return None
    try:
        return build(config)
    except HsiSuiteError:
        # Whatever does not fit is told by the run itself, which knows the data.
        return None


def _scene_network(config: ClassificationConfig) -> nn.Module:
    reduction = config.reduction
    return build_model(
        config.model.name,
        in_channels=reduction.components if reduction.method == "pca" else _BANDS,
        num_classes=2,
        window=config.model.window,
        options=config.model.options,
        generator=torch.Generator(),
    )


def _denoising_network(config: DenoisingConfig) -> nn.Module:
    return build_denoiser(
        config.model.name, in_channels=1, options=config.model.options, generator=torch.Generator()
    )


def _image_network(config: ImageClassificationConfig) -> nn.Module:
    return build_example(config.model.name, config.model.options)
