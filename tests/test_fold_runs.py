"""Spatial cross-validation: one run, a model of each fold, one set of scores."""

import json
import os
import shutil
import signal

import numpy as np
import pytest
import torch
from scenes_samples import SMALL, small_cube, write_scene

import hsi_suite as hsi
from hsi_suite.data.splits import load_split
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ConfigError, HsiSuiteError, InputFileError, RunError, SplitError
from hsi_suite.models.position_baseline import nearest_position
from hsi_suite.runs.batches.comparisons import split_key
from hsi_suite.runs.training import resume, train
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.configuration import classification_config
from hsi_suite.tasks.scenes.training_memory import MemoryLimit

pytestmark = pytest.mark.stand_in_pictures

FOLDS = 3
SETTINGS = [*SMALL, "model.window=5", f"split.folds={FOLDS}", "split.guard=2"]
NETWORK = {"model": "cnn2d", "split": "spatial_folds", "baselines": ["lda"], "settings": SETTINGS}
T_2 = 4.302652729911275  # Student's t, 97.5 %, 2 degrees of freedom


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(tmp_path_factory.mktemp("scene"), lines=36, samples=30)


@pytest.fixture(scope="module")
def run(scene, tmp_path_factory):
    return hsi.train(**scene, **NETWORK, output=tmp_path_factory.mktemp("runs"), verbose=0)


@pytest.fixture(scope="module")
def labels(scene):
    return np.load(scene["labels"])


def splits(run):
    return [load_split(run.path / f"fold_{number}.npz") for number in range(1, FOLDS + 1)]


def figures(truth, answers, classes):
    """Overall and average accuracy and kappa, from their definitions."""
    counts = np.zeros((classes + 1, classes + 1))
    np.add.at(counts, (truth, answers), 1)
    total, hits = counts.sum(), np.diag(counts)
    present = counts.sum(1) > 0
    overall = hits.sum() / total
    chance = counts.sum(0) @ counts.sum(1) / total**2
    average = (hits[present] / counts.sum(1)[present]).mean()
    return {
        "overall_accuracy": overall,
        "average_accuracy": average,
        "cohen_kappa": (overall - chance) / (1 - chance),
    }


def assert_pooled(stored, intervals, truth, answers, fold):
    """Scores and intervals as numpy has them."""
    own = figures(truth, answers, 3)
    for name, value in own.items():
        assert stored[name] == pytest.approx(value, abs=1e-12)
        without = [figures(truth[fold != f], answers[fold != f], 3)[name] for f in np.unique(fold)]
        spread = sum((each - value) ** 2 for each in without) * (FOLDS - 1) / FOLDS
        half = T_2 * np.sqrt(spread)
        assert intervals[name]["low"] == pytest.approx(max(value - half, -1 if "k" in name else 0))
        assert intervals[name]["high"] == pytest.approx(min(value + half, 1))


def test_every_pixel_is_tested_once_by_a_model_that_knows_nothing_near(run, labels):
    tested = np.concatenate([split.test for split in splits(run)])
    assert np.array_equal(np.sort(tested), np.flatnonzero(labels))
    for split in splits(run):
        learnt = np.stack(np.divmod(split.train, labels.shape[1]), 1)
        asked = np.stack(np.divmod(split.test, labels.shape[1]), 1)
        assert np.abs(learnt[:, None] - asked[None]).max(-1).min() > 2


def test_the_pooled_scores_are_those_of_numpy(run, labels):
    flat, answers = labels.ravel(), run.label_map.ravel()
    parts = splits(run)
    tested = np.concatenate([split.test for split in parts])
    fold = np.repeat(np.arange(FOLDS), [len(split.test) for split in parts])
    metrics, intervals = run.metrics, run.metrics["intervals"]
    assert intervals["method"] == "jackknife over folds" and intervals["level"] == 0.95
    assert metrics["test"]["num_pixels"] == len(tested) == (labels > 0).sum()
    assert_pooled(metrics["test"], intervals["test"], flat[tested], answers[tested], fold)
    position = np.concatenate(
        [
            nearest_position(split.train, flat[split.train], split.test, labels.shape[1])
            for split in parts
        ]
    )
    assert_pooled(
        metrics["baselines"]["position"], intervals["baselines"]["position"], flat[tested],
        position, fold,
    )  # fmt: skip
    assert set(metrics["baselines"]) == {"position", "lda"} == set(intervals["baselines"])
    for row, split in zip(metrics["folds"], parts, strict=True):
        own = figures(flat[split.test], answers[split.test], 3)
        assert row["test_scores"] == pytest.approx(own)
        assert (row["train"], row["test"]) == (len(split.train), len(split.test))
    assert metrics["train"]["num_pixels"] == sum(len(split.train) for split in parts)


