"""A run's scores, computed once more from what it has saved, whatever its task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..engine.observer import Observer
from ..environment import device_text
from ..errors import ConfigError, RunError
from ..user_files import refuse_repeated
from .finished_runs import report_unverified
from .folder import Run, open_run, require_finished
from .own_network import require_network
from .tasks import task_of


def check_runs(runs: Sequence[str | Path], *, dropout_at_test: bool = False) -> list[Run]:
    """Refuse what cannot be scored, or not together, before torch is loaded.

    Args:
        runs: folders.
        dropout_at_test: whether it is to be shown what leaving dropout on would do.

    Returns:
        The runs.

    Raises:
        RunError: one is no run or not finished, is given twice, or they are not of one task.
        ConfigError: dropout cannot be left on.
    """
    opened = [open_run(run) for run in runs]
    tasks = [task_of(run) for run in opened]
    for run, task in zip(opened, tasks, strict=True):
        if task is not tasks[0]:
            raise RunError(
                run.path, f"is a run of {task.name}", f"{tasks[0].name}, as the first run"
            )
    refuse_repeated(runs, "different runs, as each counts in the mean", kind=RunError)
    for run in opened:
        require_finished(run)
    if dropout_at_test and not tasks[0].shows_dropout:
        raise ConfigError(
            "--dropout-at-test", f"a run of {tasks[0].name}", "a classifier of scenes"
        )
    return opened


def evaluate(
    run: str | Path,
    *,
    dropout_at_test: bool = False,
    memory_limit: float | None = None,
    device: str | None = None,
    observer: Observer | None = None,
) -> dict[str, Any]:
    """A run's test scores, computed again from its saved model and split.

    Of a denoiser those of its validation images.

    Args:
        run: folder of a finished run.
        dropout_at_test: also show what leaving dropout on would do.
        memory_limit: bytes within which a scene of the user's own is read.
        device: auto, cpu, cuda or cuda:N in the place of the one that the run was made with.
        observer: reports progress.

    Returns:
        "run", "task", "unverified" (files that nobody vouches for, if any), "test" or "validation"
        (the scores), "stored" (as metrics.json has them), "equal", "moved" (the run's device and
        this one, where they are not alike; else None), and "dropout_at_test" where asked for.

    Raises:
        RunError: the run is unfinished or damaged.
        ChecksumError: the data are not those of the run.
    """
    (opened,) = check_runs([run], dropout_at_test=dropout_at_test)
    observer = observer or Observer()
    unverified = report_unverified([run], observer)
    require_network(opened)
    task = task_of(opened)
    # Not before what is refused without it.
    import torch

    from .precisions import precision_remarks

    result = task.evaluate(opened, observer, device, memory_limit, dropout_at_test=dropout_at_test)
    where = str(result.pop("device"))
    name = torch.cuda.get_device_name(where) if where.startswith("cuda") else None
    known = opened.environment.get("device_name") or name
    own, here = device_text(str(opened.config.get("device")), known), device_text(where, name)
    for line in precision_remarks(opened.config, torch.device(where), "evaluation"):
        observer.message(line)
    marked = {"unverified": list(unverified)} if unverified else {}
    return result | marked | {"task": task.name, "moved": None if own == here else [own, here]}


def evaluate_together(
    runs: Sequence[str | Path],
    *,
    memory_limit: float | None = None,
    device: str | None = None,
    observer: Observer | None = None,
) -> dict[str, Any]:
    """The test scores of several runs that answer together, by the mean of their probabilities.

    What counts is what all of them tested, so that no run has learnt from it.

    Args:
        runs: folders of finished runs: of one scene, or of the same images.
        memory_limit: bytes within which a scene of the user's own is read.
        device: auto, cpu, cuda or cuda:N in the place of the runs' own.
        observer: reports progress.

    Returns:
        "task", "unverified" (files that nobody vouches for, if any), and what
        `Task.evaluate_together` returns.

    Raises:
        RunError: a run is unfinished, damaged or given twice, its data have changed, or the runs
            are not of one task and the same data.
    """
    if not runs:
        raise RunError("hsi evaluate", "no runs", "one or more finished runs")
    opened = check_runs(runs)
    for run in opened:
        require_network(run)
    observer = observer or Observer()
    unverified = report_unverified(runs, observer)
    marked = {"unverified": list(unverified)} if unverified else {}
    task = task_of(opened[0])
    found = task.evaluate_together(opened, observer, device, memory_limit)
    return found | marked | {"task": task.name}
