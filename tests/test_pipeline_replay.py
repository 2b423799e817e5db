"""`hsi replay`: runs done again from their folders alone, compared bit by bit."""

import json
import os
import shutil
import signal
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from scenes_samples import write_scene

import hsi_suite as hsi
from hsi_suite.cli import cli
from hsi_suite.errors import ConfigError, OutputError, RunError, Stopped
from hsi_suite.runs import replay as module
from hsi_suite.runs.folder import Run
from hsi_suite.runs.replay import replay

pytestmark = pytest.mark.stand_in_pictures


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def run(scene, tmp_path_factory):
    settings = ["threads=1", "train.epochs=1"]
    output = tmp_path_factory.mktemp("runs")
    return hsi.train(**scene, model="cnn1d", settings=settings, output=output)


@pytest.fixture
def copy(run, tmp_path):
    """A copy of the run that may be changed."""
    return Run(shutil.copytree(run.path, tmp_path / "copy"))


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where temporary folders are made; has to be empty again."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def repeated(run, monkeypatch):
    """Replaces the training by a copy of what it brought; returns the folders asked for."""
    folders = []

    def resume(folder, observer, memory_limit, device):
        folders.append(folder)
        shutil.copytree(run.path, folder, dirs_exist_ok=True)
        return Run(folder)

    monkeypatch.setattr(module.launch, "resume", resume)
    return folders


def contents(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_a_run_done_again_is_identical_and_stays_untouched(run, temporary):
    before = contents(run.path)
    found = replay(run.path)
    assert (found.identical, found.status, found.unfinished) == (1, 0, ())
    weights, predictions, metrics = found.runs[0].compared
    assert weights.total == weights.equal == len(load_file(run.path / "model.safetensors"))
    assert predictions.what == "pixels of the map" and predictions.total == 30 * 28
    assert metrics.total > 50 and metrics.identical
    assert found.runs[0].environment == ()
    assert contents(run.path) == before
    assert not list(temporary.iterdir())


def test_other_bits_are_found_and_located(run, copy, repeated):
    tensors = load_file(copy.path / "model.safetensors")
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    tensors[name].view(-1)[0] = torch.nextafter(tensors[name].view(-1)[0], torch.tensor(9e9))
    save_file(tensors, copy.path / "model.safetensors")
    labels = np.load(copy.path / "map.npy")
    labels[0, :2] += 1
    np.save(copy.path / "map.npy", labels)
    metrics = json.loads((copy.path / "metrics.json").read_text())
    metrics["seed"] = 7
    (copy.path / "metrics.json").write_text(json.dumps(metrics))
    found = replay(copy.path)
    assert (found.identical, found.status) == (0, 1)
    weights, predictions, figures = found.runs[0].compared
    assert weights.equal == weights.total - 1
    assert weights.differences[0].startswith(f"{name}: 1 of ")
    assert predictions.equal == predictions.total - 2
    assert figures.differences == ("seed: 7 then, 0 now",)


def test_other_tensors_and_other_types_differ(copy, repeated):
    tensors = load_file(copy.path / "model.safetensors")
    first, second, *_ = tensors
    tensors["extra"] = torch.zeros(1)
    tensors[first] = tensors[first].to(torch.float16)
    del tensors[second]
    save_file(tensors, copy.path / "model.safetensors")
    weights = replay(copy.path).runs[0].compared[0]
    assert weights.total - weights.equal == 3
    text = " ".join(weights.differences)
    assert "extra: only then" in text and f"{second}: only now" in text and "float16" in text


def test_what_differs_of_the_environment_is_named(copy, repeated):
    facts = json.loads((copy.path / "environment.json").read_text())
    facts |= {"cpu_capability": "OTHER", "processes": 2}
    facts["packages"]["torch"] = "0.1"
    (copy.path / "environment.json").write_text(json.dumps(facts))
    lines = replay(copy.path).runs[0].environment
    assert any(line.startswith("cpu_capability: OTHER then") for line in lines)
    assert any(line.startswith("packages.torch: 0.1 then") for line in lines)
    assert "processes: 2 then, 1 now" in lines


def test_changed_and_missing_data_are_one_line_each(tmp_path, temporary):
    scene = write_scene(tmp_path)
    run = hsi.train(**scene, settings=["threads=1"], model="forest", output=tmp_path / "runs")
    labels = np.load(scene["labels"])
    labels[0, 0] = labels[0, 0] % 3 + 1
    np.save(scene["labels"], labels)
    found = replay(run.path)
    assert found.status == 2 and found.identical == 0
    assert "the data have changed since this run (cube.npy, labels.npy)" in found.runs[0].problem
    Path(scene["scene"]).unlink()
    problem = replay(run.path).runs[0].problem
    assert scene["scene"] in problem and "\n" not in problem
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("config.yaml", "task: classification\nseeds: 3\n", "seeds"),
        ("config.yaml", "task: classification\nthreads: abc\n", "threads"),
        ("config.yaml", "[", "config.yaml"),
        ("environment.json", "{", "not valid JSON"),
        ("environment.json", '{"identity": "00000000", "data": {}}', "not what the run was made"),
    ],
)
def test_damaged_records_are_one_line_that_names_the_run(copy, temporary, name, text, words):
    (copy.path / name).write_text(text)
    found = replay(copy.path)
    assert found.status == 2
    assert words in found.runs[0].problem and str(copy.path) in found.runs[0].problem
    assert str(temporary) not in found.runs[0].problem


