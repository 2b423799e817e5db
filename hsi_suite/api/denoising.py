"""Denoising of arrays: grey and colour images, and cubes."""

from __future__ import annotations

import math
import os
from typing import Any, get_args, overload

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from ..arguments import checked
from ..engine.devices import computing, resolve_device
from ..errors import ConfigError
from ..runs.folder import Run
from ..runs.machine import available_threads
from ..tasks.denoising.cubes.cube_denoising import CubeChoices, Mode
from ..tasks.denoising.denoiser import Denoiser as Network
from ..tasks.denoising.image_restoration import image_noise
from ..tasks.denoising.photographs.network_choice import Networks, Noise
from ..tasks.denoising.photographs.noise_estimation import estimate_image_noise
from ..tasks.denoising.restoration_settings import Restoration
from .array_denoising import denoised_cube, denoised_image, is_image, level_of, measured
from .arrays import as_image
from .progress import progress

_LEVELS = 255.0
# Half precision is too short to compute with, and is given back.
_HALF = np.dtype(np.float16)

Weights = str | os.PathLike[str] | Run | None


class Denoiser(BaseEstimator):  # type: ignore[misc]
    """Takes the noise off images and cubes; the weights are read once.

    A call does what `hsi denoise` does with files. In a scikit-learn pipeline it is a transformer
    that learns nothing.

    Args:
        weights: a shipped name, a file of ours, a public DnCNN checkpoint (.pth, .mat), a finished
            run or its folder; None takes the default.
        sigma: standard deviation of the noise: of images on the scale on which white is 255, of
            cubes in their own units; None estimates it, of cubes band by band.
        noise: of images, where neither weights nor sigma are given: "gaussian", "camera" or "jpeg"
            takes the weights for it; "auto" looks at each image, and leaves a clean one as it is.
        white: of images: the value that is white; None: the largest of the type for whole numbers
            of 8 and 16 bits without a sign, 1 for all others, see `denoise`.
        strength: share of the change that is made, 0 to 1.
        mode: of cubes: "subspace"; "robust", which also finds and mends stripes, stuck and odd
            values; or "bands" to denoise each band alone.
        repair: of cubes: replace dead bands and missing values.
        non_local: of cubes: denoise eigen-images a second time together, by what pixels with alike
            spectra say; without it a cube takes a fifth to four fifths of the time.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        verbose: 0 reports no progress.

    Raises:
        UnknownNameError: no such weights.
        InputFileError: the file holds something else.

    >>> import numpy as np
    >>> noisy = 100 + np.random.default_rng(0).normal(0, 20, (32, 32))
    >>> clean = Denoiser(sigma=20)(np.clip(noisy, 0, 255).astype(np.uint8))
    >>> clean.dtype, bool(clean.std() < 5)
    (dtype('uint8'), True)
    """

    @checked
    def __init__(
        self,
        weights: Weights = None,
        *,
        sigma: float | None = None,
        noise: Noise = "auto",
        white: float | None = None,
        strength: float = 1.0,
        mode: Mode = "subspace",
        repair: bool = False,
        non_local: bool = True,
        device: str = "auto",
        threads: int | None = None,
        verbose: bool | int = 1,
    ) -> None:
        self.weights = weights
        self.sigma = sigma
        self.noise = noise
        self.white = white
        self.strength = strength
        self.mode = mode
        self.repair = repair
        self.non_local = non_local
        self.device = device
        self.threads = threads
        self.verbose = verbose
        self._loaded: tuple[Any, Networks] | None = None
        self._network()

    @property
    def trained_sigma(self) -> tuple[float, float] | None:
        """Lowest and highest σ of the training, on the scale 0 to 255; None where unknown."""
        return self._network().header.sigma

    @property
    def channels(self) -> int:
        """What the network was trained on: 1 for grey images, 3 for RGB."""
        return self._network().header.in_channels

    @overload
    def __call__(self, array: NDArray[Any], sigma: float | None = None) -> NDArray[Any]: ...
    @overload
    def __call__(self, array: Any, sigma: float | None = None) -> Any: ...
    @checked
    def __call__(self, array: Any, sigma: float | None = None) -> Any:
        """An image or a cube without its noise.

        Args:
            array: lines × samples, lines × samples × 3 (RGB), or a cube of lines × samples ×
                bands, of whole or real numbers; an `xarray.DataArray` is always a cube. Of cubes,
                values that are not finite count as missing.
            sigma: instead of the one of the denoiser.

        Returns:
            Of an image an array of its type and shape; of a cube real numbers (float32, or float64
            where float32 cannot hold the input's type), a `DataArray` where one was given. What
            has to be known of an estimated noise, and noise stronger than the weights were trained
            for, is warned of (`UserWarning`).

        Raises:
            ShapeError: the array has other dimensions, or is too small to estimate the noise.
            ConfigError: weights that do not suit it, or an impossible σ, white or strength.
        """
        sigma = self.sigma if sigma is None else sigma
        self._check(sigma)
        observer = progress(self.verbose)
        how = Restoration(float(self.strength))
        with computing(self._device(), self.threads or available_threads(), True):
            if is_image(array):
                image = as_image(array)
                clean = denoised_image(image, sigma, self.white, self._networks(), how, observer)
                half = isinstance(array, np.ndarray) and array.dtype == _HALF
                return clean.astype(_HALF) if half else clean
            choices: CubeChoices = {
                "sigma": "auto" if sigma is None else sigma,
                "mode": self.mode,
                "repair": bool(self.repair),
                "non_local": bool(self.non_local),
                "strength": how.strength,
            }
            return denoised_cube(array, self._network(), how, choices, observer)

    def denoise(self, array: Any, sigma: float | None = None) -> Any:
        """The same as a call of the denoiser."""
        return self(array, sigma)

    def transform(self, array: Any) -> Any:
        """The same as a call, by the name that pipelines of scikit-learn know."""
        return self(array)

    def fit(self, array: Any = None, labels: Any = None) -> Denoiser:
        """The same as doing nothing: there is nothing to learn; for pipelines."""
        return self

    @checked
    def estimate_sigma(self, image: ArrayLike) -> float:
        """The noise of an image, on the scale on which white is 255.

        Args:
            image: lines × samples (× 3).

        Raises:
            ShapeError: it is no image, or has too few pixels to tell.
            ConfigError: weights without a σ map, which cannot tell.
        """
        network = self._network()
        if not network.network.takes_noise_map:
            raise ConfigError("weights", "a network without a σ map", "one with, as the default")
        given = measured(as_image(image))
        with computing(self._device(), self.threads or available_threads(), True):
            level = level_of(given, self.white, 0)
            seen = given if not level.black else given.astype(np.float32) - np.float32(level.black)
            estimated = estimate_image_noise(seen, level.value, network)
        return image_noise(estimated.sigmas) * _LEVELS

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def _network(self) -> Network:
        """The network of cubes and of known noise."""
        return self._networks().likely

    def _networks(self) -> Networks:
        """The weights, read again only where a parameter names others."""
        key = (self.weights, self.noise, self.device)
        if self._loaded is None or self._loaded[0] != key:
            weights = self.weights.path if isinstance(self.weights, Run) else self.weights
            place = None if weights is None else os.fspath(weights)
            self._loaded = (key, Networks(place, self.noise, self._device()))
        return self._loaded[1]

    def _device(self) -> torch.device:
        return torch.device(resolve_device(self.device))

    def _check(self, sigma: float | None) -> None:
        if self.noise not in get_args(Noise):
            raise ConfigError("noise", f"{self.noise!r}", f"one of {', '.join(get_args(Noise))}")
        if self.noise != "auto" and self.weights is not None:
            raise ConfigError("noise", "given beside weights", "one of the two")
        if self.noise in ("camera", "jpeg") and sigma is not None:
            raise ConfigError("sigma", f"given with noise={self.noise!r}", "one of the two")
        for name, value, highest in (
            ("sigma", sigma, np.inf),
            ("white", self.white, np.inf),
            ("strength", self.strength, 1.0),
        ):
            if value is None:
                continue
            lowest = 0 if name == "strength" else np.nextafter(0, 1)
            if not math.isfinite(value) or not lowest <= value <= highest:
                wanted = "0 to 1" if name == "strength" else "a number above 0"
                raise ConfigError(name, f"{float(value):g}", wanted)


