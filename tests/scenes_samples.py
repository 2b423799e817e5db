"""Small scenes for tests of the pipelines, made on the spot."""

import numpy as np
import yaml

import hsi_suite as hsi

SMALL = [
    "reduction.components=13",
    "model.window=9",
    "train.epochs=2",
    "train.batch_size=32",
    "threads=1",
]


def small_cube(lines=30, samples=28, bands=18, classes=3, seed=0):
    """A cube of smooth patches with class spectra, and its labels (0 on one line)."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(lines)[:, None] // 5 + np.arange(samples)[None] // 7) % classes + 1
    labels[lines // 2] = 0
    spectra = rng.uniform(500, 3000, (classes + 1, bands))
    cube = spectra[labels] + rng.normal(0, 60, (lines, samples, bands))
    return cube.astype(np.uint16), labels.astype(np.uint8)


def write_scene(folder, **keys):
    """The small scene as NPY files; returns the options that name them."""
    cube, labels = small_cube(**keys)
    np.save(folder / "cube.npy", cube)
    np.save(folder / "labels.npy", labels)
    return {"scene": str(folder / "cube.npy"), "labels": str(folder / "labels.npy")}


def write_scene_with_hole(folder):
    """The small scene with missing pixels, of no label; the options that name and mark them."""
    files = write_scene(folder)
    cube = np.load(files["scene"])
    cube[3:6, 10:14] = 0
    np.save(files["scene"], cube)
    labels = np.load(files["labels"])
    labels[~cube.any(-1)] = 0
    np.save(files["labels"], labels)
    return files | {"nodata": 0}


def trained_runs(folder, seeds=(0, 1)):
    """Folders of small runs on the small scene, one for each seed."""
    scene = write_scene(folder)
    return [
        hsi.train(**scene, settings=SMALL, seed=seed, output=folder / "runs").path for seed in seeds
    ]


def write_yaml(path, tree):
    """A configuration file."""
    path.write_text(yaml.safe_dump(tree))
    return str(path)