@pytest.mark.parametrize("name", ["model.safetensors", "map.npy"])
def test_damaged_results_are_one_line(copy, repeated, name):
    (copy.path / name).write_bytes(b"\x00" * 5)
    assert f"{name}: cannot be read" in replay(copy.path).runs[0].problem


def test_a_run_without_a_map_is_compared_by_the_figures_of_its_predictions(copy, repeated, run):
    (copy.path / "map.npy").unlink()
    predictions = replay(copy.path).runs[0].compared[1]
    assert predictions.what == "scores of predictions" and predictions.identical


@pytest.fixture
def batch(run, tmp_path):
    for number in range(6):
        shutil.copytree(run.path, tmp_path / "batch" / f"run{number}")
    shutil.rmtree(tmp_path / "batch" / "run5", ignore_errors=True)
    unfinished = tmp_path / "batch" / "unfinished"
    unfinished.mkdir()
    shutil.copyfile(run.path / "config.yaml", unfinished / "config.yaml")
    return tmp_path / "batch"


def test_a_batch_is_replayed_whole_or_by_the_same_sample(batch, repeated):
    found = replay(batch)
    assert [each.name for each in found.runs] == [f"run{n}" for n in range(5)]
    assert (found.identical, found.finished, found.unfinished) == (5, 5, ("unfinished",))
    names = [[each.name for each in replay(batch, sample=2).runs] for _ in range(3)]
    assert len(names[0]) == 2 and names[0] == names[1] == names[2] == sorted(names[0])
    assert len(replay(batch, sample=9).runs) == 5


def test_what_is_no_run_is_refused(tmp_path, run):
    with pytest.raises(RunError, match="no such folder"):
        replay(tmp_path / "nowhere")
    with pytest.raises(RunError, match="holds no runs"):
        replay(tmp_path)
    shutil.copytree(run.path, tmp_path / "one")
    (tmp_path / "one" / "metrics.json").unlink()
    with pytest.raises(RunError, match="no finished run"):
        replay(tmp_path / "one")
    with pytest.raises(ConfigError, match="at least one"):
        replay(run.path, sample=0)


def test_a_memory_limit_is_kept_by_the_training(run, temporary):
    found = replay(run.path, memory_limit=1e6)
    assert found.status == 2 and "--memory-limit: 1 MB" in found.runs[0].problem
    assert replay(run.path, memory_limit=4e9).status == 0


def test_a_full_temporary_place_is_named(run, temporary, monkeypatch):
    def resume(folder, observer, memory_limit, device):
        raise OutputError(folder / "checkpoint.pt", "cannot be written", "a place with free space")

    monkeypatch.setattr(module.launch, "resume", resume)
    problem = replay(run.path).runs[0].problem
    assert problem.startswith(str(temporary)) and "TMPDIR" in problem
    assert str(run.path) not in problem
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "absent"))
    with pytest.raises(OutputError, match="TMPDIR"):
        replay(run.path)


def test_torchrun_is_refused(run, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(ConfigError, match="2 processes"):
        replay(run.path)


def test_a_stop_leaves_nothing_and_says_so(run, temporary, monkeypatch):
    def stop(folder, observer, memory_limit, device):
        raise Stopped(f"go on with: hsi train --resume {folder}")

    monkeypatch.setattr(module.launch, "resume", stop)
    with pytest.raises(Stopped, match="nothing of the replay is left"):
        replay(run.path)
    assert not list(temporary.iterdir())


def test_being_terminated_leaves_nothing(run, temporary, monkeypatch):
    before = signal.getsignal(signal.SIGTERM)

    def interrupt(folder, observer, memory_limit, device):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(module.launch, "resume", interrupt)
    with pytest.raises(KeyboardInterrupt):
        replay(run.path)
    assert not list(temporary.iterdir())
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_command_says_how_many_are_identical(batch, repeated):
    result = CliRunner().invoke(cli, ["replay", str(batch), "--sample", "2"], standalone_mode=False)
    assert result.return_value == 0
    assert "passed over, not finished: unfinished" in result.output
    assert result.output.rstrip().endswith("2 of 2 identical, chosen from 5")


def test_the_command_tells_differences_and_problems_apart(batch, repeated):
    np.save(batch / "run1" / "map.npy", np.zeros((30, 28), np.uint8))
    result = CliRunner().invoke(cli, ["replay", str(batch)], standalone_mode=False)
    assert result.return_value == 1
    assert "run1: differs" in result.output and "0 of 840 pixels of the map" in result.output
    assert "everything recorded of the environment is as it was" in result.output
    (batch / "run2" / "environment.json").write_text("{")
    result = CliRunner().invoke(cli, ["replay", str(batch), "--json"], standalone_mode=False)
    assert result.return_value == 2
    plain = json.loads(result.stdout)
    assert (plain["identical"], plain["replayed"]) == (3, 5)
    assert [r["run"] for r in plain["runs"] if r["problem"]] == ["run2"]
