"""The runs that `hsi compare` is given, and their scores; told without what computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import ConfigError, RunError
from ..registry import did_you_mean, listed
from .batches.files import checked, is_batch, read_run, read_summary, whole_files
from .finished_runs import finished_runs
from .folder import ENVIRONMENT, Run
from .scores import run_scores


def gathered(paths: Sequence[str | Path]) -> tuple[list[Run], list[str]]:
    """Every run once, and what was passed over."""
    found: dict[str, Run] = {}
    given = unfinished = 0
    for path in paths:
        finished, others = _runs_of(Path(path))
        given, unfinished = given + len(finished), unfinished + len(others)
        for run in finished:
            if not isinstance(run.environment.get("data"), Mapping):
                raise RunError(run.path / ENVIRONMENT, "names no data", "what hsi wrote")
            found.setdefault(str(run.environment.get("identity", run.path)), run)
    notes = []
    if given > len(found):
        notes.append(f"given twice, and counted once: {number_of_runs(given - len(found))}")
    if unfinished:
        notes.append(f"not finished, and passed over: {number_of_runs(unfinished)}")
    return list(found.values()), notes


def _runs_of(path: Path) -> tuple[list[Run], list[Run]]:
    if is_batch(path):
        # Not those in which a single source of chance varies: they are no plain repetitions.
        names = [name for group in read_summary(path)["groups"] for name in group["runs"]]
        return [read_run(path, name) for name in dict.fromkeys(names)], []
    finished, unfinished = finished_runs(path)
    return [checked(run) for run in finished], unfinished


def number_of_runs(number: int) -> str:
    """A number of runs in words."""
    return f"{number} run{'' if number == 1 else 's'}"


def scores_of(run: Run) -> dict[str, float | None]:
    """The scores of a run by name, see `run_scores`."""
    with whole_files(run.path):
        return run_scores(run.metrics)


def require_metric(metric: str, runs: Sequence[Run]) -> None:
    """Refuse a score that no run has.

    Raises:
        ConfigError: none has it.
    """
    names = sorted({name for run in runs for name in scores_of(run)})
    if metric not in names:
        hint = did_you_mean(metric, names)
        # Those of single classes are too many to list.
        expected = listed([name for name in names if "/" not in name] or names)
        raise ConfigError("--metric", f"no run has {metric!r}", expected, hint)
