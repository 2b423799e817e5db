"""What the attributes and neighbours of an HDF5 data set say of it.

Conventions read: netCDF with CF attributes (`_FillValue`, `missing_value`, `scale_factor`,
`add_offset`, dimension scales) and the reflectance files of NEON's airborne platform
(`Data_Ignore_Value`, `Scale_Factor`, `Dimension_Labels`, `Band_Window_…_Nanometers`,
`Metadata/Spectral_Data/Wavelength`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..missing_data import representable
from .array_axes import named_axes
from .array_choice import StoredArray, plain_axes
from .array_facts import is_spectral_list, marks_bands, marks_of, unit_in_name
from .envi_header import GAINS, OFFSETS, HeaderValue
from .wavelength_units import in_nanometres, lengths_in_nanometres, widths_in_nanometres

_MISSING = ("_FillValue", "missing_value", "Data_Ignore_Value", "data_ignore_value",
            "FillValue", "fill_value", "nodata", "NoData", "no_data_value")  # fmt: skip
_UNITS = ("units", "Units", "unit", "Unit")
_BETWEEN = re.compile(r"[,;\s]+")
# More values than this mark nothing: some are data.
_MOST_MARKERS = 16
_BAD_WINDOW = re.compile(r"Band_Window_\d+_Nanometers")


@dataclass(frozen=True)
class SpectralList:
    """Centres or widths of bands, or the units they stand in.

    Attributes:
        values: as the file gives them.
        unit: as the file calls it; "" when it does not.
    """

    values: NDArray[np.float64]
    unit: str

    @property
    def nanometres(self) -> NDArray[np.float64] | None:
        """The values in nm; None when they are no wavelengths."""
        return in_nanometres(self.values.tolist(), self.unit)

    def widths(self, centres: SpectralList) -> NDArray[np.float64] | None:
        """The values as widths in nm, in the unit of the centres where they name none."""
        if self.unit:
            return lengths_in_nanometres(self.values.tolist(), self.unit)
        return widths_in_nanometres(self.values.tolist(), centres.values.tolist(), centres.unit)


@dataclass(frozen=True)
class Missing:
    """The values that mark missing data.

    Attributes:
        value: None: there is none.
        others: further ones that mean the same.
        remarks: what a user should know of them, a short line each.
    """

    value: float | None = None
    others: tuple[float, ...] = ()
    remarks: tuple[str, ...] = ()

    def unified(self, values: NDArray[Any]) -> NDArray[Any]:
        """The values with one marker for all, changed in place."""
        for other in self.others:
            values[values == representable(other, values.dtype)] = self.value
        return values


def missing_markers(dataset: h5py.Dataset, values: NDArray[Any] | None = None) -> Missing:
    """What the attributes of a data set, or else of the groups around it, say is missing.

    Markers that the data set's type cannot hold say nothing, as long as another one can.

    Args:
        dataset: it.
        values: all of it, where they are known: a fill value that no attribute states, as netCDF's
            library gives every variable, then counts only where it occurs.
    """
    found: list[float] = []
    unread: list[str] = []
    for item in (dataset, *_groups(dataset)):
        for name in filter(item.attrs.__contains__, _MISSING):
            numbers = _marker_numbers(item.attrs, name)
            found += numbers
            if not numbers:
                unread.append(f"{name} of {item.name} is no number, and marks nothing")
        if found:
            break
    if not found:
        found = _fill_value(dataset)
        if values is not None and found and not (values == found[0]).any():
            found = []
    unique = list(dict.fromkeys(value for value in found if not math.isnan(value)))
    held = [value for value in unique if representable(value, dataset.dtype) is not None]
    unique = held or unique[:1]
    if len(unique) > _MOST_MARKERS:
        unread.append(f"{len(unique)} different values are said to mark missing data: none does")
        unique = []
    if len(unique) > 1:
        others = ", ".join(f"{value:g}" for value in unique[1:5])
        unread.append(f"{others} mark missing data too, and are read as {unique[0]:g}")
    return Missing(unique[0] if unique else None, tuple(unique[1:]), tuple(unread))


def _fill_value(dataset: h5py.Dataset) -> list[float]:
    """The fill value of the data set itself where somebody chose one: unwritten parts hold it.

    Single bytes have none, as in netCDF: all their values may be data.
    """
    chosen = dataset.id.get_create_plist().fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED
    numbers = dataset.dtype.kind in "iuf" and dataset.dtype.itemsize > 1
    value = float(dataset.fillvalue) if chosen and numbers else 0.0
    return [value] if value else []


def scaling(dataset: h5py.Dataset, bands: int) -> dict[str, HeaderValue]:
    """Scale and offset, by the names they have in ENVI headers; values stay as they are stored.

    CF's `scale_factor` multiplies; NEON's `Scale_Factor` divides, as ENVI's reflectance scale
    factor does.
    """
    fields: dict[str, HeaderValue] = {}
    for name, envi in (("scale_factor", GAINS), ("add_offset", OFFSETS)):
        values = _numbers(dataset.attrs, name, most=bands)
        if len(values) in (1, bands):
            each = values if len(values) == bands else values * bands
            fields[envi] = tuple(f"{value:.17g}" for value in each)
    factor = _numbers(dataset.attrs, "Scale_Factor")
    if len(factor) == 1:
        fields["reflectance scale factor"] = f"{factor[0]:.17g}"
    return fields


def axis_names(dataset: h5py.Dataset) -> tuple[str, ...] | None:
    """Which axes are lines, samples and bands, by dimension scales or labels; None: unsaid."""
    labels = [_dimension_name(dimension) for dimension in dataset.dims]
    if not any(labels):
        text = dataset.attrs.get("Dimension_Labels", "")
        labels = _text(text).split(",") if not isinstance(text, np.ndarray) else _texts(text)
    kept = plain_axes(dataset.shape)
    if len(kept) != 3 or len(labels) != len(dataset.shape):
        return None
    return named_axes([labels[axis] for axis in kept])


def _dimension_name(dimension: Any) -> str:
    if dimension.label:
        return str(dimension.label)
    return str(dimension[0].name) if len(dimension) else ""


def spectral_list(
    file: h5py.File,
    dataset: h5py.Dataset,
    arrays: Sequence[StoredArray],
    bands: int,
    *,
    widths: bool = False,
) -> SpectralList | None:
    """The wavelengths (or widths) of the bands of a data set; None when they are not stated.

    Of several lists the one nearest to the data set in the file's tree is taken.

    Args:
        file: the open file.
        dataset: the cube.
        arrays: all that the file holds.
        bands: how many there must be.
        widths: look for widths.
    """
    shared = {
        array.name: _shared(array.name, dataset.name)
        for array in arrays
        if is_spectral_list(array, widths) and math.prod(array.shape) == bands
    }
    nearest = [name for name, groups in shared.items() if groups == max(shared.values())]
    if len(nearest) != 1:
        return None
    item = file[nearest[0]]
    unit = next((_text(item.attrs[key]) for key in _UNITS if key in item.attrs), "")
    unit = unit or unit_in_name(nearest[0])
    return SpectralList(np.asarray(item[()], np.float64).reshape(-1), unit)


def bad_band_list(
    dataset: h5py.Dataset,
    wavelengths: NDArray[np.float64] | None,
    arrays: Sequence[StoredArray],
    bands: int,
) -> tuple[str, ...] | None:
    """ENVI's list of bad bands (0 = bad); None where nothing marks any.

    A list of marks beside the data set says so, or NEON's windows.

    Args:
        dataset: the cube.
        wavelengths: of its bands in nm; None when unknown.
        arrays: all that the file holds.
        bands: how many there are.
    """
    group = dataset.parent.name.strip("/")
    for array in arrays:
        if array.name.rpartition("/")[0] == group and marks_bands(array, bands):
            return marks_of(dataset.file[array.name][()])
    if wavelengths is None:
        return None
    good = np.ones(len(wavelengths), bool)
    for item in (dataset, *_groups(dataset)):
        for name in item.attrs:
            window = _numbers(item.attrs, name) if _BAD_WINDOW.fullmatch(name) else []
            if len(window) == 2:
                good &= (wavelengths < window[0]) | (wavelengths > window[1])
    return None if good.all() else tuple(str(int(each)) for each in good)


def _groups(dataset: h5py.Dataset) -> list[Any]:
    """The groups around a data set, the nearest first."""
    groups = [dataset.parent]
    while groups[-1].name != "/":
        groups.append(groups[-1].parent)
    return groups


def _shared(name: str, other: str) -> int:
    """How many groups two names have in common from the root on."""
    first, second = name.strip("/").split("/"), other.strip("/").split("/")
    return next(
        (place for place, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )


def _numbers(attributes: Mapping[str, Any], name: str, most: int = 16) -> list[float]:
    """The numbers of an attribute, if they are not too many; text that reads as one counts."""
    if name not in attributes:
        return []
    value = np.asarray(attributes[name]).reshape(-1)
    if value.size > max(most, 16):
        return []
    try:
        return [float(_text(each) if value.dtype.kind in "SUO" else each) for each in value]
    except (TypeError, ValueError):
        return []


def _marker_numbers(attributes: Mapping[str, Any], name: str) -> list[float]:
    """The different numbers of an attribute, in their order; also of a text that lists them."""
    value = np.asarray(attributes[name]).reshape(-1)
    if value.dtype.kind in "SUO":
        value = np.array([part for text in _texts(value) for part in _BETWEEN.split(text) if part])
    try:
        return list(dict.fromkeys(value.astype(np.float64).tolist()))
    except (TypeError, ValueError):
        return []


def _texts(values: Any) -> list[str]:
    return [_text(value) for value in np.asarray(values).reshape(-1)]


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
