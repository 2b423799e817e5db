"""A run's scores, computed once more from what it has saved, whatever its task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..engine.observer import Observer
from ..errors import ConfigError
from .finished_runs import report_unverified
from .folder import open_run
from .own_network import require_network
from .tasks import task_of


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
        this one, where they differ; else None), and "dropout_at_test" where asked for.

    Raises:
        RunError: the run is unfinished or damaged.
        ChecksumError: the data are not those of the run.
    """
    opened = open_run(run)
    observer = observer or Observer()
    unverified = report_unverified([run], observer)
    require_network(opened)
    task = task_of(opened)
    if dropout_at_test and not task.shows_dropout:
        raise ConfigError("--dropout-at-test", f"a run of {task.name}", "a classifier of scenes")
    result = task.evaluate(opened, observer, device, memory_limit, dropout_at_test=dropout_at_test)
    own, here = opened.config.get("device"), result.pop("device")
    marked = {"unverified": list(unverified)} if unverified else {}
    return result | marked | {"task": task.name, "moved": None if own == here else [own, here]}
