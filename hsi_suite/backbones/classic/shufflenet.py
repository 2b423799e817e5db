"""ShuffleNet v1: grouped 1×1 convolutions whose channels are shuffled."""

from __future__ import annotations

from torch import nn

from ...errors import ConfigError
from ..conv import ConvNormAct
from ..heads import GlobalAverageHead
from ..pooling import max_pool
from ..shuffle import shuffle_unit
from .network import ClassicNetwork, Stem, is_small, scaled

# Channels of the three stages by the number of groups: table 1 of the paper.
_WIDTHS = {
    1: (144, 288, 576),
    2: (200, 400, 800),
    3: (240, 480, 960),
    4: (272, 544, 1088),
    8: (384, 768, 1536),
}
_UNITS = (4, 8, 4)


def shufflenet_v1(
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.0,
    width: float = 1.0,
    stem: Stem = "imagenet",
    groups: int = 3,
) -> ClassicNetwork:
    """ShuffleNet v1, for images of 224×224.

    Zhang et al. (CVPR 2018), table 1. With 1, 2, 3, 4 and 8 groups there are 1,531,936,
    1,733,848, 1,865,728, 1,968,344 and 2,434,768 parameters.

    Args:
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the features dropped in training.
        width: the paper's scale factor s; channels stay divisible by the groups.
        stem: `imagenet`, or `small`: one 3×3 convolution of stride 1. Both take any size.
        groups: of the 1×1 convolutions: 1, 2, 3, 4 or 8.

    Raises:
        ConfigError: another number of groups.
    """
    if groups not in _WIDTHS:
        raise ConfigError("groups", str(groups), f"one of {', '.join(map(str, _WIDTHS))}")
    small = is_small(stem)
    channels = scaled(24, width, groups)
    stages: dict[str, nn.Module] = {
        "stem": ConvNormAct(in_channels, channels, 3, dim=2, stride=1 if small else 2, norm="batch")
    }
    if not small:
        stages["pool"] = max_pool(3, dim=2, stride=2)
    for number, (published, units) in enumerate(zip(_WIDTHS[groups], _UNITS, strict=True), 2):
        out_channels = scaled(published, width, 4 * groups)
        stage = nn.Sequential()
        for place in range(units):
            stage.append(
                shuffle_unit(
                    channels,
                    out_channels,
                    groups=groups,
                    first_groups=1 if number == 2 and place == 0 else groups,
                    stride=1 if place else 2,
                    dim=2,
                )
            )
            channels = out_channels
        stages[f"stage_{number}"] = stage
    head = GlobalAverageHead(channels, num_classes, dropout=dropout)
    return ClassicNetwork(
        "shufflenet_v1", stages, head, in_channels=in_channels, smallest=1, stem=stem
    )
