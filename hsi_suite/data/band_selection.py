"""Which bands of a cube are used: what a user may write, and what that comes to in a cube.

A choice is "good" (all but those that the file marks as bad), "all", or a list of numbers (from 1)
and ranges, or of wavelengths and ranges of them: "1-50,60", "400-1340,1460-1790", "640nm". A list
leaves out bad bands as well, unless it begins with "all,".

The unit of a list is what it says: "nm" or "um" behind a number, "bands" before the list. Where it
says nothing, numbers that are all whole and not above the number of bands are numbers of bands, and
others are wavelengths, in µm where all are fractions up to 100 and else in nm. A list that could be
either is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .band_lists import NANOMETRES, BandItem, parse_items
from .missing_data import band_list, band_runs

GOOD, ALL = "good", "all"
# Where water vapour leaves hardly any light: its bands at 1.38 and 1.88 µm (Gao and Goetz, Journal
# of Geophysical Research 95, 1990), and the edge of that at 2.7 µm. Borders as in common use.
WATER_WINDOWS = ((1340.0, 1460.0), (1790.0, 1960.0), (2450.0, np.inf))
_OPTION = "--bands"
_MOST_NAMED = 6

Centres = NDArray[np.float64]


@dataclass(frozen=True)
class LeftOut:
    """Bands that are not used, and why.

    Attributes:
        reason: in words, such as "marked as bad".
        bands: their numbers in the file, from 0.
        places: numbers from 1 and wavelengths, as people read them.
    """

    reason: str
    bands: tuple[int, ...]
    places: str


@dataclass(frozen=True)
class BandSelection:
    """Bands of a cube that are used, a part of those in its file.

    Attributes:
        of: bands in the file.
        bands: numbers of those used, from 0, rising.
        left_out: the others, by the reason.
        unit: how a list was read that does not say so itself, in words.
    """

    of: int
    bands: tuple[int, ...]
    left_out: tuple[LeftOut, ...] = ()
    unit: str = ""

    def summary(self) -> str:
        """What is used and what is not, in words."""
        parts = [f"{len(each.bands)} {each.reason}: {each.places}" for each in self.left_out]
        unit = f", by {self.unit}" if self.unit else ""
        return f"{len(self.bands)} of {self.of} bands are used{unit}; left out: {'; '.join(parts)}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as metrics.json holds them."""
        return {
            "used": len(self.bands),
            "of": self.of,
            "left_out": [
                {"reason": each.reason, "bands": len(each.bands), "places": each.places}
                for each in self.left_out
            ],
        }


def check_choice(choice: str) -> None:
    """Refuse what is no choice of bands, whatever the cube.

    Raises:
        ConfigError: it is neither a keyword nor a list.
    """
    if items := _taken_apart(choice)[1]:
        parse_items(items)


def select_bands(
    choice: str,
    count: int,
    wavelengths: Centres | None = None,
    bad: Sequence[int] = (),
    *,
    drop_water: bool = False,
    name: str = "the scene",
) -> BandSelection | None:
    """The bands of a cube that a choice means; None where these are all.

    Args:
        choice: see the module.
        count: bands of the cube.
        wavelengths: their centres in nm, in any order; None when unknown.
        bad: those marked as bad, from 0.
        drop_water: leave out bands in `WATER_WINDOWS` too.
        name: of the cube, for messages.

    Raises:
        ConfigError: the choice makes no sense, or leaves no band.
    """
    keyword, items = _taken_apart(choice)
    unit, named = "", np.ones(count, bool)
    if items:
        unit, named = _named_bands(choice, items, count, wavelengths, name)
    wet = np.zeros(count, bool)
    if drop_water:
        wet = _in_water(wavelengths, name)
    faulty = np.zeros(count, bool)
    if keyword != ALL:
        faulty[list(bad)] = True
    kept = named & ~faulty & ~wet
    if not kept.any():
        marked = int((named & faulty).sum())
        raise ConfigError(
            "--drop-water" if (named & ~faulty).any() else _OPTION,
            f"{choice!r} leaves none of the {count} bands of {name}"
            + (f", which marks {marked} of those named as bad" if marked else ""),
            "at least one",
            "--bands all takes bad ones too, and so does a list that begins with all,"
            if marked
            else "",
        )
    if kept.all():
        return None
    reasons = (("marked as bad", faulty), ("in water vapour's windows", wet & ~faulty))
    rest = ("not asked for", ~kept & ~faulty & ~wet)
    left_out = [
        LeftOut(reason, bands, places_of(bands, wavelengths))
        for reason, mask in (*reasons, rest)
        if (bands := tuple(map(int, np.flatnonzero(mask))))
    ]
    return BandSelection(count, tuple(map(int, np.flatnonzero(kept))), tuple(left_out), unit)


def settled(selection: BandSelection | None, choice: str, bad: Sequence[int]) -> str:
    """A choice of the same bands that stays so whatever a file marks: "good" where all are."""
    keyword, items = _taken_apart(choice)
    if items and selection is not None:
        return choice
    if not bad:
        return GOOD
    if keyword == ALL or selection is None:
        return ALL
    return f"bands {band_list(selection.bands, most=selection.of).replace(' ', '')}"


def places_of(bands: Sequence[int], wavelengths: Centres | None) -> str:
    """Numbers of bands from 1, and their wavelengths: "130-135 (1331-1391 nm), 224"."""
    texts = []
    for first, last in band_runs(bands):
        text = f"{first + 1}" if first == last else f"{first + 1}-{last + 1}"
        if wavelengths is not None:
            ends = f"{wavelengths[first]:.0f}", f"{wavelengths[last]:.0f}"
            text += f" ({'-'.join(dict.fromkeys(ends))} nm)"
        texts.append(text)
    return ", ".join([*texts[:_MOST_NAMED], *(["…"] if len(texts) > _MOST_NAMED else [])])


