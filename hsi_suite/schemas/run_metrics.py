"""What a run's metrics.json holds, task by task, as far as others read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from ..errors import HsiSuiteError, RunError
from ..guard import parsing
from ..metrics.confusion import Confusion
from ..metrics.measures import of_classifiers
from .stored import Stored, check_stored

_REMEDY = "train the run again"


class _Task(Stored):
    task: str


class _Divergence(Stored):
    first_loss: float
    last_loss: float


class RunMetrics(_Task):
    """What the runs of every task write."""

    dataset: str
    model: str
    seed: int
    epoch: int | None = None
    parameters: int | None = None
    multiply_adds: int | None = None
    synthetic: bool = False
    diverged: _Divergence | None = None

    @classmethod
    def check_whole(cls, metrics: Any, path: Path) -> None:
        """Refuse what fits its types and cannot be nevertheless.

        Raises:
            RunError: such as tables of different sizes.
        """


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
    negative_log_likelihood: float | None = None
    brier_score: float | None = None
    expected_calibration_error: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _scores_are_numbers(cls, tree: Any) -> Any:
        """Scores that came later, and those of other packages, need not be there."""
        for each in of_classifiers() if isinstance(tree, dict) else ():
            value = tree.get(each.name)
            if isinstance(value, bool) or not isinstance(value, int | float | None):
                raise ValueError(f"{each.name} should be a number")
        return tree


class _Cells(Stored):
    num_classes: int = Field(ge=1)
    truth: list[int]
    predicted: list[int]
    counts: list[int]


class _Test(_Scores):
    confusion_matrix: list[list[int]] | _Cells


class _Split(Stored):
    kind: str = ""
    folds: int = Field(0, ge=0, le=100)


class _LeftOut(Stored):
    reason: str
    bands: int
    places: str


class _Bands(Stored):
    used: int
    of: int
    left_out: list[_LeftOut]


class _SceneScores(Stored):
    overall_accuracy: float | None
    average_accuracy: float | None
    cohen_kappa: float | None


class _Scene(Stored):
    name: str
    train: int
    validation: int
    test: int
    test_scores: _SceneScores | None


class _Bin(Stored):
    from_: float = Field(alias="from")
    to: float
    pixels: int = Field(ge=0)
    confidence: float | None
    accuracy: float | None


class _Uncalibrated(Stored):
    negative_log_likelihood: float
    brier_score: float
    expected_calibration_error: float
    reliability: list[_Bin] = Field(min_length=1)


class _Kept(Stored):
    accuracy: list[list[float]] = Field(min_length=1)
    curve: list[list[float]] = Field(min_length=1)
    area: float

    @model_validator(mode="after")
    def _three_each(self) -> _Kept:
        if any(len(row) != 3 for row in (*self.accuracy, *self.curve)):
            raise ValueError("share, accuracy and least probability in each row")
        return self


class _Calibration(Stored):
    method: Literal["none", "temperature", "sigmoid", "isotonic", "several"]
    why: str = ""
    pixels: int = 0
    folds: int = 0
    held_out: str = ""
    held_out_losses: dict[str, float] = Field(default_factory=dict)


class _Probabilities(Stored):
    calibration: _Calibration
    reliability: list[_Bin] = Field(default_factory=list)
    kept: _Kept | None = None
    uncalibrated: _Uncalibrated | None = None

    @model_validator(mode="after")
    def _judged_together(self) -> _Probabilities:
        if (self.kept is not None) != any(row.pixels for row in self.reliability):
            raise ValueError("a reliability diagram together with what is kept")
        return self


class _Behind(Stored):
    value: float
    low: float | None
    high: float | None
    apart: bool


class _Candidate(Stored):
    name: str
    why: str = ""
    score: float | None = None
    overall_accuracy: float | None = None
    average_accuracy: float | None = None
    by_fold: list[float] = Field(default_factory=list)
    behind: _Behind | None = None

    @model_validator(mode="after")
    def _scored_or_not(self) -> _Candidate:
        if (self.score is None) != (self.behind is None):
            raise ValueError("a score together with how far it is behind the best")
        return self


class ChoiceMade(Stored):
    """What `--model auto` tried, and took."""

    chosen: str
    best: str
    window: int = Field(ge=1)
    score: Literal["mean", "overall_accuracy", "average_accuracy"]
    rule: Literal["best", "first"]
    folds: int = Field(ge=2)
    made_of: str
    guard: int
    level: float
    not_judged: list[str]
    candidates: list[_Candidate] = Field(min_length=1)

    @model_validator(mode="after")
    def _chosen_of_them(self) -> ChoiceMade:
        scored = {each.name for each in self.candidates if each.score is not None}
        if not {self.chosen, self.best} <= scored:
            raise ValueError("chosen and best among the candidates with a score")
        return self


class ClassifiedMetrics(RunMetrics):
    """What the runs of classifiers write."""

    classes: list[_Class] = Field(min_length=1)
    test: _Test
    baselines: dict[str, _Scores] = Field(default_factory=dict)
    split: _Split | None = None
    bands: _Bands | None = None
    scenes: list[_Scene] | None = None
    scenes_unlike: list[str] | None = None
    label_remarks: list[str] | None = None
    probabilities: _Probabilities | None = None
    choices: list[ChoiceMade] = Field(default_factory=list)
    filter: int | None = Field(default=None, ge=1)

    @classmethod
    def check_whole(cls, metrics: Any, path: Path) -> None:
        """See `RunMetrics`."""
        classes, test = metrics["classes"], metrics["test"]
        with parsing(path, "what this version writes", _REMEDY, kind=RunError):
            try:
                counts = Confusion.from_plain(test["confusion_matrix"])
            except HsiSuiteError as error:
                # It speaks of a matrix, not of the file that holds it.
                raise ValueError(str(error)) from error
        if len({len(classes), len(test["per_class"]), counts.num_classes}) > 1:
            raise RunError(path, "tables of different sizes", "one row for each class", _REMEDY)


class _Noise(Stored):
    kind: str
    sigma: list[float] = Field(min_length=2, max_length=2)


class _Restored(Stored):
    peak_signal_noise_ratio: float | None
    structural_similarity: float | None


class DenoisedMetrics(RunMetrics):
    """What the trainings of denoisers write."""

    noise: _Noise
    train_images: int
    validation_images: int
    validation: dict[str, _Restored]


class RetrievedMetrics(RunMetrics):
    """What the runs of retrieval write."""

    pair: list[str] = Field(min_length=2, max_length=2)
    classes: list[_NamedClass] = Field(default_factory=list)
    test: dict[str, dict[str, Any]]
    baselines: dict[str, dict[str, Any]] = Field(default_factory=dict)
    split: _Split
    bands: _Bands | None = None


def check_metrics(metrics: Any, path: Path, kind: type[RunMetrics], *, whole: bool) -> None:
    """Compare the content of metrics.json with what a run of its task writes.

    Args:
        metrics: the content.
        path: the file, for the error.
        kind: what such a run writes, as its task says.
        whole: whether everything has to be there; else only what is there is looked at.

    Raises:
        RunError: a score is missing or of another type, or tables differ in size.
    """
    check_stored(kind, metrics, path, _REMEDY, whole=whole)
    if whole:
        kind.check_whole(metrics, path)


def task_name(metrics: Any, path: Path) -> str:
    """The task that the content of metrics.json is of.

    Raises:
        RunError: it names none.
    """
    check_stored(_Task, metrics, path, _REMEDY)
    return str(metrics["task"])
