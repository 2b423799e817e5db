"""Pictures with noise and without in WebP, AVIF and HEIC files, as `noise_kinds` learns them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from hsi_suite.data.artefacts import eight_bits
from hsi_suite.data.camera_range import CameraRange

from .kind_samples import Generator, Picture, Sample, camera, jpeg, scan, white
from .lossy_formats import written

# Coarser files go to `jpeg_denoiser` whatever noise they have; finer ones are hardly different.
QUALITIES = {"WebP": (81, 99), "AVIF": (56, 97), "HEIC": (51, 97)}
_ISOS, _SIGMAS, _GRAINS = (300, 12800), (3, 25), (3, 10)
# What a clean photograph may have been before.
_BEFORE = (60, 98)
# Few phones write JPEG and then another kind; people do.
_CAMERAS = CameraRange(grey=0, jpeg=0.5)


def coded_samples(picture: Picture, rng: Generator, folder: Path) -> Iterator[Sample]:
    """What is made of a clean picture, each in a file of a kind and quality drawn at random."""
    made = [Sample(eight_bits(picture), "clean")] * 2
    made.append(replace(jpeg(picture, int(rng.integers(*_BEFORE))), kind="clean"))
    made += [camera(picture, rng, _drawn(_ISOS, rng), _CAMERAS) for _ in range(3)]
    made += [white(picture, rng, _drawn(_SIGMAS, rng)) for _ in range(2)]
    made.append(scan(picture, rng, rng.uniform(*_GRAINS)))
    for sample in made:
        kind = list(QUALITIES)[rng.integers(len(QUALITIES))]
        file = written(sample.values, kind, int(rng.integers(*QUALITIES[kind])), folder)
        yield replace(sample, values=file.values, quality=None, coding=file.coding)


def _drawn(bounds: tuple[int, int], rng: Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))
