"""Brightness and colour differences inside networks, in whatever precision they compute."""

from __future__ import annotations

import torch
from torch import Tensor


def opponent_planes(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Brightness, red against blue, both against green; the rows of `restoration.colour.OPPONENT`.

    Written out, so that values stay as precise as they are where products are not (bfloat16).

    Args:
        x: N × at least 3 × H × W, red, green and blue first.

    Returns:
        Three of N × 1 × H × W.
    """
    red, green, blue = x[:, 0:1], x[:, 1:2], x[:, 2:3]
    return (red + green + blue) / 3, (red - blue) / 2, (red + blue - 2 * green) / 4


def colours_of(planes: Tensor) -> Tensor:
    """Red, green and blue (N × 3 × H × W) of the first three planes, as of `opponent_planes`."""
    brightness, red_blue, green = planes[:, 0:1], planes[:, 1:2], planes[:, 2:3]
    middle = brightness + green * (2 / 3)
    return torch.cat([middle + red_blue, middle - 2 * green, middle - red_blue], 1)
