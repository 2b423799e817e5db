"""The configuration of a denoiser's training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...config import load_tree, validate
from ...data.public.image_sets import check_image_set_name
from ...errors import ConfigError
from ...schemas.denoising import DenoisingConfig
from ..shared.model_options import configured
from ..shared.named_options import named_keys, replace_source
from .weight_files import find_weights

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
WEIGHTS = ("weights", "grey_weights", "blind_weights", "guided_weights")
"""Keys of the model that name what a training begins from."""


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
        ConfigError: a key or value is wrong, or all images are for the validation.
        UnknownNameError: no set of images has the name.
        InputFileError: weights to begin from are not there.
    """
    tree = named_keys(options, _OPTIONS, "no option of a denoiser's training")
    replace_source(tree, _SOURCES, settings)
    given = configured(load_tree(config), tree, settings, _DEFAULT_MODEL, DenoisingConfig)
    found = validate(DenoisingConfig, given, config)
    if found.data.images is not None:
        refuse_validation(found.data.validation, check_image_set_name(found.data.images).count)
    for key in WEIGHTS:
        if (named := getattr(found.model, key)) is not None:
            find_weights(named)
    return found


def refuse_validation(validation: int, images: int) -> None:
    """Refuse a validation part that leaves no image to learn from.

    Args:
        validation: images that are set apart.
        images: that there are.

    Raises:
        ConfigError: it takes all.
    """
    if validation >= images:
        raise ConfigError(
            "data.validation",
            f"{validation} of {images} images",
            "fewer than there are",
            "add images or lower data.validation",
        )