def steps_back(wavelengths: Centres, numbers: Sequence[int]) -> str | None:
    """Where centres of bands turn back, in words; None where they only rise, or only fall.

    Args:
        wavelengths: in nm, in the order of the bands.
        numbers: of the bands in their file, from 0.
    """
    steps = np.diff(wavelengths)
    if not len(steps):
        return None
    direction = 1.0 if np.median(steps) >= 0 else -1.0
    back = np.flatnonzero(steps * direction < 0)
    if not len(back):
        return None
    places = [
        f"{numbers[band] + 1} ({wavelengths[band]:.0f} to {wavelengths[band + 1]:.0f} nm)"
        for band in back[:3]
    ]
    more = ", …" if len(back) > 3 else ""
    return (
        f"wavelengths turn back after band {', '.join(places)}{more}, as where detectors overlap; "
        "bands keep their order"
    )


def _taken_apart(choice: str) -> tuple[str, str]:
    """The keyword that a choice begins with, "good" where there is none, and the list."""
    first, _, rest = choice.strip().partition(",")
    word = first.strip().lower()
    if word in (GOOD, ALL):
        return word, rest.strip()
    return GOOD, choice.strip() or ","


def _named_bands(
    choice: str, text: str, count: int, wavelengths: Centres | None, name: str
) -> tuple[str, NDArray[np.bool_]]:
    """How a list was read, and which bands it names."""
    items, said = parse_items(text)
    unit = said or _told_unit(choice, items, count, wavelengths, name)
    if unit == "bands":
        return "" if said else "number", _by_number(items, count, wavelengths, name)
    if wavelengths is None:
        raise ConfigError(
            _OPTION,
            f"{choice!r}, wavelengths in {unit}, and {name} says none of its {count} bands",
            f"numbers from 1 to {count}",
        )
    factor, words = NANOMETRES[unit], f"wavelength in {unit.replace('u', 'µ')}"
    return "" if said else words, _by_wavelength(items, factor, wavelengths, name)


def _told_unit(
    choice: str, items: Sequence[BandItem], count: int, wavelengths: Centres | None, name: str
) -> str:
    if not all(item.whole for item in items):
        return "um" if max(item.last for item in items) <= 100 else "nm"
    if max(item.last for item in items) > count and wavelengths is not None:
        return "nm"
    if wavelengths is not None and all(_holding(item, 1.0, wavelengths).any() for item in items):
        raise ConfigError(
            _OPTION,
            f"{choice!r} may be numbers of bands or nm in {name}, which has {count} bands from "
            f"{wavelengths.min():.0f} to {wavelengths.max():.0f} nm",
            f"'bands {choice}' or '{choice}nm'",
        )
    return "bands"


def _by_number(
    items: Sequence[BandItem], count: int, wavelengths: Centres | None, name: str
) -> NDArray[np.bool_]:
    named = np.zeros(count, bool)
    for item in items:
        if not item.whole or not 1 <= item.first <= item.last <= count:
            nm = "" if wavelengths is None else ", or wavelengths with nm behind them"
            raise ConfigError(
                _OPTION, f"band {item.span} of {name}", f"numbers from 1 to {count}{nm}"
            )
        places = slice(int(item.first) - 1, int(item.last))
        if named[places].any():
            raise _overlapping(item, items)
        named[places] = True
    return named


def _by_wavelength(
    items: Sequence[BandItem], factor: float, wavelengths: Centres, name: str
) -> NDArray[np.bool_]:
    named = np.zeros(len(wavelengths), bool)
    for number, item in enumerate(items):
        for other in items[:number]:
            if max(item.first, other.first) < min(item.last, other.last) or item == other:
                raise _overlapping(item, items)
        holding = _holding(item, factor, wavelengths)
        if not holding.any():
            raise ConfigError(
                _OPTION,
                f"{item.span} {'µm' if factor > 1 else 'nm'} holds no band of {name}",
                f"numbers from 1 to {len(wavelengths)}, or within {wavelengths.min():.0f} to "
                f"{wavelengths.max():.0f} nm",
            )
        named |= holding
    return named


def _holding(item: BandItem, factor: float, wavelengths: Centres) -> NDArray[np.bool_]:
    """The bands within a range, or the one nearest to a single wavelength."""
    low, high = item.first * factor, item.last * factor
    if low < high:
        inside: NDArray[np.bool_] = (wavelengths >= low) & (wavelengths <= high)
        return inside
    apart = np.abs(wavelengths - low)
    only: NDArray[np.bool_] = np.arange(len(wavelengths)) == apart.argmin()
    only &= apart <= same_band(wavelengths)
    return only


def same_band(centres: Centres) -> float:
    """How far apart, in nm, bands may be that count as one, beside others around these centres.

    Tables of one sensor differ by a few nm between flights; a whole band is another band.
    """
    if len(centres) < 2:
        return 5.0
    return max(5.0, float(np.median(np.abs(np.diff(np.sort(centres))))))


def _in_water(wavelengths: Centres | None, name: str) -> NDArray[np.bool_]:
    if wavelengths is None:
        raise ConfigError(
            "--drop-water", f"{name} has no wavelengths", "wavelengths", "name bands with --bands"
        )
    wet = np.zeros(len(wavelengths), bool)
    for low, high in WATER_WINDOWS:
        wet |= (wavelengths >= low) & (wavelengths <= high)
    return wet


def _overlapping(item: BandItem, items: Sequence[BandItem]) -> ConfigError:
    other = next(
        each
        for each in items
        if each is not item and each.first <= item.last and item.first <= each.last
    )
    return ConfigError(
        _OPTION, f"{other.text} and {item.text} overlap", "each band once", "join them into one"
    )
