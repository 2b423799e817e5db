"""A comparison in one sentence."""

from __future__ import annotations

from .comparisons import CORRECTED, Comparison
from .measure import Measure
from .measures import measure
from .power import MOST_RUNS


def verdict(
    first: str,
    second: str,
    metric: str,
    comparison: Comparison,
    holm_p: float | None,
    comparisons: int = 1,
    where: str = "",
) -> str:
    """What the comparison of two groups tells, or that it tells nothing, in one sentence.

    Args:
        first: name of the first group.
        second: name of the second.
        metric: the score that was compared.
        comparison: of the two.
        holm_p: p value of the t test, adjusted for all comparisons.
        comparisons: how many were made.
        where: the data and the kind of split that both share; left out when empty.
    """
    kind, size = measure(metric), comparison.difference
    what = kind.title
    there = f" on {where}" if where else ""
    if size is None or comparison.first_mean is None or comparison.second_mean is None:
        return f"Nothing to tell {first} from {second}{there}: no runs with {what} to compare."
    means = (
        f"{kind.with_unit(comparison.first_mean)} of {first}, "
        f"{kind.with_unit(comparison.second_mean)} of {second}"
    )
    if comparison.interval is None:
        each = "One run of each" if comparison.n == (1, 1) else "A single run of one of them"
        return f"{each} can tell nothing about {first} against {second}{there}: {what} {means}."
    runs = _runs(comparison)
    if comparison.t_test.statistic is None:
        if size == 0:
            return f"{first} and {second} have the same {what}{there}, always ({runs}): {means}."
        return (
            f"{first} and {second} differ by {kind.size_with_points(abs(size))} in {what}"
            f"{there}, without any spread to test that against ({runs}): {means}."
        )
    ahead, behind = (first, second) if kind.gain(size) > 0 else (second, first)
    more = "higher" if kind.higher_is_better else "lower"
    by = f"{kind.size_with_points(abs(size))} ({_limits(kind, comparison)}, "
    by += f"{p_words(holm_p, 'p' if comparisons == 1 else 'Holm p')}, {runs})"
    if holm_p is not None and holm_p < 1 - comparison.level:
        return f"{ahead} has a {more} {what} than {behind}{there}, by {by}."
    return (
        f"{first} and {second} cannot be told apart by {what}{there}: {ahead} is ahead by {by}"
        f"{_outlook(comparison)}."
    )


def _limits(kind: Measure, comparison: Comparison) -> str:
    """The interval of what the one has more than the other."""
    interval = comparison.interval
    assert interval is not None and comparison.difference is not None
    low, high = interval.low, interval.high
    if comparison.difference < 0:
        low, high = -high, -low
    return f"{100 * comparison.level:g} % interval {kind.end_text(low)} to {kind.end_text(high)}"


def p_words(p: float | None, name: str = "p") -> str:
    """A p-value in a sentence."""
    if p is None:
        return f"no {name}"
    return f"{name} < 0.001" if p < 0.001 else f"{name} = {p:.3f}"


def _runs(comparison: Comparison) -> str:
    first, second = comparison.n
    if comparison.paired:
        return f"n = {first} shared splits"
    return f"n = {first} runs each" if first == second else f"n = {first} and {second} runs"


def _outlook(comparison: Comparison) -> str:
    alone, needed = comparison.t_test.p, comparison.runs_to_tell
    if alone is not None and alone < 1 - comparison.level:
        return f"; alone the comparison has p = {alone:.3f}, which does not outlast the correction"
    if needed is not None:
        what = "shared splits" if comparison.paired else "runs of each"
        return f"; about {needed:,} {what} would tell a difference of this size"
    if comparison.t_test.method == CORRECTED:
        return (
            "; beside its spread that is too little for any number of runs, with the correction "
            "for overlapping splits"
        )
    return f"; not even {MOST_RUNS:,} runs would tell a difference of this size"
