"""The README is true: its commands run, in both languages, on files of the names it uses."""

import ast
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import shapely
from drawn_samples import CRS, PLACE, at, write_drawn
from inline_jobs import use_inline_jobs
from page_commands import added_words, command_lines
from PIL import Image
from scenes_samples import small_cube

import hsi_suite as hsi
from hsi_suite.cli import cli

pytestmark = pytest.mark.stand_in_pictures

ROOT = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.zh-CN.md")
# What a command of the README gets beside its own words, so that it takes seconds; by its start.
SMALLER = {
    "hsi train --dataset indian_pines": "--epochs 1 --set model.window=9 "
    "--set reduction.components=13 --set split.train=0.05 --set evaluation.baselines=[]",
    "hsi train --scene cube.hdr": "--set auto.candidates=[lda,gaussian]",
    "hsi batch batch/smoke": "--runs 1",
}


def commands(name):
    """The commands of a README as words; those of make and pip set up, and are run by others."""
    text = (ROOT / name).read_text("utf-8")
    return command_lines("\n".join(re.findall(r"^\.venv/bin/(hsi .*)$", text, re.MULTILINE)))


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Files of a reader, of the names in the README."""
    monkeypatch.chdir(tmp_path)
    cube, labels = small_cube(48, 48, 18)
    wavelengths = np.linspace(400, 2400, 18)
    scene = hsi.Scene("cube", cube, wavelengths=wavelengths, georeference=PLACE)
    scene.save("cube.hdr")
    replace(scene, cube=cube[10:40]).save("other.tif")
    fields = [
        (shapely.box(sample, line, sample + 6, line + 4), f"class {labels[line + 1, sample + 1]}")
        for line in range(0, 44, 5)
        for sample in range(0, 42, 7)
        if labels[line + 1, sample + 1]
    ]
    boxes, classes = zip(*fields, strict=True)
    write_drawn(Path("fields.gpkg"), [at(box) for box in boxes], {"class": classes}, "GPKG", CRS)
    split = hsi.splits.random(labels, train=0.3)
    masks = {name: np.zeros(labels.size, np.uint8) for name in ("TR", "TE")}
    masks["TR"][split.train], masks["TE"][split.test] = 1, 1
    scipy.io.savemat("gt.mat", {"gt": labels})
    scipy.io.savemat("TRTE.mat", {k: v.reshape(labels.shape) for k, v in masks.items()})
    scipy.io.savemat("theirs.mat", {"map": labels})
    noise = np.random.default_rng(0).normal(120, 15, (64, 64, 3))
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save("photograph.jpg")
    return tmp_path


@pytest.mark.slow
def test_the_commands_run_in_their_order(files, monkeypatch):
    use_inline_jobs(monkeypatch)
    for words in commands("README.md"):
        if "indian_pines" in words and not os.environ.get("HSI_DATA_DIR"):
            # Without the data the command downloads them: it is checked by tests/test_pages.py.
            continue
        (run,) = sorted(Path("runs").glob("cube_*"))[:1] or [Path("none")]
        given = [str(run) if word == "runs/MY_RUN" else word for word in words[1:]]
        cli.main([*given, *added_words(words, SMALLER)], prog_name="hsi", standalone_mode=False)
    for name in ("map.tif", "map_uncertainty.tif", "audit.html", "photograph_denoised.png"):
        assert (files / name).stat().st_size > 0, name


def test_both_languages_give_the_same_commands():
    first, second = (list(commands(name)) for name in READMES)
    assert first == second and len(first) >= 5


@pytest.mark.parametrize("name", READMES)
def test_the_readme_is_short(name):
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= 120


def example(name):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)
    return code


def test_both_languages_give_the_same_example():
    first, second = (ast.dump(ast.parse(example(name))) for name in READMES)
    assert first == second


def test_the_example_in_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cube, labels = small_cube(48, 48, 48)
    scene = hsi.Scene("small", cube, labels, ("a", "b", "c"))
    image = np.random.default_rng(0).normal(120, 15, (48, 48)).clip(0, 255).astype(np.uint8)
    train = hsi.train
    quick = {"split": "random", "model": "lda"}
    monkeypatch.setattr(hsi, "train", lambda dataset, seed: train(scene, seed=seed, **quick))
    classifier = hsi.SceneClassifier
    small = {"epochs": 1, "settings": {"reduction.components": 13}}
    monkeypatch.setattr(
        hsi, "SceneClassifier", lambda name, window: classifier(name, window=window, **small)
    )
    names = {"labels": labels, "cube": cube, "image": image}
    exec(compile(example("README.md"), "README.md", "exec"), names)
    assert names["run"].finished and names["clean"].std() < image.std() / 2
