"""Which array of a file is the cube, and what the others say of it.

Others may hold its wavelengths and, of a matrix of spectra, how many lines and samples there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .array_axes import ArrayRequest, CubeAxes, cube_axes, matrix_axes
from .array_choice import StoredArray, axes_left_out, choose_cube
from .envi_header import HeaderValue
from .wavelength_units import in_nanometres, lengths_in_nanometres, widths_in_nanometres

_LINES = {"lines", "line", "nlines", "nline", "nl", "rows", "row", "nrows", "nrow", "nr", "h",
          "height", "m"}  # fmt: skip
_SAMPLES = {"samples", "sample", "nsamples", "ns", "columns", "cols", "col", "ncols", "ncol", "nc",
            "w", "width", "n"}  # fmt: skip
_WAVELENGTHS = {"wavelength", "wavelengths", "wl", "wvl", "wave", "waves", "lambda", "lambdas",
                "centerwavelength", "centerwavelengths",
                "centrewavelength", "centrewavelengths", "centralwavelength",
                "centralwavelengths", "bandcenters", "bandcentres"}  # fmt: skip
_WIDTHS = {"fwhm", "fwhms"}
# Lists that are 0 where a band is bad, by their names in files and programs.
GOOD_BANDS = ("good_wavelengths", "good_bands", "bbl")
# What a name may end in, as wavelength_um, by the name of the unit.
_UNITS = {"nm": "nm", "nanometers": "nm", "nanometres": "nm", "um": "um", "µm": "um",
          "microns": "um", "micrometers": "um", "micrometres": "um"}  # fmt: skip

Values = Callable[[StoredArray], NDArray[np.float64]]


@dataclass(frozen=True)
class FoundCube:
    """An array that is a cube.

    Attributes:
        array: as the file holds it.
        axes: how its axes make a cube.
        wavelengths: centre of each band in nm; None when no other array holds them.
        listed: the name of the array that holds them; "" where none does.
        good: for each band 0 where another array marks it as bad; () where none does.
        widths: full width at half maximum of each band in nm; None when no other array holds them.
        unused: why arrays that are called wavelengths give none, in words; "" where none are.
    """

    array: StoredArray
    axes: CubeAxes
    wavelengths: NDArray[np.float64] | None
    listed: str = ""
    unused: str = ""
    good: tuple[str, ...] = ()
    widths: NDArray[np.float64] | None = None

    @property
    def kept_fields(self) -> dict[str, HeaderValue]:
        """The marks of the bands by ENVI's name."""
        return {"bbl": self.good} if self.good else {}

    def remarks(self, wavelengths: NDArray[np.float64] | None) -> tuple[str, ...]:
        """What a user should know of how the file was read, a short line each.

        Args:
            wavelengths: those that are used.
        """
        dropped = axes_left_out(self.array.name, self.array.shape)
        used = ""
        if self.listed and wavelengths is not None and wavelengths is self.wavelengths:
            first, last = wavelengths[0], wavelengths[-1]
            used = f"wavelengths are those of {self.listed}, {first:.5g} to {last:.5g} nm"
        return tuple(filter(None, [dropped, used, self.unused if wavelengths is None else ""]))


def find_cube(
    path: Path,
    arrays: Sequence[StoredArray],
    request: ArrayRequest,
    values: Values,
    *,
    columns: bool,
    named: Callable[[StoredArray], tuple[str, ...] | None] = lambda _: None,
) -> FoundCube:
    """The cube among the arrays of a file.

    Args:
        path: the file, for messages.
        arrays: all that it holds.
        request: what the user says.
        values: reads one of them.
        columns: whether pixels of a matrix are counted down the columns, as in MATLAB.
        named: the axes of an array that the file itself names, see `named_axes`.

    Raises:
        InputFileError: no array can be the cube, or several can, or the user's words do not fit.
    """
    sizes = told_sizes(arrays, values)
    chosen = choose_cube(path, arrays, request, sizes)
    lists = [array for array in arrays if is_spectral_list(array)]
    if len(chosen.shape) == 2:
        lines, samples, who = sizes.get(chosen.name, (0, 0, ""))
        size = (lines, samples) if who else None
        axes = matrix_axes(path, chosen.shape, request, size=size, columns=columns, source=who)
    else:
        count = math.prod(lists[0].shape) if len(lists) == 1 else None
        axes = cube_axes(path, chosen.plain_shape, request, named=named(chosen), wavelengths=count)
    centres = widths = None
    fitting = [array for array in lists if math.prod(array.shape) == axes.shape[2]]
    if len(fitting) == 1:
        unit = unit_in_name(fitting[0].name)
        listing = values(fitting[0]).reshape(-1).tolist()
        centres = in_nanometres(listing, unit)
        known = [array for array in arrays if is_spectral_list(array, True)]
        widths = None if centres is None else _widths(known, values, listing, unit)
    listed = fitting[0].name if centres is not None else ""
    unused = _unused(fitting or lists, axes.shape[2]) if centres is None and lists else ""
    marks = [array for array in arrays if marks_bands(array, axes.shape[2])]
    good = marks_of(values(marks[0])) if len(marks) == 1 else ()
    return FoundCube(chosen, axes, centres, listed, unused, good, widths)


