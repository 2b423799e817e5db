"""The page of a classification of a scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ...data.scene_list import file_name
from ...reports.areas import areas_blocks
from ...reports.bands import bands_section
from ...reports.choices import choice_section
from ...reports.classification import (
    Published,
    class_table,
    heading,
    published_table,
    scenes_table,
    score_table,
    split_tables,
    split_words,
)
from ...reports.confusions import confusion_section
from ...reports.content import (
    MOST_CLASSES,
    Metrics,
    classes_note,
    count,
    overall_measures,
    unverified_mark,
)
from ...reports.document import Block, Document, Figure, Remarks, Section
from ...reports.figures import distance_figure
from ...reports.folds import folds_table
from ...reports.guards import guard_chart
from ...reports.pictures import chart, curves_section, photograph
from ...reports.probabilities import probability_section
from ...reports.verdict import verdict
from ...runs.folder import AREAS, MAP_PICTURE
from ...runs.pages import PageFacts, picture_of
from ...schemas.areas import read_areas
from ...schemas.classification import ClassificationConfig
from .published import published_scores

MAPS = "maps"
"""The folder of the maps of several scenes."""
_MOST_PICTURES = 12


def page(facts: PageFacts) -> Document:
    """See `runs.task.Task.page`."""
    config = cast(ClassificationConfig, facts.config)
    published = published_scores(facts.metrics, config) or ()
    areas = read_areas(facts.run.path / AREAS)
    return classification_page(
        facts.metrics, facts.history, _pictures(facts), published, areas, facts.cost
    )


def _pictures(facts: PageFacts) -> list[tuple[str, bytes]]:
    """The pictures of a run's map by scene; of many scenes one of all, and of one under ""."""
    names = [each["name"] for each in facts.metrics.get("scenes") or ()]
    own = [(name, picture_of(facts.run, f"{MAPS}/{file_name(name)}.png")) for name in names]
    found = [(name, picture) for name, picture in own if picture is not None]
    if found and len(names) <= _MOST_PICTURES:
        return found
    whole = picture_of(facts.run, MAP_PICTURE)
    return [] if whole is None else [("", whole)]


def classification_page(
    metrics: Metrics,
    history: Sequence[Mapping[str, Any]],
    scene_maps: Sequence[tuple[str, bytes]],
    published: Published,
    areas: Mapping[str, Any] | None = None,
    cost: Mapping[str, Any] | None = None,
) -> Document:
    """The page of a run.

    Args:
        metrics: the content of its metrics.json.
        history: a row of values for each epoch.
        scene_maps: PNG of its map, at twice its size, or of the map of each of several scenes,
            whose name stands before it.
        published: scores from the literature to set beside the run's, see `published_table`.
        areas: the content of its areas.json; None leaves them out.
        cost: the content of its cost.json.
    """
    note = classes_note(metrics, MOST_CLASSES)
    caption = (
        "Precision, recall and F1 of each class on the test pixels, in percent. A dash marks what "
        f"is undefined. {note}"
    ).strip()
    return Document(
        run_title(metrics),
        _subtitle(metrics),
        [
            Section("", [Remarks(verdict(metrics))]),
            Section("Accuracies", _accuracies(metrics, published)),
            *choice_section(metrics, cost or {}),
            *_maps(scene_maps, metrics),
            Section("Classes", [class_table(metrics, caption, MOST_CLASSES, baselines=True)]),
            confusion_section(metrics, "pixels"),
            *probability_section(metrics),
            *([] if areas is None else [Section("Areas", areas_blocks(areas))]),
            *curves_section(history, *_kept(metrics)),
            *bands_section(metrics),
            Section("Split and leakage audit", _split(metrics)),
        ],
    )


def _subtitle(metrics: Metrics) -> str:
    parts = [f"Classification of a {'synthetic ' if metrics['synthetic'] else ''}scene"]
    if parameters := metrics.get("parameters"):
        parts.append(f"{count(parameters)} parameters")
    if side := metrics.get("filter"):
        parts.append(f"answers averaged over {side} × {side} pixels that look alike")
    return " · ".join(parts)


def _split(metrics: Metrics) -> list[Block]:
    return [*split_tables(metrics), *_distances(metrics), *guard_chart(metrics)]


def _kept(metrics: Metrics) -> tuple[int | None, str]:
    """Whose model was kept, and what to know of the curves."""
    if not metrics.get("folds"):
        return metrics.get("epoch"), ""
    return None, "The values are means over the folds; fold_N.json has those of each."


def run_title(metrics: Metrics) -> str:
    """The headline of a classification's page and maps."""
    dataset = f"{metrics['dataset']}{unverified_mark(metrics)}"
    return f"{metrics['model']} on {dataset}, {split_words(metrics)}, seed {metrics['seed']}"


def _accuracies(metrics: Metrics, published: Published) -> list[Block]:
    others = [name for name in metrics.get("baselines", ()) if name != "position"]
    trained = {0: "", 1: "The baseline was trained and tested on the same split."}.get(
        len(others), "The baselines were trained and tested on the same split."
    )
    own = score_table(metrics, f"Scores over the classes that are learnt. {trained}".strip())
    by_scene = [*folds_table(metrics), *scenes_table(metrics)]
    if not published:
        return [own, *by_scene]
    caption = "Published scores, for comparison. They were measured by others, on their splits."
    return [own, *by_scene, published_table(published, overall_measures(metrics["test"]), caption)]


def _maps(pictures: Sequence[tuple[str, bytes]], metrics: Metrics) -> list[Section]:
    if not pictures:
        return []
    figures = [_map(png, metrics, name) for name, png in pictures]
    return [Section("Map" if len(figures) == 1 else "Maps", figures)]


def _map(png: bytes, metrics: Metrics, name: str) -> Figure:
    caption = "False colour, ground truth and classification map, in the colours of the legend."
    if metrics.get("folds"):
        caption += (
            " Each pixel of the map is answered by the model of the fold it lies in, which did not "
            "learn it; an unlabelled one by that of its nearest labelled pixel's fold."
        )
    if name:
        caption = f"{name}. {caption}"
    return photograph(png, f"{heading(metrics)}: {caption}", caption)


def _distances(metrics: Metrics) -> list[Figure]:
    leakage = metrics["leakage"]
    if leakage["median_distance"] is None:
        return []
    caption = (
        "How far test pixels are from the nearest training pixel: "
        f"half of them {leakage['median_distance']:g} pixels or less, "
        f"none more than {leakage['max_distance']}."
    )
    if leakage.get("in_other_scenes"):
        caption += " Test pixels in scenes without training pixels are not counted."
    drawing = distance_figure(leakage["histogram"])
    return [chart(drawing, f"Histogram. {caption}", caption, name="distances")]
