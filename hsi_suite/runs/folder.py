"""A run's folder: its name, its identity, what lies in it and who may write to it.

One run is one folder, named after what defines it. `metrics.json` is written last: a folder that
holds it is finished and never touched again; one that does not can be continued.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..arguments import checked
from ..atomic import make_folder, write_text
from ..commands import suggested
from ..config import parse_yaml
from ..errors import RunError, UnknownNameError
from ..guard import parsing
from ..printable import safe_line
from ..schemas.run_metrics import RunMetrics, check_metrics, task_name
from ..scratch import sweep
from ..shown import Rows, Shown
from ..user_files import LARGEST_JSON, is_there, read_json, read_text, require_folder
from .earlier_runs import with_earlier_values

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFIG = "config.yaml"
METRICS = "metrics.json"
ENVIRONMENT = "environment.json"
HISTORY = "history.csv"
COST = "cost.json"
CHECKPOINT = "checkpoint.pt"
# In the first of several runs that are trained at once: the state of all of them.
TOGETHER = "together.pt"
# What --model auto has tried; like the checkpoint it is there until the run is finished.
CHOICE = "choice.json"
MODEL = "model.safetensors"
SPLIT = "split.npz"
# A run of spatial folds has a model and a split of each: fold_1.safetensors, fold_1.npz …
FOLD = "fold_{}"
SPLIT_ENDING, MODEL_ENDING = ".npz", ".safetensors"
LABEL_MAP = "map.npy"
MAP_PICTURE = "map.png"
AREAS = "areas.json"
AREAS_TABLE = "areas.csv"
CONFUSION = "confusion.png"
CURVES = "learning_curves.png"
REPORT = "report.html"
LOG = "log.txt"

_AGAIN = "train the run again"
# A tab or a line break is skipped by spreadsheets, and what follows it begins the cell.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
_FORMERLY_TEMPORARY = re.compile(
    r"\.(checkpoint|config|environment|history|metrics|cost|model|split|map|confusion|report"
    r"|learning_curves|denoised|mistakes)\.[a-z0-9_]{8}\.[a-z]+"
)


def run_name(dataset: str, model: str, split: str, seed: int, identity: str) -> str:
    """The folder name `<dataset>_<model>_<split>_s<seed>_<hash8>`, safe on every file system."""
    parts = [re.sub(r"[^A-Za-z0-9.-]+", "-", part).strip("-.") for part in (dataset, model, split)]
    return "_".join([*parts, f"s{seed}", identity])


@dataclass(frozen=True, repr=False)
class Run(Shown):
    """A run's folder and what can be read from it.

    Attributes:
        path: the folder.
    """

    path: Path

    def shown(self) -> tuple[str, Rows]:
        """What was trained, and the figures that are told first."""
        from .shown_run import run_rows

        return f"Run {self.path.name}", [("folder", str(self.path)), *run_rows(self)]

    @property
    def finished(self) -> bool:
        """Whether everything has been written."""
        return (self.path / METRICS).is_file()

    @cached_property
    def config_text(self) -> str:
        """The resolved configuration as it stands in the folder."""
        return self._text(CONFIG)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved configuration as a plain tree."""
        tree = parse_yaml(self.config_text, self.path / CONFIG)
        if not isinstance(tree, dict):
            raise RunError(self.path / CONFIG, "holds no configuration", "a mapping of keys")
        task = tree.get("task", "")
        if not isinstance(task, str):
            raise RunError(self.path / CONFIG, f"task: {task!r}", "the name of a task", _AGAIN)
        return with_earlier_values(tree)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The results: deterministic values only."""
        metrics = self._json(METRICS)
        self._check(metrics, whole=False)
        return metrics

    def check_whole(self) -> None:
        """Refuse a metrics.json in which anything is missing.

        Raises:
            RunError: the run is unfinished or damaged, or of a task that is not known here.
        """
        self._check(self.metrics, whole=True)

    def _check(self, metrics: Any, *, whole: bool) -> None:
        # A task stands on what is defined here.
        from .tasks import task_named

        path = self.path / METRICS
        try:
            kind = task_named(task_name(metrics, path)).metrics_schema
        except UnknownNameError as error:
            if whole:
                raise RunError(path, f"task: {metrics['task']!r}", error.expected) from error
            kind = RunMetrics
        check_metrics(metrics, path, kind, whole=whole)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """What the run ran on."""
        found = self._json(ENVIRONMENT)
        if not isinstance(found.get("data", {}), dict):
            path, value = self.path / ENVIRONMENT, found["data"]
            raise RunError(path, f"data: {value!r}", "checksums by name", _AGAIN)
        return found

    @property
    def identity(self) -> str:
        """What `run_identity` gave when the run began; empty where that is not known."""
        known = (self.path / ENVIRONMENT).exists()
        return str(self.environment.get("identity", "")) if known else ""

    @cached_property
    def cost(self) -> dict[str, Any]:
        """Time and memory."""
        return self._json(COST)

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """One row of values for each epoch; empty for models without epochs."""
        if not (self.path / HISTORY).exists():
            return []
        path = self.path / HISTORY
        with parsing(path, "a table of numbers", _AGAIN, kind=RunError):
            rows = csv.DictReader(io.StringIO(self._text(HISTORY)), strict=True)
            return [{key: float(value) for key, value in row.items() if value} for row in rows]

    @cached_property
    def label_map(self) -> NDArray[np.integer]:
        """The classification map, lines × samples of labels; 0 where there is no data."""
        import numpy as np

        path = self.path / LABEL_MAP
        with parsing(path, "a map that `hsi train` wrote", _AGAIN, kind=RunError):
            labels: NDArray[np.integer] = np.load(path, allow_pickle=False)
        if not isinstance(labels, np.ndarray) or labels.ndim != 2 or labels.dtype.kind not in "iu":
            raise RunError(path, "holds no map of labels", "lines × samples", _AGAIN)
        return labels

    def _text(self, name: str) -> str:
        return read_text(
            self.path / name,
            "a file of a run folder",
            "name a folder that `hsi train` made",
            kind=RunError,
            largest=LARGEST_JSON,
        )

    def _json(self, name: str) -> dict[str, Any]:
        return read_json(self.path / name, "a file that `hsi train` wrote", kind=RunError)


def require_finished(run: Run) -> None:
    """Refuse a run that has no scores and no model yet.

    Raises:
        RunError: it is not finished; the line says how to go on.
    """
    if not run.finished:
        again = suggested("train", "--resume", run.path)
        raise RunError(run.path, "is not finished", "a finished run", f"run {again} first")


@checked
def open_run(path: str | Path) -> Run:
    """The run in a folder.

    Raises:
        RunError: it is no run folder.
    """
    run = Run(Path(path))
    expected, remedy = "a run folder", "name a folder that `hsi train` made"
    if is_there(run.path) and is_there(run.path.parent / CONFIG):
        remedy = f"name its folder, {run.path.parent}"
    require_folder(run.path, expected, remedy, kind=RunError)
    if not is_there(run.path / CONFIG) or not (run.path / CONFIG).is_file():
        found = "holds no config.yaml"
        if not os.access(run.path, os.X_OK, effective_ids=True):
            found = "cannot be opened (Permission denied)"
        raise RunError(path, found, expected, remedy)
    return run


def prepare_run(output: Path, name: str, config_text: str) -> Run:
    """The run's folder, made if need be, with its configuration in it.

    Raises:
        OutputError: it cannot be written.
    """
    run = Run(make_folder(Path(output) / name))
    if not (run.path / CONFIG).is_file():
        write_text(run.path / CONFIG, config_text)
    return run


class RunInUseError(RunError):
    """Another process is working on the run."""


def fold_files(run: Run, ending: str) -> list[Path]:
    """The files of a finished run's spatial folds, in their order; none where it has no folds.

    Raises:
        RunError: its metrics.json is damaged.
    """
    number = (run.metrics.get("split") or {}).get("folds", 0)
    return [run.path / f"{FOLD.format(one)}{ending}" for one in range(1, number + 1)]


@contextmanager
def locked(run: Run) -> Iterator[None]:
    """Hold the run's folder for writing; the lock goes with the process, however it ends.

    Raises:
        RunInUseError: another process holds it.
    """
    descriptor = os.open(run.path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunInUseError(
            run.path,
            "another process is working on this run",
            "a run of its own",
            "wait for it, or choose another seed or --output",
        ) from None
    else:
        yield
    finally:
        os.close(descriptor)


def tidy(run: Run) -> None:
    """Remove what a kill has left in a run's folder; to be called with the lock held."""
    sweep(run.path)
    for path in run.path.iterdir():
        # As earlier versions named them.
        if _FORMERLY_TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)
    if run.finished:
        for name in (CHECKPOINT, CHOICE):
            (run.path / name).unlink(missing_ok=True)


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV; the columns are the keys in the order of their first appearance.

    Text that a spreadsheet would take for a formula begins with an apostrophe, which makes it text
    there; numbers stay numbers.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(map(_cell, columns))
    writer.writerows([_cell(row.get(column, "")) for column in columns] for row in rows)
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = safe_line(value)
    return f"'{text}" if value.startswith(_FORMULA_SIGNS) else text
