"""What the runs of a batch say together, from figures written by hand."""

import json
import math
from types import SimpleNamespace

import pytest
from metrics_samples import part
from rich.console import Console

from hsi_suite.config import validate
from hsi_suite.reports.batches.content import compared_baseline, contender_name
from hsi_suite.reports.batches.terminal_tables import summary_blocks
from hsi_suite.reports.terminal import terminal
from hsi_suite.runs.batches.comparisons import compare_models, split_key
from hsi_suite.runs.batches.design import expand
from hsi_suite.runs.batches.summary import run_rows, summarise_batch
from hsi_suite.runs.comparison import compare
from hsi_suite.runs.folder import Run
from hsi_suite.runs.scores import baseline_scores, headline, run_scores, variant
from hsi_suite.schemas.batch import BatchConfig

NAMES = ["meadow", "wood"]


def write_run(folder, member, accuracy, **further):
    """A finished run whose overall accuracy is given."""
    scores = part(NAMES, 100, 0.9, seed=0) | {"overall_accuracy": accuracy}
    metrics = {
        "task": "classification",
        "dataset": "synthetic",
        "synthetic": True,
        "model": member.config.model.name,
        "seed": member.seed,
        "split": {"kind": "random", "train": 60, "test": 100},
        "classes": [{"label": label, "name": name} for label, name in enumerate(NAMES, 1)],
        "test": scores,
        "baselines": {"position": part(NAMES, 100, 0.5, seed=1)},
        "leakage": {"median_distance": float(member.seed), "histogram": [[1, 2]]},
        **further,
    }
    path = folder / member.what.replace(" ", "_").replace(",", "")
    path.mkdir()
    (path / "metrics.json").write_text(json.dumps(metrics))
    (path / "environment.json").write_text(json.dumps({"data": {"scene": "abc"}}))
    config = member.config.model_dump(mode="json")
    (path / "config.yaml").write_text(json.dumps(config))
    return Run(path)


def batch(tmp_path, accuracy, **keys):
    """The summary of a batch whose runs have accuracies by `accuracy(member)`; None fails."""
    tree = {"task": "batch", "datasets": ["synthetic"], "threads": 1, **keys}
    design = expand(validate(BatchConfig, tree, "a test"))
    values = {member.what: accuracy(member) for member in design.members}
    runs = {
        member.what: write_run(tmp_path, member, values[member.what])
        for member in design.members
        if values[member.what] is not None
    }
    failures = {what: "it broke" for what, value in values.items() if value is None}
    return design, runs, summarise_batch("test", design, runs, failures, 0.95)


def test_groups_hold_runs_in_the_order_of_seeds_and_failures_are_left_out(tmp_path):
    values = {3: 0.9, 1: None, 2: 0.8}
    _, runs, summary = batch(
        tmp_path, lambda member: values[member.seed], models=["forest"], seeds=[3, 1, 2]
    )
    (group,) = summary["groups"]
    assert group["seeds"] == [3, 2] and group["n"] == 2
    assert group["runs"] == [runs[what].path.name for what in runs]
    assert group["test"]["overall_accuracy"]["mean"] == pytest.approx(0.85)
    assert group["leakage"] == {"median_distance": 2.5}
    assert "levels" not in group
    assert summary["failures"] == {"forest on synthetic, random split, seed 1": "it broke"}
    json.dumps(summary, allow_nan=False)


