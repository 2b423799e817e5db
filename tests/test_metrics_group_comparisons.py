import json

import pytest

from hsi_suite.errors import ShapeError
from hsi_suite.metrics.comparisons import compare_paired, compare_unpaired
from hsi_suite.metrics.group_comparisons import RunGroup, compare_groups

SPLITS = ["s0", "s1", "s2", "s3", "s4"]
GOOD = [0.951, 0.948, 0.953, 0.950, 0.949]
WEAK = [0.901, 0.897, 0.904, 0.899, 0.901]
CLOSE = [0.953, 0.945, 0.951, 0.952, 0.947]


def group(name, values, splits=SPLITS, family="", counts=(80, 20)):
    return RunGroup(name, values, splits, family, counts)


def test_groups_on_the_same_splits_are_paired():
    (found,) = compare_groups([group("a", GOOD), group("b", WEAK)], "overall_accuracy")
    assert found.comparison == compare_paired(GOOD, WEAK, counts=(80, 20))
    assert found.significant and found.holm_p == found.comparison.t_test.p
    assert found.verdict.startswith("a has a higher overall accuracy than b, by 4.98 points (95 %")
    assert "p < 0.001, n = 5 shared splits" in found.verdict


def test_the_order_of_the_runs_does_not_matter_for_the_pairing():
    turned = group("b", WEAK[::-1], SPLITS[::-1])
    (found,) = compare_groups([group("a", GOOD), turned], "overall_accuracy")
    assert found.comparison == compare_paired(GOOD, WEAK, counts=(80, 20))


def test_the_weaker_first_group_stands_second_in_the_verdict():
    (found,) = compare_groups([group("b", WEAK), group("a", GOOD)], "overall_accuracy")
    assert found.comparison.difference < 0
    assert found.verdict.startswith("a has a higher overall accuracy than b, by 4.98 points (95 %")
    low = 100 * -found.comparison.interval.high
    assert f"interval {low:.2f} to" in found.verdict


def test_a_difference_that_cannot_be_told_says_how_many_runs_would_tell():
    groups = [group("a", GOOD, counts=None), group("c", CLOSE, counts=None)]
    (found,) = compare_groups(groups, "overall_accuracy")
    assert not found.significant
    assert found.verdict.startswith("a and c cannot be told apart by overall accuracy: a is ahead")
    needed = found.comparison.runs_to_tell
    assert f"about {needed:,} shared splits would tell a difference of this size." in found.verdict


def test_holm_is_taken_over_all_pairs_of_all_families():
    first = [
        group("a", GOOD, family="x"),
        group("b", WEAK, family="x"),
        group("c", CLOSE, family="x"),
    ]
    second = [group("a", GOOD, family="y"), group("c", CLOSE, family="y")]
    found = compare_groups([*first, *second], "overall_accuracy")
    assert [(c.family, c.first, c.second) for c in found] == [
        ("x", "a", "b"), ("x", "a", "c"), ("x", "b", "c"), ("y", "a", "c"),
    ]  # fmt: skip
    assert found[0].holm_p == pytest.approx(
        max(4 * found[0].comparison.t_test.p, 3 * min(c.comparison.t_test.p for c in found[1:])),
        rel=1,
    )
    assert all(c.holm_p >= c.comparison.t_test.p for c in found)
    assert "Holm p" in found[0].verdict


def test_a_difference_that_the_correction_takes_away_says_so():
    pair = [0.951, 0.958, 0.949, 0.957, 0.951], [0.946, 0.948, 0.947, 0.951, 0.944]
    groups = [group("a", pair[0], counts=None), group("b", pair[1], counts=None)]
    (alone,) = compare_groups(groups, "overall_accuracy")
    assert alone.significant
    others = [group(f"z{i}", GOOD, family=f"{i}", counts=None) for i in range(5)]
    others += [group(f"y{i}", CLOSE, family=f"{i}", counts=None) for i in range(5)]
    among = compare_groups([*groups, *others], "overall_accuracy")[0]
    assert among.comparison == alone.comparison and not among.significant
    assert "does not outlast the correction" in among.verdict


def test_groups_without_common_splits_are_compared_unpaired_and_it_is_said():
    (found,) = compare_groups(
        [group("a", GOOD), group("b", WEAK, list("vwxyz"))], "overall_accuracy"
    )
    assert found.comparison.t_test == compare_unpaired(GOOD, WEAK).t_test
    assert "compared without pairing" in found.comparison.notes[0]
    assert "n = 5 runs each" in found.verdict


def test_runs_on_one_fixed_split_are_unpaired_and_speak_of_that_split():
    (found,) = compare_groups(
        [group("a", GOOD, ["s"] * 5), group("b", WEAK, ["s"] * 5)], "overall_accuracy"
    )
    assert not found.comparison.paired
    assert (
        found.comparison.notes[0] == "all runs use the same split: this speaks of that split alone"
    )


def test_several_runs_of_a_split_count_by_their_mean_and_lonely_splits_are_left_out():
    first = group("a", [0.9, 0.8, 0.7, 0.5], ["s", "s", "t", "lonely"])
    second = group("b", [0.6, 0.6], ["t", "s"])
    (found,) = compare_groups([first, second], "overall_accuracy")
    assert found.comparison.n == (2, 2)
    assert found.comparison.first_mean == pytest.approx((0.85 + 0.7) / 2)
    assert "left out, as the other group has no run on their splits: 1" in found.comparison.notes
    assert "several runs of a split count by their mean" in found.comparison.notes


def test_one_run_each_tells_nothing():
    (found,) = compare_groups(
        [group("a", [0.95], ["s"]), group("b", [0.9], ["s"])], "overall_accuracy"
    )
    assert found.verdict == (
        "One run of each can tell nothing about a against b: overall accuracy 95.00 % of a, "
        "90.00 % of b."
    )
    assert found.holm_p is None and not found.significant


def test_groups_without_figures_and_without_spread():
    nothing = compare_groups([group("a", [None] * 5), group("b", WEAK)], "overall_accuracy")[0]
    assert nothing.verdict.startswith("Nothing to tell a from b: no runs")
    flat = compare_groups([group("a", [0.9] * 5), group("b", [0.8] * 5)], "overall_accuracy")[0]
    assert flat.verdict.startswith("a and b differ by 10.00 points in overall accuracy, without")
    same = compare_groups([group("a", [0.9] * 5), group("b", [0.9] * 5)], "overall_accuracy")[0]
    assert same.verdict.startswith("a and b have the same overall accuracy, always (n = 5 shared")
    for found in (nothing, flat, same):
        json.dumps(found.to_dict(), allow_nan=False)


def test_what_both_share_is_said_once():
    family = "field, random split"
    a, b = group(f"a on {family}", GOOD, family=family), group("svm", WEAK, family=family)
    (found,) = compare_groups([a, b], "overall_accuracy")
    assert found.first == a.name
    assert found.verdict.startswith(
        "a has a higher overall accuracy than svm on field, random split, by 4.98"
    )
    same = group("a", WEAK, family=family)
    (found,) = compare_groups([a, same], "overall_accuracy")
    assert found.verdict.startswith(
        "a on field, random split has a higher overall accuracy than a,"
    )


def test_every_figure_needs_its_split():
    with pytest.raises(ShapeError, match="5 scores and 1 splits"):
        compare_groups([group("a", GOOD, ["s"]), group("b", WEAK)], "overall_accuracy")