def test_the_map_is_answered_by_the_model_that_did_not_learn_the_pixel(run, scene, labels):
    cube = np.load(scene["scene"])
    for number, split in enumerate(splits(run), 1):
        model = load_classifier(run.path / f"fold_{number}.safetensors", torch.device("cpu"))
        own = model.label_map(model.probabilities(cube, None)).ravel()
        assert np.array_equal(run.label_map.ravel()[split.test], own[split.test])
    assert (run.label_map > 0).all()


def test_page_terminal_and_log_tell_of_the_folds(run):
    page, log = (run.path / "report.html").read_text(), (run.path / "log.txt").read_text()
    for words in (
        "spatial cross-validation", "Each fold, with a model of its own", "leaving out",
        "one fold at a time", "answered by the model of the fold it lies in",
    ):  # fmt: skip
        assert words in page, words
    assert f"fold {FOLDS} of {FOLDS}: overall accuracy" in log
    assert "position alone" in log
    assert not list(run.path.glob("*checkpoint*"))


def test_a_run_of_folds_is_evaluated_replayed_and_reported(run):
    again = hsi.evaluate(run, verbose=0)
    assert again.equal
    assert again.scores["confusion_matrix"] == run.metrics["test"]["confusion_matrix"]
    together = hsi.evaluate_together([run], verbose=0)
    assert together.scores["confusion_matrix"] == run.metrics["test"]["confusion_matrix"]
    assert (together.left_out, together.facts["left_out_learnt"]) == (0, 0)
    leakage = run.metrics["leakage"]
    assert together.facts["nearest_learnt"] == leakage["min_distance"]
    assert together.facts["within_one_pixel"] == leakage["within_one_pixel"]
    assert together.facts["inside_windows"] == leakage["test_inside_training_window"]
    assert hsi.replay(run, verbose=0).status == 0
    with pytest.raises(ConfigError, match="--dropout-at-test: a run of 3 folds"):
        hsi.evaluate(run, dropout_at_test=True, verbose=0)


def test_a_prediction_is_the_mean_of_the_models_of_all_folds(run, scene, tmp_path):
    cube = np.load(scene["scene"])
    found = hsi.predict(run, scene["scene"], tmp_path / "map.npy", probabilities=True, verbose=0)
    models = [
        load_classifier(run.path / f"fold_{number}.safetensors", torch.device("cpu"))
        for number in range(1, FOLDS + 1)
    ]
    mean = np.mean([model.probabilities(cube, None) for model in models], axis=0)
    assert np.allclose(found.probabilities, mean, atol=1e-5)


def test_areas_of_the_mean_are_not_corrected_by_tests_of_its_parts(run, scene, tmp_path):
    hsi.predict(run, scene["scene"], tmp_path / "map.npy", areas=True, verbose=0)
    table = json.loads((tmp_path / "map_areas.json").read_text())
    assert "adjusted_area" not in table["classes"][0]
    assert "not tested" in table["remarks"][-1] or "not tested" in table["remarks"][0]
    own = json.loads((run.path / "areas.json").read_text())
    assert "each tested by a model that learnt elsewhere" in own["remarks"][0]


def test_what_takes_one_model_or_one_split_says_which_file_to_take(run, scene):
    with pytest.raises(RunError, match=r"fold_1\.safetensors"):
        hsi.SceneClassifier.load(run.path)
    assert (
        hsi.SceneClassifier.load(run.path / "fold_1.safetensors")
        .predict(np.load(scene["scene"]))
        .any()
    )
    with pytest.raises(InputFileError, match=r"fold_1\.npz"):
        hsi.audit(scene["labels"], str(run.path))
    assert hsi.audit(scene["labels"], str(run.path / "fold_1.npz"), window=5).leakage.window == 5


def test_a_missing_model_is_told(run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    (copy / "fold_2.safetensors").unlink()
    with pytest.raises(RunError, match=r"fold_2\.safetensors"):
        hsi.evaluate(copy, verbose=0)


def test_the_same_folds_pair_and_others_do_not(run, scene, tmp_path):
    same = hsi.train(
        **scene, model="lda", split="spatial_folds", output=tmp_path, verbose=0,
        settings=[f"split.folds={FOLDS}", "split.guard=2"],
    )  # fmt: skip
    other = hsi.train(
        **scene, model="lda", split="spatial_folds", output=tmp_path, verbose=0, seed=1,
        settings=[f"split.folds={FOLDS}", "split.guard=2"],
    )  # fmt: skip
    assert split_key(run) == split_key(same) != split_key(other)
    assert same.metrics["parameters"] is None


class KillAt(Observer):
    """Dies without a word at a chosen call."""

    def __init__(self, what, count):
        self.what, self.left = what, count

    def _count(self, what):
        if what == self.what:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)

    def advance(self, steps=1, **values):
        self._count("advance")

    def epoch(self, row, seconds):
        self._count("epoch")

    def begin(self, what, total, done=0):
        self._count(what)

    def message(self, text):
        self._count(text.split(":")[0])


