"""Training on scenes that stay in their files: the same as in memory, within a memory limit."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file
from scenes_samples import SMALL, small_cube, write_scene

import hsi_suite as hsi
from hsi_suite.data import pixel_spectra, reduction
from hsi_suite.data.patches import WindowSampler
from hsi_suite.data.pixel_spectra import PixelSpectra
from hsi_suite.data.readers import SceneFile, open_cube, open_scene, read_scene
from hsi_suite.data.scene import Scene
from hsi_suite.data.writers import write_layers
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ConfigError, HsiSuiteError, InputFileError
from hsi_suite.runs import launch
from hsi_suite.tasks.scenes import training_memory
from hsi_suite.tasks.scenes.configuration import classification_config, resolve
from hsi_suite.tasks.scenes.denoising import DenoisedLines
from hsi_suite.tasks.scenes.preparation import prepare
from hsi_suite.tasks.scenes.training_memory import MemoryLimit, scene_bytes

pytestmark = pytest.mark.stand_in_pictures

FAST = [*SMALL, "train.epochs=1"]
SAME = ("metrics.json", "model.safetensors", "map.npy", "map.png", "split.npz", "history.csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A scene in several formats: whole numbers, and floats with missing pixels."""
    folder = tmp_path_factory.mktemp("lines")
    write_scene(folder)
    cube, labels = small_cube()
    holed = cube.astype(np.float32)
    holed[3, 4], holed[12:19, 20:] = np.nan, -9999
    labels[3, 4] = labels[12:19, 20:] = 0
    np.save(folder / "holed_labels.npy", labels)
    write_layers(folder / "holed.tif", holed, [f"b{k}" for k in range(18)], None, nodata=-9999.0)
    for interleave, axes in (("bil", (0, 2, 1)), ("bip", (0, 1, 2)), ("bsq", (2, 0, 1))):
        holed.transpose(axes).tofile(folder / f"{interleave}.img")
        (folder / f"{interleave}.hdr").write_text(
            "ENVI\nlines = 30\nsamples = 28\nbands = 18\ndata type = 4\nbyte order = 0\n"
            f"interleave = {interleave}\nheader offset = 0\ndata ignore value = -9999\n"
        )
    np.save(folder / "columns.npy", np.asfortranarray(cube))
    single = np.where(np.random.default_rng(2).random(cube.shape) < 0.05, 0, cube)
    write_layers(folder / "single.tif", single, [f"b{k}" for k in range(18)], None, nodata=0)
    with h5py.File(folder / "single.h5", "w") as file:
        file["cube"] = single.transpose(2, 0, 1)
        file["cube"].attrs["_FillValue"] = 0
        file["wavelength"] = np.linspace(400, 2400, 18)
    return folder


@pytest.fixture
def by_lines(monkeypatch):
    """Let no cube be held in memory."""
    monkeypatch.setattr(MemoryLimit, "holds", lambda *arguments: False)


def files(folder, name):
    labels = "holed_labels.npy" if name[0] in "hb" else "labels.npy"
    return {"scene": str(folder / name), "labels": str(folder / labels)}


def outputs(run):
    return {name: (run.path / name).read_bytes() for name in SAME if (run.path / name).exists()}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bil.hdr", {"settings": [*FAST, "train.strategy=dense"], "baselines": ["svm", "forest"]}),
        ("bsq.hdr", {"settings": [*FAST, "train.strategy=patch", "reduction.fit_on=train"]}),
        ("bip.hdr", {"model": "cnn1d", "settings": ["threads=1", "train.epochs=1"]}),
        ("holed.tif", {"model": "forest", "settings": ["threads=1"]}),
        ("single.tif", {"model": "svm", "settings": ["threads=1"], "baselines": ["cnn1d"]}),
        ("single.h5", {"model": "lda", "settings": ["threads=1"]}),
        ("columns.npy", {"model": "lda", "settings": ["threads=1"]}),
        (
            "cube.npy",
            {
                "settings": [*FAST, "evaluation.dropout_at_test=true", "split.validation=0.2"],
                "split": "disjoint",
            },
        ),
    ],
)
def test_a_run_by_lines_is_bytewise_that_in_memory(folder, monkeypatch, tmp_path, name, options):
    # Several blocks, of which most end inside a line.
    monkeypatch.setattr(reduction, "BLOCK_PIXELS", 100)
    monkeypatch.setattr(pixel_spectra, "BLOCK_PIXELS", 100)
    monkeypatch.setattr("hsi_suite.tasks.scenes.classifier.BLOCK_PIXELS", 100)
    monkeypatch.setattr("hsi_suite.tasks.scenes.baselines.BLOCK_PIXELS", 100)
    monkeypatch.setattr("hsi_suite.tasks.scenes.scene_checks.BLOCK_PIXELS", 100)
    held = hsi.train(**files(folder, name), output=tmp_path / "a", **options)
    with monkeypatch.context() as patch:
        patch.setattr(MemoryLimit, "holds", lambda *arguments: False)
        lines = hsi.train(**files(folder, name), output=tmp_path / "b", **options)
        assert hsi.evaluate(lines.path).equal
    assert lines.path.name == held.path.name
    assert outputs(lines) == outputs(held)
    assert held.metrics["invalid_pixels"] == (57 if name[0] in "hb" else 0)


