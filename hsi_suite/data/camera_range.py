"""Cameras drawn at random, for training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .camera import SHOT_AT_ISO_100, Camera, Reduction

Range = tuple[float, float]

# Read noise against shot noise of real sensors, on logarithms: slope, offset and spread of the
# line that Brooks et al. (CVPR 2019, section 3.1) fit to the cameras of the Darmstadt data set.
_SLOPE, _OFFSET, _SPREAD = 2.18, 1.20, 0.26


@dataclass(frozen=True)
class CameraRange:
    """Between what bounds cameras differ; all draws are even, that of ISO on its logarithm.

    Attributes:
        iso: lowest and highest sensitivity.
        red_gain: of the white balance.
        blue_gain: of the white balance.
        luma_smoothing: σ in pixels of the noise reduction on luma, see `Reduction`.
        luma_coarse: of its wider part.
        luma_share: of the noise that is smoothed so widely.
        chroma_smoothing: the same three on chroma.
        chroma_coarse: likewise.
        chroma_share: likewise.
        edges: share of the noise reduction that is left off along edges.
        sharpening: share of the unsharp mask.
        quality: of the JPEG.
        scale: at which photographs are written, 1 being the sensor's.
        resized: share of photographs that are written at another scale than 1.
        softness: pixels of the sensor for one of the clean photograph, along lines and samples.
        softened: share of photographs that are softer than 1; their sensors have more pixels than
            their lenses have detail.
        jpeg: share of photographs that are written as JPEG.
        grey: share of photographs in grey.
    """

    iso: Range = (50.0, 12800.0)
    red_gain: Range = (1.9, 2.4)
    blue_gain: Range = (1.5, 1.9)
    luma_smoothing: Range = (0.0, 1.0)
    luma_coarse: Range = (1.0, 4.0)
    luma_share: Range = (0.0, 0.5)
    chroma_smoothing: Range = (0.8, 3.0)
    chroma_coarse: Range = (2.0, 8.0)
    chroma_share: Range = (0.0, 1.0)
    edges: Range = (0.0, 1.0)
    sharpening: Range = (0.0, 0.3)
    quality: tuple[int, int] = (60, 100)
    scale: Range = (0.5, 1.0)
    resized: float = 0.25
    softness: Range = (1.0, 4.0)
    softened: float = 0.85
    jpeg: float = 0.9
    grey: float = 0.1

    def draw(self, generator: np.random.Generator) -> Camera:
        """One camera."""
        iso = float(np.exp(generator.uniform(*np.log(self.iso))))
        first, second, third, fourth = generator.dirichlet(np.ones(4)).tolist()
        read = read_noise(iso, generator.standard_normal())
        return Camera(
            iso=iso,
            read_noise=read,
            mixture=(first, second, third, fourth),
            gains=(generator.uniform(*self.red_gain), generator.uniform(*self.blue_gain)),
            corner=(int(generator.integers(2)), int(generator.integers(2))),
            adaptive=bool(generator.random() < 0.5),
            tone_curve=bool(generator.random() < 0.5),
            luma=Reduction(
                generator.uniform(*self.luma_smoothing),
                generator.uniform(*self.luma_coarse),
                generator.uniform(*self.luma_share),
            ),
            chroma=Reduction(
                generator.uniform(*self.chroma_smoothing),
                generator.uniform(*self.chroma_coarse),
                generator.uniform(*self.chroma_share),
            ),
            edges=generator.uniform(*self.edges),
            sharpening=generator.uniform(*self.sharpening),
            quality=self._quality(generator),
            subsampling=bool(generator.random() < 0.5),
            grey=bool(generator.random() < self.grey),
        )

    def draw_scale(self, generator: np.random.Generator) -> float:
        """The scale at which photographs are written."""
        resized, scale = generator.random() < self.resized, generator.uniform(*self.scale)
        return float(scale) if resized else 1.0

    def draw_softness(self, generator: np.random.Generator) -> float:
        """Pixels of the sensor for one of the clean photograph."""
        softened, softness = generator.random() < self.softened, generator.uniform(*self.softness)
        return float(softness) if softened else 1.0

    def middle(self, iso: float) -> Camera:
        """The camera in the middle of all ranges, at one sensitivity."""
        return Camera(
            iso=iso,
            read_noise=read_noise(iso, 0.0),
            gains=(_middle(self.red_gain), _middle(self.blue_gain)),
            luma=Reduction(*map(_middle, (self.luma_smoothing, self.luma_coarse, self.luma_share))),
            chroma=Reduction(
                *map(_middle, (self.chroma_smoothing, self.chroma_coarse, self.chroma_share))
            ),
            edges=_middle(self.edges),
            sharpening=_middle(self.sharpening),
            quality=round(_middle(self.quality)),
        )

    def _quality(self, generator: np.random.Generator) -> int | None:
        written = generator.random() < self.jpeg
        quality = int(generator.integers(self.quality[0], self.quality[1] + 1))
        return quality if written else None


def read_noise(iso: float, deviation: float) -> float:
    """Variance of the read noise, of linear light.

    Args:
        iso: sensitivity.
        deviation: of this camera from the mean of all, in units of their spread.
    """
    shot = SHOT_AT_ISO_100 * iso / 100
    return float(np.exp(_SLOPE * np.log(shot) + _OFFSET + _SPREAD * deviation))


def _middle(bounds: Range) -> float:
    return float(np.mean(bounds))
