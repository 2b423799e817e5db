"""What GDAL's metadata tag says of a TIFF file's bands and classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import unescape

import numpy as np
import tifffile
from numpy.typing import NDArray

from .class_names import ClassNames
from .envi_header import GAINS, OFFSETS, HeaderValue
from .wavelength_units import in_nanometres, lengths_in_nanometres, no_wavelengths

_TAG = 42112
# A number and its unit, in the words of a band's description.
_MEASURED = re.compile(
    r"(?<![\w.])(?<!\d[,'’])(\d+(?:[.,]\d+)?)[\s_]*"
    r"(nm|nanomet(?:er|re)s?|[uµμ]m|micromet(?:er|re)s?|microns?)(?![a-z])",
    re.IGNORECASE,
)
# Two ends of a band, the upper of which alone has a unit.
_RANGE = re.compile(
    r"(?<![\w.,])(\d+(?:[.,]\d+)?)\s*(?:-|–|—|to|\.{2,})\s*(\d+(?:[.,]\d+)?)\s*[a-zµμ]",
    re.IGNORECASE,
)
# What is said of a band's width, which has a unit too.
_WIDTH = re.compile(r"\b(?:fwhm|(?:band)?width)\b[^,;)]*", re.IGNORECASE)
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_FRACTION = re.compile(r"\d+\.\d+")
# Plain numbers below may count bands; no optical sensor measures beyond. In nm and in µm.
_LOWEST_PLAIN, _HIGHEST_PLAIN = 300.0, 20_000.0
_LOWEST_FRACTION, _HIGHEST_FRACTION = 0.3, 20.0
# Below, a comma parted thousands, or numbers.
_SHORTEST = 100.0


@dataclass(frozen=True)
class GdalMetadata:
    """The items of the tag.

    Attributes:
        items: attributes and text of each.
    """

    items: tuple[tuple[dict[str, str], str], ...]

    @classmethod
    def of(cls, page: tifffile.TiffPage) -> GdalMetadata:
        """Those of a page; unreadable metadata is none."""
        text = page.tags.valueof(_TAG, "")
        # GDAL writes no document type; one could make a small file expand without end.
        if not isinstance(text, str) or "<!" in text:
            return cls(())
        try:
            root = ElementTree.fromstring(text.strip("\0 \n")) if text else None
        except ElementTree.ParseError:
            return cls(())
        if root is None:
            return cls(())
        # GDAL escapes the text once more than XML asks for.
        return cls(
            tuple(
                (dict(item.attrib), unescape((item.text or "").strip(), {"&quot;": '"'}))
                for item in root.iter("Item")
            )
        )

    def band_names(self, bands: int) -> tuple[str, ...]:
        """One for each band; () where some have none."""
        return tuple(_of_all(self._by_band("role", "DESCRIPTION"), bands) or ())

    def scaling(self, bands: int) -> dict[str, HeaderValue]:
        """GDAL's scale and offset of each band, by the names they have in ENVI headers."""
        found: dict[str, HeaderValue] = {}
        for role, name in (("SCALE", GAINS), ("OFFSET", OFFSETS)):
            values = _of_all(self._by_band("role", role), bands)
            if values is not None:
                found[name] = tuple(values)
        return found

    def wavelengths(self, bands: int) -> NDArray[np.float64] | None:
        """Band centres in nm: those of an ENVI file that GDAL converted, or GDAL's rounded ones."""
        centres, unit = self._centres(bands)
        if centres is None:
            return described_wavelengths(self.band_names(bands))
        return in_nanometres(centres, unit)

    def _centres(self, bands: int) -> tuple[list[str] | None, str]:
        """Wavelengths as they are written, and their unit."""
        for name, unit in (("WAVELENGTH", ""), ("CENTRAL_WAVELENGTH_UM", "um")):
            centres = _of_all(self._by_band("name", name), bands)
            if centres is not None:
                return centres, unit or self._by_band("name", "WAVELENGTH_UNITS").get(0, "")
        return None, ""

    def remarks(self, bands: int) -> tuple[str, ...]:
        """What a user should know of where the wavelengths are from, a short line each."""
        listed, _ = self._centres(bands)
        centres = described_wavelengths(self.band_names(bands)) if listed is None else None
        if centres is None:
            return ()
        span = f"{centres[0]:.5g} to {centres[-1]:.5g} nm"
        return (f"wavelengths are those in the bands' descriptions, {span}",)

    def widths(self, bands: int) -> NDArray[np.float64] | None:
        """Full widths at half maximum of the bands in nm: ours, or those that GDAL writes."""
        for name, unit in (("FWHM", ""), ("FWHM_UM", "um")):
            widths = _of_all(self._by_band("name", name), bands)
            if widths is not None:
                unit = unit or self._by_band("name", "WAVELENGTH_UNITS").get(0, "Nanometers")
                return lengths_in_nanometres(widths, unit)
        return None

    def marks(self, bands: int) -> dict[str, HeaderValue]:
        """The list of good bands by the name that it has in ENVI headers, where there is one."""
        marks = _of_all(self._by_band("name", "BBL"), bands)
        return {} if marks is None else {"bbl": tuple(marks)}

    def incomplete(self, path: Path, bands: int) -> tuple[str, ...]:
        """What is said of some bands only or in unknown units, and left out; a short line each."""
        found = {
            "names": self._by_band("role", "DESCRIPTION"),
            "wavelengths": self._by_band("name", "WAVELENGTH")
            or self._by_band("name", "CENTRAL_WAVELENGTH_UM"),
            "widths": self._by_band("name", "FWHM") or self._by_band("name", "FWHM_UM"),
            "marks of bad bands": self._by_band("name", "BBL"),
            "scales": self._by_band("role", "SCALE"),
            "offsets": self._by_band("role", "OFFSET"),
        }
        centres, unit = self._centres(bands)
        why = no_wavelengths(centres or [], unit)
        unknown = [f"{path.name}: its list of wavelengths {why}, and is left out"] if why else []
        return tuple(unknown) + tuple(
            f"{path.name}: {what} stand there for {len(values)} of {bands} bands, and are left out"
            for what, values in found.items()
            if values and _of_all(values, bands) is None
        )

    def class_names(self) -> ClassNames | None:
        """The names that our own writer puts into the file, as GeoTIFF has no place for them."""
        names = {attributes.get("name", ""): text for attributes, text in self.items}
        count = sum(name.startswith("CLASS_") for name in names)
        keys = [f"CLASS_{label}" for label in range(1, count + 1)]
        if not count or not all(key in names for key in keys):
            return None
        return ClassNames(tuple(names[key] for key in keys))

    def _by_band(self, key: str, value: str) -> dict[int, str]:
        return {
            int(attributes["sample"]): text
            for attributes, text in self.items
            if attributes.get(key, "").upper() == value and attributes.get("sample", "").isdigit()
        }


