"""What the runs of a batch say together: the content of summary.json and of runs.csv.

Nothing here depends on time, memory, host, paths, the number of jobs or the order in which runs
ended.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ...metrics.measures import measure
from ...metrics.statistics import describe
from ...reports.split_level import run_level
from ..folder import Run
from ..scores import baseline_scores, headline, run_scores, variant
from ..task import Scores
from .comparisons import compare_models
from .design import Cell, Design, Member
from .variance import variance_entries

Runs = Mapping[str, Run]


def summarise_batch(
    name: str, design: Design, runs: Runs, failures: Mapping[str, str], level: float
) -> dict[str, Any]:
    """The content of summary.json.

    Args:
        name: of the batch.
        design: what was carried out.
        runs: the finished runs, by the words of their member.
        failures: what stopped the others, by the same.
        level: coverage of the intervals.
    """
    groups = []
    plain = []
    for cell in design.cells:
        group = _group(cell.name, cell.plain, runs, level)
        if group is not None:
            groups.append(group)
            plain.append((group, [runs[m.what] for m in cell.plain if m.what in runs]))
        for words, members in cell.numerics.items():
            group = _group(f"{cell.name}, {words}", members, runs, level)
            groups += [] if group is None else [group]
    return {
        "task": "batch",
        "name": name,
        "question": _question(design, groups),
        "level": level,
        "failures": dict(failures),
        "groups": groups,
        "comparisons": compare_models(plain, level),
        "variance": variance_entries(design, runs, level),
    }


def run_rows(design: Design, runs: Runs) -> list[dict[str, Any]]:
    """A row for each finished run: what it was for, its scores and those of its baselines."""
    return [
        _row(cell, member, runs[member.what])
        for cell, member in _first_uses(design)
        if member.what in runs
    ]


def _first_uses(design: Design) -> list[tuple[Cell, Member]]:
    uses: dict[str, tuple[Cell, Member]] = {}
    for cell in design.cells:
        for member in cell.members:
            uses.setdefault(member.what, (cell, member))
    return list(uses.values())


def _row(cell: Cell, member: Member, run: Run) -> dict[str, Any]:
    metrics = run.metrics
    row: dict[str, Any] = {
        "run": run.path.name,
        "group": cell.name,
        "task": metrics["task"],
        "dataset": metrics["dataset"],
        "model": metrics["model"],
        "variant": variant(metrics),
        "seed": member.seed,
        "source": member.source,
        "varied_seed": member.seed if member.varied_seed is None else member.varied_seed,
        "threads": member.config.threads,
        "device": member.config.device,
    }
    if metrics.get("unverified"):
        row["unverified"] = ", ".join(metrics["unverified"])
    row |= run_scores(metrics)
    for name, scores in baseline_scores(metrics).items():
        row |= {f"{name} {metric}": scores.get(metric) for metric in _headline(metrics)}
    return row


def _headline(metrics: Mapping[str, Any]) -> list[str]:
    return headline(metrics)


def _group(name: str, members: Sequence[Member], runs: Runs, level: float) -> dict[str, Any] | None:
    """The entry of runs that differ by their seeds alone; None where none has finished."""
    done = [(member, runs[member.what]) for member in members if member.what in runs]
    if not done:
        return None
    all_metrics = [run.metrics for _, run in done]
    first = all_metrics[0]
    return {
        "name": name,
        "task": first["task"],
        "dataset": first["dataset"],
        "model": first["model"],
        "variant": variant(first),
        "synthetic": bool(first.get("synthetic", False)),
        **_unverified(all_metrics),
        **_diverged(all_metrics),
        "seeds": [member.seed for member, _ in done],
        "n": len(done),
        "runs": [run.path.name for _, run in done],
        "test": _described([run_scores(metrics) for metrics in all_metrics], level),
        "baselines": _baselines(all_metrics, level),
        "headline": _headline(first),
        "leakage": _leakage(all_metrics),
        "dropout_at_test": _dropout(all_metrics),
        **_levels(all_metrics),
    }


def _diverged(all_metrics: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """In how many runs the training diverged, where it did in any."""
    number = sum(metrics.get("diverged") is not None for metrics in all_metrics)
    return {"diverged": number} if number else {}


def _unverified(all_metrics: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The files of any run that nobody's checksum vouches for; nothing where there are none."""
    names = {str(name) for metrics in all_metrics for name in metrics.get("unverified") or ()}
    return {"unverified": sorted(names)} if names else {}


