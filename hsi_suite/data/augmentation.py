"""Windows changed at random whenever they are learnt from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import torch
from torch import Tensor

from ..errors import ConfigError
from ..registry import Registry, enter_offered
from ..seeding import SeedStreams
from .field_shifts import FieldShifts
from .orientations import orientations_of
from .patches import WindowSampler
from .reduction import Reduction

GROUP = "hsi_suite.augmentations"
"""The group of entry points under which other packages offer augmentations."""


class Augmentation(Protocol):
    """A change of windows at random; the options of its configuration are its arguments.

    What is drawn is drawn on the CPU for a whole batch and then shared among processes, so that
    one process and several learn from the same windows.
    """

    def draw(self, count: int, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """What happens to N windows of a shape (components, window, window): N × anything."""
        ...

    def change(self, windows: Tensor, drawn: Tensor) -> Tensor:
        """Windows (N, components, window, window) changed as drawn for them."""
        ...


AUGMENTATIONS: Registry[Callable[..., Augmentation]] = Registry("augmentation")


@cache
def _load_others() -> None:
    enter_offered(GROUP, "augmentation", AUGMENTATIONS.add)


def _built(name: str, options: Mapping[str, Any]) -> Augmentation:
    _load_others()
    try:
        return AUGMENTATIONS[name](**options)
    except (TypeError, ValueError) as error:
        found = f"does not suit ({str(error).partition(chr(10))[0]})"
        raise ConfigError(f"train.augmentation.others.{name}", found, "its arguments") from error


@dataclass(frozen=True)
class WindowAugmentation:
    """Turns, gains, noise and shifts, drawn for each window of a batch.

    Attributes:
        flips: mirror lines, samples, both or none, all equally often.
        rotations: by 0, 90, 180 or 270°, all equally often; with flips all 8 orientations.
        gain: greatest relative change of the brightness of a window; see `windows`.
        noise: standard deviation of Gaussian noise on each of the window's values, in their own
            unit, in which whitened components and standardised bands vary by 1.
        origin: components of the mean spectrum that the reduction takes from all spectra.
        fields: standard deviation of the share of a difference between two fields of one class
            that is added to all spectra of a window.
        shifts: those differences, of reduced spectra; None where there are none.
        others: further ones by their names, carried out after these in their order.
    """

    flips: bool
    rotations: bool
    gain: float
    noise: float
    origin: Tensor
    fields: float = 0.0
    shifts: FieldShifts | None = None
    others: Mapping[str, Augmentation] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        reduction: Reduction,
        *,
        flips: bool,
        rotations: bool,
        gain: float,
        noise: float,
        fields: float = 0.0,
        shifts: FieldShifts | None = None,
        others: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> WindowAugmentation:
        """The augmentation of windows whose spectra went through `reduction`.

        Raises:
            ConfigError: one of the others takes no such arguments.
            UnknownNameError: there is none of its name.
        """
        built = {name: _built(name, options) for name, options in (others or {}).items()}
        return cls(flips, rotations, gain, noise, origin_of(reduction), fields, shifts, built)

    def draw(
        self, count: int, sampler: WindowSampler, seeds: SeedStreams, epoch: int, step: int
    ) -> tuple[Tensor, ...]:
        """What happens to the N windows of a step, a function of the arguments alone.

        The noise is drawn where the windows are; one processor and another draw it differently.

        Returns:
            Orientations (N), gains (N), where there is noise, N × components × window × window
            of it, where fields differ, N × components of shifts, and what each of the others
            draws, on the sampler's device.
        """
        generator = seeds.torch("augment", epoch, step)
        known = torch.tensor(orientations_of(self.flips, self.rotations))
        orientations = known[torch.randint(len(known), (count,), generator=generator)]
        gains = self.gain * (2 * torch.rand(count, generator=generator) - 1)
        drawn = [orientations, gains]
        shape = (len(self.origin), sampler.window, sampler.window)
        if self.noise:
            local = torch.Generator(sampler.device)
            local.manual_seed(seeds.seed("augment", epoch, step, "noise"))
            noise = torch.randn((count, *shape), generator=local, device=sampler.device)
            drawn.append(noise.mul_(self.noise))
        if self.shifts:
            generator = seeds.torch("augment", epoch, step, "fields")
            strengths = self.fields * torch.randn(count, generator=generator)
            places = torch.rand((count, 2), generator=generator)
            drawn.append(torch.from_numpy(self.shifts.draw(places.numpy(), strengths.numpy())))
        for name, other in self.others.items():
            drawn.append(other.draw(count, shape, seeds.torch("augment", epoch, step, name)))
        return tuple(each.to(sampler.device) for each in drawn)

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
        orientations, gains, *more = changes
        turning = self.flips or self.rotations
        windows = sampler.gather(pixels, orientations if turning else None)
        if self.gain:
            shares = gains.reshape(-1, 1, 1, 1)
            origin = self.origin.to(windows.device).reshape(-1, 1, 1)
            windows = windows * (1 + shares) + shares * origin
        if self.noise:
            windows = windows + more.pop(0)
        if self.shifts:
            windows = windows + more.pop(0)[:, :, None, None]
        for other, drawn in zip(self.others.values(), more, strict=True):
            windows = other.change(windows, drawn)
        return windows


def origin_of(reduction: Reduction) -> Tensor:
    """Components of the mean spectrum that a reduction takes from all spectra."""
    return torch.from_numpy((reduction.mean @ reduction.matrix).astype("float32"))
