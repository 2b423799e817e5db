"""`hsi compare`: groups of runs, their comparisons, the words for them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scenes_samples import write_yaml

from hsi_suite.cli import cli
from hsi_suite.errors import ConfigError, RunError
from hsi_suite.metrics.comparisons import compare_paired, compare_unpaired
from hsi_suite.runs.comparison import _lonely, compare

pytestmark = pytest.mark.stand_in_pictures

GOOD = [0.951, 0.948, 0.953, 0.950, 0.949]
WEAK = [0.901, 0.897, 0.904, 0.899, 0.901]


def write_run(folder, model="hybridsn", *, seed=0, accuracy=0.9, kind="random", **keys):
    """A run's folder with as much as comparing needs.

    Runs of one seed and kind share their split. The keys change the configuration.
    """
    folder.mkdir(parents=True)
    scores = {
        "overall_accuracy": accuracy,
        "average_accuracy": accuracy - 0.01,
        "cohen_kappa": accuracy - 0.02,
        "confusion_matrix": [[1]],
        "per_class": [{"name": "corn", "recall": 1.0, "precision": 1.0, "f1": 1.0}],
    }
    metrics = {
        "task": "classification",
        "dataset": "field",
        "model": model,
        "seed": seed,
        "synthetic": False,
        "classes": [{"label": 1, "name": "corn"}],
        "test": scores,
        "baselines": {"position": scores | {"overall_accuracy": 0.5 + seed / 100}},
        "split": {"kind": kind, "train": 80, "test": 20},
    }
    config = {
        "seeds": {"base": seed},
        "task": "classification",
        "model": {"name": model},
        "train": {"epochs": 2},
        "data": {"dataset": "field"},
    } | keys
    (folder / "metrics.json").write_text(json.dumps(metrics))
    identity = f"{model}{kind}{seed}{sorted(map(str, keys.items()))}"
    (folder / "environment.json").write_text(json.dumps({"data": {"a": "b"}, "identity": identity}))
    write_yaml(folder / "config.yaml", config)
    np.savez(folder / "split.npz", train=np.arange(seed, seed + 3))
    return folder


def write_runs(folder, model, accuracies, **keys):
    return [
        write_run(folder / f"{model}_{seed}", model, seed=seed, accuracy=value, **keys)
        for seed, value in enumerate(accuracies)
    ]


def test_two_folders_of_runs_are_paired_by_their_splits(tmp_path):
    write_runs(tmp_path / "a", "hybridsn", GOOD)
    write_runs(tmp_path / "b", "ssrn", WEAK)
    found = compare([tmp_path / "a", tmp_path / "b"])
    assert [(g["name"], g["metric"], g["figures"]["n"]) for g in found.groups] == [
        ("hybridsn on field, random split", "overall_accuracy", 5),
        ("ssrn on field, random split", "overall_accuracy", 5),
    ]
    (pair,) = found.comparisons
    wanted = compare_paired(GOOD, WEAK, counts=(80, 20))
    assert pair["t_test"]["p"] == pytest.approx(wanted.t_test.p)
    assert pair["difference"] == pytest.approx(wanted.difference)
    assert pair["verdict"].startswith(
        "hybridsn has a higher overall accuracy than ssrn on field, random split, by 4.98 points"
    )
    assert found.notes == []


def test_runs_may_be_named_one_by_one_and_the_order_does_not_matter(tmp_path):
    runs = write_runs(tmp_path, "hybridsn", GOOD) + write_runs(tmp_path, "ssrn", WEAK)
    assert compare(runs).comparisons == compare([tmp_path]).comparisons
    turned = compare(runs[::-1]).comparisons[0]
    assert turned["difference"] == pytest.approx(-compare(runs).comparisons[0]["difference"])


def test_settings_that_differ_make_groups_of_their_own(tmp_path):
    write_runs(tmp_path / "a", "hybridsn", GOOD)
    write_runs(tmp_path / "b", "hybridsn", WEAK, train={"epochs": 9})
    names = [group["name"] for group in compare([tmp_path / "a", tmp_path / "b"]).groups]
    assert names == [
        "hybridsn on field, random split (train.epochs 2)",
        "hybridsn on field, random split (train.epochs 9)",
    ]


def test_other_kinds_of_split_are_not_compared_with_each_other(tmp_path):
    write_runs(tmp_path / "a", "hybridsn", GOOD)
    write_runs(tmp_path / "b", "hybridsn", WEAK, kind="disjoint", split={"kind": "disjoint"})
    found = compare([tmp_path / "a", tmp_path / "b"])
    assert found.comparisons == []
    assert len(found.notes) == 1 and "nothing to compare with" in found.notes[0]


def test_runs_on_other_splits_are_compared_unpaired(tmp_path):
    write_runs(tmp_path / "a", "hybridsn", GOOD)
    for seed, value in enumerate(WEAK):
        write_run(tmp_path / "b" / str(seed), "ssrn", seed=seed + 10, accuracy=value)
    (pair,) = compare([tmp_path / "a", tmp_path / "b"]).comparisons
    assert not pair["paired"] and "compared without pairing" in pair["notes"][0]
    assert pair["t_test"]["p"] == pytest.approx(compare_unpaired(GOOD, WEAK).t_test.p)


def test_one_run_each_tells_nothing(tmp_path):
    runs = write_runs(tmp_path, "hybridsn", GOOD[:1]) + write_runs(tmp_path, "ssrn", WEAK[:1])
    (pair,) = compare(runs).comparisons
    assert pair["verdict"].startswith("One run of each can tell nothing about hybridsn")
    assert "95.10 %" in pair["verdict"] and "90.10 %" in pair["verdict"]
    assert pair["holm_p"] is None


def test_a_lone_group_is_compared_with_its_baselines(tmp_path):
    write_runs(tmp_path, "hybridsn", GOOD)
    (pair,) = compare([tmp_path]).comparisons
    assert (pair["first"], pair["second"]) == ("hybridsn on field, random split", "position")


def test_runs_of_different_tasks_get_one_line():
    entries = [
        {"name": "dncnn on Set12", "task": "denoising"},
        {"name": "hybridsn on field", "task": "classification"},
    ]
    (note,) = _lonely(entries, [])
    assert note == (
        "nothing to compare with, of the same data and split: dncnn on Set12; hybridsn on field; "
        "the runs are of different tasks: classification, denoising"
    )
    assert _lonely(entries[:1], []) == [
        "nothing to compare with, of the same data and split: dncnn on Set12"
    ]


def test_runs_of_other_versions_are_noted(tmp_path):
    runs = write_runs(tmp_path, "hybridsn", GOOD)
    assert not any("versions" in note for note in compare([tmp_path]).notes)
    for run, version in zip(runs, ("2.12", "2.13", "2.13"), strict=False):
        place = run / "environment.json"
        packages = {"packages": {"torch": version, "numpy": "2.3"}}
        place.write_text(json.dumps(json.loads(place.read_text()) | packages))
    (note,) = [note for note in compare([tmp_path]).notes if "versions" in note]
    assert note == "made by different versions, whose results may differ: torch 2.12 and 2.13"


def test_another_metric(tmp_path):
    write_runs(tmp_path / "a", "hybridsn", GOOD)
    write_runs(tmp_path / "b", "ssrn", WEAK)
    found = compare([tmp_path / "a", tmp_path / "b"], metric="cohen_kappa")
    assert found.comparisons[0]["metric"] == "cohen_kappa"
    assert "higher Cohen's κ × 100" in found.comparisons[0]["verdict"]
    assert found.groups[0]["figures"]["mean"] == pytest.approx(0.9302)
    with pytest.raises(ConfigError, match="Did you mean"):
        compare([tmp_path / "a"], metric="kohen_kappa")


def test_runs_given_twice_count_once_and_unfinished_ones_are_passed_over(tmp_path):
    runs = write_runs(tmp_path, "hybridsn", GOOD) + write_runs(tmp_path, "ssrn", WEAK)
    (write_run(tmp_path / "later", "ssrn", seed=9) / "metrics.json").unlink()
    found = compare([tmp_path, runs[0]])
    assert found.groups[0]["figures"]["n"] == 5
    assert found.notes == [
        "given twice, and counted once: 1 run",
        "not finished, and passed over: 1 run",
    ]


def test_damaged_and_missing_runs_are_refused(tmp_path):
    with pytest.raises(RunError, match="no such folder"):
        compare([tmp_path / "nowhere"])
    run = write_run(tmp_path / "foreign")
    (run / "environment.json").write_text("{}")
    with pytest.raises(RunError, match="names no data"):
        compare([run])
    run = write_run(tmp_path / "run")
    (run / "metrics.json").write_text('{"task": "denoising", "dataset": "x", "model": "y"}')
    with pytest.raises(RunError, match=r"metrics\.json"):
        compare([run])
    tree = {"task": "denoising", "dataset": "x", "model": "y", "seed": 1}
    (run / "metrics.json").write_text(json.dumps(tree))
    with pytest.raises(RunError, match="noise: field required"):
        compare([run])


def test_the_command_prints_words_and_json(tmp_path):
    write_runs(tmp_path / "a", "hybridsn", GOOD)
    write_runs(tmp_path / "b", "ssrn", WEAK)
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    result = CliRunner().invoke(cli, ["compare", *folders])
    assert result.exit_code == 0
    assert "95.02 %" in result.output and "n = 5 shared splits" in " ".join(result.output.split())
    assert "Wilcoxon signed-rank cannot go below p = 0.0625" in " ".join(result.output.split())
    assert max(map(len, result.output.splitlines())) <= 80
    plain = json.loads(CliRunner().invoke(cli, ["compare", *folders, "--json"]).stdout)
    assert plain["comparisons"] == compare(folders).comparisons
