"""The finished runs that a user names, and what their products must say of unverified data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..engine.observer import Observer
from ..errors import RunError
from ..reports.content import unverified_text
from ..user_files import require_folder, resolved
from .folder import CONFIG, Run, open_run


def finished_runs(path: str | Path) -> tuple[list[Run], list[Run]]:
    """The run in a folder, or the runs in the folders within it, by name.

    Args:
        path: of a run, or of a batch or any other folder of runs.

    Returns:
        The finished runs, and those that are not.

    Raises:
        RunError: there is no run, or not a finished one.
    """
    folder = Path(path)
    # In full: the name of "." and of a linked folder is that of the place itself.
    folder = resolved(folder)
    require_folder(Path(path), "a run or a batch", kind=RunError)
    places = [folder] if (folder / CONFIG).is_file() else sorted(folder.iterdir())
    runs = [Run(place) for place in places if (place / CONFIG).is_file()]
    if not runs:
        raise RunError(
            path, "holds no runs", "a run or a batch", "name a folder that `hsi train` made"
        )
    finished = [run for run in runs if run.finished]
    if not finished:
        raise RunError(
            path, "no finished run", "metrics.json in a run's folder", "let the training finish"
        )
    return finished, [run for run in runs if not run.finished]


def report_unverified(runs: Sequence[str | Path], observer: Observer) -> tuple[str, ...]:
    """The unverified files that finished runs learnt from, which the observer reports in a line.

    Raises:
        RunError: one of them is no run, or damaged.
    """
    # What is not finished is refused by whoever asks it for scores or a model.
    finished = [run for run in map(open_run, runs) if run.finished]
    names = {str(name) for run in finished for name in run.metrics.get("unverified") or ()}
    if names:
        observer.message(unverified_text(sorted(names)))
    return tuple(sorted(names))
