"""What turns features into class scores."""

from __future__ import annotations

from typing import Unpack

from torch import nn

from .branches import INCEPTION_NORM
from .conv import conv_unit, named_layers
from .dimension import Style
from .pooling import AdaptiveMeanPool, AveragePool, FixedGrid, GlobalMean


class GlobalAverageHead(nn.Sequential):
    """Mean over all positions, dropout, one fully connected layer.

    Lin et al. (ICLR 2014), section 3.2, with the layer that GoogLeNet put behind it. Children:
    `pool`, `dropout`, `classifier`.

    Shapes: (N, in_channels, ...) to (N, num_classes).

    Args:
        in_channels: channels of the features.
        num_classes: number of scores.
        dropout: share of features dropped in training.

    Example:
        >>> import torch
        >>> GlobalAverageHead(32, 10)(torch.zeros(2, 32, 4, 4)).shape
        torch.Size([2, 10])
    """

    def __init__(self, in_channels: int, num_classes: int, *, dropout: float = 0.0) -> None:
        layers = named_layers(
            pool=GlobalMean(),
            dropout=nn.Dropout(dropout),
            classifier=nn.Linear(in_channels, num_classes),
        )
        super().__init__(layers)


def fully_connected_head(
    in_channels: int, num_classes: int, *, dim: int, grid: int, hidden: int, dropout: float = 0.5
) -> nn.Sequential:
    """Two hidden connected layers with ReLU and dropout over a fixed grid of positions.

    Krizhevsky et al. (NIPS 2012), section 3.5: the end of AlexNet and VGG. Inputs of another
    size are averaged to the grid, as torchvision does.

    Shapes: (N, in_channels, n, ...) to (N, num_classes).

    Args:
        in_channels: channels of the features.
        num_classes: number of scores.
        dim: axes of the features.
        grid: positions per axis that the first layer sees.
        hidden: units of both hidden layers.
        dropout: share of those dropped in training.

    Example:
        >>> import torch
        >>> head = fully_connected_head(8, 10, dim=2, grid=3, hidden=16)
        >>> head(torch.zeros(2, 8, 5, 5)).shape
        torch.Size([2, 10])
    """
    return nn.Sequential(
        AdaptiveMeanPool(grid, dim=dim),
        nn.Flatten(),
        nn.Linear(in_channels * grid**dim, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, num_classes),
    )


def auxiliary_head_v1(
    in_channels: int,
    num_classes: int,
    *,
    hidden: int = 1024,
    dropout: float = 0.7,
    cells: bool = False,
    **style: Unpack[Style],
) -> nn.Sequential:
    """GoogLeNet's side classifier: mean on 4×4, 1×1 to 128 channels, two connected layers.

    Szegedy et al. (CVPR 2015), section 5. The grid is 4 per axis whatever the input's size, as
    in torchvision; the paper pools its 14×14 features by cells of 5 in steps of 3 to the same,
    which overlap, and so does this with `cells`.

    Shapes: (N, in_channels, n, ...) to (N, num_classes); with `cells` n is 14, 15 or 16.

    Args:
        in_channels: channels of the features.
        num_classes: number of scores.
        hidden: units of the first connected layer.
        dropout: share of those dropped in training.
        cells: whether the features are pooled as published.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> auxiliary_head_v1(512, 10, dim=2)(torch.zeros(2, 512, 14, 14)).shape
        torch.Size([2, 10])
    """
    dim, unit = style["dim"], conv_unit({"norm": INCEPTION_NORM, **style})
    pool = AveragePool(5, dim=dim, stride=3, padding="valid")
    return nn.Sequential(
        FixedGrid(pool, 4) if cells else AdaptiveMeanPool(4, dim=dim),
        unit(in_channels, 128, 1),
        nn.Flatten(),
        nn.Linear(128 * 4**dim, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, num_classes),
    )


def auxiliary_head_v3(
    in_channels: int, num_classes: int, *, hidden: int = 768, **style: Unpack[Style]
) -> nn.Sequential:
    """Inception v3's side classifier: local mean, 1×1 to 128 channels, 5×5, mean, connected.

    Szegedy et al. (CVPR 2016), section 4 and figure 8, with the widths of the released network.

    Shapes: (N, in_channels, n, ...) with n of 17 or more to (N, num_classes).

    Args:
        in_channels: channels of the features.
        num_classes: number of scores.
        hidden: channels of the 5×5 convolution.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> auxiliary_head_v3(768, 10, dim=2)(torch.zeros(2, 768, 17, 17)).shape
        torch.Size([2, 10])
    """
    dim, unit = style["dim"], conv_unit({"norm": INCEPTION_NORM, **style})
    return nn.Sequential(
        AveragePool(5, dim=dim, stride=3, padding="valid"),
        unit(in_channels, 128, 1),
        unit(128, hidden, 5, padding="valid"),
        GlobalMean(),
        nn.Linear(hidden, num_classes),
    )
