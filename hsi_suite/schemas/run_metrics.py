"""What a run's metrics.json holds, task by task, as far as others read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from ..errors import HsiSuiteError, RunError
from ..guard import parsing
from ..metrics.confusion import Confusion
from .stored import Stored, check_stored

_REMEDY = "train the run again"


class _Task(Stored):
    task: str


class _Metrics(_Task):
    dataset: str
    model: str
    seed: int
    epoch: int | None = None
    parameters: int | None = None
    synthetic: bool = False


class _Class(Stored):
    label: int = Field(ge=1)
    name: str


class _NamedClass(Stored):
    name: str


class _ClassFigures(Stored):
    name: str
    recall: float | None
    precision: float | None
    f1: float | None


class _Scores(Stored):
    per_class: list[_ClassFigures]
    overall_accuracy: float
    average_accuracy: float | None
    cohen_kappa: float | None
    top_5_accuracy: float | None = None


class _Cells(Stored):
    num_classes: int = Field(ge=1)
    truth: list[int]
    predicted: list[int]
    counts: list[int]


class _Test(_Scores):
    confusion_matrix: list[list[int]] | _Cells


class _Split(Stored):
    kind: str = ""


class _Classified(_Metrics):
    classes: list[_Class] = Field(min_length=1)
    test: _Test
    baselines: dict[str, _Scores] = Field(default_factory=dict)
    split: _Split | None = None


class _Noise(Stored):
    kind: str
    sigma: list[float] = Field(min_length=2, max_length=2)


class _Restored(Stored):
    peak_signal_noise_ratio: float | None
    structural_similarity: float | None


class _Denoised(_Metrics):
    noise: _Noise
    train_images: int
    validation_images: int
    validation: dict[str, _Restored]


class _Retrieved(_Metrics):
    pair: list[str] = Field(min_length=2, max_length=2)
    classes: list[_NamedClass] = Field(default_factory=list)
    test: dict[str, dict[str, Any]]
    baselines: dict[str, dict[str, Any]] = Field(default_factory=dict)
    split: _Split


_BY_TASK: dict[str, type[_Metrics]] = {
    "classification": _Classified,
    "image_classification": _Classified,
    "denoising": _Denoised,
    "retrieval": _Retrieved,
}


def check_metrics(metrics: Any, path: Path, *, whole: bool) -> None:
    """Compare the content of metrics.json with what a run of its task writes.

    Args:
        metrics: the content.
        path: the file, for the error.
        whole: whether everything has to be there; else only what is there is looked at.

    Raises:
        RunError: a figure is missing or of another type, or tables differ in size.
    """
    check_stored(_Task, metrics, path, _REMEDY)
    kind = _BY_TASK.get(metrics["task"], _Metrics)
    check_stored(kind, metrics, path, _REMEDY, whole=whole)
    if not whole:
        return
    if metrics["task"] not in _BY_TASK:
        found = f"task: {metrics['task']!r}"
        raise RunError(path, found, f"one of {', '.join(_BY_TASK)}", _REMEDY)
    if kind is _Classified:
        _check_sizes(metrics, path)


def _check_sizes(metrics: Any, path: Path) -> None:
    classes, test = metrics["classes"], metrics["test"]
    with parsing(path, "what this version writes", _REMEDY, kind=RunError):
        try:
            counts = Confusion.from_plain(test["confusion_matrix"])
        except HsiSuiteError as error:
            # It speaks of a matrix, not of the file that holds it.
            raise ValueError(str(error)) from error
    if len({len(classes), len(test["per_class"]), counts.num_classes}) > 1:
        raise RunError(path, "tables of different sizes", "one row for each class", _REMEDY)
