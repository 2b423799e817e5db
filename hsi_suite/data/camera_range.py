"""Cameras drawn at random, for training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .camera import SHOT_AT_ISO_100, Camera

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
        luma_smoothing: σ in pixels of the noise reduction on luma.
        chroma_smoothing: the same on chroma.
        sharpening: share of the unsharp mask.
        quality: of the JPEG.
        scale: at which photographs are written, 1 being the sensor's.
        resized: share of photographs that are written at another scale than 1.
        jpeg: share of photographs that are written as JPEG.
    """

    iso: Range = (50.0, 12800.0)
    red_gain: Range = (1.9, 2.4)
    blue_gain: Range = (1.5, 1.9)
    luma_smoothing: Range = (0.0, 1.0)
    chroma_smoothing: Range = (0.0, 3.5)
    sharpening: Range = (0.0, 0.5)
    quality: tuple[int, int] = (60, 100)
    scale: Range = (0.5, 1.0)
    resized: float = 0.25
    jpeg: float = 0.9

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
            luma_smoothing=generator.uniform(*self.luma_smoothing),
            chroma_smoothing=generator.uniform(*self.chroma_smoothing),
            sharpening=generator.uniform(*self.sharpening),
            quality=self._quality(generator),
            subsampling=bool(generator.random() < 0.5),
        )

    def draw_scale(self, generator: np.random.Generator) -> float:
        """The scale at which photographs are written."""
        resized, scale = generator.random() < self.resized, generator.uniform(*self.scale)
        return float(scale) if resized else 1.0

    def middle(self, iso: float) -> Camera:
        """The camera in the middle of all ranges, at one sensitivity."""
        return Camera(
            iso=iso,
            read_noise=read_noise(iso, 0.0),
            gains=(float(np.mean(self.red_gain)), float(np.mean(self.blue_gain))),
            luma_smoothing=float(np.mean(self.luma_smoothing)),
            chroma_smoothing=float(np.mean(self.chroma_smoothing)),
            sharpening=float(np.mean(self.sharpening)),
            quality=round(float(np.mean(self.quality))),
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
