"""The files of a batch's folder, checked before anything is made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...config import parse_yaml
from ...errors import RunError, ShapeError
from ...metrics.confusion import Confusion
from ...runs import METRICS, Run, open_run

BATCH = "batch.yaml"
SUMMARY = "summary.json"

# Keys of a batch that change how it is carried out but not what comes out of it.
_NOT_IDENTITY = ("jobs", "retries")
_LONGEST = 120


class _Checked(BaseModel):
    """What has to be there; what else is there is not looked at."""

    model_config = ConfigDict(strict=True, extra="ignore")


class _Limits(_Checked):
    low: float | None
    high: float | None


class _Description(_Checked):
    n: int
    mean: float | None
    std: float | None
    min: float | None
    max: float | None
    interval: _Limits | None
    notes: list[str] = Field(default_factory=list)


class _Dropout(_Checked):
    n: int
    mean: float | None
    std: float | None
    evaluations: int


class _Group(_Checked):
    name: str
    task: str
    dataset: str
    model: str
    variant: str
    synthetic: bool
    n: int
    runs: list[str] = Field(min_length=1)
    test: dict[str, _Description]
    baselines: dict[str, dict[str, _Description]]
    headline: list[str] = Field(min_length=1)
    leakage: dict[str, float | None] | None
    dropout_at_test: dict[str, _Dropout] | None = None


class _Test(_Checked):
    p: float | None


class _Number(_Checked):
    value: float | None


class _Comparison(_Checked):
    dataset: str
    variant: str
    metric: str
    first: str
    second: str
    n: list[int]
    difference: float | None
    interval: _Limits | None
    t_test: _Test
    rank_test: _Test | None
    effect_size: _Number
    share_of_improved_pairs: _Number | None = None
    probability_of_improvement: _Number | None
    runs_to_tell: int | None
    holm_p: float | None
    verdict: str
    notes: list[str]


class _Source(_Checked):
    n: int
    std: float | None
    std_interval: _Limits | None
    share: float | None
    share_interval: _Limits | None


class _Variance(_Checked):
    name: str
    dataset: str
    model: str
    variant: str
    metric: str
    scale: str
    n: int
    total_variance: float | None
    total_std: float | None
    total_std_interval: _Limits | None
    sources: dict[str, _Source]
    interaction_share: float | None
    notes: list[str]


class _Summary(_Checked):
    name: str
    question: str
    level: float = Field(gt=0, lt=1)
    failures: dict[str, str]
    groups: list[_Group] = Field(min_length=1)
    comparisons: list[_Comparison]
    variance: list[_Variance]


class _Class(_Checked):
    label: int = Field(ge=1)
    name: str


class _ClassFigures(_Checked):
    name: str
    recall: float | None
    precision: float | None
    f1: float | None


class _Cells(_Checked):
    num_classes: int = Field(ge=1)
    truth: list[int]
    predicted: list[int]
    counts: list[int]


class _ClassifiedTest(_Checked):
    per_class: list[_ClassFigures]
    confusion_matrix: list[list[int]] | _Cells
    overall_accuracy: float
    average_accuracy: float | None
    cohen_kappa: float | None


class _Metrics(_Checked):
    task: str
    dataset: str
    model: str
    seed: int
    epoch: int | None = None
    parameters: int | None = None


class _Classified(_Metrics):
    classes: list[_Class] = Field(min_length=1)
    test: _ClassifiedTest


def is_batch(folder: Path) -> bool:
    """Whether a folder holds a batch that was summed up."""
    return (folder / SUMMARY).is_file()


def read_summary(folder: Path) -> dict[str, Any]:
    """The content of summary.json.

    Raises:
        RunError: it is missing, damaged, or of an older version.
    """
    path = folder / SUMMARY
    try:
        tree = json.loads(path.read_text("utf-8"))
    except OSError as error:
        found = f"cannot be read ({error.strerror})"
        raise RunError(path, found, "a batch's folder", "run `hsi batch` to the end") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RunError(path, "not valid JSON", "what hsi wrote") from error
    _check(_Summary, tree, path, "carry out the batch again: finished runs are kept")
    assert isinstance(tree, dict)
    return tree


@contextmanager
def whole_files(folder: Path) -> Iterator[None]:
    """Tell in one line what stumbles over the content of a folder's files.

    The figures of runs are checked before; this is for what is deeper inside them.

    Raises:
        RunError: something in the block met a value that no run writes.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        kind = f"{type(error).__name__}: {error}"
        raise RunError(
            folder,
            f"a file in it holds what no run writes ({kind[:_LONGEST]})",
            "files as hsi left them",
            "carry it out again; --debug shows where it was met",
        ) from error


def read_run(folder: Path, name: str) -> Run:
    """A run of a batch, its figures checked.

    Raises:
        RunError: it is missing, unfinished or damaged.
    """
    if Path(name).name != name or name in ("", ".", ".."):
        raise RunError(folder / SUMMARY, f"names the run {name!r}", "a folder beside it")
    return checked(open_run(folder / name))


def checked(run: Run) -> Run:
    """A run, once its figures are known to be whole.

    Raises:
        RunError: it is unfinished or damaged.
    """
    kind = _Classified if "classification" in str(run.metrics["task"]) else _Metrics
    _check(kind, run.metrics, run.path / METRICS, "train the run again")
    if kind is _Classified:
        _check_sizes(run)
    return run


def _check(kind: type[_Checked], tree: Any, path: Path, remedy: str) -> None:
    try:
        kind.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        found = f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}"
        raise RunError(path, found, "what this version writes", remedy) from error


def _check_sizes(run: Run) -> None:
    classes, test = run.metrics["classes"], run.metrics["test"]
    try:
        counts = Confusion.from_plain(test["confusion_matrix"])
    except (ShapeError, ValueError, OverflowError):
        counts = None
    sizes = {len(classes), len(test["per_class"]), counts.num_classes if counts else 0}
    if len(sizes) > 1:
        raise RunError(run.path / METRICS, "tables of different sizes", "one row for each class")


def batch_text(folder: Path) -> str:
    """The batch without what changes only how it is carried out; empty where there is none.

    Raises:
        RunError: batch.yaml cannot be read.
    """
    path = folder / BATCH
    if not path.is_file():
        return ""
    try:
        tree = parse_yaml(path.read_text("utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(path, "cannot be read", "what `hsi batch` wrote") from error
    if not isinstance(tree, Mapping):
        raise RunError(path, "holds no batch", "a mapping of keys")
    kept = {key: value for key, value in tree.items() if key not in _NOT_IDENTITY}
    return str(yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=100))
