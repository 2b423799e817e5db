"""A spatial cross-validation: a model for each fold, and their predictions together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...atomic import write_json
from ...data.patches import WindowSampler
from ...data.scene_stack import valid_pixels
from ...data.splits import PARTS, save_split
from ...engine.allocation import release_free_blocks
from ...engine.distributed import Team
from ...engine.observer import Observer
from ...engine.trainer import Training
from ...errors import RunError
from ...guard import parsing
from ...metrics.area_scores import LEVEL, NAMES, LeftOut, area_scores
from ...metrics.classification import scores
from ...metrics.confusion import Confusion
from ...reports.content import percent
from ...runs.cost import CANDIDATE_SECONDS
from ...runs.folder import CHECKPOINT, CHOICE, FOLD, MODEL_ENDING, SPLIT_ENDING, Run
from ...schemas.classification import ClassificationConfig
from ...schemas.run_metrics import ChoiceMade
from ...user_files import read_json
from .baselines import run_baselines
from .calibrating import calibrate
from .choosing import Choice, choose
from .classifier import Classifier
from .classifier_loading import load_classifier
from .evaluation import classified, part_scores
from .fitting import fit, reduced_scene, untrained
from .held_out import Keeping
from .judging import Judgement, judge_test, pooled
from .preparation import Prepared
from .scene_domain import learnt
from .searching import Search, mean_search, search_of, searches_of

Indices = NDArray[np.int64]
METHOD = "jackknife over folds"
_FIGURES = ("overall_accuracy", "average_accuracy", "cohen_kappa")


@dataclass(frozen=True)
class FoldedOutcome:
    """What the folds brought together.

    Attributes:
        trainings: of each fold.
        parameters: of each fold's model; None where it has none.
        classes: of each pixel, its index among all classes that are learnt: in each fold's own
            part of the scene that fold's model answers; −1 where there is no data.
        baselines: predicted class indices of the test pixels, by baseline.
        train_scores: over all folds, of each fold's model on its own training pixels.
        rows: the parts and scores of each fold, for metrics.json.
        intervals: of the scores on the test pixels, for metrics.json.
        search: what searches for settings found, in the mean of the folds; see `searches_of`.
        judged: the probabilities of each fold's model on its test pixels, together.
        choices: of `--model auto` what was tried in each fold.
        candidate_seconds: that each candidate took in all folds.
    """

    trainings: Sequence[Training]
    parameters: Sequence[int | None]
    classes: NDArray[np.int32]
    baselines: Mapping[str, NDArray[np.integer]]
    train_scores: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    intervals: Mapping[str, Any]
    search: Mapping[str, Any]
    judged: Judgement
    choices: Sequence[Mapping[str, Any]] = ()
    candidate_seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FoldTraining:
    """The training of a fold, and what its search for settings found.

    Attributes:
        training: of its model.
        search: of its settings.
        choice: of its model, see `choosing.Choice`; None without `--model auto`.
        candidate_seconds: that each candidate took.
    """

    training: Training
    search: Search | None
    choice: Mapping[str, Any] | None = None
    candidate_seconds: Mapping[str, float] = field(default_factory=dict)


def fit_folds(
    run: Run, config: ClassificationConfig, prepared: Prepared, observer: Observer, team: Team
) -> list[FoldTraining]:
    """Train a model for each fold into the run's folder; those that are there are done.

    Processes that assist write nothing.
    """
    trainings = []
    for number, fold in enumerate(prepared.folds, 1):
        model = run.path / f"{FOLD.format(number)}{MODEL_ENDING}"
        record = model.with_suffix(".json")
        checkpoint = run.path / f"{FOLD.format(number)}_{CHECKPOINT}"
        if not model.is_file():
            observer.message(
                f"fold {number} of {len(prepared.folds)}: {len(fold.split.train):,} training and "
                f"{len(fold.split.test):,} test pixels of {len(fold.split.classes)} classes"
            )
            choice, own = None, config
            if config.auto is not None:
                choice = choose(config, fold, observer, record.with_suffix(f".{CHOICE}"))
                own, fold = choice.config, choice.prepared
            classifier = untrained(own, fold)
            training = fit(classifier, own, fold, checkpoint, observer, team, None, run.identity)
            if team.first:
                save_split(fold.split, model.with_suffix(SPLIT_ENDING))
                found = search_of(getattr(classifier, "model", None))
                write_json(record, record_of(training, found, choice))
                header = replace(classifier.header, **learnt(own, fold))
                classifier.header = header
                keeping = Keeping(observer, checkpoint, run.identity)
                calibrate(classifier, own, fold, keeping=keeping)
                # Last: a fold with a model is finished.
                classifier.save(model)
            release_free_blocks()
        if team.first:
            for kept in (checkpoint, record.with_suffix(f".{CHOICE}")):
                kept.unlink(missing_ok=True)
            trainings.append(recorded(record))
    return trainings


def record_of(
    training: Training, search: Search | None, choice: Choice | None = None
) -> dict[str, Any]:
    """What is kept of a fold's training beside its model."""
    chosen: dict[str, Any] = {}
    if choice is not None:
        chosen = {"choice": choice.facts, CANDIDATE_SECONDS: choice.seconds}
    return chosen | {
        "epoch": training.epoch,
        "first_loss": training.first_loss,
        "history": training.history,
        "search": search,
    }


