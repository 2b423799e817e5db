"""Pixel classification as the training loop wants it, and windows through a network."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..data.patches import WindowSampler
from ..engine.observer import Observer
from ..seeding import SeedStreams

Batch = tuple[Tensor, Tensor]


class PixelClassification:
    """Batches of windows with the class of their central pixel; a `TrainingTask`.

    Args:
        sampler: cuts the windows.
        classes: class index of every pixel of the scene, flat.
        train: flat indices of the training pixels.
        validation: flat indices of the validation pixels; may be empty.
        batch_size: windows per step; the last batch of an epoch may be smaller.
        evaluation_batch: windows per forward pass of a validation.
        seeds: the stream `order` shuffles each epoch.
    """

    selection_metric = "accuracy"

    def __init__(
        self,
        sampler: WindowSampler,
        classes: Tensor,
        train: Tensor,
        validation: Tensor,
        batch_size: int,
        evaluation_batch: int,
        seeds: SeedStreams,
    ) -> None:
        self.sampler = sampler
        self.classes = classes
        self.train = train
        self.validation = validation
        self.batch_size = batch_size
        self.evaluation_batch = evaluation_batch
        self.seeds = seeds
        self._order: tuple[int, Tensor] | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.train) // self.batch_size)

    def batch(self, epoch: int, step: int) -> Batch:
        """Windows and classes of a step."""
        order = self._shuffled(epoch)
        pixels = order[step * self.batch_size : (step + 1) * self.batch_size]
        return self.sampler.gather(pixels), self.classes[pixels].to(self.sampler.device)

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor], int]:
        """Cross-entropy, and the number of windows classified right."""
        windows, classes = batch
        logits = model(windows)
        loss = functional.cross_entropy(logits, classes)
        right = (logits.detach().argmax(1) == classes).sum()
        return loss, {"accuracy": right}, len(classes)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Loss and accuracy of the validation part."""
        if not len(self.validation):
            return {}
        logits = window_logits(model, self.sampler, self.validation, self.evaluation_batch)
        classes = self.classes[self.validation].to(logits.device)
        return {
            "loss": float(functional.cross_entropy(logits, classes)),
            "accuracy": float((logits.argmax(1) == classes).double().mean()),
        }

    def _shuffled(self, epoch: int) -> Tensor:
        if self._order is None or self._order[0] != epoch:
            generator = self.seeds.torch("order", epoch)
            self._order = (epoch, self.train[torch.randperm(len(self.train), generator=generator)])
        return self._order[1]


def window_logits(
    model: nn.Module,
    sampler: WindowSampler,
    pixels: Tensor,
    batch_size: int,
    observer: Observer | None = None,
) -> Tensor:
    """Logits (N, classes) of the windows around N flat pixel indices, in the model's own mode."""
    observer = observer or Observer()
    rows = []
    with torch.inference_mode():
        for chunk in torch.split(pixels, batch_size):
            rows.append(model(sampler.gather(chunk)).float())
            observer.advance(len(chunk))
    return torch.cat(rows)
