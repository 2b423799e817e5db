"""Photographs as PNG, JPEG, TIFF and BMP files, with their colour profile and camera's notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from ..atomic import atomic_file
from ..errors import OutputError
from .formats.deep_png import encode_deep_png
from .photographs import Photograph

_METRES_PER_INCH = 0.0254
_JPEG_QUALITY = 95
_EIGHT, _DEEP, _FLOAT = np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)
# What values each kind of file holds, and whether it holds transparency.
_HOLDS: dict[str, tuple[tuple[np.dtype[Any], ...], bool]] = {
    ".png": ((_EIGHT, _DEEP), True),
    ".jpg": ((_EIGHT,), False),
    ".jpeg": ((_EIGHT,), False),
    ".bmp": ((_EIGHT,), False),
    ".tif": ((_EIGHT, _DEEP, _FLOAT), True),
    ".tiff": ((_EIGHT, _DEEP, _FLOAT), True),
}


def check_writable(path: Path, dtype: np.dtype[Any], alpha: bool) -> None:
    """See that a file of this name can hold a photograph, before work is done for it.

    Args:
        path: what will be written.
        dtype: of the values: uint8, uint16 or float32.
        alpha: whether there is transparency.

    Raises:
        OutputError: it cannot.
    """
    if path.suffix.lower() not in _HOLDS:
        raise OutputError(path, "ends as no image file does", f"one of {', '.join(_HOLDS)}")
    types, transparent = _HOLDS[path.suffix.lower()]
    if dtype not in types or (alpha and not transparent):
        what = "transparency" if dtype in types else f"{dtype} values"
        others = [end for end, (held, clear) in _HOLDS.items() if dtype in held and clear >= alpha]
        raise OutputError(
            path, f"cannot hold the input's {what}", f"a file ending {' or '.join(others)}"
        )


def write_photograph(path: Path, photograph: Photograph) -> None:
    """Write a photograph, whole or not at all; the ending chooses the kind of file.

    A PNG or JPEG keeps profile, EXIF and resolution, a TIFF profile, orientation and resolution;
    BMP files hold none of these. JPEG files are of quality 95 without colour subsampling.

    Raises:
        OutputError: a file of this ending cannot hold it, or the place cannot be written.
    """
    check_writable(path, photograph.values.dtype, photograph.alpha is not None)
    with atomic_file(path) as temporary:
        if path.suffix.lower() in (".tif", ".tiff"):
            _write_tiff(temporary, photograph)
        elif photograph.values.dtype == np.uint16:
            _write_deep_png(temporary, photograph)
        else:
            _write_with_pillow(temporary, photograph)


def _with_alpha(photograph: Photograph) -> NDArray[Any]:
    """Colours and transparency as lines × samples (× channels)."""
    if photograph.alpha is None:
        return photograph.values
    return np.dstack([photograph.values, photograph.alpha])


def _write_with_pillow(path: Path, photograph: Photograph) -> None:
    options: dict[str, Any] = {}
    if photograph.icc_profile is not None:
        options["icc_profile"] = photograph.icc_profile
    if photograph.exif is not None:
        options["exif"] = b"Exif\0\0" + photograph.exif
    if photograph.dpi is not None:
        options["dpi"] = photograph.dpi
    if path.suffix.lower() in (".jpg", ".jpeg"):
        options |= {"quality": _JPEG_QUALITY, "subsampling": 0}
    elif path.suffix.lower() == ".bmp":
        options = {}
    Image.fromarray(_with_alpha(photograph)).save(path, **options)


def _write_deep_png(path: Path, photograph: Photograph) -> None:
    values = _with_alpha(photograph)
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


def _write_tiff(path: Path, photograph: Photograph) -> None:
    options: dict[str, Any] = {}
    if photograph.alpha is not None:
        options["extrasamples"] = ["unassalpha"]
    if photograph.dpi is not None:
        options |= {"resolution": photograph.dpi, "resolutionunit": "inch"}
    if photograph.orientation != 1:
        options["extratags"] = [(274, "H", 1, photograph.orientation, True)]
    # tifffile takes a last axis of two for pages unless told that it is planes of one picture.
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
