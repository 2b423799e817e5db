"""The page of a split's audit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..content import count, percent
from ..document import Document, Paragraph, Remarks, Section, pairs
from ..drawing import to_png
from ..figures import distance_figure
from ..languages.figures import translate_figure
from ..pictures import chart, photograph
from .content import (
    audit_title,
    class_table,
    distance_table,
    named_rows,
    score_table,
    split_rows,
    window_table,
)
from .figures import accuracy_figure, audit_maps, window_figure
from .verdict import Facts, statements


def audit_page(
    facts: Facts,
    labels: NDArray[np.integer],
    parts: Mapping[str, NDArray[np.integer]],
    right: Mapping[str, NDArray[np.bool_]],
) -> Document:
    """The page of an audit.

    Args:
        facts: of the audit, see `tasks.auditing.split_audit`.
        labels: lines × samples, 0 = unlabelled.
        parts: flat indices of train, validation and test.
        right: for the test pixels in their order, whether position alone and the map are right.
    """
    level, leakage = facts["verdict"]["level"], facts["leakage"]
    rule = Paragraph(facts["verdict"]["rule"], "soft")
    quantiles = ", ".join(f"{percent(s, 0)} % at most {v}" for s, v in facts["distance_quantiles"])
    distances = f"How far the test pixels are from the nearest training pixel, in px: {quantiles}."
    accuracy = "Overall accuracy by the distance to the nearest training pixel, with intervals."
    inside = percent(leakage["test_inside_training_window"])
    windows = (
        f"Test pixels with a training pixel inside their window: {inside} % at "
        f"{leakage['window']} × {leakage['window']}."
    )
    where = "Where training and test pixels lie, and where answers are right."
    drawing = audit_maps(labels, parts, right, audit_title(facts))
    translate_figure(drawing)
    maps = to_png(drawing)
    return Document(
        audit_title(facts),
        f"Is this split disjoint, and what is a score on it worth? · {level} · "
        f"{count(facts['pixels']['test'])} test pixels",
        [
            Section("", [Remarks(statements(facts)), rule]),
            Section("Scores", [score_table(facts)]),
            Section("Maps", [photograph(maps, where, where)]),
            Section(
                "Distance to training",
                [
                    chart(accuracy_figure(facts), accuracy, accuracy, [distance_table(facts)]),
                    chart(distance_figure(leakage["histogram"]), distances, distances),
                ],
            ),
            Section(
                "Windows", [chart(window_figure(facts), windows, windows, [window_table(facts)])]
            ),
            Section("Classes", [class_table(facts)]),
            Section(
                "What was audited",
                [
                    pairs("", named_rows(facts)),
                    pairs("What the split lets slip from training to test.", split_rows(facts)),
                ],
            ),
        ],
    )  # fmt: skip
