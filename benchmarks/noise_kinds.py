"""`python -m benchmarks.noise_kinds`: how often `--noise auto` finds what an image has.

Photographs of BSDS500 that no network learns from, some made smaller, get noise: none, white (σ 5
to 50), of simulated cameras and of scans; or JPEG of quality 10 to 90 alone; in colour and in grey.
`--fit` fits the decision to photographs of the training side and writes its trees into the
package.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.ensemble import GradientBoostingClassifier

import hsi_suite.restoration.noise_kind as noise_kind
from hsi_suite.data.artefacts import eight_bits, through_jpeg
from hsi_suite.data.camera import resize, soften, take_photograph
from hsi_suite.data.camera_range import CameraRange, read_noise
from hsi_suite.data.images import ImageSet, load_images
from hsi_suite.restoration.boosted_trees import BoostedTrees, from_scikit_learn, write_trees
from hsi_suite.restoration.colour import LUMA
from hsi_suite.tasks.denoising.configuration import denoising_config
from hsi_suite.tasks.denoising.network_choice import weights_for
from hsi_suite.tasks.denoising.preparation import validation_images
from hsi_suite.weights import CAMERA_WEIGHTS, DEFAULT_WEIGHTS, JPEG_WEIGHTS

_FOLDER = Path(noise_kind.__file__).parent
_SIDE = 256
_DRAWS = 2
_QUALITIES = (10, 20, 30, 40, 50, 60, 70, 80, 90)
# JPEG up to this quality is denoised without other noise, too.
_COARSE = 90
_ISOS = (400, 1600, 6400)
_ISOS_FITTED = (250, 12800)
Picture = NDArray[np.float32]
Levels = NDArray[np.uint8]


def source(image: Levels, rng: np.random.Generator) -> Picture:
    """A clean picture: as it is, with its weak grain, or smaller, without, and perhaps softer."""
    picture = image.astype(np.float32) / 255
    if rng.random() < 0.5:
        line, sample = (rng.integers(0, size - _SIDE + 1) for size in picture.shape[:2])
        return picture[line : line + _SIDE, sample : sample + _SIDE]
    scale = rng.uniform(0.5, 0.8)
    small = resize(picture, tuple(round(size * scale) for size in image.shape[:2])).clip(0, 1)
    softness = rng.choice([1.0, rng.uniform(1, 2.5)])
    side = round(_SIDE / softness)
    cut = small[:side, :side]
    return soften(cut, tuple(round(size * softness) for size in cut.shape[:2]))


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture, what it should be found to have, and the quality that its file says."""

    values: Levels
    kind: noise_kind.NoiseKind
    quality: int | None = None


def camera(picture: Picture, rng: np.random.Generator, iso: float) -> Sample:
    """A photograph by a camera drawn at random, of a given sensitivity.

    Cameras whose noise cannot be seen (more than 40 dB) are drawn anew.
    """
    while True:
        read = read_noise(iso, rng.standard_normal())
        drawn = replace(CameraRange(grey=0).draw(rng), iso=iso, read_noise=read)
        still = replace(drawn, iso=0.0, read_noise=0.0)
        taken, clean = (take_photograph(picture, each, rng) for each in (drawn, still))
        if np.mean((taken - clean) ** 2) > 1e-4:
            return Sample(eight_bits(taken), "camera", drawn.quality)


def scan(picture: Picture, rng: np.random.Generator, sigma: float) -> Sample:
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


Maker = Callable[[Picture, np.random.Generator], Sample]


def makers() -> dict[str, Maker]:
    """What is made of a clean picture."""
    made: dict[str, Maker] = {"clean": lambda p, _: Sample(eight_bits(p), "clean")}
    for sigma in (5, 10, 15, 25, 50):
        made[f"white, σ {sigma}"] = _white(sigma)
    for iso in _ISOS:
        made[f"camera, ISO {iso}"] = lambda p, g, iso=iso: camera(p, g, iso)
    for quality in _QUALITIES:
        made[f"JPEG {quality}"] = lambda p, _, quality=quality: jpeg(p, quality)
    for sigma in (4, 8):
        made[f"scan, σ {sigma}"] = lambda p, g, sigma=sigma: scan(p, g, sigma)
    return made


def _white(sigma: float) -> Maker:
    def make(picture: Picture, rng: np.random.Generator) -> Sample:
        noise = rng.standard_normal(picture.shape, np.float32)
        return Sample(eight_bits(picture + sigma / 255 * noise), "gaussian")

    return make


