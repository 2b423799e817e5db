"""The task `retrieval`: a common space of two modalities.

What takes torch is imported when it is called for, so that tables and pages do without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError
from ...runs.figures import percent_text
from ...runs.folder import Run
from ...runs.task import Config, Job, Metrics, Task
from ...schemas.retrieval import RetrievalConfig

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...engine.distributed import Team
    from ...engine.observer import Observer
    from ...reports.verdict import Remark

_MAP = "mean_average_precision"


class Retrieval(Task):
    """The task `retrieval`: a common space of two modalities."""

    name = "retrieval"
    schema = RetrievalConfig
    datasets = ()
    limits_memory = False

    def configure(
        self, config: str | None, options: Mapping[str, Any], settings: Sequence[str]
    ) -> Config:
        """See `Task`."""
        from .training import retrieval_config

        if config is None:
            raise ConfigError("--config", "not given", "a configuration of a retrieval")
        return retrieval_config(config=config, options=options, settings=settings)

    def resolve(self, config: RetrievalConfig) -> Config:
        """See `Task`."""
        from .training import resolve

        return resolve(config)

    def prepare(
        self, config: RetrievalConfig, observer: Observer, team: Team, memory_limit: float | None
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
        from .evaluation import evaluate_retrieval

        return evaluate_retrieval(run, observer, device)

    def absent_source(self, config: RetrievalConfig, source: str) -> str | None:
        """See `Task`."""
        from .chance import absent_source

        return absent_source(config, source)

    def summary(self, metrics: Metrics) -> RenderableType:
        """See `Task`."""
        from ...reports.retrieval.tables import retrieval_summary

        return retrieval_summary(metrics)

    def compared(self, result: Mapping[str, Any]) -> list[str]:
        """See `Task`."""
        stored = {name: scores.get(_MAP) for name, scores in result["stored"].items()}
        return [
            f"{direction:32} mAP {percent_text(scores[_MAP])}   "
            f"stored {percent_text(stored.get(direction))}"
            for direction, scores in result["test"].items()
        ]

    def write_page(self, run: Run) -> list[Remark]:
        """See `Task`."""
        from .page import write_page

        return write_page(run)

    def variant(self, metrics: Metrics) -> str:
        """The pair of modalities, and the split."""
        pair = ":".join(metrics.get("pair", ()))
        return " ".join(filter(None, (pair, super().variant(metrics))))

    def headline(self, metrics: Metrics) -> list[str]:
        """Mean average precision of both directions."""
        precision = [name for name in self.figures(metrics) if name.rpartition("/")[2] == _MAP]
        return precision or super().headline(metrics)


RETRIEVAL = Retrieval()