def described_wavelengths(descriptions: Sequence[str]) -> NDArray[np.float64] | None:
    """Band centres in nm that stand in the descriptions of all bands; None where one has none.

    A number with a unit of length, as in "Band 7 (449.4 nm)" or "0,449 µm", in whatever words, a
    width beside it or not, but no range of them; or descriptions that are numbers alone, each of
    them once, which then are nanometres from 300 on, or micrometres where they are fractions from
    0.3 to 20.
    """
    if any(_is_range(text, place) for place, text in enumerate(descriptions)):
        return None
    found = [_MEASURED.findall(_WIDTH.sub("", text)) for text in descriptions]
    if found and all(len(each) == 1 for each in found):
        units = {unit.lower() for ((_, unit),) in found}
        numbers = [number.replace(",", ".") for ((number, _),) in found]
        centres = in_nanometres(numbers, units.pop()) if len(units) == 1 else None
        return centres if centres is not None and centres.min() >= _SHORTEST else None
    return _plain_wavelengths([text.strip() for text in descriptions])


def _is_range(text: str, place: int) -> bool:
    """Whether a band's description names two ends, as "450-460 nm", and not its number first."""
    found = _RANGE.search(text)
    if found is None:
        return False
    low, high = (float(number.replace(",", ".")) for number in found.groups())
    return high / 2 < low < high and low not in (place, place + 1)


def _plain_wavelengths(texts: Sequence[str]) -> NDArray[np.float64] | None:
    """What numbers alone stand for; None where they may be anything else."""
    if not texts or not all(_PLAIN.fullmatch(text) for text in texts):
        return None
    numbers = np.array([float(text) for text in texts])
    if len(np.unique(numbers)) < len(numbers):
        return None
    if numbers.min() >= _LOWEST_PLAIN and numbers.max() <= _HIGHEST_PLAIN:
        return numbers
    fractions = all(_FRACTION.fullmatch(text) for text in texts)
    if fractions and numbers.min() >= _LOWEST_FRACTION and numbers.max() <= _HIGHEST_FRACTION:
        return in_nanometres(texts, "um")
    return None


def _of_all(found: dict[int, str], bands: int) -> list[str] | None:
    """What is said of each band in turn; None where it is not said of all."""
    return [found[band] for band in range(bands)] if set(range(bands)) <= set(found) else None
