"""Patches as files and resizing leave them, beside what they were."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...data.artefacts import eight_bits, through_jpeg, through_small, without_colour
from ...data.noise import add_gaussian
from ...schemas.denoising import ArtefactsConfig, NoiseConfig
from .evaluation import Clean, picture_batch

Pixels = NDArray[np.uint8]
_LEVELS = np.float32(255)
_BLOCK = 8


class ArtefactPatches:
    """What the kinds jpeg, upsampling and mixture, and white noise beside cameras, make of patches.

    A patch is cut with a margin, spoilt with it, and then cut again at a place drawn at random, so
    that the grid of the blocks and of the lost pixels lies anywhere in it, as it does in an image.

    Args:
        noise: which kinds, and how much.
        patch: side of the patches that are learnt from.
        largest: side of the largest patch that every image holds.
    """

    def __init__(self, noise: NoiseConfig, patch: int, largest: int) -> None:
        self.noise = noise
        self.artefacts = noise.artefacts or ArtefactsConfig()
        self.patch = patch
        # Whole cells of every factor, so that nothing has to be continued at the patch's end.
        cells = math.lcm(*self.artefacts.factors)
        # Blocks of colour of half the resolution are twice as large.
        block = 2 * _BLOCK if self.artefacts.subsampling else _BLOCK
        wanted = -(-(patch + block) // cells) * cells
        self.side = min(wanted, largest)
        """Side of the patches with their margin."""

    @property
    def mostly_subsampled(self) -> bool:
        """Whether at least half of the JPEGs in colour have half the resolution of colour."""
        return self.artefacts.subsampling >= 0.5

    def photographed(self, count: int, generator: np.random.Generator) -> int:
        """How many patches of a batch a camera takes; with no share nothing is drawn."""
        if self.noise.kind == "camera":
            white = self.artefacts.white
            return count - int(generator.binomial(count, white)) if white else count
        share = self.artefacts.camera
        return int(generator.binomial(count, share)) if share else 0

    def drawn(self, count: int, generator: np.random.Generator) -> int:
        """How many of the patches that no camera takes are drawn; with no share nothing is."""
        share = self.artefacts.drawn
        # Of what is left: `share` is one of the whole batch.
        return int(generator.binomial(count, share / (1 - self.artefacts.camera))) if share else 0

    def spoil(
        self, patches: Sequence[Pixels], generator: np.random.Generator
    ) -> tuple[Clean, Clean, Clean]:
        """The spoilt patches, the σ of each (0 where none was added), and the clean patches.

        Shapes: N × C × `patch` × `patch`, and N × 1 × 1 × 1 of σ.

        Args:
            patches: with their margin, `side` × `side` (× 3).
            generator: of the draws.
        """
        noisy, clean, sigmas = [], [], []
        for patch in patches:
            whole = patch.astype(np.float32) / _LEVELS
            if whole.ndim == 3 and _happens(self.artefacts.grey, generator):
                whole = without_colour(whole)
            spoilt, sigma = self._spoilt(whole, generator)
            line, sample = generator.integers(0, self.side - self.patch + 1, 2)
            inner = (slice(line, line + self.patch), slice(sample, sample + self.patch))
            noisy.append(spoilt[inner])
            clean.append(whole[inner])
            sigmas.append(sigma)
        levels = np.asarray(sigmas, np.float32).reshape(-1, 1, 1, 1)
        return picture_batch(noisy), levels, picture_batch(clean)

    def _spoilt(self, whole: Clean, generator: np.random.Generator) -> tuple[Clean, float]:
        kind = self.noise.kind
        if kind == "mixture":
            kind = ("gaussian", "jpeg", "upsampling")[generator.integers(0, 3)]
        if kind == "jpeg":
            return self._written(whole, generator), 0.0
        if kind == "upsampling":
            return through_small(whole, int(generator.choice(self.artefacts.factors))), 0.0
        lowest, highest = self.noise.sigma
        sigma = float(generator.uniform(lowest, highest)) / float(_LEVELS)
        noisy = add_gaussian(whole, sigma, generator)
        if kind != "camera":
            return noisy, sigma
        # As files hold it; a blind network is told no σ.
        if _happens(self.artefacts.written, generator):
            return self._written(noisy, generator), 0.0
        return eight_bits(noisy).astype(np.float32) / _LEVELS, 0.0

    def _written(self, whole: Clean, generator: np.random.Generator) -> Clean:
        low, high = self.artefacts.quality
        quality = int(generator.integers(low, high + 1))
        halved = whole.ndim == 3 and _happens(self.artefacts.subsampling, generator)
        return through_jpeg(whole, quality, subsampling=halved)


def _happens(share: float, generator: np.random.Generator) -> bool:
    """Whether a draw falls into a share; of none nothing is drawn."""
    return share > 0 and bool(generator.random() < share)
