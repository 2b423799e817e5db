"""A scene without its noise, before anything is learnt from it.

What denoises is imported where a scene is denoised: others do without, and without scipy.stats.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...checksums import hash_file
from ...data.missing_data import MissingSurvey
from ...data.pixel_spectra import PixelSpectra
from ...data.readers import CubeFile, SceneFile
from ...data.reduction import fit_standardisation
from ...data.scene import Scene
from ...engine.observer import Observer
from ...errors import ConfigError
from ...memory import DEFAULT_MEMORY_LIMIT, memory_text
from ...restoration.cube import CubeRestoration
from ...restoration.cube_lines import line_blocks
from ...restoration.damage import Damage
from ...restoration.unexplained import Unexplained
from ...weights import DEFAULT_WEIGHTS, shipped_weights


@dataclass(frozen=True)
class SceneDenoising:
    """What was done to a scene.

    Attributes:
        weights: name of the shipped weights.
        checksum: SHA-256 of their file.
        rank: number of eigen-images.
        relative_noise: median over the bands of the noise's standard deviation against that of
            the band.
        dead_bands: bands left as they were, as nothing in them varies.
        rare_pixels: pixels with signals that noise does not explain, which were put back.
    """

    weights: str
    checksum: str
    rank: int
    relative_noise: float
    dead_bands: int
    rare_pixels: int

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of the weights by file name; part of a run's identity."""
        return {f"{self.weights}.safetensors": self.checksum}

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as metrics.json holds them."""
        return {
            "weights": self.weights,
            "rank": self.rank,
            "relative_noise": self.relative_noise,
            "dead_bands": self.dead_bands,
            "rare_pixels": self.rare_pixels,
        }

    def __str__(self) -> str:
        dead = f", {self.dead_bands} dead bands left alone" if self.dead_bands else ""
        rare = f", rare signals of {self.rare_pixels:,} pixels put back" if self.rare_pixels else ""
        return (
            f"denoised with {self.weights}: {self.rank} eigen-images, noise of "
            f"{100 * self.relative_noise:.1f} % of a band's spread (median){dead}{rare}"
        )


def denoise_scene(
    scene: Scene, device: torch.device, observer: Observer
) -> tuple[Scene, SceneDenoising]:
    """A scene with its cube denoised by the shipped weights, and what was done.

    This is transductive: noise, subspace and eigen-images come from all valid pixels of the
    scene, those of a later test part among them, and each pixel's neighbours take part in its new
    values. No label is looked at, and no split.

    Args:
        scene: its cube may be of any type and units; they stay, but whole numbers become floats.
        device: where the network computes.
        observer: reports progress.

    Raises:
        HsiSuiteError: the cube cannot be denoised: a single band, too few pixels, no variation.
    """
    from ..denoising.cubes.cube_denoising import denoise_cube
    from ..denoising.cubes.plane_denoising import grey_plane_denoiser
    from ..denoising.restoration_settings import Restoration
    from ..denoising.weights import load_weights

    observer.message(f"{scene.name}: denoising with {DEFAULT_WEIGHTS}")
    denoiser = load_weights(DEFAULT_WEIGHTS, device)
    result = denoise_cube(
        scene.cube,
        grey_plane_denoiser(denoiser, Restoration(), None, DEFAULT_MEMORY_LIMIT),
        observer=observer,
        valid=scene.valid,
        nodata=scene.nodata,
        wavelengths=scene.wavelengths,
    )
    live = result.damage.live_bands
    pixels = scene.cube if scene.valid is None else scene.cube[scene.valid]
    spread = np.nanstd(pixels.reshape(-1, scene.bands)[:, live].astype(np.float64), axis=0)
    assert result.rank is not None
    done = _described(result.rank, result.sigma_per_band, spread, result.damage, result.unexplained)
    return replace(scene, cube=result.cube), done


def _described(
    rank: int,
    sigma: NDArray[np.float64],
    spread: NDArray[np.float64],
    damage: Damage,
    unexplained: Unexplained,
) -> SceneDenoising:
    """What was done; `spread` is the standard deviation of the live bands."""
    return SceneDenoising(
        weights=DEFAULT_WEIGHTS,
        checksum=hash_file(shipped_weights(DEFAULT_WEIGHTS)),
        rank=rank,
        relative_noise=float(np.median(sigma[damage.live_bands] / spread)),
        dead_bands=len(damage.dead_bands),
        rare_pixels=unexplained.rare_pixels,
    )


def denoise_open_scene(
    scene: SceneFile, device: torch.device, memory_limit: float, observer: Observer
) -> tuple[SceneFile, SceneDenoising]:
    """A scene as `denoise_scene` makes it, whose denoised lines are made when they are read.

    The network's tiles are those of `denoise_scene`, whatever the limit, and so are the values.

    Args:
        scene: the noisy one.
        device: where the network computes.
        memory_limit: bytes for the whole process, of which eigen-images may take half.
        observer: reports progress.

    Raises:
        ConfigError: the limit is below the default, which the tiles are made for.
        HsiSuiteError: as `denoise_scene`, or the eigen-images take too much memory.
    """
    if memory_limit < DEFAULT_MEMORY_LIMIT:
        raise ConfigError(
            "--memory-limit",
            f"{memory_text(memory_limit)} with preprocess.denoise",
            f"at least {memory_text(DEFAULT_MEMORY_LIMIT)}",
            "raise it, or leave preprocess.denoise out",
        )
    file, lines = denoise_file(scene.cube, device, memory_limit, observer)
    made = lines.restoration
    spread = _spread(scene)[made.damage.live_bands]
    assert made.rank is not None
    done = _described(made.rank, made.sigma, spread, made.damage, made.unexplained)
    return replace(scene, cube=file), done


def _spread(scene: SceneFile) -> NDArray[np.float64]:
    """Standard deviation of each band over the valid pixels."""
    spectra = PixelSpectra(scene.cube)
    if scene.valid is not None:
        spectra = spectra.of(np.flatnonzero(scene.valid))
    # Dead bands, whose scale is 0, are nobody's business.
    with np.errstate(divide="ignore"):
        spread: NDArray[np.float64] = 1 / np.diag(fit_standardisation(spectra).matrix)
    return spread


@dataclass(frozen=True)
class DenoisedLines:
    """Lines of a denoised cube; a `LineSource` in the place of the noisy one.

    Attributes:
        restoration: reads the noisy lines.
        dtype: of the denoised ones.
    """

    restoration: CubeRestoration
    dtype: np.dtype[Any]

    @property
    def plane_bytes(self) -> int:
        """Memory that the denoised eigen-images take."""
        return self.restoration.planes.nbytes

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands."""
        return self.restoration.read(first_line, last_line, self.dtype)

    def close(self) -> None:
        """Close the noisy file."""
        if isinstance(self.restoration.source, CubeFile):
            self.restoration.source.close()


