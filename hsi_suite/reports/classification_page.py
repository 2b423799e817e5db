"""The page of a classification run: one file that needs nothing else and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..metrics.measure import Measure
from ..printable import plain
from .confusions import confusion_part
from .content import (
    MOST_CLASSES,
    Metrics,
    audit_rows,
    baseline_name,
    class_rows,
    classes_note,
    count,
    heading,
    ordered_baselines,
    overall_measures,
    score_rows,
    split_rows,
)
from .figures import distance_figure
from .page import (
    Picture,
    RunPage,
    chart,
    curves_chart,
    photograph,
    render_page,
)
from .verdict import verdict

_CAPTIONS = {
    "map": "False colour, ground truth and classification map, in the colours of the legend.",
    "disagreement": "Where the models of several runs disagree.",
}


@dataclass(frozen=True)
class ClassificationReport(RunPage):
    """What the page of a run is made of, beside what all pages are.

    Attributes:
        title: headline of the page.
        figures: PNG files by name, "map" first; empty leaves the section out.
        published: figures from the literature to set beside the run's: method, setting (data and
            split), source, and overall_accuracy, average_accuracy, cohen_kappa as shares of
            0 … 1 or None, each optionally with its standard deviation under …_std.
    """

    title: str
    figures: Mapping[str, bytes] = field(default_factory=dict)
    published: Sequence[Mapping[str, Any]] | None = None


def classification_report(content: ClassificationReport) -> str:
    """The page as HTML text: no script, nothing loaded, readable in light, dark and print.

    Whatever names and texts hold, they are shown as text: the template escapes them and the
    page's security policy allows nothing but its own style and its embedded images.
    """
    return render_page("classification.html", _page(content))


def _page(content: ClassificationReport) -> dict[str, Any]:
    metrics = content.metrics
    columns = overall_measures(metrics["test"])
    return {
        "title": plain(content.title),
        "heading": heading(metrics),
        "parameters": count(metrics["parameters"]) if metrics.get("parameters") else "",
        "verdict": verdict(metrics),
        "columns": [each.heading for each in columns],
        "scores": score_rows(metrics),
        "published": [_published_row(entry, columns) for entry in content.published or ()],
        "pictures": [_picture(name, png, metrics) for name, png in content.figures.items()],
        "classes": class_rows(metrics, MOST_CLASSES),
        "classes_note": classes_note(metrics, MOST_CLASSES),
        "baselines": [baseline_name(key) for key in ordered_baselines(metrics)],
        "confusion": confusion_part(metrics, "pixels"),
        "curves": curves_chart(content.history, metrics.get("epoch")),
        "split": split_rows(metrics),
        "audit": audit_rows(metrics),
        "distances": _distances(metrics),
        **content.common_values(),
    }


def _published_row(entry: Mapping[str, Any], columns: Sequence[Measure]) -> dict[str, Any]:
    figures = []
    for each in columns:
        std = entry.get(f"{each.name}_std")
        text = each.text(entry.get(each.name))
        figures.append(text if std is None else f"{text} ± {each.size_text(std)}")
    return {
        **{key: plain(entry[key]) for key in ("method", "setting", "source")},
        "figures": figures,
    }


def _picture(name: str, png: bytes, metrics: Metrics) -> Picture:
    caption = _CAPTIONS.get(name, plain(name))
    return photograph(png, f"{heading(metrics)}: {caption}", caption)


def _distances(metrics: Metrics) -> Picture:
    leakage = metrics["leakage"]
    caption = (
        "How far test pixels are from the nearest training pixel: "
        f"half of them {leakage['median_distance']:g} pixels or less, "
        f"none more than {leakage['max_distance']}."
    )
    return chart(distance_figure(leakage["histogram"]), f"Histogram. {caption}", caption)
