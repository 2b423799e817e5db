"""Deep supervised cross-modal retrieval: two encoders into one common space."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from .encoders import build_encoder


class DSCMR(nn.Module):
    """The network of Zhen et al. (CVPR 2019), figure 2: two branches and what they share.

    Each modality passes its encoder, whose last layer is connected with ReLU; one linear layer
    without activation leads both into the common space, and one linear projection from there
    predicts the labels. With encoders that are nothing but that connected layer (`mlp`) and the
    default sizes it is the published network: 11,125,780 parameters for features of 4096 and 300
    and 20 classes.

    Shapes: (N, a + b), the flattened items of both modalities side by side, to (N, 2, num_classes)
    label predictions of the two.

    Args:
        first_shape: of one item of the first modality.
        second_shape: of the second.
        num_classes: classes.
        first_encoder: a name of `encoders.ENCODERS`.
        second_encoder: the same for the second modality.
        hidden: units of the encoders' last layers.
        embedding: dimensions of the common space.
        dropout: share of features dropped before the encoders' last layers.

    Raises:
        ConfigError: no such encoder.
        ShapeError: an encoder is for items of another kind.
    """

    def __init__(
        self,
        first_shape: Sequence[int],
        second_shape: Sequence[int],
        num_classes: int,
        first_encoder: str = "mlp",
        second_encoder: str = "mlp",
        hidden: int = 2048,
        embedding: int = 1024,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.first_shape, self.second_shape = tuple(first_shape), tuple(second_shape)
        self.first = build_encoder(first_encoder, self.first_shape, hidden, dropout)
        self.second = build_encoder(second_encoder, self.second_shape, hidden, dropout)
        self.shared = nn.Linear(hidden, embedding)
        self.labels = nn.Linear(embedding, num_classes)

    def embed_first(self, items: Tensor) -> Tensor:
        """Common representations (N, embedding) of items of the first modality."""
        common: Tensor = self.shared(self.first(items))
        return common

    def embed_second(self, items: Tensor) -> Tensor:
        """The same of the second."""
        common: Tensor = self.shared(self.second(items))
        return common

    def forward(self, pairs: Tensor) -> Tensor:
        """Label predictions of pairs; see the class for shapes."""
        border = prod(self.first_shape)
        first, second = pairs[:, :border], pairs[:, border:]
        common = (
            self.embed_first(first.reshape(-1, *self.first_shape)),
            self.embed_second(second.reshape(-1, *self.second_shape)),
        )
        return torch.stack([self.labels(rows) for rows in common], 1)
