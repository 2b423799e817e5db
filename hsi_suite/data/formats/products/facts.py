"""What a product says of itself beside its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import InputFileError
from ..envi_header import GAINS, OFFSETS, HeaderValue

# Nanometres that a band of an optical instrument can have; anything else is damage.
_SHORTEST, _LONGEST, _WIDEST = 100.0, 30_000.0, 2_000.0
_NO_BANDS = np.zeros(0)


@dataclass(frozen=True)
class ProductFacts:
    """The product that a cube comes from.

    Attributes:
        name: of the instrument or mission.
        level: of processing, as its providers call it; "" when unsaid.
        version: of the processor or the product, as the file states it; "" when unsaid.
        quantity: what the values stand for once their scale is applied.
        unit: of that; "1" for reflectance.
        position: how lines and samples lie on the ground, in words.
        quality: which flags are applied, and which are not, in words; "" where there are none.
    """

    name: str
    level: str
    version: str
    quantity: str
    unit: str
    position: str = ""
    quality: str = ""

    @property
    def title(self) -> str:
        """Name and level."""
        return f"{self.name} {self.level}".strip()


@dataclass(frozen=True)
class ProductBands:
    """The bands of a product, in the order in which its values are read.

    Attributes:
        path: the file that describes them, for messages.
        centres: wavelengths in nm.
        widths: full widths at half maximum in nm; empty when unsaid.
        gains: values x stand for gain · x + offset; empty when they stand for themselves.
        offsets: see `gains`.
        good: which bands the product does not mark as bad; empty when it marks none.

    Raises:
        InputFileError: a number cannot be what it should be.
    """

    path: Path
    centres: NDArray[np.float64]
    widths: NDArray[np.float64] = field(default_factory=lambda: _NO_BANDS)
    gains: NDArray[np.float64] = field(default_factory=lambda: _NO_BANDS)
    offsets: NDArray[np.float64] = field(default_factory=lambda: _NO_BANDS)
    good: NDArray[Any] = field(default_factory=lambda: _NO_BANDS)

    def __post_init__(self) -> None:
        centres, widths = self.centres, self.widths
        span = f"{_SHORTEST:g} to {_LONGEST:g} nm"
        self._check(_outside(centres, _SHORTEST, _LONGEST), centres, "wavelength", span)
        bad = ~((widths > 0) & (widths <= _WIDEST))
        self._check(bad, widths, "FWHM", f"0 to {_WIDEST:g} nm")
        bad = ~np.isfinite(self.gains) | (self.gains == 0)
        self._check(bad, self.gains, "gain", "a finite number other than 0")
        self._check(~np.isfinite(self.offsets), self.offsets, "offset", "a finite number")
        counts = {"FWHM values": widths, "gains": self.gains, "offsets": self.offsets,
                  "marks of good bands": self.good}  # fmt: skip
        for what, values in counts.items():
            if len(values) not in (0, len(centres)):
                raise InputFileError(
                    self.path,
                    f"{len(values)} {what} for {len(centres)} bands",
                    "one for each band",
                    "copy or fetch the file again",
                )

    def _check(
        self, bad: NDArray[np.bool_], values: NDArray[np.float64], what: str, expected: str
    ) -> None:
        if bad.any():
            band = int(bad.argmax())
            raise InputFileError(
                self.path,
                f"band {band + 1} has a {what} of {values[band]:g}",
                expected,
                "copy or fetch the file again",
            )

    def __len__(self) -> int:
        return len(self.centres)

    def take(self, order: Sequence[int] | NDArray[Any] | slice) -> ProductBands:
        """Some of the bands, in another order."""

        def taken(values: NDArray[Any]) -> NDArray[Any]:
            return values[order] if len(values) else values

        return ProductBands(
            self.path,
            self.centres[order],
            *(taken(each) for each in (self.widths, self.gains, self.offsets, self.good)),
        )

    def joined(self, other: ProductBands) -> ProductBands:
        """These bands and then those of another detector."""
        pairs = (
            (getattr(self, name), getattr(other, name))
            for name in ("centres", "widths", "gains", "offsets", "good")
        )
        return ProductBands(self.path, *(np.concatenate(pair) for pair in pairs))

    @property
    def fields(self) -> dict[str, HeaderValue]:
        """Scale and bad bands by the names that ENVI headers give them."""
        found: dict[str, HeaderValue] = {}
        if len(self.gains):
            found[GAINS] = tuple(repr(float(gain)) for gain in self.gains)
        if len(self.offsets):
            found[OFFSETS] = tuple(repr(float(offset)) for offset in self.offsets)
        if len(self.good) and not np.all(self.good):
            found["bbl"] = tuple(str(int(bool(good))) for good in self.good)
        return found


def _outside(values: NDArray[np.float64], least: float, most: float) -> NDArray[np.bool_]:
    return ~((values >= least) & (values <= most))


def require_known(path: Path, what: str, found: str, known: Sequence[str], remedy: str) -> None:
    """Refuse a level or version of a product whose layout is not known here.

    Args:
        path: the file.
        what: of which product, such as "EMIT product version".
        found: as the file states it.
        known: those that are.
        remedy: what the user can do.

    Raises:
        InputFileError: it is none of them.
    """
    if found not in known:
        raise InputFileError(path, f"{what} {found or 'unsaid'}", " or ".join(known), remedy)
