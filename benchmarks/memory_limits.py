"""`python -m benchmarks.memory_limits`: what commands need and what they take of memory.

Each command is asked with a limit that is too low; the refusal says what it needs at least. With
just that limit it is run, and the largest resident memory of its process is measured. What is said
should be no less than what is taken, and not more than half as much again.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path

import numpy as np

LINES, SAMPLES, BANDS = 256, 256, 100
_LEARNT = "synthetic"
_CLASSICAL = ("svm", "wide_svm", "forest", "gaussian")
_LEAST = re.compile(r"(?:at least|above|need about|takes about|takes|need) ([\d.]+) ([MG])B")
_BESIDE = re.compile(r"takes about ([\d.]+) ([MG])B beside ([\d.]+) ([MG])B")
_MORE = re.compile(r"by ([\d.]+) ([MG])B")
_UNITS = {"M": 1e6, "G": 1e9}


def main() -> None:
    """Print a row for each command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory_limits", description=__doc__)
    parser.add_argument("--only", default="", help="commands whose name contains this")
    parser.add_argument("--keep", type=Path, help="folder for scenes and runs, kept for next time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memory-") as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        print(f"{'command':<34} {'needs':>9} {'takes':>9}  ratio")
        for name, arguments in _commands(folder):
            if options.only in name:
                _show(name, arguments(), folder)


def _commands(folder: Path) -> Iterator[tuple[str, Callable[[], list[str]]]]:
    """Names, and what gives the arguments of `hsi` after making what they need."""
    cube, labels = folder / "scene.hdr", folder / "labels.npy"
    if not labels.exists():
        # In a process of its own: what is the most that a command takes begins with its parent's.
        writing = get_context("spawn").Process(target=_write_scene, args=(cube, labels))
        writing.start()
        writing.join()
    trained = ["--dataset", _LEARNT]
    scene = ["--scene", str(cube), "--labels", str(labels)]
    few = ["--set", "split.train=0.005"]
    once = ["--epochs", "1"]
    nets = {
        "hybridsn": [*once, "--set", "model.window=25", "--set", "train.batch_size=256"],
        "hybridsn of patches": [*once, "--set", "train.strategy=patch"],
        "ssrn": [*once, "--model", "ssrn"],
        "cnn1d": [*once, "--model", "cnn1d"],
    }
    nets |= {name: ["--model", name] for name in _CLASSICAL}

    def made(*arguments: str) -> Callable[[], list[str]]:
        return lambda: list(arguments)

    def predicting(name: str, target: str) -> Callable[[], list[str]]:
        learning = [*trained, *nets[name]]
        return lambda: [
            *("predict", _trained(folder / f"run_{name}", learning)),
            *("--scene", str(cube), "-o", target),
        ]

    def indexing() -> list[str]:
        learning = ["--config", "retrieval/synthetic_spectrum_rgb"]
        run = _trained(folder / "run_retrieval", learning)
        return ["retrieve", "index", run, "--scene", str(cube), "-o", "index"]

    for name, wanted in nets.items():
        yield f"train {name}", made("train", *scene, *few, *wanted, "--output", "runs")
    for name in ("hybridsn", "ssrn", "cnn1d", *_CLASSICAL):
        yield f"predict {name}", predicting(name, "map.npy")
    yield "predict a picture", predicting("forest", "map.png")
    for method in ("--anomaly rx", "--at 30,40 --method ace"):
        yield (
            f"detect {method.split()[-1]}",
            made("detect", str(cube), *method.split(), "-o", "s.npy"),
        )
    yield "denoise a cube by lines", made("denoise", str(cube), "-o", "clean.hdr")
    whole = str(folder / "scene.npz")
    yield "denoise a cube read whole", made("denoise", whole, "-o", "clean.npy")
    for name in ("photo8.png", "photo16.png", "photo.jpg", "photo.tif"):
        photo = str(folder / name)
        yield (
            f"denoise {name}",
            made("denoise", photo, "--sigma", "10", "-o", f"clean_{name}"),
        )
    yield "retrieve index", indexing


def _trained(folder: Path, arguments: Sequence[str]) -> str:
    """A run's folder, trained now unless it was before."""
    if not list(folder.glob("*/metrics.json")):
        command = _hsi("train", *arguments, "--output", str(folder))
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return str(next(folder.glob("*/metrics.json")).parent)


def _show(name: str, arguments: list[str], folder: Path) -> None:
    limit, text = 50e6, ""
    for _ in range(8):
        with tempfile.TemporaryDirectory(dir=folder) as work:
            status, text, taken = _run([*arguments, "--memory-limit", f"{limit / 1e6:.0f}M"], work)
        if status == 0:
            print(f"{name:<34} {limit / 1e6:>6.0f} MB {taken / 1e6:>6.0f} MB {limit / taken:>6.2f}")
            return
        found = [float(size) * _UNITS[unit] for size, unit in _LEAST.findall(text)]
        found += [
            float(one) * _UNITS[unit] + float(other) * _UNITS[others] + 1e6
            for one, unit, other, others in _BESIDE.findall(text)
        ]
        found += [limit + float(size) * _UNITS[unit] + 1e6 for size, unit in _MORE.findall(text)]
        found = [size for size in found if size > limit]
        limit = max(found, default=1.1 * limit)
    print(f"{name:<34} {text.strip().splitlines()[-1]}")


def _run(arguments: list[str], work: str) -> tuple[int, str, float]:
    """Exit status, errors and largest resident memory (bytes) of a command."""
    process = subprocess.Popen(
        _hsi(*arguments), cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    text = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), text, 1024.0 * usage.ru_maxrss


def _hsi(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "hsi_suite.cli", *arguments]


def _write_scene(cube: Path, labels: Path) -> None:
    """A scene of six materials in blocks, with noise, in ENVI and NPZ; photographs beside it."""
    from PIL import Image

    from hsi_suite.data.synthetic import generate_scene
    from hsi_suite.data.writers import write_layers

    # The bands of the scene that the runs below learn from, as others are refused.
    centres = generate_scene(_LEARNT).wavelengths
    assert centres is not None and len(centres) == BANDS
    rng = np.random.default_rng(0)
    spectra = rng.uniform(500, 4000, (6, BANDS))
    blocks = rng.integers(0, 6, (-(-LINES // 20), -(-SAMPLES // 20)))
    kinds = np.kron(blocks, np.ones((20, 20), int))[:LINES, :SAMPLES]
    values = spectra[kinds] + rng.normal(0, 60, (LINES, SAMPLES, BANDS))
    write_layers(cube, values.astype(np.float32), [f"band {i}" for i in range(BANDS)])
    wavelengths = ", ".join(f"{value:.2f}" for value in centres)
    with cube.open("a") as header:
        header.write(f"wavelength units = Nanometers\nwavelength = {{{wavelengths}}}\n")
    np.savez(cube.with_suffix(".npz"), cube=values.astype(np.float32))
    photo = rng.integers(0, 255, (1500, 2000, 3), np.uint8)
    Image.fromarray(photo).save(cube.parent / "photo8.png")
    Image.fromarray(photo).save(cube.parent / "photo.jpg")
    Image.fromarray(photo).save(cube.parent / "photo.tif")
    Image.fromarray(photo[..., 0].astype(np.uint16) * 257).save(cube.parent / "photo16.png")
    np.save(labels, (kinds + 1).astype(np.uint8))


if __name__ == "__main__":
    main()
