"""Several classifications of one scene that are tested together."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from scenes_samples import small_cube, write_scene

import hsi_suite as hsi
from hsi_suite.cli.evaluate import evaluate as evaluate_command
from hsi_suite.data.splits import load_split, save_split
from hsi_suite.errors import RunError
from hsi_suite.metrics.classification import confusion_matrix, scores
from hsi_suite.tasks.scenes.joint_evaluation import _check_same, _Member

pytestmark = pytest.mark.stand_in_pictures

FAST = {"threads": 1, "evaluation.baselines": []}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("together")


@pytest.fixture(scope="module")
def scene(folder):
    return write_scene(folder)


def trained(scene, folder, seed=0, model="lda", **options):
    options.setdefault("split", "random")
    settings = FAST | options.pop("settings", {})
    return hsi.train(
        **scene,
        model=model,
        seed=seed,
        settings=settings,
        output=folder / "runs",
        verbose=0,
        **options,
    )


@pytest.fixture(scope="module")
def pair(scene, folder):
    """Two kinds of model, of other windows, on splits of their own."""
    return [
        trained(scene, folder),
        trained(scene, folder, seed=1, model="gaussian", settings={"model.window": 5}),
    ]


def test_what_counts_is_what_all_tested_by_the_mean_that_predict_gives(pair, scene):
    together = hsi.evaluate_together(pair, verbose=0)
    splits = [load_split(run.path / "split.npz") for run in pair]
    common = np.array(sorted(set(splits[0].test) & set(splits[1].test)))
    learnt = {*splits[0].train, *splits[0].validation, *splits[1].train, *splits[1].validation}
    assert 0 < len(common) < len(splits[0].test) and not learnt & set(common)
    answers = hsi.predict(pair, scene["scene"], probabilities=True, verbose=0)
    rows = answers.probabilities.reshape(-1, 3)[common]
    truth = np.load(scene["labels"]).reshape(-1)[common] - 1
    found = scores(confusion_matrix(truth, rows.argmax(1), 3))
    assert together.scores["overall_accuracy"] == found.overall_accuracy
    assert together.scores["cohen_kappa"] == found.cohen_kappa
    surprise = -np.log(np.clip(rows[np.arange(len(rows)), truth].astype(float), 2.0**-23, 1))
    assert together.scores["negative_log_likelihood"] == pytest.approx(surprise.mean(), rel=1e-5)
    for run, alone in zip(pair, together.alone, strict=True):
        own = hsi.predict(run, scene["scene"], verbose=0).labels.reshape(-1)[common]
        assert alone["overall_accuracy"] == np.mean(own == truth + 1)
    assert "2 runs together" in repr(together)


def test_what_is_left_out_and_how_near_the_rest_is_are_told(pair, scene):
    together = hsi.evaluate_together(pair, verbose=0)
    splits = [load_split(run.path / "split.npz") for run in pair]
    every, common = (
        set(splits[0].test) | set(splits[1].test),
        set(splits[0].test) & set(splits[1].test),
    )
    assert together.left_out == len(every - common)
    samples = small_cube()[1].shape[1]
    nearest, inside = [], 0
    for pixel in common:
        away = []
        for split in splits:
            side = np.concatenate([split.train, split.validation])
            lines, columns = (
                np.abs(side // samples - pixel // samples),
                side % samples - pixel % samples,
            )
            away.append(int(np.maximum(lines, np.abs(columns)).min()))
        nearest.append(min(away))
        inside += away[1] <= 2  # the window of 5; the other sees single pixels
    assert together.facts["nearest_learnt"] == min(nearest)
    assert together.facts["within_one_pixel"] == np.mean(np.array(nearest) <= 1)
    assert together.facts["inside_windows"] == pytest.approx(inside / len(common))
    printed = CliRunner().invoke(evaluate_command, [str(run.path) for run in pair]).stdout
    assert f"2 runs together, {len(common):,} test pixels that all of them tested" in printed
    assert (
        f"{together.left_out:,} pixels that some of the runs did not test are left out" in printed
    )
    assert "memory of the neighbourhood" in printed and "alone" in printed


def test_one_run_together_with_none_has_its_own_scores(pair):
    alone = hsi.evaluate_together(pair[:1], verbose=0)
    stored = pair[0].metrics["test"]
    assert alone.scores["overall_accuracy"] == stored["overall_accuracy"]
    assert alone.scores["brier_score"] == pytest.approx(stored["brier_score"], rel=1e-6)
    assert alone.left_out == 0


def test_pixels_are_numbered_without_the_lines_between_scenes():
    class Stack(_Member):
        _lines = np.array([0, 1, 2, 5, 6])

    stack = Stack(None, None, type("Scene", (), {"samples": 4}), (), ())
    pixels = np.array([3, 8, 20, 27])
    assert stack.numbers(pixels).tolist() == [3, 8, 12, 19]
    assert stack.pixels(stack.numbers(pixels)).tolist() == pixels.tolist()


def _member(run, scene):
    return _Member(run, None, scene, (), ())


def test_what_cannot_be_tested_together_is_one_line(pair, scene, tmp_path):
    first = hsi.read_scene(scene["scene"], labels=scene["labels"])
    copy = tmp_path / "copy"
    shutil.copytree(pair[0].path, copy)
    split = load_split(copy / "split.npz")
    swapped = type(split)(**{**vars(split), "train": split.test, "test": split.train})
    save_split(swapped, copy / "split.npz")
    with pytest.raises(RunError, match="no test pixel in common"):
        hsi.evaluate_together([pair[0], copy], verbose=0)
    other = replace(first, labels=first.labels[::-1])
    for changed, word in ((other, "labels"), (replace(first, checksums={"cube": "0"}), "scene")):
        with pytest.raises(RunError, match=f"other {word} than the first run"):
            _check_same(_member(pair[0], first), _member(pair[1], changed))
    with pytest.raises(RunError, match="given twice"):
        hsi.evaluate_together([pair[0], pair[0].path], verbose=0)
    with pytest.raises(RunError, match="no runs"):
        hsi.evaluate_together([], verbose=0)
