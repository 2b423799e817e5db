"""Pictures with noise of each kind, made of clean photographs: what `noise_kinds` goes by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from hsi_suite.data.artefacts import eight_bits, resampled, through_jpeg
from hsi_suite.data.camera import Camera, resize, sharpen, soften, take_photograph
from hsi_suite.data.camera_range import CameraRange, read_noise
from hsi_suite.restoration.colour import LUMA
from hsi_suite.restoration.lossy_coding import LossyCoding
from hsi_suite.restoration.noise_kind import NoiseKind

SIDE = 256
QUALITIES = (10, 20, 30, 40, 50, 60, 70, 80, 90)
ISOS = (400, 1600, 6400)
SIGMAS = (5, 10, 15, 25, 50)
GRAINS = (4, 8)
# Mean squared error, of 1, of noise that is seen (40 dB) and of noise that is not (47 dB).
_SEEN, _UNSEEN = 1e-4, 2e-5
_ISOS_FITTED, _ISOS_VARIED, _ISOS_QUIET = (250, 12800), (300, 12800), (10, 200)
_SIGMAS = (3, 50)
_CAMERAS = CameraRange(grey=0)
_TRIALS = 5
_LEAST_SIDE = 96
_FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
Picture = NDArray[np.float32]
Levels = NDArray[np.uint8]
Generator = np.random.Generator


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture, what it should be found to have, and what its file says of its coding."""

    values: Levels
    kind: NoiseKind
    quality: int | None = None
    coding: LossyCoding | None = None


def source(image: Levels, rng: Generator) -> Picture:
    """A clean picture: as it is, with its weak grain, or smaller, without, and perhaps softer."""
    picture = image.astype(np.float32) / 255
    if rng.random() < 0.5:
        return _piece(picture, SIDE, rng)
    scale = rng.uniform(0.5, 0.8)
    small = resize(picture, _times(picture, scale)).clip(0, 1)
    softness = rng.choice([1.0, rng.uniform(1, 2.5)])
    side = round(SIDE / softness)
    cut = small[:side, :side]
    return soften(cut, _times(cut, softness))


def soft_source(image: Levels, rng: Generator) -> Picture:
    """A clean picture as cameras write them in full size: with more pixels than detail."""
    picture = image.astype(np.float32) / 255
    small = resize(picture, _times(picture, rng.uniform(0.5, 0.8))).clip(0, 1)
    softness = rng.uniform(1, 4)
    cut = _piece(small, round(SIDE / softness), rng)
    return soften(cut, _times(cut, softness))


def varied_source(image: Levels, rng: Generator) -> Picture:
    """A clean picture as people have them: of any size, made smaller, sharpened, of other tones."""
    picture = image.astype(np.float32) / 255
    if rng.random() < 0.7:
        kind = _FILTERS[rng.integers(len(_FILTERS))]
        picture = resampled(picture, _times(picture, rng.uniform(0.3, 0.9)), kind)
        if rng.random() < 0.3:
            picture = sharpen(picture, rng.uniform(0.2, 1.2))
        if rng.random() < 0.45:
            picture = soften(picture.clip(0, 1), _times(picture, rng.uniform(1, 3)))
    if rng.random() < 0.3:
        picture = picture.clip(0, 1) ** np.float32(np.exp(rng.uniform(-0.5, 0.5)))
    side = round(np.exp(rng.uniform(np.log(_LEAST_SIDE), np.log(SIDE))))
    return _piece(picture.clip(0, 1), side, rng)


def drawing(rng: Generator) -> Picture:
    """Areas, lines and words, as on a screen or a printed page."""
    side = int(rng.integers(_LEAST_SIDE, SIDE))
    sheet = Image.new("RGB", (side, side), tuple(rng.integers(0, 256, 3).tolist()))
    pen = ImageDraw.Draw(sheet)
    for _ in range(rng.integers(2, 12)):
        ends = np.sort(rng.integers(0, side, (2, 2)), 0).ravel().tolist()
        colour = tuple(rng.integers(0, 256, 3).tolist())
        pen.rectangle(ends, fill=colour) if rng.random() < 0.4 else pen.line(ends, fill=colour)
        words = "".join(map(chr, rng.integers(97, 123, 20)))
        pen.text(ends[:2], words, fill=tuple(rng.integers(0, 256, 3).tolist()))
    return np.asarray(sheet, np.float32) / 255


