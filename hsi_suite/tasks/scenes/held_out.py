"""Scores of pixels of the training side by models that have not learnt from them.

What a calibration is fitted on. A model of single spectra is fitted again without each of some
folds of blocks, whose pixels it then scores, and so is a network where that is asked for; else,
as that costs a training for each fold, its validation part is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...data.block_folds import block_cells, deal_cells
from ...data.partition_problem import within_guard
from ...data.patches import WindowSampler
from ...data.scene_stack import parts_of
from ...data.splits import Indices
from ...engine.observer import Observer
from ...errors import ConfigError
from ...process_wide import ignoring
from ...schemas.classification import ClassificationConfig
from .classifier import Classifier, Computation
from .evaluation import part_wanted
from .fitting import fit, reduced_scene, untrained
from .network_classifier import NetworkClassifier
from .preparation import Prepared
from .spectral_classifier import SpectralClassifier, classical_model

_FOLDS = 5
_SMALLEST_BLOCK = 8
# With fewer held-out pixels the guard within the training side is narrowed and no method chosen;
# with still fewer none is fitted.
ENOUGH, LEAST = 200, 20
# Pixels × classes that a calibration is fitted to; of more, as many are taken evenly.
_MOST_VALUES = 2**21


@dataclass(frozen=True)
class HeldOut:
    """Pixels that a model scored and had not learnt from.

    Attributes:
        scores: N × classes, see `SpectrumClassifier.scores`.
        truth: class index of each.
        folds: which one each belongs to.
        words: what they are.
    """

    scores: NDArray[np.float64]
    truth: NDArray[np.int64]
    folds: Indices
    words: str


@dataclass(frozen=True)
class Keeping:
    """What goes along with further trainings.

    Attributes:
        observer: reports their progress.
        beside: the checkpoint of the run, beside which theirs are kept; None keeps none.
        identity: of the run, which their checkpoints must have.
    """

    observer: Observer = field(default_factory=Observer)
    beside: Path | None = None
    identity: str = ""

    def checkpoint(self, number: int) -> Path | None:
        """The checkpoint of a fold, counted from 1."""
        if self.beside is None:
            return None
        return self.beside.with_name(f"calibration_{number}_{self.beside.name}")

    def forget(self, folds: int) -> None:
        """Remove the checkpoints, once they have all been used."""
        for number in range(1, folds + 1):
            path = self.checkpoint(number)
            if path is not None:
                path.unlink(missing_ok=True)


def validated(
    classifier: NetworkClassifier,
    config: ClassificationConfig,
    prepared: Prepared,
    reduced: WindowSampler | None,
) -> HeldOut | None:
    """A network's scores of the validation part, as it will classify; None where there is none."""
    if not len(prepared.split.validation):
        return None
    pixels = _thinned(np.sort(prepared.split.validation), len(classifier.header.labels))
    reduced = reduced_scene(classifier, prepared) if reduced is None else reduced
    scores, truth = _scored(classifier, config, prepared, pixels, reduced), prepared.classes[pixels]
    chose = config.train.selection == "best" or config.train.early_stopping is not None
    words = "validation pixels" + (", which chose the epoch too" if chose else "")
    folds = deal_cells(_cells(prepared, pixels), truth, _FOLDS)
    return HeldOut(scores, truth, folds, words)


def left_out(
    classifier: Classifier,
    config: ClassificationConfig,
    prepared: Prepared,
    reduced: WindowSampler | None,
    keeping: Keeping,
) -> HeldOut:
    """Scores of each fold by a model of the same settings that learnt from the others."""
    split, number = prepared.split, len(classifier.header.labels)
    side = np.sort(np.concatenate([split.train, split.validation]))
    asked_for = config.train.calibration_folds or _FOLDS
    folds = deal_cells(_cells(prepared, side), prepared.classes[side], asked_for)
    guard, plan = _guarded_plan(prepared, side, folds)
    network = isinstance(classifier, NetworkClassifier)
    if reduced is None and (network or classifier.header.likeness is not None):
        reduced = reduced_scene(classifier, prepared)
    scores, tested = [np.empty((0, number))], [np.empty(0, np.int64)]
    for place, fold in enumerate(plan, 1):
        asked = _thinned(fold.tested, number * len(plan))
        if isinstance(classifier, SpectralClassifier):
            found = _by_a_model_fitted_again(
                classifier, config, prepared, side, fold.learnt, asked, reduced
            )
        else:
            keeping.observer.message(f"calibration: training {place} of {len(plan)} without a fold")
            assert reduced is not None
            other = replace(
                split, train=side[fold.learnt], validation=side[fold.chosen_by], test=side[asked]
            )
            found = _by_a_network_trained_again(
                config, replace(prepared, split=other), reduced, keeping, place
            )
        if found is not None:
            scores.append(found)
            tested.append(asked)
    keeping.forget(len(plan))
    places = np.concatenate(tested)
    kind = "network trained" if network else "model fitted"
    words = f"training pixels, each scored by a {kind} without its block"
    if guard:
        words += f" and what is within {guard} pixels"
    return HeldOut(np.concatenate(scores), prepared.classes[side[places]], folds[places], words)


