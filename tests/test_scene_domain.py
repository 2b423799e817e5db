"""Scenes in other units than those of training are converted or warned of, others are not."""

import json
import shlex
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from scenes_samples import SMALL, small_cube

import hsi_suite as hsi
from hsi_suite.cli import cli
from hsi_suite.data.band_order import with_bands
from hsi_suite.data.formats.cube_file import CubeFile, WholeArray
from hsi_suite.data.readers import open_cube
from hsi_suite.data.spectral_domain import SpectralDomain, _factor_text, band_list, dead_bands
from hsi_suite.data.value_scale import ValueScale, declared_scale, rescaled
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import RunError, ShapeError
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.prediction import predict

pytestmark = pytest.mark.stand_in_pictures

HEADER = """ENVI
samples = {samples}
lines = {lines}
bands = {bands}
data type = {kind}
interleave = bip
byte order = 0
"""


class Heard(Observer):
    def __init__(self):
        self.said = []

    def message(self, text):
        self.said.append(text)

    @property
    def warnings(self):
        return [text for text in self.said if text.startswith("warning")]


def write_envi(path, cube, factor=None, nodata=None):
    lines, samples, bands = cube.shape
    kind = {"uint16": 12, "float32": 4}[cube.dtype.name]
    text = HEADER.format(lines=lines, samples=samples, bands=bands, kind=kind)
    text += "" if factor is None else f"reflectance scale factor = {factor}\n"
    text += "" if nodata is None else f"data ignore value = {nodata}\n"
    path.write_text(text)
    cube.tofile(path.with_suffix(".img"))
    return str(path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Runs on the small scene, whose file says 10,000 stands for a reflectance of 1."""
    folder = tmp_path_factory.mktemp("domain")
    cube, labels = small_cube()
    np.save(folder / "labels.npy", labels)
    scene = write_envi(folder / "cube.hdr", cube, 10_000)
    given = {"scene": scene, "labels": str(folder / "labels.npy"), "output": folder / "runs"}
    plain = hsi.train(**given, settings=SMALL).path
    bands = hsi.train(**given, model="cnn1d", settings=["train.epochs=2", "threads=1"]).path
    return cube, {"pca": plain, "bands": bands}


def predicted(run, scene, tmp_path, **options):
    heard = Heard()
    result = predict(
        [run], tmp_path / "map.npy", scene=scene, observer=heard, overwrite=True, **options
    )
    return result.labels, heard


def without_domain(run, folder):
    """The run as an older version left it."""
    old = folder / run.name
    old.mkdir()
    for file in run.iterdir():
        if file.is_file():
            (old / file.name).write_bytes(file.read_bytes())
    with safe_open(run / "model.safetensors", "pt") as file:
        header = json.loads(file.metadata()["header"])
    header.pop("domain"), header.pop("value_scale")
    tensors = load_file(run / "model.safetensors")
    save_file(tensors, old / "model.safetensors", {"header": json.dumps(header)})
    return old


@pytest.mark.parametrize("kind", ["pca", "bands"])
@pytest.mark.parametrize("age", ["new", "old"])
@pytest.mark.parametrize("factor", [1e-4, 100, 1e4])
def test_other_units_are_warned_of(trained, tmp_path, kind, age, factor):
    cube, runs = trained
    run = runs[kind] if age == "new" else without_domain(runs[kind], tmp_path)
    np.save(tmp_path / "other.npy", cube.astype(np.float32) * np.float32(factor))
    _, heard = predicted(run, str(tmp_path / "other.npy"), tmp_path)
    (warning,) = heard.warnings
    told = {1e-4: "about 1/10,000 of", 100: "about 100 times", 1e4: "about 10,000 times"}
    assert f"level is {told[factor]} that of those" in warning
    assert "other.npy" in warning and len(warning) < 250


@pytest.mark.parametrize("kind", ["pca", "bands"])
@pytest.mark.parametrize("age", ["new", "old"])
def test_the_training_scene_and_its_parts_are_not(trained, tmp_path, kind, age):
    cube, runs = trained
    run = runs[kind] if age == "new" else without_domain(runs[kind], tmp_path)
    parts = {
        "whole": cube,
        "crop": cube[:9, :9],
        "single field": cube[:5, :7],
        "another draw": small_cube(lines=24)[0][6:],
        "as floats": cube.astype(np.float32),
    }
    for name, part in parts.items():
        np.save(tmp_path / "part.npy", part)
        _, heard = predicted(run, str(tmp_path / "part.npy"), tmp_path)
        assert not heard.warnings, name


def test_declared_scales_are_converted(trained, tmp_path):
    cube, runs = trained
    np.save(tmp_path / "same.npy", cube)
    plain, _ = predicted(runs["pca"], str(tmp_path / "same.npy"), tmp_path)
    reflectance = (cube / 10_000).astype(np.float32)
    reflectance[3, 4] = -9999
    as_envi = write_envi(tmp_path / "r.hdr", reflectance, 1, -9999)
    with h5py.File(tmp_path / "r.h5", "w") as file:
        file["Reflectance"] = np.where(reflectance < 0, np.nan, reflectance * 100)
        file["Reflectance"].attrs["Scale_Factor"] = 100.0
    for scene in (as_envi, str(tmp_path / "r.h5")):
        labels, heard = predicted(runs["pca"], scene, tmp_path)
        assert not heard.warnings
        assert any("multiplied by 1" in text for text in heard.said)
        assert labels[3, 4] == 0
        labels[3, 4] = plain[3, 4]
        # Rounding of float32 may turn a pixel on an edge between classes.
        assert (labels == plain).mean() > 0.99


def test_the_scale_is_used_only_where_both_declare_it(trained, tmp_path):
    cube, runs = trained
    scene = write_envi(tmp_path / "plain.hdr", cube)
    _, heard = predicted(runs["pca"], scene, tmp_path)
    assert not heard.said
    same = write_envi(tmp_path / "same.hdr", cube, 10_000)
    _, heard = predicted(runs["pca"], same, tmp_path)
    assert not heard.said


def test_a_damaged_domain_is_refused(trained, tmp_path):
    _, runs = trained
    with safe_open(runs["pca"] / "model.safetensors", "pt") as file:
        header = json.loads(file.metadata()["header"])
    header["domain"] = {"reach": "far"}
    tensors = load_file(runs["pca"] / "model.safetensors")
    save_file(tensors, tmp_path / "model.safetensors", {"header": json.dumps(header)})
    import torch

    with pytest.raises(RunError, match="damaged"):
        load_classifier(tmp_path / "model.safetensors", torch.device("cpu"))


def test_scales_are_what_files_declare(tmp_path):
    cube = np.full((2, 3, 4), 5, np.float32)

    def scale(fields):
        source = WholeArray(tmp_path / "x", cube.shape, cube.dtype, lambda: cube)
        file = CubeFile(tmp_path / "x", "ENVI", cube.shape, source, (), kept_fields=fields)
        return declared_scale(file)

    assert scale({}) is None
    assert scale({"reflectance scale factor": "0"}) is None
    assert scale({"reflectance scale factor": "many"}) is None
    assert scale({"data gain values": ("1", "2")}) is None
    assert scale({"reflectance scale factor": "100"}) == ValueScale((0.01,) * 4, (0.0,) * 4)
    gains = {"data gain values": ("1", "2", "3", "4"), "data offset values": ("0", "1", "0", "1")}
    assert scale(gains) == ValueScale((1, 2, 3, 4), (0, 1, 0, 1))


def test_rescaled_values_stand_for_the_same(tmp_path):
    cube = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    cube[1, 1] = -1
    np.save(tmp_path / "x.npy", cube)
    given = ValueScale((2.0,) * 4, (1.0,) * 4)
    wanted = ValueScale((0.5,) * 4, (3.0,) * 4)
    with open_cube(tmp_path / "x.npy", nodata=-1) as file:
        other = rescaled(file, given, wanted)
        values = other.read()
    good = cube >= 0
    np.testing.assert_allclose(values[good] * 0.5 + 3, cube[good] * 2 + 1, rtol=1e-6)
    assert np.isnan(values[1, 1]).all() and other.nodata is None


def test_the_domain_survives_its_file():
    rng = np.random.default_rng(0)
    spectra = rng.normal(5, 1, (1000, 6))
    domain = SpectralDomain.of(spectra, spectra - 5, np.full(6, 5.0))
    assert SpectralDomain.from_dict(json.loads(json.dumps(domain.to_dict()))) == domain
    assert domain.unlike(spectra, spectra - 5, np.full(6, 5.0)) is None
    assert "level is 10 " in domain.unlike(spectra * 10, spectra * 10 - 5, np.full(6, 5.0))


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (9850, "about 10,000 times"),
        (2.345e6, "about 2,300,000 times"),
        (-420.0, "about -420 times"),
        (0.000102, "about 1/10,000 of"),
        (0.0, "0 times"),
        (3.14159, "3.14 times"),
        (1e300, "1e+300 times"),
    ],
)
def test_factors_are_told_in_round_words(factor, text):
    assert _factor_text(factor) == text


def test_bands_in_another_order_are_sorted_by_wavelength(tmp_path):
    cube, labels = small_cube()
    bands = cube.shape[2]
    np.save(tmp_path / "labels.npy", labels)
    nm = 400 + 12.0 * np.arange(bands)

    def scene(name, order, shift=0.0):
        path = write_envi(tmp_path / f"{name}.hdr", np.ascontiguousarray(cube[..., order]))
        text = ", ".join(f"{value:g}" for value in nm[order] + shift)
        gains = ", ".join("2" for _ in order)
        with Path(path).open("a") as header:
            header.write(f"wavelength units = nm\nwavelength = {{{text}}}\n")
            header.write(f"data gain values = {{{gains}}}\n")
        return path

    upright = np.arange(bands)
    run = hsi.train(
        scene=scene("train", upright),
        labels=str(tmp_path / "labels.npy"),
        output=tmp_path / "runs",
        model="cnn1d",
        settings=["train.epochs=1", "threads=1"],
    ).path
    expected, heard = predicted(run, str(tmp_path / "train.hdr"), tmp_path)
    assert not any("order of the training scene" in text for text in heard.said)
    for name, order in (
        ("reversed", upright[::-1]),
        ("mixed", np.random.default_rng(0).permutation(bands)),
    ):
        labels, heard = predicted(run, scene(name, order, 1.0), tmp_path)
        np.testing.assert_array_equal(labels, expected)
        assert any("order of the training scene" in text for text in heard.said)
        assert not heard.warnings
    with pytest.raises(ShapeError, match="away from those the model learnt"):
        predicted(run, scene("other", upright[::-1], 60.0), tmp_path)


def test_what_is_said_of_bands_moves_with_them(tmp_path):
    cube = np.arange(2 * 3 * 4, dtype=np.uint16).reshape(2, 3, 4)
    path = write_envi(tmp_path / "cube.hdr", cube)
    with Path(path).open("a") as header:
        header.write("wavelength = {400, 500, 600, 700}\nfwhm = {1, 2, 3, 4}\n")
        header.write("wavelength units = nm\nbbl = {1, 1, 0, 1}\nband names = {a, b, c, d}\n")
        header.write("data gain values = {1, 2, 3, 4}\n")
    order = np.array([2, 0, 3, 1])
    with open_cube(path) as file:
        moved = with_bands(file, order)
        np.testing.assert_array_equal(moved.read(1, 2), cube[1:2][..., order])
        np.testing.assert_array_equal(moved.wavelengths, [600, 400, 700, 500])
        np.testing.assert_array_equal(moved.fwhm, [3, 1, 4, 2])
        assert moved.band_names == ("c", "a", "d", "b")
        assert moved.bad_bands == (0,)
        assert declared_scale(moved).gain == (3, 1, 4, 2)


@pytest.mark.parametrize(("offset", "words"), [(0, ()), (-0.1, ("moved by -1000",))])
def test_a_declared_offset_is_told(trained, tmp_path, offset, words):
    cube, runs = trained
    stored = (cube.astype(np.float64) / 10_000 - offset).astype(np.float32)
    path = write_envi(tmp_path / "moved.hdr", stored)
    gains, offsets = (", ".join([str(value)] * cube.shape[2]) for value in (1, offset))
    with Path(path).open("a") as header:
        header.write(f"data gain values = {{{gains}}}\ndata offset values = {{{offsets}}}\n")
    _, heard = predicted(runs["bands"], path, tmp_path)
    told = [text for text in heard.said if "multiplied" in text]
    assert len(told) == 1 and ("moved by" in told[0]) == bool(words)
    assert all(word in told[0] for word in words)
    assert not heard.warnings


@pytest.mark.parametrize("kind", ["pca", "bands"])
@pytest.mark.parametrize("value", [0, 60_000])
@pytest.mark.parametrize("dead", [[4], [9, 10]])
def test_dead_bands_are_named_as_the_cause_and_what_is_told_mends_it(
    trained, tmp_path, monkeypatch, kind, value, dead
):
    cube, runs = trained
    broken = cube.astype(np.float32)
    broken[..., dead] = value
    np.save(tmp_path / "other scene.npy", broken)
    _, heard = predicted(runs[kind], str(tmp_path / "other scene.npy"), tmp_path)
    warning = heard.warnings[0]
    words = "band 5 holds" if dead == [4] else "bands 10 to 11 hold"
    assert warning.startswith(f"warning: other scene.npy: {words} the same value in every pixel")
    monkeypatch.chdir(tmp_path)
    told = warning.split("`")[1]
    result = CliRunner().invoke(cli, shlex.split(told)[1:])
    assert result.exit_code == 0, result.output
    repaired = str(tmp_path / "other scene_denoised.npy")
    # The bands of this scene are drawn one by one, so its least components hang on every one.
    if kind == "bands":
        assert heard.warnings == [warning]
        assert not predicted(runs[kind], repaired, tmp_path)[1].warnings


def test_bands_that_were_dead_in_training_are_no_news():
    spectra = np.random.default_rng(0).normal(5, 1, (60, 6))
    spectra[:, [1, 3]] = 2.0
    mean = spectra.mean(0)
    assert dead_bands(spectra, mean) == []
    assert dead_bands(spectra, None) == [1, 3]
    assert dead_bands(spectra, mean + np.eye(6)[3]) == [3]
    assert dead_bands(spectra[:20], None) == []
    assert dead_bands(np.ones((60, 6)), None) == []
    assert band_list([0]) == "band 1"
    assert band_list([0, 1, 2, 5, 7, 8]) == "bands 1 to 3, 6, 8 to 9"
