"""A picture before it is denoised, and one denoised with the help of its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....data.photographs import Photograph
from ....engine.allocation import release_free_blocks
from ....engine.observer import Observer, Planned
from ....engine.tiles import Tiling
from ....restoration.page_fusion import blended, fuse_pages, fused_sigma
from ..image_restoration import Pixels, image_noise
from .network_choice import Choice
from .white_level import WhiteLevel


@dataclass(frozen=True, eq=False)
class SeenPage:
    """What is known of a picture before it is denoised.

    Attributes:
        photograph: as it was read.
        truth: the values of the clean one, where there is one.
        noisy: the values that are denoised, in the picture's units.
        values: the same as the network sees them, above `level.black`.
        level: what is white and black.
        choice: what it is denoised with, and its noise.
        tiling: how it is cut for the network.
        planned: tiles that were planned before it was read.
    """

    photograph: Photograph
    truth: Pixels | None
    noisy: Pixels
    values: Pixels
    level: WhiteLevel
    choice: Choice
    tiling: Tiling
    planned: int

    def watched(self, observer: Observer) -> Observer:
        """What counts the page's tiles as those that were planned."""
        lines, samples = self.values.shape[:2]
        return Planned(observer, self.planned, self.tiling.count((lines, samples)))

    @property
    def sigmas(self) -> tuple[float, ...]:
        """Of the noise of each plane that the network sees, on the scale 0 to 1."""
        return self.choice.noise.sigmas

    @property
    def sigma(self) -> float:
        """σ in the picture's units."""
        return image_noise(self.sigmas) * self.level.value


def joint_values(
    window: Sequence[tuple[SeenPage, Pixels]],
    place: int,
    restore: Callable[[Pixels, tuple[float, ...], np.dtype[Any]], Pixels],
) -> Pixels:
    """A page denoised together with its neighbours, where they show the same.

    Args:
        window: of the page and its neighbours what was seen, and each denoised by itself (float32).
        place: of the page among them.
        restore: values, σ of each plane and a type to the denoised values of that type.

    Returns:
        Values as the network sees them, float32.
    """
    page, single = window[place]
    others = [each for each in window if each[0] is not page and _alike(each[0], page)]
    if page.sigma <= 0 or not others:
        return single
    fused, share = fuse_pages(
        np.asarray(page.values, np.float32),
        single,
        page.sigma,
        # One after the other: each is held as floats for its turn alone.
        (
            (_above(seen.values, seen, page), _above(clean, seen, page), seen.sigma)
            for seen, clean in others
        ),
    )
    release_free_blocks()
    left = fused_sigma(share)
    if left is None:
        return single
    sigmas = tuple(sigma * left for sigma in page.sigmas)
    joint = restore(fused, sigmas, np.dtype(np.float32))
    return blended(single, joint, share)


def _alike(other: SeenPage, page: SeenPage) -> bool:
    return (
        other.sigma > 0
        and other.values.shape == page.values.shape
        and other.photograph.values.dtype == page.photograph.values.dtype
    )


def _above(values: Pixels, own: SeenPage, page: SeenPage) -> Pixels:
    """Values of a neighbour above the black of the page, float32."""
    floats = np.asarray(values, np.float32)
    shift = np.float32(own.level.black - page.level.black)
    return floats + shift if shift else floats
