"""Image classification as the training loop wants it: views and classes in, a loss out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ...backbones.classic import AuxiliaryLogits
from ...data.splits import Split
from ...engine.device_memory import InHalves
from ...losses import classification_loss
from ...schemas.image_classification import AugmentConfig, ImageTrainingConfig
from ...seeding import SeedStreams
from ...transfer import to_device
from .views import ImageViews

Batch = tuple[Tensor, Tensor]


class ImageClassification:
    """Batches of random views with their classes; a `TrainingTask`.

    The batches of an epoch are as equal as can be: a last one of a single image would stop batch
    norms.

    Args:
        views: has the images.
        classes: class index of every image, N.
        split: which of them are learnt from and which validate.
        config: batch size and what the loss is made of.
        augment: what is drawn anew for each view.
        evaluation_batch: views per forward pass of a validation.
        seeds: the stream `order` shuffles each epoch, `augment` draws the views of each step.
    """

    selection_metric = "accuracy"

    def __init__(
        self,
        views: ImageViews,
        classes: NDArray[np.int64],
        split: Split,
        config: ImageTrainingConfig,
        augment: AugmentConfig,
        evaluation_batch: int,
        seeds: SeedStreams,
    ) -> None:
        self.views = views
        self.classes = torch.from_numpy(classes)
        self.train = split.train
        self.validation = split.validation
        self.config = config
        self.augment = augment
        self.evaluation_batch = evaluation_batch
        self.seeds = seeds
        self._order: tuple[int, NDArray[np.int64]] | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.train) // self.config.batch_size)

    def batch(self, epoch: int, step: int) -> Batch:
        """Views and classes of a step."""
        steps = self.steps_per_epoch
        first, last = (len(self.train) * k // steps for k in (step, step + 1))
        images = self._shuffled(epoch)[first:last]
        views = self.views.drawn(images, self.augment, self.seeds.numpy("augment", epoch, step))
        return views, to_device(self.classes[torch.from_numpy(images)], self.views.device)

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor], int]:
        """Cross-entropy, with that of auxiliary heads, and the number of images right."""
        views, classes = batch
        answer = model(views)
        logits, sides = answer if isinstance(answer, AuxiliaryLogits) else (answer, ())
        smoothing = self.config.label_smoothing
        loss = classification_loss(logits, classes, smoothing=smoothing)
        for side in sides:
            own = classification_loss(side, classes, smoothing=smoothing)
            loss = loss + self.config.auxiliary_weight * own
        right = (logits.detach().argmax(1) == classes).sum()
        return loss, {"accuracy": right}, len(classes)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Loss, without smoothing, and accuracy of the validation part, by its plain views."""
        if not len(self.validation):
            return {}
        network = InHalves(lambda some: model(some).float())
        batches = self.views.fixed(self.validation, 1, self.evaluation_batch)
        logits = torch.cat([network(views) for views, _ in batches])
        classes = self.classes[torch.from_numpy(self.validation)].to(logits.device)
        return {
            "loss": float(functional.cross_entropy(logits, classes)),
            "accuracy": float((logits.argmax(1) == classes).double().mean()),
        }

    def _shuffled(self, epoch: int) -> NDArray[np.int64]:
        if self._order is None or self._order[0] != epoch:
            order = self.seeds.numpy("order", epoch).permutation(self.train)
            self._order = (epoch, order)
        return self._order[1]
