"""The task `classification`: every pixel of a scene gets a class.

What takes torch is imported when it is called for, so that tables and pages do without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ...runs.folder import MAP_PICTURE, REPORT, Run
from ...runs.task import Config, Job, Metrics
from ...schemas.classification import ClassificationConfig
from ..shared.class_scores import ScoredByClass

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...engine.distributed import Team
    from ...engine.observer import Observer
    from ...reports.verdict import Remark


class SceneClassification(ScoredByClass):
    """The task `classification`: every pixel of a scene gets a class."""

    name = "classification"
    schema = ClassificationConfig
    datasets = ()
    limits_memory = True
    shows_dropout = True
    products = (("map", MAP_PICTURE), ("report", REPORT))

    def configure(
        self, config: str | None, options: Mapping[str, Any], settings: Sequence[str]
    ) -> Config:
        """See `Task`."""
        from .configuration import classification_config

        return classification_config(config=config, settings=settings, **options)

    def resolve(self, config: ClassificationConfig) -> Config:
        """See `Task`."""
        from .configuration import resolve

        return resolve(config)

    def prepare(
        self,
        config: ClassificationConfig,
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
        from .run_evaluation import evaluate_classification

        return evaluate_classification(run, observer, device, memory_limit, dropout_at_test)

    def absent_source(self, config: ClassificationConfig, source: str) -> str | None:
        """See `Task`."""
        from .chance import absent_source

        return absent_source(config, source)

    def summary(self, metrics: Metrics) -> RenderableType:
        """See `Task`."""
        from ...reports.tables import classification_summary

        return classification_summary(metrics)

    def write_page(self, run: Run) -> list[Remark]:
        """See `Task`."""
        from .page import write_page

        return write_page(run)


SCENE_CLASSIFICATION = SceneClassification()
