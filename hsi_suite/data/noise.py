"""Noise of known strength on clean images and cubes, every draw from an explicit generator.

Images and cubes hold values of any scale, and σ is in their units; a σ said on the scale 0 to 255
is divided by 255 for images of 0 to 1. Nothing is clipped: a clipped sensor is another model, and
published scores of denoisers are for noise that is not clipped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, ShapeError

Image = NDArray[np.float32]


def add_gaussian(clean: Image, sigma: ArrayLike, generator: np.random.Generator) -> Image:
    """Independent normal noise.

    Args:
        clean: of any shape.
        sigma: standard deviation, one or an array that broadcasts to the shape of `clean`.
        generator: of the draws.

    Raises:
        ConfigError: a negative σ.
    """
    sigma = np.asarray(sigma, np.float32)
    _not_negative(sigma)
    draws = generator.standard_normal(clean.shape, np.float32)
    return np.asarray(clean + sigma * draws, np.float32)


def add_poisson_gaussian(
    clean: Image, gain: float, sigma: ArrayLike, generator: np.random.Generator
) -> Image:
    """Photon noise, whose variance grows with the signal, and the normal noise of the readout.

    Foi et al., TIP 2008, equation 2: variance = gain · signal + σ².

    Args:
        clean: of any shape; negative values count as no photons.
        gain: value of one photon, in units of the image.
        sigma: standard deviation of the readout, as of `add_gaussian`.
        generator: of the draws.

    Raises:
        ConfigError: a gain that is not positive, or a negative σ.
    """
    if not gain > 0:
        raise ConfigError("gain", f"{gain}", "the positive value of one photon")
    photons = generator.poisson(np.maximum(clean, 0).astype(np.float64) / gain)
    return add_gaussian((photons * gain).astype(np.float32), sigma, generator)


def add_band_noise(cube: Image, sigmas: Sequence[float], generator: np.random.Generator) -> Image:
    """Normal noise whose strength differs from band to band.

    Args:
        cube: lines × samples × bands.
        sigmas: standard deviation of each band.
        generator: of the draws.

    Raises:
        ShapeError: not one σ for each band.
        ConfigError: a negative σ.
    """
    if len(sigmas) != cube.shape[-1]:
        raise ShapeError("sigmas", f"{len(sigmas)} values", f"one for each of {cube.shape[-1]}")
    return add_gaussian(cube, np.asarray(sigmas, np.float32), generator)


def add_stripes(cube: Image, share: float, sigma: float, generator: np.random.Generator) -> Image:
    """Offsets of whole columns of samples, as a push-broom sensor's detectors have.

    Args:
        cube: lines × samples × bands; the lines run along the flight.
        share: of the columns of each band that are struck, 0 to 1.
        sigma: standard deviation of the offsets.
        generator: of the draws.

    Raises:
        ConfigError: a share outside 0 to 1, or a negative σ.
    """
    _not_negative(np.asarray(sigma))
    struck = _struck(cube.shape[1:], share, generator)
    offsets = generator.standard_normal(cube.shape[1:], np.float32) * np.float32(sigma)
    return np.asarray(cube + np.where(struck, offsets, np.float32(0)), np.float32)


def add_stripes_of(
    cube: Image, share: float, offsets: ArrayLike, generator: np.random.Generator
) -> Image:
    """As `add_stripes`, with given offsets.

    Args:
        cube: lines × samples × bands.
        share: of the columns of each band that are struck, 0 to 1.
        offsets: samples × bands, of the columns where they are struck.
        generator: of the draws.

    Raises:
        ConfigError: a share outside 0 to 1.
    """
    struck = _struck(cube.shape[1:], share, generator)
    return np.asarray(cube + np.where(struck, np.asarray(offsets, np.float32), 0), np.float32)


def add_dead_lines(
    cube: Image, share: float, generator: np.random.Generator, value: float = 0.0
) -> Image:
    """Columns of samples that a dead detector leaves at one value.

    Args:
        cube: lines × samples × bands; the lines run along the flight.
        share: of the columns of each band that are dead, 0 to 1.
        generator: of the draws.
        value: what a dead detector reads.

    Raises:
        ConfigError: a share outside 0 to 1.
    """
    dead = _struck(cube.shape[1:], share, generator)
    return np.where(dead, np.float32(value), cube).astype(np.float32)


def add_impulses(
    clean: Image,
    share: float,
    generator: np.random.Generator,
    low: float = 0.0,
    high: float = 1.0,
) -> Image:
    """Salt and pepper: single values thrown to one end of the range or the other.

    Args:
        clean: of any shape.
        share: of the values that are struck, 0 to 1; half of them low, half high on average.
        generator: of the draws.
        low: the value of pepper.
        high: the value of salt.

    Raises:
        ConfigError: a share outside 0 to 1.
    """
    struck = _struck(clean.shape, share, generator)
    ends = np.where(generator.random(clean.shape) < 0.5, np.float32(low), np.float32(high))
    return np.where(struck, ends, clean).astype(np.float32)


def _struck(
    shape: tuple[int, ...], share: float, generator: np.random.Generator
) -> NDArray[np.bool_]:
    if not 0 <= share <= 1:
        raise ConfigError("share", f"{share}", "0 to 1")
    return generator.random(shape) < share


def _not_negative(sigmas: NDArray[np.floating]) -> None:
    if not np.all(sigmas >= 0):
        raise ConfigError("sigma", f"{sigmas.min()}", "0 or more")
