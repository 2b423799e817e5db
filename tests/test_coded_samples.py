"""What the trees for WebP, AVIF and HEIC learn: `benchmarks/coded_samples.py`."""

import importlib
import importlib.util
import sys

import numpy as np
import pytest
from benchmark_scripts import FOLDER
from PIL import features
from skimage import data as samples


@pytest.fixture
def coded_samples():
    """A module of the package by its path: it is not installed."""
    pytest.importorskip("pillow_heif")
    if not features.check("avif"):
        pytest.skip("this Pillow does not write AVIF")
    if "benchmarks" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "benchmarks", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
        )
        sys.modules["benchmarks"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["benchmarks"])
    importlib.import_module("benchmarks.lossy_formats").let_write_heic()
    return importlib.import_module("benchmarks.coded_samples")


def test_samples_are_fine_files_and_the_same_for_a_seed(coded_samples, tmp_path):
    picture = samples.astronaut()[:96, 100:196].astype(np.float32) / 255

    def drawn(seed):
        return list(coded_samples.coded_samples(picture, np.random.default_rng(seed), tmp_path))

    first, again, other = drawn(0), drawn(0), drawn(1)
    assert [each.kind for each in first].count("clean") == 3 and len(first) == 9
    assert {each.kind for each in first} == {"clean", "camera", "gaussian"}
    assert {each.coding.kind for each in first + other} == {"WebP", "AVIF", "HEIC"}
    for one, two in zip(first, again, strict=True):
        assert one.coding == two.coding and (one.values == two.values).all()
        assert one.coding.index < 0.6 * one.coding.coarsest and one.quality is None
    assert any(one.coding != two.coding for one, two in zip(first, other, strict=True))


def test_trees_that_are_not_measured_are_kept(coded_samples, tmp_path, monkeypatch):
    from hsi_suite.restoration.boosted_trees import read_trees

    noise_kinds = importlib.import_module("benchmarks.noise_kinds")
    shipped = noise_kinds._FOLDER / "noise_kinds.npz"
    (tmp_path / "noise_kinds.npz").write_bytes(shipped.read_bytes())
    monkeypatch.setattr(noise_kinds, "_FOLDER", tmp_path)
    rng = np.random.default_rng(0)
    measured = {
        "colour_coded.numbers": rng.normal(size=(80, 123)),
        "colour_coded.told": rng.random(80) < 0.5,
    }
    np.savez(tmp_path / "measured.npz", **measured)
    noise_kinds.fit(tmp_path / "measured.npz")
    for name, same in (("colour", True), ("grey_white", True), ("colour_coded", False)):
        old, new = (
            read_trees(folder / "noise_kinds.npz", name) for folder in (shipped.parent, tmp_path)
        )
        assert np.array_equal(old.leaves, new.leaves) == same
