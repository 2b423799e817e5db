import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

import hsi_suite as hsi
from hsi_suite.errors import ShapeError
from hsi_suite.metrics.measures import measure
from hsi_suite.metrics.probabilities import BINS, PROBABILITY_SCORES, JudgedProbabilities


def drawn(pixels=500, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.5), pixels)
    truth = np.array([rng.choice(classes, p=row) for row in probabilities])
    return truth, probabilities


def test_scores_by_hand():
    found = hsi.metrics.probability_scores([0, 2], [[0.5, 0.3, 0.2], [0.1, 0.7, 0.2]])
    assert found["negative_log_likelihood"] == pytest.approx(-(math.log(0.5) + math.log(0.2)) / 2)
    first, second = 0.25 + 0.09 + 0.04, 0.01 + 0.49 + 0.64
    assert found["brier_score"] == pytest.approx((first + second) / 2)
    # One right of 0.5, one wrong of 0.7, each in a bin of its own.
    assert found["expected_calibration_error"] == pytest.approx((0.5 + 0.7) / 2)


@pytest.mark.parametrize("seed", [0, 1])
def test_scores_are_those_of_scikit_learn(seed):
    truth, probabilities = drawn(seed=seed)
    found = hsi.metrics.probability_scores(truth, probabilities)
    assert found["negative_log_likelihood"] == pytest.approx(log_loss(truth, probabilities))
    expected = brier_score_loss(truth, probabilities, labels=range(4), scale_by_half=False)
    assert found["brier_score"] == pytest.approx(expected)
    right, confidence = probabilities.argmax(1) == truth, probabilities.max(1)
    accuracy, mean = calibration_curve(right, confidence, n_bins=BINS)
    full = [row for row in found["reliability"] if row["pixels"]]
    assert [row["accuracy"] for row in full] == pytest.approx(accuracy.tolist())
    assert [row["confidence"] for row in full] == pytest.approx(mean.tolist())
    edges = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], confidence)
    gaps = [abs((confidence - right)[edges == place].sum()) for place in range(BINS)]
    assert found["expected_calibration_error"] == pytest.approx(sum(gaps) / len(truth))


def test_probabilities_that_mean_what_they_say_have_a_small_error_and_others_a_large_one():
    truth, probabilities = drawn(20_000)
    sharp = probabilities**3 / (probabilities**3).sum(1, keepdims=True)
    honest, boasting = (
        hsi.metrics.probability_scores(truth, each) for each in (probabilities, sharp)
    )
    assert honest["expected_calibration_error"] < 0.015
    for name in PROBABILITY_SCORES:
        assert honest[name] < boasting[name]
        assert not measure(name).higher_is_better and measure(name).floor == 0


def test_the_accuracy_of_the_surest_pixels_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    kept = hsi.metrics.probability_scores([0, 1, 1, 0], probabilities)["kept"]
    assert kept["accuracy"] == [
        [0.5, 0.5, 0.8], [0.8, 0.75, 0.6], [0.9, 0.75, 0.6], [1.0, 0.75, 0.6]
    ]  # fmt: skip
    errors = [0, 1 / 2, 1 / 3, 1 / 4]
    assert kept["area"] == pytest.approx(sum(errors) / 4)
    assert [row[0] for row in kept["curve"]] == pytest.approx(np.arange(1, 21) / 20)


def test_pixels_of_one_confidence_count_alike_in_whatever_order_they_stand():
    truth = np.array([0, 0, 0, 1])
    areas = set()
    for order in ([0, 1, 2, 3], [3, 0, 1, 2]):
        kept = hsi.metrics.probability_scores(truth[order], np.tile([1.0, 0.0], (4, 1)))["kept"]
        assert {row[1] for row in kept["curve"]} == {0.75}
        areas.add(kept["area"])
    assert areas == {0.25}


def test_a_truth_held_impossible_and_a_single_class_have_finite_scores():
    found = hsi.metrics.probability_scores([1, 1], [[1.0, 0.0], [0.0, 1.0]])
    assert found["negative_log_likelihood"] == pytest.approx(23 * math.log(2) / 2)
    alone = hsi.metrics.probability_scores([0, 0], [[1.0], [1.0]])
    assert [alone[name] for name in PROBABILITY_SCORES] == [0, 0, 0]


def test_parts_are_judged_as_the_whole():
    truth, probabilities = drawn()
    whole = JudgedProbabilities.of(probabilities, truth)
    parts = [JudgedProbabilities.of(probabilities[i::3], truth[i::3]) for i in range(3)]
    joined = JudgedProbabilities.joined(parts)
    assert joined.scores() == pytest.approx(whole.scores())
    assert joined.kept()["area"] == pytest.approx(whole.kept()["area"])


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [([0], [[0.5, 0.5], [1, 0]]), ([0, 2], [[0.5, 0.5], [1, 0]]), ([-1], [[0.5, 0.5]]),
     ([], np.empty((0, 2))), ([0], [[0.5, 0.9]]), ([0], [[math.nan, 0.5]]), ([0.5], [[0.5, 0.5]])],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(labels, probabilities):
    with pytest.raises(ShapeError):
        hsi.metrics.probability_scores(labels, probabilities)
