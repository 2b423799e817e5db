"""A classifier's calibration: fitted on held-out pixels of the training side, never on the test.

A model of single spectra is fitted again without each of some folds of blocks, whose pixels it
then scores; a network is too dear for that, so its validation part is taken.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.block_folds import block_cells, deal_cells
from ...data.partition_problem import within_guard
from ...data.patches import WindowSampler
from ...data.scene_stack import parts_of
from ...data.splits import Indices
from ...engine.observer import Observer
from ...errors import ConfigError
from ...models.calibration import (
    Method,
    choose_calibration,
    fit_calibration,
    log_probabilities,
)
from ...models.classical import CLASSICAL
from ...schemas.classification import ClassificationConfig
from .classifier import Classifier, Computation
from .evaluation import part_wanted
from .fitting import reduced_scene
from .network_classifier import NetworkClassifier
from .preparation import Prepared
from .spectral_classifier import SpectralClassifier, classical_model

_FOLDS = 5
_SMALLEST_BLOCK = 8
# With fewer held-out pixels the guard within the training side is narrowed and no method chosen;
# with still fewer none is fitted.
_ENOUGH, _LEAST = 200, 20
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


def calibrate(
    classifier: Classifier,
    config: ClassificationConfig,
    prepared: Prepared,
    reduced: WindowSampler | None = None,
) -> None:
    """Fit the calibration that a configuration asks for and note it in the classifier's header.

    Nothing is fitted where too few pixels can be held out; `no_calibration` says why.

    Args:
        classifier: trained.
        config: of the run.
        prepared: what it was trained on.
        reduced: the scene as `fitting.reduced_scene` gives it, where it is there already.
    """
    asked = config.train.calibration
    if asked == "none" or len(classifier.header.labels) < 2:
        return
    if isinstance(classifier, NetworkClassifier):
        held = _validated(classifier, config, prepared, reduced)
    else:
        assert isinstance(classifier, SpectralClassifier)
        held = _left_out(classifier, config, prepared, reduced)
    if held is None or len(held.truth) < _LEAST:
        return
    found: dict[str, float] = {}
    method: Method = "temperature" if asked == "auto" else asked
    # A single number is all that few pixels can tell.
    if asked == "auto" and len(held.truth) >= _ENOUGH:
        method, found = choose_calibration(held.scores, held.truth, held.folds)
    fitted = fit_calibration(method, held.scores, held.truth)
    facts: dict[str, Any] = {
        "asked": asked,
        "pixels": len(held.truth),
        "folds": len(np.unique(held.folds)),
        "held_out": held.words,
        "held_out_losses": found,
    }
    classifier.header = replace(classifier.header, calibration={**fitted.to_dict(), **facts})


def no_calibration(classifier: Classifier, config: ClassificationConfig, validation: int) -> str:
    """Why a run's classifier has no calibration.

    Args:
        classifier: as saved.
        config: of the run.
        validation: pixels of its validation part.
    """
    if config.train.calibration == "none":
        return "train.calibration=none"
    if isinstance(classifier, NetworkClassifier) and not validation:
        return "no validation part, which split.validation sets apart"
    return "too few pixels of the training side could be held out"


def check_calibration(config: ClassificationConfig, prepared: Prepared) -> None:
    """Refuse a calibration of a network that has nothing to be fitted on.

    Raises:
        ConfigError: it has no validation part.
    """
    asked, model = config.train.calibration, config.model.name
    if asked in ("none", "auto") or model in CLASSICAL or len(prepared.split.validation):
        return
    raise ConfigError(
        "train.calibration",
        f"{asked} for {model} without a validation part",
        "a part that a network's calibration is fitted on",
        "set split.validation above 0",
    )


def _validated(
    classifier: NetworkClassifier,
    config: ClassificationConfig,
    prepared: Prepared,
    reduced: WindowSampler | None,
) -> HeldOut | None:
    """A network's scores of the validation part, as it will classify."""
    pixels = prepared.split.validation
    if not len(pixels):
        return None
    pixels = _thinned(pixels, len(classifier.header.labels))
    wanted = part_wanted(prepared, pixels)
    how = Computation(config.evaluation.batch_size, config.evaluation.precision)
    reduced = reduced_scene(classifier, prepared) if reduced is None else reduced
    parts = list(classifier.rows(reduced, wanted, how, Observer()))
    places, rows = (np.concatenate(each) for each in zip(*parts, strict=True))
    truth = prepared.classes[places]
    chose = config.train.selection == "best" or config.train.early_stopping is not None
    words = "validation pixels" + (", which chose the epoch too" if chose else "")
    folds = deal_cells(_cells(prepared, places), truth, _FOLDS)
    return HeldOut(log_probabilities(rows), truth, folds, words)


