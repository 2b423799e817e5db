"""The report of a run or a batch once more, from its folder alone: `hsi report`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..atomic import write_text
from ..commands import command
from ..config import validate
from ..errors import RunError
from ..metrics.statistics import ceiling, describe, floor
from ..reports.images.content import image_remarks
from ..reports.retrieval.content import retrieval_remarks
from ..reports.verdict import Remark, verdict
from ..runs.folder import CONFIG, MAP_PICTURE, METRICS, REPORT, Run, open_run
from ..schemas.classification import ClassificationConfig
from ..schemas.image_classification import ImageClassificationConfig
from ..schemas.retrieval import RetrievalConfig
from ..schemas.training import MachineConfig
from ..tasks.images.results import MISTAKES
from ..tasks.retrieval.results import PROJECTION
from ..tasks.shared.run_figures import baseline_figures, figures, headline, variant, variant_words
from ..tasks.shared.run_pages import (
    COST_KEYS,
    PageFacts,
    classification_page,
    image_classification_page,
    retrieval_page,
)
from ..user_files import read_bytes, resolved
from .batches.files import BATCH, SUMMARY, checked, is_batch, whole_files
from .batches.report import (
    COSTS,
    LATEX,
    MARKDOWN,
    gather,
    write_batch_report,
    write_report,
)

_LEVEL = 0.95
_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST_PICTURE = 2**28
_PNG_HEAD = 24


@dataclass(frozen=True)
class Written:
    """What a report came to.

    Attributes:
        files: that were written, the page first.
        verdict: what it says.
    """

    files: list[Path]
    verdict: list[Remark]


def write_reports(folder: str | Path) -> Written:
    """Write the report of a finished run or batch again from what lies in its folder.

    Raises:
        RunError: it is neither, or a file is missing or damaged.
    """
    folder = Path(folder)
    if (folder / BATCH).is_file() and not is_batch(folder):
        again = command("batch", folder / BATCH, "--output", folder.parent)
        remedy = f"go on with: {again}"
        raise RunError(folder, "the batch is not finished", f"{SUMMARY} in it", remedy)
    if is_batch(folder):
        return Written(_files(folder), write_batch_report(folder))
    if not (folder / CONFIG).is_file():
        found = "holds neither a run nor a finished batch" if folder.is_dir() else "no such folder"
        raise RunError(folder, found, "a folder that `hsi train` or `hsi batch` made")
    run = open_run(folder)
    if not run.finished:
        raise RunError(
            folder,
            "the run is not finished",
            f"{METRICS} in it",
            f"go on with: {command('train', '--resume', folder)}",
        )
    checked(run)
    with whole_files(folder):
        if run.metrics["task"] == "classification":
            return Written([folder / REPORT], _classification(run))
        if run.metrics["task"] == "image_classification":
            return Written([folder / REPORT], _image_classification(run))
        if run.metrics["task"] == "retrieval" and (folder / PROJECTION).is_file():
            return Written([folder / REPORT], _retrieval(run))
        return Written(_files(folder), _batch_of_one(run))


def _files(folder: Path) -> list[Path]:
    return [folder / name for name in (REPORT, MARKDOWN, LATEX, COSTS)]


def _picture(run: Run, name: str) -> bytes | None:
    path = run.path / name
    if not path.is_file():
        return None
    content = read_bytes(path, "what hsi drew", kind=RunError, largest=_LARGEST_PICTURE)
    if not content.startswith(_PNG) or len(content) < _PNG_HEAD:
        raise RunError(path, "is no PNG picture", "what hsi drew", "delete it to leave it out")
    return content


def _facts(run: Run, config: MachineConfig) -> PageFacts:
    # cost.json sorts its keys.
    place = {name: number for number, name in enumerate(COST_KEYS)}
    names = sorted(run.cost, key=lambda name: place.get(name, len(place)))
    cost = {name: run.cost[name] for name in names}
    return PageFacts(run, config, run.metrics, run.history, cost)


def _classification(run: Run) -> list[Remark]:
    config = validate(ClassificationConfig, run.config, run.path / CONFIG)
    page = classification_page(_facts(run, config), config, _picture(run, MAP_PICTURE))
    write_text(run.path / REPORT, page)
    return verdict(run.metrics)


def _image_classification(run: Run) -> list[Remark]:
    config = validate(ImageClassificationConfig, run.config, run.path / CONFIG)
    page = image_classification_page(_facts(run, config), _picture(run, MISTAKES))
    write_text(run.path / REPORT, page)
    return image_remarks(run.metrics)


def _retrieval(run: Run) -> list[Remark]:
    config = validate(RetrievalConfig, run.config, run.path / CONFIG)
    page = retrieval_page(_facts(run, config), _picture(run, PROJECTION) or b"")
    write_text(run.path / REPORT, page)
    return retrieval_remarks(run.metrics)


def _batch_of_one(run: Run) -> list[Remark]:
    """The report of a task that has no page of its own: a batch of this run alone."""
    name = resolved(run.path).name
    commands = command("train", "--config", f"{name}/{CONFIG}")
    report = gather(_summary_of_one(run, name), {name: run}, "", commands)
    return write_report(run.path, report, [run])


def _summary_of_one(run: Run, name: str) -> dict[str, Any]:
    metrics = run.metrics
    words = variant_words(metrics["task"], variant(metrics))
    title = f"{metrics['model']} on {metrics['dataset']}" + (f", {words}" if words else "")
    group = {
        "name": title,
        "task": metrics["task"],
        "dataset": metrics["dataset"],
        "model": metrics["model"],
        "variant": variant(metrics),
        "synthetic": bool(metrics.get("synthetic", False)),
        "seeds": [metrics["seed"]],
        "n": 1,
        "runs": [name],
        "test": _described(figures(metrics)),
        "baselines": {key: _described(row) for key, row in baseline_figures(metrics).items()},
        "headline": headline(metrics["task"], metrics),
        "leakage": None,
    }
    return {
        "name": name,
        "question": f"How good is {title}?",
        "level": _LEVEL,
        "failures": {},
        "groups": [group],
        "comparisons": [],
        "variance": [],
    }


def _described(row: Mapping[str, float | None]) -> dict[str, Any]:
    return {
        key: describe([value], level=_LEVEL, ceiling=ceiling(key), floor=floor(key)).to_dict()
        for key, value in row.items()
    }
