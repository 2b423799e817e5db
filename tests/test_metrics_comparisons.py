import json
import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hsi_suite.errors import ShapeError
from hsi_suite.metrics.comparisons import compare_paired, compare_unpaired, holm
from hsi_suite.metrics.power import pairs_to_tell, runs_per_group_to_tell, t_power
from hsi_suite.metrics.rank_tests import (
    chance_of_improvement,
    mann_whitney,
    share_of_improved_pairs,
    wilcoxon,
)
from hsi_suite.metrics.t_tests import hedges_corrected

# Charles Darwin's crossed and self-fertilised maize, differences in eighths of an inch, as
# published by R. A. Fisher, "The Design of Experiments" (1935), chapter III.
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
FEW = st.lists(st.integers(-6, 6), min_size=1, max_size=8)


def test_fishers_example_of_the_paired_t_test():
    found = compare_paired(DARWIN, [0] * 15, counts=None)
    assert found.difference == pytest.approx(20.93, abs=0.005)
    assert found.t_test.method == "paired t"
    assert found.t_test.statistic == pytest.approx(2.148, abs=0.0005)
    assert found.t_test.p == pytest.approx(0.0497, abs=5e-5)
    assert found.interval.low == pytest.approx(0.03, abs=0.01)
    assert found.interval.high == pytest.approx(41.84, abs=0.01)
    assert any("these splits alone" in note for note in found.notes)


def test_the_corrected_resampled_t_test_by_hand():
    # Differences 1, 2, 3, 4, 5 points: mean 3, variance 2.5. Nadeau and Bengio (2003): the
    # variance of the mean is (1/5 + 30/70) · 2.5 = 1.571429, so t = 3 / 1.253566 = 2.393172.
    first = [0.91, 0.92, 0.93, 0.94, 0.95]
    found = compare_paired(first, [0.9] * 5, counts=(70, 30))
    assert found.t_test.method == "corrected resampled t"
    assert found.t_test.statistic == pytest.approx(2.393172, abs=1e-6)
    assert found.t_test.degrees_of_freedom == 4
    assert found.t_test.p == pytest.approx(2 * stats.t.sf(2.393172, 4), abs=1e-6)
    # 2.776445 is t of 4 degrees at 97.5 % in any table.
    assert found.interval.high - found.difference == pytest.approx(2.776445 * 0.01253566, abs=1e-7)
    assert found.effect_size == pytest.approx(0.797885 * 3 / math.sqrt(2.5), abs=1e-5)


def test_the_correction_makes_the_test_more_careful():
    first, second = [0.91, 0.93, 0.92, 0.95], [0.9, 0.9, 0.9, 0.91]
    plain = compare_paired(first, second, counts=None)
    corrected = compare_paired(first, second, counts=(90, 10))
    strict = compare_paired(first, second, counts=(10, 90))
    assert plain.t_test.p < corrected.t_test.p < strict.t_test.p
    assert strict.t_test.uncorrected_p == plain.t_test.p and plain.t_test.uncorrected_p is None
    assert any("with 9 test items for each training item the t test" in n for n in strict.notes)
    assert strict.runs_to_tell is None and any("does not fade" in note for note in strict.notes)


def test_wilcoxons_test_on_darwins_maize():
    # The value of the example in scipy's documentation of this test.
    assert wilcoxon(DARWIN).p == pytest.approx(0.041259765625, abs=1e-12)


def test_five_pairs_cannot_reject_by_wilcoxon_and_the_notes_say_so():
    found = compare_paired([0.95, 0.96, 0.97, 0.98, 0.99], [0.1, 0.2, 0.3, 0.4, 0.49], counts=None)
    assert found.rank_test.p == found.rank_test.smallest_possible_p == 0.0625
    assert any("cannot go below p = 0.0625 with these 5 pairs" in note for note in found.notes)
    six = compare_paired([0.9] * 6, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], counts=None)
    assert six.rank_test.p == 0.03125 and not any("cannot" in note for note in six.notes)


@settings(max_examples=60, deadline=None)
@given(FEW)
def test_wilcoxon_agrees_with_all_signs_counted(differences):
    values = [d for d in differences if d]
    ranks = stats.rankdata(np.abs(values))
    seen = abs(sum(r if d > 0 else -r for r, d in zip(ranks, values, strict=True)))
    sums = [abs(np.dot(signs, ranks)) for signs in product((-1, 1), repeat=len(values))]
    assert wilcoxon(differences).p == pytest.approx(np.mean(np.asarray(sums) >= seen - 1e-9))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=8), st.integers(1, 7))
