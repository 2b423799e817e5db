import json

import numpy as np
import pytest
import yaml
from metrics_samples import sample_metrics

from hsi_suite.config import load_tree
from hsi_suite.environment import compare_environments, describe_environment
from hsi_suite.errors import RunError
from hsi_suite.reports.content import value_text
from hsi_suite.runs.evaluation import evaluate
from hsi_suite.runs.folder import csv_text, locked, open_run, prepare_run, run_name
from hsi_suite.runs.identity import run_identity
from hsi_suite.schemas.run_metrics import ClassifiedMetrics, check_metrics


def test_identity_changes_with_what_matters_and_with_nothing_else():
    config = {"train": {"epochs": 3, "checkpoint_seconds": 30}, "threads": 2}
    identity = run_identity(config, {"a": "1"})
    assert len(identity) == 8
    later = {"threads": 2, "train": {"checkpoint_seconds": 5, "epochs": 3}}
    assert run_identity(later, {"a": "1"}) == identity
    assert run_identity({**config, "threads": 1}, {"a": "1"}) != identity
    assert run_identity(config, {"a": "2"}) != identity
    # Runs from before this section existed keep their identity, and only they.
    assert run_identity({**config, "preprocess": {"denoise": False}}, {"a": "1"}) == identity
    assert run_identity({**config, "preprocess": {"denoise": True}}, {"a": "1"}) != identity


def test_names_are_safe_on_every_file_system():
    name = run_name("../my scene: α/β", "hybridsn", "random", 3, "0123abcd")
    assert name == "my-scene_hybridsn_random_s3_0123abcd"


def test_two_writers_are_kept_apart(tmp_path):
    run = prepare_run(tmp_path, "r", "task: classification\n")
    with locked(run), pytest.raises(RunError, match="another process"), locked(run):
        pass
    with locked(run):
        pass


def test_a_run_is_read_back(tmp_path):
    run = prepare_run(tmp_path, "r", "task: classification\nthreads: 2\n")
    assert not run.finished
    (run.path / "history.csv").write_text(
        csv_text([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "extra": 1}])
    )
    (run.path / "metrics.json").write_text(json.dumps({"task": "classification"}))
    np.save(run.path / "map.npy", np.ones((2, 2), np.uint8))
    again = open_run(run.path)
    assert again.finished
    assert again.config == {"task": "classification", "threads": 2}
    assert again.metrics == {"task": "classification"}
    assert again.history == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "extra": 1}]
    assert again.label_map.shape == (2, 2)


@pytest.mark.parametrize(
    "config",
    [
        "smoke/classification",
        "denoising/default_denoiser",
        "image_classification/digits",
        "retrieval/features",
    ],
)
def test_every_task_says_how_an_unfinished_run_goes_on(tmp_path, config):
    run = prepare_run(tmp_path, "begun here", yaml.safe_dump(load_tree(config)))
    with pytest.raises(RunError, match="is not finished") as caught:
        evaluate(run.path)
    assert caught.value.remedy == f"run `hsi train --resume '{run.path}'` first"


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(RunError, match="Name a folder"):
            open_run(path)
    (tmp_path / "config.yaml").write_text("- a list\n")
    (tmp_path / "metrics.json").write_text("{half")
    run = open_run(tmp_path)
    for part in ("config", "metrics", "environment"):
        with pytest.raises(RunError):
            getattr(run, part)


def test_the_environment_names_what_changes_numbers():
    facts = describe_environment("cpu", 3)
    assert facts["threads"] == 3
    assert facts["cpu_capability"]
    assert facts["packages"]["torch"]
    assert compare_environments(facts, facts) == []
    other = {**facts, "threads": 1, "packages": {**facts["packages"], "torch": "0"}}
    lines = compare_environments(facts, other)
    assert lines[0].startswith("packages.torch: ")
    assert lines[1] == "threads: 3 then, 1 now"


def test_a_task_that_is_no_name_is_refused_with_its_file(tmp_path):
    (tmp_path / "metrics.json").write_text('{"task": "retrieval"}')
    (tmp_path / "config.yaml").write_text("task: [retrieval]\n")
    with pytest.raises(RunError, match=r"config\.yaml: task: \['retrieval'\]"):
        _ = open_run(tmp_path).config


@pytest.mark.parametrize("matrix", [[[1, 2, 3]] * 2, [[1, 2], [3, 4]], [[-1] * 3] * 3])
def test_a_wrong_confusion_matrix_is_refused_with_its_file(tmp_path, matrix):
    metrics = sample_metrics()
    metrics["test"]["confusion_matrix"] = matrix
    with pytest.raises(RunError, match=r"metrics\.json: "):
        check_metrics(metrics, tmp_path / "metrics.json", ClassifiedMetrics, whole=True)


def test_long_lists_of_anything_have_a_text():
    assert value_text(list(range(30, 0, -1))) == "30 values, 1 … 30"
    assert value_text(["b"] + [None] * 40) == "41 values, b … –"


def test_checksums_that_are_none_and_names_that_no_folder_can_have(tmp_path):
    (tmp_path / "config.yaml").write_text("task: classification\n")
    (tmp_path / "environment.json").write_text('{"data": 3}')
    with pytest.raises(RunError, match=r"environment\.json: data: 3"):
        _ = open_run(tmp_path).environment
    with pytest.raises(RunError, match="File name too long"):
        open_run(tmp_path / ("a" * 5000))
