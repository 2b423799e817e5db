"""Lists of bands as people write them: numbers and ranges, with or without a unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import ConfigError

NANOMETRES = {"nm": 1.0, "um": 1e3}
"""Units of wavelengths, and how many nm they are."""

_NUMBER = r"(\d{1,9}(?:\.\d{1,9})?)"
_ITEM = re.compile(rf"(bands?\s*)?{_NUMBER}(?:\s*(?:-|–|to)\s*{_NUMBER})?\s*(nm|um|µm|μm)?")
_EXPECTED = "good, all, or numbers and ranges such as 1-50,60 or 400-1340nm"
_MOST_SHOWN = 40


@dataclass(frozen=True)
class BandItem:
    """A number or a range of a list.

    Attributes:
        text: as it was written.
        first: lowest number.
        last: highest number; the same for a single one.
    """

    text: str
    first: float
    last: float

    @property
    def span(self) -> str:
        """Its numbers, without a unit."""
        return "-".join(dict.fromkeys((f"{self.first:g}", f"{self.last:g}")))

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole."""
        return self.first.is_integer() and self.last.is_integer()


def parse_items(text: str) -> tuple[list[BandItem], str | None]:
    """The items of a list and their unit: "bands", "nm" or "um"; None where it says none.

    Raises:
        ConfigError: it is no such list, a range runs backwards or ends at 0, or units are mixed.
    """
    items, units = [], []
    for part in text.split(","):
        match = _ITEM.fullmatch(part.strip().lower())
        if match is None:
            shown = part.strip()[:_MOST_SHOWN]
            raise ConfigError("--bands", repr(shown) if shown else "an empty item", _EXPECTED)
        prefix, low, high, unit = match.groups()
        item = BandItem(part.strip(), float(low), float(high or low))
        if item.first > item.last:
            raise ConfigError("--bands", f"{item.text} runs backwards", f"{high}-{low}")
        if not item.last:
            raise ConfigError("--bands", item.text, "numbers from 1, or wavelengths")
        items.append(item)
        units += ["bands"] if prefix else []
        units += [unit.replace("µ", "u").replace("μ", "u")] if unit else []
    if len(set(units)) > 1:
        found = " and ".join(dict.fromkeys(units))
        raise ConfigError("--bands", f"{found} in one list", "one unit for all of it")
    return items, units[0] if units else None