def test_mann_whitney_agrees_with_all_divisions_counted(values, cut):
    first, second = values[:cut], values[cut:]
    if not second:
        return
    ranks = stats.rankdata(values)
    sums = np.asarray([ranks[list(c)].sum() for c in combinations(range(len(values)), len(first))])
    seen = ranks[: len(first)].sum()
    tails = min(np.mean(sums <= seen), np.mean(sums >= seen))
    assert mann_whitney(first, second).p == pytest.approx(min(1.0, 2 * tails))


def test_mann_whitney_of_the_example_in_scipys_documentation():
    found = mann_whitney([19, 22, 16, 29, 24], [20, 11, 17, 12])
    assert found.p == pytest.approx(0.1111111, abs=1e-6)
    assert found.smallest_possible_p == pytest.approx(2 / 126)


def test_mann_whitney_of_many_runs_is_approximate_and_defined_for_equal_ones():
    chance = np.random.default_rng(0)
    a, b = chance.normal(size=40), chance.normal(0.3, size=41)
    assert mann_whitney(a, b).method == "Mann-Whitney, approximate"
    assert mann_whitney(a, b).p == pytest.approx(stats.mannwhitneyu(a, b).pvalue)
    assert mann_whitney([1.0] * 40, [1.0] * 40).p == 1.0


@pytest.mark.parametrize("seed", range(40))
def test_figures_of_counts_are_tested_as_the_counts_are(seed):
    # k/n and its twin of whole numbers: what is tied in the one is tied in the other.
    chance = np.random.default_rng(seed)
    n = int(chance.choice([10, 30, 49, 150, 997]))
    counts = chance.integers(n // 2, n // 2 + 6, (2, int(chance.integers(3, 12))))
    shares = [[float(k) / n for k in row] for row in counts]
    percent = [[100 * value for value in row] for row in shares]
    for compare in (lambda a, b: compare_paired(a, b, counts=None), compare_unpaired):
        exact = compare(*counts.tolist())
        for figures in (shares, percent):
            found = compare(*figures)
            assert found.rank_test == exact.rank_test
            assert found.improvement == exact.improvement
            assert found.improvement_interval == exact.improvement_interval
            assert found.notes == exact.notes
            assert (found.t_test.p is None) == (exact.t_test.p is None)
    differences = [a - b for a, b in zip(*shares, strict=True)]
    assert wilcoxon(differences, 1.0) == wilcoxon(np.subtract(*counts).tolist())
    assert mann_whitney(*shares) == mann_whitney(*counts.tolist())


def test_differences_of_rounding_alone_are_none():
    first = [0.1 + 0.2, 0.7 + 0.1, 0.3, 1.1 - 0.4]
    second = [0.3, 0.8, 0.1 * 3, 0.7]
    assert first != second
    for found in (compare_paired(first, second, counts=None), compare_unpaired(first, second)):
        assert found.difference == 0 and found.rank_test.p == 1 and found.improvement == 0.5
        assert found.t_test.p == 1
    paired = compare_paired(first, second, counts=None)
    assert any("both gave the same scores" in note for note in paired.notes)
    many = compare_unpaired(first * 10, second * 10)
    assert many.rank_test.p == 1 and many.improvement == 0.5


def test_only_runs_without_shared_splits_have_a_probability_of_improvement():
    # Agarwal et al. (NeurIPS 2021): over all couples of runs; 2 > 0 alone is 1 of 4 couples.
    unpaired = compare_unpaired([0, 2], [1, 3]).to_dict()
    assert unpaired["probability_of_improvement"]["value"] == 0.25
    assert unpaired["share_of_improved_pairs"] is None
    paired = compare_paired([0, 2], [1, 3], counts=None).to_dict()
    assert paired["share_of_improved_pairs"]["value"] == 0
    assert paired["probability_of_improvement"] is None


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        # The worked example of the article on Holm's method in Wikipedia.
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.01, None, 0.02], [0.02, None, 0.02]),
        ([0.7, 0.9], [1.0, 1.0]),
        ([], []),
    ],
)
def test_holm(p_values, adjusted):
    assert holm(p_values) == [None if p is None else pytest.approx(p) for p in adjusted]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_lies_between_p_and_bonferroni_and_keeps_the_order(p_values):
    adjusted = holm(p_values)
    for p, a in zip(p_values, adjusted, strict=True):
        assert p <= a <= min(1.0, len(p_values) * p)
    for (p, a), (q, b) in combinations(zip(p_values, adjusted, strict=True), 2):
        assert a == b or (a < b) == (p < q)


