"""Many runs and their summary: `hsi batch` and `hsi train --runs N`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..atomic import make_folder, write_json, write_text
from ..config import load_tree, merge, validate
from ..engine.observer import Observer
from ..errors import ConfigError, HsiSuiteError, RunError, Stopped
from ..metrics.summary import flatten_scores, summarise
from ..runs import Run, csv_text, run_identity
from ..schemas.batch import BatchConfig
from ..schemas.classification import ClassificationConfig
from ..schemas.denoising import DenoisingConfig
from ..schemas.image_classification import ImageClassificationConfig
from . import image_classification
from .classification import train
from .configuration import classification_config
from .training import Config

Member = ClassificationConfig | ImageClassificationConfig

RUNS_CSV = "runs.csv"
SUMMARY = "summary.json"


@dataclass(frozen=True)
class Batch:
    """A finished batch.

    Attributes:
        path: its folder.
        runs: its runs that finished.
        failures: what stopped the others, by description.
    """

    path: Path
    runs: list[Run]
    failures: dict[str, str]

    @property
    def summary(self) -> dict[str, Any]:
        """The content of summary.json."""
        value = json.loads((self.path / SUMMARY).read_text("utf-8"))
        assert isinstance(value, dict)
        return value


def run_batch(name: str, output: str | Path, observer: Observer | None = None) -> Batch:
    """Carry out the batch of a named or given configuration; finished runs are kept.

    Raises:
        ConfigError: the batch or one of its runs is not configured right; nothing is begun.
        RunError: not a single run finished.
    """
    tree = load_tree(name)
    config = validate(BatchConfig, tree, name)
    members = expand(config)
    stem = config.name or Path(name).stem
    return _carry_out(members, stem, output, observer or Observer())


def expand(config: BatchConfig) -> list[ClassificationConfig]:
    """One configuration for each run of a batch."""
    return [
        classification_config(
            dataset=dataset,
            model=model,
            tree=merge(config.set, {"split": {"kind": split}, "seeds": {"base": seed}}),
        )
        for dataset in config.datasets
        for model in config.models
        for split in config.splits
        for seed in config.base_seeds
    ]


def repeat(
    config: Config, runs: int, output: str | Path, observer: Observer | None = None
) -> Batch:
    """The same configuration with `runs` consecutive base seeds.

    Raises:
        ConfigError: it is no classification.
    """
    if isinstance(config, DenoisingConfig):
        raise ConfigError("--runs", f"task {config.task!r}", "a classification")
    if config.seeds.base + runs > 2**63:
        raise ConfigError("--seed", f"{config.seeds.base} with {runs} runs", "seeds below 2^63")
    first = config.seeds.base
    members = [
        config.model_copy(update={"seeds": config.seeds.model_copy(update={"base": first + k})})
        for k in range(runs)
    ]
    stem = f"{Path(_source(config)).stem}_{config.model.name}"
    if isinstance(config, ClassificationConfig):
        stem += f"_{config.split.kind}"
    return _carry_out(members, stem, output, observer or Observer())


def _carry_out(
    members: Sequence[Member], stem: str, output: str | Path, observer: Observer
) -> Batch:
    folder = make_folder(Path(output) / f"{stem}_{_batch_identity(members)}")
    runs: list[Run] = []
    failures: dict[str, str] = {}
    for number, member in enumerate(members, 1):
        what = _describe(member)
        observer.message(f"run {number} of {len(members)}: {what}")
        try:
            runs.append(_train(member, folder, observer))
        except HsiSuiteError as error:
            failures[what] = str(error)
            observer.message(f"failed: {error}")
        except Stopped:
            raise Stopped(
                f"{len(runs)} of {len(members)} runs are finished; the same command goes on"
            ) from None
    if not runs:
        raise RunError(folder, "no run finished", "at least one", next(iter(failures.values())))
    write_text(folder / RUNS_CSV, csv_text([_row(run) for run in runs]))
    write_json(folder / SUMMARY, summarise_runs(runs, failures))
    return Batch(folder, runs, failures)


def _train(member: Member, folder: Path, observer: Observer) -> Run:
    if isinstance(member, ImageClassificationConfig):
        return image_classification.train(member, folder, observer)
    return train(member, folder, observer)


def _batch_identity(members: Sequence[Member]) -> str:
    """The same for any number of seeds, so that a batch can grow without redoing its runs."""
    trees = []
    for member in members:
        tree = member.model_dump(mode="json")
        tree["seeds"].pop("base")
        if tree not in trees:
            trees.append(tree)
    return run_identity({"members": trees}, {})


def _describe(member: Member) -> str:
    what = f"{member.model.name} on {_source(member)}"
    if isinstance(member, ClassificationConfig):
        what += f", {member.split.kind} split"
    return f"{what}, seed {member.seeds.base}"


def _source(member: Member) -> str:
    """The data set, or the user's scene or folder."""
    if isinstance(member, ClassificationConfig):
        return member.data.dataset or member.data.scene or "scene"
    return member.data.dataset or member.data.folder or "images"


def _row(run: Run) -> dict[str, Any]:
    metrics = run.metrics
    row: dict[str, Any] = {
        "run": run.path.name,
        "dataset": metrics["dataset"],
        "model": metrics["model"],
        "split": metrics["split"]["kind"],
        "seed": metrics["seed"],
    }
    row |= flatten_scores(metrics["test"])
    for name, figures in sorted(metrics["baselines"].items()):
        row[f"{name} overall_accuracy"] = figures["overall_accuracy"]
    return row


def summarise_runs(runs: Sequence[Run], failures: dict[str, str]) -> dict[str, Any]:
    """Mean, standard deviation and number of every metric, per data set, model and split."""
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        metrics = run.metrics
        key = (metrics["dataset"], metrics["model"], metrics["split"]["kind"])
        groups.setdefault(key, []).append(run)
    return {
        "task": "batch",
        "failures": failures,
        "groups": [
            {
                "dataset": dataset,
                "model": model,
                "split": split,
                "synthetic": members[0].metrics["synthetic"],
                "seeds": [run.metrics["seed"] for run in members],
                "n": len(members),
                "test": summarise([flatten_scores(run.metrics["test"]) for run in members]),
                "baselines": _baselines(members),
            }
            for (dataset, model, split), members in groups.items()
        ],
    }


def _baselines(members: Sequence[Run]) -> dict[str, Any]:
    names = sorted({name for run in members for name in run.metrics["baselines"]})
    return {
        name: summarise(
            [
                flatten_scores(run.metrics["baselines"][name])
                for run in members
                if name in run.metrics["baselines"]
            ]
        )
        for name in names
    }
