"""Which of the shipped networks a photograph is denoised with, and the noise it is told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch

from ....restoration.clipped_noise import undo_clipping
from ....restoration.colour import NOISE_GAIN
from ....restoration.jpeg_steps import hold_to_steps
from ....restoration.jpeg_traces import JpegTraces
from ....restoration.lossy_coding import LossyCoding
from ....restoration.noise_kind import FoundNoise, find_noise
from ....restoration.noise_signs import Image, large_enough, middle_of
from ....restoration.salt_pepper import find_impulses, without_impulses
from ....weights import CAMERA_WEIGHTS, COLOUR_WEIGHTS, DEFAULT_WEIGHTS, JPEG_WEIGHTS
from ..denoiser import Denoiser
from ..image_restoration import Companion, Pixels, image_noise, known_noise
from ..weights import load_weights
from .network_companion import companion_of
from .noise_estimation import EstimatedNoise, estimate_growing_noise, estimate_image_noise
from .white_level import WhiteLevel

#: What a user may say of the noise.
Noise = Literal["auto", "gaussian", "camera", "jpeg"]
_WEIGHTS = {"gaussian": DEFAULT_WEIGHTS, "camera": CAMERA_WEIGHTS, "jpeg": JPEG_WEIGHTS}
_FOR_WHITE = (DEFAULT_WEIGHTS, COLOUR_WEIGHTS)
# The faults of other lossy coders are much like those of JPEG.
_FOUND_WEIGHTS = _WEIGHTS | {"lossy": JPEG_WEIGHTS}
# Of finer JPEG than this there is little to gain (`docs/explanations/jpeg.md`).
_FINEST_JPEG = 90
_LEVELS = 255.0
# The network for colour is told one σ. It stays ahead of opponent channels with a σ of each while
# they show noise of red, green and blue as strong within such a factor (10, 20, 10 of 255: 1.73,
# +0.06 dB; 0, 0, 20: 1.73, −0.04; 10, 30, 10: 2.5, −0.02; same at all: +0.07; six photographs).
_ALIKE = 1.7
_NONE = EstimatedNoise((), ())


@dataclass(frozen=True)
class Choice:
    """What a photograph is denoised with.

    Attributes:
        denoiser: the network; None leaves the photograph as it is.
        words: what was found and chosen, or "" where it was not looked for; of two networks always
            which.
        noise: of each plane that the network sees, see `known_noise`.
        jpeg: whose steps no more than is taken, of a picture that was found to be JPEG alone.
        companion: of the network, whose result counts along; or None.
        shipped: whether it is a shipped network for white noise, which has not seen it clipped.
    """

    denoiser: Denoiser | None
    words: str = ""
    noise: EstimatedNoise = _NONE
    jpeg: JpegTraces | None = None
    companion: Companion | None = None
    shipped: bool = False

    def held(self, image: Pixels, clean: Pixels, white: float) -> Pixels:
        """A denoised picture, held to what its JPEG can have done; changes it in place."""
        if self.jpeg is not None:
            hold_to_steps(image, clean, self.jpeg, white)
        return clean

    def unclipped(
        self, image: Pixels, clean: Pixels, white: float, strength: float = 1.0
    ) -> Choice:
        """Undo in a denoised picture, in place, that its white noise was clipped.

        Of noise of one σ alone, and behind shipped networks for it: those for cameras have seen
        them clip, and nobody knows what others have.

        Returns:
            The choice, whose words say so.
        """
        if not self.shipped or self.noise.shot is not None:
            return self
        ends = undo_clipping(image, clean, image_noise(self.noise.sigmas) * white, strength)
        if not ends:
            return self
        undone = f"noise clipped at {' and '.join(ends)}, which is undone"
        return replace(self, words=f"{self.words}; {undone}" if self.words else undone)


@dataclass
class Networks:
    """The networks of a call, each read once.

    Attributes:
        weights: what the user names, or None.
        noise: what the user says of the noise.
        device: where they compute.
        even: whether noise is taken to be as strong in bright parts as in dark ones.
        fills: whether salt and pepper are looked for though `noise` is not auto.
    """

    weights: str | None
    noise: Noise
    device: torch.device
    even: bool = False
    fills: bool = False
    _loaded: dict[str, Denoiser] = field(default_factory=dict)

    @property
    def likely(self) -> Denoiser:
        """A network to plan with, before a photograph is read."""
        return self._named(self.weights or self._said)

    @property
    def _said(self) -> str:
        """The weights for what the user says of the noise."""
        return DEFAULT_WEIGHTS if self.noise == "auto" else _WEIGHTS[self.noise]

    def choose(
        self,
        image: Pixels,
        white: float,
        *,
        sigma: float | None = None,
        added: bool = False,
        quality: int | None = None,
        coding: LossyCoding | None = None,
    ) -> Choice:
        """The network for a photograph and its noise, by what its pixels show.

        White noise in colour goes to the network for colour, unless it differs between the
        colours: then opponent channels, each with a σ of its own, go to the one for grey. What a
        lossy coder has made of the noise of colour is no such difference.

        Args:
            image: lines × samples (× 3).
            white: the value that is white.
            sigma: what the user says of the noise, on the scale 0 to 1: it is white then, and
                the same in all colours.
            added: whether white noise was added, as strong everywhere.
            quality: of the JPEG file that it comes from, or None.
            coding: of the lossy file that it comes from, if that is no JPEG.

        Raises:
            ShapeError: the image is too small to estimate its noise.
        """
        if self.weights is not None:
            denoiser = self._named(self.weights)
            noise = self._noise_for(denoiser, image, white, sigma, added)
            words, shipped = _growing("") if noise.shot else "", self.weights in _FOR_WHITE
            return Choice(denoiser, words, noise, shipped=shipped)
        found = self._found(image, white, added or sigma is not None, quality, coding)
        name = self._said if found is None else weights_for(found)
        words = "" if found is None else found.words
        if name is None:
            remedy = "--noise camera, gaussian or jpeg denoises it"
            return Choice(None, f"{words}: left as it is; {remedy}")
        denoiser = self._named(name)
        noise = self._noise_for(denoiser, image, white, sigma, added)
        if noise.shot:
            words = _growing(words)
        if name == DEFAULT_WEIGHTS:
            same = _same_in_colours(noise.sigmas, found)
            if same is not None:
                name, noise = COLOUR_WEIGHTS, replace(noise, sigmas=(same,))
        jpeg = found.signs.jpeg if found is not None and found.kind == "jpeg" else None
        companion = self._companion(name, found, image, white)
        chosen = name if companion is None else _both(name, companion)
        if words or companion is not None:
            words = f"{words}: {chosen}" if words else chosen
        return Choice(self._named(name), words, noise, jpeg, companion, name in _FOR_WHITE)

    def filled(self, image: Pixels, level: WhiteLevel, *, known: bool) -> tuple[Pixels, str]:
        """An image without salt and pepper, and in words what was filled; "" and itself if none.

        Nothing is filled where the user says something of the noise, and nothing of a picture with
        a black level: 0 is none of its own ends.

        Args:
            image: lines × samples (× 3), its values above black.
            level: what is white and black in it.
            known: whether noise was added, or its σ is said.
        """
        looks = self.noise == "auto" or self.fills
        if not looks or self.weights is not None or known or level.black:
            return image, ""
        impulses = find_impulses(image, level.value)
        if impulses is None:
            return image, ""
        share = 100 * impulses.share
        words = f"{impulses.name} in {share:.1f} % of the values, filled from beside"
        return without_impulses(image, level.value, impulses), words

    def _found(
        self,
        image: Pixels,
        white: float,
        known: bool,
        quality: int | None,
        coding: LossyCoding | None,
    ) -> FoundNoise | None:
        """What is found of the noise, where it is looked for."""
        if self.noise != "auto" or known or not large_enough(image):
            return None
        return find_noise(_levels(image, white), quality, coding)

    def _noise_for(
        self, denoiser: Denoiser, image: Pixels, white: float, sigma: float | None, added: bool
    ) -> EstimatedNoise:
        if sigma is None and denoiser.network.takes_noise_map:
            estimate = estimate_image_noise if self.even or added else estimate_growing_noise
            return estimate(image, white, denoiser)
        return EstimatedNoise(known_noise(sigma or 0.0, denoiser, image), ())

    def _companion(
        self, name: str, found: FoundNoise | None, image: Pixels, white: float
    ) -> Companion | None:
        """The network beside the chosen one, if it has one.

        What is found to be JPEG, or of another lossy coder, may have noise all the same; what is
        said to be has none, nor has print.
        """
        photograph = found is not None and found.kind in ("jpeg", "lossy") and not found.drawn
        if name == JPEG_WEIGHTS and not photograph:
            return None
        return companion_of(name, image, white, self._named)

    def _named(self, weights: str) -> Denoiser:
        if weights not in self._loaded:
            self._loaded[weights] = load_weights(weights, self.device)
        return self._loaded[weights]


def weights_for(found: FoundNoise) -> str | None:
    """The shipped network for what was found; None leaves the photograph as it is.

    So is print, but for the kinds behind JPEG that the network for JPEG mends: of dithers, mazes
    and fine JPEG it takes more than JPEG has put there (`docs/explanations/jpeg.md`).
    """
    if found.kind == "clean" or (found.drawn and not found.mended):
        return None
    if found.kind != "jpeg" or found.signs.jpeg is None:
        return _FOUND_WEIGHTS[found.kind]
    return JPEG_WEIGHTS if found.signs.jpeg.quality <= _FINEST_JPEG else None


def _both(name: str, companion: Companion) -> str:
    """Two networks, and how much of each is taken."""
    first, second = (f"{100 * share:.0f} %" for share in (1 - companion.share, companion.share))
    return f"{first} {name} and {second} {companion.name}"


def _growing(words: str) -> str:
    """What was found, and that the noise grows with brightness."""
    return f"{words}, stronger in bright parts" if words else "noise stronger in bright parts"


def _same_in_colours(sigmas: tuple[float, ...], found: FoundNoise | None) -> float | None:
    """One σ of red, green and blue, from those of opponent channels; None: they differ.

    A coder that keeps colour at half the size leaves no white noise in it that could be estimated,
    but blotches: such noise is taken to have been as strong in colour as it is in luma.
    """
    if len(sigmas) == 1:
        return None
    shares = np.divide(sigmas, NOISE_GAIN)
    if shares.max() <= _ALIKE * shares.min():
        return image_noise(sigmas)
    halved = found is not None and found.colour_halved and shares[0] == shares.max()
    return float(shares[0]) if halved else None


def _levels(image: Pixels, white: float) -> Image:
    """The part of an image that is looked at, on the scale 0 to 255."""
    return np.asarray(middle_of(image), np.float32) * np.float32(_LEVELS / white)
