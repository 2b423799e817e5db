"""From prepared data to a trained classifier."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ...data.augmentation import WindowAugmentation
from ...data.band_matching import header_numbers
from ...data.field_shifts import FieldShifts
from ...data.patches import WindowSampler
from ...engine.distributed import ALONE, Team
from ...engine.observer import Observer
from ...engine.strategy import TrainingPlan, plan_training
from ...engine.tiled import TileGrid
from ...engine.trainer import Trainer, Training
from ...errors import ConfigError
from ...losses import class_weights
from ...models.building import build_model, running
from ...models.classical import CLASSICAL
from ...models.known_options import require_settings
from ...models.registry import classifier_names, is_model
from ...registry import did_you_mean, listed
from ...schemas.classification import ClassificationConfig
from .classical_fitting import field_shifts, fit_classical, likeness, training_spectra
from .classifier import Classifier, Header
from .network_classifier import NetworkClassifier
from .preparation import Prepared
from .searching import check_search
from .spectral_classifier import SpectralClassifier, classical_model
from .task import PixelClassification


def untrained(config: ClassificationConfig, prepared: Prepared) -> Classifier:
    """The classifier before training: built, initialised, on its device.

    Raises:
        UnknownNameError: no such model.
        ShapeError: the model cannot take this window or number of components.
        ConfigError: it or a baseline cannot distinguish so many classes.
    """
    scene = prepared.scene
    check_search(config)
    for name in (config.model.name, *config.evaluation.baselines):
        if name in CLASSICAL:
            CLASSICAL[name].check_size(len(prepared.split.classes), len(prepared.split.train))
    seeds = config.streams
    file_bands, band_numbers = header_numbers(scene.selection)
    header = Header(
        model=config.model.name,
        options=dict(config.model.options),
        window=config.model.window,
        labels=list(prepared.split.classes),
        class_names=list(scene.class_names),
        bands=scene.bands,
        wavelengths=None if scene.wavelengths is None else scene.wavelengths.tolist(),
        dataset=scene.name,
        synthetic=scene.synthetic,
        seed=seeds.seed("init"),
        orientations=config.evaluation.orientations,
        fwhm=None if scene.fwhm is None else scene.fwhm.tolist(),
        file_bands=file_bands,
        band_numbers=band_numbers,
        class_weights=_weights(config, prepared) if config.model.name in CLASSICAL else None,
    )
    if config.model.name in CLASSICAL:
        return _untrained_classical(config, prepared, header)
    if not is_model(config.model.name):
        # The registry of networks words the message; it should name the classical ones too.
        names = [*classifier_names(), *CLASSICAL]
        hint = did_you_mean(config.model.name, names, "`hsi models list` describes them")
        raise ConfigError("model.name", f"unknown model {config.model.name!r}", listed(names), hint)
    network = build_model(
        config.model.name,
        in_channels=prepared.reduction.components,
        num_classes=len(header.labels),
        window=header.window,
        options=header.options,
        generator=seeds.torch("init"),
    )
    return NetworkClassifier(header, prepared.reduction, network.to(torch.device(config.device)))


def _untrained_classical(
    config: ClassificationConfig, prepared: Prepared, header: Header
) -> SpectralClassifier:
    if config.evaluation.orientations > 1:
        raise ConfigError(
            "evaluation.orientations",
            f"{config.evaluation.orientations} with {config.model.name}",
            "1: its answers are the same however its window is turned",
            "leave it out, or train a network",
        )
    if config.model.filter > 1:
        raise ConfigError(
            "model.filter",
            f"{config.model.filter} with {config.model.name}",
            "1: the answers of a model of single spectra are averaged over model.window",
            f"set model.window={config.model.filter} instead, or train a network",
        )
    _check_classes_alike(config)
    require_settings(config.model.name, header.options)
    model = classical_model(header, config.threads or 1)
    return SpectralClassifier(header, prepared.reduction, model)


def _check_classes_alike(config: ClassificationConfig) -> None:
    """Refuse what only networks, or other models, do about unequal classes.

    Raises:
        ConfigError: the model cannot.
    """
    model, train = config.model.name, config.train
    for key, asked in (
        ("label_smoothing", train.label_smoothing > 0),
        ("balanced_batches", train.balanced_batches),
    ):
        if asked:
            raise ConfigError(f"train.{key}", f"given with {model}", "a network", "leave it out")
    if train.class_weights != "none" and not CLASSICAL[model].WEIGHTS:
        able = [name for name in CLASSICAL if CLASSICAL[name].WEIGHTS]
        raise ConfigError(
            "train.class_weights",
            f"{train.class_weights} with {model}, to which all classes are equally likely",
            f"a network, or {listed(able)}",
            "leave it out",
        )


def _weights(config: ClassificationConfig, prepared: Prepared) -> list[float] | None:
    """What a training pixel of each class counts for; None for all alike."""
    kind = config.train.class_weights
    if kind == "none":
        return None
    counts = np.bincount(
        prepared.classes[prepared.split.train], minlength=len(prepared.split.classes)
    )
    return class_weights(counts.tolist(), kind, config.train.class_weights_beta)


def plan(
    classifier: Classifier, config: ClassificationConfig, prepared: Prepared, processes: int = 1
) -> TrainingPlan:
    """How `fit` trains: by windows or by the whole scene; a function of the arguments alone.

    Each of several processes puts the whole scene through for its share of a batch.

    Raises:
        ConfigError: train.strategy asks for what the model cannot do.
    """
    if config.train.augmentation.active:
        return _plan_augmented(classifier, config)
    scene, grid = prepared.scene, _grid(config, prepared)
    train = torch.from_numpy(prepared.split.train)
    return plan_training(
        config.train.strategy,
        classifier.network if isinstance(classifier, NetworkClassifier) else None,
        (classifier.reduction.components, scene.lines, scene.samples),
        max(1, len(train) // processes),
        max(1, config.train.batch_size // processes),
        None if grid is None else grid.count(train, config.train.batch_size),
    )


def _plan_augmented(classifier: Classifier, config: ClassificationConfig) -> TrainingPlan:
    if config.model.name in CLASSICAL:
        keys = config.train.augmentation
        unsuited = {"flips": keys.flips, "rotations": keys.rotations, "others": keys.others}
        for key, value in unsuited.items():
            if value:
                raise ConfigError(
                    f"train.augmentation.{key}",
                    f"given with {config.model.name}",
                    "gain, noise or fields, which change single spectra",
                    "leave it out, or train a network",
                )
        return TrainingPlan(
            "patch", None, f"fitted to {keys.copies} changed copies of each spectrum"
        )
    # Options that cannot be are refused before anything is made.
    _augmentation(classifier, config, None)
    return TrainingPlan(
        "patch", None, "training by windows (train.strategy=patch): each is changed by itself"
    )


def _augmentation(
    classifier: Classifier, config: ClassificationConfig, shifts: FieldShifts | None
) -> WindowAugmentation | None:
    keys = config.train.augmentation
    if not keys.active:
        return None
    others = keys.model_dump(exclude={"copies"})
    return WindowAugmentation.of(classifier.reduction, shifts=shifts, **others)


def _grid(config: ClassificationConfig, prepared: Prepared) -> TileGrid | None:
    return TileGrid(prepared.scene.samples) if config.train.sampling == "tiles" else None


def fit(
    classifier: Classifier,
    config: ClassificationConfig,
    prepared: Prepared,
    checkpoint: Path | None,
    observer: Observer,
    team: Team = ALONE,
    reduced: WindowSampler | None = None,
    identity: str = "",
) -> Training:
    """Train `classifier` in place; a network resumes from the checkpoint when there is one.

    Classical models are fitted by the first process of the team alone.

    Args:
        classifier: untrained.
        config: resolved.
        prepared: what it is trained on.
        checkpoint: where the state is kept; None keeps none.
        observer: reports progress.
        team: the processes that share the training.
        reduced: the scene as `reduced_scene` gives it, where it is there already.
        identity: of the run, which the checkpoint must have.

    Raises:
        Stopped: a stop was asked for; the checkpoint holds the state.
    """
    if isinstance(classifier, SpectralClassifier):
        if team.first:
            fit_classical(classifier, config, prepared, observer)
        return Training(history=[], epoch=0, seconds=[])
    device = torch.device(config.device)
    seeds = config.streams
    planned = plan(classifier, config, prepared, team.size)
    observer.message(planned.text)
    shifts = None
    if config.train.augmentation.fields:
        shifts = field_shifts(prepared, training_spectra(classifier, prepared), observer)
    weights = _weights(config, prepared)
    task = PixelClassification(
        reduced_scene(classifier, prepared) if reduced is None else reduced,
        torch.from_numpy(prepared.classes),
        torch.from_numpy(prepared.split.train),
        torch.from_numpy(prepared.split.validation),
        config.train.batch_size,
        config.evaluation.batch_size,
        seeds,
        dense_from=planned.dense_from,
        grid=_grid(config, prepared),
        augmentation=_augmentation(classifier, config, shifts),
        weights=None if weights is None else torch.tensor(weights),
        label_smoothing=config.train.label_smoothing,
        balanced=config.train.balanced_batches,
    )
    assert isinstance(classifier, NetworkClassifier)
    if config.model.filter > 1:
        spread = likeness(classifier, prepared)
        classifier.header = replace(classifier.header, filter=config.model.filter, likeness=spread)
    trainer = Trainer(
        classifier.network, task, config.train, seeds, device, checkpoint, observer, team, identity
    )
    with running(config.model.name):
        return trainer.fit()


def reduced_scene(classifier: Classifier, prepared: Prepared) -> WindowSampler:
    """The scene as a classifier sees it, on its device."""
    scene = prepared.scene
    return classifier.reduced(prepared.spectra, scene.valid, (scene.lines, scene.samples))
