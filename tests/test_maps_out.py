"""What `hsi predict` writes for a GIS beside the plain map."""

import resource
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import torch
from scenes_samples import small_cube, trained_runs

import hsi_suite as hsi
from hsi_suite.data.formats.cog_writer import make_cog
from hsi_suite.data.readers import open_cube, read_labels
from hsi_suite.data.scene import Georeference
from hsi_suite.data.writers import write_layers
from hsi_suite.errors import ConfigError, OutputError, Stopped
from hsi_suite.tasks.scenes import prediction, strip_prediction
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.uncertainty import uncertainty_layers

pytestmark = pytest.mark.stand_in_pictures

GEO = Georeference("EPSG:32616", (20.0, 0.0, 500000.0, 0.0, -20.0, 4480000.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("maps")


@pytest.fixture(scope="module")
def runs(folder):
    return trained_runs(folder)


@pytest.fixture(scope="module")
def holed(folder):
    """The small scene as a GeoTIFF with missing pixels."""
    cube = small_cube()[0].astype(np.float32)
    cube[12:19, 20:] = np.nan
    write_layers(folder / "holed.tif", cube, [f"b{k}" for k in range(18)], GEO, nodata=-9999.0)
    return str(folder / "holed.tif")


def predict(runs, output, scene, **options):
    return hsi.predict(runs, output=output, scene=scene, threads=1, **options)


def test_uncertainty_of_known_probabilities():
    rows = [[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.7, 0.1], [np.nan] * 3, [1 / 3] * 3]
    got = uncertainty_layers(np.array([rows], np.float32))[0]
    some = -(0.2 * np.log(0.2) + 0.7 * np.log(0.7) + 0.1 * np.log(0.1)) / np.log(3)
    expected = [
        [1, 1, 0], [0.5, 0, np.log(2) / np.log(3)], [0.7, 0.5, some], [np.nan] * 3, [1 / 3, 0, 1],
    ]  # fmt: skip
    np.testing.assert_allclose(got, expected, atol=1e-6)
    one = uncertainty_layers(np.array([[[1.0], [np.nan]]], np.float32))[0]
    np.testing.assert_array_equal(one, [[1, 1, 0], [np.nan] * 3])


@pytest.mark.parametrize("ending", [".tif", ".hdr", ".npy"])
def test_uncertainty_is_written_by_strips_with_names_and_place(
    runs, holed, monkeypatch, tmp_path, ending
):
    whole = predict(runs[:1], tmp_path / f"a{ending}", holed, uncertainty=True)
    assert [path.name for path in whole.written] == [f"a{ending}", f"a_uncertainty{ending}"]
    monkeypatch.setattr(prediction, "strip_lines", lambda *arguments: 7)
    strips = predict(runs[:1], tmp_path / f"b{ending}", holed, uncertainty=True)
    np.testing.assert_allclose(strips.uncertainty, whole.uncertainty, rtol=0, atol=1e-4)
    with open_cube(holed) as file:
        cube = file.read()
    valid = ~(cube == -9999).any(2)
    classifier = load_classifier(runs[0] / "model.safetensors", torch.device("cpu"))
    rows = classifier.probabilities(cube, valid)
    ordered = np.sort(rows, axis=2)
    np.testing.assert_allclose(whole.uncertainty[..., 0], ordered[..., -1], atol=1e-5)
    margin = ordered[..., -1] - ordered[..., -2]
    np.testing.assert_allclose(whole.uncertainty[..., 1], margin, atol=1e-5)
    assert np.array_equal(np.isnan(whole.uncertainty[..., 2]), ~valid)
    if ending != ".npy":
        with open_cube(whole.written[1]) as file:
            assert file.band_names == ("largest probability", "margin", "normalised entropy")
            assert file.georeference.transform == GEO.transform


def test_uncertainty_of_several_runs_and_in_memory(runs, holed, tmp_path):
    got = predict(runs, tmp_path / "m.npy", holed, uncertainty=True, probabilities=True)
    assert [path.stem for path in got.written] == [
        "m", "m_probabilities", "m_uncertainty", "m_disagreement",
    ]  # fmt: skip
    expected = uncertainty_layers(got.probabilities)
    np.testing.assert_array_equal(got.uncertainty, expected)
    held = predict(runs, None, holed, uncertainty=True)
    np.testing.assert_array_equal(held.uncertainty, expected)
    assert held.probabilities is None
    assert predict(runs, None, holed).uncertainty is None


def test_classes_alone_give_no_uncertainty(folder, tmp_path):
    scene = {"scene": str(folder / "cube.npy"), "labels": str(folder / "labels.npy")}
    settings = ["threads=1", "train.calibration=none"]
    run = hsi.train(**scene, model="svm", settings=settings, output=tmp_path / "runs")
    with pytest.raises(ConfigError, match="--uncertainty: svm gives classes"):
        predict([run.path], tmp_path / "m.tif", scene["scene"], uncertainty=True)
    assert not list(tmp_path.glob("m*"))


@pytest.fixture(scope="module")
def wide(folder):
    """A scene of more samples than a tile has."""
    cube = small_cube(lines=12, samples=600)[0].astype(np.float32)
    cube[3:5, 40:60] = np.nan
    write_layers(folder / "wide.tif", cube, [f"b{k}" for k in range(18)], GEO, nodata=-9999.0)
    return str(folder / "wide.tif")


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_optimised(path):
    """Header, then the smallest overview's values, then those of the next larger."""
    assert b"LAYOUT=IFDS_BEFORE_DATA" in path.read_bytes()[:300]
    with tifffile.TiffFile(path) as file:
        pages = list(file.pages)
        assert len(pages) == 2 and not pages[0].is_reduced and pages[1].is_reduced
        assert all(page.is_tiled and page.tilewidth == page.tilelength == 512 for page in pages)
        offsets = [page.offset for page in pages]
        data = [page.dataoffsets for page in pages]
        assert offsets == sorted(offsets) and max(offsets) < min(data[1]) < min(data[0])
        assert max(data[1]) < min(data[0])


def test_cloud_optimised_files_hold_the_same(runs, wide, tmp_path):
    rasterio = pytest.importorskip("rasterio")
    options = {"probabilities": True, "uncertainty": True}
    plain = predict(runs, tmp_path / "a" / "m.tif", wide, **options)
    got = predict(runs, tmp_path / "b" / "m.tif", wide, cog=True, **options)
    assert np.array_equal(got.labels, plain.labels)
    for what in ("probabilities", "uncertainty", "disagreement"):
        layers = getattr(got, what)
        assert np.array_equal(layers, getattr(plain, what), equal_nan=True), what
    for old, new in zip(plain.written, got.written, strict=True):
        assert_optimised(new)
        with rasterio.open(old) as first, rasterio.open(new) as second:
            assert second.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert second.overviews(1) == [2]
            assert second.crs == first.crs and second.transform == first.transform
            assert second.descriptions == first.descriptions
            assert str(second.nodata) == str(first.nodata)
            assert {f"CLASS_{k}" for k in (1, 2, 3)} <= set(second.tags()) or "_" in old.stem
            if old.stem == "m":
                assert second.colormap(1) == first.colormap(1)
    with rasterio.open(got.written[0], overview_level=0) as file:
        small = file.read(1)
    # Each of its pixels is one of the four: never a mean of numbers of classes.
    blocks = plain.labels.reshape(6, 2, 300, 2).transpose(0, 2, 1, 3).reshape(6, 300, 4)
    assert (small[..., None] == blocks).any(axis=2).all()
    assert read_labels(got.written[0]).class_names == ("class 1", "class 2", "class 3")
    both = [files_in(tmp_path / name) for name in ("a", "b")]
    assert set(both[0]) == set(both[1])
    for name in ("m.tif.aux.xml", "m.qml"):
        assert both[0][name] == both[1][name]


def test_an_independent_reader_finds_the_files_cloud_optimised(runs, wide, tmp_path):
    cogeo = pytest.importorskip("rio_cogeo.cogeo")
    got = predict(runs, tmp_path / "m.tif", wide, cog=True, probabilities=True, majority=3)
    for path in got.written:
        valid, errors, warnings = cogeo.cog_validate(path, strict=True)
        assert (valid, errors, warnings) == (True, [], []), path
        levels = cogeo.cog_info(path).IFD
        assert [(level.Decimation, level.Blocksize) for level in levels] == [
            (0, (512, 512)), (2, (512, 512)),
        ]  # fmt: skip
    plain = predict(runs, tmp_path / "plain.tif", wide)
    assert not cogeo.cog_validate(plain.written[0])[0]


def test_what_a_conversion_takes_is_counted(tmp_path):
    # In another process, as memory that was freed is not given back.
    code = (
        "import resource, sys; from pathlib import Path;"
        "from hsi_suite.data.formats.cog_writer import cog_bytes, make_cog;"
        "import rasterio.shutil, tifffile;"
        "peak = lambda: 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "before, path = peak(), Path(sys.argv[1]); make_cog(path, path, classes=False);"
        "print(peak() - before, cog_bytes(int(sys.argv[2])))"
    )
    for layers in (1, 12):
        path = tmp_path / f"{layers}.tif"
        values = np.random.default_rng(0).random((700, 1100, layers), np.float32)
        write_layers(path, values, [f"b{k}" for k in range(layers)])
        done = subprocess.run(
            [sys.executable, "-c", code, path, str(layers)], capture_output=True, check=True
        )
        taken, counted = map(float, done.stdout.split())
        assert taken < counted


def test_a_cloud_optimised_call_goes_on_where_it_was_cut_off(runs, wide, tmp_path, monkeypatch):
    pytest.importorskip("rasterio")
    predict(runs[:1], tmp_path / "a" / "m.tif", wide, cog=True, uncertainty=True)
    target = tmp_path / "b" / "m.tif"
    made = []

    def cut_off(path, *arguments, **options):
        if len(made) == stop:
            raise KeyboardInterrupt
        make_cog(path, *arguments, **options)
        made.append(path.name)

    make_cog = strip_prediction.make_cog
    for stop in (0, 1):  # noqa: B007
        with monkeypatch.context() as patch:
            patch.setattr(strip_prediction, "make_cog", cut_off)
            with pytest.raises(Stopped, match="the same command goes on"):
                hsi.predict(runs[:1], wide, target, cog=True, uncertainty=True, threads=1)
        assert [path.name for path in target.parent.iterdir()] == ["m.tif.partial"]
    predict(runs[:1], target, wide, cog=True, uncertainty=True)
    assert files_in(target.parent) == files_in(tmp_path / "a")


def test_what_cannot_be_cloud_optimised_is_refused(runs, holed, tmp_path, monkeypatch):
    for ending in (".hdr", ".npy", ".png"):
        with pytest.raises(OutputError, match=r"--cog writes a GeoTIFF; expected .* \.tif"):
            predict(runs[:1], tmp_path / f"m{ending}", holed, cog=True)
    with pytest.raises(ConfigError, match="cog: no output"):
        predict(runs[:1], None, holed, cog=True)
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(OutputError, match=r"Install hsi-suite\[geo\]"):
        predict(runs[:1], tmp_path / "m.tif", holed, cog=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("share", [0.3, 0.8, 1])
def test_a_full_disk_leaves_the_strips(tmp_path, capfd, share):
    pytest.importorskip("rasterio")
    path = tmp_path / "m.tif"
    write_layers(path, np.random.default_rng(0).random((90, 700, 3), np.float32), ["a", "b", "c"])
    made = tmp_path / "made.tif"
    made.write_bytes(path.read_bytes())
    make_cog(made, made, classes=False)
    whole = path.read_bytes()
    _, hard = both = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * made.stat().st_size) - 1, hard))
    try:
        with pytest.raises(OutputError, match=r"m\.tif: cannot be written"):
            make_cog(path, path, classes=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, both)
    assert path.read_bytes() == whole
    assert not capfd.readouterr().err
    make_cog(path, path, classes=False)
    assert path.read_bytes() == made.read_bytes()