def _piece(picture: Picture, side: int, rng: Generator) -> Picture:
    sides = [min(side, size) for size in picture.shape[:2]]
    line, sample = (
        rng.integers(0, size - each + 1)
        for size, each in zip(picture.shape[:2], sides, strict=True)
    )
    return picture[line : line + sides[0], sample : sample + sides[1]]


def _times(picture: NDArray[np.generic], factor: float) -> tuple[int, int]:
    lines, samples = picture.shape[:2]
    return round(lines * factor), round(samples * factor)


def camera(picture: Picture, rng: Generator, iso: float, cameras: CameraRange = _CAMERAS) -> Sample:
    """A photograph by a camera drawn at random, of a given sensitivity.

    Cameras whose noise cannot be seen (more than 40 dB) are drawn anew.
    """
    while True:
        read = read_noise(iso, rng.standard_normal())
        drawn = replace(cameras.draw(rng), iso=iso, read_noise=read)
        still = replace(drawn, iso=0.0, read_noise=0.0)
        taken, clean = (take_photograph(picture, each, rng) for each in (drawn, still))
        if np.mean((taken - clean) ** 2) > _SEEN:
            return Sample(eight_bits(taken), "camera", drawn.quality)


def scan(picture: Picture, rng: Generator, sigma: float) -> Sample:
    """A blurred picture with grain that reaches over some pixels, mostly in luma; half as JPEG."""
    blurred = ndimage.gaussian_filter(picture, (rng.uniform(0.4, 0.9),) * 2 + (0,))
    reach = rng.uniform(0.5, 1.0)
    grain = ndimage.gaussian_filter(rng.standard_normal(picture.shape), (reach, reach, 0))
    shared = grain.mean(2, keepdims=True)
    grain = 0.6 * grain / grain.std() + 0.8 * shared / shared.std()
    result = eight_bits(blurred + sigma / 255 * grain.astype(np.float32))
    if rng.random() < 0.5:
        return Sample(result, "camera")
    return replace(jpeg(result / np.float32(255), int(rng.integers(75, 96))), kind="camera")


def jpeg(picture: Picture, quality: int) -> Sample:
    """A picture through JPEG."""
    through = through_jpeg(picture.astype(np.float32), quality, subsampling=True)
    return Sample(eight_bits(through), "jpeg", quality)


def grey(image: Levels) -> Levels:
    """The luma of a picture in whole levels."""
    return np.rint(image @ np.array(LUMA)).astype(np.uint8)


Maker = Callable[[Picture, Generator], Sample]


def makers() -> dict[str, Maker]:
    """What is made of a clean picture to score the decision."""
    made: dict[str, Maker] = {"clean": lambda p, _: Sample(eight_bits(p), "clean")}
    for sigma in SIGMAS:
        made[f"white, σ {sigma}"] = lambda p, g, sigma=sigma: white(p, g, sigma)
    for iso in ISOS:
        made[f"camera, ISO {iso}"] = lambda p, g, iso=iso: camera(p, g, iso)
    for quality in QUALITIES:
        made[f"JPEG {quality}"] = lambda p, _, quality=quality: jpeg(p, quality)
    for sigma in GRAINS:
        made[f"scan, σ {sigma}"] = lambda p, g, sigma=sigma: scan(p, g, sigma)
    return made


def white(picture: Picture, rng: Generator, sigma: float) -> Sample:
    """White noise, σ of 255, the same in all colours."""
    noise = rng.standard_normal(picture.shape, np.float32)
    return Sample(eight_bits(picture + sigma / 255 * noise), "gaussian")


