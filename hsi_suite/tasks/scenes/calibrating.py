"""A classifier's calibration: fitted on held-out pixels of the training side, never on the test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...data.patches import WindowSampler
from ...errors import ConfigError
from ...models.calibration import Method, choose_calibration, fit_calibration
from ...models.classical import CLASSICAL
from ...schemas.classification import ClassificationConfig
from .classifier import Classifier
from .held_out import ENOUGH, LEAST, Keeping, left_out, validated
from .network_classifier import NetworkClassifier
from .preparation import Prepared


def calibrate(
    classifier: Classifier,
    config: ClassificationConfig,
    prepared: Prepared,
    reduced: WindowSampler | None = None,
    keeping: Keeping | None = None,
) -> None:
    """Fit the calibration that a configuration asks for and note it in the classifier's header.

    Nothing is fitted where too few pixels can be held out; `no_calibration` says why.

    Args:
        classifier: trained.
        config: of the run.
        prepared: what it was trained on.
        reduced: the scene as `fitting.reduced_scene` gives it, where it is there already.
        keeping: what goes along with further trainings of a network.

    Raises:
        Stopped: a stop was asked for while a network was trained again.
    """
    asked = config.train.calibration
    if asked == "none" or len(classifier.header.labels) < 2:
        return
    if isinstance(classifier, NetworkClassifier) and config.train.calibration_folds is None:
        held = validated(classifier, config, prepared, reduced)
    else:
        held = left_out(classifier, config, prepared, reduced, keeping or Keeping())
    if held is None or len(held.truth) < LEAST:
        return
    found: dict[str, float] = {}
    method: Method = "temperature" if asked == "auto" else asked
    # A single number is all that few pixels can tell.
    if asked == "auto" and len(held.truth) >= ENOUGH:
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
    again = config.train.calibration_folds is not None
    if isinstance(classifier, NetworkClassifier) and not again and not validation:
        return "no validation part, which split.validation sets apart, nor train.calibration_folds"
    return "too few pixels of the training side could be held out"


def check_calibration(config: ClassificationConfig, prepared: Prepared) -> None:
    """Refuse a calibration of a network that has nothing to be fitted on.

    Raises:
        ConfigError: it has no validation part.
    """
    asked, model = config.train.calibration, config.model.name
    can = model in CLASSICAL or config.train.calibration_folds is not None
    if asked in ("none", "auto") or can or len(prepared.split.validation):
        return
    raise ConfigError(
        "train.calibration",
        f"{asked} for {model} without a validation part",
        "a part that a network's calibration is fitted on",
        "set split.validation above 0, or train.calibration_folds",
    )
