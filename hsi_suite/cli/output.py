"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..json_text import json_text, undefined_as_none
from ..printable import safe_json
from .terminal import say

if TYPE_CHECKING:
    from ..runs.folder import Run

# Of scores computed on another kind of device than those of the run.
_ROUNDING = 0.01


def print_json(value: Any) -> None:
    """JSON on standard output, keys sorted; numbers that are not finite are null."""
    click.echo(safe_json(json_text(undefined_as_none(value), "standard output")))


def print_run(run: Run, as_json: bool) -> None:
    """A finished run's scores and where its products lie."""
    from ..reports.terminal import print_blocks
    from ..runs.tasks import task_of

    if as_json:
        print_json({"run": str(run.path), **run.metrics})
        return
    task = task_of(run)
    print_blocks(task.summary(run.metrics))
    say()
    for word, name in task.products:
        if (run.path / name).exists():
            say(f"{word:7} {run.path / name}")


def print_evaluation(result: dict[str, Any], as_json: bool) -> None:
    """Test scores computed again, beside the stored ones."""
    from ..metrics.measures import measure
    from ..runs.tasks import task_named

    if as_json:
        print_json(result)
        return
    for line in task_named(result["task"]).compared(result):
        say(line)
    _print_equality(result)
    for name, entry in (result.get("dropout_at_test") or {}).items():
        kind = measure(name)
        say(
            f"with dropout left on, {entry['n']} evaluations of the same weights: {kind.title} "
            f"{kind.with_unit(entry['mean'])} ± {kind.size_with_points(entry['std'])} "
            f"({kind.text(entry['min'])} to {kind.with_unit(entry['max'])})"
        )


def print_together(result: dict[str, Any], as_json: bool) -> None:
    """Test scores of several runs that answer together."""
    from ..runs.tasks import task_named

    if as_json:
        print_json(result)
        return
    for line in task_named(result["task"]).told_together(result):
        say(line)


def _print_equality(result: dict[str, Any]) -> None:
    from ..errors import RunError

    moved = result.get("moved")
    if not result["equal"] and moved is not None and _nearly(result):
        click.echo(
            f"not equal to the last digit: computed on {moved[1]}, the run on {moved[0]}, and "
            "rounding differs"
        )
        return
    if not result["equal"]:
        raise RunError(
            result["run"],
            "the saved model does not give the stored scores",
            "equal ones",
            "the model, the split or the scores are not this run's own, or the machine differs",
        )
    say("equal to the stored scores")


def _nearly(result: dict[str, Any]) -> bool:
    """Whether scores differ by no more than rounding on another device does."""
    from ..runs.tasks import task_named

    return _close(result[task_named(result["task"]).scored], result["stored"])


def _close(now: Any, stored: Any) -> bool:
    if isinstance(now, dict) and isinstance(stored, dict):
        # Measures that came later are not among those of older runs.
        return now.keys() >= stored.keys() and all(_close(now[key], stored[key]) for key in stored)
    if isinstance(now, list) and isinstance(stored, list):
        # A confusion matrix: a few items may change sides.
        return len(now) == len(stored)
    if isinstance(now, int | float) and isinstance(stored, int | float):
        return abs(now - stored) <= _ROUNDING * max(1.0, abs(stored))
    return bool(now == stored)


def print_denoiser_scores(scores: dict[str, Any], as_json: bool) -> None:
    """A denoiser's scores: on noisy images, on what JPEG leaves, or on photographs."""
    from ..reports.denoising.content import (
        artefact_scores_blocks,
        denoiser_scores_blocks,
        photograph_scores_blocks,
    )
    from ..reports.terminal import print_blocks

    if as_json:
        print_json(scores)
    elif "columns" in scores:
        print_blocks(photograph_scores_blocks(scores))
    else:
        blocks = artefact_scores_blocks if "tables" in scores else denoiser_scores_blocks
        print_blocks(blocks(scores))


if TYPE_CHECKING:
    from ..runs.batches.files import Batch


def print_batch(batch: Batch, as_json: bool) -> None:
    """A batch's scores and verdicts and where its files lie; fails when a run failed."""
    from ..errors import RunError
    from ..reports.batches.terminal_tables import summary_blocks
    from ..reports.terminal import print_blocks
    from ..runs.batches.files import RUNS_CSV, SUMMARY
    from ..runs.folder import REPORT

    summary = batch.summary
    if as_json:
        print_json({"batch": str(batch.path), **summary})
    else:
        print_blocks(summary_blocks(summary))
        for words, name in (("runs", RUNS_CSV), ("summary", SUMMARY), ("report", REPORT)):
            say(f"{words:8} {batch.path / name}")
    if batch.failures:
        first = next(iter(batch.failures.items()))
        raise RunError(
            batch.path, f"{len(batch.failures)} runs failed, the first: {first[0]}: {first[1]}"
        )
