"""The page of a classification of a scene, at the end of a training and again by `hsi report`."""

from __future__ import annotations

from typing import cast

from ...reports.classification_page import ClassificationReport, classification_report
from ...reports.content import Metrics, unverified_mark
from ...reports.verdict import Remark, verdict
from ...runs.folder import MAP_PICTURE, Run
from ...schemas.classification import ClassificationConfig
from ..shared.run_pages import PageFacts, picture_of, write_run_page
from .published import published_figures


def write_page(run: Run, facts: PageFacts | None = None) -> list[Remark]:
    """See `write_run_page`."""
    return write_run_page(run, ClassificationConfig, _page, verdict, facts)


def _page(facts: PageFacts) -> str:
    metrics, config = facts.metrics, cast(ClassificationConfig, facts.config)
    map_picture = picture_of(facts.run, MAP_PICTURE)
    content = ClassificationReport(
        **facts.common(),
        title=run_title(metrics),
        published=published_figures(metrics, config),
        figures={} if map_picture is None else {"map": map_picture},
    )
    return classification_report(content)


def run_title(metrics: Metrics) -> str:
    """The headline of a classification's page and maps."""
    split = metrics["split"]["kind"]
    dataset = f"{metrics['dataset']}{unverified_mark(metrics)}"
    return f"{metrics['model']} on {dataset}, {split} split, seed {metrics['seed']}"
