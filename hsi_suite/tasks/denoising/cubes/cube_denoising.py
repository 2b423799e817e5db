"""Cubes without their noise: each eigen-image through a denoiser of grey images.

The noise of each band is made equal, the spectra are projected on the few directions that hold
signal, their coefficients are images whose noise is 1, and those are denoised and projected back
(after FastHyDe: Zhuang & Bioucas-Dias, JSTARS 2018, arXiv 2103.06842, with the noise per band).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, TypedDict, Unpack, get_args

import numpy as np
from numpy.typing import NDArray

from ....engine.observer import Observer
from ....errors import ConfigError, ShapeError
from ....memory import memory_text
from ....restoration.band_noise import BandMoments, band_moments, estimate_band_noise
from ....restoration.cube import CubeRestoration
from ....restoration.cube_lines import ArrayLines, CubeLines, line_blocks
from ....restoration.damage import Damage, band_positions, find_damage
from ....restoration.planes import PlaneDenoiser
from ....restoration.repairs import Repairs
from ....restoration.stripes import StripeSums
from ....restoration.subspace import check_rank, every_band, fit_subspace
from ....restoration.unexplained import Unexplained
from .eigen_images import denoise_planes, together_bytes
from .fault_search import FaultSearch
from .filled_lines import FilledLines
from .mixed_noise import MixedNoise
from .rare_signals import RareSignals

Values = NDArray[np.float64]
Sigma = Literal["auto"] | float | Sequence[float] | NDArray[np.floating]
Rank = Literal["auto"] | int
Mode = Literal["subspace", "robust", "bands"]
MODES: tuple[Mode, ...] = get_args(Mode)
# Faults hide others by what they do to the noise and the subspace that are estimated with them.
_FAULT_ROUNDS = 2
# Of the values: fewer that are odd may be lines of one band, and their removal gains little.
_FEW_ODD_VALUES = 1e-4
# Noise is a part of the spread; what is given may be rounded up.
_SPREAD_MARGIN = 1.2


class CubeChoices(TypedDict, total=False):
    """How a cube is denoised; each may be left out.

    Attributes:
        sigma: standard deviation of the noise in the units of the cube: one for all bands, one
            for each, or "auto", which estimates one for each.
        rank: number of eigen-images, or "auto"; of no meaning in mode "bands".
        mode: "subspace"; "robust", the same after a search for stripes, stuck and odd values, which
            repairs what is wrong; or "bands" to denoise each band alone.
        repair: replace dead bands by their denoised neighbours, missing values by what the other
            bands say, and single odd values even where they are few; by default these keep their
            values.
        non_local: denoise eigen-images a second time together, by what pixels with alike spectra
            say; of no meaning in mode "bands".
        strength: share of the change that is made, 0 to 1.
        plane_bytes: that the planes may take; None: as many as they need.
    """

    sigma: Sigma
    rank: Rank
    mode: Mode
    repair: bool
    non_local: bool
    strength: float
    plane_bytes: float | None


class CubeOptions(CubeChoices, total=False):
    """The choices, and what is known of a cube; each may be left out.

    Attributes:
        valid: lines × samples, False where a pixel is to be left alone; None: nowhere.
        nodata: the value that marks missing values; None: NaN and infinity alone.
        wavelengths: of the bands, in nm; None: neighbours are taken to be equally far apart.
        marked: bands, from 0, that are taken for dead, whatever they hold.
    """

    valid: NDArray[np.bool_] | None
    nodata: float | None
    wavelengths: NDArray[np.float64] | None
    marked: Sequence[int]


@dataclass(frozen=True)
class CubeDenoising:
    """A denoised cube.

    Attributes:
        cube: lines × samples × bands, float32, or float64 where float32 cannot hold the input's
            type.
        sigma_per_band: standard deviation of the noise, in the cube's units; NaN in dead bands.
        rank: number of eigen-images; None when band after band was denoised.
        damage: what of the cube could not be used.
        missing_values: of the valid pixels in live bands, dead lines included.
        repaired: whether dead bands and missing values were replaced.
        unexplained: pixels whose rare signals were put back, and single odd values.
        repairs: what mode "robust" found wrong with single values; None in other modes.
        shares: of what alike pixels say in each eigen-image, 0 to 1; None where they were not
            asked.
    """

    cube: NDArray[np.floating]
    sigma_per_band: Values
    rank: int | None
    damage: Damage
    missing_values: int
    repaired: bool
    unexplained: Unexplained
    repairs: Repairs | None
    shares: Values | None


def denoise_cube(
    cube: NDArray[Any],
    denoiser: PlaneDenoiser,
    *,
    observer: Observer | None = None,
    **options: Unpack[CubeOptions],
) -> CubeDenoising:
    """Denoise a cube in memory; see `restore_lines`.

    Args:
        cube: lines × samples × bands, of any scale.
        denoiser: of grey images.
        observer: reports progress.
        options: see `CubeOptions`.

    Raises:
        HsiSuiteError: as `restore_lines`.
    """
    if cube.ndim != 3 or cube.size == 0:
        raise ShapeError("cube", f"shape {cube.shape}", "lines × samples × bands")
    restoration = restore_lines(ArrayLines(cube), denoiser, observer=observer, **options)
    restored = np.empty(cube.shape, np.result_type(cube.dtype, np.float32))
    for first, last in line_blocks(restoration.shape):
        restored[first:last] = restoration.read(first, last, restored.dtype)
    return CubeDenoising(
        restored,
        restoration.sigma,
        restoration.rank,
        restoration.damage,
        restoration.missing_values,
        restoration.repair,
        restoration.unexplained,
        restoration.repairs,
        restoration.shares,
    )


def restore_lines(
    cube: CubeLines,
    denoiser: PlaneDenoiser,
    *,
    observer: Observer | None = None,
    sigma: Sigma = "auto",
    rank: Rank = "auto",
    mode: Mode = "subspace",
    repair: bool = False,
    non_local: bool = True,
    strength: float = 1.0,
    plane_bytes: float | None = None,
    valid: NDArray[np.bool_] | None = None,
    nodata: float | None = None,
    wavelengths: NDArray[np.float64] | None = None,
    marked: Sequence[int] = (),
) -> CubeRestoration:
    """Denoise the eigen-images of a cube of which only blocks of lines are in memory at a time.

    The planes are in memory as a whole: as many float32 values for each pixel as the rank says,
    or as there are bands in mode "bands". The cube is read five times (in mode "bands" four),
    where it has faults eight times (in mode "robust" thirteen), and once more for the result.

    Args:
        cube: what is denoised.
        denoiser: of grey images.
        observer: reports progress.
        sigma: see `CubeChoices` and `CubeOptions`, as all that follow.
        rank: of the subspace.
        mode: "subspace", "robust" or "bands".
        repair: replace dead bands and missing values.
        non_local: denoise eigen-images a second time together.
        strength: share of the change that is made.
        plane_bytes: that the planes may take.
        valid: pixels to denoise.
        nodata: the value that marks missing values.
        wavelengths: of the bands.
        marked: bands to take for dead.

    Raises:
        ConfigError: a negative σ, an impossible rank, an unknown mode, or planes that take too
            much memory.
        ShapeError: not one σ for each band, a single band (in mode "robust" fewer than 10), a mask
            of another size, or too few pixels for the bands.
        InputFileError: nothing in the cube varies.
    """
    observer = observer or Observer()
    if mode not in MODES:
        raise ConfigError("mode", repr(mode), ", ".join(MODES))
    bands = cube.shape[2]
    # As soon as it is known; dead bands may make it less.
    check_rank(rank, bands)
    given = _given_sigma(sigma, bands)
    observer.message("looking for dead bands and lines")
    damage = find_damage(cube, valid, nodata, marked)
    positions = band_positions(wavelengths, bands)
    live = damage.live_bands
    known = None if given is None else given[live]
    if mode == "robust":
        repair = True
        if plane_bytes is not None:
            plane_bytes -= StripeSums.work_bytes(cube.shape)
        mixed = MixedNoise(cube, damage, positions, known)
        mixed.settle(observer)
        reader: FilledLines = mixed.reader
        moments, noise = mixed.moments, mixed.noise
    else:
        reader = FilledLines(cube, damage, positions)
        moments, noise = _without_faults(reader, known, observer)
    if mode == "bands":
        subspace = every_band(moments.mean, noise)
    else:
        subspace = fit_subspace(moments, noise, rank)
    if given is not None:
        _check_against_spread(noise, moments)
    together = non_local and mode != "bands"
    _check_plane_bytes(subspace.rank, cube.shape, plane_bytes, together=together)
    levels = noise / subspace.scale if mode == "bands" else reader.noise_of_planes(subspace)
    planes = reader.project(subspace, observer)
    again = partial(reader.project_lines, subspace) if together else None
    shares = denoise_planes(planes, levels, denoiser, damage, observer, again)
    unexplained = RareSignals(reader, subspace, planes).put_back(observer)
    unexplained = replace(unexplained, filled=reader.odd_places)
    few = max(1, _FEW_ODD_VALUES * int(damage.valid.sum()) * len(live))
    unexplained = replace(unexplained, odd_stay=not repair and unexplained.odd_values <= few)
    everywhere = np.full(bands, np.nan)
    everywhere[live] = noise
    return CubeRestoration(
        cube,
        damage,
        everywhere,
        subspace,
        planes,
        None if mode == "bands" else subspace.rank,
        reader.missing_values,
        repair,
        positions,
        unexplained,
        strength,
        valid,
        reader.repairs,
        shares,
    )


def _without_faults(
    reader: FilledLines, given: Values | None, observer: Observer
) -> tuple[BandMoments, Values]:
    """Moments and noise of what is left where the reader fills faults, which are found here."""
    for more in reversed(range(_FAULT_ROUNDS + 1)):
        moments = band_moments(reader.spectra(observer))
        noise = estimate_band_noise(moments, reader.cube, reader.damage) if given is None else given
        if not more or moments.count <= len(noise):
            break
        search = FaultSearch(reader, fit_subspace(moments, noise), observer)
        reader.faults = None
        reader.faults = search.find(observer)
        if reader.faults is None:
            break
    return moments, noise


def _check_against_spread(noise: Values, moments: BandMoments) -> None:
    """Refuse a σ that the values themselves do not reach: it is then in other units."""
    spread = np.sqrt(np.diag(moments.covariance))
    worst = int(np.argmax(noise - _SPREAD_MARGIN * spread))
    if noise[worst] > _SPREAD_MARGIN * spread[worst]:
        raise ConfigError(
            "sigma",
            f"{noise[worst]:g}, and a band's values spread by {spread[worst]:.3g} in all",
            "the noise in the units of the cube",
        )


def _check_plane_bytes(
    rank: int, shape: tuple[int, int, int], allowed: float | None, *, together: bool
) -> None:
    alone = needed = 4.0 * rank * shape[0] * shape[1]
    if together:
        needed += together_bytes(rank, *shape[:2])
    if allowed is not None and needed > allowed:
        planes = f"{rank} planes of {shape[0]:,} × {shape[1]:,} pixels"
        raise ConfigError(
            "memory limit",
            f"{planes}{' and their non-local step' if together else ''} take {memory_text(needed)}",
            f"at most {memory_text(allowed)} beside the rest",
            f"raise --memory-limit by {memory_text(needed - allowed)}"
            + (", or leave that step out with --local" if together and alone <= allowed else ""),
        )


def _given_sigma(sigma: Sigma, bands: int) -> Values | None:
    """One σ for each band; None for "auto"."""
    if isinstance(sigma, str):
        if sigma != "auto":
            raise ConfigError("sigma", repr(sigma), "auto, a number, or one for each band")
        return None
    values = np.asarray(sigma, np.float64)
    if values.ndim and values.shape != (bands,):
        raise ShapeError("sigma", f"shape {values.shape}", f"one value for each of {bands} bands")
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise ConfigError("sigma", f"{values.min()}", "0 or more")
    return np.broadcast_to(values, bands).copy()
