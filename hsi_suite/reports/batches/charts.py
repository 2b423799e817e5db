"""Charts of a batch: means with intervals, learning curves with bands, shares of variance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ...metrics.measures import measure
from ...palette import SERIES
from ...printable import plain, shortened
from ..content import metric_words
from ..drawing import FAINT, house_style
from .content import Contest, GroupFacts, contest_rows, entry_of
from .values import interval

_WIDTH = 9.6
_MOST_SERIES = 8
_LONGEST = 34
_FEW_EPOCHS = 30

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def means_figure(contests: Sequence[Contest]) -> Figure:
    """Runs, means and intervals of the headline metric, one panel for each data set and variant."""
    lines = [_lines(contest) for contest in contests]
    heights = [len(rows) + 1.1 for rows in lines]
    with house_style():
        figure = Figure(figsize=(_WIDTH, 0.3 * sum(heights) + 0.45 * len(heights)),
                        layout="constrained")  # fmt: skip
        panels = np.ravel(figure.subplots(len(contests), 1, height_ratios=heights, squeeze=False))
        for axes, contest, rows in zip(panels, contests, lines, strict=True):
            _draw_means(axes, contest, rows)
    return figure


def _lines(contest: Contest) -> list[tuple[str, str, Mapping[str, Any], list[float]]]:
    """Name, colour, entry and single values of each line of a panel, from the top."""
    key, rows = contest.headline, []
    for number, (name, kind, figures, facts) in enumerate(contest_rows(contest)):
        entry = entry_of(figures, key)
        if kind == "model":
            values = [run.scores.get(key) for run in facts.runs]
            known = [value for value in values if value is not None and math.isfinite(value)]
            rows.append((name, SERIES[number % len(SERIES)], entry, known))
        elif entry["mean"] is not None:
            rows.append((name, FAINT, entry, []))
    return rows


def _draw_means(
    axes: Axes,
    contest: Contest,
    rows: Sequence[tuple[str, str, Mapping[str, Any], Sequence[float]]],
) -> None:
    key = contest.headline
    for place, (_, colour, entry, values) in enumerate(rows):
        # Equal values would hide each other.
        shift = np.linspace(-0.16, 0.16, len(values)) if len(values) > 1 else np.zeros(len(values))
        axes.scatter([measure(key).scaled(v) for v in values], place + shift, s=13, color=colour,
                     alpha=0.55, linewidths=0, zorder=2)  # fmt: skip
        if entry["mean"] is None:
            continue
        ends = interval(entry)
        if ends is not None:
            low, high = (measure(key).scaled(end) for end in ends)
            axes.hlines(place, low, high, color=colour, linewidth=2.2, zorder=3)
        axes.scatter(
            measure(key).scaled(entry["mean"]), place, s=44, marker="D", color=colour, zorder=4
        )
    _draw_references(axes, contest)
    axes.set_yticks(range(len(rows)), [shortened(row[0], _LONGEST) for row in rows],
                    parse_math=False)  # fmt: skip
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_title(shortened(contest.title, 90), loc="left", parse_math=False, weight="bold")
    axes.set_xlabel(measure(key).heading, parse_math=False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.04)


def _draw_references(axes: Axes, contest: Contest) -> None:
    key = contest.headline
    for place, facts in enumerate(contest.groups):
        for entry in facts.published or ():
            same = str(entry["method"]).lower().replace("-", "") == facts.model.replace("-", "")
            if same and entry.get(key) is not None:
                axes.scatter(measure(key).scaled(entry[key]), place, s=60, marker="s", zorder=5,
                             facecolors="none", edgecolors=FAINT, linewidths=1.4)  # fmt: skip
    if contest.random_split:
        position = (contest.groups[0].baselines.get("position") or {}).get(key) or {}
        if position.get("mean") is not None:
            axes.axvline(
                measure(key).scaled(position["mean"]), color=FAINT, linestyle="--", linewidth=1.2
            )


def curve_keys(groups: Sequence[GroupFacts]) -> list[str]:
    """The figures of the histories that are drawn, at most four."""
    keys = dict.fromkeys(
        key for g in groups for run in g.runs for row in run.history for key in row
    )
    wanted = [key for key in keys if key not in ("epoch", "step", "learning_rate")]
    return [key for key in wanted if any(_matrix(g, key) is not None for g in groups)][:4]


def curve(facts: GroupFacts, key: str) -> Curve | None:
    """Epochs (from 1) and the figure, epochs × runs; NaN where a run has none."""
    values = _matrix(facts, key)
    return None if values is None else (np.arange(1, len(values) + 1, dtype=np.float64), values)


def _matrix(facts: GroupFacts, key: str) -> NDArray[np.float64] | None:
    histories = [run.history for run in facts.runs if run.history]
    length = max((len(history) for history in histories), default=0)
    values = np.full((length, len(histories)), math.nan)
    for column, history in enumerate(histories):
        for row, entry in enumerate(history):
            value = entry.get(key)
            values[row, column] = math.nan if value in (None, "") else float(value)
    values[~np.isfinite(values)] = math.nan
    return values if np.isfinite(values).any() else None


def centre_and_band(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean, lowest and highest of each epoch; NaN where no run has a value."""
    known = np.isfinite(values)
    counts = known.sum(1)
    mean = np.where(known, values, 0).sum(1) / np.maximum(counts, 1)
    lowest = np.where(known, values, np.inf).min(1)
    highest = np.where(known, values, -np.inf).max(1)
    empty = counts == 0
    mean[empty] = lowest[empty] = highest[empty] = math.nan
    return mean, lowest, highest


