"""The tables of a classification of a scene, made once for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from ..metrics.measure import Measure
from ..metrics.measures import measure
from ..palette import class_colours
from ..printable import plain
from .choices import choice_tables
from .content import (
    MOST_CLASSES_TERMINAL,
    Metrics,
    baseline_name,
    classes_note,
    count,
    hex_colour,
    ordered_baselines,
    overall_measures,
    percent,
    shown_classes,
    unverified_mark,
)
from .document import Block, Cell, Column, Remarks, Table, Value, pairs
from .folds import folds_table, untested_rows
from .probabilities import probability_blocks
from .searches import searched_scores
from .split_level import DISJOINT, run_level
from .verdict import verdict

Published = Sequence[Mapping[str, Any]]
_MOST_REASONS = 50
_DISTANCE = "distance to the nearest training pixel"
_SIDES = (("training", "train"), ("test", "test"))
_HEADS = {"precision": "precision", "recall": "recall", "f1": "F1"}


def classification_blocks(metrics: Metrics) -> list[Block]:
    """Everything about a run for the terminal, the verdict last: nearest to the prompt.

    Args:
        metrics: the content of a run's metrics.json.
    """
    note = classes_note(metrics, MOST_CLASSES_TERMINAL)
    caption = f"classes, test pixels. {note}" if note else "classes, test pixels"
    return [
        score_table(metrics, heading(metrics)),
        *choice_tables(metrics),
        *folds_table(metrics),
        *scenes_table(metrics),
        class_table(metrics, caption, MOST_CLASSES_TERMINAL),
        *split_tables(metrics),
        *probability_blocks(metrics),
        Remarks(verdict(metrics)),
    ]


def heading(metrics: Metrics) -> str:
    """Model, data set and split in one line."""
    synthetic = " (synthetic scene)" if metrics["synthetic"] else ""
    synthetic += unverified_mark(metrics)
    model, dataset = plain(metrics["model"]), plain(metrics["dataset"])
    return f"{model} on {dataset}{synthetic}, {split_words(metrics)}"


def split_words(metrics: Metrics) -> str:
    """The kind of a run's split in words."""
    kind = plain(metrics["split"]["kind"])
    if kind == "spatial_folds":
        return "spatial cross-validation"
    level = run_level(metrics)
    if kind == DISJOINT and level is not None and level[0] != DISJOINT:
        return "split with a guard"
    return f"{kind} split"


def score_table(metrics: Metrics, caption: str) -> Table:
    """The model on the test part, the baselines on the same part, the model elsewhere."""
    model, measures = metrics["model"], overall_measures(metrics["test"])
    parts = [(model, metrics["test"], "own")]
    for key, scores in ordered_baselines(metrics).items():
        parts.append((_baseline(metrics, key), scores, "baseline"))
    for part, words in (("validation", "validation part"), ("train", "training part")):
        if metrics.get(part):
            parts.append((f"{model}, {words}", metrics[part], "other"))
    for name, found, _ in searched_scores(metrics):
        own = {"num_pixels": None, "overall_accuracy": found["score"]}
        parts.append((f"{name}, {found['folds']} folds of its search", own, "other"))
    heads = [Column("classifier", number=False), Column("pixels")]
    heads += [Column(measure=each) for each in measures]
    intervals = metrics.get("intervals") or {}
    known = {model: intervals.get("test") or {}}
    known |= {_baseline(metrics, k): v for k, v in (intervals.get("baselines") or {}).items()}
    rows: list[list[Value]] = [
        [
            name,
            scores["num_pixels"],
            *(_score(each, scores.get(each.name), known.get(name, {})) for each in measures),
        ]
        for name, scores, _ in parts
    ]
    return Table(caption, heads, rows, [style for *_, style in parts])


def _score(known: Measure, value: float | None, intervals: Metrics) -> Value:
    """A score, with the limits of its interval where it has one."""
    found = intervals.get(known.name)
    if value is None or not found or found["low"] is None:
        return value
    note = " to ".join(known.end_text(found[end]) for end in ("low", "high"))
    return Cell(known.text(value), value, note)


