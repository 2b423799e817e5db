"""What a comparison of so few runs can and cannot tell, in sentences."""

from __future__ import annotations

from .power import MOST_RUNS
from .rank_tests import RankTest


def missing(number: int, what: str) -> list[str]:
    """That values are not there.

    Args:
        number: how many were left out.
        what: "runs" or "pairs".
    """
    return [f"{number} {what} without a value are not counted"] if number else []


def paired_notes(mean: float, n: int, spread: float, test_per_train: float | None) -> list[str]:
    """What limits the paired t test and its effect size.

    Args:
        mean: of the pairs' differences.
        n: number of pairs.
        spread: the standard deviation of their differences.
        test_per_train: test items per training item of the correction; None without it.
    """
    if n == 1:
        return ["one pair of runs: there is no spread to test the difference against"]
    if spread == 0 and mean:
        return [
            f"the difference is the same in all {n} pairs: the t test has no spread to divide by"
        ]
    if spread == 0:
        return [f"both gave the same scores in all {n} pairs"]
    notes = ["the effect size is in standard deviations of the differences, not of the runs"]
    if test_per_train is None:
        notes.append("not corrected for splits that overlap: it speaks of these splits alone")
    elif test_per_train > 1:
        notes.append(
            f"with {test_per_train:.3g} test items for each training item the t test is strict: "
            "its correction was made for small test parts"
        )
    return notes


def unpaired_notes(testable: bool, mean: float, error: float) -> list[str]:
    """What limits Welch's test."""
    if not testable:
        return ["one run of a group: there is no spread to test the difference against"]
    if error == 0:
        same = "the same score" if mean == 0 else "a score of its own"
        return [f"each group gave {same} in all its runs: there is no spread to divide by"]
    return ["the effect size is in pooled standard deviations of the runs"]


def rank_notes(test: RankTest, n: int, what: str, level: float) -> list[str]:
    """That the rank test cannot reject, if that is so.

    Args:
        test: its result.
        n: runs or pairs.
        what: "runs" or "pairs".
        level: 1 - the size of the test.
    """
    if n < 2 or test.smallest_possible_p <= 1 - level:
        return []
    name = test.method.partition(",")[0]
    return [
        f"{name} cannot go below p = {test.smallest_possible_p:.3g} with these {n} {what}, so it "
        f"cannot reject at {1 - level:.2g}"
    ]


def power_notes(effect: float | None, needed: int | None, test_per_train: float) -> list[str]:
    """Why no number of runs would tell the observed difference, if that is so.

    Args:
        effect: observed difference in standard deviations; None or 0 where nothing can be said.
        needed: runs of each group, None where no number suffices.
        test_per_train: of the correction for resampled splits, 0 without.
    """
    if not effect or needed is not None:
        return []
    note = f"not even {MOST_RUNS:,} runs would tell a difference this small beside its spread"
    if test_per_train:
        note += (
            f": with {test_per_train:.3g} test items for each training item the correction for "
            "overlapping splits does not fade"
        )
    return [note]
