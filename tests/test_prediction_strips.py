"""Maps by strips: the same as of the whole scene, within a memory limit, and never lost."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from scenes_samples import small_cube, trained_runs

import hsi_suite as hsi
from hsi_suite import atomic
from hsi_suite.data.formats.envi_writer import write_envi
from hsi_suite.data.readers import open_cube, read_labels, read_scene
from hsi_suite.data.scene import Georeference
from hsi_suite.data.writers import write_layers
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import (
    ConfigError,
    ExistingOutputError,
    InputFileError,
    OutputError,
    Stopped,
)
from hsi_suite.tasks.scenes import prediction
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.ensemble import load_ensemble
from hsi_suite.tasks.scenes.strip_memory import strip_lines
from hsi_suite.tasks.shared import unfinished_output

pytestmark = pytest.mark.stand_in_pictures

CPU = torch.device("cpu")
GEO = Georeference("EPSG:32616", (20.0, 0.0, 500000.0, 0.0, -20.0, 4480000.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("strips")


@pytest.fixture(scope="module")
def runs(folder):
    return trained_runs(folder)


@pytest.fixture(scope="module")
def holed(folder):
    """The small scene as a GeoTIFF of float32 with missing pixels and a nodata value."""
    cube = small_cube()[0].astype(np.float32)
    cube[3, 4] = np.nan
    cube[12:19, 20:] = np.nan
    write_layers(folder / "holed.tif", cube, [f"b{k}" for k in range(18)], GEO, nodata=-9999.0)
    return str(folder / "holed.tif")


@pytest.fixture
def height(monkeypatch):
    """Sets the number of lines in a strip."""

    def choose(lines):
        monkeypatch.setattr(prediction, "strip_lines", lambda *arguments: lines)

    return choose


def predict(runs, output, scene, **options):
    # Not the public function: the tests give observers.
    return prediction.predict(runs, output, scene=scene, threads=1, **options)


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("lines", [1, 7, 29, 30, 500])
def test_strips_give_the_map_of_the_whole_scene(runs, holed, height, tmp_path, lines):
    height(lines)
    got = predict(runs[:1], tmp_path / "m.tif", holed, probabilities=True)
    with open_cube(holed) as file:
        cube = file.read()
    valid = ~(cube == -9999).any(2)
    classifier = load_classifier(runs[0] / "model.safetensors", CPU)
    whole = classifier.probabilities(cube, valid)
    np.testing.assert_allclose(got.probabilities, whole, rtol=0, atol=1e-5)
    first, second = np.sort(np.nan_to_num(whole), axis=2)[..., :-3:-1].transpose(2, 0, 1)
    clear = valid & (first - second > 1e-5)
    assert np.array_equal(got.labels[clear], classifier.label_map(whole)[clear])
    assert (got.labels[~valid] == 0).all()
    assert got.missing == (~valid).sum() == 1 + 7 * 8


def test_wide_scenes_go_piece_by_piece(runs, height, monkeypatch, tmp_path):
    np.save(tmp_path / "wide.npy", small_cube(lines=12, samples=83)[0])
    height(5)
    whole = predict(runs, tmp_path / "a.npy", str(tmp_path / "wide.npy"), probabilities=True)
    monkeypatch.setattr("hsi_suite.tasks.scenes.ensemble.COLUMNS", 20)
    pieces = predict(runs, tmp_path / "b.npy", str(tmp_path / "wide.npy"), probabilities=True)
    np.testing.assert_allclose(pieces.probabilities, whole.probabilities, rtol=0, atol=1e-5)
    assert pieces.probabilities.shape == (12, 83, 3)
    assert (pieces.labels != whole.labels).mean() < 0.01


def test_models_that_vote_and_models_of_single_spectra_go_by_strips(folder, height, tmp_path):
    scene = {"scene": str(folder / "cube.npy"), "labels": str(folder / "labels.npy")}
    height(4)
    settings = ["threads=1", "train.epochs=1", "train.calibration=none"]
    for model in ("forest", "cnn1d"):
        run = hsi.train(**scene, model=model, settings=settings, output=tmp_path)
        got = predict([run.path], tmp_path / f"{model}.npy", scene["scene"])
        assert np.array_equal(got.labels, run.label_map)


@pytest.mark.parametrize("ending", [".tif", ".hdr", ".npy"])
def test_every_format_holds_the_same(runs, holed, height, tmp_path, ending):
    height(8)
    got = predict(runs, tmp_path / f"m{ending}", holed, probabilities=True)
    assert [path.name for path in got.written] == [
        f"m{ending}", f"m_probabilities{ending}", f"m_disagreement{ending}",
    ]  # fmt: skip
    expected = predict(runs, tmp_path / "e.npy", holed, probabilities=True)
    assert np.array_equal(got.labels, expected.labels)
    assert np.array_equal(got.probabilities, expected.probabilities, equal_nan=True)
    assert np.array_equal(got.disagreement, expected.disagreement, equal_nan=True)
    assert set(np.unique(got.disagreement[got.labels > 0])) <= {0.0, 0.5, 1.0}
    assert not list(tmp_path.glob("*.partial"))
    if ending != ".npy":
        names = small_cube()[1].max()
        assert read_labels(got.written[0]).class_names == tuple(
            f"class {label}" for label in range(1, names + 1)
        )
        for path in got.written:
            with open_cube(path) as file:
                crs = file.georeference.crs
                assert crs == GEO.crs or (ending == ".hdr" and "UTM_Zone_16N" in crs)
                assert file.georeference.transform == GEO.transform
        with open_cube(got.written[1]) as file:
            assert file.band_names == ("class 1", "class 2", "class 3")
            assert np.isnan(file.nodata)


def test_a_tiff_has_its_colours_and_a_picture_its_arrays(
    runs, holed, height, tmp_path, drawn_pictures
):
    height(8)
    predict(runs[:1], tmp_path / "m.tif", holed)
    with tifffile.TiffFile(tmp_path / "m.tif") as tiff:
        assert tiff.pages[0].photometric.name == "PALETTE"
    got = predict(runs[:1], tmp_path / "p.png", holed, probabilities=True)
    assert [path.name for path in got.written] == ["p.png", "p_probabilities.npy"]
    assert got.written[0].read_bytes().startswith(b"\x89PNG")
    assert got.probabilities.shape == (30, 28, 3)
    with pytest.raises(InputFileError):
        _ = got.labels


class Interrupted(Observer):
    """Raises, or kills the process, after some calls of `advance`; keeps what it is told."""

    def __init__(self, after=None, kill=False):
        self.left, self.kill = after, kill
        self.messages, self.bars = [], []

    def begin(self, what, total, done=0):
        self.bars.append([what, total, done])

    def advance(self, steps=1, **figures):
        self.bars[-1][2] += steps
        if self.left is not None:
            self.left -= 1
            if not self.left:
                if self.kill:
                    os.kill(os.getpid(), signal.SIGKILL)
                raise KeyboardInterrupt

    def message(self, text):
        self.messages.append(text)


@pytest.mark.parametrize("ending", [".tif", ".hdr", ".npy", ".png"])
def test_a_call_that_was_cut_off_goes_on(runs, holed, height, tmp_path, ending):
    height(5)
    (tmp_path / "a").mkdir()
    predict(runs, tmp_path / "a" / f"m{ending}", holed, probabilities=True)
    for after in (1, 7, 11):
        target = tmp_path / "b" / f"m{ending}"
        with pytest.raises(Stopped, match="the same command goes on"):
            predict(runs, target, holed, probabilities=True, observer=Interrupted(after))
        assert not target.exists()
    observer = Interrupted()
    predict(runs, target, holed, probabilities=True, observer=observer)
    # A strip makes three steps: two networks, and the pixels without data.
    assert "going on after 25 of 30 lines" in observer.messages
    assert observer.bars == [["classifying", 2 * 30 * 28, 2 * 30 * 28]]
    assert files_in(tmp_path / "b") == files_in(tmp_path / "a")


def test_a_killed_process_loses_nothing(runs, holed, height, tmp_path):
    height(4)
    predict(runs[:1], tmp_path / "a" / "m.tif", holed, probabilities=True)
    child = os.fork()
    if child == 0:
        predict(
            runs[:1], tmp_path / "b" / "m.tif", holed, probabilities=True,
            observer=Interrupted(5, kill=True),
        )  # fmt: skip
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["m.tif.partial"]
    observer = Interrupted()
    predict(runs[:1], tmp_path / "b" / "m.tif", holed, probabilities=True, observer=observer)
    assert any(message.startswith("going on after") for message in observer.messages)
    assert files_in(tmp_path / "b") == files_in(tmp_path / "a")


def test_a_call_cut_off_between_the_files_gives_the_rest_their_places(
    runs, holed, height, tmp_path, monkeypatch
):
    height(10)
    predict(runs, tmp_path / "a" / "m.hdr", holed)
    target = tmp_path / "b" / "m.hdr"

    def cut_off(self, names):
        move(self, list(names)[:3])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        move = prediction.StripPrediction._finish.__globals__["UnfinishedOutput"].move
        patch.setattr("hsi_suite.tasks.shared.unfinished_output.UnfinishedOutput.move", cut_off)
        with pytest.raises(Stopped):
            predict(runs, target, holed)
    # Values before headers, and the map's own files last.
    assert {path.name for path in target.parent.iterdir()} == {
        "m_disagreement.img", "m_disagreement.hdr", "m.img", "m.hdr.partial",
    }  # fmt: skip
    predict(runs, target, holed)
    assert files_in(target.parent) == files_in(tmp_path / "a")


def test_another_call_begins_anew_and_says_so(runs, holed, height, tmp_path):
    height(5)
    target = tmp_path / "m.npy"
    expected = predict(runs[:1], tmp_path / "e.npy", holed).labels
    for first, what in ((runs[1:], "models"), (runs, "layers")):
        with pytest.raises(Stopped):
            predict(first, target, holed, observer=Interrupted(6), overwrite=True)
        observer = Interrupted()
        predict(runs[:1], target, holed, observer=observer, overwrite=True)
        assert "is of another call" in observer.messages[0]
        assert what in observer.messages[0]
        assert np.array_equal(np.load(target), expected)
    assert {path.name for path in tmp_path.iterdir()} == {"m.npy", "e.npy"}


def test_a_changed_scene_is_another_call(runs, height, tmp_path):
    height(5)
    cube = small_cube()[0]
    np.save(tmp_path / "cube.npy", cube)
    scene, target = str(tmp_path / "cube.npy"), tmp_path / "m.npy"
    with pytest.raises(Stopped):
        predict(runs[:1], target, scene, observer=Interrupted(3))
    np.save(tmp_path / "cube.npy", cube[::-1])
    observer = Interrupted()
    predict(runs[:1], target, scene, observer=observer)
    assert any("other scene" in message for message in observer.messages)
    np.save(tmp_path / "turned.npy", cube[::-1])
    other = predict(runs[:1], tmp_path / "o.npy", str(tmp_path / "turned.npy"))
    assert np.array_equal(np.load(target), other.labels)


def test_only_one_process_writes_an_output(runs, holed, tmp_path):
    (tmp_path / "m.tif.partial").mkdir()
    descriptor = os.open(tmp_path / "m.tif.partial", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(OutputError, match="another process is writing this output"):
        predict(runs[:1], tmp_path / "m.tif", holed)
    os.close(descriptor)
    predict(runs[:1], tmp_path / "m.tif", holed)
    assert {path.name for path in tmp_path.iterdir()} == {"m.tif", "m.tif.aux.xml", "m.qml"}


def test_a_folder_of_the_user_is_left_alone(runs, holed, tmp_path):
    kept = tmp_path / "m.tif.partial"
    kept.mkdir()
    (kept / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="is no unfinished output"):
        predict(runs[:1], tmp_path / "m.tif", holed)
    for text in ("", "[]", '{"identity": 1, "progress": 2}', '{"identity": {}}'):
        (kept / "progress.json").write_text(text)
        with pytest.raises(OutputError, match="is no unfinished output"):
            predict(runs[:1], tmp_path / "m.tif", holed)
    assert (kept / "letter.txt").read_text() == "dear"
    (tmp_path / "n.tif.partial").write_text("a file")
    with pytest.raises(OutputError, match="is a file"):
        predict(runs[:1], tmp_path / "n.tif", holed)


def test_a_scene_without_data_is_refused_and_leaves_nothing(runs, height, tmp_path):
    height(5)
    cube = small_cube()[0].astype(np.float32)
    np.save(tmp_path / "all.npy", np.where(np.arange(18) > np.arange(28)[:, None] % 8, 7, cube))
    cube[..., 3] = np.nan
    np.save(tmp_path / "band.npy", cube)
    with pytest.raises(InputFileError, match="1 of 18 bands"):
        predict(runs[:1], tmp_path / "m.tif", str(tmp_path / "band.npy"))
    with pytest.raises(InputFileError, match="no pixel holds data"):
        predict(runs[:1], tmp_path / "m.tif", str(tmp_path / "all.npy"), nodata=7)
    cube[..., 3] = 1
    cube[20] = 1e30
    np.save(tmp_path / "huge.npy", cube)
    with pytest.raises(InputFileError, match="spectra of at most"):
        predict(runs[:1], tmp_path / "m.tif", str(tmp_path / "huge.npy"))
    assert not list(tmp_path.glob("m*"))


@pytest.mark.parametrize("lines", [1, 7, 500])
def test_masks_and_filled_bands_by_strips(runs, height, tmp_path, lines):
    rasterio = pytest.importorskip("rasterio")
    height(lines)
    cube = small_cube()[0]
    cube[np.random.default_rng(2).random(cube.shape) < 0.02] = 0
    cube[4:6, 3] = 0
    mask = np.full(cube.shape[:2], 255, "u1")
    mask[10:17, 5:9] = 0
    profile = {"height": 30, "width": 28, "count": 18, "dtype": "uint16", "nodata": 0}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=lines > 1),
        rasterio.open(tmp_path / "s.tif", "w", driver="GTiff", **profile) as file,
    ):
        file.write(cube.transpose(2, 0, 1))
        file.write_mask(mask)
    scene = read_scene(tmp_path / "s.tif")
    assert (~scene.valid).sum() == 28 + 2
    told = Interrupted()
    got = predict(
        runs[:1], tmp_path / "m.tif", str(tmp_path / "s.tif"), probabilities=True, observer=told
    )
    assert (got.labels[~scene.valid] == 0).all() and got.missing == 30
    assert f"s: {scene.remarks[-1]}" in told.messages
    assert "s: 30 pixels hold no data and are left out" in told.messages
    classifier = load_classifier(runs[0] / "model.safetensors", CPU)
    whole = classifier.probabilities(scene.cube, scene.valid)
    np.testing.assert_allclose(got.probabilities, whole, rtol=0, atol=1e-5)


def test_formats_that_cannot_hold_the_grid_leave_nothing(runs, tmp_path):
    sheared = Georeference("EPSG:32616", (20.0, 3.0, 5e5, 1.0, -20.0, 4.48e6))
    write_layers(tmp_path / "s.tif", small_cube()[0].astype("f4"), ["b"] * 18, sheared)
    with pytest.raises(OutputError, match=r"sheared .* instead") as caught:
        predict(runs[:1], tmp_path / "m.hdr", str(tmp_path / "s.tif"))
    assert caught.value.subject == str(tmp_path / "m.hdr")
    assert {path.name for path in tmp_path.iterdir()} == {"s.tif"}


def test_strips_depend_on_the_limit_and_fill_it(runs, folder):
    ensemble = load_ensemble(runs, CPU, 1)
    shape = (4000, 900, 18)
    with (folder / "large.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 8 * int(np.prod(shape)))
    with open_cube(folder / "large.npy") as cube:
        heights = [strip_lines(cube, ensemble, limit * 1e9) for limit in (0.6, 0.65, 0.7, 2, 50)]
        assert heights == sorted(set(heights[:3])) + heights[3:]
        assert heights[-1] == 2**19 // 900
        with pytest.raises(ConfigError, match=r"at least \d+ MB .* Raise it") as caught:
            strip_lines(cube, ensemble, 0.5e9)
        least = float(caught.value.expected.split()[2])
        assert strip_lines(cube, ensemble, least * 1e6) >= 9
    with open_cube(folder / "cube.npy") as cube:
        assert strip_lines(cube, ensemble, 2e9) == 30


def test_a_picture_of_a_large_scene_is_refused(runs, folder):
    from hsi_suite.tasks.scenes.strip_memory import check_picture

    with open_cube(folder / "cube.npy") as cube:
        check_picture(cube, 1e9)
        with pytest.raises(OutputError, match=r"write \.tif|Write \.tif"):
            check_picture(cube, 0.5e9)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is told by /proc")
def test_the_command_line_keeps_within_its_limit(runs, folder, tmp_path):
    lines, samples, bands = 300, 700, 18
    tile = small_cube()[0]
    with (tmp_path / "large.npy").open("wb") as file:
        header = {"descr": "<u2", "fortran_order": False, "shape": (lines, samples, bands)}
        np.lib.format.write_array_header_1_0(file, header)
        row = np.tile(tile, (1, samples // tile.shape[1], 1))
        for _ in range(lines // len(row)):
            file.write(row.data)
    code = (
        "import json, pathlib, re, sys\n"
        "from hsi_suite.cli import main\n"
        "try: main()\nexcept SystemExit as end: status = end.code\n"
        # Not ru_maxrss: it begins with what the process that forked this one holds.
        "text = pathlib.Path('/proc/self/status').read_text()\n"
        "peak = int(re.search(r'VmHWM:\\s*(\\d+) kB', text)[1]) * 1024\n"
        "print(json.dumps([status, peak]))"
    )

    with pytest.raises(ConfigError, match="--memory-limit: 300 MB; expected at least") as caught:
        predict(runs[:1], tmp_path / "m.tif", str(tmp_path / "large.npy"), memory_limit=3e8)
    limit = caught.value.expected.split()[2]
    arguments = ["predict", runs[0], "--scene", tmp_path / "large.npy", "-o", tmp_path / "m.tif"]
    arguments += ["--threads", 1, "--memory-limit", f"{limit}M"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True
    )
    status, peak = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stderr
    assert peak < float(limit) * 1e6


@pytest.mark.parametrize("kind", ["pipe", "link", "dangling", "companion"])
def test_only_files_are_replaced(runs, holed, tmp_path, kind):
    target = tmp_path / ("m_disagreement.tif" if kind == "companion" else "m.tif")
    if kind in ("pipe", "companion"):
        os.mkfifo(target)
    else:
        if kind == "link":
            (tmp_path / "real.tif").write_text("kept")
        target.symlink_to(tmp_path / "real.tif")
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(OutputError, match=r"this is a (link|pipe)"):
        predict(runs, tmp_path / "m.tif", holed)
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("scene", "output", "kept"),
    [
        ("cube.hdr", "cube.hdr", True),
        ("cube.img.hdr", "cube.hdr", True),  # of which the map's values would be cube.img
        ("cube.hdr", "cube.tif", False),
        ("cube.hdr", "cube.npy", False),
    ],
)
def test_the_files_of_a_scene_are_not_replaced_and_others_are_written(
    runs, tmp_path, scene, output, kept
):
    write_envi(tmp_path / "cube.hdr", small_cube()[0], {}, None)
    (tmp_path / "cube.hdr").rename(tmp_path / scene)
    before = (tmp_path / "cube.img").read_bytes()
    if kept:
        with pytest.raises(OutputError, match="would replace the scene"):
            predict(runs[:1], tmp_path / output, str(tmp_path / scene))
    else:
        predict(runs[:1], tmp_path / output, str(tmp_path / scene))
        # The map beside it is not taken for the scene's values.
        assert np.array_equal(read_scene(tmp_path / scene).cube, small_cube()[0])
    assert (tmp_path / "cube.img").read_bytes() == before


def test_layers_that_are_not_asked_for_are_in_no_way(runs, tmp_path):
    np.save(tmp_path / "m_probabilities.npy", small_cube()[0])
    scene = str(tmp_path / "m_probabilities.npy")
    with pytest.raises(OutputError, match="would replace the scene"):
        predict(runs[:1], tmp_path / "m.npy", scene, probabilities=True)
    predict(runs[:1], tmp_path / "m.npy", scene)
    assert np.array_equal(np.load(scene), small_cube()[0])


def test_a_pipe_is_no_scene(runs, tmp_path):
    os.mkfifo(tmp_path / "pipe.tif")
    with pytest.raises(InputFileError, match="this is a pipe"):
        predict(runs[:1], tmp_path / "m.tif", str(tmp_path / "pipe.tif"))


@pytest.mark.parametrize("ending", [".tif", ".hdr", ".npy"])
def test_finished_maps_are_kept_unless_told(runs, holed, height, tmp_path, ending):
    height(5)
    target = tmp_path / f"m{ending}"
    predict(runs[:1], target, holed, probabilities=True)
    made = sorted(tmp_path.iterdir())
    assert len(made) == (2 if ending == ".npy" else 4)
    whole = {path: path.read_bytes() for path in made}
    for path in made:
        for other in made:
            other.unlink(missing_ok=True)
        path.write_bytes(b"mine")
        with pytest.raises(ExistingOutputError, match=r"exists already.*--overwrite"):
            predict(runs[:1], target, holed, probabilities=True)
        assert sorted(tmp_path.iterdir()) == [path] and path.read_bytes() == b"mine"
        predict(runs[:1], target, holed, probabilities=True, overwrite=True)
        assert {each: each.read_bytes() for each in made} == whole


@pytest.mark.parametrize("ending", [".tif", ".hdr", ".png"])
def test_a_map_that_comes_meanwhile_is_kept(runs, holed, tmp_path, monkeypatch, ending):
    given = atomic.give_place

    def late(temporary, path, *, replace):
        if not path.exists() and path.parent == tmp_path:
            path.write_text("mine")
        given(temporary, path, replace=replace)

    for module in (atomic, unfinished_output):
        monkeypatch.setattr(module, "give_place", late)
    with pytest.raises(ExistingOutputError, match=r"exists already.*--overwrite"):
        predict(runs[:1], tmp_path / f"m{ending}", holed)
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert files and {path.read_text() for path in files} == {"mine"}


def test_an_unfinished_call_does_not_replace_the_map_of_another(runs, holed, height, tmp_path):
    height(5)
    target = tmp_path / "m.npy"
    with pytest.raises(Stopped):
        predict(runs[1:], target, holed, observer=Interrupted(6))
    target.write_bytes(b"mine")
    with pytest.raises(ExistingOutputError):
        predict(runs[:1], target, holed)
    assert target.read_bytes() == b"mine"