def _baseline(metrics: Metrics, key: str) -> str:
    """How a baseline is called; where no test pixel has a training pixel in its scene, as it is."""
    elsewhere = (metrics.get("leakage") or {}).get("in_other_scenes")
    if key == "position" and elsewhere == 1:
        return "commonest training class"
    return baseline_name(key)


def scenes_table(metrics: Metrics) -> list[Table]:
    """What each of several scenes was for, and the scores on its test pixels; [] for one scene."""
    scenes = metrics.get("scenes")
    if not scenes:
        return []
    measures = [measure(name) for name in ("overall_accuracy", "average_accuracy", "cohen_kappa")]
    every = (("training", "train"), ("validation", "validation"), ("test", "test"))
    parts = [part for part in every if any(row[part[1]] for row in scenes)]
    heads = [Column("scene", number=False)]
    heads += [Column(f"{words} pixels") for words, _ in parts]
    heads += [Column(measure=each) for each in measures]
    rows = [
        (
            plain(row["name"]),
            *(row[key] for _, key in parts),
            *((row["test_scores"] or {}).get(each.name) for each in measures),
        )
        for row in scenes
    ]
    return [Table("The test pixels of each scene.", heads, rows)]


def published_table(
    published: Published, measures: Sequence[Measure], caption: str, *, sortable: bool = False
) -> Table:
    """Scores from the literature, beside their setting and source.

    Args:
        published: method, setting (data and split), source, and scores by their names as stored,
            shares of 0 … 1 or None, each optionally with its standard deviation under …_std.
        measures: the scores to show.
        caption: of the table.
        sortable: whether a reader may order it.
    """
    heads = [Column("method", number=False), Column("setting", number=False)]
    heads += [Column(measure=each) for each in measures] + [Column("source", number=False)]
    rows: list[list[Value]] = []
    for entry in published:
        row: list[Value] = [entry["method"], entry["setting"]]
        for each in measures:
            value, std = entry.get(each.name), entry.get(f"{each.name}_std")
            spread = "" if value is None or std is None else f" ± {each.size_text(std)}"
            row.append(Cell(each.text(value) + spread, value))
        rows.append([*row, entry["source"]])
    return Table(caption, heads, rows, style="published", sortable=sortable)


def class_table(
    metrics: Metrics, caption: str, most: int | None, *, baselines: bool = False
) -> Table:
    """Precision, recall and F1 of each class, led by its colour in the map.

    Args:
        metrics: the content of a run's metrics.json.
        caption: of the table.
        most: of more classes than these the worst alone, see `shown_classes`; None for all.
        baselines: also what each baseline recalls.
    """
    classes, tested = metrics["classes"], metrics["test"]["per_class"]
    learned = (metrics.get("train") or {}).get("per_class")
    palette = class_colours(max((entry["label"] for entry in classes), default=0))
    others = ordered_baselines(metrics) if baselines else {}
    names = ("precision", "recall", "f1")
    heads = [Column("class", number=False)]
    times = ", in all folds" if metrics.get("folds") else ""
    heads += [
        Column(f"{part} pixels{times if short == 'train' else ''}", short=short)
        for part, short in _SIDES
    ]
    heads += [Column(_HEADS[name], measure=measure(name)) for name in names]
    heads += [
        Column(f"recall of {_baseline(metrics, k)}", measure=measure("recall")) for k in others
    ]
    rows: list[list[Value]] = []
    for index in shown_classes(metrics, most):
        entry, scores = classes[index], tested[index]
        colour = hex_colour(palette[entry["label"]])
        row: list[Value] = [Cell(entry["name"], colour=colour)]
        row += [learned[index]["support"] if learned else None, scores["support"]]
        row += [scores[name] for name in names]
        rows.append([*row, *(each["per_class"][index]["recall"] for each in others.values())])
    return Table(caption, heads, rows, style="classes")