def _by_a_model_fitted_again(
    classifier: SpectralClassifier,
    config: ClassificationConfig,
    prepared: Prepared,
    side: Indices,
    learnt: Indices,
    asked: Indices,
    reduced: WindowSampler | None,
) -> NDArray[np.float64] | None:
    """Scores of a fold, N × classes; None where too few spectra are left to be fitted to."""
    train, number = prepared.split.train, len(classifier.header.labels)
    # With augmentation several copies of the training spectra were learnt, one after another.
    assert classifier.spectra is not None and classifier.classes is not None
    copies = len(train) * np.arange(len(classifier.classes) // len(train))[:, None]
    rows = (copies + np.searchsorted(train, side[learnt])).ravel()
    model = classical_model(classifier.header, config.threads or 1)
    # Of classes of which a fold leaves a single spectrum.
    with ignoring(UserWarning):
        try:
            model.fit(classifier.spectra[rows], classifier.classes[rows])
        except ConfigError:
            # Fewer spectra than the model asks for.
            return None
    if classifier.header.likeness is not None:
        assert reduced is not None
        return _scored(replace(classifier, model=model), config, prepared, side[asked], reduced)
    return model.scores(classifier.reduction.apply_rows(prepared.spectra.of(side[asked])), number)


def _by_a_network_trained_again(
    config: ClassificationConfig,
    prepared: Prepared,
    reduced: WindowSampler,
    keeping: Keeping,
    number: int,
) -> NDArray[np.float64]:
    """Scores of the test part of a fold, N × classes, as its network will classify."""
    if not len(prepared.split.validation):
        # Nothing is left that could choose an epoch, so the last one is taken.
        last = {"selection": "last", "early_stopping": None}
        config = config.model_copy(update={"train": config.train.model_copy(update=last)})
    network = untrained(config, prepared)
    fit(
        network, config, prepared, keeping.checkpoint(number), keeping.observer,
        reduced=reduced, identity=keeping.identity,
    )  # fmt: skip
    return _scored(network, config, prepared, prepared.split.test, reduced)


def _scored(
    classifier: Classifier,
    config: ClassificationConfig,
    prepared: Prepared,
    pixels: Indices,
    reduced: WindowSampler,
) -> NDArray[np.float64]:
    """Scores of rising pixels, N × classes, as the classifier maps a scene."""
    how = Computation(config.evaluation.batch_size, config.evaluation.precision)
    parts = list(classifier.rows(reduced, part_wanted(prepared, pixels), how, Observer()))
    places, rows = (np.concatenate(each) for each in zip(*parts, strict=True))
    return classifier.scores_of(rows[np.argsort(places)])


@dataclass(frozen=True)
class _Fold:
    """Positions in the training side: what is learnt, may choose the epoch, and is scored."""

    learnt: Indices
    chosen_by: Indices
    tested: Indices


def _guarded_plan(prepared: Prepared, side: Indices, folds: Indices) -> tuple[int, list[_Fold]]:
    """The folds with the guard of the split, or with the widest that leaves enough to score."""
    learnable = np.isin(side, prepared.split.train)
    guard = prepared.split.guard
    while True:
        plan = list(_plan(prepared, side, folds, learnable, guard))
        if sum(len(fold.tested) for fold in plan) >= ENOUGH or not guard:
            return guard, plan
        guard //= 2


def _plan(
    prepared: Prepared,
    side: Indices,
    folds: Indices,
    learnable: NDArray[np.bool_],
    guard: int,
) -> Iterator[_Fold]:
    """What is learnt and then scored, fold by fold.

    Pixels of a class that is not learnt in their fold say nothing of a model that knows it.
    """
    classes, scene = prepared.classes[side], np.zeros(prepared.labels.shape, bool)
    for fold in range(int(folds.max()) + 1):
        own = folds == fold
        scene.reshape(-1)[side] = own
        near = within_guard(scene, guard).reshape(-1)[side] if guard else own
        learnt = learnable & ~near
        known = np.unique(classes[learnt])
        tested = own & np.isin(classes, known)
        if len(known) > 1 and tested.any():
            yield _Fold(*map(np.flatnonzero, (learnt, ~learnable & ~near, tested)))


def _cells(prepared: Prepared, pixels: Indices) -> Indices:
    """What stays together in a fold: a block, or a scene where whole scenes are tested.

    Blocks are as wide as a guard reaches to both sides, and 8 pixels at least.
    """
    samples = prepared.scene.samples
    if prepared.split.kind == "scenes":
        scene = np.zeros(len(pixels), np.int64)
        for number, part in enumerate(parts_of(prepared.scene)):
            scene[part.mine(pixels, samples)] = number
        cells = np.unique(scene, return_inverse=True)[1]
        if cells.any():
            return np.asarray(cells, np.int64)
    edge = max(_SMALLEST_BLOCK, 2 * prepared.split.guard + 1)
    return block_cells(pixels, samples, edge)


def _thinned(pixels: Indices, classes: int) -> Indices:
    """At most so many of them that their scores can be held, taken evenly."""
    most = max(LEAST, _MOST_VALUES // classes)
    return pixels[:: -(-len(pixels) // most)] if len(pixels) > most else pixels
