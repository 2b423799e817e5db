"""A usual call of every command, and the files and runs it is given."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

# Every command that trains, and replays of it: hours may pass, so that they are ended after their
# first line. RUN and RUN2 are finished runs, IMAGES one of a denoiser.
TRAININGS = (
    "train --dataset synthetic",
    "train --dataset synthetic --model svm",
    "train --dataset synthetic --runs 2",
    "train --dataset digits",
    "train --config smoke/denoising",
    "train --config retrieval/synthetic_spectrum_rgb",
    "train --resume RUN",
    "batch batch/smoke",
    "replay RUN",
    "doctor --gpu",
)
# All others, to their end. SEARCH is a run of a retriever, `index` a gallery it has seen.
OTHERS = (
    "evaluate RUN",
    "evaluate RUN RUN2",
    "evaluate --weights default_denoiser --data photographs --sigma 25",
    "evaluate --weights default_denoiser --data photographs --jpeg 40",
    "evaluate --weights camera_denoiser --data photographs --iso 1600",
    "predict RUN --scene cube.hdr -o map.tif --overwrite",
    "denoise photograph.png -o clean.png --overwrite",
    "denoise cube.hdr -o clean.hdr --overwrite",
    "detect cube.hdr --anomaly rx -o found.tif --overwrite",
    "audit labels.tif --split RUN/split.npz",
    "audit labels.tif --split RUN/split.npz -o audit.html --overwrite",
    "retrieve index SEARCH --scene cube.hdr -o again --step 8 --overwrite",
    "retrieve query index --pixel 8,8",
    "retrieve query index --pixel 8,8 -o found --overwrite",
    "report RUN",
    "report BATCH",
    "report RUN --figures png --overwrite",
    "compare RUN RUN2",
    "compare BATCH",
    "data list",
    "data info synthetic",
    "data info cube.hdr",
    "data export cube.hdr -o copy.tif --overwrite",
    "data export synthetic -o copy.hdr --overwrite",
    "data fetch synthetic",
    "data verify synthetic",
    "models list",
    "models list --blocks",
    "models describe hybridsn",
    "models compare hybridsn ssrn",
    "models compare hybridsn ssrn -o comparison --overwrite",
    "config list",
    "config show batch/smoke",
    "config show classification/svm --all",
    "doctor",
)
# What cannot be done, and is refused by its names alone.
WRONG = (
    "train --dataset synthetik",
    "train --dataset synthetic --set model.options.dropuot=0.2",
    "train --dataset synthetic --device cuda:97",
    "denoise photograph.png --contact-sheet sheet.gif",
    "audit labels.tif --split RUN/split.npz -o audit.pdf",
    "predict RUN --scene cube.hdr -o photograph.png/map.tif",
)

_PREPARED = (
    "data export synthetic_small -o cube.hdr --labels-output labels.tif",
    "train --dataset synthetic_small --model lda --seed 0 --output first",
    "train --dataset synthetic_small --model lda --seed 1 --output second",
    "batch batch/smoke --output batch",
    "train --config retrieval/synthetic_spectrum_rgb --set train.epochs=1 --output search",
    "retrieve index SEARCH --scene cube.hdr -o index --step 8",
)
_PLACES = {"RUN2": "second", "RUN": "first", "BATCH": "batch", "SEARCH": "search"}


def prepare(folder: Path, hsi: str) -> None:
    """Put into a folder what the calls are given.

    Args:
        folder: an empty one.
        hsi: the command.
    """
    pictures = folder / "photographs"
    pictures.mkdir()
    noise = np.random.default_rng(0).normal(120, 15, (64, 64, 3)).clip(0, 255).astype(np.uint8)
    for place in (folder / "photograph.png", pictures / "a.png"):
        Image.fromarray(noise).save(place)
    for line in _PREPARED:
        subprocess.run([hsi, *words(line, folder)], cwd=folder, check=True, capture_output=True)


def words(line: str, folder: Path) -> list[str]:
    """A call as words, with the folders of runs in the places of their names."""
    return [_with_places(word, folder) for word in line.split()]


def _with_places(word: str, folder: Path) -> str:
    name, _, rest = word.partition("/")
    if name not in _PLACES:
        return word
    (run,) = (folder / _PLACES[name]).iterdir()
    return str(run.relative_to(folder) / rest)
