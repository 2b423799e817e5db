"""Batches: runs in processes of their own, finished ones kept, failures told."""

import json
import multiprocessing
import time

import pytest
import yaml
from inline_jobs import use_inline_jobs
from scenes_samples import SMALL, write_scene, write_yaml

from hsi_suite.engine.jobs import Ending, JobObserver
from hsi_suite.errors import ConfigError, DeviceError, RunError, Stopped
from hsi_suite.pipelines import reproducibility as module
from hsi_suite.pipelines.reproducibility import repeat, run_batch
from hsi_suite.runs.folder import Run, locked
from hsi_suite.tasks.scenes.configuration import classification_config

pytestmark = pytest.mark.stand_in_pictures

TREE = {
    "task": "batch",
    "datasets": ["synthetic_small"],
    "models": ["lda", "cnn1d"],
    "splits": ["random"],
    "runs": 2,
    "set": {"threads": 1, "train": {"epochs": 1, "calibration": "none"}},
}


class Started(JobObserver):
    """Keeps which runs were begun."""

    def __init__(self):
        self.names = []

    def job_started(self, name):
        self.names.append(name)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batch")
    # One worker: each begins with seconds of imports.
    return run_batch(write_yaml(folder / "grid.yaml", TREE), folder / "runs", jobs=1)


