"""What simpler methods reach on the very same split."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...data.patches import scene_sampler
from ...data.pixel_spectra import PixelSpectra
from ...data.reduction import BLOCK_PIXELS, fit_standardisation
from ...data.scene_stack import StackedScene
from ...engine.observer import Observer
from ...engine.trainer import Trainer
from ...models.building import build_model
from ...models.classical import CLASSICAL
from ...models.position_baseline import nearest_position
from ...models.spectrum_classifier import SpectrumClassifier
from ...schemas.classification import ClassificationConfig
from ...schemas.training import OptimizerConfig, TrainingConfig
from .preparation import Prepared
from .searching import Search, search_folds, search_of
from .task import PixelClassification, window_logits

# Hu et al. train longer; after 150 epochs of Adam the loss of this small network has settled.
_CNN1D_TRAINING = TrainingConfig(
    epochs=150, batch_size=100, optimizer=OptimizerConfig(name="adam", learning_rate=1e-3)
)
_CNN1D_BATCH = 4096
# Pixels × classes: a classifier may hold a number for each.
_BLOCK_VALUES = 2**25


def run_baselines(
    config: ClassificationConfig,
    prepared: Prepared,
    observer: Observer,
    searches: dict[str, Search] | None = None,
) -> dict[str, NDArray[np.integer]]:
    """Predicted class indices of the test pixels by baseline; "position" is always there.

    That one knows the whole training side, as the audit does: the validation pixels, too, shape
    the model that is tested.

    Args:
        config: resolved.
        prepared: scene and split.
        observer: reports progress.
        searches: gets what those that search their settings found, by name.
    """
    predictions = {"position": _by_position(prepared)}
    for name in config.evaluation.baselines:
        observer.message(f"baseline {name} on the same split")
        if name == "cnn1d":
            predictions[name] = _cnn1d(config, prepared)
        else:
            model = _classical(name, config, prepared, observer)
            predictions[name] = _predicted(
                partial(_answers, model),
                prepared.spectra.of(prepared.split.test),
                len(prepared.split.classes),
            )
            found = search_of(model)
            if searches is not None and found is not None:
                searches[name] = found
    return predictions


def _by_position(prepared: Prepared) -> NDArray[np.integer]:
    """The class of the nearest pixel of the training side in the same scene.

    Where a scene has none, position says nothing: the commonest class of the training side.
    """
    split, samples = prepared.split, prepared.scene.samples
    side = np.concatenate([split.train, split.validation])
    if not isinstance(prepared.scene, StackedScene):
        return nearest_position(side, prepared.classes[side], split.test, samples)
    commonest = int(np.bincount(prepared.classes[side]).argmax())
    predicted = np.full(len(split.test), commonest, np.int64)
    for part in prepared.scene.parts:
        known, asked = (part.mine(pixels, samples) for pixels in (side, split.test))
        if known.any() and asked.any():
            learnt = side[known]
            predicted[asked] = nearest_position(
                learnt, prepared.classes[learnt], split.test[asked], samples
            )
    return predicted


def _predicted(
    predict: Callable[[NDArray[Any]], NDArray[np.integer]], spectra: PixelSpectra, classes: int
) -> NDArray[np.integer]:
    """What is predicted of spectra, read block by block, the smaller the more classes."""
    size = min(BLOCK_PIXELS, max(_CNN1D_BATCH, _BLOCK_VALUES // classes))
    blocks = range(0, len(spectra), size)
    return np.concatenate([predict(spectra[start : start + size]) for start in blocks])


def _classical(
    name: str, config: ClassificationConfig, prepared: Prepared, observer: Observer
) -> SpectrumClassifier:
    split = prepared.split
    seed = config.streams.seed("init", name)
    model = CLASSICAL[name](None, seed, config.threads or 1)
    if model.SEARCHES:
        model.folds = search_folds(config, prepared, observer)
    train = prepared.spectra.of(split.train)[:].astype(np.float32)
    model.fit(train, prepared.classes[split.train])
    return model


def _answers(model: SpectrumClassifier, spectra: NDArray[Any]) -> NDArray[np.integer]:
    return model.predict(spectra.astype(np.float32))


def _cnn1d(config: ClassificationConfig, prepared: Prepared) -> NDArray[np.integer]:
    split = prepared.split
    seeds = config.streams
    device = torch.device(config.device)
    train = prepared.spectra.of(split.train)[:]
    reduction = fit_standardisation(train.astype(np.float32))
    network = build_model(
        "cnn1d",
        in_channels=prepared.scene.bands,
        num_classes=len(split.classes),
        window=1,
        options={},
        generator=seeds.torch("init", "cnn1d"),
    ).to(device)
    task = PixelClassification(
        # The training pixels in one line; the others are not needed yet.
        scene_sampler(reduction.apply(train)[None], 1, device),
        torch.from_numpy(prepared.classes[split.train]),
        torch.arange(len(train)),
        torch.empty(0, dtype=torch.int64),
        _CNN1D_TRAINING.batch_size,
        config.evaluation.batch_size,
        seeds,
    )
    Trainer(network, task, _CNN1D_TRAINING, seeds, device).fit()

    def predict(spectra: NDArray[Any]) -> NDArray[np.integer]:
        sampler = scene_sampler(reduction.apply(spectra)[None], 1, device)
        logits = window_logits(network, sampler, torch.arange(len(spectra)), _CNN1D_BATCH)
        return logits.argmax(1).cpu().numpy()

    return _predicted(predict, prepared.spectra.of(split.test), len(split.classes))