def split_tables(metrics: Metrics) -> list[Table]:
    """How the pixels were divided, and what that lets slip from training to test."""
    return [
        pairs("How the labelled pixels were divided.", split_rows(metrics)),
        pairs("What the split lets slip from training to test.", audit_rows(metrics)),
    ]


def split_rows(metrics: Metrics) -> list[tuple[str, str]]:
    """How the pixels were divided, as (what, value)."""
    split = metrics["split"]
    rows = [("labels", plain(remark)) for remark in metrics.get("label_remarks") or ()]
    rows.append(("kind", plain(split["kind"])))
    if split.get("layout"):
        rows.append(("partition", plain(split["layout"])))
    if split.get("guard"):
        rows.append(("guard", f"{split['guard']} pixels kept free around the test pixels"))
    parts = ("train", "training"), ("validation", "validation"), ("test", "test")
    mean = " of a fold, on average" if split.get("folds") else ""
    rows += [
        (f"{words} pixels{mean if part != 'test' else ''}", count(split[part]))
        for part, words in parts
        if split.get(part)
    ]
    rows += untested_rows(split.get("untested") or {})
    for key, words in (("dropped", "class left out"), ("train_only", "learned, not tested")):
        reasons = split.get(key) or {}
        rows += [
            (words, f"{plain(name)}: {plain(reason)}")
            for name, reason in islice(reasons.items(), _MOST_REASONS)
        ]
        if len(reasons) > _MOST_REASONS:
            rows.append((words, f"{count(len(reasons) - _MOST_REASONS)} more"))
    lost = {name: pixels for name, pixels in (split.get("lost") or {}).items() if pixels}
    if lost:
        named = [
            f"{plain(name)} {count(pixels)}" for name, pixels in islice(lost.items(), _MOST_REASONS)
        ]
        if len(lost) > _MOST_REASONS:
            named.append(f"{count(len(lost) - _MOST_REASONS)} more")
        rows.append(
            ("lost to the guard", f"{count(sum(lost.values()))} pixels ({', '.join(named)})")
        )
    return rows


def audit_rows(metrics: Metrics) -> list[tuple[str, str]]:
    """What the split lets slip from training to test, as (what, value)."""
    leakage = metrics["leakage"]
    nearest, median, farthest = (leakage[f"{key}_distance"] for key in ("min", "median", "max"))
    return [
        ("window", f"{leakage['window']} × {leakage['window']} pixels"),
        ("test pixels inside a training window", _share(leakage["test_inside_training_window"])),
        ("test windows overlapping a training window", _share(leakage["windows_overlapping"])),
        ("test pixels within 1 pixel of training", _share(leakage["within_one_pixel"])),
        *_scene_rows(leakage),
        *([] if median is None else [(_DISTANCE, f"{nearest} … {farthest}, median {median:g} px")]),
        *_polygon_rows(leakage.get("polygons")),
        *_level_rows(metrics),
    ]


def _level_rows(metrics: Metrics) -> list[tuple[str, str]]:
    found = run_level(metrics)
    return [] if found is None else [("by the audit's rule", found[0])]


def _scene_rows(leakage: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = (
        ("in_other_scenes", "test pixels in scenes without training pixels"),
        ("on_training_ground", "test pixels on the ground of training in another scene"),
        ("identical_spectra", "test pixels with the very spectrum of a training pixel"),
    )
    return [(words, _share(leakage[key])) for key, words in rows if leakage.get(key) is not None]


def _polygon_rows(polygons: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    if not polygons:
        return []
    divided = f"{count(polygons['divided'])} of {count(polygons['polygons'])}"
    return [
        ("polygons on both sides", divided),
        ("test pixels in polygons of training", _share(polygons["test_in_training_polygons"])),
    ]


def _share(value: float) -> str:
    return f"{percent(value)} %"
