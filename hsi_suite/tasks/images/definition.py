"""The task `image_classification`: every image gets a class.

What takes torch is imported when it is called for, so that tables and pages do without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...data.labelled_images import IMAGE_CLASSES
from ...runs.folder import Run
from ...runs.task import Metrics
from ...schemas.image_classification import ImageClassificationConfig
from ...schemas.run_metrics import ClassifiedMetrics
from ..shared.class_scores import ScoredByClass

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...reports.verdict import Remark


class ImageClassification(ScoredByClass):
    """The task `image_classification`: every image gets a class."""

    name = "image_classification"
    schema = ImageClassificationConfig
    metrics_schema = ClassifiedMetrics
    recipe = "hsi_suite.pipelines.image_classification"
    datasets = tuple(IMAGE_CLASSES)
    limits_memory = False

    def absent_source(self, config: ImageClassificationConfig, source: str) -> str | None:
        """See `Task`."""
        from .chance import absent_source

        return absent_source(config, source)

    def summary(self, metrics: Metrics) -> RenderableType:
        """See `Task`."""
        from ...reports.images.tables import image_classification_summary

        return image_classification_summary(metrics)

    def write_page(self, run: Run) -> list[Remark]:
        """See `Task`."""
        from .page import write_page

        return write_page(run)


IMAGE_CLASSIFICATION = ImageClassification()
