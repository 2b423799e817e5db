"""Pixel classification as the training loop wants it, and the pixels of a scene through a network.

A network sees pixels through their windows or, where that comes to the same, through the whole
scene at once (`engine.dense`).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...data.augmentation import WindowAugmentation
from ...data.patches import WindowSampler
from ...engine.dense import pixel_logits, runs_dense, scene_features, strip_logits
from ...engine.device_memory import InHalves, rows_apart
from ...engine.finite import check_finite, output_of
from ...engine.observer import Observer
from ...engine.pixel_ways import plan_parts, windows_at_once
from ...engine.tiled import TileGrid, tile_logits
from ...losses import classification_loss
from ...seeding import SeedStreams
from ...transfer import to_device

Batch = tuple[Tensor, Tensor]


class PixelClassification:
    """Batches of pixels with their classes; a `TrainingTask`.

    Args:
        sampler: has the scene and cuts the windows.
        classes: class index of every pixel of the scene, flat.
        train: flat indices of the training pixels.
        validation: flat indices of the validation pixels; may be empty.
        batch_size: pixels per step; the last batch of an epoch may be smaller.
        evaluation_batch: pixels per forward pass of a validation.
        seeds: the stream `order` shuffles each epoch.
        dense_from: batches of at least so many pixels go by the whole scene instead of by
            windows; None for windows only.
        grid: where it is given, batches are drawn tile by tile, and those that do not go by
            windows go by their tiles instead of the whole scene.
        augmentation: changes the windows that are learnt from; needs `dense_from` None.
        weights: of each class in the loss, see `losses.classification_loss`.
        label_smoothing: of the loss in training.
        balanced: draw every class equally often; without `grid`.
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
        dense_from: int | None = None,
        grid: TileGrid | None = None,
        augmentation: WindowAugmentation | None = None,
        weights: Tensor | None = None,
        label_smoothing: float = 0.0,
        balanced: bool = False,
    ) -> None:
        assert augmentation is None or dense_from is None
        self.sampler = sampler
        self.classes = classes
        self.train = train
        self.validation = validation
        self.batch_size = batch_size
        self.evaluation_batch = evaluation_batch
        self.seeds = seeds
        self.dense_from = dense_from
        self.grid = grid
        self.augmentation = augmentation
        self.weights = weights
        self.label_smoothing = label_smoothing
        self.balanced = balanced
        self._padded = None if dense_from is None else sampler.padded()
        self._cells = grid.cut(self._padded) if grid and self._padded is not None else None
        self._order: tuple[int, Tensor] | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.train) // self.batch_size)

    def batch(self, epoch: int, step: int) -> tuple[Tensor, ...]:
        """Pixels and classes of a step, and what happens to the windows where anything does."""
        order = self._shuffled(epoch)
        pixels = order[step * self.batch_size : (step + 1) * self.batch_size]
        device = self.sampler.device
        batch = to_device(pixels, device), to_device(self.classes[pixels], device)
        if self.augmentation is None:
            return batch
        return *batch, *self.augmentation.draw(len(pixels), self.sampler, self.seeds, epoch, step)

    def loss(
        self, model: nn.Module, batch: tuple[Tensor, ...]
    ) -> tuple[Tensor, dict[str, Tensor], int]:
        """Cross-entropy, weighted and smoothed as asked for, and the pixels classified right."""
        pixels, classes, *changes = batch
        if self.augmentation is not None:
            logits = model(self.augmentation.windows(self.sampler, pixels, tuple(changes)))
        elif self._padded is None or len(pixels) < (self.dense_from or 0):
            logits = model(self.sampler.gather(pixels))
        else:
            logits = self._dense_logits(model, self._padded, pixels)
        loss = classification_loss(logits, classes, self.weights, self.label_smoothing)
        right = (logits.detach().argmax(1) == classes).sum()
        return loss, {"accuracy": right}, len(classes)

    def _dense_logits(self, model: nn.Module, padded: Tensor, pixels: Tensor) -> Tensor:
        assert runs_dense(model, training=True)
        if self.grid is not None and self._cells is not None:
            return tile_logits(model, self.grid, self._cells, pixels)
        return pixel_logits(model, scene_features(model, padded), pixels)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Loss, neither weighted nor smoothed, and accuracy of the validation part."""
        if not len(self.validation):
            return {}
        wanted = torch.zeros(len(self.classes), dtype=torch.bool)
        wanted[self.validation] = True
        wanted = wanted.reshape(-1, self.sampler.samples)
        parts = scene_logits(model, self.sampler, wanted, self.evaluation_batch, Observer())
        pixels, rows = zip(*parts, strict=True)
        logits = torch.cat(rows)
        classes = self.classes[torch.cat(pixels)].to(logits.device)
        return {
            "loss": float(functional.cross_entropy(logits, classes)),
            "accuracy": float((logits.argmax(1) == classes).double().mean()),
        }

    def _shuffled(self, epoch: int) -> Tensor:
        if self._order is None or self._order[0] != epoch:
            generator = self.seeds.torch("order", epoch)
            if self.grid is not None:
                order = self.grid.order(self.train, generator)
            elif self.balanced:
                order = balanced_order(self.train, self.classes[self.train], generator)
            else:
                order = self.train[torch.randperm(len(self.train), generator=generator)]
            self._order = (epoch, order)
        return self._order[1]


def balanced_order(pixels: Tensor, classes: Tensor, generator: torch.Generator) -> Tensor:
    """As many pixels as there are, class by class in turn, so that any batch holds each alike.

    Each turn takes a pixel of every class, in an order of its own. Pixels of a class come again
    when all of them were taken.

    Args:
        pixels: flat indices, N.
        classes: class index of each.
        generator: draws them.
    """
    groups = [pixels[classes == label] for label in torch.unique(classes).tolist()]
    turns = -(-len(pixels) // len(groups))
    columns = []
    for group in groups:
        rounds = -(-turns // len(group))
        drawn = [group[torch.randperm(len(group), generator=generator)] for _ in range(rounds)]
        columns.append(torch.cat(drawn)[:turns])
    table = torch.stack(columns, 1)
    shuffled = table.gather(1, torch.rand(table.shape, generator=generator).argsort(1))
    return shuffled.flatten()[: len(pixels)]


def window_logits(
    model: nn.Module, sampler: WindowSampler, pixels: Tensor, batch_size: int
) -> Tensor:
    """Logits (N, classes) of the windows around N flat pixel indices, in the model's own mode."""
    with torch.inference_mode():
        batches = _window_batches(model, sampler, pixels, batch_size, Observer())
        return torch.cat([logits for _, logits in batches])