def curves_figure(groups: Sequence[GroupFacts], names: Sequence[str]) -> Figure:
    """Mean of each epoch with a band from the lowest to the highest run.

    Args:
        groups: at most eight, with something to draw (see `curve_keys`).
        names: one for each, for the legend.
    """
    keys = curve_keys(groups)
    columns = min(len(keys), 2)
    rows = math.ceil(len(keys) / columns)
    with house_style():
        figure = Figure(figsize=(_WIDTH, 2.9 * rows + 0.5), layout="constrained")
        panels = np.ravel(figure.subplots(rows, columns, squeeze=False))
        for axes in panels[len(keys) :]:
            axes.set_axis_off()
        for axes, key in zip(panels, keys, strict=False):
            _draw_curves(axes, groups, names, key)
        handles, labels = panels[0].get_legend_handles_labels()
        legend = figure.legend(
            handles, labels, loc="outside lower center", ncols=min(4, len(labels))
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
    return figure


def _draw_curves(axes: Axes, groups: Sequence[GroupFacts], names: Sequence[str], key: str) -> None:
    lowest_of_all, highest_of_all = math.inf, -math.inf
    for number, (facts, name) in enumerate(zip(groups[:_MOST_SERIES], names, strict=False)):
        found = curve(facts, key)
        colour = SERIES[number % len(SERIES)]
        epochs, values = found if found is not None else (np.zeros(0), np.zeros((0, 1)))
        mean, low, high = centre_and_band(values)
        axes.fill_between(epochs, low, high, color=colour, alpha=0.22, linewidth=0)
        marker = "." if len(epochs) <= _FEW_EPOCHS else ""
        label = shortened(name, _LONGEST)
        axes.plot(epochs, mean, color=colour, linewidth=1.7, marker=marker, label=label)
        if np.isfinite(low).any():
            lowest_of_all = min(lowest_of_all, float(np.nanmin(low)))
            highest_of_all = max(highest_of_all, float(np.nanmax(high)))
    axes.set(xlabel="epoch", title=metric_words(key))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if key.endswith("loss") and 0 < 20 * lowest_of_all < highest_of_all:
        axes.set_yscale("log")
    if key.endswith(("accuracy", "kappa")):
        axes.set_ylim(top=1.01)


def ordered_sources(entry: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The sources of chance, the one that spreads most first."""
    return sorted(entry["sources"].items(), key=lambda pair: -(pair[1]["std"] or 0))


def variance_figure(entry: Mapping[str, Any]) -> Figure:
    """Standard deviation that each source of chance brings, with its interval, and the share.

    Args:
        entry: of `summary.json`, see `metrics.variance.VarianceShares.to_dict`.
    """
    rows = [(plain(name), source["std"], source["std_interval"], source["share"])
            for name, source in ordered_sources(entry)]  # fmt: skip
    rows = [("all together", entry["total_std"], entry["total_std_interval"], None), *rows]
    identity = entry["scale"] == "identity"
    factor = measure(entry["metric"]).scaled(1.0) if identity else 1.0
    with house_style():
        figure = Figure(figsize=(_WIDTH, 0.42 * (len(rows) + 1) + 1.1), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
        for place, (_, std, limits, _) in enumerate(rows):
            colour = FAINT if place == 0 else SERIES[(place - 1) % len(SERIES)]
            if std is not None:
                left.scatter(factor * std, place, s=40, marker="D", color=colour, zorder=3)
            if limits is not None:
                left.hlines(place, factor * limits["low"], factor * limits["high"], color=colour,
                            linewidth=2.2)  # fmt: skip
        left.set_yticks([*range(len(rows)), len(rows)],
                        [*(shortened(row[0], _LONGEST) for row in rows), "remainder"],
                        parse_math=False)  # fmt: skip
        left.set_xlim(left=0)
        unit = measure(entry["metric"]).heading if identity else "logits"
        left.set_xlabel(f"standard deviation, {unit}", parse_math=False)
        left.set_title("spread, with its interval", loc="left")
        _draw_shares(right, entry, rows)
        left.set_ylim(len(rows) + 0.6, -0.6)
        left.grid(axis="y", visible=False)
    return figure


def _draw_shares(axes: Axes, entry: Mapping[str, Any], rows: Sequence[tuple[Any, ...]]) -> None:
    for place, (_, _, _, share) in enumerate(rows):
        if share is not None:
            axes.barh(place, 100 * share, height=0.6, color=SERIES[(place - 1) % len(SERIES)])
    # A bar below 0 would be a share of nothing; the page says what it is instead.
    rest = entry.get("remainder_share") or 0
    if rest > 0:
        axes.barh(len(rows), 100 * rest, height=0.6, color=FAINT, hatch="//", edgecolor="white")
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.set_xlabel("share of the variance of all together, %")
    axes.set_title("shares", loc="left")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
