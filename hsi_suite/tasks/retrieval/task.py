"""Cross-modal retrieval as the training loop wants it: pairs and their classes in, a loss out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ...alike_rows import alike
from ...data.modalities import Modality
from ...data.pairs import Pairs
from ...engine.device_memory import InHalves
from ...losses import discrimination_loss, invariance_loss, label_loss
from ...metrics.retrieval import retrieval_scores
from ...models.dscmr import DSCMR
from ...schemas.retrieval import RetrievalConfig
from ...seeding import SeedStreams
from ...transfer import to_device

Batch = tuple[Tensor, Tensor, Tensor]
_EVALUATION_BATCH = 1024


class PairRetrieval:
    """Batches of pairs with their classes; a `TrainingTask`.

    Args:
        train: pairs to learn from.
        validation: pairs to select by; may be empty.
        modalities: how items become what the network sees, fitted.
        config: weights of the losses, batches.
        seeds: the stream `order` shuffles each epoch.
        device: where batches are wanted.
    """

    selection_metric = "mean_average_precision"

    def __init__(
        self,
        train: Pairs,
        validation: Pairs,
        modalities: tuple[Modality, Modality],
        config: RetrievalConfig,
        seeds: SeedStreams,
        device: torch.device,
    ) -> None:
        self.config = config
        self.seeds = seeds
        self.train = _tensors(train, modalities, device)
        self.validation = _tensors(validation, modalities, device)
        self.validation_targets = validation.targets
        self._targets = train.targets
        self._order: tuple[int, Tensor] | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._targets) // self.config.train.batch_size)

    def batch(self, epoch: int, step: int) -> Batch:
        """Items of both modalities and the targets of a step."""
        order = self._shuffled(epoch)
        first, last = (len(order) * k // self.steps_per_epoch for k in (step, step + 1))
        rows = to_device(order[first:last], self.train[0].device)
        one, other, targets = (part[rows] for part in self.train)
        return one, other, targets

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor], int]:
        """J1 + λ J2 + η J3, the three beside it, and the number of pairs."""
        assert isinstance(model, DSCMR)
        first, second, targets = batch
        one, other = model.embed_first(first).float(), model.embed_second(second).float()
        weights = self.config.loss
        parts = {
            "label_loss": self._label_loss(model.labels(one), model.labels(other), targets),
            "discrimination_loss": discrimination_loss(one, other, targets),
            "invariance_loss": invariance_loss(one, other),
        }
        loss = (
            parts["label_loss"]
            + weights.discrimination * parts["discrimination_loss"]
            + weights.invariance * parts["invariance_loss"]
        )
        values = {name: value.detach() * len(targets) for name, value in parts.items()}
        return loss, values, len(targets)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Mean average precision of the validation pairs, the mean of both directions."""
        if not len(self.validation_targets):
            return {}
        assert isinstance(model, DSCMR)
        first, second, _ = self.validation
        one = _rows(model.embed_first, first)
        other = _rows(model.embed_second, second)
        labels = self.validation_targets.astype(np.int64)
        there, back = (
            retrieval_scores(queries, gallery, labels, labels).mean_average_precision
            for queries, gallery in ((one, other), (other, one))
        )
        return {"mean_average_precision": (there + back) / 2}

    def _label_loss(self, first: Tensor, second: Tensor, targets: Tensor) -> Tensor:
        if self.config.loss.label == "distance":
            return label_loss(first, second, targets)
        # Several classes of one pair share its probability.
        shares = targets / targets.sum(1, keepdim=True).clamp(min=1)
        return functional.cross_entropy(first, shares) + functional.cross_entropy(second, shares)

    def _shuffled(self, epoch: int) -> Tensor:
        if self._order is None or self._order[0] != epoch:
            generator = self.seeds.numpy("order", epoch)
            single = bool((self._targets.sum(1) == 1).all())
            if self.config.train.balanced and single:
                order = balanced_order(self._targets.argmax(1), generator)
            else:
                order = generator.permutation(len(self._targets))
            self._order = (epoch, torch.from_numpy(order))
        return self._order[1]


def balanced_order(
    classes: NDArray[np.integer], generator: np.random.Generator
) -> NDArray[np.intp]:
    """An order of about as many rows as there are in which the classes take turns.

    Within each class the rows come in random order, all of them before any comes again. Every run
    of as many rows as there are classes holds one of each, in random order.

    Args:
        classes: class index of each row, N.
        generator: source of chance.
    """
    values = np.unique(classes)
    rounds = -(-len(classes) // len(values))
    columns = []
    for value in values:
        own = np.flatnonzero(classes == value)
        times = -(-rounds // len(own))
        columns.append(np.concatenate([generator.permutation(own) for _ in range(times)])[:rounds])
    turns: NDArray[np.intp] = generator.permuted(np.stack(columns, 1), axis=1)
    return turns.reshape(-1)


def _tensors(pairs: Pairs, modalities: tuple[Modality, Modality], device: torch.device) -> Batch:
    first, second = modalities
    return (
        torch.from_numpy(first.prepare(pairs.first)).to(device),
        torch.from_numpy(second.prepare(pairs.second)).to(device),
        torch.from_numpy(pairs.targets.astype(np.float32)).to(device),
    )


def _rows(embed: Callable[[Tensor], Tensor], items: Tensor) -> NDArray[np.float32]:
    compute = InHalves(lambda some: embed(some).float())
    chunks = [alike(compute, chunk) for chunk in torch.split(items, _EVALUATION_BATCH)]
    rows: NDArray[np.float32] = torch.cat(chunks).cpu().numpy()
    return rows