def _left_out(
    classifier: SpectralClassifier,
    config: ClassificationConfig,
    prepared: Prepared,
    reduced: WindowSampler | None = None,
) -> HeldOut:
    """Scores of each fold by a model of the same settings, fitted to the others."""
    split, number = prepared.split, len(classifier.header.labels)
    side = np.sort(np.concatenate([split.train, split.validation]))
    folds = deal_cells(_cells(prepared, side), prepared.classes[side], _FOLDS)
    learnable = np.isin(side, split.train)
    guard = split.guard
    while True:
        plan = list(_plan(prepared, side, folds, learnable, guard))
        held = sum(len(tested) for _, tested in plan)
        if held >= _ENOUGH or not guard:
            break
        guard //= 2
    # With augmentation several copies of the training spectra were learnt, one after another.
    assert classifier.spectra is not None and classifier.classes is not None
    copies = len(split.train) * np.arange(len(classifier.classes) // len(split.train))[:, None]
    scores, tested = [np.empty((0, number))], [np.empty(0, np.int64)]
    for learnt, asked in plan:
        asked = _thinned(asked, number * len(plan))
        model = classical_model(classifier.header, config.threads or 1)
        rows = (copies + np.searchsorted(split.train, side[learnt])).ravel()
        with warnings.catch_warnings():
            # Of classes of which a fold leaves a single spectrum.
            warnings.simplefilter("ignore", UserWarning)
            try:
                model.fit(classifier.spectra[rows], classifier.classes[rows])
            except ConfigError:
                # Fewer spectra than the model asks for.
                continue
        if classifier.header.likeness is None:
            spectra = classifier.reduction.apply_rows(prepared.spectra.of(side[asked]))
            scores.append(model.scores(spectra, number))
        else:
            reduced = reduced_scene(classifier, prepared) if reduced is None else reduced
            scores.append(
                _filtered(replace(classifier, model=model), prepared, side[asked], reduced)
            )
        tested.append(asked)
    places = np.concatenate(tested)
    words = "training pixels, each scored by a model fitted without its block"
    if guard:
        words += f" and what is within {guard} pixels"
    return HeldOut(np.concatenate(scores), prepared.classes[side[places]], folds[places], words)


def _filtered(
    classifier: SpectralClassifier, prepared: Prepared, pixels: Indices, reduced: WindowSampler
) -> NDArray[np.float64]:
    """Scores of rising pixels by a model whose answers are filtered over its window."""
    wanted = part_wanted(prepared, pixels)
    parts = classifier.rows(reduced, wanted, Computation(), Observer())
    return classifier.scores_of(np.concatenate([rows for _, rows in parts]))


def _plan(
    prepared: Prepared,
    side: Indices,
    folds: Indices,
    learnable: NDArray[np.bool_],
    guard: int,
) -> Iterator[tuple[Indices, Indices]]:
    """Positions in the training side that are learnt, and that are then scored, fold by fold.

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
            yield np.flatnonzero(learnt), np.flatnonzero(tested)


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
    most = max(_LEAST, _MOST_VALUES // classes)
    return pixels[:: -(-len(pixels) // most)] if len(pixels) > most else pixels
