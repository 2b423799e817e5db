import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hsi_suite.metrics.variance import variance_shares


def test_shares_by_hand():
    # Variances: split 1 and 3 at two anchors of three runs, pooled (2·1 + 2·3)/4 = 2; init 2
    # over two runs and 5 over one, which has none: 2. Total of 0, 2, 4, 6: 20/3.
    found = variance_shares({"split": [[1, 2, 3], [0, 3, 3]], "init": [[1, 3], [5]]}, [0, 2, 4, 6])
    split, init = found.sources["split"], found.sources["init"]
    assert (split.variance, split.degrees_of_freedom, split.n, split.anchors) == (2.0, 4, 6, 2)
    assert (init.variance, init.degrees_of_freedom, init.n) == (2.0, 1, 3)
    assert found.total_variance == pytest.approx(20 / 3)
    assert split.share == pytest.approx(0.3)
    assert found.remainder == pytest.approx(20 / 3 - 4)
    assert found.remainder_share == pytest.approx(0.4)
    assert split.std == pytest.approx(math.sqrt(2))
    # χ² of 4 degrees at 97.5 % is 11.143287 in any table.
    assert split.std_interval.low == pytest.approx(math.sqrt(2 * 4 / 11.143287))
    # F of 4 and 3 degrees at 97.5 % is 15.10, of 3 and 4 degrees 9.98.
    assert split.share_interval.low == pytest.approx(0.3 / 15.10, rel=1e-3)
    assert split.share_interval.high == pytest.approx(0.3 * 9.98, rel=1e-3)


def test_the_interval_of_the_remainder_by_hand():
    # Variances 2 of 4 degrees and 2 of 1: together 4, by Satterthwaite of 16 / (4/4 + 4/1) = 3.2.
    found = variance_shares({"split": [[1, 2, 3], [0, 3, 3]], "init": [[1, 3], [5]]}, [0, 2, 4, 6])
    low, high = stats.f.ppf([0.975, 0.025], 3.2, 3)
    assert found.remainder_share_interval.low == pytest.approx(1 - 0.6 / high)
    assert found.remainder_share_interval.high == pytest.approx(1 - 0.6 / low)
    assert variance_shares({"a": [[1, 2]], "b": [[1]]}, [0, 2]).remainder_share_interval is None
    assert variance_shares({"a": [[1, 1]]}, [0, 2]).remainder_share_interval is None
    assert variance_shares({"a": [[1, 2]]}, [2, 2]).remainder_share_interval is None


def test_the_remainder_is_negative_where_sources_interact():
    found = variance_shares({"a": [[0, 2]], "b": [[0, 2]]}, [0, 1, 2])
    assert found.remainder == pytest.approx(1 - 4)
    assert found.remainder_share == pytest.approx(-3)


def test_the_logit_scale():
    values = [0.5, 0.9, 0.99]
    found = variance_shares({"a": [values]}, values, scale="logit")
    logits = [math.log(v / (1 - v)) for v in values]
    assert found.scale == "logit"
    assert found.total_variance == pytest.approx(np.var(logits, ddof=1))
    assert found.sources["a"].share == pytest.approx(1.0)


def test_figures_of_one_have_a_logit_only_where_their_items_are_known():
    without = variance_shares({"a": [[0.9, 1.0]]}, [0.9, 0.95], scale="logit")
    assert without.scale == "identity"
    assert any("1 values are exactly 0 or 1" in note for note in without.notes)
    known = variance_shares({"a": [[0.9, 1.0]]}, [0.9, 0.95], scale="logit", count=100)
    expected = [math.log(9), math.log(0.995 / 0.005)]
    assert known.scale == "logit"
    assert known.sources["a"].variance == pytest.approx(np.var(expected, ddof=1))
    kappa = variance_shares({"a": [[-0.1, 0.2]]}, [0.1, 0.2], scale="logit", count=100)
    assert any("-0.1 is no share" in note for note in kappa.notes)


def test_equal_runs_have_no_shares_and_the_notes_say_so():
    found = variance_shares({"init": [[0.9, 0.9]], "order": [[0.9, 0.91]]}, [0.9] * 4)
    assert found.total_std == 0.0 and found.sources["init"].std == 0.0
    assert found.sources["order"].share is None and found.remainder_share is None
    assert any("all together are equal" in n or "together are equal" in n for n in found.notes)


def test_too_few_runs_are_named():
    found = variance_shares({"init": [[0.9], [None]], "order": []}, [0.9])
    assert found.sources["init"].variance is None and found.total_std is None
    assert found.remainder is None
    text = " ".join(found.notes)
    assert "1 runs without a value" in text and "init: fewer than two runs" in text
    assert "order: fewer" in text and "vary all sources together: no shares" in text


def test_figures_near_the_ceiling_carry_a_caveat():
    values = [0.99, 0.995, 0.985]
    assert "close to their ceiling" in variance_shares({}, values, ceiling=1.0).notes[0]
    assert not variance_shares({}, values).notes


def test_an_additive_model_leaves_no_interaction():
    chance = np.random.default_rng(0)
    a, b = chance.normal(0, 1, 4000), chance.normal(0, 2, 4000)
    found = variance_shares({"a": [list(a)], "b": [list(b)]}, list(chance.permuted(a) + b))
    assert found.sources["a"].share == pytest.approx(0.2, abs=0.02)
    assert found.sources["b"].share == pytest.approx(0.8, abs=0.05)
    assert found.remainder_share == pytest.approx(0, abs=0.05)
    assert found.sources["a"].share_interval.low < 0.2 < found.sources["a"].share_interval.high


RUNS = st.lists(st.one_of(st.none(), st.floats(-1, 2)), max_size=5)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abc"), st.lists(RUNS, max_size=3)),
    RUNS,
    st.sampled_from(["identity", "logit"]),
)
def test_the_parts_add_up_and_json_has_no_nan(groups, whole, scale):
    found = variance_shares(groups, whole, scale=scale, count=50, ceiling=1.0)
    if found.remainder is not None:
        parts = sum(source.variance for source in found.sources.values())
        assert parts + found.remainder == pytest.approx(found.total_variance, abs=1e-9)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_spread_below_all_rounding_is_none():
    found = variance_shares({"a": [[0.0, 1.0]]}, [0.0, 4.2e-162])
    assert found.sources["a"].share is None and found.remainder_share is None
    assert any("there is nothing to share" in note for note in found.notes)
