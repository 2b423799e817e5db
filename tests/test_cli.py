"""The command line as a user meets it."""

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
import yaml
from inline_jobs import use_inline_jobs
from scenes_samples import SMALL, small_cube, write_scene

from hsi_suite import cli as module
from hsi_suite.cli import cli, main
from hsi_suite.cli.values import Number

pytestmark = pytest.mark.stand_in_pictures


@pytest.fixture
def small(tmp_path):
    options = write_scene(tmp_path)
    settings = [part for setting in SMALL for part in ("--set", setting)]
    return ["--scene", options["scene"], "--labels", options["labels"], *settings]


def test_help_lists_every_command_without_torch():
    code = (
        "import sys; sys.argv = ['hsi', '--help']\n"
        "from hsi_suite.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for command in ("train", "evaluate", "predict", "batch", "data", "models", "config", "doctor"):
        assert f"  {command} " in done.stdout


def test_every_command_has_help(hsi):
    for command in ("train", "evaluate", "predict", "batch", "data", "models", "config", "doctor"):
        status, out, _ = hsi(command, "--help")
        assert status == 0
        assert "Usage" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--epochs", "x"], "hsi train: Invalid value for '--epochs': 'x'"),
        (["train", "--epoch", "3"], "hsi train: No such option '--epoch'. Did you mean"),
        (["denoise"], "hsi denoise: Missing argument"),
        (["nosuch"], "hsi: No such command 'nosuch'."),
    ],
)
def test_a_wrong_option_is_one_line(hsi, arguments, said):
    status, out, err = hsi(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: {said}")


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_a_stream_that_is_closed_is_done_without(monkeypatch, name):
    monkeypatch.setattr(sys, name, None)
    monkeypatch.setattr(sys, "argv", ["hsi", "config", "list"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    getattr(sys, name).close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
@pytest.mark.parametrize("command", [["--version"], ["config", "list"]])
def test_a_disk_that_is_full_is_one_line(monkeypatch, capfd, command):
    monkeypatch.setattr(sys, "argv", ["hsi", *command])
    with Path("/dev/full").open("w") as full, pytest.raises(SystemExit) as end:
        monkeypatch.setattr(sys, "stdout", full)
        main()
    assert end.value.code == 2
    assert capfd.readouterr().err == "error: standard output: No space left on device\n"


@pytest.mark.parametrize("command", [["--version"], ["--help"], ["config", "list"]])
def test_a_reader_that_has_left_is_told_from_a_finding(monkeypatch, capfd, command):
    """Status 1 says that something was found, as bits that differ; 141 is what shells call it."""
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setattr(sys, "argv", ["hsi", *command])
    with os.fdopen(writer, "w") as pipe, pytest.raises(SystemExit) as end:
        monkeypatch.setattr(sys, "stdout", pipe)
        main()
    assert end.value.code == 141
    assert capfd.readouterr().err == ""


def test_a_stop_while_the_command_line_is_imported_is_no_traceback(monkeypatch):
    class Interrupt:
        def find_spec(self, name, path=None, target=None):
            if name == "click":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "click")
    monkeypatch.setattr(sys, "meta_path", [Interrupt(), *sys.meta_path])
    anew = importlib.util.spec_from_file_location("hsi_suite.cli", module.__file__)
    with pytest.raises(SystemExit) as end:
        anew.loader.exec_module(importlib.util.module_from_spec(anew))
    assert end.value.code == 130


def commands(group=cli, name=""):
    for word in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), word)
        whole = f"{name} {word}".strip()
        if isinstance(command, click.Group):
            yield from commands(command, whole)
        else:
            yield whole, command


