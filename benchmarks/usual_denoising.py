"""The usual way to denoise with DnCNN, written plainly.

What is done is what public implementations of Zhang et al. (TIP 2017, arXiv 1608.03981) do: the
network as in training, batch norms and all, in torch's default memory format, on the whole image.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Image = NDArray[np.float32]


class PlainDnCNN(nn.Module):
    """Section III-A of the paper; state in the order of hsi_suite's."""

    def __init__(self, depth: int = 17, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(1, width, 3, padding=1), nn.ReLU()]
        for _ in range(depth - 2):
            layers.append(nn.Conv2d(width, width, 3, padding=1, bias=False))
            layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU())
        layers.append(nn.Conv2d(width, 1, 3, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, H, W) with noise to the same without."""
        noise: Tensor = self.layers(x)
        return x - noise


def denoise(network: nn.Module, noisy: Image, device: str = "cpu") -> Image:
    """Lines × samples, 0 to 1, through the network at once."""
    network.eval()
    with torch.no_grad():
        clean = network(torch.from_numpy(noisy)[None, None].to(device))
    restored: Image = clean[0, 0].cpu().numpy()
    return restored
