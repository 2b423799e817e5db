"""A small scene with wavelengths, and a retrieval run trained on it on the spot."""

import json

import numpy as np
import torch
from file_samples import write_envi
from torch.nn import functional

from hsi_suite.data.item_source import ItemSource
from hsi_suite.data.modalities import ModalityOptions, scene_modality
from hsi_suite.data.scene import Scene
from hsi_suite.tasks.retrieval.retriever import RetrieverHeader, untrained_retriever

WAVELENGTHS = np.linspace(420, 900, 13)
NAMES = ("Water", "Grass", "Sand")


def class_spectra():
    """Reflectance of the three classes in the scene's bands: falling, with a red edge, rising."""
    x = (WAVELENGTHS - 420) / 480
    return np.stack([0.12 - 0.1 * x, 0.05 + 0.45 * (x > 0.58), 0.15 + 0.4 * x])


def sample_scene(lines=24, samples=27, seed=0):
    """Three vertical stripes, in reflectance times 10000."""
    rng = np.random.default_rng(seed)
    labels = np.repeat((np.arange(samples) // 9 % 3 + 1)[None], lines, 0).astype(np.uint8)
    cube = class_spectra()[labels - 1] * 10_000 + rng.normal(0, 60, (lines, samples, 13))
    return Scene(
        "stripes",
        np.clip(cube, 0, 65_535).astype(np.uint16),
        labels=labels,
        class_names=NAMES,
        wavelengths=WAVELENGTHS,
        false_colour=(6, 3, 1),
    )


def make_run(folder, *, pair=("spectrum", "rgb"), unit_norm=True, thresholds=0.5, steps=60):
    """A finished run's folder; trained for a second, so that it knows the three classes."""
    scene = sample_scene()
    pixels = np.arange(0, scene.lines * scene.samples, 2)
    modalities, items = [], []
    for kind in pair:
        options = ModalityOptions(window=3, unit_norm=unit_norm)
        modality = scene_modality(kind, scene, pixels, options)
        items.append(ItemSource(modality, scene).items(pixels))
        modalities.append(modality.fitted(items[-1]))
    header = RetrieverHeader(
        model="dscmr",
        options={"hidden": 16, "embedding": 8},
        names=pair,
        class_names=NAMES,
        labels=(1, 2, 3),
        dataset="stripes",
        synthetic=False,
        thresholds={f"{a}_to_{b}": thresholds for a, b in (pair, pair[::-1])},
    )
    generator = torch.Generator().manual_seed(0)
    retriever = untrained_retriever(header, *modalities, torch.device("cpu"), generator)
    network = retriever.network.train()
    optimiser = torch.optim.Adam(network.parameters(), 0.02)
    truth = torch.from_numpy(scene.labels.ravel()[pixels].astype(np.int64) - 1)
    first, second = (torch.from_numpy(m.prepare(i)) for m, i in zip(modalities, items, strict=True))
    for _ in range(steps):
        u, v = network.embed_first(first), network.embed_second(second)
        loss = sum(functional.cross_entropy(network.labels(each), truth) for each in (u, v))
        loss = loss + 0.1 * (u - v).norm(dim=1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    network.eval()
    folder.mkdir(parents=True, exist_ok=True)
    retriever.save(folder / "model.safetensors")
    (folder / "config.yaml").write_text("task: retrieval\n")
    (folder / "metrics.json").write_text(json.dumps({"task": "retrieval"}))
    return folder


def write_cube(path, scene=None, extra=""):
    """The scene as an ENVI file with wavelengths."""
    scene = scene or sample_scene()
    centres = ", ".join(f"{centre:.3f}" for centre in scene.wavelengths)
    write_envi(
        path, scene.cube, "bil", f"wavelength units = nm\nwavelength = {{{centres}}}\n{extra}"
    )
    return str(path)


def write_spectrum(path, label, factor=1.0, wavelengths=None):
    """The spectrum of a class as CSV, measured more finely than the scene's bands."""
    fine = np.arange(400.0, 921.0, 2) if wavelengths is None else wavelengths
    values = np.interp(fine, WAVELENGTHS, class_spectra()[label - 1]) * factor
    rows = [f"{w:g},{v:.6g}" for w, v in zip(fine, values, strict=True)]
    path.write_text("\n".join(["wavelength_nm,value", *rows]))
    return str(path)


def rgb_picture(scene=None):
    """What the run sees of the scene as RGB, as 8-bit values of a camera of another level."""
    scene = scene or sample_scene()
    ranges = ((600, 700), (500, 600), (400, 500))
    inside = [(scene.wavelengths >= low) & (scene.wavelengths <= high) for low, high in ranges]
    image = np.stack([scene.cube[..., bands].mean(-1) for bands in inside], -1)
    return np.round(image / image.max() * 200 + 20).astype(np.uint8)