def recorded(path: Path) -> FoldTraining:
    """What `record_of` left in a file.

    Raises:
        RunError: it is damaged.
    """
    found = read_json(path, "what a fold's training left", kind=RunError)
    with parsing(path, "what a fold's training left", "train the run again", kind=RunError):
        history = [{key: float(v) for key, v in row.items()} for row in found["history"]]
        first = found["first_loss"]
        first = None if first is None else float(first)
        training = Training(history, int(found["epoch"]), [], first)
        seconds = {k: float(v) for k, v in found.get(CANDIDATE_SECONDS, {}).items()}
        if (choice := found.get("choice")) is not None:
            ChoiceMade.model_validate(choice)
        return FoldTraining(training, found["search"], choice, seconds)


def folded_outcome(
    run: Run,
    config: ClassificationConfig,
    prepared: Prepared,
    fitted: Sequence[FoldTraining],
    observer: Observer,
) -> FoldedOutcome:
    """Let the saved model of each fold answer for its part of the scene, and score all together."""
    models = [
        load_classifier(path, torch.device(config.device), config.threads or 1)
        for path in _model_files(run, prepared)
    ]
    classes, trained, judged = _answers(config, prepared, models, observer)
    baselines, searches = _baselines(config, prepared, observer)
    trainings = [each.training for each in fitted]
    predicted = {"test": classes.reshape(-1)[prepared.split.test], **baselines}
    rows = [
        _row(number, prepared, training, predicted) for number, training in enumerate(trainings, 1)
    ]
    for row in rows:
        test = row["test_scores"]["overall_accuracy"]
        alone = row["position_scores"]["overall_accuracy"]
        observer.message(
            f"fold {row['fold']} of {len(rows)}: overall accuracy {percent(test)} % on "
            f"{row['test']:,} test pixels, position alone {percent(alone)} %"
        )
    return FoldedOutcome(
        trainings=trainings,
        parameters=[model.parameter_count for model in models],
        classes=classes,
        baselines=baselines,
        train_scores=scores(trained).to_dict(prepared.class_names),
        rows=rows,
        intervals=_intervals(prepared, predicted),
        search=searches_of(mean_search(each.search for each in fitted), searches),
        judged=judged,
        choices=[each.choice for each in fitted if each.choice is not None],
        candidate_seconds=_added(each.candidate_seconds for each in fitted),
    )


