"""Whether the spectra of a scene are like those that something was learnt from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating]

# Of the scene learnt from, this share lies within its reach, and within its levels on each side.
_WITHIN = 0.999
# What is usual where nothing else is known: root mean square of standardised components, and
# levels against the mean spectrum.
_USUAL_REACH, _USUAL_LEVELS = 5.0, (0.1, 10.0)
# What is unlike: most pixels out of reach, a typical level half as far again as any, or hardly any
# variation, which no part of a scene with its noise has; so few pixels do not show it.
_MOST, _BEYOND, _LEAST_SPREAD, _FEW = 0.5, 0.5, 0.02, 50

# Off a power of ten, for a factor that is named as one.
_NEARLY = 0.15
_MOST_NAMED = 8
# Values near the largest of their type overflow: they are out of every reach, which is no news.
_QUIET = np.errstate(over="ignore", invalid="ignore")


@dataclass(frozen=True)
class SpectralDomain:
    """Where spectra lie, in a reduced space and by their level.

    The level of a spectrum is its projection on the mean spectrum, 1 for the mean itself; values
    in other units are at another level, whatever the reduction does with them.

    Attributes:
        deviations: root mean square of each reduced component.
        reach: of 999 in 1,000 spectra the root mean square of all components, each divided by
            its deviation, is not larger.
        levels: between which the levels of 998 in 1,000 spectra lie.
    """

    deviations: tuple[float, ...]
    reach: float
    levels: tuple[float, float]

    @classmethod
    @_QUIET
    def of(cls, spectra: Values, reduced: Values, mean: Values) -> SpectralDomain:
        """The domain of spectra (N × bands) and of what they are reduced to (N × components)."""
        values = np.asarray(reduced, np.float64)
        deviations = np.sqrt(np.mean(values**2, axis=0))
        reach = float(np.quantile(_distances(values, deviations), _WITHIN))
        low, high = np.quantile(_levels(spectra, mean), [1 - _WITHIN, _WITHIN])
        return cls(tuple(map(float, deviations)), reach, (float(low), float(high)))

    @classmethod
    def usual(cls, components: int, standardised: bool = True) -> SpectralDomain:
        """What is usual of components, standardised or not, where nothing else is known."""
        deviations = (1.0,) * components if standardised else (0.0,) * components
        return cls(deviations, _USUAL_REACH, _USUAL_LEVELS)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SpectralDomain:
        """What `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: it did not.
        """
        low, high = map(float, fields["levels"])
        return cls(tuple(map(float, fields["deviations"])), float(fields["reach"]), (low, high))

    @_QUIET
    def unlike(self, spectra: Values, reduced: Values, mean: Values) -> str | None:
        """How spectra are unlike those of the domain, in words with numbers.

        Args:
            spectra: N × bands.
            reduced: the same, N × components.
            mean: spectrum that levels are measured against.

        Returns:
            None where most of them are in reach, vary, and are at a level that occurs.
        """
        if not len(spectra):
            return None
        found = []
        level = float(np.median(_levels(spectra, mean)))
        low, high = self.levels
        if level > high + _BEYOND * abs(high) or level < low - _BEYOND * abs(low):
            found.append(f"their level is {_factor_text(level)} that of those")
        values, deviations = np.asarray(reduced, np.float64), np.array(self.deviations)
        outside = float(np.mean(_distances(values, deviations) > self.reach))
        if outside > _MOST:
            found.append(f"{100 * outside:.0f} % of the pixels lie outside their range")
        spread = float(np.sqrt(np.mean(_distances(values - values.mean(0), deviations) ** 2)))
        if len(values) >= _FEW and any(self.deviations) and spread < _LEAST_SPREAD:
            found.append(f"they vary {spread:.2g} times as much")
        return " and ".join(found) or None


def dead_bands(spectra: Values, mean: Values | None) -> list[int]:
    """Bands that hold one value in all spectra of a scene, where they do not mean that one.

    Args:
        spectra: N × bands; of fewer than some dozens nothing is said.
        mean: the mean spectrum of what was learnt from, whose own bands may be dead as well; None
            where the two cannot be compared.

    Returns:
        Their places, from 0; none where all bands are so.
    """
    if len(spectra) < _FEW:
        return []
    dead = spectra.max(0) == spectra.min(0)
    if mean is not None:
        dead &= ~np.isclose(spectra[0], mean, rtol=1e-6)
    return [] if dead.all() else [int(band) for band in np.flatnonzero(dead)]


def band_list(bands: Sequence[int]) -> str:
    """Bands by their numbers, which count from 1: "band 3", "bands 3, 7 to 9"."""
    groups: list[list[int]] = []
    for band in bands:
        if groups and band == groups[-1][-1] + 1:
            groups[-1].append(int(band))
        else:
            groups.append([int(band)])
    texts = [f"{g[0] + 1}" if len(g) == 1 else f"{g[0] + 1} to {g[-1] + 1}" for g in groups]
    if len(texts) > _MOST_NAMED:
        texts = [*texts[:_MOST_NAMED], "…"]
    return f"band{'' if len(bands) == 1 else 's'} {', '.join(texts)}"


def _factor_text(factor: float) -> str:
    """A factor in words: round where it is nearly a power of ten, as that of other units is."""
    size = abs(factor)
    if 0 < size < 0.01 and np.isfinite(size):
        return f"about {'-' if factor < 0 else ''}1/{_rounded(1 / size)} of"
    if not 100 <= size < 1e15:
        return f"{factor:.3g} times"
    return f"about {'-' if factor < 0 else ''}{_rounded(size)} times"


def _rounded(size: float) -> str:
    power = 10.0 ** round(math.log10(size))
    if abs(size / power - 1) < _NEARLY:
        return f"{power:,.0f}"
    digits = 10.0 ** (math.floor(math.log10(size)) - 1)
    return f"{round(size / digits) * digits:,.0f}"


def _levels(spectra: Values, mean: Values) -> Values:
    norm = float(mean @ mean)
    if norm == 0:
        return np.ones(len(spectra))
    levels: Values = np.asarray(spectra, np.float64) @ mean / norm
    return levels


def _distances(reduced: Values, deviations: Values) -> Values:
    used = deviations > 0
    if not used.any():
        return np.zeros(len(reduced))
    distances: Values = np.sqrt(np.mean((reduced[:, used] / deviations[used]) ** 2, axis=1))
    return distances
