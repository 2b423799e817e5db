"""`python -m benchmarks.noise_kinds`: how often `--noise auto` finds what an image has.

Photographs of BSDS500 that no network learns from, some made smaller, get noise: none, white (σ 5
to 50), of simulated cameras and of scans; or JPEG of quality 10 to 90 alone; in colour and in grey.
`--measure FILE.npz` measures what is made of photographs of the training side (40 minutes of one
core; with `--coded` those in WebP, AVIF and HEIC files alone, 20), and `--fit FILE.npz` fits the
decision to it (one minute) and writes its trees into the package; those not measured stay.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier

import hsi_suite.restoration.noise_kind as noise_kind
from hsi_suite.data.images import ImageSet, load_images
from hsi_suite.restoration.boosted_trees import (
    BoostedTrees,
    from_scikit_learn,
    read_trees,
    write_trees,
)
from hsi_suite.tasks.denoising.configuration import denoising_config
from hsi_suite.tasks.denoising.photographs.network_choice import weights_for
from hsi_suite.tasks.denoising.preparation import validation_images
from hsi_suite.weights import CAMERA_WEIGHTS, DEFAULT_WEIGHTS, JPEG_WEIGHTS

from .coded_samples import coded_samples
from .kind_samples import (
    Levels,
    Sample,
    camera_samples,
    drawing,
    fitted_samples,
    grey,
    makers,
    soft_source,
    source,
    varied_samples,
    varied_source,
    white_samples,
)
from .lossy_formats import let_write_heic

_FOLDER = Path(noise_kind.__file__).parent
# JPEG up to this quality is denoised without other noise, too.
_COARSE = 90
# A drawing for so many photographs.
_DRAWN = 8
# Seeds of all draws after the first begin at these.
_AGAIN, _VARIED, _CAMERAS, _SOFT, _WHITE = 100_000, 300_000, 500_000, 600_000, 700_000
_CODED = 800_000
# In colour, and in grey.
_BOTH = (False, True)
Row = tuple[str, NDArray[np.float64], bool]
MakeRows = Callable[[Levels, int], Iterator[Row]]


def measure(path: Path, images: ImageSet, chosen: list[int], made: MakeRows) -> None:
    """Measure what is made of pictures, and store it: NAME.numbers and NAME.told for each fit."""
    rows: dict[str, list[tuple[NDArray[np.float64], bool]]] = defaultdict(list)
    for index in chosen:
        for name, numbers, told in made(images.images[index], index):
            rows[name].append((numbers, told))
    arrays = {
        f"{name}.{part}": np.array(values)
        for name, each in rows.items()
        for part, values in zip(("numbers", "told"), zip(*each, strict=True), strict=True)
    }
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def fitted_rows(image: Levels, index: int) -> Iterator[Row]:
    """Name of a fit, measurements, and what it is to tell, of all that is made of an image."""
    for sample, quality, forms in drawn_samples(image, index):
        for is_grey in forms:
            values = grey(sample.values) if is_grey else sample.values
            signs = noise_kind.signs_of(values.astype(np.float32), quality)
            if noise_kind.may_be_white(signs, grey=is_grey):
                yield noise_kind.WHITE_FIT, signs.numbers(), sample.kind == "gaussian"
            if not noise_kind.is_white(signs, grey=is_grey):
                name = noise_kind.fit_name(signs, None, grey=is_grey)
                yield name, signs.numbers(), sample.kind in ("camera", "gaussian")


def coded_rows(image: Levels, index: int) -> Iterator[Row]:
    """The same of what is written as WebP, AVIF and HEIC in colour, where no JPEG is seen in it."""
    rng = np.random.default_rng(_CODED + index)
    for clean in (source, soft_source if index % 2 else varied_source):
        with tempfile.TemporaryDirectory() as folder:
            samples = list(coded_samples(clean(image, rng), rng, Path(folder)))
        for sample in samples:
            signs = noise_kind.signs_of(sample.values.astype(np.float32), None)
            if signs.jpeg is None and not noise_kind.is_white(signs, grey=False):
                numbers = noise_kind.fit_numbers(signs, sample.coding, grey=False)
                yield noise_kind.CODED_FIT, numbers, sample.kind in ("camera", "gaussian")


def all_rows(image: Levels, index: int) -> Iterator[Row]:
    """Both."""
    return itertools.chain(fitted_rows(image, index), coded_rows(image, index))


def drawn_samples(
    image: Levels, index: int
) -> Iterator[tuple[Sample, int | None, tuple[bool, ...]]]:
    """What is made of an image, the quality that its file says, and whether it is made grey.

    Half of what was JPEG comes as another file, which does not say so.
    """
    for first, clean in ((0, source), (_AGAIN, source), (_SOFT, soft_source)):
        rng = np.random.default_rng(first + index)
        for sample in fitted_samples(clean(image, rng), rng):
            yield sample, sample.quality if rng.random() < 0.5 else None, _BOTH
    rng = np.random.default_rng(_VARIED + index)
    pictures = [varied_source(image, rng)]
    if index % _DRAWN == 0:
        pictures.append(drawing(rng))
    for picture in pictures:
        for sample in varied_samples(picture, rng):
            quality = sample.quality if rng.random() < 0.5 else None
            yield sample, quality, _BOTH if rng.random() < 0.5 else _BOTH[:1]
    rng = np.random.default_rng(_CAMERAS + index)
    for sample in camera_samples(source(image, rng), rng):
        yield sample, sample.quality, _BOTH
    rng = np.random.default_rng(_WHITE + index)
    for sample in white_samples(source(image, rng), rng):
        yield sample, None, _BOTH[1:]


def fit(path: Path) -> None:
    """Fit the decisions between noise and none that were measured, and write their trees.

    Those that were not measured keep theirs.
    """
    trees = _FOLDER / "noise_kinds.npz"
    with np.load(trees, allow_pickle=False) as file:
        fits = {name: read_trees(trees, name) for name in _names(file, ".start")}
    with np.load(path, allow_pickle=False) as file:
        for name in _names(file, ".told"):
            fits[name] = _fitted(file[f"{name}.numbers"], file[f"{name}.told"])
    write_trees(trees, fits)


def _names(parts: Iterable[str], ending: str) -> list[str]:
    return [part.removesuffix(ending) for part in parts if part.endswith(ending)]


def _fitted(numbers: NDArray[np.float64], told: NDArray[np.bool_]) -> BoostedTrees:
    balanced = np.where(told, 0.5 / told.mean(), 0.5 / (1 - told.mean()))
    model = GradientBoostingClassifier(
        n_estimators=600, learning_rate=0.04, max_depth=4, subsample=0.5, min_samples_leaf=10,
        max_features=0.2, random_state=0,
    )  # fmt: skip
    return from_scikit_learn(model.fit(numbers, told, sample_weight=balanced))


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
    """The network that is right for a sample (docs/explanations/which_noise.md); none if clean."""
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
    parser.add_argument(
        "--measure", type=Path, metavar="FILE.npz", help="measure what to fit it to"
    )
    parser.add_argument(
        "--coded", action="store_true", help="measure WebP, AVIF and HEIC files alone"
    )
    parser.add_argument("--fit", type=Path, metavar="FILE.npz", help="fit it to what was measured")
    options = parser.parse_args()
    images = load_images("bsds500", "rgb")
    config = denoising_config(config="denoising/camera_denoiser")
    held = validation_images(config, images)
    if options.measure:
        let_write_heic()
        chosen = [k for k, name in enumerate(images.names) if name not in held.names]
        measure(options.measure, images, chosen, coded_rows if options.coded else all_rows)
    if options.fit:
        fit(options.fit)
    if not options.measure:
        show(held)


if __name__ == "__main__":
    main()
