"""The tables of a split's audit, made once for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...metrics.measure import Measure
from ...metrics.measures import measure
from ...palette import class_colours
from ...printable import plain
from ..content import MOST_CLASSES_TERMINAL, baseline_name, count, hex_colour, percent
from ..document import Block, Cell, Column, Remarks, Table, Value, columns, pairs
from .verdict import Facts, distance_text, verdict_remarks

SCORES = ("overall_accuracy", "average_accuracy", "cohen_kappa")
#: How what is scored is called.
NAMES = {"position": baseline_name("position"), "map": "the map"}
_PARTS = (
    ("train", "training pixels"),
    ("validation", "validation pixels"),
    ("test", "test pixels"),
)


def audit_blocks(facts: Facts) -> list[Block]:
    """Everything about an audit for the terminal, the verdict last: nearest to the prompt.

    Args:
        facts: of the audit, see `tasks.auditing.split_audit`.
    """
    return [
        score_table(facts),
        pairs("What the split lets slip from training to test.", split_rows(facts)),
        distance_table(facts),
        class_table(facts, MOST_CLASSES_TERMINAL),
        Remarks(verdict_remarks(facts)),
    ]


def audit_title(facts: Facts) -> str:
    """The headline of an audit."""
    names = facts["names"]
    return f"Audit of {plain(names.get('split', 'a split'))}"


def score_table(facts: Facts) -> Table:
    """What position alone, the commonest class and the map score, with intervals."""
    measures = [measure(name) for name in SCORES]
    heads = [Column("answers by", number=False), *(Column(measure=each) for each in measures)]
    rows: list[list[Value]] = [
        [
            "the commonest class, always",
            Cell(measures[0].text(facts["commonest_class"]["overall_accuracy"])),
            None,
            None,
        ],
        [NAMES["position"], *(_cell(each, facts["position"]) for each in measures)],
    ]
    styles = ["baseline", "baseline"]
    if facts.get("map"):
        ahead = facts["map"]["minus_position"]
        rows.insert(0, [NAMES["map"], *(_cell(each, facts["map"]) for each in measures)])
        rows.append(["the map above position", *(_cell(e, ahead, signed=True) for e in measures)])
        styles = ["own", *styles, "other"]
    caption = f"Scores on the {count(facts['pixels']['test'])} test pixels, with intervals."
    return Table(caption, heads, rows, styles)


def _cell(known: Measure, scores: Mapping[str, Any], *, signed: bool = False) -> Cell:
    score = scores[known.name]
    value = score["value"]
    if value is None:
        return Cell(known.text(None))
    text = known.end_text(value, signed=True) if signed else known.text(value)
    note = ""
    if score["low"] is not None:
        ends = (known.end_text(score[end], signed=signed) for end in ("low", "high"))
        note = " to ".join(ends)
    return Cell(text, value, note)


def split_rows(facts: Facts) -> list[tuple[str, str]]:
    """The parts of a split and what it gives away, as (what, value)."""
    pixels, leakage = facts["pixels"], facts["leakage"]
    rows = [(words, count(pixels[part])) for part, words in _PARTS if pixels[part]]
    rows.append(("labelled pixels in no part", count(pixels["in_no_part"])))
    if pixels["shared"]:
        rows.append(("pixels in training and test", count(pixels["shared"])))
    distances = [f"{percent(share, 0)} %: {value}" for share, value in facts["distance_quantiles"]]
    ends = f"{leakage['min_distance']} to {leakage['max_distance']}"
    polygons, window = leakage["polygons"], leakage["window"]
    divided = f"{count(polygons['divided'])} of {count(polygons['polygons'])}"
    rows += [
        ("distance to the nearest training pixel", f"{ends} px"),
        ("… of so many test pixels at most", f"{', '.join(distances)} px"),
        *(
            (
                f"test pixels with a training pixel in their {size} × {size} window",
                f"{percent(inside)} %",
            )
            for size, inside, _ in facts["windows"]
            if size == window or size in (3, 9, 25)
        ),
        (f"{window} × {window} windows overlapping one of training", _overlapping(facts)),
        (f"{facts['areas']['are']}, divided", divided),
        ("test pixels in these", f"{percent(polygons['test_in_training_polygons'])} %"),
    ]
    identical = facts.get("identical_spectra")
    if identical:
        found = f"{count(identical['identical'])} of {count(identical['compared'])}"
        rows.append(("test spectra that training has as well", found))
    return rows


def _overlapping(facts: Facts) -> str:
    return f"{percent(facts['leakage']['windows_overlapping'])} %"


def distance_table(facts: Facts) -> Table:
    """The accuracy of position alone and of the map by the distance to training."""
    known = measure("overall_accuracy")
    kinds = [name for name in NAMES if name in facts["by_distance"][0]]
    heads = [
        Column("distance to training", number=False),
        Column("test pixels"),
        Column("share, %"),
    ]
    heads += [Column(f"{NAMES[name]}: {known.heading}") for name in kinds]
    tested = facts["pixels"]["test"]
    rows: list[list[Value]] = [
        [
            distance_text(row["from"], row["to"]),
            row["pixels"],
            Cell(percent(row["pixels"] / tested, 1), row["pixels"]),
            *(_cell(known, {known.name: row[name]}) for name in kinds),
        ]
        for row in facts["by_distance"]
    ]
    return Table("Overall accuracy by the distance to the nearest training pixel.", heads, rows)


def window_table(facts: Facts) -> Table:
    """What classifiers with windows of other sizes see."""
    heads = columns("window", "holds a training pixel, %", "overlaps one of training, %")
    rows: list[list[Value]] = [
        [f"{window} × {window}", Cell(percent(inside), inside), Cell(percent(over), over)]
        for window, inside, over in facts["windows"]
    ]
    chosen = facts["leakage"]["window"]
    styles = ["own" if window == chosen else "model" for window, *_ in facts["windows"]]
    caption = "Shares of the test pixels by the window that a classifier sees around each."
    return Table(caption, heads, rows, styles)


def class_table(facts: Facts, most: int | None = None) -> Table:
    """The pixels of each class in training and in the test."""
    classes = facts["classes"]
    shown = classes if most is None else classes[:most]
    left = f" The first {len(shown)} of {len(classes)}." if len(shown) < len(classes) else ""
    totals = [max(sum(each[part] for each in classes), 1) for part in ("train", "test")]
    colours = class_colours(max(each["label"] for each in classes))
    heads = columns("class", "training", "share, %", "test", "share, %")
    rows: list[list[Value]] = []
    for each in shown:
        row: list[Value] = [Cell(plain(each["name"]), colour=hex_colour(colours[each["label"]]))]
        for part, total in zip(("train", "test"), totals, strict=True):
            style = "" if each[part] else "strong"
            row += [Cell(count(each[part]), each[part], style=style)]
            row += [Cell(percent(each[part] / total, 1), each[part])]
        rows.append(row)
    caption = f"Pixels of each class on both sides; validation counts as training.{left}"
    return Table(caption, heads, rows, style="classes")


def named_rows(facts: Facts) -> list[tuple[str, str]]:
    """What was audited, as (what, value)."""
    rows = [(key, plain(value)) for key, value in facts["names"].items()]
    return [*rows, ("size", " × ".join(map(str, facts["shape"])))]
