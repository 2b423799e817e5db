"""The scores of each class as a figure of its own."""

from __future__ import annotations

from functools import partial

from ..palette import class_colours
from ..printable import plain
from .content import MOST_CLASSES, Metrics, classes_note, hex_colour, shown_classes
from .figures import class_scores_figure
from .paper.figure import PaperFigure, fitted


def class_figure(metrics: Metrics) -> PaperFigure:
    """Precision, recall and F1 of each class on the test part; of many classes of the worst.

    Args:
        metrics: the content of a run's metrics.json.
    """
    classes, shown = metrics["classes"], shown_classes(metrics, MOST_CLASSES)
    # Images have no map; their classes are counted.
    labels = [entry.get("label", place + 1) for place, entry in enumerate(classes)]
    palette = class_colours(max(labels, default=0))
    drawing = class_scores_figure(
        [plain(classes[place]["name"]) for place in shown],
        [hex_colour(palette[labels[place]]) for place in shown],
        [metrics["test"]["per_class"][place] for place in shown],
    )
    caption = "Precision, recall and F1 of each class on the test part, in percent. "
    caption = f"{caption}{classes_note(metrics, MOST_CLASSES)}".strip()
    width = float(drawing.get_size_inches()[0])
    return PaperFigure("class_scores", caption, partial(fitted, drawing), width)
