"""The task `retrieval`: a common space of two modalities.

What takes torch is imported when it is called for, so that tables and pages do without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError
from ...metrics.measures import measure
from ...runs.chance import generated
from ...runs.task import Metrics, Task
from ...schemas.retrieval import RetrievalConfig
from ...schemas.run_metrics import RetrievedMetrics

if TYPE_CHECKING:
    from ...reports.document import Block, Document
    from ...runs.pages import PageFacts

_MAP = "mean_average_precision"


class Retrieval(Task):
    """The task `retrieval`: a common space of two modalities."""

    name = "retrieval"
    schema = RetrievalConfig
    metrics_schema = RetrievedMetrics
    recipe = "hsi_suite.pipelines.retrieval"
    datasets = ()
    limits_memory = False
    trains_together = True

    def configure(
        self, config: str | None, options: Mapping[str, Any], settings: Sequence[str]
    ) -> RetrievalConfig:
        """See `Task`."""
        from .configuration import retrieval_config

        if config is None:
            raise ConfigError("--config", "not given", "a configuration of a retrieval")
        return retrieval_config(config=config, options=options, settings=settings)

    def absent_source(self, config: RetrievalConfig, source: str) -> str | None:
        """See `Task`."""
        if source == "augment":
            return "nothing is augmented"
        return "its data were recorded" if source == "data" and not generated(config) else None

    def summary(self, metrics: Metrics) -> Sequence[Block]:
        """See `Task`."""
        from ...reports.retrieval.content import retrieval_blocks

        return retrieval_blocks(metrics)

    def compared(self, result: Mapping[str, Any]) -> list[str]:
        """See `Task`."""
        kind = measure(_MAP)
        stored = {name: scores.get(_MAP) for name, scores in result["stored"].items()}
        return [
            f"{direction:32} {kind.short} {kind.with_unit(scores[_MAP])}   "
            f"stored {kind.with_unit(stored.get(direction))}"
            for direction, scores in result["test"].items()
        ]

    def page(self, facts: PageFacts) -> Document:
        """See `Task`."""
        from .page import page

        return page(facts)

    def variant(self, metrics: Metrics) -> str:
        """The pair of modalities, and the split."""
        pair = ":".join(metrics.get("pair", ()))
        return " ".join(filter(None, (pair, super().variant(metrics))))

    def headline(self, metrics: Metrics) -> list[str]:
        """Mean average precision of both directions."""
        precision = [name for name in self.scores(metrics) if name.rpartition("/")[2] == _MAP]
        return precision or super().headline(metrics)


RETRIEVAL = Retrieval()
