"""What simpler methods reach on the very same split."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ..data.reduction import fit_standardisation
from ..engine.observer import Observer
from ..engine.trainer import Trainer
from ..models.classical import CLASSICAL, nearest_position
from ..models.registry import build_model
from ..schemas.classification import ClassificationConfig
from ..schemas.training import OptimizerConfig, TrainingConfig
from .classifier import scene_sampler
from .pixel_task import PixelClassification, window_logits
from .preparation import Prepared

# Hu et al. train longer; after 150 epochs of Adam the loss of this small network has settled.
_CNN1D_TRAINING = TrainingConfig(
    epochs=150, batch_size=100, optimizer=OptimizerConfig(name="adam", learning_rate=1e-3)
)


def run_baselines(
    config: ClassificationConfig, prepared: Prepared, observer: Observer
) -> dict[str, NDArray[np.integer]]:
    """Predicted class indices of the test pixels by baseline; "position" is always there."""
    split = prepared.split
    samples = prepared.scene.samples
    predictions = {
        "position": nearest_position(
            split.train, prepared.classes[split.train], split.test, samples
        )
    }
    for name in config.evaluation.baselines:
        observer.message(f"baseline {name} on the same split")
        if name == "cnn1d":
            predictions[name] = _cnn1d(config, prepared)
        else:
            predictions[name] = _classical(name, config, prepared)
    return predictions


def _spectra(prepared: Prepared, pixels: NDArray[np.integer]) -> NDArray[np.float32]:
    flat = prepared.scene.cube.reshape(-1, prepared.scene.bands)
    spectra: NDArray[np.float32] = flat[pixels].astype(np.float32)
    return spectra


def _classical(name: str, config: ClassificationConfig, prepared: Prepared) -> NDArray[np.integer]:
    split = prepared.split
    seed = config.streams.seed("init", name)
    model = CLASSICAL[name](None, seed, config.threads or 1)
    model.fit(_spectra(prepared, split.train), prepared.classes[split.train])
    return model.predict(_spectra(prepared, split.test))


def _cnn1d(config: ClassificationConfig, prepared: Prepared) -> NDArray[np.integer]:
    split = prepared.split
    seeds = config.streams
    device = torch.device(config.device)
    train = _spectra(prepared, split.train)
    reduced = fit_standardisation(train).apply(prepared.scene.cube)
    sampler = scene_sampler(reduced, 1, device)
    network = build_model(
        "cnn1d",
        in_channels=prepared.scene.bands,
        num_classes=len(split.classes),
        window=1,
        options={},
        generator=seeds.torch("init", "cnn1d"),
    ).to(device)
    task = PixelClassification(
        sampler,
        torch.from_numpy(prepared.classes),
        torch.from_numpy(split.train),
        torch.empty(0, dtype=torch.int64),
        _CNN1D_TRAINING.batch_size,
        config.evaluation.batch_size,
        seeds,
    )
    Trainer(network, task, _CNN1D_TRAINING, seeds, device).fit()
    logits = window_logits(network, sampler, torch.from_numpy(split.test), 4096)
    return logits.argmax(1).cpu().numpy()
