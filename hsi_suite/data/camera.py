"""What a camera makes of a scene: from a clean photograph to the JPEG that a camera writes.

The way back from a photograph to the sensor and forth again follows Brooks et al., CVPR 2019
(arXiv 1811.11127, section 3): tone curve, gamma, colour matrix and white balance are inverted, shot
and read noise are added where they arise, on the Bayer mosaic (Foi et al., TIP 2008, equation 2),
and the camera's own processing makes of them the noise that photographs have: correlated between
pixels, dependent on brightness, stronger in colour than in luma. Images are lines × samples × 3,
float32; of sRGB and of linear light on the scale 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ..errors import ShapeError
from ..restoration.colour import LUMA
from .artefacts import resampled, through_jpeg
from .bayer import Picture, colours_seen, demosaic, mosaic

# XYZ to the colours of four cameras, as their makers' DNG profiles give them (Brooks et al., 2019).
_CAMERAS = np.array(
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.6130, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.8380, -0.2630, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.0970, 0.1581, 0.5181]],
    ]
)
# IEC 61966-2-1, to XYZ under D65.
_SRGB_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
# ITU-R 601, full range, as JPEG has it.
_TO_LUMA_CHROMA = np.array(
    [LUMA, [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)
_FROM_LUMA_CHROMA = np.linalg.inv(_TO_LUMA_CHROMA).astype(np.float32)
# Gradient of luma a pixel, of a Gaussian of this σ, at which a camera takes a place for an edge.
_EDGE, _EDGE_SIGMA = 0.04, 1.5
# Groups of equally many pixels, by brightness, over which the mean of noise is taken; none is so
# small that its mean would be the noise of a few pixels.
_GROUPS, _LEAST_GROUP = 16, 64
#: Variance of the shot noise of a white pixel at ISO 100; it grows in proportion to ISO. Brooks et
#: al. draw 0.0001 to 0.012 for what is then ISO 100 to 12,000 of a small sensor.
SHOT_AT_ISO_100 = 1e-4


@dataclass(frozen=True)
class Reduction:
    """What a camera's noise reduction leaves of the noise of luma or chroma.

    Attributes:
        fine: σ in pixels of the Gaussian over all of it.
        coarse: σ of the wider Gaussian over a part of it, at least `fine`.
        share: of the noise that is smoothed so widely, 0 to 1: reduction takes the fine noise away
            where it can, and leaves the coarse.
    """

    fine: float = 0.0
    coarse: float = 0.0
    share: float = 0.0


@dataclass(frozen=True, eq=False)
class Camera:
    """A camera and its settings.

    Attributes:
        iso: sensitivity; see `SHOT_AT_ISO_100`.
        read_noise: variance of the read noise, of linear light.
        mixture: shares of the four known colour matrices, of sum 1.
        gains: white balance of red and blue, green being 1.
        corner: line and sample, 0 or 1, of the first red pixel of the mosaic.
        adaptive: whether the demosaicking looks at gradients.
        tone_curve: whether a smooth step follows the gamma.
        luma: noise reduction of luma.
        chroma: noise reduction of chroma.
        edges: share of both that is left off along edges, which they would blur.
        sharpening: share of the unsharp mask (σ 1 pixel) that is added, noise and all.
        quality: of the JPEG, 1 to 100; None writes none.
        subsampling: whether the JPEG halves the resolution of colour.
        grey: whether the picture is turned into its luma, in three equal channels.
    """

    iso: float
    read_noise: float
    mixture: tuple[float, float, float, float] = (0.25, 0.25, 0.25, 0.25)
    gains: tuple[float, float] = (2.1, 1.7)
    corner: tuple[int, int] = (0, 0)
    adaptive: bool = True
    tone_curve: bool = True
    luma: Reduction = Reduction()
    chroma: Reduction = Reduction()
    edges: float = 0.0
    sharpening: float = 0.0
    quality: int | None = None
    subsampling: bool = True
    grey: bool = False

    @property
    def shot_noise(self) -> float:
        """Variance of the shot noise of a white pixel, of linear light."""
        return SHOT_AT_ISO_100 * self.iso / 100


def take_photograph(
    clean: Picture,
    camera: Camera,
    generator: np.random.Generator,
    shape: tuple[int, int] | None = None,
) -> Picture:
    """The photograph that a camera takes of what a clean photograph shows.

    Args:
        clean: sRGB, lines × samples × 3, at least 4 × 4 pixels.
        camera: see `Camera`.
        generator: of the sensor's noise.
        shape: lines and samples that the photograph is resized to before it is written; None
            keeps those of `clean`.

    Returns:
        On the same scale, clipped; of 256 levels where a JPEG is written.

    Raises:
        ShapeError: no colour image, or a smaller one.
    """
    shown, noise = _shown_and_noise(clean, camera, generator, shape)
    return _written(shown + noise, camera)


def take_pair(
    clean: Picture,
    camera: Camera,
    generator: np.random.Generator,
    shape: tuple[int, int] | None = None,
) -> tuple[Picture, Picture]:
    """A photograph, and what the mean of many like it would show.

    Near black and white such a mean is not the clean photograph: noise is cut off there on one
    side alone. Who is to leave colours as they are must not learn to undo that.

    Args and errors: as of `take_photograph`.

    Returns:
        `take_photograph` of the same generator, and the mean, of the same shape, before JPEG.
    """
    shown, noise = _shown_and_noise(clean, camera, generator, shape)
    return _written(shown + noise, camera), mean_of_exposures(shown, noise)


def _shown_and_noise(
    clean: Picture,
    camera: Camera,
    generator: np.random.Generator,
    shape: tuple[int, int] | None,
) -> tuple[Picture, Picture]:
    """The clean photograph as it would be written, and the noise of one exposure."""
    if clean.ndim != 3 or clean.shape[2] != 3 or min(clean.shape[:2]) < 4:
        raise ShapeError("image", f"shape {clean.shape}", "lines × samples × 3, at least 4 × 4")
    light = expose(clean, camera)
    raw = mosaic(light, camera.corner)
    noisy = add_sensor_noise(raw, camera.shot_noise, camera.read_noise, generator)
    # The clean photograph has been through a camera already: what another demosaicking would lose
    # of it is left out, and the noise alone is carried over.
    noise = develop(noisy, camera) - develop(raw, camera)
    reduced = reduce_noise(noise, camera.luma, camera.chroma)
    noise = reduced + camera.edges * edginess(clean)[..., None] * (noise - reduced)
    # Sharpening is linear, and that of the picture itself is no fault of the photograph.
    layers = (clean, sharpen(noise, camera.sharpening))
    if shape is not None:
        layers = (resize(layers[0], shape), resize(layers[1], shape))
    return (in_grey(layers[0]), in_grey(layers[1])) if camera.grey else layers


def _written(picture: Picture, camera: Camera) -> Picture:
    if camera.quality is None:
        return picture.clip(0, 1)
    return through_jpeg(picture, camera.quality, subsampling=camera.subsampling)


def expose(picture: Picture, camera: Camera) -> Picture:
    """The linear light of sRGB in the camera's own colours, before white balance."""
    toned = invert_tone_curve(picture) if camera.tone_curve else picture
    light = linear_light(toned) @ colour_matrix(camera.mixture).T
    gains = np.array([camera.gains[0], 1, camera.gains[1]], np.float32)
    return np.asarray((light / gains).clip(0, 1), np.float32)


