"""The page of a classification of images."""

from __future__ import annotations

from ...reports.confusions import confusion_section
from ...reports.content import MOST_CLASSES, classes_note, count
from ...reports.document import Block, Document, Paragraph, Remarks, Section
from ...reports.images.content import (
    image_class_table,
    image_heading,
    image_remarks,
    image_score_table,
    image_split_table,
)
from ...reports.pictures import curves_section, photograph
from ...runs.pages import PageFacts, picture_of

MISTAKES = "mistakes.png"


def page(facts: PageFacts) -> Document:
    """See `runs.task.Task.page`."""
    metrics = facts.metrics
    note = classes_note(metrics, MOST_CLASSES)
    classes = (
        "Precision, recall and F1 of each class on the test images, in percent. A dash marks what "
        f"is undefined. {note}"
    ).strip()
    scores = "Scores over all classes; the 95 % interval is Wilson's, of the overall accuracy."
    return Document(
        f"{image_heading(metrics)}, seed {metrics['seed']}",
        f"Image classification · {count(metrics['parameters'])} parameters",
        [
            Section("", [Remarks(image_remarks(metrics))]),
            Section("Accuracies", [image_score_table(metrics, scores)]),
            Section("Surest mistakes", [_mistakes(picture_of(facts.run, MISTAKES))]),
            Section("Classes", [image_class_table(metrics, classes, MOST_CLASSES)]),
            confusion_section(metrics, "images"),
            *curves_section(facts.history, metrics["epoch"]),
            Section("Parts", [image_split_table(metrics)]),
        ],
    )


def _mistakes(png: bytes | None) -> Block:
    if png is None:
        return Paragraph("Every test image is classified right.")
    caption = (
        "Test images classified wrongly, the surest answers first: the true class, what it was "
        "taken for, the probability of that answer against that of the truth."
    )
    return photograph(png, f"A grid of images. {caption}", caption, "mistakes")
