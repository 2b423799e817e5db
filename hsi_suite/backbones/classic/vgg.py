"""VGG: nothing but 3×3 convolutions and maxima, then connected layers."""

from __future__ import annotations

from torch import nn

from ...errors import ConfigError
from ..conv import ConvNormAct
from ..dimension import LayerChoice
from ..heads import fully_connected_head
from ..pooling import max_pool
from .network import ClassicNetwork, Stem, is_small, scaled

# Convolutions of each of the five stages: columns A, B, D and E of the paper's table 1.
_DEPTHS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
_WIDTHS = (64, 128, 256, 512, 512)


def vgg(
    *,
    depth: int = 16,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.5,
    width: float = 1.0,
    stem: Stem = "imagenet",
    norm: LayerChoice = None,
) -> ClassicNetwork:
    """VGG-11, -13, -16 and -19, for images of 224×224.

    Simonyan and Zisserman (ICLR 2015), table 1; 132,863,336, 133,047,848, 138,357,544 and
    143,667,240 parameters.

    Args:
        depth: layers with weights, 11, 13, 16 or 19.
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the units of both hidden layers dropped in training.
        width: factor of all widths.
        stem: `imagenet`, or `small`: pooling that keeps incomplete cells, and connected layers
            of 512 over the mean of all positions, for any size. The convolutions are the same.
        norm: of the convolutions; the paper has none.

    Raises:
        ConfigError: another depth.
    """
    if depth not in _DEPTHS:
        raise ConfigError("depth", str(depth), f"one of {', '.join(map(str, _DEPTHS))}")
    small = is_small(stem)
    stages: dict[str, nn.Module] = {}
    channels = in_channels
    for stage, (count, published) in enumerate(zip(_DEPTHS[depth], _WIDTHS, strict=True), 1):
        for place in range(1, count + 1):
            out_channels = scaled(published, width)
            unit = ConvNormAct(channels, out_channels, 3, dim=2, norm=norm, bias=True)
            stages[f"conv_{stage}_{place}"] = unit
            channels = out_channels
        stages[f"pool_{stage}"] = max_pool(2, dim=2, stride=2, padding="valid", ceil_mode=small)
    grid, hidden = (1, 512) if small else (7, 4096)
    head = fully_connected_head(
        channels, num_classes, dim=2, grid=grid, hidden=scaled(hidden, width), dropout=dropout
    )
    smallest = 1 if small else 32
    return ClassicNetwork(
        f"vgg_{depth}", stages, head, in_channels=in_channels, smallest=smallest, stem=stem
    )
