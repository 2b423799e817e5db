"""The files of a batch's folder, checked before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from ...config import parse_yaml
from ...errors import RunError
from ...guard import parsing
from ...metrics.measures import measure
from ...schemas.stored import Stored, check_stored
from ...shown import Rows, Shown
from ...user_files import read_json, read_text
from ..folder import Run, open_run
from ..tasks import stored_task

BATCH = "batch.yaml"
SUMMARY = "summary.json"
RUNS_CSV = "runs.csv"

# Keys of a batch that change how it is carried out but not what comes out of it.
_NOT_IDENTITY = ("jobs", "retries")


@dataclass(frozen=True, repr=False)
class Batch(Shown):
    """A finished batch.

    Attributes:
        path: its folder.
        runs: its runs that finished.
        failures: what stopped the others, by description.
    """

    path: Path
    runs: list[Run]
    failures: dict[str, str]

    def shown(self) -> tuple[str, Rows]:
        """The mean of every group, and the verdicts."""
        rows = [("folder", str(self.path))]
        for group in self.summary["groups"]:
            name = group["headline"][0]
            figure, found = measure(name), group["test"][name]
            mean, spread = figure.with_unit(found["mean"]), figure.size_with_points(found["std"])
            rows.append((group["name"], f"{figure.title} {mean} ± {spread}, {found['n']} runs"))
        rows += [("", found["verdict"]) for found in self.summary["comparisons"]]
        rows += [(f"failed: {what}", why) for what, why in self.failures.items()]
        return f"Batch {self.path.name}, {len(self.runs)} runs", rows

    @property
    def summary(self) -> dict[str, Any]:
        """The content of summary.json."""
        return read_summary(self.path)


class _Limits(Stored):
    low: float | None
    high: float | None


class _Description(Stored):
    n: int
    mean: float | None
    std: float | None
    min: float | None
    max: float | None
    interval: _Limits | None
    notes: list[str] = Field(default_factory=list)


class _Dropout(Stored):
    n: int
    mean: float | None
    std: float | None
    evaluations: int


class _Group(Stored):
    name: str
    task: str
    dataset: str
    model: str
    variant: str
    synthetic: bool
    diverged: int | None = None
    n: int
    runs: list[str] = Field(min_length=1)
    test: dict[str, _Description]
    baselines: dict[str, dict[str, _Description]]
    headline: list[str] = Field(min_length=1)
    leakage: dict[str, float | None] | None
    levels: dict[str, int] | None = None
    dropout_at_test: dict[str, _Dropout] | None = None


class _Test(Stored):
    p: float | None


class _Number(Stored):
    value: float | None


class _Comparison(Stored):
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


class _Source(Stored):
    n: int
    anchors: int
    degrees_of_freedom: int
    variance: float | None
    std: float | None
    std_interval: _Limits | None
    share: float | None
    share_interval: _Limits | None


class _Variance(Stored):
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
    # Batches that were summed up before these had a meaning do not have them.
    remainder_share: float | None = None
    remainder_share_interval: _Limits | None = None
    notes: list[str]


class _Summary(Stored):
    name: str
    question: str
    level: float = Field(gt=0, lt=1)
    failures: dict[str, str]
    groups: list[_Group] = Field(min_length=1)
    comparisons: list[_Comparison]
    variance: list[_Variance]


def is_batch(folder: Path) -> bool:
    """Whether a folder holds a batch that was summed up."""
    return (folder / SUMMARY).is_file()


def read_summary(folder: Path) -> dict[str, Any]:
    """The content of summary.json.

    Raises:
        RunError: it is missing, damaged, or of an older version.
    """
    path = folder / SUMMARY
    tree = read_json(path, "what hsi wrote", "run `hsi batch` to the end", kind=RunError)
    check_stored(_Summary, tree, path, "carry out the batch again: finished runs are kept")
    for number, group in enumerate(tree["groups"]):
        stored_task(group["task"], path, f"groups.{number}.task")
    return tree


@contextmanager
def whole_files(folder: Path) -> Iterator[None]:
    """Report in one line what fails on the content of a folder's files.

    The scores of runs are checked before; this is for what is deeper inside them.

    Raises:
        RunError: something in the block met a value that no run writes.
    """
    with parsing(
        folder,
        "files as hsi left them",
        "carry it out again; --debug shows where it was met",
        kind=RunError,
        found="a file in it holds what no run writes",
    ):
        yield


def read_run(folder: Path, name: str) -> Run:
    """A run of a batch, its scores checked.

    Raises:
        RunError: it is missing, unfinished or damaged.
    """
    if Path(name).name != name or name in ("", ".", ".."):
        raise RunError(folder / SUMMARY, f"names the run {name!r}", "a folder beside it")
    return checked(open_run(folder / name))


def checked(run: Run) -> Run:
    """A run, once its scores are known to be whole.

    Raises:
        RunError: it is unfinished or damaged.
    """
    run.check_whole()
    return run


def batch_text(folder: Path) -> str:
    """The batch without what changes only how it is carried out; empty where there is none.

    Raises:
        RunError: batch.yaml cannot be read.
    """
    path = folder / BATCH
    if not path.is_file():
        return ""
    tree = parse_yaml(read_text(path, "what `hsi batch` wrote", kind=RunError), path)
    if not isinstance(tree, Mapping):
        raise RunError(path, "holds no batch", "a mapping of keys")
    kept = {key: value for key, value in tree.items() if key not in _NOT_IDENTITY}
    return str(yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=100))
