"""Windows around pixels, gathered when they are needed."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


class WindowSampler:
    """Cuts square windows out of one zero-padded tensor.

    The scene is stored once, with a border of zeros as wide as the window's radius, so that
    border pixels have windows like all others. A scene of 145 × 145 × 30 takes 3 MB, where all
    its windows of side 25 would take 1.6 GB.

    Args:
        scene: components × lines × samples, on the device where windows are wanted.
        window: odd side of the window in pixels.
    """

    def __init__(self, scene: Tensor, window: int) -> None:
        radius = window // 2
        self.window = window
        self.samples = scene.shape[2]
        self._padded = functional.pad(scene, (radius, radius, radius, radius))
        # All windows as a view: lines × samples × components × window × window.
        self._windows = (
            self._padded.unfold(1, window, 1).unfold(2, window, 1).permute(1, 2, 0, 3, 4)
        )

    @property
    def device(self) -> torch.device:
        """Where the windows come out."""
        return self._padded.device

    def gather(self, pixels: Tensor) -> Tensor:
        """Windows (N, components, window, window) around N flat pixel indices."""
        pixels = pixels.to(self.device)
        return self._windows[pixels // self.samples, pixels % self.samples]
