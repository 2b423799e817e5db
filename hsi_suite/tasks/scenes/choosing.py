"""`--model auto`: candidates are trained and tested on spatial folds of the training pixels.

No test pixel takes part: while candidates are tried the scene holds no data there, and no class.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...atomic import write_json
from ...data.scene_stack import valid_pixels
from ...data.splits import Split
from ...engine.distributed import Team
from ...engine.observer import Observer
from ...errors import (
    ConfigError,
    HsiSuiteError,
    InputFileError,
    OutputError,
    RunError,
)
from ...guard import parsing
from ...metrics.area_scores import LEVEL
from ...metrics.fold_scores import FoldCounts, behind, best_of, first_of
from ...models.classical import CLASSICAL
from ...models.spectrum_classifier import Fold
from ...reports.content import percent
from ...schemas.choosing import AUTO
from ...schemas.classification import ClassificationConfig
from ...user_files import read_json
from .candidates import candidate_configs, refuse_selecting
from .choice_folds import ChoiceFolds, choice_folds, folds_text
from .classical_fitting import likeness
from .classifier import Classifier
from .evaluation import classified, part_wanted
from .fitting import fit, plan, reduced_scene, untrained
from .preparation import Prepared
from .reduction_fitting import fit_reduction
from .training_memory import MemoryLimit

Record = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Choice:
    """What was chosen, and what is known of it.

    Attributes:
        config: of the run that the chosen candidate is.
        prepared: what it is trained on: all training pixels, reduced as it asks.
        facts: for metrics.json.
        seconds: that each candidate took, by name; those that share a fit share its time.
    """

    config: ClassificationConfig
    prepared: Prepared
    facts: Mapping[str, Any]
    seconds: Mapping[str, float]


def choose(
    config: ClassificationConfig,
    prepared: Prepared,
    observer: Observer,
    record: Path | None = None,
) -> Choice:
    """Try all candidates, and take the best.

    Args:
        config: resolved, with candidates.
        prepared: scene and split of the run.
        observer: reports progress.
        record: a file in which what was tried is kept, so that a killed run goes on; None keeps
            nothing.

    Raises:
        ConfigError: no candidate can be used, or the training pixels cannot be divided by place.
        Stopped: a stop was asked for.
    """
    assert config.auto is not None
    folds = choice_folds(config, prepared)
    observer.message(folds_text(folds, prepared.split.guard))
    hidden = _without_test(prepared)
    tried: Record = {} if record is None else recorded(record, len(prepared.split.classes))
    why: dict[str, str] = {}
    for family in _families(candidate_configs(config)):
        observer.begin(f"trying {', '.join(family)}", len(folds.parts))
        for number, fold in enumerate(folds.parts):
            observer.advance()
            if all(str(number) in tried.get(name, {}) for name in family):
                continue
            try:
                _try(family, hidden, fold, number, tried)
            except (InputFileError, OutputError):
                # Not what the candidate is, but the run.
                raise
            except HsiSuiteError as error:
                why |= dict.fromkeys(family, str(error))
                break
            if record is not None:
                write_json(record, tried)
        observer.end()
        for name in family:
            if name in why:
                observer.message(f"{AUTO}: {name} cannot be used: {why[name]}")
                continue
            score = _counts(tried[name]).score(config.auto.score)
            observer.message(f"{AUTO}: {name} scores {percent(score)} % on the folds")
    return _chosen(config, prepared, folds, tried, why)


def chosen_alone(team: Team) -> None:
    """Refuse several processes.

    Raises:
        ConfigError: there are.
    """
    if team.size > 1:
        raise ConfigError(
            f"--model {AUTO}",
            f"{team.size} processes of torchrun",
            "one: folds of models of single spectra cannot be shared",
            "leave torchrun out, or name a model",
        )


def check_choice(config: ClassificationConfig, prepared: Prepared, memory: MemoryLimit) -> None:
    """Refuse what would be refused after long work: no folds, or no memory for a candidate.

    Raises:
        ConfigError: see there.
    """
    for division in prepared.folds or (prepared,):
        choice_folds(config, division)
    for own in candidate_configs(config).values():
        _check_memory(own, prepared, memory)


def _check_memory(config: ClassificationConfig, prepared: Prepared, memory: MemoryLimit) -> None:
    """Refuse a candidate that does not keep within a limit that was asked for."""
    memory.check_scene(prepared.scene, config)
    if not memory.asked:
        return
    largest = prepared.largest
    reduction = _reduction(config, largest, largest.split)
    try:
        classifier = untrained(config, replace(largest, reduction=reduction))
        dense = plan(classifier, config, largest).dense_from is not None
    except HsiSuiteError:
        # Why it cannot be used is said when it is tried.
        return
    memory.check_training(classifier, config, largest.scene, len(largest.split.train), dense)


def _without_test(prepared: Prepared) -> Prepared:
    """The scene as if its test pixels held no data and had no class."""
    hidden = part_wanted(prepared, prepared.split.test)
    return replace(
        prepared,
        scene=replace(prepared.scene, valid=valid_pixels(prepared.scene) & ~hidden),
        classes=np.where(hidden.reshape(-1), -1, prepared.classes),
    )


def _families(
    configs: Mapping[str, ClassificationConfig],
) -> Iterator[Mapping[str, ClassificationConfig]]:
    """Candidates that share their fit: models of single spectra that differ by the window alone."""
    found: dict[str, dict[str, ClassificationConfig]] = {}
    for name, each in configs.items():
        alike = _narrow(each) if each.model.name in CLASSICAL else each
        found.setdefault(alike.model_dump_json(), {})[name] = each
    yield from found.values()


def _narrow(config: ClassificationConfig) -> ClassificationConfig:
    return config.model_copy(update={"model": config.model.model_copy(update={"window": 1})})


def _try(
    family: Mapping[str, ClassificationConfig],
    prepared: Prepared,
    fold: Fold,
    number: int,
    tried: Record,
) -> None:
    """Train a family on a fold once, and test each member; the counts go into `tried`."""
    started = time.monotonic()
    first = next(iter(family.values()))
    classical = first.model.name in CLASSICAL
    own = _on_fold(first, prepared, fold)
    refuse_selecting(first.train)
    fitted = _narrow(first) if classical else first
    classifier = untrained(fitted, own)
    fit(classifier, fitted, own, None, Observer())
    shared = (time.monotonic() - started) / len(family)
    for name, config in family.items():
        started = time.monotonic()
        if classical:
            classifier = widened(classifier, config.model.window, own)
        reduced = reduced_scene(classifier, own)
        test = own.split.test
        answers = classified(classifier, reduced, part_wanted(own, test), config, Observer())
        truth, number_of = own.classes[test], len(own.split.classes)
        right = answers.reshape(-1)[test] == truth
        tried.setdefault(name, {})[str(number)] = {
            "hits": np.bincount(truth[right], minlength=number_of).tolist(),
            "support": np.bincount(truth, minlength=number_of).tolist(),
            "seconds": round(shared + time.monotonic() - started, 3),
        }


def widened(classifier: Classifier, window: int, prepared: Prepared) -> Classifier:
    """A fitted model of single spectra whose answers are averaged over a window."""
    spread = likeness(classifier, prepared) if window > 1 else None
    header = replace(classifier.header, window=window, likeness=spread)
    return replace(classifier, header=header)


def _on_fold(config: ClassificationConfig, prepared: Prepared, fold: Fold) -> Prepared:
    """The scene with a fold as its split, reduced as a candidate asks."""
    split, (learnt, tested) = prepared.split, fold
    division = replace(
        split,
        train=np.sort(split.train[learnt]),
        validation=np.empty(0, np.int64),
        test=np.sort(split.train[tested]),
    )
    return replace(prepared, split=division, reduction=_reduction(config, prepared, division))


def _reduction(config: ClassificationConfig, prepared: Prepared, split: Split) -> Any:
    rank = None if prepared.denoising is None else prepared.denoising.rank
    return fit_reduction(config.reduction, prepared.scene, split, rank)


def recorded(path: Path, classes: int) -> Record:
    """What an interrupted run had tried.

    Args:
        path: where it is kept.
        classes: their number.

    Raises:
        RunError: the file is damaged.
    """
    if not path.is_file():
        return {}
    found = read_json(path, "what was tried", kind=RunError)
    with parsing(path, "what was tried", "remove it", kind=RunError):
        return {
            str(name): {str(number): _fold_row(row, classes) for number, row in rows.items()}
            for name, rows in found.items()
        }


def _fold_row(row: Mapping[str, Any], classes: int) -> dict[str, Any]:
    hits, support = ([int(each) for each in row[key]] for key in ("hits", "support"))
    if not len(hits) == len(support) == classes:
        raise ValueError(f"counts of {classes} classes")
    if any(not 0 <= right <= asked for right, asked in zip(hits, support, strict=True)):
        raise ValueError("no more right answers than pixels")
    return {"hits": hits, "support": support, "seconds": float(row["seconds"])}


def _counts(rows: Mapping[str, Mapping[str, Any]]) -> FoldCounts:
    ordered = [rows[str(number)] for number in range(len(rows))]
    return FoldCounts(
        np.array([row["hits"] for row in ordered]), np.array([row["support"] for row in ordered])
    )


def _chosen(
    config: ClassificationConfig,
    prepared: Prepared,
    folds: ChoiceFolds,
    tried: Record,
    why: Mapping[str, str],
) -> Choice:
    assert config.auto is not None
    configs, kind = candidate_configs(config), config.auto.score
    counts = {name: _counts(tried[name]) for name in configs if name not in why}
    if not counts:
        name, reason = next(iter(why.items()))
        raise ConfigError(
            f"--model {AUTO}", f"no candidate can be used; {name}: {reason}", "one that can",
            "name others in auto.candidates",
        )  # fmt: skip
    best = best_of(counts, kind)
    chosen = best if config.auto.rule == "best" else first_of(counts, kind)
    own = configs[chosen]
    support = counts[best].support.sum(0)
    names = prepared.class_names
    facts = {
        "chosen": chosen,
        "best": best,
        "rule": config.auto.rule,
        "window": own.model.reach,
        "score": kind,
        "folds": len(folds.parts),
        "made_of": folds.words,
        "guard": folds.guard,
        "level": LEVEL,
        "pixels": int(support.sum()),
        "not_judged": [name for name, pixels in zip(names, support, strict=True) if not pixels],
        "candidates": [
            _row(name, configs[name], counts.get(name), counts[best], kind)
            | ({"why": why[name]} if name in why else {})
            for name in configs
        ],
    }
    seconds = {
        name: round(sum(row["seconds"] for row in tried[name].values()), 3) for name in counts
    }
    ready = replace(prepared, reduction=_reduction(own, prepared, prepared.split))
    return Choice(own, ready, facts, seconds)


def _row(
    name: str, config: ClassificationConfig, counts: FoldCounts | None, best: FoldCounts, kind: str
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": name, "model": config.model.name, "window": config.model.reach
    }  # fmt: skip
    if counts is None:
        return row
    number = len(counts.hits)
    return row | {
        "score": counts.score(kind),
        "overall_accuracy": counts.score("overall_accuracy"),
        "average_accuracy": counts.score("average_accuracy"),
        "by_fold": [counts.of_fold(each).score(kind) for each in range(number)],
        "behind": behind(best, counts, kind),
    }
