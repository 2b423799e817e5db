"""The pages of runs: written at the end of a training, and again by `hsi report`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..atomic import write_json, write_text
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
from .cost import shown_cost
from .folder import CONFIG, COST, METRICS, REPORT, Run
from .tasks import task_of

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD = 24
_LARGEST_PICTURE = 2**28


@dataclass(frozen=True)
class PageFacts:
    """What a run's page shows, whatever its task.

    Attributes:
        run: its folder.
        config: as its config.yaml has it.
        metrics: the content of metrics.json, which may not be written yet.
        history: a row of values for each epoch.
        cost: see `cost.measured_cost`.
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
        return cls(run, config, run.metrics, run.history, run.cost)


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


def finish_run(facts: PageFacts) -> None:
    """Write cost.json, the page and, last, metrics.json, which marks a run as finished."""
    folder = facts.run.path
    write_json(folder / COST, facts.cost)
    write_page(facts.run, facts)
    write_json(folder / METRICS, facts.metrics)


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
            pairs("Cost of the run.", shown_cost(facts.cost)),
        ],
    )
