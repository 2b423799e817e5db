"""Windows changed at random whenever they are learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..seeding import SeedStreams
from .orientations import orientations_of
from .patches import WindowSampler
from .reduction import Reduction


@dataclass(frozen=True)
class WindowAugmentation:
    """Turns, gains and noise, drawn for each window of a batch.

    Attributes:
        flips: mirror lines, samples, both or none, all equally often.
        rotations: by 0, 90, 180 or 270°, all equally often; with flips all 8 orientations.
        gain: greatest relative change of the brightness of a window; see `windows`.
        noise: standard deviation of Gaussian noise on each of the window's values, in their own
            unit, in which whitened components and standardised bands vary by 1.
        origin: components of the mean spectrum that the reduction takes from all spectra.
    """

    flips: bool
    rotations: bool
    gain: float
    noise: float
    origin: Tensor

    @classmethod
    def of(
        cls, reduction: Reduction, *, flips: bool, rotations: bool, gain: float, noise: float
    ) -> WindowAugmentation:
        """The augmentation of windows whose spectra went through `reduction`."""
        origin = torch.from_numpy((reduction.mean @ reduction.matrix).astype("float32"))
        return cls(flips, rotations, gain, noise, origin)

    def draw(
        self, count: int, sampler: WindowSampler, seeds: SeedStreams, epoch: int, step: int
    ) -> tuple[Tensor, ...]:
        """What happens to the N windows of a step, a function of the arguments alone.

        The noise is drawn where the windows are; one processor and another draw it differently.

        Returns:
            Orientations (N), gains (N) and, where there is noise, N × components × window ×
            window of it, on the sampler's device.
        """
        generator = seeds.torch("augment", epoch, step)
        known = torch.tensor(orientations_of(self.flips, self.rotations))
        orientations = known[torch.randint(len(known), (count,), generator=generator)]
        gains = self.gain * (2 * torch.rand(count, generator=generator) - 1)
        drawn = (orientations.to(sampler.device), gains.to(sampler.device))
        if not self.noise:
            return drawn
        local = torch.Generator(sampler.device)
        local.manual_seed(seeds.seed("augment", epoch, step, "noise"))
        shape = (count, len(self.origin), sampler.window, sampler.window)
        noise = torch.randn(shape, generator=local, device=sampler.device)
        return (*drawn, noise.mul_(self.noise))

    def windows(
        self, sampler: WindowSampler, pixels: Tensor, changes: tuple[Tensor, ...]
    ) -> Tensor:
        """Changed windows (N, components, window, window) around N flat pixel indices.

        A gain g is that of the light: every spectrum x of the window becomes (1 + g) · x before
        its reduction. What lies beyond the scene counts as the mean spectrum.

        Args:
            sampler: of the scene.
            pixels: the flat indices.
            changes: what `draw` gave for them.
        """
        orientations, gains, *noise = changes
        turning = self.flips or self.rotations
        windows = sampler.gather(pixels, orientations if turning else None)
        if self.gain:
            shares = gains.reshape(-1, 1, 1, 1)
            origin = self.origin.to(windows.device).reshape(-1, 1, 1)
            windows = windows * (1 + shares) + shares * origin
        return windows + noise[0] if noise else windows
