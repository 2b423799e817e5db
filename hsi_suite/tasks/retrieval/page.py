"""The page of a training for retrieval."""

from __future__ import annotations

from ...metrics.measures import measure
from ...reports.bands import bands_section
from ...reports.content import Metrics, count, enumerate_names
from ...reports.document import Document, Figure, Remarks, Section
from ...reports.pictures import chart, curves_section, photograph
from ...reports.retrieval.content import (
    MAP,
    class_table,
    direction_words,
    method_table,
    retrieval_heading,
    retrieval_remarks,
    score_table,
    settings_table,
)
from ...reports.retrieval.figures import precision_recall_figure
from ...runs.pages import PageFacts, picture_of

PROJECTION = "projection.png"


def page(facts: PageFacts) -> Document:
    """See `runs.task.Task.page`."""
    metrics = facts.metrics
    png = picture_of(facts.run, PROJECTION)
    plane = (
        "Test items of both modalities, as they lie in the common space, on its first two "
        "principal components. Items of one class should lie together in both panels."
    )
    space = (
        [] if png is None else [photograph(png, f"Two scatter plots. {plane}", plane, "projection")]
    )
    methods = (
        "Mean average precision over the full ranking of the test gallery, in percent: as the "
        "mean over the queries, and (macro) as the mean over their classes. All methods were "
        "tuned on the validation part alone."
    )
    scores = (
        "On the test part. Recall at k is the share of queries with a relevant item among the "
        "first k."
    )
    return Document(
        f"{retrieval_heading(metrics)}, seed {metrics['seed']}",
        f"Cross-modal retrieval · {count(metrics['parameters'])} parameters · "
        f"{metrics['embedding_size']} dimensions",
        [
            Section("", [Remarks(retrieval_remarks(metrics))]),
            Section("Against simpler methods", [method_table(metrics, methods, macro=True)]),
            Section("Scores", [score_table(metrics, scores), _recall(metrics)]),
            *([Section("Common space", space)] if space else []),
            *curves_section(facts.history, metrics["epoch"]),
            *bands_section(metrics),
            Section(
                "Pairs",
                [settings_table(metrics, "What was learnt from and how."), class_table(metrics)],
            ),
        ],
    )


def _recall(metrics: Metrics) -> Figure:
    said = enumerate_names(
        f"{direction_words(name, metrics['pair'])} "
        f"{measure(MAP).with_unit(metrics['test'][name][MAP])}"
        for name in metrics["directions"]
    )
    caption = (
        f"Precision against recall, averaged over the queries; mean average precision {said}. "
        "The dashed line is what random rankings reach on average."
    )
    return chart(
        precision_recall_figure(metrics), f"A chart. {caption}", caption, name="precision_recall"
    )