def test_no_option_takes_a_number_that_is_not_finite():
    numbers = {"--scale", "--sigma", "--white", "--strength", "--add-noise", "--false-alarms"}
    seen = set()
    for name, command in commands():
        context = click.Context(command, info_name=name)
        for option in command.params:
            assert type(option.type) not in {type(click.FLOAT), click.FloatRange}, option.opts
            if isinstance(option.type, Number) or numbers & set(option.opts):
                seen.update(option.opts)
                for value in ("inf", "-inf", "1e999", "nan", "NaN"):
                    if value.lower() == "nan" and set(option.opts) & {
                        "--nodata",
                        "--unlabelled",
                        "--predictions-unlabelled",
                    }:
                        assert math.isnan(option.process_value(context, value))
                        continue
                    with pytest.raises(click.BadParameter, match="finite number"):
                        option.process_value(context, value)
    assert seen > numbers


@pytest.mark.parametrize("value", ["9" * 400, "9" * 400 + "G"])
def test_an_endless_amount_of_memory_is_refused(hsi, value):
    status, _, err = hsi("predict", "run", "--scene", "x", "-o", "x.tif", "--memory-limit", value)
    assert (status, err.count("\n")) == (2, 1)
    assert "finite" in err


def test_version_and_doctor(hsi):
    assert hsi("--version")[1].startswith("hsi_suite ")
    status, out, _ = hsi("doctor")
    assert status == 0
    assert "torch" in out


