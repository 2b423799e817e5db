"""The tables and remarks of a retriever, made once for the terminal and the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...metrics.measures import measure
from ...printable import plain
from ..content import (
    MOST_CLASSES,
    Metrics,
    baseline_name,
    count,
    enumerate_names,
    percent,
    unverified_mark,
)
from ..document import Block, Column, Remark, Remarks, Table, Value, columns, pairs
from ..verdict import SLOWER, first_remarks

MAP = "mean_average_precision"
_MACRO = "macro_average_precision"
_GAIN = "normalised_discounted_cumulative_gain"
_PARTS = ("train", "validation", "test")


def retrieval_blocks(metrics: Metrics) -> list[Block]:
    """Everything about a run for the terminal, the remarks last: nearest to the prompt.

    Args:
        metrics: the content of a run's metrics.json.
    """
    return [
        settings_table(metrics, "pairs"),
        score_table(metrics, retrieval_heading(metrics)),
        method_table(metrics, "mean average precision, %", macro=False),
        Remarks(retrieval_remarks(metrics)),
    ]


def direction_words(direction: str, pair: Sequence[str]) -> str:
    """`spectrum → rgb` of `spectrum_to_rgb`."""
    first, second = (plain(name) for name in pair)
    if direction != f"{pair[0]}_to_{pair[1]}":
        first, second = second, first
    return f"{first} → {second}"


def retrieval_heading(metrics: Metrics) -> str:
    """Model, pair and data set in one line."""
    first, second = (plain(name) for name in metrics["pair"])
    dataset = plain(metrics["dataset"])
    if metrics["synthetic"] and "synthetic" not in dataset:
        dataset += " (synthetic)"
    dataset += unverified_mark(metrics)
    return f"{plain(metrics['model'])}, {first} ↔ {second}, on {dataset}"


def _directions(metrics: Metrics) -> list[str]:
    return [direction_words(name, metrics["pair"]) for name in metrics["directions"]]


def method_table(metrics: Metrics, caption: str, *, macro: bool) -> Table:
    """Mean average precision of the run and of every baseline, both directions, best first.

    Args:
        metrics: the content of a run's metrics.json.
        caption: of the table.
        macro: also the mean over classes.
    """
    keys = {MAP: "", _MACRO: ", macro"} if macro else {MAP: ""}
    heads = [Column("method", number=False)]
    heads += [
        Column(f"{words}{more}", measure=measure(key))
        for key, more in keys.items()
        for words in _directions(metrics)
    ]

    def row(name: str, table: Metrics) -> list[Value]:
        parts = [table.get(direction, {}) for direction in metrics["directions"]]
        return [name, *(part.get(key) for key in keys for part in parts)]

    baselines = metrics["baselines"]
    rows = [row(metrics["model"], metrics["test"])]
    for name in sorted(baselines, key=lambda name: -_mean(baselines[name])):
        rows.append(row(baseline_name(name), baselines[name]))
    return Table(caption, heads, rows, ["own"] + [""] * len(baselines))


def score_table(metrics: Metrics, caption: str) -> Table:
    """Every score of the run: name and unit, then both directions."""
    names = sorted(next(iter(metrics["test"].values())), key=_score_order)
    rows: list[list[Value]] = [
        [
            measure(name).heading,
            *(measure(name).text(metrics["test"][d].get(name)) for d in metrics["directions"]),
        ]
        for name in names
    ]
    return Table(caption, columns("score", *_directions(metrics)), rows)


def class_table(metrics: Metrics) -> Table:
    """Number of training, validation and test pairs of each class; of many the first."""
    rows: list[list[Value]] = [
        [entry["name"], *(entry[part] for part in _PARTS)]
        for entry in metrics["classes"][:MOST_CLASSES]
    ]
    more = len(metrics["classes"]) - len(rows)
    if more:
        rows.append([f"and {count(more)} more, in metrics.json", *[""] * len(_PARTS)])
    heads = columns("class", "training", "validation", "test")
    return Table("Pairs of each class in each part.", heads, rows, style="classes")


def settings_table(metrics: Metrics, caption: str) -> Table:
    """How the space was learnt and what the pairs are."""
    split, loss = metrics["split"], metrics["loss"]
    rows = [("encoders", enumerate_names(metrics["encoders"]))]
    label = "label distance" if loss["label"] == "distance" else "cross-entropy"
    weights = f"{loss['discrimination']:g} J2 + {loss['invariance']:g} J3"
    rows.append(("loss", f"{label} + {weights}"))
    rows.append(("pairs", ", ".join(f"{count(split[part])} {part}" for part in _PARTS)))
    for place, name in zip(("extra_first", "extra_second"), metrics["pair"], strict=True):
        if split[place]:
            rows.append((f"unpaired {plain(name)} items", f"{count(split[place])} in the gallery"))
    if split["kind"] == "disjoint":
        rows.append(("split", f"disjoint, {split['guard']} pixels between the parts"))
    else:
        rows.append(("split", plain(split["kind"])))
    if metrics["window"]:
        rows.append(("patches", f"{metrics['window']} × {metrics['window']} pixels"))
    rows.append(("similarity", _similarity(metrics)))
    if metrics["multi_label"]:
        rows.append(("relevant", "items that share a class"))
    return pairs(caption, rows)


def retrieval_remarks(metrics: Metrics) -> list[Remark]:
    """What the scores say, the most important first."""
    own, precision = _mean(metrics["test"]), measure(MAP)
    rivals = {name: _mean(table) for name, table in metrics["baselines"].items()}
    best = max(rivals, key=lambda name: rivals[name])
    words = baseline_name(best)
    beaten = own > rivals[best]
    remarks = [
        *first_remarks(metrics),
        Remark(
            f"{retrieval_heading(metrics)}: {precision.title} {precision.with_unit(own)} over both "
            f"directions; the best of the simpler methods, {words}, reaches "
            f"{precision.with_unit(rivals[best])}"
            + ("." if beaten else ", which is no less: it is the better choice here."),
            warning=not beaten,
        ),
    ]
    if own <= rivals.get("chance", -1):
        text = (
            f"{plain(metrics['model'])} is no better than chance: it has learnt nothing. {SLOWER}"
        )
        remarks.append(Remark(text, warning=True))
    if metrics["split"]["kind"] == "random" and metrics["leakage"] is not None:
        share = percent(metrics["leakage"]["windows_overlapping"], 0)
        remarks.append(
            Remark(
                f"The parts were drawn at random: the patches of {share} % of the test pairs "
                "overlap those learnt from, so the scores measure memory of the neighbourhood.",
                warning=True,
            )
        )
    for name, reason in metrics["not_applicable"].items():
        remarks.append(Remark(f"No {baseline_name(name)}: {plain(reason)}."))
    missing = [entry["name"] for entry in metrics["classes"] if not entry["test"]]
    if missing:
        remarks.append(Remark(f"Without test pairs: {enumerate_names(missing)}.", warning=True))
    if metrics["thresholds"]:
        remarks.append(
            Remark(
                "Of validation queries, all of known classes, 95 % found a match of at least "
                + enumerate_names(
                    f"{value:.2f} ({direction_words(direction, metrics['pair'])})"
                    for direction, value in metrics["thresholds"].items()
                )
                + "; whatever lies below may be of no class that was learnt."
            )
        )
    return remarks


def _mean(table: Metrics) -> float:
    return float(np.mean([scores[MAP] for scores in table.values()]))


def _similarity(metrics: Metrics) -> str:
    share = metrics["label_share"]
    if not share:
        return "cosine of the common representations"
    labels = f"predicted labels (sharpness {metrics['sharpness']:g})"
    if share == 1:
        return labels
    return f"{percent(1 - share, 0)} % common representation, {percent(share, 0)} % {labels}"


def _score_order(name: str) -> tuple[int, int]:
    """Whole rankings first, then cut-offs by their lengths, then what else there is."""
    head, _, k = name.rpartition("_at_")
    heads = (MAP, _MACRO, _GAIN)
    if name in heads:
        return heads.index(name), 0
    return (2 + head.startswith("recall"), int(k)) if k.isdigit() and head else (4, 0)