def test_a_group_counts_what_the_audit_calls_its_splits(tmp_path):
    _, runs, _ = batch(tmp_path, lambda member: 0.8, models=["forest"], seeds=[1, 2, 3])
    for run, inside, right in zip(runs.values(), (0.0, 0.0, 0.2), (0.2, 0.9, 0.2), strict=True):
        metrics = json.loads((run.path / "metrics.json").read_text())
        metrics["leakage"] |= {"window": 1, "test_inside_training_window": inside}
        metrics["baselines"]["position"]["overall_accuracy"] = right
        (run.path / "metrics.json").write_text(json.dumps(metrics))
    design = expand(
        validate(
            BatchConfig,
            {
                "task": "batch", "datasets": ["synthetic"], "models": ["forest"], "threads": 1,
                "seeds": [1, 2, 3],
            },
            "a test",
        )
    )  # fmt: skip
    fresh = {what: Run(run.path) for what, run in runs.items()}
    (group,) = summarise_batch("test", design, fresh, {}, 0.95)["groups"]
    assert group["levels"] == {"disjoint": 1, "leaks": 1, "partly disjoint": 1}


def test_the_order_in_which_runs_ended_leaves_no_trace(tmp_path):
    design, runs, summary = batch(
        tmp_path, lambda member: 0.8 + member.seed / 50, models=["forest", "svm"], runs=3
    )
    backwards = dict(reversed(runs.items()))
    assert summarise_batch("test", design, backwards, {}, 0.95) == summary
    assert run_rows(design, backwards) == run_rows(design, runs)


def test_models_are_compared_on_shared_splits_and_the_baseline_once(tmp_path):
    _, _, summary = batch(
        tmp_path,
        lambda member: (0.9 if member.config.model.name == "svm" else 0.7) + member.seed / 100,
        models=["forest", "svm"],
        runs=5,
    )
    forest, svm = (group["name"] for group in summary["groups"])
    found = {(each["first"], each["second"]): each for each in summary["comparisons"]}
    assert set(found) == {(forest, svm), (forest, "position"), (svm, "position")}
    first = found[forest, svm]
    assert (first["dataset"], first["variant"]) == ("synthetic", "random")
    assert first["metric"] == "overall_accuracy" and first["paired"]
    assert first["difference"] == pytest.approx(-0.2)
    assert first["verdict"].endswith(".")


def test_a_baseline_is_told_from_a_model_of_its_kind(tmp_path):
    baselines = {name: part(NAMES, 100, 0.8, seed=2) for name in ("position", "forest", "svm")}
    _, runs, summary = batch_with(tmp_path, baselines)
    names = {each[side] for each in summary["comparisons"] for side in ("first", "second")}
    forest, cnn = (group["name"] for group in summary["groups"])
    assert names == {forest, cnn, "position", "baseline forest", "svm"}
    words = " ".join(each["verdict"] for each in summary["comparisons"])
    assert "forest and forest" not in words and "baseline forest" in words
    alone = compare([run.path for what, run in runs.items() if what.startswith("forest")])
    assert {each["second"] for each in alone.comparisons} == {"position", "baseline forest", "svm"}


def batch_with(tmp_path, baselines):
    """A batch of a forest and a network, each with the same baselines."""
    tree = {"task": "batch", "datasets": ["synthetic"], "threads": 1}
    tree |= {"models": ["forest", "cnn1d"], "runs": 3}
    design = expand(validate(BatchConfig, tree, "a test"))
    runs = {
        member.what: write_run(tmp_path, member, 0.6 + member.seed / 9, baselines=baselines)
        for member in design.members
    }
    return design, runs, summarise_batch("test", design, runs, {}, 0.95)


def test_runs_share_a_split_when_data_and_stream_agree(tmp_path):
    design, runs, _ = batch(tmp_path, lambda member: 0.9, models=["forest", "svm"], runs=2)
    keys = [split_key(runs[member.what]) for member in design.members]
    assert keys[0] == keys[2] and keys[1] == keys[3] and keys[0] != keys[1]
    (runs[design.members[0].what].path / "split.npz").write_bytes(b"other")
    assert split_key(runs[design.members[0].what]) != keys[0]


