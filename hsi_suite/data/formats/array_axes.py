"""In which order the axes of an array stand for lines, samples and bands."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from numpy.typing import NDArray

from ...errors import ConfigError, InputFileError
from .raw_lines import AxisOrder

AXES_OPTION, SHAPE_OPTION = "--axes", "--shape"
CUBE_AXES = ("y", "x", "band")
_LETTERS = {"y": "L", "x": "S", "band": "B"}
_OTHER_NAMES = {
    "y": "y", "line": "y", "lines": "y", "row": "y", "rows": "y", "lat": "y", "latitude": "y",
    "northing": "y", "height": "y", "nlines": "y", "downtrack": "y",
    "x": "x", "sample": "x", "samples": "x", "column": "x", "columns": "x", "col": "x",
    "cols": "x", "lon": "x", "longitude": "x", "easting": "x", "width": "x", "nsamples": "x",
    "crosstrack": "x",
    "band": "band", "bands": "band", "wavelength": "band", "wavelengths": "band",
    "channel": "band", "channels": "band", "spectral": "band", "wl": "band", "nbands": "band",
    "pixel": "pixel", "pixels": "pixel",
}  # fmt: skip


@dataclass(frozen=True)
class ArrayRequest:
    """What a user says of the array that is the cube.

    Attributes:
        variable: its name in the file.
        axes: names of its axes, see `parse_axes`.
        shape: lines and samples of a matrix of spectra.
    """

    variable: str | None = None
    axes: tuple[str, ...] | None = None
    shape: tuple[int, int] | None = None


@dataclass(frozen=True)
class CubeAxes:
    """How the axes of an array make a cube.

    Attributes:
        names: "y" (lines), "x" (samples) and "band", in the order in which the array is indexed;
            the two that make up the pixels of a matrix stand side by side, the slower one first.
        sizes: of these axes.
        matrix: whether all pixels lie along one axis.
        source: who says so, in words; "" where it is the usual order that was assumed.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    matrix: bool = False
    source: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Lines, samples, bands."""
        lines, samples, bands = (self.sizes[self.names.index(name)] for name in CUBE_AXES)
        return lines, samples, bands

    def arrange(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array as lines × samples × bands, a view where there can be one."""
        return array.reshape(self.sizes).transpose([self.names.index(name) for name in CUBE_AXES])

    def stored(self, column_order: bool) -> AxisOrder:
        """Order of the axes on disk, slowest first.

        Args:
            column_order: whether the first index of the array runs fastest there.
        """
        groups = [[name] for name in self.names]
        if self.matrix:
            bands_first = self.names[0] == "band"
            groups = [[*self.names[:1]], [*self.names[1:]]]
            groups = groups if bands_first else [[*self.names[:2]], [*self.names[2:]]]
        ordered = reversed(groups) if column_order else groups
        return cast(AxisOrder, "".join(_LETTERS[name] for group in ordered for name in group))

    def fitting(self, lines: int, samples: int) -> list[str]:
        """Orders of the same axes, as `--axes` takes them, that give so many lines and samples."""
        if self.matrix:
            return []
        orders = []
        for names in itertools.permutations(CUBE_AXES):
            if CubeAxes(names, self.sizes).shape[:2] == (lines, samples):
                orders.append(",".join(names))
        return orders

    def with_bands(self, bands: int) -> str | None:
        """The usual order of the same axes that gives so many bands; None when none does."""
        if self.matrix:
            return None
        for names in (("band", "y", "x"), ("y", "x", "band"), ("y", "band", "x")):
            if CubeAxes(names, self.sizes).shape[2] == bands:
                return ",".join(names)
        return None

    def remark(self) -> str:
        """How the array was read, in a short line; "" where the user said it all."""
        if self.source == AXES_OPTION:
            return ""
        if self.matrix:
            other = "band,y,x" if self.names.index("x") < self.names.index("y") else "band,x,y"
            source = f", by {self.source}" if self.source != SHAPE_OPTION else ""
            return f"read as {self}{source}; {AXES_OPTION} {other} counts the other way"
        if self.source:
            return f"read as {self}, by {self.source}"
        return f"read as {self}; if its axes are in another order, give {AXES_OPTION}"

    def __str__(self) -> str:
        lines, samples, bands = self.shape
        counted = ""
        if self.matrix:
            joined = [name for name in self.names if name != "band"]
            counted = " down the columns" if joined == ["x", "y"] else " along the lines"
            counted = f", pixels counted{counted}"
        return f"{lines} lines × {samples} samples × {bands} bands{counted}"


def parse_axes(text: str | None) -> tuple[str, ...] | None:
    """The names of axes in a text such as "y,x,band"; None for None.

    "band,pixel" and "pixel,band" name those of a matrix; three names do so as well where it
    matters in which order the pixels are counted ("band,x,y": down the columns).

    Raises:
        ConfigError: they are no such names.
    """
    if text is None:
        return None
    names = tuple(_OTHER_NAMES.get(name.strip().lower(), "") for name in text.split(","))
    if sorted(names) not in (sorted(CUBE_AXES), ["band", "pixel"]):
        raise ConfigError(
            AXES_OPTION,
            f"{text!r}",
            "y, x and band in the order of the array, as y,x,band or band,y,x",
            "of a matrix of spectra: band,pixel or pixel,band",
        )
    return names


def bands_at(place: int) -> tuple[str, ...]:
    """Lines, samples and bands in this order, but for the bands, which stand at `place`."""
    names = ["y", "x"]
    names.insert(place, "band")
    return tuple(names)