def test_doctor_says_where_a_variable_names_no_folder(hsi, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HSI_CACHE_DIR", str(tmp_path / "cache"))
    for place, said in ((tmp_path / "no", True), (tmp_path / "file", True), (tmp_path, False)):
        monkeypatch.setenv("HSI_DATA_DIR", str(place))
        status, out, _ = hsi("doctor")
        assert status == 0 and ("not a folder" in out) == said
    monkeypatch.setenv("HSI_CACHE_DIR", str(tmp_path / "file"))
    assert "not a folder" in hsi("doctor")[1]


def test_train_prints_tables_and_ends_with_the_paths(hsi, small, tmp_path):
    status, out, _ = hsi("train", *small, "--output", tmp_path / "runs")
    assert status == 0
    assert "position only" in out
    last = out.strip().splitlines()[-2:]
    assert last[0].startswith("map ")
    assert last[0].endswith("map.png")
    assert last[1].endswith("report.html")


def test_json_is_json_and_nothing_else(hsi, small, tmp_path):
    status, out, _ = hsi("train", *small, "--json", "--output", tmp_path / "runs")
    metrics = json.loads(out)
    assert status == 0
    assert metrics["test"]["overall_accuracy"] > 0.4
    status, out, _ = hsi("evaluate", metrics["run"], "--json")
    assert json.loads(out)["equal"]
    status, out, _ = hsi(
        "predict", metrics["run"], "--scene", tmp_path / "cube.npy", "-o", tmp_path / "m.tif"
    )
    assert out.strip() == str(tmp_path / "m.tif")


def test_resume_on_a_finished_run_shows_it_and_takes_no_options(hsi, small, tmp_path):
    out = hsi("train", *small, "--json", "--output", tmp_path / "runs")[1]
    run = json.loads(out)["run"]
    status, out, err = hsi("train", "--resume", run, "--json")
    assert (status, json.loads(out)["run"]) == (0, run)
    assert "finished already" in err
    for option in (["--epochs", 3], ["--seed", 0], ["--output", "elsewhere"]):
        status, _, err = hsi("train", "--resume", run, *option)
        assert status == 2
        assert "keeps its configuration" in err


def test_several_runs_are_summed_up(hsi, small, tmp_path, monkeypatch):
    use_inline_jobs(monkeypatch)
    status, out, _ = hsi("train", *small, "--runs", 2, "--json", "--output", tmp_path / "runs")
    summary = json.loads(out)
    assert status == 0
    assert summary["groups"][0]["seeds"] == [0, 1]
    assert summary["groups"][0]["test"]["overall_accuracy"]["n"] == 2


BAD = {
    "nothing": [],
    "unknown dataset": ["--dataset", "indian_pine"],
    "unknown model": ["--dataset", "synthetic", "--model", "hybridns"],
    "unknown config": ["--config", "nothing"],
    "unknown key": ["--dataset", "synthetic", "--set", "trian.epochs=1"],
    "malformed setting": ["--dataset", "synthetic", "--set", "epochs"],
    "negative epochs": ["--dataset", "synthetic", "--epochs", "-1"],
    "no such device": ["--dataset", "synthetic", "--device", "cuda:77"],
    "unknown device": ["--dataset", "synthetic", "--device", "abacus"],
    "even window": ["--dataset", "synthetic", "--set", "model.window=10"],
    "window too large": ["--dataset", "synthetic", "--set", "model.window=99"],
    "no components": ["--dataset", "synthetic", "--set", "reduction.components=0"],
    "few components": ["--dataset", "synthetic", "--set", "reduction.components=5"],
    "many components": ["--dataset", "synthetic", "--set", "reduction.components=5000"],
    "missing scene": ["--scene", "nothing.mat", "--labels", "nothing.mat"],
    "scene without labels": ["--scene", "cube.npy"],
    "unknown baseline": ["--dataset", "synthetic", "--baselines", "magic"],
    "missing split file": ["--dataset", "synthetic", "--split-file", "nothing.npz"],
    "negative seed": ["--dataset", "synthetic", "--seed", "-3"],
    "missing run": ["--resume", "nothing"],
    "unwritable output": ["--dataset", "synthetic", "--output", "/dev/null/runs"],
    "unknown option": ["--nothing"],
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_line_exit_2_and_nothing_written(hsi, tmp_path, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    status, out, err = hsi("train", *BAD[what])
    # What it is about to do is said before what only loaded data or torch can tell.
    lines = [line for line in err.splitlines() if not line.startswith("hsi train: ")]
    assert status == 2
    assert out == ""
    if what != "unknown option":
        assert len(lines) == 1
        assert lines[0].startswith("error: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "labels",
    ["other size", "one class", "one pixel", "unlabelled", "negative", "fractions", "three axes"],
)
def test_a_label_map_that_cannot_serve_is_one_line(hsi, tmp_path, labels):
    cube, good = small_cube()
    single = good.copy()
    single[single == 3] = 0
    single[0, 0] = 3
    bad = {
        "other size": good[:-1],
        "one class": (good > 0).astype(np.uint8),
        "one pixel": single,
        "unlabelled": good * 0,
        "negative": good.astype(np.int16) - 1,
        "fractions": good + 0.5,
        "three axes": cube,
    }
    np.save(tmp_path / "cube.npy", cube)
    np.save(tmp_path / "labels.npy", bad[labels])
    status, _, err = hsi(
        "train", "--scene", tmp_path / "cube.npy", "--labels", tmp_path / "labels.npy",
        "--set", "reduction.components=13", "--set", "model.window=9",
        "--output", tmp_path / "runs",
    )  # fmt: skip
    assert status == 2
    # What it will do is said before, and how the cube was read may be.
    first, *notes, error = err.strip().splitlines()
    assert first.startswith("hsi train: hybridsn on cube")
    assert error.startswith("error: ") and all(line.startswith("cube: read as") for line in notes)
    assert not (tmp_path / "runs").exists()


def test_debug_shows_the_traceback(hsi, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["hsi", "train", "--debug"])
    from hsi_suite.errors import ConfigError

    with pytest.raises(ConfigError):
        main()


def test_config_commands(hsi):
    assert "classification/hybridsn_salinas" in hsi("config", "list")[1].split()
    tree = yaml.safe_load(hsi("config", "show", "classification/hybridsn_salinas")[1])
    assert tree["reduction"]["components"] == 15
    assert tree["train"]["epochs"] == 100
    whole = yaml.safe_load(hsi("config", "show", "classification/hybridsn", "--all")[1])
    assert whole["data"]["dataset"] == "synthetic"
    assert whole["train"]["optimizer"]["beta2"] == 0.999
    batch = yaml.safe_load(hsi("config", "show", "batch/smoke", "--all")[1])
    assert batch["models"] == ["hybridsn", "forest"]
