"""The smallest training of each task, as arguments of `hsi train`."""

import sys

import numpy as np
import pytest
from PIL import Image
from query_samples import sample_scene, write_cube
from scenes_samples import SMALL, write_scene

from hsi_suite.cli import main

TASKS = ("classification", "denoising", "image_classification", "retrieval")


def training(task, folder, *settings, epochs=2):
    """What comes after `hsi`; the data are written into `folder` where they are not there yet.

    Args:
        task: of `TASKS`.
        folder: for the data.
        settings: "a.b=c" texts that come last.
        epochs: of the training.
    """
    arguments, own = _OF_TASK[task](folder)
    chosen = [*own, f"train.epochs={epochs}", "threads=1", "device=cpu", *settings]
    return ["train", *arguments, *(word for each in chosen for word in ("--set", each))]


def _classification(folder):
    files = {name: folder / f"{name}.npy" for name in ("cube", "labels")}
    if not files["labels"].exists():
        write_scene(folder)
    return ["--scene", files["cube"], "--labels", files["labels"]], SMALL


def _denoising(folder):
    images = folder / "images"
    if not images.exists():
        images.mkdir()
        for number in range(5):
            Image.fromarray(textured((40, 48), number)).save(images / f"{number}.png")
    own = [f"data.folder={images}", "data.validation=2"]
    return ["--config", "smoke/denoising"], own


def _image_classification(folder):
    images = folder / "classes"
    if not images.exists():
        for name, tone in (("bright", 170), ("dark", 20)):
            (images / name).mkdir(parents=True)
            for number in range(10):
                values = textured((16, 16), number) // 4 + tone
                Image.fromarray(values.astype(np.uint8)).save(images / name / f"{number}.png")
    own = [
        f"data.folder={images}", "data.size=16", "data.resize=16", "model.name=resnet_20",
        "train.batch_size=8", "train.schedule.warmup=0", "split.validation=0.2",
        "evaluation.crops=1",
    ]  # fmt: skip
    return ["--config", "image_classification/folder"], own


def _retrieval(folder):
    cube, labels = folder / "stripes.hdr", folder / "stripes.npy"
    if not labels.exists():
        write_cube(cube)
        np.save(labels, sample_scene().labels)
    # Searching a disjoint split takes longer than all the rest.
    own = ["split.kind=random", "split.pairs=null", "data.window=3", "evaluation.baselines=[cca]"]
    own += [
        "evaluation.cutoffs=[5]",
        "model.options={hidden: 16, embedding: 8, first_encoder: mlp}",
    ]
    arguments = ["--config", "retrieval/synthetic_spectrum_rgb", "--scene", cube]
    return [*arguments, "--labels", labels], own


def finished_runs(folder):
    """A finished run of each task, by task; the same process trains them one after the other."""
    runs = {}
    for task in TASKS:
        made = folder / f"{task}_runs"
        assert status_of(*training(task, folder), "--output", made) == 0
        [runs[task]] = made.iterdir()
    return runs


def status_of(*arguments):
    """The exit status of an `hsi` command in this process."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as caught:
        patch.setattr(sys, "argv", ["hsi", *map(str, arguments)])
        main()
    return caught.value.code


_OF_TASK = {
    "classification": _classification,
    "denoising": _denoising,
    "image_classification": _image_classification,
    "retrieval": _retrieval,
}


def textured(shape, seed):
    """A smooth image of uint8 with noise."""
    generator = np.random.default_rng(seed)
    y, x = np.indices(shape)
    waves = 120 + 60 * np.sin(y / 5 + seed) + 40 * np.cos(x / 7)
    return (waves + generator.normal(0, 8, shape)).clip(0, 255).astype(np.uint8)