def denoise_file(
    file: CubeFile, device: torch.device, memory_limit: float, observer: Observer
) -> tuple[CubeFile, DenoisedLines]:
    """An open scene as `denoise_scene` makes it; only its eigen-images stay in memory.

    Args:
        file: the noisy scene, which stays open.
        device: where the network computes.
        memory_limit: bytes for the whole process, of which eigen-images may take half.
        observer: reports progress.

    Returns:
        The scene to read from, and where its lines come from.

    Raises:
        HsiSuiteError: as `denoise_scene`, or the eigen-images take too much memory.
    """
    from ..denoising.cubes.cube_denoising import restore_lines
    from ..denoising.cubes.plane_denoising import grey_plane_denoiser
    from ..denoising.restoration_settings import Restoration
    from ..denoising.weights import load_weights

    observer.message(f"{file.path.name}: denoising with {DEFAULT_WEIGHTS}, as in training")
    raw, known = replace(file, complete=False), file.complete
    file = replace(file, complete=True)
    valid = np.ones(file.shape[:2], bool)
    survey = MissingSurvey()
    for first, last in line_blocks(file.shape):
        block = raw.read(first, last)
        part = raw.valid(block, first)
        survey.add(block, file.nodata, part)
        if part is not None:
            valid[first:last] = part
    file.require_data(survey)
    if not known and (summary := survey.summary()):
        observer.message(f"{file.path.stem}: {summary}")
    denoiser = load_weights(DEFAULT_WEIGHTS, device)
    restoration = restore_lines(
        file,
        grey_plane_denoiser(denoiser, Restoration(), None, memory_limit),
        observer=observer,
        valid=valid,
        nodata=file.nodata,
        wavelengths=file.wavelengths,
        plane_bytes=memory_limit / 2,
    )
    lines = DenoisedLines(restoration, np.result_type(file.dtype, np.float32))
    return replace(file, source=lines, complete=False), lines
