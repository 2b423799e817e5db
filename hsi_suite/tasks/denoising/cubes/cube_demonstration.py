"""Noise added to a clean cube, so that anybody can see what denoising gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ....data.formats.cube_file import CubeFile, WholeArray
from ....data.noise import add_band_noise, add_dead_lines, add_gaussian, add_impulses, add_stripes
from ....data.noise_cases import CASES, NoiseCase, add_noise_case
from ....errors import InputFileError

CubeNoise = Literal["gaussian", "bands", "stripes", "dead-lines", "impulses"] | NoiseCase
# Shares of the columns, or of the values, that are struck.
_STRIPES, _DEAD, _IMPULSES = 0.1, 0.02, 0.01


def with_noise(
    file: CubeFile, kind: CubeNoise, sigma: float, seed: int, marked: Sequence[int] = ()
) -> CubeFile:
    """A cube's file as if its values (float32 then) had this noise; it is read whole.

    Args:
        file: open; what it holds counts as clean.
        kind: gaussian; bands (σ of each band drawn evenly from 0 to 2 · `sigma`); or gaussian
            and besides: stripes (columns of a tenth of the detectors are off by 2 · `sigma`),
            dead-lines (2 % of the columns of each band are 0) or impulses (1 % of the values are
            the cube's lowest or highest); or a case of `data.noise_cases`.
        sigma: standard deviation of the noise, in the units of the cube.
        seed: of the draws.
        marked: bands, from 0, that the file marks as bad: they stay as they are.

    Raises:
        InputFileError: values of other bands are missing, so that nobody knows what is clean.
    """

    def noisy() -> NDArray[Any]:
        clean = file.read().astype(np.float32)
        missing = ~np.isfinite(clean)
        if file.nodata is not None:
            with np.errstate(over="ignore"):
                missing |= clean == np.asarray(file.nodata).astype(np.float32)
        missing[..., list(marked)] = False
        if missing.any():
            raise InputFileError(
                file.path, f"misses {int(missing.sum()):,} values", "a clean cube to add noise to"
            )
        if not marked:
            return _add(clean, kind, sigma, np.random.default_rng(seed))
        good = np.setdiff1d(np.arange(clean.shape[2]), marked)
        clean[..., good] = _add(clean[..., good], kind, sigma, np.random.default_rng(seed))
        return clean

    source = WholeArray(file.path, file.shape, np.dtype(np.float32), noisy)
    return replace(file, source=source)


def _add(
    clean: NDArray[np.float32], kind: CubeNoise, sigma: float, generator: np.random.Generator
) -> NDArray[np.float32]:
    if kind in CASES:
        return add_noise_case(clean, kind, sigma, generator)
    if kind == "bands":
        sigmas = [float(each) for each in generator.uniform(0, 2 * sigma, (clean.shape[2],))]
        return add_band_noise(clean, sigmas, generator)
    noisy = add_gaussian(clean, sigma, generator)
    if kind == "stripes":
        return add_stripes(noisy, _STRIPES, 2 * sigma, generator)
    if kind == "dead-lines":
        return add_dead_lines(noisy, _DEAD, generator)
    if kind == "impulses":
        low, high = float(clean.min()), float(clean.max())
        return add_impulses(noisy, _IMPULSES, generator, low, high)
    return noisy
