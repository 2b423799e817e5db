"""The page of a classification of a scene, at the end of a training and again by `hsi report`."""

from __future__ import annotations

from ...atomic import write_text
from ...config import validate
from ...reports.classification_page import ClassificationReport, classification_report
from ...reports.content import Metrics, unverified_mark
from ...reports.verdict import Remark, verdict
from ...runs.folder import CONFIG, MAP_PICTURE, REPORT, Run
from ...schemas.classification import ClassificationConfig
from ..shared.published import published_figures
from ..shared.run_pages import PageFacts, picture_of


def classification_page(
    facts: PageFacts, config: ClassificationConfig, map_picture: bytes | None
) -> str:
    """The page of a classification of a scene.

    Args:
        facts: see `PageFacts`.
        config: which published figures fit.
        map_picture: PNG of the maps; None leaves them out.
    """
    metrics = facts.metrics
    content = ClassificationReport(
        **facts.common(),
        title=run_title(metrics),
        # Figures of others are of the true data.
        published=None
        if metrics.get("unverified")
        else published_figures(metrics["dataset"], config),
        figures={} if map_picture is None else {"map": map_picture},
    )
    return classification_report(content)


def run_title(metrics: Metrics) -> str:
    """The headline of a classification's page and maps."""
    split = metrics["split"]["kind"]
    dataset = f"{metrics['dataset']}{unverified_mark(metrics)}"
    return f"{metrics['model']} on {dataset}, {split} split, seed {metrics['seed']}"


def write_classification_page(run: Run) -> list[Remark]:
    """The page once more from a finished run's folder."""
    config = validate(ClassificationConfig, run.config, run.path / CONFIG)
    facts = PageFacts.of(run, config)
    write_text(run.path / REPORT, classification_page(facts, config, picture_of(run, MAP_PICTURE)))
    return verdict(run.metrics)
