"""The task `image_classification`: every image gets a class.

What takes torch is imported when it is called for, so that tables and pages do without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...data.labelled_images import IMAGE_CLASSES
from ...runs.folder import Run
from ...runs.task import Metrics
from ...schemas.image_classification import ImageClassificationConfig
from ...schemas.run_metrics import ClassifiedMetrics
from ..shared.class_scores import ScoredByClass

if TYPE_CHECKING:
    from ...engine.observer import Observer
    from ...reports.document import Block, Document
    from ...runs.pages import PageFacts


class ImageClassification(ScoredByClass):
    """The task `image_classification`: every image gets a class."""

    name = "image_classification"
    schema = ImageClassificationConfig
    metrics_schema = ClassifiedMetrics
    recipe = "hsi_suite.pipelines.image_classification"
    datasets = tuple(IMAGE_CLASSES)
    limits_memory = False
    trains_together = True
    memory_keys = "train.batch_size or evaluation.batch_size"
    by_content = (("data", "folder"), ("model", "weights"))

    def configure(
        self, config: str | None, options: Mapping[str, Any], settings: Sequence[str]
    ) -> ImageClassificationConfig:
        """See `Task`."""
        from .configuration import image_classification_config

        return image_classification_config(config=config, options=options, settings=settings)

    def absent_source(self, config: ImageClassificationConfig, source: str) -> str | None:
        """See `Task`."""
        from .left_to_chance import absent_source

        return absent_source(config, source)

    def summary(self, metrics: Metrics) -> Sequence[Block]:
        """See `Task`."""
        from ...reports.images.content import image_blocks

        return image_blocks(metrics)

    def seen_images(self, run: Run) -> tuple[int, int]:
        """See `Task`."""
        return run.metrics["channels"], run.metrics["size"]

    def evaluate_together(
        self,
        runs: Sequence[Run],
        observer: Observer,
        device: str | None,
        memory_limit: float | None,
    ) -> dict[str, Any]:
        """See `Task`."""
        from .evaluation import evaluate_images_together

        return evaluate_images_together(runs, observer, device)

    def page(self, facts: PageFacts) -> Document:
        """See `Task`."""
        from .page import page

        return page(facts)


IMAGE_CLASSIFICATION = ImageClassification()