def _described(rows: Sequence[Scores], level: float) -> dict[str, Any]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {
        name: describe(
            [row.get(name) for row in rows], level=level, ceiling=kind.ceiling, floor=kind.floor
        ).to_dict()
        for name in names
        for kind in [measure(name)]
    }


def _baselines(all_metrics: Sequence[Mapping[str, Any]], level: float) -> dict[str, Any]:
    rows = [baseline_scores(metrics) for metrics in all_metrics]
    names = sorted({name for row in rows for name in row})
    return {name: _described([row[name] for row in rows if name in row], level) for name in names}


def _leakage(all_metrics: Sequence[Mapping[str, Any]]) -> dict[str, float] | None:
    """The mean over the runs of every score of the audit."""
    audits = [metrics["leakage"] for metrics in all_metrics if metrics.get("leakage")]
    if not audits:
        return None
    found = {}
    for name in dict.fromkeys(key for audit in audits for key in audit):
        # What one run has and another has not, such as distances across scenes, has no mean.
        values = [audit.get(name) for audit in audits]
        numbers = [float(value) for value in values if isinstance(value, int | float)]
        if len(numbers) == len(audits):
            found[name] = statistics.mean(numbers)
    return found


def _levels(all_metrics: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """In how many runs the split leaks, is partly disjoint or disjoint by the audit's rule."""
    judged = [found[0] for metrics in all_metrics if (found := run_level(metrics)) is not None]
    return {"levels": dict(Counter(judged))} if judged else {}


def _dropout(all_metrics: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """What dropout left on does to the scores of one and the same model, over the runs.

    Returns:
        By metric: mean over all evaluations; std within a run, pooled over the runs; numbers of
        runs and of evaluations of each.
    """
    entries = [
        metrics["dropout_at_test"] for metrics in all_metrics if "dropout_at_test" in metrics
    ]
    if not entries:
        return None
    return {
        metric: {
            "mean": statistics.mean(entry[metric]["mean"] for entry in entries),
            "std": math.sqrt(statistics.mean(entry[metric]["std"] ** 2 for entry in entries)),
            "evaluations": entries[0][metric]["n"],
            "n": len(entries),
        }
        for metric in entries[0]
        # Earlier runs have fewer.
        if all(metric in entry for entry in entries)
    }


def _question(design: Design, groups: Sequence[Mapping[str, Any]]) -> str:
    models = list(dict.fromkeys(group["model"] for group in groups))
    datasets = list(dict.fromkeys(group["dataset"] for group in groups))
    where = _listed(datasets, "and")
    if any(cell.sources for cell in design.cells):
        return (
            f"How much do the scores of {_listed(models, 'and')} on {where} vary from run to "
            "run, and which source of chance does that come from?"
        )
    if any(cell.numerics for cell in design.cells):
        return (
            f"How much do the scores of {_listed(models, 'and')} on {where} change with the "
            "number of threads or the device alone?"
        )
    places: dict[tuple[str, str], list[str]] = {}
    for group in groups:
        places.setdefault((group["dataset"], group["variant"]), []).append(group["model"])
    if any(len(each) > 1 for each in places.values()) and all(
        len(set(each)) == 1 for each in places.values()
    ):
        return (
            f"Which of {len(groups)} configurations is best on {where}, and can the runs tell them "
            "apart?"
        )
    if len(models) > 1:
        return (
            f"Which of {_listed(models, 'and')} is best on {where}, and can the runs tell them "
            "apart?"
        )
    return f"How much do the scores of {models[0]} on {where} vary from run to run?"


def _listed(names: Sequence[str], last: str) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} {last} {names[-1]}"