@pytest.mark.parametrize(("effect", "pairs"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_pairs_to_tell_are_those_of_the_tables(effect, pairs):
    # G*Power 3.1, matched pairs, two-sided 5 %, power 0.8.
    assert pairs_to_tell(effect, 0.0, 0.95) == pairs


@pytest.mark.parametrize(("effect", "runs"), [(0.5, 64), (0.8, 26)])
def test_runs_per_group_are_those_of_cohens_table(effect, runs):
    # J. Cohen, "A power primer", Psychological Bulletin 112 (1992), table 2.
    assert runs_per_group_to_tell(effect, 0.95) == runs


def test_the_correction_puts_small_effects_out_of_reach():
    assert pairs_to_tell(3.0, 1 / 9, 0.95) < 10
    # Not even an endless number brings a noncentrality above 1 / sqrt(1/9) = 3 ...
    assert pairs_to_tell(1.0, 1 / 9, 0.95) is not None
    # ... and 2 gives a chance of 52 % alone.
    assert pairs_to_tell(2 / 3, 1 / 9, 0.95) is None
    assert pairs_to_tell(1e-6, 0.0, 0.95) is None


def test_power_agrees_with_a_simulation_of_the_corrected_test():
    chance = np.random.default_rng(3)
    n, ratio, trials = 6, 0.25, 40_000
    # A shared part of variance `ratio` is what overlapping splits add to every difference.
    values = (
        1.5 + chance.normal(size=(trials, n)) + math.sqrt(ratio) * chance.normal(size=(trials, 1))
    )
    error = np.sqrt(1 / n + ratio) * values.std(1, ddof=1)
    rejected = np.mean(np.abs(values.mean(1) / error) > stats.t.ppf(0.975, n - 1))
    assert t_power(1.5 / math.sqrt(1 / n + ratio), n - 1, 0.95) == pytest.approx(rejected, abs=0.01)


@pytest.mark.parametrize(("noncentrality", "degrees"), [(0.0, 4), (2.0, 4), (3.0, 20), (1.0, 1)])
def test_power_agrees_with_scipy_where_that_has_a_value(noncentrality, degrees):
    limit = stats.t.ppf(0.975, degrees)
    tails = stats.nct.sf(limit, degrees, noncentrality) + stats.nct.cdf(
        -limit, degrees, noncentrality
    )
    assert t_power(noncentrality, degrees, 0.95) == pytest.approx(tails, abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.001, 1000), st.integers(1, 200))
def test_power_is_a_chance(noncentrality, degrees):
    assert 0 <= t_power(noncentrality, degrees, 0.95) <= 1 + 1e-9


def test_hedges_correction_at_four_degrees():
    # Γ(2) / (√2 · Γ(1.5)) = 1 / (1.414214 · 0.886227)
    assert hedges_corrected(1.0, 4) == pytest.approx(0.797885, abs=1e-6)
    assert hedges_corrected(1.0, 1) is None


def test_five_of_five_pairs_leave_the_share_open_down_to_48_percent():
    share, limits = share_of_improved_pairs([1, 2, 3, 4, 5], 0.95)
    assert share == 1.0 and limits.high == 1.0
    assert limits.low == pytest.approx(0.025 ** (1 / 5))  # Clopper and Pearson, all successes
    share, limits = share_of_improved_pairs([1, 0, -1, -1], 0.95)
    assert share == pytest.approx(1.5 / 4)
    wanted = stats.binomtest(1, 4).proportion_ci(0.95), stats.binomtest(2, 4).proportion_ci(0.95)
    assert (limits.low, limits.high) == (
        pytest.approx(wanted[0].low),
        pytest.approx(wanted[1].high),
    )


def test_the_limits_of_the_chance_of_improvement_solve_newcombes_equation():
    first, second = [3.0, 4.0, 5.0, 6.0], [1.0, 2.0, 4.5, 3.0, 0.0]
    theta, limits = chance_of_improvement(first, second, 0.95)
    wins = sum((a > b) + 0.5 * (a == b) for a in first for b in second)
    assert theta == pytest.approx(wins / 20)
    for limit in (limits.low, limits.high):
        # Hanley and McNeil's variance with both numbers of runs taken as their mean.
        q1, q2 = limit / (2 - limit), 2 * limit**2 / (1 + limit)
        inner = (4 + 5) / 2 - 1
        variance = (limit * (1 - limit) + inner * (q1 - limit**2) + inner * (q2 - limit**2)) / 20
        assert abs(theta - limit) == pytest.approx(1.959964 * math.sqrt(variance), abs=1e-5)


def test_groups_that_do_not_overlap_still_leave_a_width():
    value, limits = chance_of_improvement([2, 3, 4, 5, 6], [0, 0.1, 0.2, 0.3, 0.4], 0.95)
    mirrored, other = chance_of_improvement([0, 0.1, 0.2, 0.3, 0.4], [2, 3, 4, 5, 6], 0.95)
    assert (value, limits.high) == (1.0, 1.0) and 0.5 < limits.low < 0.8
    assert mirrored == 0.0 and other.high == pytest.approx(1 - limits.low, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=8),
    st.lists(st.floats(0, 1), min_size=2, max_size=8),
)
def test_welch_agrees_with_scipy(first, second):
    found = compare_unpaired(first, second)
    if found.t_test.statistic is None or min(np.std(first), np.std(second)) < 1e-6:
        return
    wanted = stats.ttest_ind(first, second, equal_var=False)
    assert found.t_test.statistic == pytest.approx(wanted.statistic, abs=1e-7)
    assert found.t_test.degrees_of_freedom == pytest.approx(wanted.df)
    assert found.t_test.p == pytest.approx(wanted.pvalue, abs=1e-7)
    assert found.interval.low == pytest.approx(wanted.confidence_interval().low, abs=1e-7)