def test_variance_is_pooled_over_anchors_and_the_rest_is_interaction(tmp_path):
    # All: variance 4e-4. Init alone: 1e-4 at both anchors. Split alone: nothing changes.
    def accuracy(member):
        if member.source == "all":
            return 0.5 + 0.02 * (member.seed - 1)
        if member.source == "split":
            return 0.5 + 0.02 * (member.seed - 1)
        return 0.5 + 0.02 * (member.seed - 1) + 0.01 * (member.varied_seed % 1_000_000)

    _, _, summary = batch(
        tmp_path,
        accuracy,
        models=["hybridsn", "forest"],
        runs=3,
        vary=["all", "init", "split", "dropout"],
    )
    entries = {(each["name"], each["metric"], each["scale"]): each for each in summary["variance"]}
    name = "hybridsn on synthetic, random split"
    entry = entries[name, "overall_accuracy", "identity"]
    assert entry["anchors"] == [0, 1]
    assert entry["total_variance"] == pytest.approx(4e-4)
    init, split = entry["sources"]["init"], entry["sources"]["split"]
    assert init["variance"] == pytest.approx(1e-4) and init["degrees_of_freedom"] == 4
    assert init["share"] == pytest.approx(0.25)
    assert split["variance"] == 0
    assert entry["remainder_share"] == pytest.approx(1 - 0.25 - 0.25)
    assert any("split: its runs agree in every single score" in note for note in entry["notes"])
    assert not any("init: its runs agree" in note for note in entry["notes"])
    logit = entries[name, "overall_accuracy", "logit"]
    spread = [math.log(x / (1 - x)) for x in (0.48, 0.5, 0.52)]
    assert logit["total_std"] == pytest.approx((spread[2] - spread[0]) / 2)
    forest = entries["forest on synthetic, random split", "overall_accuracy", "identity"]
    assert "dropout is not varied: forest is not trained step by step" in forest["notes"]
    assert "dropout" not in forest["sources"]
    rows = {row["run"]: row for row in run_rows(*batch_rows(tmp_path, accuracy))}
    varied = [row for row in rows.values() if row["source"] == "init"]
    assert {(row["seed"], row["varied_seed"]) for row in varied} == {
        (0, 1_000_001), (0, 1_000_002), (1, 2_000_001), (1, 2_000_002)
    }  # fmt: skip


def batch_rows(tmp_path, accuracy):
    (tmp_path / "rows").mkdir()
    design, runs, _ = batch(
        tmp_path / "rows", accuracy, models=["hybridsn"], runs=3, vary=["all", "init"]
    )
    return design, runs


def test_other_threads_stand_beside_the_sources_and_outside_the_sum(tmp_path):
    def accuracy(member):
        return 0.5 + 0.1 * member.seed + (0.01 if member.source == "numerics" else 0)

    _, _, summary = batch(tmp_path, accuracy, models=["forest"], runs=3, numerics=[2])
    assert [group["name"] for group in summary["groups"]] == [
        "forest on synthetic, random split",
        "forest on synthetic, random split, 2 threads",
    ]
    # Other threads are no other model.
    assert {each["second"] for each in summary["comparisons"]} == {"position"}
    entry = summary["variance"][0]
    numerics = entry["sources"]["numerics"]
    assert numerics["variance"] == pytest.approx(0.01**2 / 2)
    assert (numerics["anchors"], numerics["degrees_of_freedom"]) == (3, 3)
    assert entry["remainder"] is None
    assert "2 threads" in summary["variance"][0]["notes"][-1]


def test_dropout_at_test_is_pooled_over_the_runs(tmp_path):
    tree = {"task": "batch", "datasets": ["synthetic"], "models": ["hybridsn"], "runs": 2}
    design = expand(validate(BatchConfig, {**tree, "dropout_at_test": True}, "a test"))
    spread = {
        seed: {"overall_accuracy": {"mean": 0.5 + seed, "std": 0.03 + 0.01 * seed, "n": 10}}
        for seed in (0, 1)
    }
    runs = {
        member.what: write_run(tmp_path, member, 0.9, dropout_at_test=spread[member.seed])
        for member in design.members
    }
    (group,) = summarise_batch("test", design, runs, {}, 0.95)["groups"]
    found = group["dropout_at_test"]["overall_accuracy"]
    assert found["mean"] == pytest.approx(1.0)
    assert found["std"] == pytest.approx(((0.03**2 + 0.04**2) / 2) ** 0.5)
    assert (found["n"], found["evaluations"]) == (2, 10)


