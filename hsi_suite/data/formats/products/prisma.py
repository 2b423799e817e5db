"""PRISMA L1, L2B, L2C and L2D: HDF-EOS5 files (.he5) of ASI.

Layout after the PRISMA products specification (ASI, issue 2.3, 2020) as public readers use it:
prismaread, the EnMAP-Box, HyperCoast.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from ....errors import InputFileError
from ...scene import Georeference
from ..array_axes import ArrayRequest
from ..array_choice import size_text
from ..cube_file import CubeFile, LineSource
from ..geolocation import Geolocation
from .facts import ProductBands, ProductFacts, require_known
from .hdf5_parts import Hdf5Parts, swath_places
from .joined_bands import BandsOf, FlaggedLines, JoinedBands, MarkedPadding

_SWATH = re.compile(r"PRS_(L\w+)_HCO", re.IGNORECASE)
_AXES = ("y", "band", "x")
_TOP = 65535.0  # of the stored numbers
_GRID = 30.0  # metres between the pixels of L2D
_RADIANCE_UNIT = "W m-2 sr-1 um-1"
_QUANTITIES = {
    "L1": ("top-of-atmosphere radiance", _RADIANCE_UNIT),
    "L2B": ("surface radiance", _RADIANCE_UNIT),
    "L2C": ("surface reflectance", "1"),
    "L2D": ("surface reflectance", "1"),
}
_DETECTORS = ("vnir", "swir")


def open_prisma(parts: Hdf5Parts, request: ArrayRequest, marked: bool) -> CubeFile | None:
    """The cube of a PRISMA product; None where the file is something else.

    Both detectors are joined, bands without a wavelength left out, the others sorted by it, so
    that those of the detectors alternate where these overlap. `request.variable` names one
    detector.

    Args:
        parts: the open file.
        request: which detector is meant; another variable is left to the reader of plain HDF5.
        marked: whether the product's own marks of missing values count.

    Raises:
        InputFileError: data sets or attributes are missing or cannot be what they should be.
    """
    swath = _swath(parts)
    if swath is None:
        return None
    wanted = _wanted(request.variable)
    if not wanted:
        return None
    level = swath.level
    require_known(
        parts.path, "PRISMA processing level", level, tuple(_QUANTITIES),
        "--axes y,band,x --scene-variable NAME reads an array alone",
    )  # fmt: skip
    detectors = [_Detector(parts, swath, name, marked) for name in wanted]
    bands = detectors[0].bands
    for detector in detectors[1:]:
        if detector.shape[:2] != detectors[0].shape[:2]:
            raise InputFileError(
                parts.path,
                f"VNIR_Cube of {size_text(detectors[0].shape[:2])} pixels and SWIR_Cube of "
                f"{size_text(detector.shape[:2])}",
                "equal sizes",
            )
        bands = bands.joined(detector.bands)
    order = np.argsort(bands.centres, kind="stable")
    bands = bands.take(order)
    source: LineSource = JoinedBands([detector.part for detector in detectors], order)
    if marked and level == "L1":
        source = MarkedPadding(source, _TOP)
    facts = _facts(parts, swath, detectors, marked)
    lines, samples = detectors[0].shape[:2]
    return CubeFile(
        parts.path,
        "HDF5",
        (lines, samples, len(bands)),
        source,
        (parts.path,),
        wavelengths=bands.centres,
        fwhm=bands.widths,
        georeference=_place(parts, lines, samples) if level == "L2D" else None,
        geolocation=None if level == "L2D" else _places(parts, swath, (lines, samples)),
        nodata=(_TOP if level == "L1" else 0.0) if marked else None,
        kept_fields={**bands.fields, **_kept(parts, facts)},
        remarks=_remarks(detectors),
        product=facts,
    )


@dataclass(frozen=True)
class _Swath:
    name: str
    level: str

    @property
    def fields(self) -> str:
        return f"{self.name}/Data Fields"


def _swath(parts: Hdf5Parts) -> _Swath | None:
    group = parts.find("HDFEOS/SWATHS")
    names = list(group) if isinstance(group, h5py.Group) else []
    found = [match for match in map(_SWATH.fullmatch, names) if match]
    if not found:
        return None
    return _Swath(f"HDFEOS/SWATHS/{found[0][0]}", found[0][1].upper())


def _wanted(variable: str | None) -> tuple[str, ...]:
    if variable is None:
        return _DETECTORS
    name = variable.rsplit("/", 1)[-1].lower().removesuffix("_cube")
    return (name,) if name in _DETECTORS else ()


class _Detector:
    """The cube of a detector, without bands that were not acquired.

    Attributes:
        name: vnir or swir.
        shape: lines, samples, bands as stored.
        bands: those that were acquired, as stored.
        part: their values.
        flagged: whether flags of its values are applied.
    """

    def __init__(self, parts: Hdf5Parts, swath: _Swath, name: str, marked: bool) -> None:
        self.name = name
        upper, called = name.upper(), name.capitalize()
        root = parts.file
        source: LineSource = parts.lines(f"{swath.fields}/{upper}_Cube", _AXES)
        if source.dtype != np.uint16:
            raise InputFileError(parts.path, f"{upper}_Cube holds {source.dtype}", "uint16")
        lines, count, samples = parts.dataset(f"{swath.fields}/{upper}_Cube", 3).shape
        self.shape = (lines, samples, count)
        centres = parts.numbers(root, f"List_Cw_{called}")
        widths = parts.numbers(root, f"List_Fwhm_{called}")
        flags = f"List_Cw_{called}_Flags"
        used = parts.numbers(root, flags) if flags in root.attrs else np.ones(count)
        for what, values in ((f"List_Cw_{called}", centres), (f"List_Fwhm_{called}", widths),
                             (flags, used)):  # fmt: skip
            if len(values) != count:
                raise InputFileError(
                    parts.path, f"{what} lists {len(values)} bands", f"the {count} of {upper}_Cube"
                )
        kept = np.flatnonzero((centres != 0) & (used != 0))
        if not len(kept):
            raise InputFileError(
                parts.path, f"no band of {upper}_Cube has a wavelength", "List_Cw in nm"
            )
        gain, offset = _scale(parts, swath, called)
        self.bands = ProductBands(
            parts.path, centres[kept], widths[kept],
            np.full(len(kept), gain), np.full(len(kept), offset),
        )  # fmt: skip
        matrix = f"{upper}_PIXEL_{'SAT' if swath.level == 'L1' else 'L2'}_ERR_MATRIX"
        self.flagged = marked and parts.find(f"{swath.fields}/{matrix}") is not None
        if self.flagged:
            stored = parts.dataset(f"{swath.fields}/{matrix}", 3)
            if tuple(stored.shape) != (lines, count, samples):
                raise InputFileError(
                    parts.path, f"{matrix} of {size_text(stored.shape)}",
                    size_text((lines, count, samples)),
                )  # fmt: skip
            errors = parts.lines(f"{swath.fields}/{matrix}", _AXES)
            # L1: 1 saturated, 2 error, 3 both. L2: 1 invalid in L1, 2 negative, 4 saturated.
            bad, missing = ((2, 3), _TOP) if swath.level == "L1" else ((1,), 0.0)
            source = FlaggedLines(source, errors, bad, missing)
        self.part = BandsOf(source, kept)

    @property
    def left_out(self) -> int:
        """How many bands were not acquired."""
        return int(self.shape[2]) - len(self.bands)


def _scale(parts: Hdf5Parts, swath: _Swath, called: str) -> tuple[float, float]:
    root = parts.file
    if swath.level == "L1":
        factor = parts.number(root, f"ScaleFactor_{called}")
        if factor == 0:
            raise InputFileError(parts.path, f"ScaleFactor_{called} is 0", "another number")
        return 1 / factor, -parts.number(root, f"Offset_{called}")
    least = parts.number(root, f"L2Scale{called}Min")
    most = parts.number(root, f"L2Scale{called}Max")
    if most <= least:
        raise InputFileError(
            parts.path, f"L2Scale{called}Min is {least:g} and …Max {most:g}", "a larger maximum"
        )
    return (most - least) / _TOP, least


def _place(parts: Hdf5Parts, lines: int, samples: int) -> Georeference:
    """L2D's grid: corners are the centres of the corner pixels, or else their outer edges.

    The specification has centres; that 30 m lie between the pixels tells which.
    """
    root = parts.file
    left, right = (parts.number(root, f"Product_{c}corner_easting") for c in ("UL", "LR"))
    top, bottom = (parts.number(root, f"Product_{c}corner_northing") for c in ("UL", "LR"))
    code = parts.number(root, "Epsg_Code")
    if right <= left or top <= bottom or not 1024 <= code <= 99999 or code % 1:
        raise InputFileError(
            parts.path,
            f"corners at easting {left:g} to {right:g}, northing {top:g} to {bottom:g}, "
            f"Epsg_Code {code:g}",
            "a grid from its upper left to its lower right corner",
        )
    between = (samples - 1, lines - 1)
    sides = (right - left, top - bottom)
    edges = all(abs(s / n - _GRID) < 1e-3 for s, n in zip(sides, (samples, lines), strict=True))
    if edges or 0 in between:
        width, height, shift = sides[0] / samples, sides[1] / lines, 0.0
    else:
        width, height, shift = sides[0] / between[0], sides[1] / between[1], 0.5
    transform = (width, 0.0, left - shift * width, 0.0, -height, top + shift * height)
    return Georeference(f"EPSG:{int(code)}", transform)


def _facts(
    parts: Hdf5Parts, swath: _Swath, detectors: list[_Detector], marked: bool
) -> ProductFacts:
    quantity, unit = _QUANTITIES[swath.level]
    version = parts.text(parts.file, "Processor_Version", f"{swath.level}_Processor_Version",
                         "L1_Processor_Version")  # fmt: skip
    position = "map grid" if swath.level == "L2D" else "sensor geometry, without a map grid"
    flags = "errors" if swath.level == "L1" else "invalid"
    quality = ""
    if marked and any(detector.flagged for detector in detectors):
        quality = (
            f"values marked as {flags} in the error matrices are missing; saturated ones are kept"
        )
    return ProductFacts("PRISMA", swath.level, version, quantity, unit, position, quality)


def _places(parts: Hdf5Parts, swath: _Swath, shape: tuple[int, int]) -> Geolocation | None:
    fields = f"{swath.name}/Geolocation Fields"
    pairs = [
        (f"{fields}/Longitude{ending}", f"{fields}/Latitude{ending}")
        for ending in ("", *(f"_{name.upper()}" for name in _DETECTORS))
    ]
    return swath_places(parts, pairs, shape)


def _kept(parts: Hdf5Parts, facts: ProductFacts) -> dict[str, Any]:
    time = parts.text(parts.file, "Product_StartTime")
    return {"sensor type": facts.title} | ({"acquisition time": time} if time else {})


def _remarks(detectors: list[_Detector]) -> tuple[str, ...]:
    left_out = [
        f"{detector.left_out} {detector.name.upper()}"
        for detector in detectors
        if detector.left_out
    ]
    remarks = []
    if left_out:
        which = f"{' and '.join(left_out)} bands without a wavelength"
        remarks.append(f"{which} were not acquired and are left out")
    if len(detectors) == 2:
        vnir, swir = (detector.bands.centres for detector in detectors)
        low, high = swir.min(), vnir.max()
        overlap = f"; both hold {low:.0f}-{high:.0f} nm" if low < high else ""
        remarks.append(
            f"VNIR and SWIR are joined and sorted by wavelength{overlap}; "
            "--scene-variable vnir or swir reads one"
        )
    return tuple(remarks)
