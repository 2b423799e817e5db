"""Deep supervised cross-modal retrieval: two encoders into one common space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from ..backbones.dimension import LayerChoice
from ..backbones.stages import PLAIN, StageStyle
from ..errors import ConfigError
from .encoders import build_encoder, has_stages
from .stage_options import StageOptions


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
        block: of the stages of both encoders, as `StageStyle` has it, in place of what their names
            stand for; so are the four that follow. `mlp` has no stages.
        attention: of each stage.
        scale: of residual blocks.
        norm: of the convolutions; batch unless said otherwise.
        activation: ReLU unless said otherwise.
        stages: the same keys for `first` or `second` alone.

    Raises:
        ConfigError: no such encoder, or no such block, attention or norm.
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
        block: LayerChoice = None,
        attention: LayerChoice = None,
        scale: float | None = None,
        norm: LayerChoice = None,
        activation: LayerChoice = None,
        stages: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        encoders = {"first": first_encoder, "second": second_encoder}
        both = StageStyle(block, attention, scale, norm, activation)
        if both != PLAIN and not any(map(has_stages, encoders.values())):
            found = f"of the encoders {first_encoder} and {second_encoder}, which have no stages"
            raise ConfigError("model.options.block", found, "conv_1d or conv_2d for one of them")
        styles = StageOptions(both, stages, dict.fromkeys(encoders, ""))
        first, second = (
            styles.of(side) if has_stages(name) or styles.says(side) else PLAIN
            for side, name in encoders.items()
        )
        self.first_shape, self.second_shape = tuple(first_shape), tuple(second_shape)
        self.first = build_encoder(first_encoder, self.first_shape, hidden, dropout, first)
        self.second = build_encoder(second_encoder, self.second_shape, hidden, dropout, second)
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
