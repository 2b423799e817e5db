import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hsi_suite.errors import ConfigError
from hsi_suite.metrics.measures import measure
from hsi_suite.metrics.statistics import (
    bca_interval,
    describe,
    interquartile_mean,
    skewness,
    std_interval,
    t_interval,
)

FIGURES = st.lists(st.floats(0.1, 0.9), min_size=2, max_size=12)
ANYTHING = st.lists(st.one_of(st.none(), st.floats()), max_size=8)


def test_a_description_by_hand():
    found = describe([1.0, 0.8, 0.9])
    assert found.n == 3
    assert found.mean == pytest.approx(0.9)
    assert found.std == pytest.approx(0.1)  # sqrt((0.01 + 0.01 + 0) / 2)
    assert (found.min, found.median, found.max) == (0.8, 0.9, 1.0)
    # t of 2 degrees of freedom at 97.5 % is 4.302653 in any table; 4.302653 · 0.1 / √3
    assert found.interval.high - found.mean == pytest.approx(0.248414, abs=1e-6)
    # χ² of 2 degrees: 7.377759 and 0.050636; 0.1 · √(2 / 7.377759), 0.1 · √(2 / 0.050636)
    assert found.std_interval.low == pytest.approx(0.052066, abs=1e-6)
    assert found.std_interval.high == pytest.approx(0.628468, abs=1e-5)
    assert found.bca is None and any("below 20 runs" in note for note in found.notes)


def test_the_upper_limit_of_a_deviation_of_five_runs_is_2_9_times_its_estimate():
    limits = std_interval(1.0, 4, 0.95)
    assert limits.high == pytest.approx(2.874, abs=1e-3)
    assert limits.low == pytest.approx(0.599, abs=1e-3)


def test_the_interquartile_mean_leaves_out_a_quarter_at_either_end():
    assert interquartile_mean([100, 1, 2, 3, 4, 5, 6, -100]) == pytest.approx(3.5)
    assert interquartile_mean([1, 2, 6]) == pytest.approx(3.0)  # a quarter of 3 is no run
    values = np.random.default_rng(0).normal(size=23)
    assert interquartile_mean(list(values)) == pytest.approx(stats.trim_mean(values, 0.25))


def test_equal_runs_give_intervals_without_width_and_say_so():
    for n in (5, 25):
        found = describe([0.1 + 0.2] * n)
        assert found.std == 0.0
        assert (found.interval.low, found.interval.high) == (found.mean, found.mean)
        assert (found.std_interval.low, found.std_interval.high) == (0.0, 0.0)
        assert found.notes == (f"all {n} runs gave the same value, so the intervals have no width",)
    assert (found.bca.low, found.bca.high) == (found.mean, found.mean)


def test_undefined_values_are_left_out_and_counted_in_the_notes():
    found = describe([None, 0.5, math.nan, 0.7, math.inf, 0.6])
    assert (found.n, found.mean) == (3, pytest.approx(0.6))
    assert found.notes[0] == "3 of 6 runs have no value and are not counted"


def test_no_run_and_one_run():
    empty = describe([None, math.nan])
    assert (empty.n, empty.mean, empty.interval, empty.notes) == (
        0,
        None,
        None,
        ("no run has a value",),
    )
    one = describe([0.8])
    assert (one.mean, one.median, one.std, one.interval, one.std_interval) == (
        0.8,
        0.8,
        None,
        None,
        None,
    )
    assert one.notes == ("one run says nothing about the spread",)


def test_bca_begins_at_twenty_runs_and_is_that_of_scipy():
    values = np.random.default_rng(1).beta(30, 2, size=20)
    assert describe(values[:19]).bca is None
    found = describe(values).bca
    wanted = stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=20_000, rng=np.random.default_rng(5)
    ).confidence_interval
    assert found.low == pytest.approx(wanted.low, abs=2e-3)
    assert found.high == pytest.approx(wanted.high, abs=2e-3)
    assert describe(values[::-1]).bca == found


def test_bca_of_equal_values_is_not_nan():
    assert bca_interval([0.3] * 20, 0.95).low == 0.3