def fitted_samples(picture: Picture, rng: Generator) -> list[Sample]:
    """What is made of a clean picture to fit the decision between other noise and none."""
    samples = [Sample(eight_bits(picture), "clean")]
    isos = np.exp(rng.uniform(*np.log(_ISOS_FITTED), 3))
    samples += [camera(picture, rng, float(iso)) for iso in isos]
    # More of the qualities that cameras write, too.
    qualities = [*rng.integers(8, 60, 2), *rng.integers(60, 98, 3)]
    samples += [jpeg(picture, int(quality)) for quality in qualities]
    return [*samples, scan(picture, rng, rng.uniform(3, 10))]


def camera_samples(picture: Picture, rng: Generator) -> Iterator[Sample]:
    """More pictures like those that are scored, without JPEG alone, whose qualities are a few."""
    yield Sample(eight_bits(picture), "clean")
    yield white(picture, rng, SIGMAS[0])
    for iso in ISOS:
        yield camera(picture, rng, iso)
    for sigma in GRAINS:
        yield scan(picture, rng, sigma)


def white_samples(picture: Picture, rng: Generator) -> Iterator[Sample]:
    """White noise, most of it weak."""
    for _ in range(3):
        yield white(picture, rng, float(np.exp(rng.uniform(*np.log(_SIGMAS)))))


def varied_samples(picture: Picture, rng: Generator) -> Iterator[Sample]:
    """The same of pictures stored again, cut, or with noise too weak to be seen."""
    yield Sample(eight_bits(picture), "clean")
    for _ in range(3):
        yield photographed(picture, rng, _ISOS_VARIED, seen=True)
    yield photographed(picture, rng, _ISOS_QUIET, seen=False)
    for quality in [*rng.integers(8, 60, 2), *rng.integers(60, 99, 3)]:
        yield jpeg(picture, int(quality))
    yield _again(jpeg(picture, int(rng.integers(30, 96))), rng)
    yield scan(picture, rng, rng.uniform(3, 10))


def photographed(
    picture: Picture, rng: Generator, isos: tuple[float, float], *, seen: bool
) -> Sample:
    """A photograph by a camera drawn at random, perhaps stored again or made smaller.

    Args:
        picture: what is shown.
        rng: of all draws.
        isos: lowest and highest sensitivity.
        seen: whether its noise is to be seen; what is not as asked for is drawn anew, and after
            some trials the noise that was asked for is left out.
    """
    for _ in range(_TRIALS):
        iso = float(np.exp(rng.uniform(*np.log(isos))))
        drawn = _CAMERAS.draw(rng)
        drawn = replace(drawn, iso=iso, read_noise=read_noise(iso, rng.standard_normal()))
        seed = int(rng.integers(2**32)) if rng.random() < 0.5 else None
        # Without noise a simulated camera writes the picture as it is.
        photographs = take_photograph(picture, drawn, rng), _written(picture, drawn)
        taken, clean = (_stored(each, drawn.quality, seed) for each in photographs)
        error = np.mean((taken.values / 255.0 - clean.values / 255.0) ** 2)
        if (error > _SEEN) if seen else (error < _UNSEEN):
            return replace(taken, kind="camera") if seen else taken
    return clean


def _written(picture: Picture, camera: Camera) -> Picture:
    if camera.quality is None:
        return picture
    return through_jpeg(picture, camera.quality, subsampling=camera.subsampling)


def _stored(picture: Picture, quality: int | None, seed: int | None) -> Sample:
    sample = Sample(eight_bits(picture), "clean", quality)
    return sample if seed is None else _again(sample, np.random.default_rng(seed))


def _again(sample: Sample, rng: Generator) -> Sample:
    """A stored picture cut, made smaller or not, and stored once more, as JPEG or not."""
    line, sample_ = rng.integers(0, 8, 2)
    picture = sample.values[line:, sample_:].astype(np.float32) / 255
    resized = rng.random() < 0.5
    if resized:
        picture = resize(picture, _times(picture, rng.uniform(0.5, 0.95))).clip(0, 1)
    if rng.random() < 0.6:
        return replace(jpeg(picture, int(rng.integers(60, 99))), kind=sample.kind)
    return Sample(eight_bits(picture), "clean" if resized else sample.kind)