def _added(found: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The sums of numbers by their names."""
    sums: dict[str, float] = {}
    for each in found:
        for name, value in each.items():
            sums[name] = round(sums.get(name, 0.0) + value, 3)
    return sums


def _model_files(run: Run, prepared: Prepared) -> list[Path]:
    return [
        run.path / f"{FOLD.format(number)}{MODEL_ENDING}"
        for number in range(1, len(prepared.folds) + 1)
    ]


def to_all_classes(fold: Prepared, prepared: Prepared, predicted: NDArray[Any]) -> NDArray[Any]:
    """Class indices of a fold's model as those among all classes; −1 stays."""
    own, every = np.array(fold.split.classes), np.array(prepared.split.classes)
    table = np.append(np.searchsorted(every, own), -1).astype(np.int32)
    found: NDArray[Any] = table[predicted]
    return found


def fold_answers(
    config: ClassificationConfig,
    prepared: Prepared,
    number: int,
    model: Classifier,
    wanted: NDArray[np.bool_],
    reduced: WindowSampler,
    observer: Observer,
) -> NDArray[np.int32]:
    """What a fold's model says, as indices among all classes, lines × samples; −1 elsewhere."""
    found = classified(model, reduced, wanted, config, observer)
    return to_all_classes(prepared.folds[number], prepared, found)


def _answers(
    config: ClassificationConfig,
    prepared: Prepared,
    models: Sequence[Classifier],
    observer: Observer,
) -> tuple[NDArray[np.int32], Confusion, Judgement]:
    """The map, what the models say of the pixels that they learnt, and how they judge the test."""
    assert prepared.fold is not None
    good = valid_pixels(prepared.scene)
    classes = np.full(good.shape, -1, np.int32)
    truth, answered, judgements = [], [], []
    reduced: WindowSampler | None = None
    for number, (fold, model) in enumerate(zip(prepared.folds, models, strict=True)):
        if reduced is None or config.reduction.fit_on == "train":
            reduced = None
            release_free_blocks()
            reduced = reduced_scene(model, fold)
        own = good & (prepared.fold == number)
        wanted = own.copy()
        wanted.reshape(-1)[fold.split.train] = True
        found = fold_answers(config, prepared, number, model, wanted, reduced, observer)
        classes[own] = found[own]
        judgements.append(judge_test(model, reduced, fold, config, observer))
        truth.append(prepared.classes[fold.split.train])
        answered.append(found.reshape(-1)[fold.split.train])
    counts = Confusion.of(
        np.concatenate(truth), np.concatenate(answered), len(prepared.split.classes)
    )
    return classes, counts, pooled(judgements)


def _baselines(
    config: ClassificationConfig, prepared: Prepared, observer: Observer
) -> tuple[dict[str, NDArray[np.integer]], dict[str, Search]]:
    """Predictions of the baselines of each fold, in the order of all test pixels.

    Beside them what those that search their settings found, in the mean of the folds.
    """
    found: dict[str, NDArray[np.integer]] = {}
    searches: list[dict[str, Search]] = []
    for number, fold in enumerate(prepared.folds, 1):
        if config.evaluation.baselines:
            observer.message(f"baselines of fold {number} of {len(prepared.folds)}")
        places = np.searchsorted(prepared.split.test, fold.split.test)
        searches.append({})
        for name, predicted in run_baselines(config, fold, observer, searches[-1]).items():
            whole = found.setdefault(name, np.full(len(prepared.split.test), -1, np.int64))
            whole[places] = to_all_classes(fold, prepared, predicted)
    names = dict.fromkeys(name for each in searches for name in each)
    means = {name: mean_search(each.get(name) for each in searches) for name in names}
    return found, {name: mean for name, mean in means.items() if mean is not None}


def _row(
    number: int,
    prepared: Prepared,
    training: Training,
    predicted: Mapping[str, NDArray[np.integer]],
) -> dict[str, Any]:
    """The parts and scores of a fold."""
    split = prepared.folds[number - 1].split
    places = np.searchsorted(prepared.split.test, split.test)
    row: dict[str, Any] = {"fold": number, **{part: len(getattr(split, part)) for part in PARTS}}
    row |= {"classes": len(split.classes), "lost": sum(split.lost.values())}
    row |= {"epoch": training.epoch, **training.divergence}
    for name, key in (("test", "test_scores"), ("position", "position_scores")):
        found = part_scores(prepared, split.test, predicted[name][places])
        row[key] = {figure: found[figure] for figure in _FIGURES}
    return row


def _intervals(prepared: Prepared, predicted: Mapping[str, NDArray[np.integer]]) -> dict[str, Any]:
    """Intervals of the pooled scores, from leaving out one fold at a time."""
    assert prepared.fold is not None
    test = prepared.split.test
    truth, folds = prepared.classes[test], prepared.fold.reshape(-1)[test]

    def left_out(answers: NDArray[np.integer]) -> LeftOut:
        return area_scores(truth, answers, folds, len(prepared.split.classes))

    own = left_out(predicted["test"])
    others = {name: left_out(rows) for name, rows in predicted.items() if name != "test"}

    def plain(found: Mapping[str, Any]) -> dict[str, Any]:
        return {name: found[name].to_dict() for name in NAMES}

    return {
        "method": METHOD,
        "level": LEVEL,
        "test": plain(own.scores()),
        "baselines": {name: plain(each.scores()) for name, each in others.items()},
        "minus_position": plain(own.minus(others["position"])),
    }


def pooled_training(trainings: Sequence[Training]) -> Training:
    """The trainings of all folds as one: the mean of each value at each epoch that all reached."""
    reached = min(len(each.history) for each in trainings)
    history = []
    for rows in zip(*(each.history[:reached] for each in trainings), strict=True):
        shared = [key for key in rows[0] if all(key in row for row in rows)]
        history.append({key: float(np.mean([row[key] for row in rows])) for key in shared})
    first = [each.first_loss for each in trainings if each.first_loss is not None]
    epoch = min(reached, round(float(np.median([each.epoch for each in trainings]))))
    return Training(history, epoch, [], float(np.mean(first)) if first else None)