def named_axes(labels: Sequence[str]) -> tuple[str, ...] | None:
    """The axes that a file calls so; None where it does not name lines, samples and bands.

    Two known names determine the third axis.
    """
    names = [axis_named(label) for label in labels]
    if len(names) == 3 and names.count("") == 1:
        left = [name for name in CUBE_AXES if name not in names]
        names[names.index("")] = left[0] if len(left) == 1 else ""
    return tuple(names) if sorted(names) == sorted(CUBE_AXES) else None


def axis_named(label: str) -> str:
    """Which axis of a cube a file or an array calls so: "y", "x" or "band"; "" for none."""
    name = label.rsplit("/", 1)[-1].strip().lower().replace("_", "").replace(" ", "")
    known = _OTHER_NAMES.get(name, "")
    return "" if known == "pixel" else known


def cube_axes(
    path: Path,
    shape: Sequence[int],
    request: ArrayRequest,
    *,
    named: tuple[str, ...] | None = None,
    wavelengths: int | None = None,
) -> CubeAxes:
    """The axes of a three-dimensional array.

    What the user says outweighs the names that the file gives; then an axis that alone is as long
    as the list of wavelengths holds the bands; lines, samples, bands are assumed otherwise.

    Args:
        path: the file, for messages.
        shape: of the array.
        request: what the user says.
        named: see `named_axes`.
        wavelengths: how many the file lists.

    Raises:
        InputFileError: the user's words do not fit the array.
    """
    sizes = tuple(shape)
    if request.axes is not None and "pixel" in request.axes:
        raise InputFileError(
            path,
            f"{AXES_OPTION} {','.join(request.axes)} for an array of three axes",
            "y, x and band",
        )
    if request.axes is not None:
        axes = CubeAxes(request.axes, sizes, source=AXES_OPTION)
    elif named is not None:
        axes = CubeAxes(named, sizes, source="the names of its axes")
    elif wavelengths is not None and sizes.count(wavelengths) == 1 and sizes[2] != wavelengths:
        names = bands_at(sizes.index(wavelengths))
        axes = CubeAxes(names, sizes, source=f"its {wavelengths} wavelengths")
    else:
        axes = CubeAxes(CUBE_AXES, sizes)
    if request.shape is not None and axes.shape[:2] != request.shape:
        raise InputFileError(
            path,
            f"{axes}",
            f"{request.shape[0]} lines × {request.shape[1]} samples as {SHAPE_OPTION} says",
            f"leave {SHAPE_OPTION} out, or give {AXES_OPTION}",
        )
    return axes


def matrix_axes(
    path: Path,
    shape: Sequence[int],
    request: ArrayRequest,
    *,
    size: tuple[int, int] | None,
    columns: bool,
    source: str = "",
) -> CubeAxes:
    """The axes of a matrix of spectra, bands × pixels or pixels × bands.

    Args:
        path: the file, for messages.
        shape: of the matrix.
        request: what the user says.
        size: lines and samples that the file gives; None when it does not.
        columns: whether pixels are usually counted down the columns, as in MATLAB.
        source: who gives `size`.

    Raises:
        InputFileError: nothing says how many lines and samples there are, or that does not fit.
    """
    rows, columns_count = shape
    found = f"a matrix of {rows} × {columns_count}"
    source = SHAPE_OPTION if request.shape is not None else source
    size = request.shape or size
    if size is None:
        raise InputFileError(
            path,
            f"{found}, which does not say how its pixels lie",
            "lines × samples × bands",
            f"give {SHAPE_OPTION} LINES,SAMPLES if it holds spectra",
        )
    pixels = size[0] * size[1]
    place = _pixel_axis(path, (rows, columns_count), request, pixels, size)
    order = ("x", "y") if columns else ("y", "x")
    if request.axes is not None and "pixel" not in request.axes:
        order = cast(tuple[str, str], tuple(name for name in request.axes if name != "band"))
    lengths = {"y": size[0], "x": size[1]}
    inner = [lengths[name] for name in order]
    bands = (rows, columns_count)[1 - place]
    names = ("band", *order) if place == 1 else (*order, "band")
    sizes = (bands, *inner) if place == 1 else (*inner, bands)
    return CubeAxes(names, sizes, matrix=True, source=source)


def _pixel_axis(
    path: Path, shape: tuple[int, int], request: ArrayRequest, pixels: int, size: tuple[int, int]
) -> int:
    fitting = [place for place in (0, 1) if shape[place] == pixels]
    along = ""
    if request.axes is not None:
        place = request.axes.index("band")
        if len(request.axes) == 3 and place == 1:
            raise InputFileError(
                path, f"{AXES_OPTION} {','.join(request.axes)} for a matrix", "bands first or last"
            )
        wanted = 1 if place == 0 else 0
        fitting = [place for place in fitting if place == wanted]
        along = f" along axis {wanted + 1}"
    if not fitting:
        raise InputFileError(
            path,
            f"a matrix of {shape[0]} × {shape[1]}",
            f"{pixels:,} pixels{along} for {size[0]} lines × {size[1]} samples",
            f"correct {SHAPE_OPTION} or {AXES_OPTION}",
        )
    if len(fitting) == 2:
        raise InputFileError(
            path,
            f"a matrix of {shape[0]} × {shape[1]}, both as many as the pixels",
            "to know which axis holds the bands",
            f"give {AXES_OPTION} band,pixel or pixel,band",
        )
    return fitting[0]
