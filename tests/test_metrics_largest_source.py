import numpy as np
import pytest
from scipy import stats

from hsi_suite.metrics.largest_source import largest_source, runs_to_tell

LEVEL = 0.95


def test_one_is_told_by_the_hardest_of_its_f_tests():
    found = largest_source({"a": (1.0, 8), "b": (9.0, 8), "c": (2.0, 4)}, LEVEL)
    assert (found.name, found.second) == ("b", "c")
    # Against c the ratio is smaller and the degrees of freedom are fewer: p = 2 · P(F(8, 4) > 4.5).
    assert found.p_value == pytest.approx(2 * stats.f.sf(4.5, 8, 4))
    assert not found.told
    sure = largest_source({"a": (1.0, 8), "b": (9.0, 8)}, LEVEL)
    assert sure.told and sure.p_value == pytest.approx(2 * stats.f.sf(9, 8, 8))


def test_the_runs_that_would_tell_do_so_in_four_of_five_cases():
    found = runs_to_tell(2.0, 2, LEVEL)
    rng = np.random.default_rng(0)

    def power(runs):
        degrees = runs - 2
        ratio = 2 * rng.chisquare(degrees, 20_000) / rng.chisquare(degrees, 20_000)
        return (ratio > stats.f.isf(0.025, degrees, degrees)).mean()

    assert 0.79 < power(found) < 0.83 and power(found - 6) < 0.8
    assert runs_to_tell(1.0, 2, LEVEL) is None and runs_to_tell(1.001, 2, LEVEL) is None
    assert runs_to_tell(np.inf, 2, LEVEL) == 3


@pytest.mark.parametrize(
    "sources",
    [
        {},
        {"a": (1.0, 8)},
        {"a": (0.0, 8), "b": (0.0, 8)},
        {"a": (1.0, 8), "b": (2.0, 0)},
    ],
)
def test_nothing_is_named_where_nothing_can_be_compared(sources):
    assert largest_source(sources, LEVEL) is None


def test_a_source_that_changes_nothing_is_no_rival_and_equal_ones_are_not_told():
    found = largest_source({"a": (1.0, 8), "b": (0.0, 8)}, LEVEL)
    assert found.told and found.p_value == 0
    equal = largest_source({"a": (1.0, 8), "b": (1.0, 8)}, LEVEL)
    assert not equal.told and equal.p_value == 1


@pytest.mark.parametrize(
    "variances", [(1, 1), (1, 1, 1), (1, 1, 1, 1, 1), (1, 1, 1e-6, 1e-6), (1, 1, 0.5, 0.5, 0.5)]
)
@pytest.mark.parametrize("degrees", [4, 8, 18])
def test_equal_sources_are_told_apart_in_one_of_twenty_cases_at_most(variances, degrees):
    rng = np.random.default_rng(degrees)
    drawn = rng.chisquare(degrees, (1500, len(variances))) / degrees * variances
    told = sum(
        largest_source({str(k): (v, degrees) for k, v in enumerate(row)}, LEVEL).told
        for row in drawn
    )
    assert told / len(drawn) < 0.05 + 2.6 * (0.05 * 0.95 / len(drawn)) ** 0.5
