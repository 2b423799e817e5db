"""ENVI cubes: a header and a raw data file beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ...user_files import first_bytes
from ..scene import Georeference
from .array_choice import check_cube
from .class_names import ClassNames, names_nothing
from .cube_file import CubeFile
from .envi_data import open_envi_data
from .envi_fields import (
    Fields,
    has_items,
    ignored_value,
    list_items,
    numbers,
    single_value,
    stored_type,
    whole_number,
)
from .envi_header import GAINS, OFFSETS, HeaderList, HeaderValue, parse_envi_header
from .envi_lists import unfit_lists
from .file_format import header_beside
from .georeferencing import read_map_info
from .wavelength_units import in_nanometres, widths_in_nanometres

_OF_BANDS = ("bbl", GAINS, OFFSETS)
_OF_CUBES = ("reflectance scale factor", "sensor type", "acquisition time")
# File types whose data file holds something else than the values of a cube.
_OTHER_CONTENT = {
    "envi spectral library": "search with it: hsi retrieve query INDEX --spectrum FILE",
    "envi meta file": "save it as ENVI Standard",
    "envi virtual mosaic": "save it as ENVI Standard",
}


def open_envi(path: Path) -> CubeFile:
    """The cube of an ENVI header or data file; lines are read as asked for.

    Raises:
        InputFileError: a file of the pair is missing, the header lacks a field or gives it a value
            it cannot have, or the data file has another size than the header says.
    """
    header = path if _is_header(path) else header_beside(path)
    if header is None:
        raise InputFileError(path, "no ENVI header lies beside it", f"{path.stem}.hdr")
    fields = parse_envi_header(header)
    shape = (
        whole_number(header, fields, "lines", 1),
        whole_number(header, fields, "samples", 1),
        whole_number(header, fields, "bands", 1),
    )
    check_cube(header, shape, stored_type(header, fields)[0])
    _check_file_type(header, fields)
    data, source, remarks = open_envi_data(path, header, fields, shape)
    colours = _colours(fields)
    return CubeFile(
        path,
        "ENVI",
        shape,
        files=(header, data),
        wavelengths=_wavelengths(fields, shape[2]),
        fwhm=_fwhm(fields, shape[2]),
        georeference=_georeference(fields),
        nodata=ignored_value(header, fields),
        band_names=list_items(fields, "band names")
        if has_items(fields, "band names", shape[2])
        else (),
        default_bands=_default_bands(fields, shape[2]),
        kept_fields=_kept_fields(fields, shape[2]),
        class_names=_class_names(fields, colours),
        colours=colours,
        source=source,
        remarks=(*remarks, *unfit_lists(header, fields, shape[2])),
    )


def _is_header(path: Path) -> bool:
    return first_bytes(path, 64).removeprefix(b"\xef\xbb\xbf").lstrip()[:4] == b"ENVI"


def _check_file_type(header: Path, fields: Fields) -> None:
    """Refuse headers of something else; what other software calls its cubes does not matter."""
    kind = " ".join(single_value(header, fields, "file type").lower().split())
    if kind in _OTHER_CONTENT:
        raise InputFileError(
            header, f"file type = {kind}", "ENVI Standard or Classification", _OTHER_CONTENT[kind]
        )


def _wavelengths(fields: Fields, bands: int) -> NDArray[np.float64] | None:
    if not has_items(fields, "wavelength", bands):
        return None
    return in_nanometres(list_items(fields, "wavelength"), str(fields.get("wavelength units", "")))


def _fwhm(fields: Fields, bands: int) -> NDArray[np.float64] | None:
    """The widths stand in the unit of the wavelengths, whichever that was taken to be."""
    widths, centres = list_items(fields, "fwhm"), list_items(fields, "wavelength")
    if len(widths) != bands or len(centres) != bands:
        return None
    return widths_in_nanometres(widths, centres, str(fields.get("wavelength units", "")))


def _kept_fields(fields: Fields, bands: int) -> dict[str, HeaderValue]:
    of_bands: dict[str, HeaderValue] = {
        name: list_items(fields, name) for name in _OF_BANDS if has_items(fields, name, bands)
    }
    return of_bands | {name: fields[name] for name in _OF_CUBES if name in fields}


def _georeference(fields: Fields) -> Georeference | None:
    system = fields.get("coordinate system string")
    info = list_items(fields, "map info")
    return read_map_info(info, system if isinstance(system, str) else None)


def _default_bands(fields: Fields, bands: int) -> tuple[int, int, int] | None:
    values = numbers(list_items(fields, "default bands"))
    if values is None or any(value % 1 or not 1 <= value <= bands for value in values):
        return None
    chosen = [int(value) - 1 for value in values]
    if len(chosen) == 1:
        chosen *= 3
    return (chosen[0], chosen[1], chosen[2]) if len(chosen) == 3 else None


def _class_names(fields: Fields, colours: NDArray[np.uint8] | None) -> ClassNames | None:
    """The names; the first is that of label 0, but for writers who leave the unlabelled out."""
    listed, count = fields.get("class names", ()), numbers(list_items(fields, "classes"))
    items = list_items(fields, "class names")
    if not items:
        return None
    first = None
    if colours is not None and not colours[0].any():
        # ENVI shows what is unlabelled in black, however it is called.
        first = {0: 0, 1: 1}.get(len(colours) - len(items))
    # With the first name there, it is another one that is missing: two that lack their comma.
    if first == 1 and names_nothing(items[0]):
        first = 0
    counted = None if colours is None else len(colours)
    return ClassNames(
        items,
        first=first,
        count=int(count[0]) if count else counted,
        text=listed.text if isinstance(listed, HeaderList) else "",
    )


def _colours(fields: Fields) -> NDArray[np.uint8] | None:
    values = numbers(list_items(fields, "class lookup"))
    if values is None or len(values) % 3 or not all(0 <= value <= 255 for value in values):
        return None
    return np.array(values).astype(np.uint8).reshape(-1, 3)