@pytest.mark.parametrize(
    ("what", "count"),
    [("advance", 3), ("fold 3 of 3", 1), ("classifying", 2)],
)
def test_killed_and_resumed_is_unbroken(run, scene, tmp_path, what, count):
    child = os.fork()
    if child == 0:
        ask = {**NETWORK, "settings": [*SETTINGS, "train.checkpoint_seconds=0"]}
        train(classification_config(**scene, **ask), tmp_path, KillAt(what, count))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    (folder,) = tmp_path.iterdir()
    resumed = resume(folder)
    names = {path.name for path in run.path.iterdir()}
    assert {path.name for path in folder.iterdir()} == names
    assert resumed.path.name == run.path.name
    for name in sorted(names - {"cost.json", "log.txt", "environment.json", "report.html"}):
        if name != "config.yaml":
            assert (folder / name).read_bytes() == (run.path / name).read_bytes(), name


def test_several_scenes_are_folded_together(tmp_path):
    files = {"scene": [], "labels": []}
    for number in range(2):
        cube, labels = small_cube(seed=number)
        for key, values in (("scene", cube), ("labels", labels)):
            np.save(tmp_path / f"{key}_{number}.npy", values)
            files[key].append(str(tmp_path / f"{key}_{number}.npy"))
    found = hsi.train(
        **files, model="lda", split="spatial_folds", output=tmp_path, verbose=0,
        settings=["split.folds=4", "split.guard=1"],
    )  # fmt: skip
    rows = found.metrics["scenes"]
    assert sum(row["test"] for row in rows) == found.metrics["test"]["num_pixels"] == 2 * 29 * 28
    assert hsi.evaluate(found, verbose=0).equal
    together = hsi.evaluate_together([found], verbose=0)
    assert together.scores["confusion_matrix"] == found.metrics["test"]["confusion_matrix"]


def test_a_class_in_one_place_is_left_out_and_said(tmp_path):
    cube, labels = small_cube()
    labels[1:4, 1:4] = 4
    found = hsi.train(
        cube, labels, model="lda", split="spatial_folds", output=tmp_path, verbose=0,
        settings=["split.folds=3", "split.guard=3"],
    )  # fmt: skip
    assert list(found.metrics["split"]["dropped"]) == ["class 4"]
    assert "leaves out 1 of 4 classes" in (found.path / "report.html").read_text()
    assert len(found.metrics["classes"]) == 3
    with pytest.raises(SplitError, match="class 4"):
        hsi.train(
            cube, labels, model="lda", split="spatial_folds", output=tmp_path, verbose=0,
            settings=["split.folds=3", "split.guard=3", "split.rare_classes=error"],
        )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["split.folds=1"], "split.folds"),
        (["split.folds=101"], "split.folds"),
        (["split.folds=3", "split.guard=40"], "split.folds: 3 folds, of which 3 can test nothing"),
        (["split.folds=3", "evaluation.dropout_at_test=true"], "evaluation.dropout_at_test"),
        (["split.kind=random", "split.folds=3"], "split.kind=spatial_folds"),
        (["split.folds=3", "model.window=9", "split.guard=2"], "split.guard"),
    ],
)
def test_what_cannot_be_is_one_line(scene, tmp_path, change, message):
    with pytest.raises(HsiSuiteError, match=message) as caught:
        hsi.train(
            **scene, model="cnn2d", config=None, output=tmp_path, verbose=0,
            settings=["split.kind=spatial_folds", *change],
        )  # fmt: skip
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_the_same_folds_of_a_scene_read_by_lines(run, scene, tmp_path, monkeypatch):
    seen = []

    def by_lines(self, file, config):
        seen.append(file.path.name)
        return False

    monkeypatch.setattr(MemoryLimit, "holds", by_lines)
    again = hsi.train(**scene, **NETWORK, output=tmp_path, verbose=0)
    assert again.path.name == run.path.name and again.metrics == run.metrics
    assert seen == ["cube.npy"]
