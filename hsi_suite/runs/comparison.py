"""`hsi compare`: which of several groups of runs is better, as far as the runs show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..metrics.measures import measure
from ..metrics.statistics import describe
from ..reports.content import unverified_text
from ..shown import Rows, Shown
from .batches.comparisons import compare_models
from .batches.files import is_batch, read_summary, whole_files
from .compared_runs import gathered, require_metric, scores_of
from .folder import Run
from .identity import run_identity
from .scores import baseline_scores, headline, variant, variant_words

_LEVEL = 0.95
_MOST_KEYS = 3
# What can differ between runs that are of one group: chance, and what changes no score of the
# model itself. Data are compared by their checksums.
_OF_ONE_GROUP = {
    "seeds": ("base",),
    "evaluation": ("baselines", "dropout_at_test"),
    "data": ("scene", "labels", "class_names", "folder"),
}


@dataclass(frozen=True, repr=False)
class Contest(Shown):
    """Groups of runs and every comparison between them.

    Attributes:
        level: nominal coverage of the intervals.
        groups: for each its name, dataset, variant, metric, the names of its runs and `figures`,
            a description of the metric over them.
        comparisons: as in a batch's summary.json.
        notes: what has to be known beside them, in sentences.
    """

    level: float
    groups: list[dict[str, Any]]
    comparisons: list[dict[str, Any]]
    notes: list[str]

    def shown(self) -> tuple[str, Rows]:
        """The mean of every group, and the verdicts."""
        rows = []
        for group in self.groups:
            figure, found = measure(group["metric"]), group["figures"]
            mean, spread = figure.with_unit(found["mean"]), figure.size_with_points(found["std"])
            rows.append((group["name"], f"{figure.title} {mean} ± {spread}, {found['n']} runs"))
        rows += [("", found["verdict"]) for found in self.comparisons]
        rows += [("note", note) for note in self.notes]
        return f"Comparison of {len(self.groups)} groups of runs", rows

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class _Group:
    """Runs of one model on the same kind of data with the same settings."""

    name: str
    runs: list[Run]

    @property
    def first(self) -> Mapping[str, Any]:
        return self.runs[0].metrics


def compare(paths: Sequence[str | Path], *, metric: str | None = None) -> Contest:
    """Compare the groups of a batch, of several batches or of single runs.

    Runs belong to one group when they differ by their seeds alone. Groups are compared when data
    set and split kind (noise, pair) are the same, on shared splits where there are some.

    Args:
        paths: folders of runs or batches.
        metric: the score to compare by; None takes the first of each task's headline.

    Raises:
        RunError: a folder holds no finished run, or a damaged one.
        ConfigError: no run has that metric.
    """
    if len(paths) == 1 and metric is None and is_batch(Path(paths[0])):
        return _as_summed_up(Path(paths[0]))
    runs, notes = gathered(paths)
    groups = _grouped(runs)
    entries = []
    if metric is not None:
        require_metric(metric, [group.runs[0] for group in groups])
    for group in groups:
        entries.append((_entry(group, metric, alone=len(groups) == 1), group.runs))
    comparisons = compare_models(entries, _LEVEL)
    notes += _versions(runs)
    notes += _lonely([entry for entry, _ in entries], comparisons)
    notes += _unverified(name for run in runs for name in run.metrics.get("unverified") or ())
    return Contest(_LEVEL, [_described(e, group) for e, group in entries], comparisons, notes)


def _as_summed_up(folder: Path) -> Contest:
    """What a finished batch has found already."""
    summary = read_summary(folder)
    metrics = [(group, group["headline"][0]) for group in summary["groups"]]
    groups = [
        {
            "name": group["name"],
            "dataset": group["dataset"],
            "variant": group["variant"],
            "metric": metric,
            "runs": group["runs"],
            "figures": group["test"][metric],
        }
        for group, metric in metrics
        if metric in group["test"]
    ]
    notes = [f"{len(summary['failures'])} runs of the batch failed"] if summary["failures"] else []
    notes += _lonely(groups, summary["comparisons"])
    notes += _unverified(n for group in summary["groups"] for n in group.get("unverified") or ())
    return Contest(summary["level"], groups, summary["comparisons"], notes)


def _unverified(names: Iterable[str]) -> list[str]:
    found = sorted(set(names))
    return [unverified_text(found)] if found else []


def _grouped(runs: Sequence[Run]) -> list[_Group]:
    by_settings: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        key = (_words(run), run_identity(_settings(run), {}))
        by_settings.setdefault(key, []).append(run)
    groups = []
    for (words, _), members in by_settings.items():
        rivals = [others[0] for (name, _), others in by_settings.items() if name == words]
        label = _differing(members[0], rivals)
        groups.append(_Group(f"{words} ({label})" if label else words, members))
    return groups


def _words(run: Run) -> str:
    """Model, data and variant as they stand in a sentence."""
    metrics = run.metrics
    with whole_files(run.path):
        kind = variant_words(metrics["task"], variant(metrics))
        return f"{metrics['model']} on {metrics['dataset']}" + (f", {kind}" if kind else "")


def _settings(run: Run) -> dict[str, Any]:
    """The configuration without what may differ within a group."""
    return {
        section: {k: v for k, v in keys.items() if k not in _OF_ONE_GROUP.get(section, ())}
        if isinstance(keys, Mapping)
        else keys
        for section, keys in run.config.items()
    }


def _differing(run: Run, rivals: Sequence[Run]) -> str:
    """The keys that distinguish a run's settings from those of groups with the same name."""
    own = _flat(_settings(run))
    others = [_flat(_settings(rival)) for rival in rivals]
    keys = [key for key in own if any(key in o and o[key] != own[key] for o in others)]
    listed_keys = [f"{key} {own[key]}" for key in keys[:_MOST_KEYS]]
    return ", ".join(listed_keys + (["…"] if len(keys) > _MOST_KEYS else []))


