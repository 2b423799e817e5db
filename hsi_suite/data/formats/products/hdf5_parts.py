"""Parts of an HDF5 product by their names: nothing is followed out of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ....errors import InputFileError
from ..array_axes import CubeAxes
from ..array_choice import check_cube, is_real, size_text
from ..cube_file import in_native_order
from ..geolocation import Geolocation
from ..hdf5_facts import Missing
from ..hdf5_files import Hdf5Lines, refuse_elsewhere, refuse_shortened, whole_dataset
from ..reading_guard import reading
from ..wavelength_units import lengths_in_nanometres

WHAT = "an HDF5 product"
_UNITS = ("units", "Units", "unit", "Unit")
_DEEPEST = 8
_LONGEST_TEXT = 20_000  # of a reference system's description
_MOST_NUMBERS = 100_000
_COPY = "copy or fetch the file again"


@dataclass(frozen=True)
class Hdf5Parts:
    """An open HDF5 file.

    Attributes:
        path: the file, for messages.
        file: it.
    """

    path: Path
    file: h5py.File

    def find(self, name: str) -> Any:
        """A group or data set; None where there is none.

        Raises:
            InputFileError: a link on the way leads out of the file.
        """
        return self._walk(self.file, name, 0)

    def _walk(self, start: Any, name: str, depth: int) -> Any:
        item = self.file if name.startswith("/") else start
        for part in filter(None, name.split("/")):
            if not isinstance(item, h5py.Group):
                return None
            link = item.get(part, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise InputFileError(
                    self.path,
                    f"{name} is a link into another file ({link.filename})",
                    "a file that holds its values",
                    "copy them into one file, as h5repack does",
                )
            if isinstance(link, h5py.SoftLink):
                if depth == _DEEPEST:
                    raise InputFileError(
                        self.path, f"{name} is a link in a circle", "values", _COPY
                    )
                item = self._walk(item, link.path, depth + 1)
            else:
                item = None if link is None else item[part]
        return item

    def dataset(self, name: str, axes: int) -> h5py.Dataset:
        """A data set of numbers.

        Args:
            name: its path.
            axes: how many it must have.

        Raises:
            InputFileError: there is none, or one of another kind.
        """
        item = self.find(name)
        if item is None:
            raise InputFileError(self.path, f"holds no {name}", "a whole product", _COPY)
        if not isinstance(item, h5py.Dataset) or item.shape is None or not is_real(item.dtype):
            raise InputFileError(self.path, f"{name} holds no numbers", "numbers", _COPY)
        if len(item.shape) != axes:
            found = f"{name} of {size_text(item.shape)}"
            raise InputFileError(self.path, found, f"{axes} axes", _COPY)
        refuse_elsewhere(self.path, item)
        return item

    def lines(self, name: str, names: tuple[str, ...], missing: Missing | None = None) -> Hdf5Lines:
        """The lines of a cube.

        Args:
            name: path of its data set.
            names: of its axes: "y", "x" and "band" in the order in which they are stored.
            missing: what marks missing values; None: nothing does.

        Raises:
            InputFileError: there is no such cube.
        """
        dataset = self.dataset(name, 3)
        axes = CubeAxes(names, tuple(dataset.shape))
        check_cube(self.path, axes.shape, dataset.dtype)
        return Hdf5Lines(self.path, dataset, axes, missing or Missing())

    def layer(self, name: str, shape: tuple[int, int]) -> LayerLines:
        """A layer of lines × samples.

        Raises:
            InputFileError: there is none, or one of another size.
        """
        dataset = self.dataset(name, 2)
        if tuple(dataset.shape) != shape:
            raise InputFileError(
                self.path, f"{name} of {size_text(dataset.shape)}", size_text(shape), _COPY
            )
        return LayerLines(self.path, dataset)

    def values(self, name: str) -> NDArray[np.float64]:
        """A list of numbers, whole.

        Raises:
            InputFileError: there is none.
        """
        dataset = self.dataset(name, 1)
        with reading(self.path, WHAT):
            return np.asarray(whole_dataset(self.path, dataset), np.float64)

    def numbers(self, item: Any, name: str) -> NDArray[np.float64]:
        """The numbers of an attribute.

        Raises:
            InputFileError: there is none, or it holds something else.
        """
        with reading(self.path, WHAT):
            if name not in item.attrs:
                raise InputFileError(
                    self.path, f"has no attribute {name}", "a whole product", _COPY
                )
            try:
                values = np.asarray(item.attrs[name], np.float64).reshape(-1)
            except (TypeError, ValueError):
                values = np.zeros(0)
        if not 0 < values.size <= _MOST_NUMBERS:
            raise InputFileError(
                self.path, f"the attribute {name} holds no numbers", "numbers", _COPY
            )
        return values

    def number(self, item: Any, name: str) -> float:
        """The one finite number of an attribute.

        Raises:
            InputFileError: there is none, or it is something else.
        """
        values = self.numbers(item, name)
        if values.size != 1 or not np.isfinite(values[0]):
            found = f"the attribute {name} is {', '.join(f'{v:g}' for v in values[:4])}"
            raise InputFileError(self.path, found, "a finite number", _COPY)
        return float(values[0])

    def text(self, item: Any, *names: str) -> str:
        """The text of the first of some attributes that is there; "" where none is."""
        with reading(self.path, WHAT):
            for name in names:
                if name in item.attrs:
                    value = np.asarray(item.attrs[name]).reshape(-1)
                    first = value[0] if value.size else ""
                    text = first.decode("utf-8", "replace") if isinstance(first, bytes) else first
                    return " ".join(str(text).strip("\0 ").split())[:_LONGEST_TEXT]
        return ""


def swath_places(
    parts: Hdf5Parts, names: Sequence[tuple[str, str]], shape: tuple[int, int]
) -> Geolocation | None:
    """Where the pixels of a swath lie, by layers in degrees; None where there are none.

    Args:
        parts: the open file.
        names: of the layers of longitude and latitude; the first pair that is there counts.
        shape: lines and samples of the cube.

    Raises:
        InputFileError: the layers are of another size.
    """
    for pair in names:
        if all(isinstance(parts.find(name), h5py.Dataset) for name in pair):
            x, y = (parts.layer(name, shape) for name in pair)
            return Geolocation(parts.path, x, y, shape)
    return None


class LayerLines:
    """Lines of a two-dimensional data set, as a cube of one band.

    Args:
        path: the file, for messages.
        dataset: of an open file, which `close` closes.
    """

    def __init__(self, path: Path, dataset: h5py.Dataset) -> None:
        refuse_elsewhere(path, dataset)
        self._path, self._dataset, self._file = path, dataset, dataset.file
        self._size = path.stat().st_size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values in native byte order."""
        dtype: np.dtype[Any] = np.dtype(self._dataset.dtype)
        return dtype.newbyteorder("=")

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × 1."""
        with reading(self._path, WHAT):
            values = self._dataset[first_line:last_line]
            refuse_shortened(self._path, self._size)
        return in_native_order(values)[..., None]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def nanometres(parts: Hdf5Parts, name: str) -> NDArray[np.float64]:
    """A list of wavelengths or widths in nm, by the unit that its attribute names.

    Raises:
        InputFileError: there is none, or its unit is no length.
    """
    unit = parts.text(parts.dataset(name, 1), *_UNITS)
    return _converted(parts.path, name, parts.values(name), unit)


def attribute_nanometres(parts: Hdf5Parts, item: Any, name: str) -> NDArray[np.float64]:
    """As `nanometres`, of an attribute; NAME_units names its unit.

    Raises:
        InputFileError: there is none, or its unit is no length.
    """
    unit = parts.text(item, f"{name}_units", f"{name}_unit")
    return _converted(parts.path, name, parts.numbers(item, name), unit)


def _converted(
    path: Path, name: str, values: NDArray[np.float64], unit: str
) -> NDArray[np.float64]:
    """Values without a unit are nm; those that are no wavelengths stay, to be refused."""
    ones = lengths_in_nanometres([1.0], unit or "nm")
    if ones is None or unit.lower() in ("wavenumber", "cm-1", "1/cm"):
        raise InputFileError(path, f"{name} stands in {unit!r}", "nm or another length", _COPY)
    return values * float(ones[0])
