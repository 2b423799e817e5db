"""Which of the shipped networks a photograph is denoised with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch

from ...restoration.noise_kind import FoundNoise, NoiseKind, find_noise
from ...restoration.noise_signs import Image, large_enough, middle_of
from ...weights import DEFAULT_WEIGHTS
from .denoiser import Denoiser
from .image_restoration import Pixels
from .weights import load_weights

#: What a user may say of the noise.
Noise = Literal["auto", "gaussian", "camera", "jpeg"]
# Cameras write JPEG: their network takes its faults away too, of qualities down to 10, but finer
# JPEG than this loses more than it gains (`docs/explanations/photographs.md`).
_WEIGHTS = {"gaussian": DEFAULT_WEIGHTS, "camera": "camera_denoiser", "jpeg": "camera_denoiser"}
_FINEST_JPEG = 80
_LEVELS = 255.0


@dataclass(frozen=True)
class Choice:
    """What a photograph is denoised with.

    Attributes:
        denoiser: the network; None leaves the photograph as it is.
        words: what was found and chosen, or "" where it was not looked for.
    """

    denoiser: Denoiser | None
    words: str = ""


@dataclass
class Networks:
    """The networks of a call, each read once.

    Attributes:
        weights: what the user names, or None.
        noise: what the user says of the noise.
        device: where they compute.
    """

    weights: str | None
    noise: Noise
    device: torch.device
    _loaded: dict[str, Denoiser] = field(default_factory=dict)

    @property
    def fixed(self) -> Denoiser | None:
        """The network, where it does not depend on the photograph."""
        if self.weights is not None:
            return self._named(self.weights)
        return None if self.noise == "auto" else self.of_kind(self.noise)

    @property
    def likely(self) -> Denoiser:
        """A network to plan with, before a photograph is read."""
        return self.fixed or self._named(DEFAULT_WEIGHTS)

    def of_kind(self, kind: NoiseKind) -> Denoiser:
        """The shipped network for a kind of noise."""
        return self._named(_WEIGHTS[kind])

    def choose(
        self, image: Pixels, white: float, *, known: bool, quality: int | None = None
    ) -> Choice:
        """The network for a photograph, by what its pixels show.

        Args:
            image: lines × samples (× 3).
            white: the value that is white.
            known: whether the user names the noise's σ, or adds it: it is white then.
            quality: of the JPEG file that it comes from, or None.
        """
        if (fixed := self.fixed) is not None:
            return Choice(fixed)
        if known or not large_enough(image):
            return Choice(self.of_kind("gaussian"))
        found = find_noise(_levels(image, white), quality)
        chosen = weights_for(found)
        if chosen is None:
            return Choice(
                None, f"{found.words}: left as it is; --noise camera or gaussian denoises it"
            )
        return Choice(self._named(chosen), f"{found.words}: {chosen}")

    def _named(self, weights: str) -> Denoiser:
        if weights not in self._loaded:
            self._loaded[weights] = load_weights(weights, self.device)
        return self._loaded[weights]


def weights_for(found: FoundNoise) -> str | None:
    """The shipped network for what was found; None leaves the photograph as it is."""
    jpeg = found.signs.jpeg
    fine = found.kind == "jpeg" and jpeg is not None and jpeg.quality > _FINEST_JPEG
    return None if found.kind == "clean" or fine else _WEIGHTS[found.kind]


def _levels(image: Pixels, white: float) -> Image:
    """The part of an image that is looked at, on the scale 0 to 255."""
    return np.asarray(middle_of(image), np.float32) * np.float32(_LEVELS / white)