def _widths(
    arrays: Sequence[StoredArray], values: Values, centres: Sequence[float], unit: str
) -> NDArray[np.float64] | None:
    """The widths in nm that an array holds, in its own unit or in that of the centres."""
    if len(arrays) != 1:
        return None
    widths = values(arrays[0]).reshape(-1).tolist()
    own = unit_in_name(arrays[0].name)
    if own and len(widths) == len(centres):
        return lengths_in_nanometres(widths, own)
    return widths_in_nanometres(widths, centres, unit)


def _unused(lists: Sequence[StoredArray], bands: int) -> str:
    """Why arrays that are called wavelengths are not used."""
    named = ", ".join(map(str, lists[:3]))
    if math.prod(lists[0].shape) != bands:
        why = f"not as long as the {bands} bands"
    elif len(lists) > 1:
        why = "more than one"
    else:
        why = "no wavelengths"
    return f"{named}: {why}, so wavelengths are unknown"


def plain_name(name: str) -> str:
    """The last part of an array's name, without case and underscores."""
    return name.rsplit("/", 1)[-1].lower().replace("_", "")


def is_spectral_list(array: StoredArray, widths: bool = False) -> bool:
    """Whether an array may hold the centre (or the width) of each band, by its name and shape."""
    size = math.prod(array.shape)
    known = _WIDTHS if widths else _WAVELENGTHS
    return (
        array.numeric
        and size > 1
        and size == max(array.shape)
        and _without_unit(plain_name(array.name))[0] in known
    )


def marks_bands(array: StoredArray, bands: int) -> bool:
    """Whether an array says of each of so many bands whether it is good, by its name and shape."""
    return (
        (array.numeric or array.logical)
        and array.name.rsplit("/", 1)[-1].lower() in GOOD_BANDS
        and math.prod(array.shape) == bands == max(array.shape, default=0)
    )


def marks_of(values: NDArray[Any]) -> tuple[str, ...]:
    """What such an array says, as ENVI has it: 0 for a bad band, 1 for others."""
    return tuple(str(int(each != 0)) for each in np.asarray(values).reshape(-1))


def unit_in_name(name: str) -> str:
    """The unit that an array's name ends in, as wavelength_um; "" where there is none."""
    return _without_unit(plain_name(name))[1]


def _without_unit(name: str) -> tuple[str, str]:
    """A plain name without the unit it ends in, and the unit; "" where it names none."""
    for ending, unit in _UNITS.items():
        if name.endswith(ending) and len(name) > len(ending):
            return name.removesuffix(ending), unit
    return name, ""


def told_sizes(arrays: Sequence[StoredArray], values: Values) -> dict[str, tuple[int, int, str]]:
    """Lines and samples of every matrix whose rows or columns may be pixels, and who gives them.

    Single numbers called rows, nRow, lines, cols and the like give them; else maps and cubes of
    the same scene that lie beside the matrix, if they agree.

    Args:
        arrays: all that the file holds.
        values: reads one of them.
    """
    matrices = [a for a in arrays if a.numeric and len(a.shape) == 2 and min(a.shape) > 1]
    if not matrices:
        return {}
    counts = {
        side: {_whole(values(array)): array.name for array in _scalars(arrays, names)}
        for side, names in (("lines", _LINES), ("samples", _SAMPLES))
    }
    found: dict[str, tuple[int, int, str]] = {}
    for matrix in matrices:
        counted = {
            (lines, samples): f"{line_name} and {sample_name}"
            for lines, line_name in counts["lines"].items()
            for samples, sample_name in counts["samples"].items()
            if lines and samples and lines * samples in matrix.shape
        } or {
            (other.shape[0], other.shape[1]): f"the size of {other.name}"
            for other in arrays
            if other is not matrix
            and len(other.shape) in (2, 3)
            and min(other.shape[:2]) > 1
            and other.shape[0] * other.shape[1] in matrix.shape
        }
        if len(counted) == 1:
            ((lines, samples), who), *_ = counted.items()
            found[matrix.name] = (lines, samples, who)
    return found


def _scalars(arrays: Sequence[StoredArray], names: set[str]) -> list[StoredArray]:
    return [
        array
        for array in arrays
        if array.numeric and math.prod(array.shape) == 1 and plain_name(array.name) in names
    ]


def _whole(value: NDArray[np.float64]) -> int:
    number = float(value.reshape(-1)[0])
    return int(number) if math.isfinite(number) and number.is_integer() and number > 0 else 0
