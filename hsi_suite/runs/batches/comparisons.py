"""The models of a batch against each other and against the baselines on the same splits."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from ...checksums import hash_file
from ...metrics.group_comparisons import RunGroup, compare_groups
from ...reports.content import BASELINE, BESIDE
from ..folder import SPLIT, SPLIT_ENDING, Run, fold_files
from ..scores import baseline_scores, part_sizes, run_scores, variant_words
from .files import whole_files

Group = Mapping[str, Any]


def compare_models(
    groups: Sequence[tuple[Group, Sequence[Run]]], level: float
) -> list[dict[str, Any]]:
    """Every pair within a data set and variant, by the score that stands first in the headline.

    Args:
        groups: entries of the summary with their runs.
        level: nominal coverage; differences are significant below 1 - level.
    """
    places: dict[str, tuple[str, str]] = {}
    contests: dict[str, list[RunGroup]] = {}
    families: dict[str, list[tuple[Group, Sequence[Run]]]] = {}
    for group, runs in groups:
        family = ", ".join(
            part
            for part in (group["dataset"], variant_words(group["task"], group["variant"]))
            if part
        )
        places[family] = (group["dataset"], group["variant"])
        families.setdefault(family, []).append((group, runs))
    for family, members in families.items():
        metric = members[0][0]["headline"][0]
        contests.setdefault(metric, []).extend(
            [_run_group(g, runs, metric, family) for g, runs in members]
            + _baseline_groups(members, metric, family)
        )
    return [
        {"dataset": places[found["family"]][0], "variant": places[found["family"]][1], **found}
        for metric, contest in contests.items()
        for found in (each.to_dict() for each in compare_groups(contest, metric, level=level))
    ]


def _run_group(group: Group, runs: Sequence[Run], metric: str, family: str) -> RunGroup:
    return RunGroup(
        name=group["name"],
        values=[run_scores(run.metrics).get(metric) for run in runs],
        splits=[split_key(run) for run in runs],
        family=family,
        counts=_counts(runs),
    )


def _baseline_groups(
    members: Sequence[tuple[Group, Sequence[Run]]], metric: str, family: str
) -> list[RunGroup]:
    """Each baseline once where it is the same beside every model, else once for each model."""
    found: dict[str, list[tuple[Group, RunGroup]]] = {}
    for group, runs in members:
        for name in group["baselines"]:
            having = [run for run in runs if name in baseline_scores(run.metrics)]
            each = RunGroup(
                name=name,
                values=[baseline_scores(run.metrics)[name].get(metric) for run in having],
                splits=[split_key(run) for run in having],
                family=family,
                counts=_counts(having),
            )
            found.setdefault(name, []).append((group, each))
    result = []
    models = {str(group["model"]) for group, _ in members}
    for name, beside in found.items():
        # A model of the same kind is another one, with settings of its own.
        baseline = f"{BASELINE}{name}" if name in models else name
        distinct = {json.dumps([each.values, each.splits]): (g, each) for g, each in beside}
        for group, each in distinct.values():
            words = baseline if len(distinct) == 1 else f"{baseline}{BESIDE}{group['name']}"
            result.append(RunGroup(words, each.values, each.splits, each.family, each.counts))
    return result


def _counts(runs: Sequence[Run]) -> tuple[float, float] | None:
    sizes = [size for run in runs if (size := part_sizes(run.metrics)) is not None]
    if not sizes:
        return None
    return statistics.mean(t for t, _ in sizes), statistics.mean(t for _, t in sizes)


def split_key(run: Run) -> str:
    """The same for runs that were trained and tested on the same parts of the same data."""
    with whole_files(run.path):
        data = run.environment["data"]
        folds = fold_files(run, SPLIT_ENDING)
        if folds:
            parts = json.dumps([hash_file(file) for file in folds])
        elif (run.path / SPLIT).is_file():
            parts = hash_file(run.path / SPLIT)
        else:
            seeds = run.config["seeds"]
            drawn = seeds["base"] if seeds.get("split") is None else f"alone {seeds['split']}"
            parts = json.dumps([run.config["data"], drawn], sort_keys=True)
        return hashlib.sha256(json.dumps([data, parts], sort_keys=True).encode()).hexdigest()[:16]