@overload
def denoise(
    array: NDArray[Any],
    sigma: float | None = None,
    *,
    weights: Weights = None,
    noise: Noise = "auto",
    white: float | None = None,
    strength: float = 1.0,
    mode: Mode = "subspace",
    repair: bool = False,
    non_local: bool = True,
    device: str = "auto",
    threads: int | None = None,
    verbose: bool | int = 1,
) -> NDArray[Any]: ...
@overload
def denoise(
    array: Any,
    sigma: float | None = None,
    *,
    weights: Weights = None,
    noise: Noise = "auto",
    white: float | None = None,
    strength: float = 1.0,
    mode: Mode = "subspace",
    repair: bool = False,
    non_local: bool = True,
    device: str = "auto",
    threads: int | None = None,
    verbose: bool | int = 1,
) -> Any: ...
@checked
def denoise(
    array: Any,
    sigma: float | None = None,
    *,
    weights: Weights = None,
    noise: Noise = "auto",
    white: float | None = None,
    strength: float = 1.0,
    mode: Mode = "subspace",
    repair: bool = False,
    non_local: bool = True,
    device: str = "auto",
    threads: int | None = None,
    verbose: bool | int = 1,
) -> Any:
    """An image or a cube without its noise; what `hsi denoise` does with files.

    For many arrays a `Denoiser` reads its weights once.

    Args:
        array: lines × samples, lines × samples × 3 (RGB), or a cube of lines × samples × bands, of
            whole or real numbers; an `xarray.DataArray` is always a cube. Of cubes, values that are
            not finite count as missing.
        sigma: standard deviation of the noise: of images on the scale on which white is 255, of
            cubes in their own units; None estimates it, of cubes band by band.
        weights: as of `Denoiser`, and so are the others.
        noise: of images: what is known of their noise.
        white: of images: the value that is white; real numbers that are not on the scale 0 to 1,
            and whole ones of other types than uint8 and uint16, need it only where σ is said, else
            their own range serves (warned of).
        strength: share of the change that is made, 0 to 1.
        mode: of cubes: "subspace"; "robust", which also finds and mends stripes, stuck and odd
            values; or "bands" to denoise each band alone.
        repair: of cubes: replace dead bands and missing values.
        non_local: of cubes: denoise eigen-images a second time together, by what pixels with alike
            spectra say; without it a cube takes a fifth to four fifths of the time.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        verbose: 0 reports no progress.

    Returns:
        As a call of a `Denoiser`.

    Raises:
        ShapeError: the array has other dimensions, or is too small to estimate the noise.
        ConfigError: weights that do not suit it, or a white that cannot be known.
    """
    denoiser = Denoiser(
        weights, sigma=sigma, noise=noise, white=white, strength=strength, mode=mode, repair=repair,
        non_local=non_local, device=device, threads=threads, verbose=verbose,
    )  # fmt: skip
    return denoiser(array)
