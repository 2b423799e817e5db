"""The five noise cases by which denoisers of cubes are compared: what strikes which bands.

After Wei, Fu and Huang, "3-D quasi-recurrent neural network for hyperspectral image denoising"
(TNNLS 2021, section IV-A), whose kinds of noise are those of He et al. (LRTV, TGRS 2016): noise
whose σ differs from band to band; and besides, in a third of the bands each, stripes, dead lines,
impulses, or all of these. Where they leave it open: shares and offsets are drawn evenly from their
range, thirds are drawn for each kind on its own (a band may meet several in case 5), and dead
lines come last, as a dead detector sees no impulse.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .noise import Image, add_band_noise, add_dead_lines, add_impulses, add_stripes_of

NoiseCase = Literal["case1", "case2", "case3", "case4", "case5"]
CASES: tuple[NoiseCase, ...] = get_args(NoiseCase)
WORDS: dict[NoiseCase, str] = {
    "case1": "σ of its own in each band",
    "case2": "the same, and stripes",
    "case3": "the same, and dead lines",
    "case4": "the same, and impulses",
    "case5": "all of these",
}
TYPICAL_SIGMA = 40 / 255
"""The mean σ of the published cases, as a share of the cube's range: 10/255 to 70/255."""

# Of the mean σ: what is drawn from.
_SPREAD = (0.25, 1.75)
_STRUCK_BANDS = 1 / 3
# Of the columns of a struck band, and of its values.
_STRIPES = _DEAD = (0.05, 0.15)
_IMPULSES = (0.1, 0.7)
# Of the cube's range: the largest offset of a stripe.
_OFFSET = 0.25


def add_noise_case(
    clean: Image, case: NoiseCase, sigma: float, generator: np.random.Generator
) -> Image:
    """A cube with the noise of a case; nothing is clipped.

    Args:
        clean: lines × samples × bands; the lines run along the flight.
        case: case1, σ of each band drawn evenly from 0.25 to 1.75 · `sigma`; and besides, in a
            third of the bands: case2, 5 to 15 % of the columns off by at most a quarter of the
            cube's range; case3, as many columns 0; case4, 10 to 70 % of the values thrown to
            the cube's lowest or highest; case5, all three.
        sigma: mean standard deviation of the noise, in the units of the cube; published scores
            are for `TYPICAL_SIGMA` of its range.
        generator: of the draws.

    Raises:
        ConfigError: an unknown case, or a negative σ.
    """
    if case not in CASES:
        raise ConfigError("noise case", repr(case), ", ".join(CASES))
    bands = clean.shape[2]
    low, high = float(clean.min()), float(clean.max())
    sigmas = [sigma * float(each) for each in generator.uniform(*_SPREAD, size=(bands,))]
    noisy = add_band_noise(clean, sigmas, generator)
    if case in ("case2", "case5"):
        for band in _struck(bands, generator):
            share = generator.uniform(*_STRIPES)
            most = _OFFSET * (high - low)
            offsets = generator.uniform(-most, most, size=(clean.shape[1],))
            noisy[..., band : band + 1] = add_stripes_of(
                noisy[..., band : band + 1], share, offsets[:, None], generator
            )
    if case in ("case4", "case5"):
        for band in _struck(bands, generator):
            share = generator.uniform(*_IMPULSES)
            noisy[..., band] = add_impulses(noisy[..., band], share, generator, low, high)
    if case in ("case3", "case5"):
        for band in _struck(bands, generator):
            share = generator.uniform(*_DEAD)
            noisy[..., band : band + 1] = add_dead_lines(
                noisy[..., band : band + 1], share, generator
            )
    return noisy


def _struck(bands: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """A third of the bands, one at least."""
    count = max(1, round(bands * _STRUCK_BANDS))
    return np.sort(generator.choice(bands, count, replace=False))