def fit(images: ImageSet, chosen: list[int]) -> None:
    """Fit the decision between noise that is not white and none, and write its trees."""
    rows: dict[str, list[tuple[NDArray[np.float64], bool]]] = defaultdict(list)
    for index in chosen:
        for draw in range(_DRAWS):
            for name, numbers, noisy in fitted_rows(images.images[index], index + 100_000 * draw):
                rows[name].append((numbers, noisy))
    fits = {name: _fitted(pairs) for name, pairs in rows.items()}
    write_trees(_FOLDER / "noise_kinds.npz", fits)


def fitted_rows(image: Levels, seed: int) -> Iterator[tuple[str, NDArray[np.float64], bool]]:
    """Name of the fit, measurements, and whether there is noise, of what is made of an image."""
    rng = np.random.default_rng(seed)
    picture = source(image, rng)
    samples = [Sample(eight_bits(picture), "clean")]
    isos = np.exp(rng.uniform(*np.log(_ISOS_FITTED), 3))
    samples += [camera(picture, rng, float(iso)) for iso in isos]
    # More of the qualities that cameras write, too.
    qualities = [*rng.integers(8, 60, 2), *rng.integers(60, 98, 3)]
    samples += [jpeg(picture, int(quality)) for quality in qualities]
    samples += [scan(picture, rng, rng.uniform(3, 10))]
    for sample in samples:
        # Half of what was JPEG comes as another file, which does not say so.
        quality = sample.quality if rng.random() < 0.5 else None
        for grey_too in (False, True):
            values = grey(sample.values) if grey_too else sample.values
            signs = noise_kind.signs_of(values.astype(np.float32), quality)
            if not noise_kind.is_white(signs, grey=grey_too):
                name = noise_kind.fit_name(signs, grey=grey_too)
                yield name, signs.numbers(), sample.kind == "camera"


def _fitted(pairs: list[tuple[NDArray[np.float64], bool]]) -> BoostedTrees:
    numbers = np.stack([row for row, _ in pairs])
    noisy = np.array([label for _, label in pairs])
    balanced = np.where(noisy, 0.5 / noisy.mean(), 0.5 / (1 - noisy.mean()))
    model = GradientBoostingClassifier(
        n_estimators=250, learning_rate=0.05, max_depth=4, subsample=0.5, min_samples_leaf=10,
        max_features=0.5, random_state=0,
    )  # fmt: skip
    return from_scikit_learn(model.fit(numbers, noisy, sample_weight=balanced))


def show(images: ImageSet) -> None:
    """Print how often each kind is found, and each network chosen; JPEG files say their quality."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    networks: dict[str, Counter[str]] = defaultdict(Counter)
    right: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for index, image in enumerate(images.images):
        rng = np.random.default_rng(10_000 + index)
        picture = source(image, rng)
        for name, make in makers().items():
            sample = make(picture, rng)
            for colour, values in (("colour", sample.values), ("grey", grey(sample.values))):
                found = noise_kind.find_noise(values.astype(np.float32), sample.quality)
                chosen = weights_for(found) or "none"
                kinds[f"{name}, {colour}"][found.kind] += 1
                networks[f"{name}, {colour}"][chosen] += 1
                right[colour].append((found.kind == sample.kind, chosen == wanted(sample)))
    for name, found_kinds in kinds.items():
        shown = (_counted(counter) for counter in (found_kinds, networks[name]))
        print(f"{name:24}", " | ".join(shown))
    for colour, rows in [*right.items(), ("all", [row for each in right.values() for row in each])]:
        told, served = np.sum(rows, 0)
        print(
            f"{colour}: kind right {told} of {len(rows)} ({100 * told / len(rows):.1f} %), "
            f"network right {served} ({100 * served / len(rows):.1f} %)"
        )


def wanted(sample: Sample) -> str:
    """The network that is right for a sample (docs/explanations/photographs.md); none if clean."""
    if sample.kind == "jpeg":
        return JPEG_WEIGHTS if (sample.quality or 0) <= _COARSE else "none"
    return {"gaussian": DEFAULT_WEIGHTS, "camera": CAMERA_WEIGHTS, "clean": "none"}[sample.kind]


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counter.items())


def main() -> None:
    """Fit or score the decision."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.noise_kinds", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--fit", action="store_true", help="fit it anew first")
    options = parser.parse_args()
    images = load_images("bsds500", "rgb")
    config = denoising_config(config="denoising/camera_denoiser")
    held = validation_images(config, images)
    if options.fit:
        fit(images, [k for k, name in enumerate(images.names) if name not in held.names])
    show(held)


if __name__ == "__main__":
    main()