def test_figures_of_every_task():
    scores = {"peak_signal_noise_ratio": 30.0, "structural_similarity": 0.9}
    denoising = {
        "task": "denoising",
        "noise": {"kind": "gaussian", "sigma": [0.0, 55.0]},
        "validation": {"15": scores, "25": scores, "50": scores},
    }
    assert list(run_scores(denoising)) == [
        f"{name}/{sigma}" for name in scores for sigma in ("15", "25", "50")
    ]
    ratios = [f"peak_signal_noise_ratio/{sigma}" for sigma in ("25", "15", "50")]
    assert headline(denoising) == ratios
    assert variant(denoising) == "gaussian 0-55"
    assert baseline_scores(denoising) == {}
    camera = denoising | {"noise": {"kind": "camera", "sigma": [0.0, 55.0]}}
    assert headline(camera)[0] == "peak_signal_noise_ratio/iso_25"
    retrieval = {
        "task": "retrieval",
        "pair": ["spectrum", "rgb"],
        "split": {"kind": "disjoint"},
        "test": {"a_to_b": {"mean_average_precision": 0.8, "precision_at": {"10": 0.7}}},
        "baselines": {"cca": {"a_to_b": {"mean_average_precision": None}}},
    }
    assert run_scores(retrieval) == {
        "a_to_b/mean_average_precision": 0.8,
        "a_to_b/precision_at/10": 0.7,
    }
    assert headline(retrieval) == ["a_to_b/mean_average_precision"]
    assert variant(retrieval) == "spectrum:rgb disjoint"
    assert baseline_scores(retrieval) == {"cca": {"a_to_b/mean_average_precision": None}}
    images = {"task": "image_classification", "test": part(NAMES, 100, 0.9, seed=0)}
    assert headline(images)[0] == "overall_accuracy"
    assert run_scores({**images, "test": images["test"] | {"top_5_accuracy": 1.0}})[
        "top_5_accuracy"
    ] == (1.0)


def test_the_terminal_shows_intervals_shares_and_verdicts(tmp_path):
    _, _, summary = batch(
        tmp_path,
        lambda m: None if (m.seed, m.source) == (2, "all") else 0.9 + m.seed / 100,
        models=["hybridsn", "forest"],
        runs=3,
        vary=["all", "init"],
    )
    console = Console(width=80, record=True, highlight=False)
    console.print(terminal(summary_blocks(summary)))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "95 % interval" in text and "position only" in text
    assert "where the spread comes from: hybridsn on synthetic" in " ".join(text.split())
    assert "remainder" in text and "all together" in text
    assert "failed: hybridsn on synthetic, random split, seed 2: it broke" in " ".join(text.split())


def test_nothing_to_compare_is_no_comparison():
    assert compare_models([], 0.95) == []


def test_a_page_tells_a_baseline_from_a_model_of_its_kind():
    groups = [{"name": "forest on field", "model": "forest"}]
    facts = [SimpleNamespace(group=group, model=group["model"]) for group in groups]
    contest = SimpleNamespace(groups=facts, rivals=facts)
    assert contender_name("forest on field", contest) == "forest"
    assert contender_name("baseline forest", contest) == "random forest on spectra, as baseline"
    assert contender_name("svm", contest) == "RBF-SVM on spectra"
    beside = "baseline forest beside cnn1d on field"
    words = "random forest on spectra, as baseline beside cnn1d on field"
    assert contender_name(beside, contest) == words
    assert compared_baseline(beside) == compared_baseline("forest") == "forest"
