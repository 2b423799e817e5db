"""Batches: grids of runs, finished runs kept, failures told."""

import json

import pytest
from hsi_suite.pipelines import batch as module
from hsi_suite.pipelines.batch import repeat, run_batch
from hsi_suite.pipelines.configuration import classification_config
from scenes_samples import SMALL, write_scene, write_yaml

from hsi_suite.errors import ConfigError, RunError, Stopped

TREE = {
    "task": "batch",
    "datasets": ["synthetic"],
    "models": ["forest", "cnn1d"],
    "splits": ["random"],
    "runs": 2,
    "set": {"threads": 1, "train": {"epochs": 1}},
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batch")
    return run_batch(write_yaml(folder / "grid.yaml", TREE), folder / "runs")


def test_a_batch_is_a_folder_of_runs_and_a_summary(done):
    assert done.path.name.startswith("grid_")
    assert len(done.runs) == 4
    assert not done.failures
    groups = {group["model"]: group for group in done.summary["groups"]}
    assert {(g["n"], tuple(g["seeds"])) for g in groups.values()} == {(2, (0, 1))}
    accuracy = groups["forest"]["test"]["overall_accuracy"]
    values = [
        run.metrics["test"]["overall_accuracy"]
        for run in done.runs
        if run.metrics["model"] == "forest"
    ]
    mean = sum(values) / 2
    assert accuracy["mean"] == pytest.approx(mean)
    assert accuracy["std"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert "position" in groups["forest"]["baselines"]
    assert len((done.path / "runs.csv").read_text().splitlines()) == 5


def test_finished_runs_are_kept_and_a_batch_can_grow(done, monkeypatch):
    carried_out = []
    original = module.train

    def train(config, output, observer):
        before = {p.name for p in done.path.iterdir()}
        run = original(config, output, observer)
        if run.path.name not in before:
            carried_out.append(run.path.name)
        return run

    monkeypatch.setattr(module, "train", train)
    path = done.path.parent.parent / "grid.yaml"
    summary = (done.path / "summary.json").read_bytes()
    again = run_batch(str(path), done.path.parent)
    assert again.path == done.path
    assert not carried_out
    assert (again.path / "summary.json").read_bytes() == summary
    grown = run_batch(write_yaml(path, {**TREE, "runs": 3}), done.path.parent)
    assert grown.path == done.path
    assert len(carried_out) == 2
    write_yaml(path, TREE)


def test_a_failed_run_is_told_and_the_others_go_on(tmp_path, monkeypatch):
    original = module.train

    def train(config, output, observer):
        if config.seeds.base == 0:
            raise RunError("seed 0", "does not work")
        return original(config, output, observer)

    monkeypatch.setattr(module, "train", train)
    batch = run_batch(write_yaml(tmp_path / "b.yaml", {**TREE, "models": ["forest"]}), tmp_path)
    assert len(batch.runs) == 1
    assert list(batch.failures.values()) == ["seed 0: does not work"]
    assert json.loads((batch.path / "summary.json").read_text())["failures"]


def test_no_finished_run_is_an_error_and_a_stop_stops(tmp_path, monkeypatch):
    def fails(config, output, observer):
        raise RunError("x", "never works")

    def stops(config, output, observer):
        raise Stopped

    path = write_yaml(tmp_path / "b.yaml", TREE)
    monkeypatch.setattr(module, "train", fails)
    with pytest.raises(RunError, match="never works"):
        run_batch(path, tmp_path)
    monkeypatch.setattr(module, "train", stops)
    with pytest.raises(Stopped, match="0 of 4 runs"):
        run_batch(path, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"datasets": []},
        {"datasets": ["nothing"], "runs": 1},
        {"models": ["nothing"]},
        {"seeds": [1], "runs": 1},
        {"runs": None},
        {"runs": 0},
        {"seeds": [1, 1], "runs": None},
        {"splits": ["diagonal"]},
        {"sets": {}},
        {"set": {"train": {"epoch": 1}}},
        {"set": {"model": {"name": "forest"}}},
        {"set": {"seeds": {"base": 5}}},
        {"set": {"split": 5}},
        {"name": "../../outside"},
    ],
)
def test_a_batch_that_is_not_right_is_refused_before_it_begins(tmp_path, change):
    path = write_yaml(tmp_path / "b.yaml", {**TREE, **change})
    with pytest.raises(ConfigError) as caught:
        run_batch(path, tmp_path / "runs")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("runs/*/*/metrics.json"))


def test_repeat_counts_on_from_the_given_seed(tmp_path):
    options = write_scene(tmp_path)
    config = classification_config(**options, seed=5, settings=[*SMALL, "train.epochs=1"])
    batch = repeat(config, 2, tmp_path / "runs")
    assert [run.metrics["seed"] for run in batch.runs] == [5, 6]
