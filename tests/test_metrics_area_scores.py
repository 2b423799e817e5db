"""Scores with intervals from leaving out whole areas, against the same by brute force."""

import math

import numpy as np
import pytest
from scipy import stats

from hsi_suite import metrics
from hsi_suite.metrics.area_scores import area_scores, jackknife

FUNCTIONS = {
    "overall_accuracy": metrics.overall_accuracy,
    "average_accuracy": metrics.average_accuracy,
    "cohen_kappa": metrics.cohen_kappa,
}


def drawn(areas, classes, seed=0):
    rng = np.random.default_rng(seed)
    area = rng.integers(0, areas, 400) * 7
    truth = (area // 7 + rng.integers(0, 2, 400)) % classes
    answers = np.where(rng.random(400) < 0.6, truth, rng.integers(0, classes, 400))
    return truth, answers, area


def brute_force(truth, answers, area, score):
    """The t interval over pseudo-values' variance, each area left out by hand."""
    value = score(truth + 1, answers + 1)
    without = [
        score(truth[area != each] + 1, answers[area != each] + 1) for each in np.unique(area)
    ]
    count = len(without)
    variance = (count - 1) / count * sum((each - value) ** 2 for each in without)
    half = stats.t.ppf(0.975, count - 1) * math.sqrt(variance)
    return value, value - half, value + half


@pytest.mark.parametrize("areas, classes", [(30, 4), (6, 6), (3, 2), (40, 13)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_intervals_are_those_of_leaving_each_area_out(areas, classes, name):
    truth, answers, area = drawn(areas, classes)
    found = area_scores(truth, answers, area, classes).scores()[name]
    value, low, high = brute_force(truth, answers, area, FUNCTIONS[name])
    floor = -1.0 if name == "cohen_kappa" else 0.0
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.interval.low == pytest.approx(max(low, floor), abs=1e-9)
    assert found.interval.high == pytest.approx(min(high, 1.0), abs=1e-9)


def test_a_class_in_one_area_alone_is_absent_without_it():
    truth, area = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 2, 3, 4, 4, 4])
    answers = np.array([0, 1, 0, 1, 1, 0])
    without = area_scores(truth, answers, area, 2).without["average_accuracy"]
    # (recall of 0 without its pixel + 2/3) / 2, and 2/3 of class 0 alone.
    assert without == pytest.approx(
        [(1 / 2 + 2 / 3) / 2, (1 + 2 / 3) / 2, (1 / 2 + 2 / 3) / 2, 2 / 3]
    )


def test_differences_are_paired():
    truth, answers, area = drawn(20, 4)
    mine = area_scores(truth, answers, area, 4)
    same = mine.minus(mine)["overall_accuracy"]
    assert same.value == 0 and same.interval is None
    better = np.where(area < 35, truth, answers)
    found = area_scores(truth, better, area, 4).minus(mine)["overall_accuracy"]
    right = [(better == truth).astype(float), (answers == truth).astype(float)]
    per_area = [np.mean((right[0] - right[1])[area != each]) for each in np.unique(area)]
    gain = float(np.mean(right[0] - right[1]))
    half = stats.t.ppf(0.975, 19) * math.sqrt(
        19 / 20 * sum((each - gain) ** 2 for each in per_area)
    )
    assert found.value == pytest.approx(gain)
    assert (found.interval.low, found.interval.high) == pytest.approx((gain - half, gain + half))


def test_one_area_gives_no_interval():
    truth, answers, _ = drawn(5, 3)
    found = area_scores(truth, answers, np.zeros(400, int), 3).scores()
    assert all(each.interval is None for each in found.values())
    assert found["overall_accuracy"].value == np.mean(truth == answers)
    assert jackknife(0.5, np.array([0.5, 0.5, np.nan])) is None


def test_the_interval_holds_what_it_says_where_pixels_of_an_area_go_together():
    rng = np.random.default_rng(3)
    held, tried = 0, 300
    for _ in range(tried):
        sizes = rng.integers(5, 60, 25)
        right = rng.beta(2, 1, 25)  # mean 2/3, and pixels of an area share it
        area = np.repeat(np.arange(25), sizes)
        hits = rng.random(len(area)) < right[area]
        found = area_scores(np.zeros(len(area), int), (~hits).astype(int), area, 2)
        interval = found.scores()["overall_accuracy"].interval
        held += interval.low <= 2 / 3 <= interval.high
    # 95 % are to; three standard errors of 300 trials are 3.8 points.
    assert 0.91 <= held / tried <= 0.99