def test_a_denoised_scene_by_lines(folder, tmp_path, monkeypatch):
    options = {"model": "cnn1d", "settings": ["preprocess.denoise=true", "train.epochs=1"]}
    held = hsi.train(**files(folder, "bil.hdr"), output=tmp_path / "a", threads=1, **options)
    monkeypatch.setattr(MemoryLimit, "holds", lambda *arguments: False)
    config = resolve(classification_config(**files(folder, "bil.hdr"), **options))
    prepared = prepare(config, Observer())
    assert isinstance(prepared.scene.cube.source, DenoisedLines)
    prepared.close()
    lines = hsi.train(**files(folder, "bil.hdr"), output=tmp_path / "b", threads=1, **options)
    then, now = held.metrics, lines.metrics
    # The one figure whose sum has another order.
    noise = [metrics["denoising"].pop("relative_noise") for metrics in (then, now)]
    assert noise[0] == pytest.approx(noise[1], rel=1e-9)
    assert then == now
    first, second = (load_file(run.path / "model.safetensors") for run in (held, lines))
    assert all(np.array_equal(first[key], second[key]) for key in first)
    with pytest.raises(ConfigError, match=r"preprocess\.denoise; expected at least 2\.00 GB"):
        hsi.train(
            **files(folder, "bil.hdr"), output=tmp_path, memory_limit=1.9e9, threads=1, **options
        )


@pytest.mark.parametrize("name", ["bil.hdr", "bip.hdr", "bsq.hdr", "columns.npy", "holed.tif"])
@pytest.mark.parametrize("block", [1, 28, 41, 10**6])
def test_spectra_are_those_of_the_cube(folder, monkeypatch, name, block):
    monkeypatch.setattr(pixel_spectra, "BLOCK_PIXELS", block)
    with open_cube(folder / name) as file:
        cube = file.read()
        flat = cube.reshape(-1, 18)
        chosen = np.random.default_rng(0).permutation(len(flat))[:333]
        for source in (file, cube, np.asfortranarray(cube)):
            spectra = PixelSpectra(source)
            assert spectra.shape == flat.shape
            for first, last in ((0, 840), (0, 1), (27, 29), (30, 400), (839, 840), (5, 5)):
                np.testing.assert_array_equal(spectra[first:last], flat[first:last])
            np.testing.assert_array_equal(spectra.of(chosen)[:], flat[chosen])
            np.testing.assert_array_equal(spectra.of(chosen)[50:60], flat[chosen[50:60]])
            np.testing.assert_array_equal(spectra.layers((7, 0, 7)), cube[..., [7, 0, 7]])


def test_sums_do_not_depend_on_where_a_block_begins():
    # A single line of a cube stored band by band has another order in memory than two of them.
    cube = np.asfortranarray(np.random.default_rng(1).normal(size=(3, 50, 7)))
    whole = reduction.fit_standardisation(cube.reshape(-1, 7))
    lines = reduction.fit_standardisation(PixelSpectra(cube))
    assert np.array_equal(whole.mean, lines.mean) and np.array_equal(whole.matrix, lines.matrix)
    single = PixelSpectra(cube)[50:100]
    assert single.flags.c_contiguous


def test_a_scene_file_is_the_scene_but_for_its_cube(folder):
    labels = folder / "holed_labels.npy"
    held = read_scene(folder / "bsq.hdr", labels=labels)
    scene = open_scene(folder / "bsq.hdr", labels=labels)
    assert isinstance(scene, SceneFile) and isinstance(held, Scene)
    np.testing.assert_array_equal(scene.valid, held.valid)
    np.testing.assert_array_equal(scene.labels, held.labels)
    np.testing.assert_array_equal(scene.cube.read(), held.cube)
    others = {"valid", "labels", "cube"}
    assert {k: v for k, v in vars(scene).items() if k not in others} == {
        k: v for k, v in vars(held).items() if k not in others
    }
    scene.cube.close()