def develop(raw: Picture, camera: Camera) -> Picture:
    """The picture (sRGB) of a mosaic (lines × samples).

    The inverse of `expose` and `mosaic`, but for colours that the mosaic does not hold.
    """
    gains = np.array([camera.gains[0], 1, camera.gains[1]], np.float32)
    balanced = raw * gains[colours_seen(raw.shape, camera.corner)]
    light = demosaic(balanced, camera.corner, adaptive=camera.adaptive)
    light = light @ np.linalg.inv(colour_matrix(camera.mixture)).T.astype(np.float32)
    picture = srgb(light)
    return apply_tone_curve(picture) if camera.tone_curve else picture


def apply_tone_curve(picture: Picture) -> Picture:
    """The smooth step 3x² − 2x³, which gives contrast to the middle; clipped to 0 to 1."""
    x = picture.clip(0, 1)
    return np.asarray(3 * x**2 - 2 * x**3, np.float32)


def invert_tone_curve(picture: Picture) -> Picture:
    """The inverse of `apply_tone_curve` on 0 to 1."""
    x = picture.clip(0, 1)
    return np.asarray(0.5 - np.sin(np.arcsin(1 - 2 * x) / 3), np.float32)


def linear_light(picture: Picture) -> Picture:
    """Linear light of sRGB (IEC 61966-2-1); negative values count as 0."""
    x = picture.clip(0)
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)


def srgb(light: Picture) -> Picture:
    """SRGB of linear light, the inverse of `linear_light`; below 0, where noise goes, a line."""
    bent = 1.055 * light.clip(0) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, bent).astype(np.float32)


def colour_matrix(mixture: tuple[float, float, float, float]) -> NDArray[np.float32]:
    """From linear sRGB to a camera's colours, 3 × 3, white to white.

    Args:
        mixture: shares of four known cameras, of sum 1.
    """
    matrix = np.tensordot(np.asarray(mixture), _CAMERAS, 1) @ _SRGB_TO_XYZ
    return np.asarray(matrix / matrix.sum(1, keepdims=True), np.float32)


