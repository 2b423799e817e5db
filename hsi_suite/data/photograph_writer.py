"""Photographs as PNG, JPEG, TIFF and BMP files, with their colour profile and camera's notes."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from ..atomic import atomic_file
from ..errors import OutputError
from .formats.deep_png import encode_deep_png
from .formats.image_notes import orientation_as_exif, upright
from .photographs import Photograph, PhotographHeader

_METRES_PER_INCH = 0.0254
_JPEG = (".jpg", ".jpeg")
_JPEG_QUALITY = 95
# What the format's counters of 16 bits hold, less what is counted along.
_JPEG_SIDE = 65_500
_JPEG_EXIF = 65_500
_EIGHT, _DEEP, _FLOAT = np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)
_CANNOT_ENCODE = (ArithmeticError, LookupError, TypeError, ValueError, struct.error)
# What values each kind of file holds, and whether it holds transparency.
_HOLDS: dict[str, tuple[tuple[np.dtype[Any], ...], bool]] = {
    ".png": ((_EIGHT, _DEEP), True),
    ".jpg": ((_EIGHT,), False),
    ".jpeg": ((_EIGHT,), False),
    ".bmp": ((_EIGHT,), False),
    ".tif": ((_EIGHT, _DEEP, _FLOAT), True),
    ".tiff": ((_EIGHT, _DEEP, _FLOAT), True),
}


def check_writable(path: Path, header: PhotographHeader) -> None:
    """See that a file of this name can hold a photograph, before work is done for it.

    Raises:
        OutputError: it cannot.
    """
    ending, dtype, alpha = path.suffix.lower(), header.dtype, header.alpha
    if ending not in _HOLDS:
        raise OutputError(path, "ends as no image file does", f"one of {', '.join(_HOLDS)}")
    if header.pages > 1 and ending not in (".tif", ".tiff"):
        raise OutputError(path, f"cannot hold {header.pages} pages", "a file ending .tif")
    types, transparent = _HOLDS[ending]
    if dtype not in types or (alpha and not transparent):
        what = "transparency" if dtype in types else f"{dtype} values"
        others = [end for end, (held, clear) in _HOLDS.items() if dtype in held and clear >= alpha]
        raise OutputError(
            path, f"cannot hold the input's {what}", f"a file ending {' or '.join(others)}"
        )
    if ending in _JPEG and max(header.lines, header.samples) > _JPEG_SIDE:
        raise OutputError(
            path,
            f"cannot hold {header.samples:,} × {header.lines:,} pixels",
            f"at most {_JPEG_SIDE:,} along each side, or a file ending .png or .tif",
        )


def write_photograph(path: Path, photograph: Photograph, *, overwrite: bool = True) -> None:
    """Write a photograph, whole or not at all; the ending chooses the kind of file.

    A PNG or JPEG keeps profile, EXIF and resolution, a TIFF profile, orientation, resolution
    and coordinates; a JPEG for which the EXIF is too long keeps its orientation.
    A BMP file keeps the resolution alone, so its pixels are turned upright. JPEG files are of
    quality 95 without colour subsampling. Values of 9 to 15 bits stay as they are in a TIFF and
    are stretched to 16 in a PNG, as that format has no other white.

    Args:
        path: where to.
        photograph: what is written.
        overwrite: whether it may take the place of a file that has come meanwhile.

    Raises:
        OutputError: a file of this ending cannot hold it, or the place cannot be written.
        ExistingOutputError: there is a file, which must be kept.
    """
    check_writable(path, photograph.header)
    with atomic_file(path, replace=overwrite) as temporary, encoding(path):
        if path.suffix.lower() in (".tif", ".tiff"):
            _write_tiff(temporary, photograph)
        elif photograph.values.dtype == np.uint16:
            _write_deep_png(temporary, photograph)
        else:
            _write_with_pillow(temporary, photograph)


@contextmanager
def encoding(path: Path) -> Iterator[None]:
    """What a library cannot encode is one clear line."""
    try:
        yield
    except _CANNOT_ENCODE as error:
        raise OutputError(
            path,
            f"cannot be encoded ({error or type(error).__name__})",
            "what this kind of file can hold",
            "name another kind with -o, such as .tif",
        ) from error


def _with_alpha(photograph: Photograph) -> NDArray[Any]:
    """Colours and transparency as lines × samples (× channels)."""
    if photograph.alpha is None:
        return photograph.values
    return np.dstack([photograph.values, photograph.alpha])


def _write_with_pillow(path: Path, photograph: Photograph) -> None:
    options: dict[str, Any] = {}
    values, dpi = _with_alpha(photograph), photograph.dpi
    if path.suffix.lower() == ".bmp":
        values = upright(values, photograph.orientation)
        dpi = dpi[::-1] if dpi is not None and photograph.orientation >= 5 else dpi
    else:
        options["icc_profile"] = photograph.icc_profile
        exif = photograph.exif
        if exif is not None and len(exif) > _JPEG_EXIF and path.suffix.lower() in _JPEG:
            exif = orientation_as_exif(photograph.orientation)
        if exif is not None:
            options["exif"] = b"Exif\0\0" + exif
    if dpi is not None:
        options["dpi"] = dpi
    if path.suffix.lower() in _JPEG:
        options |= {"quality": _JPEG_QUALITY, "subsampling": 0}
    encoded = io.BytesIO()
    kind = "JPEG" if path.suffix.lower() in _JPEG else path.suffix[1:].upper()
    Image.fromarray(values).save(encoded, kind, **options)
    # Into a file Pillow's encoders write themselves, and overlook a disk that is full.
    path.write_bytes(encoded.getbuffer())


def _write_deep_png(path: Path, photograph: Photograph) -> None:
    values = _full_range(_with_alpha(photograph), photograph.header.white)
    resolution = None
    if photograph.dpi is not None:
        across, along = (round(value / _METRES_PER_INCH) for value in photograph.dpi)
        resolution = (across, along)
    with path.open("wb") as stream:
        encode_deep_png(
            stream,
            values.reshape(*values.shape[:2], -1),
            icc_profile=photograph.icc_profile,
            exif=photograph.exif,
            dots_per_metre=resolution,
        )


def _full_range(values: NDArray[np.uint16], white: float) -> NDArray[np.uint16]:
    most = np.iinfo(np.uint16).max
    if white == most:
        return values
    stretched: NDArray[np.uint16] = np.rint(np.minimum(values * (most / white), most)).astype("u2")
    return stretched


def _write_tiff(path: Path, photograph: Photograph) -> None:
    options: dict[str, Any] = {}
    if photograph.alpha is not None:
        options["extrasamples"] = ["unassalpha"]
    if photograph.dpi is not None:
        options |= {"resolution": photograph.dpi, "resolutionunit": "inch"}
    options["extratags"] = list(photograph.geotags)
    if photograph.orientation != 1:
        options["extratags"].append((274, "H", 1, photograph.orientation, True))
    # tifffile takes a last axis of two for pages unless it is said to be planes of one picture.
    values = _with_alpha(photograph)
    if values.ndim == 3:
        options["planarconfig"] = "contig"
    tifffile.imwrite(
        path,
        values,
        photometric="rgb" if photograph.values.ndim == 3 else "minisblack",
        compression="zlib",
        iccprofile=photograph.icc_profile,
        metadata=None,
        software="",
        **options,
    )