def test_what_read_scene_refuses_open_scene_refuses(folder, tmp_path):
    cube = small_cube()[0].astype(np.float32)
    cube[5, 5] = np.nan
    np.save(tmp_path / "hole.npy", cube)
    np.save(tmp_path / "short.npy", small_cube(lines=20)[1])
    np.save(tmp_path / "empty.npy", np.full_like(cube, np.nan))
    for name, labels in (
        ("hole", folder / "labels"),
        ("hole", tmp_path / "short"),
        ("empty", None),
    ):
        texts = []
        for read in (read_scene, open_scene):
            with pytest.raises(InputFileError) as caught:
                read(tmp_path / f"{name}.npy", labels=labels and f"{labels}.npy")
            texts.append(str(caught.value))
        assert texts[0] == texts[1]


def test_values_beyond_measure_are_refused_by_lines(folder, by_lines, tmp_path):
    cube = small_cube()[0].astype(np.float32)
    cube[29, 27, 3] = -1e30
    np.save(tmp_path / "huge.npy", cube)
    with pytest.raises(InputFileError, match=r"values up to 1e\+30"):
        hsi.train(
            scene=str(tmp_path / "huge.npy"), labels=str(folder / "labels.npy"), output=tmp_path
        )


def test_a_sampler_filled_by_rows_is_that_of_the_scene():
    import torch

    scene = torch.randn(4, 9, 7, generator=torch.Generator().manual_seed(0))
    rows = scene.flatten(1).t()
    whole, filled = WindowSampler(scene, 5), WindowSampler.empty((4, 9, 7), 5, torch.device("cpu"))
    for first in range(0, 63, 10):
        filled.put(first, rows[first : first + 10])
    assert torch.equal(filled.padded(), whole.padded())
    pixels = torch.tensor([0, 62, 17, 8])
    assert torch.equal(filled.spectra(pixels), rows[pixels])
    assert torch.equal(filled.gather(pixels), whole.gather(pixels))


def sparse_npy(path, shape, dtype="<f4"):
    with path.open("wb") as file:
        header = {"descr": dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + np.dtype(dtype).itemsize * int(np.prod(shape)))
    return path


def test_the_limit_decides_whether_a_cube_is_held(folder, tmp_path):
    config = classification_config(**files(folder, "cube.npy"), settings=SMALL)
    large = sparse_npy(tmp_path / "large.npy", (3000, 1000, 100))
    with open_cube(folder / "cube.npy") as small, open_cube(large) as file:
        assert MemoryLimit().holds(small, config)
        assert not MemoryLimit().holds(file, config)
        assert MemoryLimit.of(9e9).holds(file, config)
        assert not MemoryLimit.of(1e9).holds(file, config)
        with pytest.raises(ConfigError, match=r"500 MB; expected at least \d+ MB .* 13 components"):
            MemoryLimit.of(5e8).holds(file, config)
        fewer = config.model_copy(
            update={"reduction": config.reduction.model_copy(update={"components": 12})}
        )
        saved = scene_bytes(file.shape, 4, 0, config) - scene_bytes(file.shape, 4, 0, fewer)
        assert saved == 4 * 3008 * 1008


def test_a_tiny_limit_is_refused_in_one_line(folder, tmp_path):
    for limit in (0, 3e8):
        with pytest.raises(ConfigError, match="--memory-limit") as caught:
            hsi.train(
                **files(folder, "cube.npy"), settings=SMALL, memory_limit=limit, output=tmp_path
            )
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_files_that_are_read_whole_must_fit(folder, tmp_path):
    np.savez(tmp_path / "cube.npz", cube=np.zeros((400, 400, 300), np.float32))
    options = {
        "scene": str(tmp_path / "cube.npz"), "labels": str(folder / "labels.npy"),
        "settings": SMALL,
    }  # fmt: skip
    with pytest.raises(InputFileError, match=r"read whole.*save the cube as ENVI|Save the cube"):
        hsi.train(**options, memory_limit=7e8, output=tmp_path)
    with open_cube(tmp_path / "cube.npz") as file:
        config = classification_config(**options)
        assert MemoryLimit(7e8).holds(file, config)  # a default refuses nothing that was possible


def test_an_asked_limit_counts_batches_and_baselines(folder, tmp_path):
    options = {**files(folder, "cube.npy"), "output": tmp_path}
    large = ["model.window=25", "train.batch_size=4000", "train.strategy=patch", "threads=1"]
    large.append("reduction.components=15")
    with pytest.raises(ConfigError, match=r"for batches of windows.*lower train\.batch_size"):
        hsi.train(**options, settings=large, memory_limit=7e8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_memory, "_SPECTRUM_BYTES", 1e6)
        with pytest.raises(ConfigError, match=r"baseline forest with .* training spectra of 18"):
            hsi.train(**options, settings=SMALL, baselines=["forest"], memory_limit=7e8)
    with pytest.raises(ConfigError, match="task 'denoising'"):
        hsi.train(config="smoke/denoising", output=tmp_path, memory_limit=2e9)


