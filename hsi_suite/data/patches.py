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
        padded = functional.pad(scene, (radius, radius, radius, radius))
        # Whole spectra lie together: a window is then copied by its pixels, not by its values.
        self._spectra = padded.permute(1, 2, 0).contiguous()
        reach = torch.arange(window, device=scene.device)
        self._offsets = (reach[:, None] * padded.shape[2] + reach).flatten()

    @property
    def device(self) -> torch.device:
        """Where the windows come out."""
        return self._spectra.device

    def padded(self) -> Tensor:
        """A copy of the zero-padded scene, components × (lines + 2·radius) × (samples + ...)."""
        return self._spectra.permute(2, 0, 1).contiguous()

    def gather(self, pixels: Tensor) -> Tensor:
        """Windows (N, components, window, window) around N flat pixel indices."""
        pixels = pixels.to(self.device)
        corners = pixels // self.samples * self._spectra.shape[1] + pixels % self.samples
        places = corners[:, None] + self._offsets
        spectra = functional.embedding(places, self._spectra.flatten(0, 1))
        return spectra.transpose(1, 2).reshape(len(pixels), -1, self.window, self.window)