def _flat(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        place = f"{above}{key}"
        flat |= _flat(value, f"{place}.") if isinstance(value, Mapping) else {place: value}
    return flat


def _entry(group: _Group, metric: str | None, *, alone: bool) -> dict[str, Any]:
    """A group in the form of a batch's summary; baselines stand in where it has no rival."""
    first = group.first
    with whole_files(group.runs[0].path):
        return {
            "name": group.name,
            "task": first["task"],
            "dataset": first["dataset"],
            "model": first["model"],
            "variant": variant(first),
            "headline": [metric or headline(first)[0]],
            "baselines": baseline_scores(first) if alone else {},
        }


def _described(entry: Mapping[str, Any], runs: Sequence[Run]) -> dict[str, Any]:
    metric = entry["headline"][0]
    values = [scores_of(run).get(metric) for run in runs]
    return {
        "name": entry["name"],
        "dataset": entry["dataset"],
        "variant": entry["variant"],
        "metric": metric,
        "runs": [run.path.name for run in runs],
        "figures": describe(
            values, level=_LEVEL, ceiling=measure(metric).ceiling, floor=measure(metric).floor
        ).to_dict(),
    }


def _lonely(
    groups: Sequence[Mapping[str, Any]], comparisons: Sequence[Mapping[str, Any]]
) -> list[str]:
    compared = {found[side] for found in comparisons for side in ("first", "second")}
    alone = [group["name"] for group in groups if group["name"] not in compared]
    if not alone or len(groups) == 1:
        return [f"nothing to compare with, of the same data and split: {name}" for name in alone]
    tasks = sorted({str(group["task"]).replace("_", " ") for group in groups})
    other = f"; the runs are of different tasks: {', '.join(tasks)}" if len(tasks) > 1 else ""
    return [f"nothing to compare with, of the same data and split: {'; '.join(alone)}{other}"]


def _versions(runs: Sequence[Run]) -> list[str]:
    """A note where runs were made by different versions of what computes."""
    seen: dict[str, set[str]] = {}
    for run in runs:
        packages = run.environment.get("packages")
        for name, version in packages.items() if isinstance(packages, Mapping) else ():
            seen.setdefault(str(name), set()).add(str(version))
    differing = [
        f"{name} {' and '.join(sorted(seen[name]))}" for name in seen if len(seen[name]) > 1
    ]
    if not differing:
        return []
    return [f"made by different versions, whose results may differ: {', '.join(differing)}"]