class Killed(Observer):
    """Kills the process after an epoch."""

    def epoch(self, row, seconds):
        if row["epoch"] >= 2:
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_training_goes_on(folder, by_lines, tmp_path):
    options = {
        **files(folder, "bil.hdr"),
        "settings": [*SMALL, "train.epochs=4", "train.checkpoint_seconds=0"],
    }
    unbroken = hsi.train(**options, output=tmp_path / "a")
    child = os.fork()
    if child == 0:
        launch.train(**options, output=tmp_path / "b", observer=Killed())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    (begun,) = (tmp_path / "b").iterdir()
    assert (begun / "checkpoint.pt").exists() and not (begun / "metrics.json").exists()
    resumed = hsi.train(**options, output=tmp_path / "b")
    assert resumed.path == begun
    assert outputs(resumed) == outputs(unbroken)


@pytest.mark.parametrize("what", ["scene", "labels", "class_names", "split_file"])
def test_a_pipe_is_refused_at_once(folder, tmp_path, what):
    os.mkfifo(tmp_path / "pipe")
    options = files(folder, "cube.npy") | {what: str(tmp_path / "pipe")}
    with pytest.raises(HsiSuiteError, match="is a pipe"):
        hsi.train(**options, settings=SMALL, output=tmp_path / "runs")
    with pytest.raises(HsiSuiteError, match="is a pipe"):
        hsi.train(config=str(tmp_path / "pipe"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is told by /proc")
def test_the_command_line_keeps_within_its_limit(tmp_path):
    lines, samples, bands = 500, 800, 150
    cube, labels = small_cube(lines=100, samples=samples, bands=bands, classes=4)
    chosen = np.random.default_rng(0).random((lines, samples)) < 0.01
    np.save(tmp_path / "labels.npy", np.where(chosen, np.tile(labels, (5, 1)), 0))
    with (tmp_path / "large.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (lines, samples, bands)}
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(5):
            file.write(cube.astype("<f8").data)
    code = (
        "import json, pathlib, re\n"
        "from hsi_suite.cli import main\n"
        "try: main()\nexcept SystemExit as end: status = end.code\n"
        "text = pathlib.Path('/proc/self/status').read_text()\n"
        "peak = int(re.search(r'VmHWM:\\s*(\\d+) kB', text)[1]) * 1024\n"
        "print(json.dumps([status, peak]))"
    )
    arguments = [
        "train", "--scene", tmp_path / "large.npy", "--labels", tmp_path / "labels.npy",
        "--threads", 1, "--output", tmp_path / "runs", "--json",
    ]  # fmt: skip
    for setting in (*SMALL, "split.train=40"):
        arguments += ["--set", setting]

    def run(limit):
        words = [*map(str, arguments), "--memory-limit", limit]
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
        return done, *json.loads(done.stdout.splitlines()[-1])

    refused, status, _ = run("600M")
    least = re.search(r"expected at least (\d+) MB", refused.stderr)[1]
    assert status == 2
    # The least that is asked for is enough.
    done, status, peak = run(f"{least}M")
    assert status == 0, done.stderr
    assert re.search("read by lines", done.stderr)
    assert peak < int(least) * 1e6 < 850e6


def test_who_follows_the_advice_is_not_refused_because_the_cube_is_held_then(tmp_path):
    labels = np.random.default_rng(0).integers(1, 4, (300, 300)).astype(np.uint8)
    np.save(tmp_path / "cube.npy", np.repeat(labels[..., None], 60, 2).astype(np.float32))
    np.save(tmp_path / "gt.npy", labels)
    place = {"scene": str(tmp_path / "cube.npy"), "labels": str(tmp_path / "gt.npy")}
    config = resolve(classification_config(**place, model="svm"))
    svm = SimpleNamespace(
        header=SimpleNamespace(model="svm", labels=(1, 2, 3), likeness_filter=None),
        reduction=SimpleNamespace(components=60),
    )

    def asked_for(scene, limit):
        try:
            MemoryLimit(limit, asked=True).check_training(svm, config, scene, 9_000, dense=False)
        except ConfigError as error:
            return float(re.search(r"at least ([\d.]+) GB", str(error))[1]) * 1e9
        return 0.0

    by_lines = open_scene(place["scene"], labels=place["labels"])
    with by_lines.cube:
        least = asked_for(by_lines, 700e6)
        assert least and MemoryLimit(least, asked=True).holds(by_lines.cube, config)
    assert asked_for(read_scene(place["scene"], labels=place["labels"]), least) == 0