def test_figures_near_their_ceiling_carry_a_caveat():
    close = describe(
        [0.991, 0.985, 0.999, 0.9995, 0.992], ceiling=measure("overall_accuracy").ceiling
    )
    assert any("close to their ceiling of 1" in note for note in close.notes)
    assert any("is cut at 1" in n for n in describe([0.9, 0.99, 0.7], ceiling=1.0).notes)


@pytest.mark.parametrize(
    ("metric", "values", "ends"),
    [
        ("overall_accuracy", [0.9, 0.99, 0.7], (None, 1.0)),
        ("recall/corn", [0.0, 0.0, 0.4, 0.02], (0.0, None)),
        ("recall/corn", [0.0, 1.0, 1.0], (0.0, 1.0)),
        ("15/overall_accuracy", [0.9, 0.99, 0.7], (None, 1.0)),
        ("structural_similarity", [0.9, 0.99, 0.7], (None, 1.0)),
    ],
)
def test_t_intervals_end_at_what_a_figure_can_be(metric, values, ends):
    whole = t_interval(values, 0.95)
    found = describe(values, ceiling=measure(metric).ceiling, floor=measure(metric).floor).interval
    expected = [
        own if end is None else end for own, end in zip((whole.low, whole.high), ends, strict=True)
    ]
    assert [found.low, found.high] == expected


def test_t_intervals_of_kappa_and_decibels_may_go_below_nought():
    values = [0.02, 0.01, -0.3]
    for metric in ("cohen_kappa", "peak_signal_noise_ratio"):
        found = describe(
            values, ceiling=measure(metric).ceiling, floor=measure(metric).floor
        ).interval
        assert found.low == t_interval(values, 0.95).low
    assert not any("ceiling" in note for note in describe([0.8, 0.82, 0.81], ceiling=1.0).notes)
    skewed = describe([0.9, 0.9, 0.9, 0.9, 0.5])
    assert any("skewed (skewness -1.5)" in note for note in skewed.notes)


@pytest.mark.parametrize(
    ("metric", "highest"),
    [
        ("overall_accuracy", 1.0),
        ("cohen_kappa", 1.0),
        ("recall/loss of corn", 1.0),
        ("15/structural_similarity", 1.0),
        ("spectrum_to_rgb/mean_average_precision", 1.0),
        ("spectrum_to_rgb/precision_at_10", 1.0),
        ("25/peak_signal_noise_ratio", None),
        ("train_loss", None),
    ],
)
def test_which_metrics_end_at_one(metric, highest):
    assert measure(metric).ceiling == highest


@pytest.mark.parametrize("level", [0.0, 1.0, 95, math.nan])
def test_a_level_that_is_no_coverage(level):
    with pytest.raises(ConfigError, match="between 0 and 1"):
        describe([0.1, 0.2], level=level)


def test_skewness_is_that_of_scipy():
    values = np.random.default_rng(2).exponential(size=30)
    assert skewness(values) == pytest.approx(stats.skew(values))


@settings(max_examples=60, deadline=None)
@given(FIGURES)
def test_intervals_agree_with_scipy(values):
    found = describe(values)
    error = stats.sem(values)
    if found.std > 1e-9:
        low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), error)
        assert t_interval(values, 0.95).low == pytest.approx(low, abs=1e-9)
        assert found.interval.high == pytest.approx(high, abs=1e-9)
        squares = found.std**2 * (len(values) - 1)
        assert stats.chi2.cdf(squares / found.std_interval.low**2, len(values) - 1) == (
            pytest.approx(0.975)
        )
    assert found.min <= found.interquartile_mean <= found.max
    assert found.interval.low <= found.mean <= found.interval.high


@settings(max_examples=60, deadline=None)
@given(FIGURES, st.randoms())
def test_the_order_of_the_runs_changes_nothing(values, chance):
    mixed = list(values)
    chance.shuffle(mixed)
    assert describe(mixed) == describe(values)


@settings(max_examples=80, deadline=None)
@given(ANYTHING)
def test_whatever_comes_in_json_comes_out(values):
    plain = describe([v if v is None or abs(v) < 1e100 else 1.0 for v in values]).to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