def add_sensor_noise(
    raw: Picture, shot: float, read: float, generator: np.random.Generator
) -> Picture:
    """Shot and read noise: normal, of variance shot · signal + read; at most 1.

    Sensors saturate at white; below black their pedestal keeps the noise.

    Args:
        raw: linear light.
        shot: variance of the shot noise of white.
        read: variance of the read noise.
        generator: of the draws.
    """
    sigma = np.sqrt(shot * raw.clip(0) + read)
    noise = generator.standard_normal(raw.shape, np.float32)
    return np.asarray(raw + sigma * noise, np.float32).clip(max=1)


def reduce_noise(noise: Picture, luma: Reduction, chroma: Reduction) -> Picture:
    """Noise after a camera's own reduction, as far as it is the same everywhere.

    An ideal reduction leaves the picture alone and smooths the noise, coarser in colour than in
    luma: what is left is weaker, and correlated over several pixels.

    Args:
        noise: the noise alone, lines × samples × 3.
        luma: of luma.
        chroma: of both chroma channels.
    """
    channels = np.moveaxis(noise @ _TO_LUMA_CHROMA.T, 2, 0)
    kinds = (luma, chroma, chroma)
    smooth = [_smoothed(plane, kind) for plane, kind in zip(channels, kinds, strict=True)]
    return np.asarray(np.stack(smooth, 2) @ _FROM_LUMA_CHROMA.T, np.float32)


def _smoothed(plane: Picture, kind: Reduction) -> Picture:
    fine = ndimage.gaussian_filter(plane, kind.fine)
    if not kind.share:
        return np.asarray(fine, np.float32)
    coarse = ndimage.gaussian_filter(plane, max(kind.fine, kind.coarse))
    return np.asarray(fine + np.float32(kind.share) * (coarse - fine), np.float32)


def edginess(picture: Picture) -> Picture:
    """How much each pixel lies on an edge, 0 to 1, lines × samples: from the gradient of luma."""
    luma = picture @ _TO_LUMA_CHROMA[0]
    slope = ndimage.gaussian_gradient_magnitude(luma, _EDGE_SIGMA)
    return np.asarray(1 - np.exp(-((slope / np.float32(_EDGE)) ** 2)), np.float32)


def mean_of_exposures(clean: Picture, noise: Picture) -> Picture:
    """The mean of many pictures that are clipped to 0 to 1, from the noise of one.

    Noise is cut off at black and white, and bent by gamma and tone curve: what it adds on average
    is a function of brightness, and found as such, channel by channel.

    Args:
        clean: what they show.
        noise: of one of them, before clipping.
    """
    added = (clean + noise).clip(0, 1) - clean
    mean = np.empty_like(clean)
    for channel in range(clean.shape[2]):
        values, steps = clean[..., channel].ravel(), added[..., channel].ravel()
        order = np.argsort(values, kind="stable")
        groups = np.array_split(order, min(_GROUPS, max(1, values.size // _LEAST_GROUP)))
        middles = [values[group].mean(dtype=np.float64) for group in groups]
        # Flat parts fill several groups, which are one: of equal brightness.
        centres, place = np.unique(middles, return_inverse=True)
        sums = np.bincount(place, [steps[group].mean() for group in groups])
        shifts = sums / np.bincount(place)
        mean[..., channel] = clean[..., channel] + np.interp(
            clean[..., channel], centres, shifts
        ).astype(np.float32)
    return mean.clip(0, 1)


def in_grey(picture: Picture) -> Picture:
    """Luma (ITU-R 601) in three equal channels."""
    return np.repeat((picture @ _TO_LUMA_CHROMA[0])[..., None], 3, 2)


def resize(picture: Picture, shape: tuple[int, int]) -> Picture:
    """The picture at another resolution, by an antialiased bilinear filter."""
    return resampled(picture, shape, Image.Resampling.BILINEAR)


def soften(picture: Picture, shape: tuple[int, int]) -> Picture:
    """The picture on more pixels than it has detail for, as a lens gives it to a fine sensor.

    By bicubic interpolation; of values from 0 to 1.
    """
    return resampled(picture, shape, Image.Resampling.BICUBIC).clip(0, 1)


def sharpen(picture: Picture, share: float) -> Picture:
    """A share of the unsharp mask, the picture less its Gaussian mean of σ 1 pixel."""
    if not share:
        return picture
    blurred = ndimage.gaussian_filter(picture, (1, 1, 0))
    return np.asarray(picture + np.float32(share) * (picture - blurred), np.float32)
