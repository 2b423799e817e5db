"""The task `classification`: every pixel of a scene gets a class.

What takes torch is imported when it is called for, so that tables and pages do without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import HsiSuiteError
from ...runs.folder import CONFIG, MAP_PICTURE, REPORT, Run
from ...runs.task import Metrics
from ...schemas.classification import ClassificationConfig
from ...schemas.run_metrics import ClassifiedMetrics
from ..shared.class_scores import ScoredByClass

if TYPE_CHECKING:
    from ...engine.observer import Observer
    from ...reports.document import Block, Document
    from ...reports.paper.figure import PaperFigure
    from ...runs.pages import PageFacts


class SceneClassification(ScoredByClass):
    """The task `classification`: every pixel of a scene gets a class."""

    name = "classification"
    schema = ClassificationConfig
    metrics_schema = ClassifiedMetrics
    recipe = "hsi_suite.pipelines.classification"
    datasets = ()
    stand_in = "synthetic"
    splits = ("random", "disjoint", "polygons", "spatial_folds")
    limits_memory = True
    memory_keys = "train.batch_size, or set train.strategy=patch"
    shows_dropout = True
    maps = True
    products = (("map", MAP_PICTURE), ("report", REPORT))

    def configure(
        self, config: str | None, options: Mapping[str, Any], settings: Sequence[str]
    ) -> ClassificationConfig:
        """See `Task`."""
        from .configuration import classification_config

        return classification_config(config=config, settings=settings, **options)

    def absent_source(self, config: ClassificationConfig, source: str) -> str | None:
        """See `Task`."""
        from .left_to_chance import absent_source

        return absent_source(config, source)

    def summary(self, metrics: Metrics) -> Sequence[Block]:
        """See `Task`."""
        from ...reports.classification import classification_blocks

        return classification_blocks(metrics)

    def evaluate_together(
        self,
        runs: Sequence[Run],
        observer: Observer,
        device: str | None,
        memory_limit: float | None,
    ) -> dict[str, Any]:
        """See `Task`."""
        from .joint_evaluation import evaluate_scenes_together

        return evaluate_scenes_together(runs, observer, device, memory_limit)

    def told_together(self, result: Mapping[str, Any]) -> list[str]:
        """See `Task`; and how near the scored pixels are to those that were learnt from."""
        from ...reports.joint_scores import closeness_line

        return [*super().told_together(result), closeness_line(result)]

    def variant_words(self, variant: str) -> str:
        """See `Task`."""
        folds = variant == "spatial_folds"
        return "spatial cross-validation" if folds else super().variant_words(variant)

    def seen_images(self, run: Run) -> tuple[int, int] | None:
        """See `Task`: windows of principal components."""
        reduction = run.config["reduction"]
        if reduction["method"] != "pca":
            return None
        return reduction["components"], run.metrics["window"]

    def random_split(self, variant: str) -> bool:
        """See `Task`."""
        return variant == "random"

    def published(self, run: Run) -> Sequence[Metrics]:
        """See `Task`."""
        from ...config import validate
        from .published import published_scores

        try:
            config = validate(ClassificationConfig, run.config, run.path / CONFIG)
        except HsiSuiteError:
            # A configuration of another version: nothing is known to compare with.
            return ()
        return published_scores(run.metrics, config) or ()

    def page(self, facts: PageFacts) -> Document:
        """See `Task`."""
        from .page import page

        return page(facts)

    def figures(self, facts: PageFacts, observer: Observer) -> list[PaperFigure]:
        """See `Task`."""
        from .scene_figures import scene_figures

        return [*scene_figures(facts, observer), *super().figures(facts, observer)]


SCENE_CLASSIFICATION = SceneClassification()
