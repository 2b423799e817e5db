"""Small work of every kind, which leaves digests of all it computed.

Each piece is given a folder of its own and a device, and goes the way of the commands. Nothing is
fetched: scenes are the embedded ones, images are drawn here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...checksums import hash_file
from ...engine.observer import Observer
from ...runs import launch
from ...runs.folder import METRICS, MODEL, Run
from ..denoising.cubes.cube_jobs import CubeSettings, denoise_cubes
from ..denoising.denoising_options import DenoisingOptions
from ..denoising.photographs.image_denoising import denoise_images
from ..scenes.prediction import predict

Digests = Mapping[str, str]
Work = Callable[[Path, str, Observer], Digests]

_SCENE = [
    "reduction.components=13", "model.window=9", "train.epochs=2", "split.train=0.1",
    "train.batch_size=64",
]  # fmt: skip
_IMAGES = 6
_CLASSES = {"bright": 170, "dark": 20}


def whole_scene(folder: Path, device: str, observer: Observer) -> Digests:
    """A classifier that is trained and maps by the whole scene, and what it says of a file."""
    run = _trained_scene(folder, device, observer, "train.strategy=dense")
    cube = folder / "cube.npy"
    np.save(cube, np.random.default_rng(0).normal(2000, 300, (40, 36, 100)).astype(np.float32))
    said = folder / "map.npy"
    predict(
        [run.path], said, scene=str(cube), probabilities=True, test_time_averaging=True,
        device=device, threads=1,
    )  # fmt: skip
    layers = said.with_name("map_probabilities.npy")
    return _of_run(run) | {"map": hash_file(said), "probabilities": hash_file(layers)}


def windows(folder: Path, device: str, observer: Observer) -> Digests:
    """A classifier that sees windows, which are turned and blurred as they are drawn."""
    keys = ("train.strategy=patch", "train.augmentation={flips: true, gain: 0.1, noise: 0.02}")
    run = _trained_scene(folder, device, observer, *keys, "evaluation.orientations=8")
    return _of_run(run)


def attention(folder: Path, device: str, observer: Observer) -> Digests:
    """A classifier of spectra by attention."""
    options = {"dataset": "synthetic_small", "model": "spectralformer"}
    keys = ["split.train=0.05", "train.epochs=1", "reduction={method: pca, components: 12}"]
    return _of_run(_trained(folder, device, observer, options, keys))


def denoiser(folder: Path, device: str, observer: Observer) -> Digests:
    """A denoiser, trained; and the shipped one on a photograph and a cube."""
    images = folder / "images"
    images.mkdir(parents=True)
    for number in range(_IMAGES):
        _save(images / f"{number}.png", _textured((48, 56), number))
    keys = [f"data.folder={images}", "data.validation=2"]
    run = _trained(folder, device, observer, {"config": "smoke/denoising"}, keys)
    options = DenoisingOptions(device=device, threads=1, tile=32, memory_limit=4e9)
    clean = folder / "clean.png"
    denoise_images([images / "0.png"], clean, options)
    cube, clean_cube = folder / "cube.npy", folder / "clean.npy"
    planes = [_textured((40, 44), number)[..., None] for number in range(8)]
    np.save(cube, np.concatenate(planes, 2).astype(np.float32))
    denoise_cubes([cube], clean_cube, options, CubeSettings())
    return _of_run(run) | {"photograph": hash_file(clean), "cube": hash_file(clean_cube)}


def images(folder: Path, device: str, observer: Observer) -> Digests:
    """A classifier of images."""
    drawn = folder / "classes"
    for name, tone in _CLASSES.items():
        (drawn / name).mkdir(parents=True)
        for number in range(10):
            _save(drawn / name / f"{number}.png", _textured((20, 20), number) // 4 + tone)
    keys = [
        f"data.folder={drawn}", "data.size=16", "data.resize=18", "model.name=resnet_20",
        "train.epochs=2", "train.batch_size=8", "train.schedule.warmup=0", "split.validation=0.2",
    ]  # fmt: skip
    options = {"config": "image_classification/folder"}
    return _of_run(_trained(folder, device, observer, options, keys))


def retrieval(folder: Path, device: str, observer: Observer) -> Digests:
    """A common space of spectra and colours."""
    options = {"config": "retrieval/synthetic_spectrum_rgb", "dataset": "synthetic_small"}
    keys = [
        "split.kind=random", "split.pairs=200", "data.window=5", "train.epochs=2",
        "evaluation.baselines=[cca]", "evaluation.cutoffs=[5]",
    ]  # fmt: skip
    return _of_run(_trained(folder, device, observer, options, keys))


SMOKE: dict[str, Work] = {
    "a scene at once": whole_scene,
    "windows of a scene": windows,
    "attention": attention,
    "denoising": denoiser,
    "images": images,
    "retrieval": retrieval,
}
"""The pieces by name, in the order in which they are done."""


def _trained_scene(folder: Path, device: str, observer: Observer, *keys: str) -> Run:
    options = {"dataset": "synthetic_small", "model": "hybridsn"}
    return _trained(folder, device, observer, options, [*_SCENE, *keys])


def _trained(
    folder: Path, device: str, observer: Observer, options: Mapping[str, Any], keys: list[str]
) -> Run:
    settings = [*keys, f"device={device}", "threads=1", "seeds.base=0"]
    return launch.start(launch.configure(settings=settings, **options), folder / "runs", observer)


def _of_run(run: Run) -> dict[str, str]:
    return {"weights": hash_file(run.path / MODEL), "scores": hash_file(run.path / METRICS)}


def _save(path: Path, values: NDArray[np.uint8]) -> None:
    Image.fromarray(values.astype(np.uint8)).save(path)


def _textured(shape: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """A smooth image with noise."""
    generator = np.random.default_rng(seed)
    lines, samples = np.indices(shape)
    waves = 120 + 60 * np.sin(lines / 5 + seed) + 40 * np.cos(samples / 7)
    noisy = waves + generator.normal(0, 8, shape)
    return np.asarray(noisy.clip(0, 255), np.uint8)
