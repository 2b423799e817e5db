"""The page of a classification run: one file that needs nothing else and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from .content import (
    UNDEFINED,
    Metrics,
    audit_rows,
    baseline_name,
    class_rows,
    count,
    heading,
    metric_words,
    ordered_baselines,
    percent,
    plain,
    score_rows,
    split_rows,
)
from .drawing import INK, data_uri, to_png, to_svg
from .figures import confusion_figure, distance_figure, has_curves, learning_curves_figure
from .verdict import verdict

_DARK_INK = "#d1d7e0"
_LARGEST_SVG = 400_000  # characters; a chart of more elements than that goes in as PNG
_LONGEST_LIST = 12
_CAPTIONS = {
    "map": "False colour, ground truth and classification map, in the colours of the legend.",
    "disagreement": "Where the models of several runs disagree.",
}


@dataclass(frozen=True)
class ClassificationReport:
    """What the page of a run is made of.

    Attributes:
        title: headline of the page.
        metrics: the content of metrics.json.
        history: a row of figures for each epoch; empty for models that do not train in epochs.
        environment: versions, device and threads, possibly nested.
        seeds: the seed of each stream.
        config_text: the resolved configuration, YAML.
        command: the command line that makes the run again.
        cost: time and memory.
        figures: PNG files by name, "map" first; empty leaves the section out.
        published: figures from the literature to set beside the run's: method, setting (data and
            split), source, and overall_accuracy, average_accuracy, cohen_kappa as shares of
            0 … 1 or None, each optionally with its standard deviation under …_std.
    """

    title: str
    metrics: Metrics
    history: Sequence[Mapping[str, Any]]
    environment: Mapping[str, Any]
    seeds: Mapping[str, Any]
    config_text: str
    command: str
    cost: Mapping[str, Any]
    figures: Mapping[str, bytes] = field(default_factory=dict)
    published: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class _Picture:
    """An image of the page: its data URI, that for dark pages, and its size in CSS pixels."""

    light: str
    dark: str
    width: int
    height: int
    alt: str
    caption: str


def classification_report(content: ClassificationReport) -> str:
    """The page as HTML text: no script, nothing loaded, readable in light, dark and print.

    Whatever names and texts hold, they are shown as text: the template escapes them and the
    page's security policy allows nothing but its own style and its embedded images.
    """
    templates = Environment(
        loader=PackageLoader(__package__ or "hsi_suite.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("classification.html").render(**_page(content))


def _page(content: ClassificationReport) -> dict[str, Any]:
    metrics = content.metrics
    style = (resources.files(__package__) / "templates" / "report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {
        "title": plain(content.title),
        "heading": heading(metrics),
        "parameters": count(metrics["parameters"]) if metrics.get("parameters") else "",
        # The style is our own file; escaping would break it and its checksum.
        "style": Markup(style),
        "style_digest": digest,
        "verdict": verdict(metrics),
        "scores": score_rows(metrics),
        "published": [_published_row(entry) for entry in content.published or ()],
        "pictures": [_picture(name, png, metrics) for name, png in content.figures.items()],
        "classes": class_rows(metrics),
        "baselines": [baseline_name(key) for key in ordered_baselines(metrics)],
        "confusion": _confusion(metrics),
        "confusion_rows": metrics["test"]["confusion_matrix"],
        "curves": _curves(content.history, metrics),
        "split": split_rows(metrics),
        "audit": audit_rows(metrics),
        "distances": _distances(metrics),
        "seeds": [
            (plain(stream), "derived from the base" if seed is None else _value(seed))
            for stream, seed in content.seeds.items()
        ],
        "environment": _flat(content.environment),
        "config_text": content.config_text.rstrip(),
        "command": content.command.strip(),
        "cost": _flat(content.cost),
    }


def _published_row(entry: Mapping[str, Any]) -> dict[str, str]:
    names = {"overall": "overall_accuracy", "average": "average_accuracy", "kappa": "cohen_kappa"}
    row = {key: plain(entry[key]) for key in ("method", "setting", "source")}
    for key, name in names.items():
        std = entry.get(f"{name}_std")
        row[key] = percent(entry.get(name)) + ("" if std is None else f" ± {percent(std)}")
    return row


def _picture(name: str, png: bytes, metrics: Metrics) -> _Picture:
    # Width and height stand at a fixed place in every PNG file. Maps are drawn at twice the
    # size they are shown at, so that they are sharp on dense screens.
    width, height = struct.unpack(">II", png[16:24])
    caption = _CAPTIONS.get(name, plain(name))
    uri = data_uri(png, "png")
    return _Picture(uri, uri, width // 2, height // 2, f"{heading(metrics)}: {caption}", caption)


def _chart(figure: Figure, alt: str, caption: str) -> _Picture:
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    svg = to_svg(figure)
    if len(svg) > _LARGEST_SVG:
        uri = data_uri(to_png(figure, 192), "png")
        return _Picture(uri, uri, width, height, alt, caption)
    light, dark = (data_uri(text, "svg+xml") for text in (svg, svg.replace(INK, _DARK_INK)))
    return _Picture(light, dark, width, height, alt, caption)


def _confusion(metrics: Metrics) -> _Picture:
    matrix = metrics["test"]["confusion_matrix"]
    figure = confusion_figure(matrix, [entry["name"] for entry in metrics["classes"]])
    caption = (
        "Test pixels by true class (rows) and predicted class (columns); the darker a cell, the "
        "larger its share of the true class, with small shares lifted to be seen."
    )
    hits = sum(row[index] for index, row in enumerate(matrix))
    total = sum(map(sum, matrix))
    alt = f"Confusion matrix: {count(hits)} of {count(total)} test pixels on the diagonal."
    return _chart(figure, alt, caption)


def _curves(history: Sequence[Mapping[str, Any]], metrics: Metrics) -> _Picture | None:
    if not has_curves(history):
        return None
    last = {key: value for key, value in history[-1].items() if key != "epoch"}
    ends = ", ".join(f"{metric_words(key)} {_value(value)}" for key, value in last.items())
    caption = f"Learning curves; after {len(history)} epochs: {ends}."
    if metrics.get("epoch"):
        caption += f" The model is that of epoch {metrics['epoch']}."
    alt = f"Learning curves over {len(history)} epochs."
    return _chart(learning_curves_figure(history), alt, caption)


def _distances(metrics: Metrics) -> _Picture:
    leakage = metrics["leakage"]
    caption = (
        "How far test pixels are from the nearest training pixel: "
        f"half of them {leakage['median_distance']:g} pixels or less, "
        f"none more than {leakage['max_distance']}."
    )
    return _chart(distance_figure(leakage["histogram"]), f"Histogram. {caption}", caption)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in tree.items():
        name = f"{prefix}{plain(key)}"
        if isinstance(value, Mapping):
            rows += _flat(value, f"{name}: ")
        else:
            rows.append((name, _value(value)))
    return rows


def _value(value: object) -> str:
    if value is None or value == "":
        return UNDEFINED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, list | tuple) and len(value) > _LONGEST_LIST:
        return f"{len(value)} values, {_value(min(value))} … {_value(max(value))}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value)) or UNDEFINED
    return plain(value)
