"""Denoising of arrays: grey and colour images, and cubes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..engine.devices import computing, resolve_device
from ..engine.observer import Observer
from ..engine.tiles import Tiling
from ..errors import ShapeError
from ..memory import DEFAULT_MEMORY_LIMIT
from ..runs.machine import available_threads
from ..tasks.denoising.cube_denoising import Mode, denoise_cube
from ..tasks.denoising.denoiser import Denoiser as Network
from ..tasks.denoising.image_restoration import Restoration, known_noise, restore
from ..tasks.denoising.noise_estimation import estimate_image_noise
from ..tasks.denoising.plane_denoising import grey_plane_denoiser
from ..tasks.denoising.weights import load_weights
from ..tasks.denoising.white_level import on_unit_scale
from .arrays import as_cube

_LEVELS = 255.0
_SIDE = 256  # of the tiles of images: more is no faster
_COLOURS = 3


def denoise(
    array: Any,
    sigma: float | None = None,
    *,
    weights: str | Path | None = None,
    white: float | None = None,
    strength: float = 1.0,
    mode: Mode = "subspace",
    repair: bool = False,
    device: str = "auto",
    threads: int | None = None,
    observer: Observer | None = None,
) -> Any:
    """An image or a cube without its noise; what `hsi denoise` does with files.

    Args:
        array: lines × samples, lines × samples × 3 (RGB), or a cube of lines × samples × bands, of
            whole or real numbers; an `xarray.DataArray` is always a cube. Of cubes, values that are
            not finite count as missing.
        sigma: standard deviation of the noise: of images on the scale on which white is 255, of
            cubes in their own units; None estimates it, of cubes band by band.
        weights: a shipped name, a file of weights or a run's folder; None takes the default.
        white: of images: the value that is white; None: the largest of the type for whole numbers,
            1 for real ones.
        strength: share of the change that is made, 0 to 1.
        mode: of cubes: "subspace", or "bands" to denoise each band alone.
        repair: of cubes: replace dead bands and missing values.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        observer: reports progress; None keeps quiet.

    Returns:
        Of an image an array of its type and shape; of a cube real numbers (float32, or float64
        where float32 cannot hold the input's type), a `DataArray` where one was given. What has to
        be known of an estimated noise is warned of (`UserWarning`).

    Raises:
        ShapeError: the array has other dimensions, or is too small to estimate the noise from.
        ConfigError: weights that do not suit it, or a white that cannot be known.

    >>> import numpy as np
    >>> noisy = 100 + np.random.default_rng(0).normal(0, 20, (32, 32))
    >>> clean = denoise(np.clip(noisy, 0, 255).astype(np.uint8), sigma=20)
    >>> clean.dtype, bool(clean.std() < 5)
    (dtype('uint8'), True)
    """
    where, number = torch.device(resolve_device(device)), threads or available_threads()
    with computing(where, number, True):
        network = load_weights(weights, where)
        how = Restoration(strength)
        if not hasattr(array, "dims") and _is_image(np.asarray(array)):
            return _image(np.asarray(array), sigma, white, network, how, observer)
        return _cube(array, sigma, network, how, mode, repair, observer)


def _is_image(array: NDArray[Any]) -> bool:
    return array.ndim == 2 or (array.ndim == 3 and array.shape[2] == _COLOURS)


def _image(
    image: NDArray[Any],
    sigma: float | None,
    white: float | None,
    network: Network,
    how: Restoration,
    observer: Observer | None,
) -> NDArray[Any]:
    if image.dtype.kind not in "uif" or not image.size:
        raise ShapeError("image", f"{image.dtype} of shape {image.shape}", "pixels as numbers")
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise ShapeError("image", "values that are not finite", "numbers")
    level = _white(image, white)
    if sigma is None and network.network.takes_noise_map:
        estimated = estimate_image_noise(image, level, network)
        sigmas = estimated.sigmas
        for remark in estimated.remarks:
            warnings.warn(remark, stacklevel=3)
    else:
        sigmas = known_noise((sigma or 0.0) / _LEVELS, network, image)
    radius: Any = network.network.receptive_radius
    multiple: Any = network.network.multiple
    tiling = Tiling(None, 0, 1) if radius is None else Tiling(_SIDE, radius, multiple)
    return restore(network, image, level, sigmas, tiling, how, dtype=image.dtype, observer=observer)


def _white(image: NDArray[Any], given: float | None) -> float:
    if given is not None:
        return given
    if image.dtype.kind != "f":
        return float(np.iinfo(image.dtype).max)
    if not on_unit_scale(image):
        found = f"real numbers from {image.min():.4g} to {image.max():.4g}"
        raise ShapeError("image", found, "values from 0 to 1", "name the value that is white")
    return 1.0


def _cube(
    array: Any,
    sigma: float | None,
    network: Network,
    how: Restoration,
    mode: Mode,
    repair: bool,
    observer: Observer | None,
) -> Any:
    given = as_cube(array)
    result = denoise_cube(
        given.values,
        grey_plane_denoiser(network, how, None, DEFAULT_MEMORY_LIMIT),
        observer=observer,
        sigma="auto" if sigma is None else sigma,
        mode=mode,
        repair=repair,
        strength=how.strength,
        wavelengths=given.wavelengths,
    )
    if given.template is None:
        return result.cube
    return given.template.copy(data=result.cube)
