"""Telling file formats apart by their first bytes, never by their names."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Literal

from ...errors import InputFileError
from ...user_files import is_there
from .deliveries import refuse_folder, refuse_packed, refuse_zip
from .other_formats import HEAD, other_format

_BOM = b"\xef\xbb\xbf"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_NETCDF_CLASSIC = (b"CDF\1", b"CDF\2", b"CDF\5")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_MATLAB_V5 = (b"\x00\x01IM", b"\x01\x00MI")
MATLAB_V73 = (b"\x00\x02IM", b"\x02\x00MI")
# A declaration, or an element whose name is followed by what may stand there.
_XML = re.compile(rb"\s*<(\?xml\s|[A-Za-z_][\w:.-]*[\s/>])")
KNOWN_FORMATS = "MATLAB (v4 to v7.3), HDF5, NPY, NPZ, ENVI, TIFF or the XML of a product"


class FileFormat(StrEnum):
    """The formats that can be read, by the names messages use."""

    MATLAB = "MATLAB"
    HDF5 = "HDF5"
    NPY = "NPY"
    NPZ = "NPZ"
    ENVI_HEADER = "ENVI header"
    ENVI_DATA = "ENVI data"
    TIFF = "TIFF"
    PNG = "PNG"
    XML = "XML"
    OTHER = "another package's format"


def recognise_format(path: Path) -> FileFormat:
    """The format of `path` by its content; MATLAB v7.3 is HDF5.

    Raises:
        InputFileError: the path is missing, a folder, empty, unreadable or of no known format.
    """
    head = _first_bytes(path)
    found = _by_magic(head)
    if found is FileFormat.NPZ:
        refuse_zip(path)
    if found is not None:
        return found
    if other_format(head, path) is not None:
        return FileFormat.OTHER
    # What follows has no magic bytes of its own: a header lying beside outweighs a guess.
    if header_beside(path) is not None:
        return FileFormat.ENVI_DATA
    refuse_packed(path, head)
    if head.startswith(_NETCDF_CLASSIC):
        remedy = "`nccopy -k nc4 OLD NEW` converts it, and so does xarray's to_netcdf"
        raise InputFileError(path, "this is netCDF in its classic format", "netCDF-4", remedy)
    if _looks_like_matlab_v4(head):
        return FileFormat.MATLAB
    if _is_text(head):
        remedy = "save its numbers as .npy: numpy.loadtxt reads them, numpy.save writes them"
        raise InputFileError(path, "this is text, of no known format", KNOWN_FORMATS, remedy)
    raise InputFileError(
        path,
        "the content is of no known format",
        KNOWN_FORMATS,
        "an ENVI data file needs its .hdr file beside it",
    )


def header_beside(path: Path) -> Path | None:
    """The ENVI header of the data file `path`: cube.img.hdr or cube.hdr; None when neither is."""
    names = [path.name + ending for ending in (".hdr", ".HDR")]
    names += [path.stem + ending for ending in (".hdr", ".HDR")]
    for name in names:
        candidate = path.with_name(name)
        if candidate != path and candidate.is_file():
            return candidate
    return None


def refuse_pipe(path: Path) -> None:
    """Refuse what can be read only once, or waits for who writes it; a missing path is no matter.

    Raises:
        InputFileError: the path is a pipe, a socket or a device.
    """
    if is_there(path) and not path.is_file() and not path.is_dir():
        raise InputFileError(
            path, "this is a pipe, a socket or a device", "a file", "save its content first"
        )


def _first_bytes(path: Path) -> bytes:
    if is_there(path) and path.is_dir():
        refuse_folder(path)
    refuse_pipe(path)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except FileNotFoundError as error:
        raise InputFileError(path, "no such file", "", "check the path") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputFileError(path, f"cannot be opened ({reason})", "a readable file") from error
    if not head:
        raise InputFileError(path, "the file is empty", KNOWN_FORMATS, "copy or fetch it again")
    return head


def _by_magic(head: bytes) -> FileFormat | None:
    if head.startswith(b"\x93NUMPY"):
        return FileFormat.NPY
    if head.startswith(_ZIP):
        return FileFormat.NPZ
    if head.startswith(_TIFF):
        return FileFormat.TIFF
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return FileFormat.PNG
    if head.startswith(_HDF5) or head[512:520] == _HDF5 or head[124:128] in MATLAB_V73:
        return FileFormat.HDF5
    if head[124:128] in _MATLAB_V5:
        return FileFormat.MATLAB
    if head.removeprefix(_BOM).lstrip()[:4] == b"ENVI":
        return FileFormat.ENVI_HEADER
    if _XML.match(head.removeprefix(_BOM)):
        return FileFormat.XML
    return None


def _is_text(head: bytes) -> bool:
    return all(32 <= byte < 127 or byte in b"\t\n\r\f" for byte in head.removeprefix(_BOM))


def _looks_like_matlab_v4(head: bytes) -> bool:
    """Whether `head` opens with a v4 matrix header: type, rows, columns, imaginary, name length."""
    if len(head) < 20:
        return False
    orders: tuple[Literal["little", "big"], ...] = ("little", "big")
    for order in orders:
        fields = [int.from_bytes(head[at : at + 4], order) for at in range(0, 20, 4)]
        kind, rows, columns, imaginary, name_length = fields
        machine, reserved, precision, matrix = (kind // place % 10 for place in (1000, 100, 10, 1))
        if (
            kind < 5000
            and machine == (order == "big")
            and reserved == 0
            and precision <= 5
            and matrix <= 2
            and max(rows, columns) < 2**31
            and imaginary <= 1
            and 1 < name_length <= 256
        ):
            return True
    return False
