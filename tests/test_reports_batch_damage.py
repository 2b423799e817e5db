"""Damaged folders of batches are told in one line."""

import json

import numpy as np
import pytest
from batch_samples import (
    Sample,
    make_batch,
)

from hsi_suite.atomic import write_json
from hsi_suite.errors import RunError
from hsi_suite.runs.batches.report import write_batch_report
from hsi_suite.runs.folder import open_run
from hsi_suite.runs.tasks import task_of


@pytest.mark.parametrize("name", ["summary.json", "metrics.json", "map.npy", "history.csv"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff\x13junk", b"[1, 2]", b'{"task": "batch"}'])
def test_damaged_files_are_told_in_one_line(tmp_path, name, content):
    folder = make_batch(
        tmp_path / "b", Sample(runs=2, models={"hybridsn": (0.9, 0.6)}, kinds=("random",))
    )
    path = folder / name if name == "summary.json" else sorted(folder.glob(f"*/{name}"))[0]
    path.write_bytes(content)
    if name == "history.csv":
        # Text without rows of figures leaves the curves out; anything else is an error.
        try:
            write_batch_report(folder)
        except RunError as error:
            assert name in str(error)
        return
    with pytest.raises(RunError, match=name):
        write_batch_report(folder)


def test_what_is_wrong_deep_inside_is_told_in_one_line(tmp_path):
    folder = make_batch(
        tmp_path / "b", Sample(runs=2, models={"hybridsn": (0.9, 0.6)}, kinds=("random",))
    )
    summary = json.loads((folder / "summary.json").read_text())
    summary["groups"][0]["test"]["overall_accuracy"]["median"] = {}
    write_json(folder / "summary.json", summary)
    with pytest.raises(RunError, match="holds what no run writes"):
        write_batch_report(folder)


def test_a_task_that_is_not_known_is_told_with_its_file(tmp_path):
    folder = make_batch(
        tmp_path / "b", Sample(runs=2, models={"hybridsn": (0.9, 0.6)}, kinds=("random",))
    )
    whole = json.loads((folder / "summary.json").read_text())
    whole["groups"][0]["task"] = "clasification"
    write_json(folder / "summary.json", whole)
    with pytest.raises(RunError, match=r"summary\.json.*groups\.0\.task: 'clasification'.*mean"):
        write_batch_report(folder)
    run = open_run(sorted(folder.glob("*/config.yaml"))[0].parent)
    (run.path / "config.yaml").write_text("task: clasification\n")
    with pytest.raises(RunError, match=r"config\.yaml.*task: 'clasification'.*mean"):
        task_of(run)


def _cut(metrics, *keys):
    inner = metrics
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: _cut(m, "test", "confusion_matrix"), "confusion_matrix"),
        (lambda m: _cut(m, "test", "per_class", 0), "tables of different sizes"),
        (lambda m: m["classes"][0].update(label=0), "greater than or equal to 1"),
        (lambda m: m.update(seed="one"), "seed"),
        (lambda m: m.update(classes={}), "classes"),
    ],
)
def test_incomplete_metrics_are_told_in_one_line(tmp_path, change, words):
    folder = make_batch(
        tmp_path / "b", Sample(runs=2, models={"hybridsn": (0.9, 0.6)}, kinds=("random",))
    )
    path = sorted(folder.glob("*/metrics.json"))[0]
    metrics = json.loads(path.read_text())
    change(metrics)
    write_json(path, metrics)
    with pytest.raises(RunError, match=words):
        write_batch_report(folder)


def test_a_missing_run_and_foreign_paths_are_refused(tmp_path):
    folder = make_batch(
        tmp_path / "b", Sample(runs=2, models={"hybridsn": (0.9, 0.6)}, kinds=("random",))
    )
    summary = json.loads((folder / "summary.json").read_text())
    for name in ("gone", "../b", ".."):
        summary["groups"][0]["runs"][0] = name
        write_json(folder / "summary.json", summary)
        with pytest.raises(RunError):
            write_batch_report(folder)


def test_maps_of_different_scenes_are_refused(tmp_path):
    folder = make_batch(
        tmp_path / "b", Sample(runs=2, models={"hybridsn": (0.9, 0.6)}, kinds=("random",))
    )
    np.save(sorted(folder.glob("*/map.npy"))[0], np.ones((3, 4), int))
    with pytest.raises(RunError, match="maps of sizes"):
        write_batch_report(folder)
