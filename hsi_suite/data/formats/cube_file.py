"""A cube on disk: known when opened, read line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError, ShapeError
from ...memory import require_room
from ..missing_data import MissingSurvey, filled, refuse_without_data, valid_pixels
from ..scene import Georeference
from .array_axes import CubeAxes
from .array_choice import size_text
from .class_names import ClassNames
from .envi_header import HeaderValue
from .geolocation import Geolocation
from .products.facts import ProductFacts
from .raw_lines import RawLines

if TYPE_CHECKING:
    from ..band_selection import BandSelection

# Some formats need a second copy, to decode or to turn the axes; the others a buffer.
_READING_COPIES = 2
_READING_BUFFER = 64 * 2**20
# The bit that makes a NaN a quiet one, by bytes of the type (IEEE 754).
_QUIET_BITS = {2: 1 << 9, 4: 1 << 22, 8: 1 << 51}


class LineSource(Protocol):
    """Where the lines of a cube come from."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values, in native byte order."""
        ...

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class LineMask(Protocol):
    """Where pixels hold data, as a file says apart from its values."""

    def read_lines(self, first_line: int, last_line: int) -> NDArray[np.bool_]:
        """Lines first_line … last_line - 1, lines × samples, False where there is no data."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


@dataclass(frozen=True)
class CubeFile:
    """An open file that holds a cube; a context manager.

    Attributes:
        path: the file the user named.
        format: its format in words.
        shape: lines, samples, bands.
        source: what reads the lines.
        files: all files that belong to the cube (an ENVI cube has two).
        wavelengths: centre of each band in nm; None when unknown.
        geolocation: where each pixel of a swath lies; None where a grid says it, or nothing.
        georeference: None when unknown. A GeoTIFF whose reference system has no EPSG code of its
            own needs the `geo` extra; without it `crs` is None.
        nodata: the value that marks missing pixels; None when the file names none.
        band_names: one for each band; () when unknown.
        default_bands: 0-based bands that the file wants shown as red, green and blue.
        class_names: when the file is a classification.
        colours: RGB of the labels from 0 on, (classes + 1) × 3, when the file has a colour table.
        fwhm: full width at half maximum of each band in nm; None when unknown.
        kept_fields: further fields by their ENVI names that hold for any cube of these bands and
            units: bbl, gains and offsets, reflectance scale factor, sensor and time. Under "bbl"
            every format puts its list of good bands (see `marked_bands`), whatever it calls it.
        axes: how the axes of the stored array make the cube, where they could be read otherwise;
            None where the format leaves no doubt.
        mask: where pixels hold data, if the file says so apart from its values; None: everywhere.
        remarks: what a user should know of how the file was read, a short line each.
        complete: whether `read` fills single missing bands (see `missing_data.filled`).
        product: the satellite or airborne product that it is of; None for other files.
        opened_with: the options of a command with which the user had the file read as it is.
        selection: which bands of the file these are; None: all.
    """

    path: Path
    format: str
    shape: tuple[int, int, int]
    source: LineSource
    files: tuple[Path, ...]
    wavelengths: NDArray[np.float64] | None = None
    georeference: Georeference | None = None
    nodata: float | None = None
    band_names: tuple[str, ...] = ()
    default_bands: tuple[int, int, int] | None = None
    class_names: ClassNames | None = None
    colours: NDArray[np.uint8] | None = None
    fwhm: NDArray[np.float64] | None = None
    kept_fields: Mapping[str, HeaderValue] = field(default_factory=dict)
    axes: CubeAxes | None = None
    mask: LineMask | None = None
    remarks: tuple[str, ...] = ()
    complete: bool = False
    product: ProductFacts | None = None
    opened_with: tuple[str, ...] = ()
    selection: BandSelection | None = None
    geolocation: Geolocation | None = None

    @property
    def bad_bands(self) -> tuple[int, ...]:
        """The bands, from 0, that the file's list of bad bands marks (ENVI's bbl, 0 = bad)."""
        return tuple(
            band for band, mark in enumerate(self.kept_fields.get("bbl", ())) if _is_zero(mark)
        )

    @property
    def band_numbers(self) -> Sequence[int]:
        """The number of each band in the file, from 0."""
        return range(self.shape[2]) if self.selection is None else self.selection.bands

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values in native byte order.

        MATLAB files up to v7 store values in the smallest type that holds them, whatever their
        class: this is that type.
        """
        return self.source.dtype

    @property
    def by_lines(self) -> bool:
        """Whether lines can be read without the others."""
        if isinstance(self.source, LinesOf):
            return self.source.file.by_lines
        return not isinstance(self.source, WholeArray)

    def read(self, first_line: int = 0, last_line: int | None = None) -> NDArray[Any]:
        """Lines first_line … last_line - 1 in the file's own type, lines × samples × bands.

        Only these lines are read where the format allows it; compressed MATLAB and NPZ files are
        read whole at the first call and kept. The array may be a view with any memory order.
        Of a `complete` cube single missing bands are filled.

        Raises:
            ShapeError: the cube has no such lines.
            InputFileError: the file is damaged, or the lines do not fit into memory.
        """
        last = self.shape[0] if last_line is None else last_line
        if not 0 <= first_line <= last <= self.shape[0]:
            raise ShapeError(
                self.path, f"lines {first_line} to {last} asked for", f"0 to {self.shape[0]}"
            )
        require_room(self.path, self._needed(last - first_line))
        try:
            lines = quiet_nans(self.source.read_lines(first_line, last))
            if not self.complete:
                return lines
            return filled(lines, self.nodata, self.wavelengths)
        except MemoryError as error:
            size = self._bytes(last - first_line)
            raise InputFileError(
                self.path, f"{size / 2**30:.1f} GiB do not fit into memory", "", "cut the file"
            ) from error

    def valid(self, lines: NDArray[Any], first_line: int = 0) -> NDArray[np.bool_] | None:
        """Where pixels hold data; None when all of them do.

        Args:
            lines: what `read` gave from `first_line` on, lines × samples × bands.
            first_line: of them in the cube.
        """
        valid = valid_pixels(lines, self.nodata)
        if self.mask is None:
            return valid
        masked = self.mask.read_lines(first_line, first_line + len(lines))
        masked = masked if valid is None else masked & valid
        return None if masked.all() else masked

    def require_data(self, survey: MissingSurvey) -> None:
        """Refuse the cube where no pixel, or a band in no pixel, holds data.

        Args:
            survey: of all its lines.

        Raises:
            InputFileError: there are such bands, or no pixel.
        """
        refuse_without_data(
            self.path, survey, self.nodata, self.bad_bands, self.opened_with, self.band_numbers
        )

    def reading_bytes(self, lines: int) -> int:
        """About the most memory that reading so many lines takes, and what stays in memory."""
        if isinstance(self.source, LinesOf):
            return self.source.file.reading_bytes(lines) + self._bytes(min(lines, self.shape[0]))
        if isinstance(self.source, WholeArray):
            return _READING_COPIES * self._bytes(self.shape[0])
        if isinstance(self.source, RawLines):
            return self.source.reading_bytes(min(lines, self.shape[0]))
        whole = self._bytes(self.shape[0])
        read = self._bytes(min(lines, self.shape[0]))
        return _READING_COPIES * read + min(_READING_BUFFER, whole)

    def _needed(self, lines: int) -> float:
        """What `read` takes anew: nothing where the array is kept already."""
        if isinstance(self.source, WholeArray):
            return 0 if self.source.held else self.reading_bytes(lines)
        return self._bytes(lines)

    def _bytes(self, lines: int) -> int:
        return lines * self.shape[1] * self.shape[2] * self.dtype.itemsize

    def close(self) -> None:
        """Close the file."""
        self.source.close()
        if self.mask is not None:
            self.mask.close()
        if self.geolocation is not None:
            self.geolocation.close()

    def __enter__(self) -> CubeFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


