import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi_suite.metrics.classification import scores
from hsi_suite.metrics.summary import flatten_scores, summarise


def test_mean_and_sample_deviation_by_hand():
    summary = summarise([{"oa": 0.8}, {"oa": 0.9}, {"oa": 1.0}])["oa"]
    assert summary["mean"] == pytest.approx(0.9)
    assert summary["std"] == pytest.approx(0.1)  # sqrt((0.01 + 0 + 0.01) / 2)
    assert (summary["n"], summary["min"], summary["max"]) == (3, 0.8, 1.0)


def test_undefined_values_are_not_counted():
    rows = [{"oa": 0.5, "kappa": None}, {"oa": math.nan, "kappa": None}, {"oa": 0.7, "aa": 0.2}]
    summary = summarise(rows)
    assert list(summary) == ["oa", "kappa", "aa"]
    assert summary["oa"]["n"] == 2
    assert summary["kappa"] == {"mean": None, "std": None, "n": 0, "min": None, "max": None}
    assert summary["aa"] == {"mean": 0.2, "std": None, "n": 1, "min": 0.2, "max": 0.2}


def test_no_runs_give_an_empty_summary():
    assert summarise([]) == {}


def test_equal_runs_have_no_spread():
    assert summarise([{"oa": 0.1 + 0.2}] * 7)["oa"]["std"] == 0.0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_summary_agrees_with_numpy(values):
    summary = summarise([{"m": v} for v in values])["m"]
    assert summary["mean"] == pytest.approx(np.mean(values), abs=1e-12)
    assert summary["std"] == pytest.approx(np.std(values, ddof=1), abs=1e-12)
    assert summary["min"] <= summary["mean"] <= summary["max"]


def test_scores_flatten_to_one_row_a_run():
    plain = scores(np.array([[3, 1], [0, 0]])).to_dict(["corn", "oats"])
    row = flatten_scores(plain)
    assert row["overall_accuracy"] == 0.75
    assert row["recall/corn"] == 0.75
    assert row["recall/oats"] is None
    assert row["precision/corn"] == 1.0
    assert list(row)[:4] == [
        "overall_accuracy", "average_accuracy", "cohen_kappa", "recall/corn",
    ]  # fmt: skip
    assert len(row) == 3 + 3 * 2


def test_classes_of_the_same_name_stay_apart():
    row = flatten_scores(scores(np.array([[1, 1], [0, 4]])).to_dict(["road", "road"]))
    assert row["recall/road (1)"] == 0.5
    assert row["recall/road (2)"] == 1.0
