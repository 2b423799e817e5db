"""The report of a batch from its folder: page, Markdown, LaTeX table, and what it cost."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...atomic import write_text
from ...commands import command
from ...errors import RunError
from ...guard import parsing
from ...reports.batches.content import BatchReport, GroupFacts, RunFacts
from ...reports.batches.maps import Votes, count_votes, thinning
from ...reports.batches.paper_table import paper_table
from ...reports.batches.sections import batch_document
from ...reports.batches.verdict import batch_verdict
from ...reports.document import Remark
from ...reports.html import html_page
from ...reports.languages.documents import remarks_in_spoken_language
from ...reports.languages.speaking import speaking
from ...reports.latex import latex_table
from ...reports.markdown import markdown
from ...user_files import resolved
from ..folder import CONFIG, COST, ENVIRONMENT, LABEL_MAP, REPORT, Run, csv_text
from ..scores import run_scores
from ..tasks import task_of
from .files import batch_text, read_run, read_summary, whole_files

MARKDOWN = "report.md"
LATEX = "table.tex"
COSTS = "cost.csv"
_MOST_ATLASES = 12
_MOST_PIXELS = 1_500_000  # of all maps together; bounds the page


def write_batch_report(folder: Path) -> list[Remark]:
    """Write report.html, report.md, table.tex and cost.csv into a batch's folder.

    The first three hold nothing that depends on time, memory, host or path, so that equal batches
    have equal reports; what was measured stands in cost.csv alone.

    Returns:
        The verdict, as the page has it.

    Raises:
        RunError: the summary or a run is missing or damaged.
    """
    folder = Path(folder)
    with whole_files(folder):
        report, runs = read_batch(folder)
        return write_report(folder, report, runs.values())


def read_batch(folder: Path) -> tuple[BatchReport, dict[str, Run]]:
    """What the report of a batch is made of, from its folder, and its runs by name.

    Raises:
        RunError: the summary or a run is missing or damaged.
    """
    summary = read_summary(folder)
    runs = {name: read_run(folder, name) for group in summary["groups"] for name in group["runs"]}
    return gather(summary, runs, batch_text(folder), _commands(folder, runs)), runs


def gather(
    summary: Mapping[str, Any], runs: Mapping[str, Run], batch: str, commands: str
) -> BatchReport:
    """What a report is made of.

    Args:
        summary: as in summary.json.
        runs: by the names that the summary's groups have.
        batch: the batch, YAML; empty for none.
        commands: what does it all again.

    Raises:
        RunError: a file of a run is missing or damaged.
    """
    groups, left_out = _with_maps(
        [_group(group, [runs[name] for name in group["runs"]]) for group in summary["groups"]], runs
    )
    return BatchReport(
        summary=summary,
        groups=groups,
        batch_text=batch,
        commands=commands,
        maps_left_out=left_out,
    )


def write_report(folder: Path, report: BatchReport, runs: Iterable[Run]) -> list[Remark]:
    """Write a report in all its forms.

    Args:
        folder: where to.
        report: what it is made of.
        runs: whose costs are listed.

    Returns:
        The verdict, as the page has it.
    """
    with speaking("batch"):
        document = batch_document(report)
        write_text(folder / MARKDOWN, markdown(document))
        write_text(folder / REPORT, html_page(document))
        remarks = remarks_in_spoken_language(batch_verdict(report))
    write_text(folder / LATEX, latex_table(paper_table(report)))
    write_text(folder / COSTS, csv_text(cost_rows(runs)))
    return remarks


def _commands(folder: Path, runs: Mapping[str, Run]) -> str:
    name, first = resolved(folder).name, next(iter(runs))
    return "\n".join(
        [
            f"# in the folder that holds {shlex.quote(name)}; finished runs are kept, so empty it "
            "to begin anew",
            command("batch", f"{name}/batch.yaml", "--output", "."),
            "# carry the runs out once more and compare weights and predictions bit by bit",
            command("replay", name),
            "# one run alone",
            command("train", "--config", f"{name}/{first}/{CONFIG}"),
            "# this report",
            command("report", name),
        ]
    )


def _group(group: Mapping[str, Any], runs: Sequence[Run]) -> GroupFacts:
    facts = [
        RunFacts(
            name=run.path.name,
            metrics=run.metrics,
            scores=run_scores(run.metrics),
            history=run.history,
            environment=run.environment if (run.path / ENVIRONMENT).exists() else {},
            config_text=run.config_text,
        )
        for run in runs
    ]
    task, variant = task_of(runs[0]), str(group["variant"])
    return GroupFacts(
        group=group,
        runs=facts,
        published=task.published(runs[0]),
        variant_words=task.variant_words(variant),
        random_split=task.random_split(variant),
        maps=task.maps,
    )


def _with_maps(
    groups: Sequence[GroupFacts], runs: Mapping[str, Run]
) -> tuple[list[GroupFacts], list[str]]:
    """The groups with what their maps say, as many as a page holds, and a sentence on the rest."""
    result, pixels, shown, behind = [], 0, 0, 0
    for facts in groups:
        paths = [runs[run.name].path / LABEL_MAP for run in facts.runs]
        paths = [path for path in paths if path.is_file()]
        if not paths or shown >= _MOST_ATLASES or pixels >= _MOST_PIXELS:
            behind += bool(paths)
            result.append(facts)
            continue
        votes = _votes(paths)
        shown, pixels = shown + 1, pixels + votes.winner.size
        result.append(replace(facts, votes=votes))
    if not behind:
        return result, []
    return result, [
        f"Maps of {shown} groups are shown, to keep the page small; those of the other {behind} "
        f"stand in the folders of their runs, as {LABEL_MAP}."
    ]


def _votes(paths: Sequence[Path]) -> Votes:
    maps = [_map(path) for path in paths]
    shapes = {one.shape for one in maps}
    if len(shapes) > 1:
        found = " and ".join(map(str, sorted(shapes)))
        raise RunError(paths[0].parent.parent, f"maps of sizes {found}", "runs of one scene")
    step = thinning(maps[0].shape)
    return count_votes([np.asarray(one[::step, ::step], np.uint16) for one in maps], step)


def _map(path: Path) -> NDArray[np.integer]:
    with parsing(path, "a map that hsi wrote", "train the run again", kind=RunError):
        labels: NDArray[np.integer] = np.load(path, mmap_mode="r", allow_pickle=False)
    whole = isinstance(labels, np.ndarray) and labels.ndim == 2 and labels.size > 0
    if not whole or labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > 65535:
        raise RunError(path, "holds no map", "lines × samples of labels", "train the run again")
    return labels


def cost_rows(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """Time and memory of each run, one row each; lists become their sums and lengths."""
    rows = []
    for run in runs:
        row: dict[str, Any] = {"run": run.path.name}
        for key, value in (run.cost if (run.path / COST).is_file() else {}).items():
            if isinstance(value, list):
                row[key.removesuffix("_seconds") + "s"] = len(value)
            elif isinstance(value, str | int | float):
                row[key] = value
        rows.append(row)
    return rows