@dataclass(frozen=True)
class LinesOf:
    """Lines that are made of those of another cube; a `LineSource` once they can be read.

    Attributes:
        file: what is read.
    """

    file: CubeFile

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.file.dtype

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def marked_bands(good: Iterable[Any]) -> dict[str, HeaderValue]:
    """The entry of `kept_fields` that says which bands are good, as any format's list has it.

    Args:
        good: true or not 0 for each good band.
    """
    return {"bbl": tuple("1" if each else "0" for each in good)}


def quiet_nans(values: NDArray[Any]) -> NDArray[Any]:
    """The values with a plain NaN for every signalling one, at which arithmetic would warn.

    No instrument writes them, but damage and other types' missing values do.
    """
    if values.dtype.kind != "f" or values.dtype.itemsize not in _QUIET_BITS:
        return values
    nan = np.isnan(values)
    if not nan.any():
        return values
    size = values.dtype.itemsize
    bits = values[nan].view(values.dtype.str.replace("f", "u"))
    if (bits & bits.dtype.type(_QUIET_BITS[size])).all():
        return values
    values = values.copy(order="K")
    values[nan] = np.nan
    return values


def _is_zero(text: str) -> bool:
    try:
        return float(text) == 0
    except ValueError:
        return False


class WholeArray:
    """Lines of an array that can only be read whole: once, at the first need.

    Args:
        path: the file, for messages.
        shape: the shape the array must turn out to have.
        dtype: its type in native byte order, which it must turn out to have.
        load: reads it.
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, int, int],
        dtype: np.dtype[Any],
        load: Callable[[], NDArray[Any]],
    ) -> None:
        self._path = path
        self._shape = shape
        self._dtype = dtype
        self._load = load
        self._array: NDArray[Any] | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values in native byte order."""
        return self._dtype

    @property
    def held(self) -> bool:
        """Whether it has been read."""
        return self._array is not None

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, a view."""
        return self._whole()[first_line:last_line]

    def close(self) -> None:
        """Forget the array."""
        self._array = None

    def _whole(self) -> NDArray[Any]:
        if self._array is None:
            array = in_native_order(self._load())
            if array.shape != self._shape or array.dtype != self._dtype:
                raise InputFileError(
                    self._path,
                    f"an array of {size_text(array.shape)} {array.dtype}",
                    f"{size_text(self._shape)} {self._dtype} as its header says",
                )
            self._array = array
        return self._array


def in_native_order(array: NDArray[Any]) -> NDArray[Any]:
    """`array` in the machine's byte order; swapped in place where its memory may be written."""
    if array.dtype.isnative:
        return array
    native = array.dtype.newbyteorder("=")
    if array.flags.writeable and array.base is None:
        return array.byteswap(inplace=True).view(native)
    return array.astype(native)