def test_a_batch_is_a_folder_of_runs_and_a_summary(done):
    assert done.path.name.startswith("grid_")
    assert len(done.runs) == 4
    assert not done.failures
    summary = done.summary
    assert (summary["task"], summary["name"], summary["level"]) == ("batch", "grid", 0.95)
    assert summary["question"].startswith("Which of lda and cnn1d is best on synthetic_small")
    groups = {group["model"]: group for group in summary["groups"]}
    assert {(g["n"], tuple(g["seeds"])) for g in groups.values()} == {(2, (0, 1))}
    lda = groups["lda"]
    assert lda["name"] == "lda on synthetic_small, random split"
    assert lda["headline"] == ["overall_accuracy", "average_accuracy", "cohen_kappa"]
    assert (lda["task"], lda["variant"]) == ("classification", "random")
    accuracy = lda["test"]["overall_accuracy"]
    runs = [Run(done.path / name) for name in lda["runs"]]
    values = [run.metrics["test"]["overall_accuracy"] for run in runs]
    assert accuracy["mean"] == pytest.approx(sum(values) / 2)
    assert accuracy["std"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert accuracy["interval"]["low"] < accuracy["mean"] < accuracy["interval"]["high"]
    audits = [run.metrics["leakage"]["median_distance"] for run in runs]
    assert lda["leakage"]["median_distance"] == pytest.approx(sum(audits) / 2)
    assert list(lda["baselines"]) == ["position"]
    pairs = [(each["first"], each["second"], each["paired"]) for each in summary["comparisons"]]
    cnn1d = groups["cnn1d"]["name"]
    names = (lda["name"], cnn1d), (lda["name"], "position"), (cnn1d, "position")
    assert pairs == [(*pair, True) for pair in names]
    assert summary["variance"] == []
    rows = (done.path / "runs.csv").read_text().splitlines()
    assert len(rows) == 5
    assert rows[0].startswith(
        "run,group,task,dataset,model,variant,seed,source,varied_seed,threads"
    )
    assert (done.path / "report.html").is_file()


def test_finished_runs_are_kept_and_a_batch_can_grow(done, monkeypatch):
    use_inline_jobs(monkeypatch)
    path = done.path.parent.parent / "grid.yaml"
    summary = (done.path / "summary.json").read_bytes()
    started = Started()
    again = run_batch(str(path), done.path.parent, started)
    assert again.path == done.path
    assert not started.names
    assert (again.path / "summary.json").read_bytes() == summary
    # What the folder itself holds is enough to go on.
    again = run_batch(str(done.path / "batch.yaml"), done.path.parent, started)
    assert again.path == done.path
    assert not started.names
    grown = run_batch(str(path), done.path.parent, started, runs=3)
    assert grown.path == done.path
    assert sorted(started.names) == [
        f"{model} on synthetic_small, random split, seed 2" for model in ("cnn1d", "lda")
    ]
    assert {group["n"] for group in grown.summary["groups"]} == {3}
    again = run_batch(str(path), done.path.parent)
    assert (again.path / "summary.json").read_bytes() == summary


def carry_out(path, output):
    run_batch(path, output, jobs=2)


def carry_out_inline(path, output):
    with pytest.MonkeyPatch.context() as patch:
        use_inline_jobs(patch)
        run_batch(path, output)


@pytest.mark.slow
def test_a_batch_killed_twice_ends_with_the_same_summary(done, tmp_path, monkeypatch):
    path = str(done.path.parent.parent / "grid.yaml")
    fork = multiprocessing.get_context("fork")
    folder = tmp_path / done.path.name
    # The second time what is left is carried out in the process that is killed: it needs no worker.
    for finished, work in ((1, carry_out), (2, carry_out_inline)):
        process = fork.Process(target=work, args=(path, tmp_path))
        process.start()
        while len(list(folder.glob("*/metrics.json"))) < finished:
            assert process.is_alive()
            time.sleep(0.02)
        process.kill()
        process.join()
        assert not (folder / "summary.json").exists()
    # Workers have carried out what it has to equal; here what is left needs none.
    use_inline_jobs(monkeypatch)
    again = run_batch(path, tmp_path)
    for name in ("summary.json", "runs.csv", "report.md", "table.tex", "batch.yaml"):
        assert (again.path / name).read_bytes() == (done.path / name).read_bytes()


def scenes(tmp_path, *names, **further):
    """Configurations of LDA on the small scene, by file."""
    options = {**write_scene(tmp_path), "class_names": None}
    for name in names:
        data = options | further.get(name, {})
        tree = {"extends": "classification/lda", "data": data, "threads": 1}
        tree["train"] = {"calibration": "none"}
        write_yaml(tmp_path / f"{name}.yaml", tree)
    return {"task": "batch", "configs": [f"{name}.yaml" for name in names], "runs": 1}


def test_a_failed_run_is_told_and_the_others_go_on(tmp_path, monkeypatch):
    use_inline_jobs(monkeypatch)
    tree = scenes(tmp_path, "good", "bad", bad={"labels": str(tmp_path / "nothing.npy")})
    path = write_yaml(tmp_path / "b.yaml", tree)
    batch = run_batch(path, tmp_path / "runs")
    assert len(batch.runs) == 1
    ((what, why),) = batch.failures.items()
    assert what == "lda on cube, random split (bad), seed 0"
    assert "nothing.npy" in why and "\n" not in why
    assert batch.summary["failures"] == batch.failures
    # Its own copies of the configurations make the folder complete.
    copies = {p.name for p in (batch.path / "configs").iterdir()}
    assert copies == {"good.yaml", "bad.yaml"}
    assert yaml.safe_load((batch.path / "batch.yaml").read_text())["configs"] == [
        "configs/good.yaml",
        "configs/bad.yaml",
    ]


def test_a_run_on_changed_files_is_done_again(tmp_path, monkeypatch):
    use_inline_jobs(monkeypatch)
    path = write_yaml(tmp_path / "b.yaml", scenes(tmp_path, "good"))
    first = run_batch(path, tmp_path / "runs")
    write_scene(tmp_path, seed=1)
    second = run_batch(path, tmp_path / "runs")
    assert second.path == first.path
    assert second.runs[0].path != first.runs[0].path


class Hopeless:
    """An executor whose jobs all fail, and which is stopped when it is asked again."""

    asked = False

    def carry_out(self, jobs, observer, report):
        if self.asked:
            raise Stopped
        self.asked = True
        for job in jobs:
            report(Ending(job, error=f"{job.order['output']}/x: broke", details="line 1"))


def test_no_finished_run_is_an_error_and_a_stop_says_how_to_go_on(tmp_path, monkeypatch):
    executor = Hopeless()
    monkeypatch.setattr(module, "_executor", lambda *_: executor)
    path = write_yaml(tmp_path / "b.yaml", TREE)
    with pytest.raises(RunError, match=r"no run finished; expected at least one\. X: broke"):
        run_batch(path, tmp_path)
    (tracebacks,) = tmp_path.glob("*/tracebacks.txt")
    assert tracebacks.read_text().count("line 1") == 4
    with pytest.raises(Stopped, match="0 of 4 runs are finished; the same command goes on"):
        run_batch(path, tmp_path)


def test_a_batch_that_somebody_else_carries_out_is_left_alone(done):
    path = str(done.path.parent.parent / "grid.yaml")
    with locked(Run(done.path)), pytest.raises(RunError, match="another process"):
        run_batch(path, done.path.parent)


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
        {"set": {"model": {"name": "lda"}}},
        {"set": {"seeds": {"base": 5}}},
        {"set": {"split": 5}},
        {"set": {"device": "cuda:77"}},
        {"name": "../../outside"},
        {"vary": ["all", "data"], "datasets": ["jasper_ridge"]},
    ],
)
def test_a_batch_that_is_not_right_is_refused_before_it_begins(tmp_path, change):
    path = write_yaml(tmp_path / "b.yaml", {**TREE, **change})
    with pytest.raises((ConfigError, DeviceError)) as caught:
        run_batch(path, tmp_path / "runs")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_repeat_counts_on_from_the_given_seed(tmp_path, monkeypatch):
    use_inline_jobs(monkeypatch)
    options = write_scene(tmp_path)
    config = classification_config(**options, seed=5, settings=[*SMALL, "train.epochs=1"])
    batch = repeat(config, 2, tmp_path / "runs")
    assert [run.metrics["seed"] for run in batch.runs] == [5, 6]
    assert batch.path.name.startswith("cube_hybridsn_random_")
    assert json.loads((batch.path / "finished.json").read_text()).values()
