"""Lists of an ENVI header that cannot be what they should be, and are left out: in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .envi_fields import Fields, list_items, numbers
from .envi_header import GAINS, OFFSETS
from .georeferencing import read_map_info
from .wavelength_units import no_wavelengths

_NUMBERS_OF_BANDS = ("wavelength", "fwhm", "bbl", GAINS, OFFSETS)


def unfit_lists(header: Path, fields: Fields, bands: int) -> tuple[str, ...]:
    """What is left out of a header because of its length or its items, a short line each.

    A comma too few or too many, or a number lost, is enough.

    Args:
        header: the .hdr file.
        fields: of it.
        bands: how many there are.
    """
    found = [_unfit_numbers(fields, name, bands) for name in _NUMBERS_OF_BANDS]
    found += [
        _unfit_unit(fields, bands),
        _unfit_widths(fields, bands),
        _unfit_count(fields, "band names", bands),
        _unfit_default_bands(fields, bands),
        _unfit_colours(fields),
        _unfit_place(fields),
    ]
    return tuple(f"{header.name}: {words}, and is left out" for words in found if words)


def unfit_band_lists(
    header: Path, fields: Fields, bands: int, names: Sequence[str]
) -> tuple[str, ...]:
    """The same of some lists of numbers alone, one number for each band."""
    found = [_unfit_numbers(fields, name, bands) for name in names]
    return tuple(f"{header.name}: {words}, and is left out" for words in found if words)


def _unfit_count(fields: Fields, name: str, bands: int) -> str:
    count = len(list_items(fields, name))
    return f"{name} lists {count} for {bands} bands" if count not in (0, bands) else ""


def _unfit_numbers(fields: Fields, name: str, bands: int) -> str:
    items = list_items(fields, name)
    if not items or numbers(items) is not None:
        return _unfit_count(fields, name, bands)
    wrong = next(item for item in items if numbers((item,)) is None)
    return f"{name} holds {wrong[:30]!r}, which is no number"


def _unfit_unit(fields: Fields, bands: int) -> str:
    items = list_items(fields, "wavelength")
    if len(items) != bands or numbers(items) is None:
        return ""
    why = no_wavelengths(items, str(fields.get("wavelength units", "")))
    return f"wavelength {why}" if why else ""


def _unfit_widths(fields: Fields, bands: int) -> str:
    widths = numbers(list_items(fields, "fwhm"))
    if widths is None or len(widths) != bands or all(width > 0 for width in widths):
        return ""
    return "fwhm holds values that are not above 0"


def _unfit_default_bands(fields: Fields, bands: int) -> str:
    items = list_items(fields, "default bands")
    values = numbers(items)
    fits = values is not None and all(not value % 1 and 1 <= value <= bands for value in values)
    if not items or (fits and len(items) in (1, 3)):
        return ""
    return f"default bands is {', '.join(items[:4])[:30]!r}, not 1 or 3 bands from 1 to {bands}"


def _unfit_colours(fields: Fields) -> str:
    items = list_items(fields, "class lookup")
    values = numbers(items)
    if not items or (
        values is not None and not len(values) % 3 and all(0 <= value <= 255 for value in values)
    ):
        return ""
    return f"class lookup lists {len(items)} entries, not three from 0 to 255 a class"


def _unfit_place(fields: Fields) -> str:
    info = list_items(fields, "map info")
    if not info or read_map_info(info, None) is not None:
        return ""
    return f"map info makes no sense ({', '.join(info)[:40]!r})"
