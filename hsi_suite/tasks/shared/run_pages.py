"""The pages of runs: written at the end of a training, and again by `hsi report`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...commands import command
from ...config import dump_yaml
from ...reports.classification_page import ClassificationReport, classification_report
from ...reports.content import unverified_mark
from ...reports.images.page import ImageClassificationReport, image_classification_report
from ...reports.retrieval.page import RetrievalReport, retrieval_report
from ...runs.folder import CONFIG, Run
from ...runs.machine import host, peak_memory_megabytes
from ...schemas.classification import ClassificationConfig
from ...schemas.training import MachineConfig
from .published import published_figures

# What a run's cost.json may hold, in the order of its page.
COST_KEYS = (
    "training_seconds",
    "epoch_seconds",
    "map_seconds",
    "baseline_seconds",
    "evaluation_seconds",
    "peak_memory_megabytes",
    "finished",
    "host",
)


def measured_cost(training: float, epochs: Sequence[float], **further: float) -> dict[str, Any]:
    """What a run took, as cost.json holds it.

    Args:
        training: seconds from its begin to its last step.
        epochs: seconds of each epoch.
        further: other seconds by their keys.
    """
    return {
        "training_seconds": round(training, 3),
        "epoch_seconds": [round(value, 4) for value in epochs],
        **{name: round(value, 3) for name, value in further.items()},
        "peak_memory_megabytes": round(peak_memory_megabytes(), 1),
        "finished": datetime.now().astimezone().isoformat(timespec="seconds"),
        "host": host(),
    }


@dataclass(frozen=True)
class PageFacts:
    """What a run's page shows, whatever its task.

    Attributes:
        run: its folder.
        config: as its config.yaml has it.
        metrics: the content of metrics.json, which may not be written yet.
        history: a row of figures for each epoch.
        cost: see `measured_cost`.
    """

    run: Run
    config: MachineConfig
    metrics: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    cost: Mapping[str, Any]

    def common(self) -> dict[str, Any]:
        """The fields of `reports.page.RunPage`."""
        return {
            "metrics": self.metrics,
            "history": self.history,
            "environment": self.run.environment,
            "seeds": self.config.seeds.model_dump(),
            "config_text": dump_yaml(self.config),
            "command": command("train", "--config", self.run.path / CONFIG),
            "cost": self.cost,
        }


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


def run_title(metrics: Mapping[str, Any]) -> str:
    """The headline of a classification's page and maps."""
    split = metrics["split"]["kind"]
    dataset = f"{metrics['dataset']}{unverified_mark(metrics)}"
    return f"{metrics['model']} on {dataset}, {split} split, seed {metrics['seed']}"


def image_classification_page(facts: PageFacts, mistakes: bytes | None) -> str:
    """The page of a classification of images; `mistakes` is a PNG of some, or None."""
    return image_classification_report(
        ImageClassificationReport(**facts.common(), mistakes=mistakes)
    )


def retrieval_page(facts: PageFacts, projection: bytes) -> str:
    """The page of a training for retrieval; `projection` is a PNG of the common space."""
    return retrieval_report(RetrievalReport(**facts.common(), projection=projection))
