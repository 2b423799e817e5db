"""From a configuration to what a denoiser is trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from ...backbones import begin_silent
from ...checksums import hash_file
from ...data.images import ImageSet, load_images, read_folder
from ...data.photographs import read_header
from ...engine.observer import Observer
from ...errors import ConfigError
from ...models.guided_unet import GuidedUNet, guided_start
from ...models.refined_unet import RefinedUNet, refined_start
from ...models.residual_unet import blind_colour_start
from ...restoration.colour import LUMA
from ...schemas.denoising import WITHOUT_SIGMA, DenoisingConfig
from ...seeding import SeedStreams
from .configuration import WEIGHTS, refuse_validation
from .denoiser import Denoiser, DenoiserHeader, load_denoiser, untrained_denoiser
from .task import ImageDenoising
from .weight_files import find_weights

_LEVELS = 255.0


def load_training_images(config: DenoisingConfig, observer: Observer | None = None) -> ImageSet:
    """The images that a configuration names; the observer reports what else a folder holds.

    Raises:
        HsiSuiteError: they are not here, cannot be read, or are too few to set some apart.
    """
    data = config.data
    if data.images is not None:
        images = load_images(data.images, data.colour)
    else:
        assert data.folder is not None
        say = None if observer is None else observer.message
        images = read_folder(data.folder, data.colour, on_message=say)
        if say is not None and data.colour == "grey" and _any_colour(data.folder, images):
            say("images in colour are learnt from, and scored, by their luma")
    refuse_validation(data.validation, len(images))
    return images


def _any_colour(folder: str, images: ImageSet) -> bool:
    return any(read_header(Path(folder) / name).channels == 3 for name in images.names)


def starting_weights(config: DenoisingConfig) -> dict[str, str]:
    """The checksum of the weights that training starts from, by the key that names them.

    Raises:
        HsiSuiteError: there are no such weights.
    """
    given = {f"model.{key}": getattr(config.model, key) for key in WEIGHTS}
    return {key: hash_file(find_weights(name)) for key, name in given.items() if name is not None}


def initial_denoiser(config: DenoisingConfig, images: ImageSet, seeds: SeedStreams) -> Denoiser:
    """What training starts from: weights of the stream `init`, or those that were asked for.

    Those of `init` leave images as they are, where the network predicts their noise.

    Raises:
        ConfigError: the weights are of another network than the configuration's.
        RunError: they are damaged, or none of this project.
    """
    low, high = config.noise.sigma
    header = DenoiserHeader(
        model=config.model.name,
        options=dict(config.model.options),
        in_channels=1 if config.data.colour == "grey" else 3,
        noise=config.noise.kind,
        sigma=None if config.noise.kind in WITHOUT_SIGMA else (low, high),
        dataset=images.name,
    )
    denoiser = untrained_denoiser(header, torch.device(config.device), seeds.torch("init"))
    begin_silent(denoiser.network)
    if config.model.weights is not None:
        given = load_denoiser(find_weights(config.model.weights), torch.device(config.device))
        _refuse_other_network("model.weights", config.model.weights, given.header, header)
        denoiser.network.load_state_dict(given.network.state_dict())
    elif config.model.grey_weights is not None:
        _begin_from_grey(denoiser, config.model.grey_weights, config.model.grey_sigma)
    elif config.model.blind_weights is not None:
        assert config.model.guided_weights is not None
        _begin_refined(
            denoiser,
            config.model.blind_weights,
            config.model.guided_weights,
            config.model.guided_sigma,
        )
    return denoiser


def _begin_refined(
    denoiser: Denoiser, blind_weights: str, guided_weights: str, sigma: float
) -> None:
    network, header = denoiser.network, denoiser.header
    if not isinstance(network, RefinedUNet):
        raise ConfigError(
            "model.blind_weights",
            f"given for {header.model}",
            "refined_unet",
            "set model.name=refined_unet, or leave model.blind_weights out",
        )
    cpu = torch.device("cpu")
    blind = load_denoiser(find_weights(blind_weights), cpu)
    first = blind.network
    if isinstance(first, RefinedUNet):
        _refuse_other_network("model.blind_weights", blind_weights, blind.header, header)
        first = first.first
    else:
        options = {**header.options, "noise_map": False, "offset": True}
        wanted = replace(header, model="residual_unet", options=options)
        _refuse_other_network("model.blind_weights", blind_weights, blind.header, wanted)
    guided = load_denoiser(find_weights(guided_weights), cpu)
    wanted = replace(header, model="guided_unet")
    _refuse_other_network("model.guided_weights", guided_weights, guided.header, wanted)
    start = refined_start(first.state_dict(), guided.network.state_dict(), sigma / _LEVELS)
    network.load_state_dict(start)
    # It has learnt its part; so an epoch takes half the time.
    network.first.requires_grad_(False)


def _begin_from_grey(denoiser: Denoiser, weights: str, sigma: float) -> None:
    given = load_denoiser(find_weights(weights), torch.device("cpu"))
    network, header = denoiser.network, denoiser.header
    wanted = replace(
        header,
        model="residual_unet",
        in_channels=1,
        options={
            name: value
            for name, value in header.options.items()
            if name not in ("noise_map", "offset")
        },
    )
    _refuse_other_network("model.grey_weights", weights, given.header, wanted)
    grey = given.network.state_dict()
    if isinstance(network, GuidedUNet):
        network.load_state_dict(guided_start(grey))
        # It has learnt its part; so an epoch takes half the time.
        network.brightness.requires_grad_(False)
        return
    blind = not header.options.get("noise_map", True)
    if not blind or not header.options.get("offset") or header.in_channels == 1:
        raise ConfigError(
            "model.grey_weights",
            "given for another network",
            "guided_unet, or a blind residual_unet for colour with an offset",
            "set model.name=guided_unet, or noise_map=false and offset=true in model.options and "
            "data.colour=rgb",
        )
    network.load_state_dict(blind_colour_start(grey, sigma / _LEVELS, LUMA))


def _refuse_other_network(
    key: str, weights: str, found: DenoiserHeader, wanted: DenoiserHeader
) -> None:
    for name in ("model", "options", "in_channels"):
        if getattr(found, name) != getattr(wanted, name):
            raise ConfigError(
                key,
                f"{weights} has {name} {getattr(found, name)}",
                f"the configuration's {getattr(wanted, name)}",
                "choose weights of the same network, or set the model as it is there",
            )


def training_task(config: DenoisingConfig, images: ImageSet, seeds: SeedStreams) -> ImageDenoising:
    """The task of a resolved configuration; the stream `split` sets the validation apart.

    Raises:
        ShapeError: an image is smaller than a patch.
    """
    validation, train = _set_apart(config, len(images), seeds)
    return ImageDenoising(
        [images.images[index] for index in train],
        [images.images[index] for index in validation],
        config.noise,
        config.train,
        seeds,
        torch.device(config.device),
    )


def validation_images(config: DenoisingConfig, images: ImageSet) -> ImageSet:
    """Those of the images of a configuration that its training sets aside.

    Raises:
        ConfigError: it sets none aside.
    """
    indices, _ = _set_apart(config, len(images), config.streams)
    if not indices:
        raise ConfigError("data.validation", "0 images", "some, to score a denoiser on")
    return replace(
        images,
        name=f"{images.name} (validation)",
        names=tuple(images.names[index] for index in indices),
        images=tuple(images.images[index] for index in indices),
    )


def _set_apart(
    config: DenoisingConfig, count: int, seeds: SeedStreams
) -> tuple[list[int], list[int]]:
    """Which of the images are for validation, and which for training."""
    chosen = [int(index) for index in seeds.numpy("split").permutation(count)]
    validation = config.data.validation
    return sorted(chosen[:validation]), sorted(chosen[validation:])
