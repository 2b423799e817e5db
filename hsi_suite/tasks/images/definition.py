"""The task `image_classification`: every image gets a class.

What takes torch is imported when it is called for, so that tables and pages do without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ...data.labelled_images import IMAGE_CLASSES
from ...runs.folder import Run
from ...runs.task import Config, Job, Metrics
from ...schemas.image_classification import ImageClassificationConfig
from ..shared.class_scores import ScoredByClass

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...engine.distributed import Team
    from ...engine.observer import Observer
    from ...reports.verdict import Remark


class ImageClassification(ScoredByClass):
    """The task `image_classification`: every image gets a class."""

    name = "image_classification"
    schema = ImageClassificationConfig
    datasets = tuple(IMAGE_CLASSES)
    limits_memory = False

    def configure(
        self, config: str | None, options: Mapping[str, Any], settings: Sequence[str]
    ) -> Config:
        """See `Task`."""
        from .training import image_classification_config

        return image_classification_config(config=config, options=options, settings=settings)

    def resolve(self, config: ImageClassificationConfig) -> Config:
        """See `Task`."""
        from .training import resolve

        return resolve(config)

    def prepare(
        self,
        config: ImageClassificationConfig,
        observer: Observer,
        team: Team,
        memory_limit: float | None,
    ) -> AbstractContextManager[Job]:
        """See `Task`."""
        from .training import prepared_job

        return prepared_job(config, observer, team, memory_limit)

    def evaluate(
        self,
        run: Run,
        observer: Observer,
        device: str | None,
        memory_limit: float | None,
        *,
        dropout_at_test: bool,
    ) -> dict[str, Any]:
        """See `Task`."""
        from .evaluation import evaluate_images

        return evaluate_images(run, observer, device)

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
