"""Votes of maps and shares of confusions, against hand and scipy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy, mode

from hsi_suite.reports.batches.classes import classes_of, confusion_shares
from hsi_suite.reports.batches.content import GroupFacts, RunFacts
from hsi_suite.reports.batches.maps import count_votes, thinning


def test_votes_by_hand():
    maps = [
        np.array([[1, 2, 0]]),
        np.array([[1, 2, 0]]),
        np.array([[3, 2, 0]]),
        np.array([[3, 4, 0]]),
    ]
    votes = count_votes(maps)
    # Two to two: the lower label.
    assert votes.winner.tolist() == [[1, 2, 0]]
    assert votes.disagreement.tolist() == [[0.5, 0.25, 0.0]]
    quarter = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))
    assert votes.entropy[0] == pytest.approx([1.0, quarter, 0.0], abs=1e-6)


@given(st.integers(1, 7), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_votes_agree_with_scipy(runs, seed):
    stack = np.random.default_rng(seed).integers(1, 5, (runs, 3, 4))
    votes = count_votes(list(stack))
    found = mode(stack, axis=0)
    assert np.array_equal(votes.winner, found.mode)
    assert votes.disagreement == pytest.approx(1 - found.count / runs, abs=1e-6)
    shares = np.stack([(stack == label).mean(0) for label in range(1, 5)])
    assert votes.entropy == pytest.approx(entropy(shares, base=2, axis=0), abs=1e-5)


def test_large_scenes_are_thinned():
    assert thinning((145, 145)) == 1
    assert thinning((641, 10)) == 2
    assert thinning((1476, 256)) == 3


def facts_of(*all_metrics):
    runs = [RunFacts(f"r{k}", m, {}, [], {}, "") for k, m in enumerate(all_metrics)]
    return GroupFacts({"name": "g", "model": "m", "task": "classification"}, runs)


def metrics_of(names, matrix):
    rows = [{"name": n, "recall": None, "precision": None, "f1": None} for n in names]
    overall = dict.fromkeys(("overall_accuracy", "average_accuracy", "cohen_kappa"), 0.5)
    return {
        "classes": [{"label": ord(name) - 96, "name": name} for name in names],
        "test": {"per_class": rows, "confusion_matrix": matrix, **overall},
    }


def test_confusions_of_runs_that_tested_other_classes():
    facts = facts_of(metrics_of("ab", [[3, 1], [0, 4]]), metrics_of("bc", [[1, 1], [0, 0]]))
    names = [one.name for one in classes_of(facts)]
    assert names == ["a", "b", "c"]
    shares = confusion_shares(facts, names)
    assert shares[0, 0].tolist() == [0.75, 0.25, 0.0]
    assert shares[0, 1].tolist() == [0.0, 1.0, 0.0]
    assert np.isnan(shares[0, 2]).all()
    assert np.isnan(shares[1, 0]).all()
    # The second run never learned "a": it cannot have answered it.
    assert shares[1, 1].tolist() == [0.0, 0.5, 0.5]
    assert np.isnan(shares[1, 2]).all()
