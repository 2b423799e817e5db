"""The pages of runs: written at the end of a training, and again by `hsi report`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..atomic import write_text
from ..commands import command
from ..config import dump_yaml, validate
from ..errors import RunError
from ..reports.content import flat_rows, value_text
from ..reports.document import Listing, Remark, Section, pairs
from ..reports.html import html_page
from ..reports.languages.documents import remarks_in_spoken_language
from ..reports.languages.speaking import speaking
from ..schemas.training import MachineConfig
from ..user_files import read_bytes
from .folder import CONFIG, REPORT, Run
from .machine import host, peak_device_megabytes, peak_memory_megabytes
from .tasks import task_of

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD = 24
_LARGEST_PICTURE = 2**28
# By candidate, of --model auto.
CANDIDATE_SECONDS = "candidate_seconds"
# What a run's cost.json may hold, in the order of its page.
COST_KEYS = (
    "training_seconds",
    CANDIDATE_SECONDS,
    "epoch_seconds",
    "map_seconds",
    "baseline_seconds",
    "evaluation_seconds",
    "peak_memory_megabytes",
    "peak_device_megabytes",
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
        **peak_device_megabytes(),
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
        history: a row of values for each epoch.
        cost: see `measured_cost`.
    """

    run: Run
    config: MachineConfig
    metrics: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    cost: Mapping[str, Any]

    @classmethod
    def of(cls, run: Run) -> PageFacts:
        """Those of a finished run, from its folder."""
        config = validate(task_of(run).schema, run.config, run.path / CONFIG)
        # cost.json sorts its keys.
        place = {name: number for number, name in enumerate(COST_KEYS)}
        names = sorted(run.cost, key=lambda name: place.get(name, len(place)))
        return cls(run, config, run.metrics, run.history, {name: run.cost[name] for name in names})


def picture_of(run: Run, name: str) -> bytes | None:
    """A PNG file of a run; None where it is not there.

    Raises:
        RunError: it is no picture.
    """
    path = run.path / name
    if not path.is_file():
        return None
    content = read_bytes(path, "what hsi drew", kind=RunError, largest=_LARGEST_PICTURE)
    if not content.startswith(_PNG) or len(content) < _PNG_HEAD:
        raise RunError(path, "is no PNG picture", "what hsi drew", "delete it to leave it out")
    return content


def write_page(run: Run, facts: PageFacts | None = None) -> list[Remark]:
    """Write the page of a run whose pictures are in its folder; return what it says first.

    Args:
        run: its folder.
        facts: what is not in the folder yet; None for a finished run.

    Raises:
        RunError: a file of the run is damaged.
    """
    facts = facts or PageFacts.of(run)
    task = task_of(run)
    with speaking(task.name):
        page = task.page(facts)
        page = replace(page, sections=[*page.sections, again_section(facts)])
        write_text(run.path / REPORT, html_page(page))
        return remarks_in_spoken_language(page.remarks)


def again_section(facts: PageFacts) -> Section:
    """How to do a run again: command, seeds, environment, configuration, and what it took."""
    seeds = [
        (stream, "derived from the base" if seed is None else value_text(seed))
        for stream, seed in facts.config.seeds.model_dump().items()
    ]
    return Section(
        "To do it again",
        [
            Listing("", command("train", "--config", facts.run.path / CONFIG)),
            pairs("Seeds of the random streams.", seeds),
            pairs("What the run ran on.", flat_rows(facts.run.environment)),
            Listing("Configuration", dump_yaml(facts.config).rstrip()),
            pairs("Cost of the run.", flat_rows(facts.cost)),
        ],
    )