def test_hedges_g_by_hand():
    # Means 2 and 5, both variances 1, six runs: 3 · J(4).
    found = compare_unpaired([4, 5, 6], [1, 2, 3])
    assert found.effect_size == pytest.approx(3 * 0.797885, abs=1e-5)
    assert found.runs_to_tell == runs_per_group_to_tell(3.0, 0.95) == 4


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=8))
def test_comparing_the_other_way_round_turns_the_signs(pairs):
    first, second = zip(*pairs, strict=True)
    for compare in (lambda a, b: compare_paired(a, b, counts=(3, 1)), compare_unpaired):
        there, back = compare(first, second), compare(second, first)
        assert there.difference == pytest.approx(-back.difference, abs=1e-12)
        assert there.interval.low == pytest.approx(-back.interval.high, abs=1e-9)
        assert there.t_test.p == (
            None if back.t_test.p is None else pytest.approx(back.t_test.p, abs=1e-9)
        )
        assert there.improvement == pytest.approx(1 - back.improvement)
        assert there.rank_test.p == pytest.approx(back.rank_test.p)
        json.dumps(there.to_dict(), allow_nan=False)


def test_equal_groups_have_p_1_and_constant_differences_none():
    same = compare_paired([0.9, 0.8, 0.7], [0.9, 0.8, 0.7], counts=(1, 1))
    assert (same.difference, same.t_test.p, same.rank_test.p) == (0, 1.0, 1.0)
    assert "both gave the same scores in all 3 pairs" in same.notes
    # 0.91 - 0.81 and 0.71 - 0.61 differ in their last bits alone.
    always = compare_paired([0.91, 0.71, 0.3], [0.81, 0.61, 0.2], counts=(1, 1))
    assert always.t_test.p is None and always.effect_size is None and always.runs_to_tell is None
    assert any("no spread to divide by" in note for note in always.notes)
    flat = compare_unpaired([0.9, 0.9], [0.8, 0.8])
    assert flat.t_test.p is None and any("a score of its own" in note for note in flat.notes)


def test_too_few_runs_are_said_and_undefined():
    one = compare_paired([0.9], [0.8], counts=(1, 1))
    assert (one.n, one.interval, one.t_test.p) == ((1, 1), None, None)
    assert any("one pair of runs" in note for note in one.notes)
    none = compare_paired([None, 0.5], [0.4, math.nan], counts=None)
    assert none.n == (0, 0) and none.difference is None
    assert none.notes == ("no pair of runs", "2 pairs without a value are not counted")
    assert compare_unpaired([], [0.3]).notes == ("no runs to compare",)
    single = compare_unpaired([0.9], [0.8, 0.7, 0.6])
    assert single.interval is None and any("one run of a group" in note for note in single.notes)
    for found in (one, none, single):
        json.dumps(found.to_dict(), allow_nan=False)


def test_groups_of_unlike_length_and_empty_parts_are_refused():
    with pytest.raises(ShapeError, match="3 and 2"):
        compare_paired([1, 2, 3], [1, 2], counts=None)
    with pytest.raises(ShapeError, match="0 test items"):
        compare_paired([1, 2], [1, 2], counts=(5, 0))
