"""What the values of a cube stand for, where its file declares it, and values of another file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formats.cube_file import CubeFile, LinesOf
from .formats.envi_header import GAINS, OFFSETS, HeaderValue

FACTOR = "reflectance scale factor"


@dataclass(frozen=True)
class ValueScale:
    """Values x stand for gain · x + offset.

    Attributes:
        gain: of each band.
        offset: of each band.
    """

    gain: tuple[float, ...]
    offset: tuple[float, ...]

    def equals(self, other: ValueScale) -> bool:
        """Whether values of both stand for the same, but for rounding."""
        return bool(
            np.allclose(self.gain, other.gain, rtol=1e-5, atol=0)
            and np.allclose(self.offset, other.offset, rtol=1e-5, atol=1e-12)
        )

    def change_to(self, wanted: ValueScale) -> str:
        """By what values are multiplied and moved to have another scale, the median of the bands.

        Args:
            wanted: that scale, of as many bands.
        """
        gain = np.array(wanted.gain)
        factor = float(np.median(np.array(self.gain) / gain))
        added = float(np.median((np.array(self.offset) - np.array(wanted.offset)) / gain))
        moved = "" if np.isclose(added, 0, atol=1e-9) else f" and moved by {added:.4g}"
        return f"{factor:.4g}{moved}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"gain": list(self.gain), "offset": list(self.offset)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> ValueScale:
        """What `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: it did not.
        """
        return cls(tuple(map(float, fields["gain"])), tuple(map(float, fields["offset"])))


def declared_scale(file: CubeFile) -> ValueScale | None:
    """The scale that a cube's file declares; None where it declares none, or nonsense.

    It is ENVI's `reflectance scale factor`, or the gains and offsets of ENVI and GeoTIFF.
    """
    bands = file.shape[2]
    factor = _numbers(file.kept_fields.get(FACTOR), 1)
    if factor is not None and factor[0] > 0:
        return ValueScale((1 / factor[0],) * bands, (0.0,) * bands)
    gain = _numbers(file.kept_fields.get(GAINS), bands)
    if gain is None or 0 in gain:
        return None
    offset = _numbers(file.kept_fields.get(OFFSETS), bands)
    return ValueScale(gain, offset or (0.0,) * bands)


def _numbers(field: HeaderValue | None, count: int) -> tuple[float, ...] | None:
    if field is None:
        return None
    texts = (field,) if isinstance(field, str) else tuple(field)
    try:
        values = tuple(map(float, texts))
    except ValueError:
        return None
    return values if len(values) == count and np.isfinite(values).all() else None


@dataclass(frozen=True)
class RescaledLines(LinesOf):
    """Lines of a cube in the values of another scale, float32; missing ones are NaN.

    Attributes:
        gain: of each band.
        offset: of each band.
    """

    gain: NDArray[np.float64]
    offset: NDArray[np.float64]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return np.dtype(np.float32)

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands."""
        values = self.file.read(first_line, last_line)
        scaled = values.astype(np.float32)
        scaled *= self.gain.astype(np.float32)
        scaled += self.offset.astype(np.float32)
        if self.file.nodata is not None:
            with np.errstate(over="ignore"):
                marker = np.asarray(self.file.nodata).astype(np.result_type(values, np.float32))
            scaled[values == marker] = np.nan
        return scaled


def rescaled(file: CubeFile, given: ValueScale, wanted: ValueScale) -> CubeFile:
    """A cube whose values stand for the same by another scale.

    Args:
        file: open.
        given: what its values stand for.
        wanted: what those that come out stand for.
    """
    gain = np.array(given.gain) / np.array(wanted.gain)
    offset = (np.array(given.offset) - np.array(wanted.offset)) / np.array(wanted.gain)
    return replace(file, source=RescaledLines(file, gain, offset), nodata=None)
