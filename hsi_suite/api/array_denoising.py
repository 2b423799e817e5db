"""One image or cube in memory without its noise."""

from __future__ import annotations

import inspect
import re
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.data_arrays import is_data_array
from ..data.photographs import Photograph
from ..data.scene import Scene
from ..engine.observer import Observer
from ..engine.tiles import Tiling
from ..errors import ShapeError
from ..memory import DEFAULT_MEMORY_LIMIT
from ..tasks.denoising.cubes.cube_denoising import CubeChoices, denoise_cube
from ..tasks.denoising.cubes.plane_denoising import grey_plane_denoiser
from ..tasks.denoising.denoiser import Denoiser as Network
from ..tasks.denoising.image_restoration import restore
from ..tasks.denoising.photographs.network_choice import Networks
from ..tasks.denoising.photographs.network_remarks import TAKES_NO_SIGMA, too_strong
from ..tasks.denoising.photographs.white_level import WhiteLevel, shifted_back, white_level
from ..tasks.denoising.restoration_settings import Restoration
from .arrays import as_cube, as_image

_LEVELS = 255.0
# Of the tiles of images: what lies around each is computed with it, which takes twice the time at
# 256 pixels.
_SIDE = 512
_COLOURS = 3
_PACKAGE = f"{__name__.partition('.')[0]}."
_OPTION = re.compile(r"--([a-z]+)")


def is_image(array: Any) -> bool:
    """Whether an array is an image and no cube."""
    if is_data_array(array) or isinstance(array, Scene):
        return False
    shape = as_image(array, any_shape=True).shape
    return len(shape) == 2 or (len(shape) == 3 and shape[2] == _COLOURS)


def denoised_image(
    image: NDArray[Any],
    sigma: float | None,
    white: float | None,
    networks: Networks,
    how: Restoration,
    observer: Observer,
) -> NDArray[Any]:
    """An image without its noise, of its own type; what is remarkable is warned of.

    Args:
        image: lines × samples (× 3).
        sigma: of its noise, on the scale 0 to 255; None: it is estimated.
        white: the value that is white, see `level_of`.
        networks: to choose from.
        how: it is restored.
        observer: counts tiles.

    Raises:
        ShapeError: it is too small to estimate its noise, or σ is said on a scale nobody knows.
    """
    values = measured(image)
    level = level_of(values, white, sigma)
    seen = values if not level.black else values.astype(np.float32) - np.float32(level.black)
    if level.remark:
        _warn(level.remark)
    seen, struck = networks.filled(seen, level, known=sigma is not None)
    if struck:
        _warn(struck)
    choice = networks.choose(seen, level.value, sigma=None if sigma is None else sigma / _LEVELS)
    network = choice.denoiser
    if network is None:
        _warn(choice.words)
        return shifted_back(seen.astype(np.float32), 0.0, image.dtype) if struck else image.copy()
    sigmas = choice.noise.sigmas
    if sigma is not None and not network.network.takes_noise_map:
        _warn(TAKES_NO_SIGMA)
    for remark in (*choice.noise.remarks, *too_strong(network, sigmas)):
        _warn(remark)
    radius, multiple = network.network.receptive_radius, network.network.multiple
    tiling = Tiling(None, 0, 1) if radius is None else Tiling(_SIDE, radius, multiple)
    clean = restore(
        network, seen, level.value, sigmas, tiling, how,
        dtype=seen.dtype, companion=choice.companion, shot=choice.noise.shot, observer=observer,
    )  # fmt: skip
    clean = choice.held(seen, clean, level.value)
    if not struck:
        choice.unclipped(seen, clean, level.value, how.strength)
    if values is image and not level.black:
        return clean
    return shifted_back(clean, level.black, image.dtype)


def _warn(remark: str) -> None:
    """Warn the caller of a remark; what it calls an option of the command is an argument here."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(_OPTION.sub(r"\1", remark), stacklevel=level)


def measured(image: NDArray[Any]) -> NDArray[Any]:
    """An image whose type says what is white, or real numbers of which it is asked.

    Nobody means the largest number of 32 or 64 bits, nor of those with a sign, by white: what
    comes of a list, or of arithmetic with pixels, has such a type.
    """
    pixels = image.dtype.kind == "u" and image.dtype.itemsize <= 2
    return image if pixels or image.dtype.kind == "f" else image.astype(np.float32)


def level_of(image: NDArray[Any], given: float | None, sigma: float | None) -> WhiteLevel:
    """What counts as white and black.

    Raises:
        ShapeError: σ is said, on a scale that nobody knows.
    """
    level = white_level(Photograph(image), None if given is None else float(given))
    if not level.known and sigma is not None:
        found = f"numbers from {image.min():.4g} to {image.max():.4g}"
        raise ShapeError(
            "image", found, "uint8, uint16 or values from 0 to 1", "name the value that is white"
        )
    return level


def denoised_cube(
    array: Any, network: Network, how: Restoration, choices: CubeChoices, observer: Observer
) -> Any:
    """A cube without its noise, in the form it was given in: an array, or a `DataArray`."""
    given = as_cube(array)
    result = denoise_cube(
        given.values,
        grey_plane_denoiser(network, how, None, DEFAULT_MEMORY_LIMIT),
        observer=observer,
        wavelengths=given.wavelengths,
        **choices,
    )
    if given.template is None:
        return result.cube
    return given.template.copy(data=result.cube)
