"""The tasks by name: ours, and those that other packages offer."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from ..errors import ConfigError, RunError, UnknownNameError
from ..registry import did_you_mean, listed, warn_left_out
from .folder import CONFIG, Run
from .task import Task

GROUP = "hsi_suite.tasks"
"""The group of entry points under which other packages offer tasks."""
_OURS = {
    "classification": "hsi_suite.tasks.scenes.definition:SCENE_CLASSIFICATION",
    "denoising": "hsi_suite.tasks.denoising.definition:DENOISING",
    "image_classification": "hsi_suite.tasks.images.definition:IMAGE_CLASSIFICATION",
    "retrieval": "hsi_suite.tasks.retrieval.definition:RETRIEVAL",
}
FIRST_TASK = "classification"
"""What runs and configurations that name no task are of: once there was no other."""


def task_names() -> list[str]:
    """The names of all tasks, those of other packages among them."""
    return sorted({*_OURS, *(each.name for each in entry_points(group=GROUP))})


def task_named(name: str) -> Task:
    """The task of a name.

    Raises:
        UnknownNameError: there is none.
        ConfigError: the package that offers it cannot be imported.
    """
    if name in _OURS:
        module, _, attribute = _OURS[name].partition(":")
        ours: Task = getattr(import_module(module), attribute)
        return ours
    for point in entry_points(group=GROUP):
        if point.name == name:
            try:
                theirs: Task = point.load()
            except (Exception, SystemExit) as error:
                found = f"cannot be imported ({type(error).__name__}: {error})"
                raise ConfigError(f"task {name}", found, point.value) from error
            return theirs
    hint = did_you_mean(name, task_names())
    raise UnknownNameError("task", f"unknown name {name!r}", listed(task_names()), hint)


def task_for_data(dataset: str | None) -> Task:
    """The task that a data set means where no configuration is named.

    That is `FIRST_TASK` unless another task names the data set as its own.
    """
    for name in dict.fromkeys([*_OURS, *task_names()]):
        try:
            task = task_named(name)
        except ConfigError as error:
            # Another package that cannot be imported does not stop what needs nothing of it.
            warn_left_out("task", name, error.expected, error.__cause__ or error)
            continue
        if dataset in task.datasets:
            return task
    return task_named(FIRST_TASK)


def check_together(task: Task) -> None:
    """Refuse to train several seeds at once where a task does not offer it.

    Raises:
        ConfigError: it does not.
    """
    if not task.trains_together:
        raise ConfigError(
            "together",
            f"several seeds of {task.name}",
            "retrieval or image_classification",
            "leave it out",
        )


def task_of(run: Run) -> Task:
    """The task of a run.

    Raises:
        RunError: this installation does not know it.
    """
    return stored_task(run.config.get("task", FIRST_TASK), run.path / CONFIG)


def require_task(run: Run, task: Task) -> None:
    """Refuse a run of another task.

    Raises:
        RunError: it is one, or its task is not known here.
    """
    found = task_of(run)
    if found.name != task.name:
        raise RunError(
            run.path,
            f"is a run of {found.name}",
            f"a run of {task.name}",
            "train one; `hsi config list` names the configurations",
        )


def stored_task(name: object, path: Path, key: str = "task") -> Task:
    """The task that a file of ours names.

    Args:
        name: what stands in it.
        path: the file.
        key: where in it.

    Raises:
        RunError: this installation does not know it.
    """
    try:
        return task_named(str(name))
    except UnknownNameError as error:
        raise RunError(path, f"{key}: {name!r}", error.expected, error.remedy) from error
