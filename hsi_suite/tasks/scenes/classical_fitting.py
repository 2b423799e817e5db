"""Fitting a model of single spectra: to which spectra, and with which settings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...data.augmentation import origin_of
from ...data.field_shifts import FieldShifts
from ...data.likeness_filter import neighbour_pairs, typical_spread
from ...data.scene_stack import valid_pixels
from ...data.varied_spectra import varied
from ...engine.observer import Observer
from ...schemas.classification import ClassificationConfig
from .classifier import Classifier
from .preparation import Prepared
from .searching import search_folds
from .spectral_classifier import SpectralClassifier, classical_model


def fit_classical(
    classifier: SpectralClassifier,
    config: ClassificationConfig,
    prepared: Prepared,
    observer: Observer,
) -> None:
    """Fit a model of single spectra in place, and note in its header what was found.

    Args:
        classifier: untrained.
        config: resolved.
        prepared: what it is trained on.
        observer: is told what cannot be done as asked.
    """
    model, keys = classifier.model, config.train.augmentation
    spectra, classes = (
        training_spectra(classifier, prepared),
        prepared.classes[prepared.split.train],
    )
    if model.SEARCHES and not model.settings:
        model.folds = search_folds(config, prepared, observer)
    if keys.active:
        shifts = field_shifts(prepared, spectra, observer) if keys.fields else None
        _search_first(classifier, spectra, classes, config.threads or 1)
        spectra = varied(
            spectra,
            copies=keys.copies,
            gain=keys.gain,
            noise=keys.noise,
            fields=keys.fields,
            shifts=shifts,
            origin=origin_of(classifier.reduction).numpy(),
            generator=config.streams.numpy("augment"),
        )
        classes = np.tile(classes, keys.copies)
    classifier.fit(spectra, classes)
    classifier.header.options.update(model.settings)
    if config.model.window > 1:
        classifier.header = replace(classifier.header, likeness=likeness(classifier, prepared))


def training_spectra(classifier: Classifier, prepared: Prepared) -> NDArray[np.float32]:
    """The spectra of the training pixels as a model sees them, N × components."""
    return classifier.reduction.apply_rows(prepared.spectra.of(prepared.split.train))


def field_shifts(
    prepared: Prepared, spectra: NDArray[np.float32], observer: Observer
) -> FieldShifts:
    """How far the fields of the training part lie apart; where there are none, it is said."""
    train = prepared.split.train
    shifts = FieldShifts.of(spectra, prepared.classes[train], train, prepared.scene.samples)
    if not shifts:
        observer.message(
            "train.augmentation.fields changes nothing: no class has two fields in training"
        )
    return shifts


def _search_first(
    classifier: SpectralClassifier,
    spectra: NDArray[np.float32],
    classes: NDArray[np.int64],
    threads: int,
) -> None:
    """Find settings on spectra as they are: random folds would test copies of what they learnt."""
    model = classifier.model
    if model.SEARCHES and not model.settings:
        probe = classical_model(classifier.header, threads)
        probe.folds = model.folds
        probe.fit(spectra, classes)
        model.settings, model.searched = probe.settings, probe.searched


def likeness(classifier: Classifier, prepared: Prepared) -> float:
    """How much neighbours differ in the scene, as the model sees it."""
    pixels = neighbour_pairs(valid_pixels(prepared.scene))
    one, other = (
        classifier.reduction.apply_rows(prepared.spectra.of(each)) for each in (pixels, pixels + 1)
    )
    return typical_spread(one, other)
