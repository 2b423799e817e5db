"""Windows around pixels, gathered when they are needed."""

from __future__ import annotations

from copy import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..transfer import to_device
from .orientations import turn, turned_places


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
        components, lines, samples = scene.shape
        radius = window // 2
        self.window = window
        self.samples = samples
        # Whole spectra lie together: a window is then copied by its pixels, not by its values.
        self._spectra = scene.new_zeros(lines + 2 * radius, samples + 2 * radius, components)
        inner = self._spectra[radius : radius + lines, radius : radius + samples]
        inner.copy_(scene.permute(1, 2, 0))
        self._offsets = self._reach()

    @classmethod
    def empty(cls, shape: tuple[int, int, int], window: int, device: torch.device) -> WindowSampler:
        """A sampler over a float32 scene of zeros, whose values `put` fills in.

        Args:
            shape: components, lines, samples.
            window: odd side of the window in pixels.
            device: where windows are wanted.
        """
        return cls(torch.zeros((), device=device).expand(shape), window)

    def put(self, first_pixel: int, rows: Tensor) -> None:
        """Set the spectra, N × components, of consecutive pixels."""
        pixels = torch.arange(first_pixel, first_pixel + len(rows), device=self.device)
        centre = self._offsets[len(self._offsets) // 2]
        table = self._spectra.flatten(0, 1)
        table.index_copy_(0, self._corners(pixels) + centre, to_device(rows, self.device))

    @property
    def device(self) -> torch.device:
        """Where the windows come out."""
        return self._spectra.device

    @property
    def planes(self) -> Tensor:
        """A view of the zero-padded scene, components × (lines + 2·radius) × (samples + ...)."""
        return self._spectra.permute(2, 0, 1)

    def padded(self) -> Tensor:
        """A contiguous copy of `planes`."""
        return self.planes.contiguous()

    def spectra(self, pixels: Tensor) -> Tensor:
        """The spectra (N, components) of N flat pixel indices."""
        centre = self._offsets[len(self._offsets) // 2]
        return self._spectra.flatten(0, 1)[self._corners(pixels.to(self.device)) + centre]

    def gather(self, pixels: Tensor, orientations: Tensor | None = None) -> Tensor:
        """Windows (N, components, window, window) around N flat pixel indices.

        Args:
            pixels: the flat indices.
            orientations: N numbers, how each window is turned, see `data.orientations`; None
                leaves all as they are.
        """
        offsets = self._offsets
        if orientations is not None:
            turned = turned_places(self.window).to(self.device)
            offsets = offsets[turned[orientations.to(self.device)]]
        places = self._corners(pixels.to(self.device))[:, None] + offsets
        spectra = functional.embedding(places, self._spectra.flatten(0, 1))
        return spectra.transpose(1, 2).reshape(len(pixels), -1, self.window, self.window)

    def turned(self, orientation: int, lines: slice) -> WindowSampler:
        """A sampler over a turned copy of some lines, their windows' reach beyond them included.

        Args:
            orientation: see `data.orientations`.
            lines: from start to stop, within the scene.
        """
        other = copy(self)
        planes = turn(self.planes[:, lines.start : lines.stop + self.window - 1], orientation)
        other._spectra = planes.permute(1, 2, 0).contiguous()
        other.samples = other._spectra.shape[1] - self.window + 1
        other._offsets = other._reach()
        return other

    def _reach(self) -> Tensor:
        """Places of a window's pixels in the padded scene, from that of its first one on."""
        reach = torch.arange(self.window, device=self.device)
        return (reach[:, None] * self._spectra.shape[1] + reach).flatten()

    def _corners(self, pixels: Tensor) -> Tensor:
        """Places in the padded scene of the first line and sample of windows."""
        return pixels // self.samples * self._spectra.shape[1] + pixels % self.samples


def scene_sampler(reduced: NDArray[np.float32], window: int, device: torch.device) -> WindowSampler:
    """A sampler over a reduced scene of lines × samples × components."""
    planes = torch.from_numpy(np.ascontiguousarray(reduced.transpose(2, 0, 1)))
    return WindowSampler(planes.to(device), window)
