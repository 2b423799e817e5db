"""Every group of runs against every other one, with a verdict in words."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from ..errors import ShapeError
from .comparisons import Comparison, compare_paired, compare_unpaired, holm
from .statistics import check_level, defined
from .verdicts import verdict


@dataclass(frozen=True)
class RunGroup:
    """One score over the runs of one model under one setting.

    Attributes:
        name: of the group, as it shall stand in the verdict.
        values: the score of each run; None and NaN are undefined.
        splits: for each run a key of the split it used; equal keys stand for the same split of
            the same data.
        family: groups are compared with those of their own family alone, for example
            "synthetic, random split".
        counts: training and test items of a split, for the corrected resampled t test.
    """

    name: str
    values: Sequence[float | None]
    splits: Sequence[str]
    family: str = ""
    counts: tuple[float, float] | None = None


@dataclass(frozen=True)
class GroupComparison:
    """Two groups compared, seen among all comparisons that were made.

    Attributes:
        family: what both belong to.
        metric: the score that was compared.
        first: name of the first group.
        second: name of the second.
        comparison: of the two alone.
        holm_p: p value of the t test, adjusted for the number of comparisons.
        significant: whether it is below 1 - level.
        verdict: one sentence.
    """

    family: str
    metric: str
    first: str
    second: str
    comparison: Comparison
    holm_p: float | None
    significant: bool
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; undefined ones are None."""
        return {
            "family": self.family,
            "metric": self.metric,
            "first": self.first,
            "second": self.second,
            **self.comparison.to_dict(),
            "holm_p": self.holm_p,
            "told": self.significant,
            "verdict": self.verdict,
        }


def compare_groups(
    groups: Sequence[RunGroup], metric: str, *, level: float = 0.95
) -> list[GroupComparison]:
    """Compare every pair of groups of one family; p values are adjusted over all pairs (Holm).

    Groups that have at least two splits in common are compared split by split, several runs of a
    split by their mean; other groups without pairing.

    Args:
        groups: of one or several families.
        metric: name of the score.
        level: nominal coverage; differences are significant below 1 - level.

    Raises:
        ShapeError: a group has more values than splits, or the other way round.
        ConfigError: the level is not between 0 and 1.
    """
    check_level(level)
    pairs = [(a, b) for a, b in combinations(groups, 2) if a.family == b.family]
    found = [_compare(a, b, level) for a, b in pairs]
    adjusted = holm([comparison.t_test.p for comparison in found])
    results = []
    for (a, b), comparison, p in zip(pairs, found, adjusted, strict=True):
        significant = p is not None and p < 1 - level
        first, second, where = _short_names(a, b)
        words = verdict(first, second, metric, comparison, p, len(pairs), where)
        results.append(
            GroupComparison(a.family, metric, a.name, b.name, comparison, p, significant, words)
        )
    return results


def _short_names(first: RunGroup, second: RunGroup) -> tuple[str, str, str]:
    """Names without "on FAMILY", and the family once; in full where they would be the same."""
    ending = f" on {first.family}"
    short = [group.name.removesuffix(ending) for group in (first, second)]
    if (
        not first.family
        or short[0] == short[1]
        or not any(g.name.endswith(ending) for g in (first, second))
    ):
        return first.name, second.name, ""
    return short[0], short[1], first.family


def _compare(first: RunGroup, second: RunGroup, level: float) -> Comparison:
    by_split = [_means_by_split(group) for group in (first, second)]
    common = [split for split in by_split[0] if split in by_split[1]]
    if len(common) < 2:
        comparison = compare_unpaired(first.values, second.values, level=level)
        one = len(by_split[0] | by_split[1]) == 1
        note = (
            "all runs use the same split: this speaks of that split alone"
            if one
            else "fewer than two splits in common: compared without pairing, and what the splits "
            "add to the spread hides part of the difference"
        )
        return _with_notes(comparison, [note] if min(comparison.n) > 1 else [])
    values = [[means[split] for split in common] for means in by_split]
    counts = first.counts or second.counts
    comparison = compare_paired(*values, counts=counts, level=level)
    return _with_notes(comparison, _pairing_notes(first, second, common))


def _means_by_split(group: RunGroup) -> dict[str, float | None]:
    if len(group.values) != len(group.splits):
        raise ShapeError(
            group.name,
            f"{len(group.values)} scores and {len(group.splits)} splits",
            "one split for each score",
        )
    runs: dict[str, list[float | None]] = {}
    for split, value in zip(group.splits, group.values, strict=True):
        runs.setdefault(split, []).append(value)
    known = {split: defined(values) for split, values in runs.items()}
    return {split: statistics.mean(v) if v else None for split, v in known.items()}


def _pairing_notes(first: RunGroup, second: RunGroup, common: Sequence[str]) -> list[str]:
    notes = []
    used = [[split for split in group.splits if split in common] for group in (first, second)]
    left_out = len(first.splits) + len(second.splits) - sum(map(len, used))
    if left_out:
        notes.append(f"left out, as the other group has no run on their splits: {left_out}")
    if max(map(len, used)) > len(common):
        notes.append("several runs of a split count by their mean")
    return notes


def _with_notes(comparison: Comparison, notes: Sequence[str]) -> Comparison:
    return replace(comparison, notes=(*notes, *comparison.notes))
