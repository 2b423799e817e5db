"""The bands of a new scene that are those a model learnt: by number or by wavelength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError
from .band_selection import BandSelection, same_band

Centres = NDArray[np.float64]


@dataclass(frozen=True)
class KnownBands:
    """What is known of the bands of a cube.

    Attributes:
        count: how many.
        wavelengths: centres in nm; None when unknown.
        fwhm: full widths at half maximum in nm; None when unknown.
        of: bands of the file that they were chosen from; None: they are all.
        numbers: their numbers there, from 0.
    """

    count: int
    wavelengths: Centres | None = None
    fwhm: Centres | None = None
    of: int | None = None
    numbers: tuple[int, ...] = ()

    @classmethod
    def chosen(
        cls,
        count: int,
        wavelengths: Centres | None,
        fwhm: Centres | None,
        selection: BandSelection | None,
    ) -> KnownBands:
        """Of a cube that holds a selection; None: all bands of its file."""
        if selection is None:
            return cls(count, wavelengths, fwhm)
        return cls(count, wavelengths, fwhm, selection.of, selection.bands)


@dataclass(frozen=True)
class BandMatch:
    """The bands of a scene that a model learnt.

    Attributes:
        bands: for each learnt band its number in the scene, from 0.
        remark: how they were found, in words.
    """

    bands: NDArray[np.intp]
    remark: str


def match_bands(given: KnownBands, learnt: KnownBands) -> BandMatch | None:
    """Which bands of a scene are those that were learnt.

    By number where the scene has as many bands as the file of the training scene had, and its
    wavelengths, where both are known, do not object; else by wavelength, where both are known.

    Args:
        given: bands of the scene.
        learnt: those that were learnt.

    Returns:
        None where the scene's bands are to be taken as they are, or no such bands are found.
    """
    wavelengths, wanted = given.wavelengths, learnt.wavelengths
    most = 0.0 if wanted is None else same_band(wanted)
    if given.count == learnt.count and (
        wavelengths is None or wanted is None or _apart(wavelengths, wanted) <= most
    ):
        return None
    if learnt.of is not None and given.count == learnt.of:
        numbers = np.array(learnt.numbers, np.intp)
        if wavelengths is None or wanted is None or _apart(wavelengths[numbers], wanted) <= most:
            return BandMatch(numbers, _told(given, learnt, "number", None))
    if wavelengths is None or wanted is None or given.count < learnt.count:
        return None
    # Not at the top: every training comes by here, and few match bands.
    from scipy.optimize import linear_sum_assignment

    apart = np.abs(wanted[:, None] - wavelengths)
    bands = linear_sum_assignment(apart)[1]
    farthest = float(np.abs(wavelengths[bands] - wanted).max())
    if farthest > most:
        return None
    if given.count == learnt.count:
        remark = "bands are taken in the order of the training scene, by wavelength"
        return BandMatch(bands, remark)
    return BandMatch(bands, _told(given, learnt, "wavelength", farthest))


def require_same_bands(name: str, given: KnownBands, learnt: KnownBands) -> None:
    """Refuse bands at other wavelengths than those learnt, of the same number.

    Raises:
        ShapeError: they are.
    """
    if given.wavelengths is None or learnt.wavelengths is None:
        return
    apart = _apart(given.wavelengths, learnt.wavelengths)
    if apart > same_band(learnt.wavelengths):
        raise ShapeError(
            name,
            f"bands up to {apart:.0f} nm away from those the model learnt",
            "the same bands",
            "hsi predict --resample makes them of another sensor's",
        )


def differing(given: KnownBands, learnt: KnownBands) -> str:
    """What keeps a scene's bands from being those that were learnt, in words."""
    if given.wavelengths is None or learnt.wavelengths is None:
        whose = "neither says" if given.wavelengths is learnt.wavelengths else "one does not say"
        return f"{given.count} bands, and {whose} at which wavelengths"
    most = same_band(learnt.wavelengths)
    nearest = np.abs(learnt.wavelengths[:, None] - given.wavelengths).min(1)
    lacking = np.flatnonzero(nearest > most)
    if not len(lacking):
        return f"{given.count} bands, of which some would be taken twice"
    first = learnt.wavelengths[lacking[0]]
    return (
        f"{given.count} bands, none of them within {most:.0f} nm of {len(lacking)} of those learnt "
        f"(the first at {first:.0f} nm)"
    )


def header_numbers(selection: BandSelection | None) -> tuple[int | None, list[int] | None]:
    """Bands in the file and the chosen numbers from 1, as model files keep them."""
    if selection is None:
        return None, None
    return selection.of, [band + 1 for band in selection.bands]


def known_from(
    count: int,
    wavelengths: Sequence[float] | None,
    fwhm: Sequence[float] | None,
    of: int | None,
    numbers: Sequence[int] | None,
) -> KnownBands:
    """What a model file keeps of its bands, see `header_numbers`.

    Raises:
        ValueError: the lists do not fit each other.
    """
    for listed in (wavelengths, fwhm, numbers):
        if listed is not None and len(listed) != count:
            raise ValueError(f"{len(listed)} entries for {count} bands")
    if (of is None) != (numbers is None):
        raise ValueError("numbers of bands without their count")
    if numbers is not None and not all(1 <= number <= (of or 0) for number in numbers):
        raise ValueError("numbers beyond the bands of the file")
    return KnownBands(
        count,
        None if wavelengths is None else np.asarray(wavelengths, np.float64),
        None if fwhm is None else np.asarray(fwhm, np.float64),
        of,
        tuple(number - 1 for number in numbers or ()),
    )


def _apart(wavelengths: Centres, wanted: Centres) -> float:
    return float(np.abs(wavelengths - wanted).max())


def _told(given: KnownBands, learnt: KnownBands, by: str, farthest: float | None) -> str:
    away = "" if not farthest else f" (at most {farthest:.1f} nm away)"
    return (
        f"{learnt.count} of its {given.count} bands are taken, those that the model learnt, "
        f"by {by}{away}"
    )
