"""Tanager basic and ortho, radiance and surface reflectance: HDF-EOS5 files of Planet.

Layout after Planet's Tanager product specification (2025) as public readers use it: HyperCoast and
others that docs/how_to/products.md names.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import h5py
import numpy as np

from ....errors import InputFileError
from ...scene import Georeference
from ..array_axes import ArrayRequest
from ..array_choice import size_text
from ..cube_file import CubeFile, LineMask
from ..geolocation import Geolocation
from ..hdf5_facts import Missing, missing_markers
from .facts import ProductBands, ProductFacts
from .hdf5_parts import Hdf5Parts, attribute_nanometres, swath_places
from .joined_bands import FlagMask

_KINDS = {"SWATHS": "basic", "GRIDS": "ortho"}
_CUBES = {
    "surface_reflectance": ("surface reflectance", "1"),
    "toa_radiance": ("top-of-atmosphere radiance", "W m-2 sr-1 um-1"),
}
# Some tools do not keep the blank.
_FIELDS = ("Data Fields", "Data_Fields")
_PAIR = r"=\(\s*([-+.\deE]+)\s*,\s*([-+.\deE]+)\s*\)"
_NO_DATA = (1, 255)
_COPY = "copy or fetch the file again"


@dataclass(frozen=True)
class _Cube:
    kind: str
    group: str
    fields: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.group}/{self.fields}/{self.name}"


def open_tanager(parts: Hdf5Parts, request: ArrayRequest, marked: bool) -> CubeFile | None:
    """The cube of a Tanager product; None where the file is something else.

    Args:
        parts: the open file.
        request: which of radiance and reflectance is meant where there are both; other variables
            are left to the reader of plain HDF5.
        marked: whether the product's own marks of missing values count.

    Raises:
        InputFileError: data sets or attributes are missing or cannot be what they should be.
    """
    cube = _cube(parts, request.variable)
    if cube is None:
        return None
    dataset = parts.dataset(cube.path, 3)
    bands = _bands(parts, dataset)
    axes = _axes(parts, dataset, len(bands))
    missing = missing_markers(dataset) if marked else Missing()
    source = parts.lines(cube.path, axes, missing)
    lines, samples = (dataset.shape[axes.index(axis)] for axis in "yx")
    mask: LineMask | None = None
    flags = f"{cube.group}/{cube.fields}/nodata_pixels"
    if marked and parts.find(flags) is not None:
        mask = FlagMask(parts.layer(flags, (lines, samples)), _NO_DATA)
    quantity, unit = _CUBES[cube.name]
    position = "map grid"
    if cube.kind == "basic":
        position = "sensor geometry, without a map grid: ortho products have one"
    quality = "pixels that nodata_pixels names are masked; " if mask is not None else ""
    facts = ProductFacts(
        "Tanager", cube.kind, parts.text(parts.file, "product_version"), quantity,
        unit, position, f"{quality}beta_cloud_mask and beta_cirrus_mask are not applied",
    )  # fmt: skip
    return CubeFile(
        parts.path,
        "HDF5",
        (lines, samples, len(bands)),
        source,
        (parts.path,),
        wavelengths=bands.centres,
        fwhm=bands.widths if len(bands.widths) else None,
        georeference=_place(parts, cube, lines, samples) if cube.kind == "ortho" else None,
        geolocation=_places(parts, cube, lines, samples),
        nodata=missing.value,
        kept_fields={**bands.fields, "sensor type": facts.title},
        mask=mask,
        remarks=missing.remarks,
        product=facts,
    )


def _cube(parts: Hdf5Parts, variable: str | None) -> _Cube | None:
    for group, kind in _KINDS.items():
        place = f"HDFEOS/{group}/HYP"
        if not isinstance(parts.find(place), h5py.Group):
            continue
        for fields, name in itertools.product(_FIELDS, _CUBES):
            cube = _Cube(kind, place, fields, name)
            wanted = variable is None or variable.strip("/") in (name, cube.path)
            if wanted and isinstance(parts.find(cube.path), h5py.Dataset):
                return cube
        if variable is None:
            raise InputFileError(
                parts.path, f"{place}/Data Fields holds no cube",
                "surface_reflectance or toa_radiance", _COPY,
            )  # fmt: skip
    return None


def _bands(parts: Hdf5Parts, dataset: h5py.Dataset) -> ProductBands:
    centres = attribute_nanometres(parts, dataset, "wavelengths")
    widths = attribute_nanometres(parts, dataset, "fwhm") if "fwhm" in dataset.attrs else None
    marks = "good_wavelengths"
    good = parts.numbers(dataset, marks) != 0 if marks in dataset.attrs else np.zeros(0)
    return ProductBands(parts.path, centres, np.zeros(0) if widths is None else widths, good=good)


def _axes(parts: Hdf5Parts, dataset: h5py.Dataset, bands: int) -> tuple[str, ...]:
    """Bands come first; in files that others have turned they may come last."""
    if dataset.shape[0] == bands:
        return ("band", "y", "x")
    if dataset.shape[2] == bands:
        return ("y", "x", "band")
    raise InputFileError(
        parts.path,
        f"the attribute wavelengths lists {bands} bands",
        f"as many as {dataset.name} has, {size_text(dataset.shape)}",
        _COPY,
    )


def _places(parts: Hdf5Parts, cube: _Cube, lines: int, samples: int) -> Geolocation | None:
    if cube.kind != "basic":
        return None
    groups = (f"{cube.group}/Geolocation{mark}Fields" for mark in " _")
    pairs = [(f"{group}/Longitude", f"{group}/Latitude") for group in groups]
    return swath_places(parts, pairs, (lines, samples))


def _place(parts: Hdf5Parts, cube: _Cube, lines: int, samples: int) -> Georeference:
    """The grid by the corners in HDF-EOS's description of it: outer edges, as GD_UL says."""
    text = _struct_metadata(parts)
    corners = [re.search(name + _PAIR, text) for name in ("UpperLeftPointMtrs", "LowerRightMtrs")]
    try:
        (left, top), (right, bottom) = (tuple(map(float, m.groups())) for m in corners if m)
    except ValueError:
        raise InputFileError(
            parts.path, "StructMetadata.0 tells no corners of the grid",
            "UpperLeftPointMtrs and LowerRightMtrs", _COPY,
        ) from None  # fmt: skip
    sides = np.array([right - left, top - bottom])
    if not np.isfinite(sides).all() or (sides <= 0).any():
        raise InputFileError(
            parts.path, f"the grid's corners are ({left:g}, {top:g}) and ({right:g}, {bottom:g})",
            "upper left and lower right", _COPY,
        )  # fmt: skip
    width, height = sides / (samples, lines)
    transform = (float(width), 0.0, left, 0.0, -float(height), top)
    return Georeference(_system(parts, cube, text), transform)


def _struct_metadata(parts: Hdf5Parts) -> str:
    item = parts.find("HDFEOS INFORMATION/StructMetadata.0")
    if not isinstance(item, h5py.Dataset) or item.shape != () or item.dtype.kind not in "SO":
        raise InputFileError(parts.path, "holds no StructMetadata.0", "a whole product", _COPY)
    value = item[()]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    # Several grids may be described; ours bears the name of its group.
    blocks = re.findall(r"GROUP=GRID_\d+(.*?)END_GROUP=GRID_\d+", text, re.DOTALL)
    return next((block for block in blocks if 'GridName="HYP"' in block), text)


def _system(parts: Hdf5Parts, cube: _Cube, text: str) -> str | None:
    group = parts.find(cube.group)
    if "epsg_code" in group.attrs:
        return f"EPSG:{parts.number(group, 'epsg_code'):.0f}"
    zone = re.search(r"HE5_GCTP_UTM\s+ZoneCode=(-?\d{1,2})\b", text)
    if zone is None or not 1 <= abs(int(zone[1])) <= 60:
        return None
    # GCTP's zones of the southern hemisphere are negative.
    return f"EPSG:{(32600 if int(zone[1]) > 0 else 32700) + abs(int(zone[1]))}"