def _window_batches(
    model: nn.Module, sampler: WindowSampler, pixels: Tensor, batch_size: int, observer: Observer
) -> Iterator[Batch]:
    def logits(some: Tensor) -> Tensor:
        return check_finite(model(sampler.gather(some)).float(), output_of(model))

    # Dropout draws for a batch as a whole.
    compute = InHalves(logits, observer) if rows_apart(model) else logits
    for chunk in torch.split(pixels, batch_size):
        yield chunk, compute(chunk)
        observer.advance(len(chunk))


def scene_logits(
    model: nn.Module, sampler: WindowSampler, wanted: Tensor, batch_size: int, observer: Observer
) -> Iterator[Batch]:
    """Logits of the wanted pixels of a scene, part after part, in the model's mode.

    Gradients are the caller's to switch off.

    Args:
        model: sees the scene where that is exact, and cheaper (`engine.pixel_ways`), else windows.
        sampler: of the scene.
        wanted: lines × samples, True for N pixels.
        batch_size: windows per forward pass.
        observer: counts each pixel.

    Yields:
        N flat indices in all, in ascending order, and their logits, N × classes.
    """
    if not runs_dense(model, model.training):
        pixels = wanted.flatten().nonzero().squeeze(1)
        yield from _window_batches(model, sampler, pixels, batch_size, observer)
        return
    everywhere = torch.arange(wanted.numel()).reshape(wanted.shape)
    for part in plan_parts(model, sampler.planes, wanted) if wanted.any() else ():
        chosen, places = wanted[part.place], everywhere[part.place]
        if part.by_windows:
            most = min(batch_size, windows_at_once(model, sampler.device))
            yield from _even_batches(model, sampler, places[chosen], most, observer)
            continue
        for line, logits in strip_logits(model, part.padded(sampler.planes, model.window), chosen):
            strip = slice(line, line + len(logits))
            rows = logits[chosen[strip].to(logits.device)].float()
            yield places[strip][chosen[strip]], check_finite(rows, output_of(model))
            observer.advance(len(rows))


def _even_batches(
    model: object, sampler: WindowSampler, pixels: Tensor, most: int, observer: Observer
) -> Iterator[Batch]:
    """Windows in batches of one size, as a small last one is slow for what it holds."""
    assert isinstance(model, nn.Module)
    batches = -(-len(pixels) // most)
    return _window_batches(model, sampler, pixels, -(-len(pixels) // batches), observer)
