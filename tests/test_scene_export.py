"""`Scene.save` and `hsi data export NAME`: scenes as files that read back as the scene."""

import numpy as np
import pytest
from click.testing import CliRunner

import hsi_suite as hsi
from hsi_suite.cli.data import data
from hsi_suite.data import scene_export
from hsi_suite.errors import ConfigError, ExistingOutputError, OutputError


def run(*arguments):
    return CliRunner().invoke(data, ["export", *map(str, arguments)], standalone_mode=False)


@pytest.mark.parametrize("ending", [".hdr", ".tif", ".nc"])
@pytest.mark.parametrize("labels", [".tif", ".hdr"])
def test_the_files_are_the_data_set(tmp_path, ending, labels):
    cube, truth = tmp_path / f"cube{ending}", tmp_path / f"truth{labels}"
    assert run("synthetic_small", "-o", cube, "--labels-output", truth).exception is None
    scene, again = hsi.load_dataset("synthetic_small"), hsi.read_scene(cube, labels=truth)
    assert np.array_equal(scene.cube, again.cube) and scene.cube.dtype == again.cube.dtype
    assert np.array_equal(scene.labels, again.labels)
    # Commas end a name in an ENVI header.
    commas = [name.replace(",", ";") for name in scene.class_names]
    assert list(again.class_names) == (commas if labels == ".hdr" else list(scene.class_names))
    assert np.allclose(scene.wavelengths, again.wavelengths, rtol=1e-12)
    assert scene.false_colour == again.false_colour


def test_missing_pixels_stay_missing(tmp_path):
    scene = hsi.load_dataset("synthetic_small")
    valid = np.ones(scene.labels.shape, bool)
    valid[3:5, 7] = False
    labels = np.where(valid, scene.labels, 0)
    holed = hsi.Scene("holed", scene.cube, labels, scene.class_names, valid=valid)
    written = holed.save(tmp_path / "cube.hdr", tmp_path / "truth.tif")
    assert all(path.exists() for path in written)
    again = hsi.read_scene(tmp_path / "cube.hdr", labels=tmp_path / "truth.tif")
    assert np.array_equal(again.valid, valid)


def test_labels_that_are_not_there_cannot_be_written(tmp_path):
    bare = hsi.Scene("bare", np.ones((2, 3, 4), np.float32))
    with pytest.raises(ConfigError, match="bare has none"):
        bare.save(tmp_path / "cube.hdr", tmp_path / "truth.tif")
    assert list(tmp_path.iterdir()) == []
    bare.save(tmp_path / "cube.hdr")
    assert np.array_equal(hsi.read_scene(tmp_path / "cube.hdr").cube, bare.cube)


def test_the_files_beside_a_map_are_kept(tmp_path):
    (tmp_path / "truth.qml").write_text("my style")
    error = run(
        "synthetic_small", "-o", tmp_path / "cube.hdr", "--labels-output", tmp_path / "truth.tif"
    ).exception
    assert isinstance(error, ExistingOutputError)
    assert [path.name for path in tmp_path.iterdir()] == ["truth.qml"]
    assert (tmp_path / "truth.qml").read_text() == "my style"


def test_finished_files_are_kept(tmp_path):
    cube, truth = tmp_path / "cube.hdr", tmp_path / "truth.tif"
    truth.write_text("mine")
    error = run("synthetic_small", "-o", cube, "--labels-output", truth).exception
    assert isinstance(error, ExistingOutputError)
    assert truth.read_text() == "mine" and not cube.exists()
    truth.unlink()
    cube.write_text("mine")
    error = run("synthetic_small", "-o", cube, "--labels-output", truth).exception
    assert isinstance(error, ExistingOutputError)
    assert cube.read_text() == "mine" and not truth.exists()
    assert run("synthetic_small", "-o", cube, "--overwrite").exception is None


@pytest.mark.parametrize(
    "cube,truth", [("f.hdr", "f.hdr"), ("f.hdr", "./f.hdr"), ("f.tif", "f.tif"), ("f.npy", "f.npy")]
)
@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_labels_do_not_take_the_place_of_the_cube(tmp_path, monkeypatch, cube, truth, more):
    monkeypatch.chdir(tmp_path)
    result = run("synthetic_small", "-o", cube, "--labels-output", truth, *more)
    assert isinstance(result.exception, OutputError) and "file of the cube" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cube,truth", [("cube.xyz", "truth.tif"), ("cube.tif", "truth.xyz")])
def test_nothing_is_left_where_an_ending_is_unknown(tmp_path, cube, truth):
    error = run("synthetic_small", "-o", tmp_path / cube, "--labels-output", tmp_path / truth)
    assert isinstance(error.exception, OutputError)
    assert list(tmp_path.iterdir()) == []


def test_options_of_files_and_of_data_sets_are_told_apart(tmp_path):
    error = run("synthetic_small", "-o", tmp_path / "c.tif", "--axes", "y,x,band").exception
    assert isinstance(error, ConfigError) and "given with a data set" in str(error)
    run("synthetic_small", "-o", tmp_path / "c.tif")
    for option in (["--labels-output", tmp_path / "t.tif"], ["--allow-unverified"]):
        error = run(tmp_path / "c.tif", "-o", tmp_path / "d.tif", *option).exception
        assert isinstance(error, ConfigError) and "given with a file" in str(error)


def test_an_interrupt_between_labels_and_cube_leaves_neither(tmp_path, monkeypatch):
    def interrupted(*_, **__):
        assert (tmp_path / "t.tif").is_file()
        raise KeyboardInterrupt

    monkeypatch.setattr(scene_export, "export_open_cube", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scene_export.export_scene(
            hsi.load_dataset("synthetic_small"), tmp_path / "c.hdr", labels=tmp_path / "t.tif"
        )
    assert list(tmp_path.iterdir()) == []
