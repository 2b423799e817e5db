"""TIFF files of one grey or RGB picture, which tifffile can hand over as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ...errors import InputFileError
from .geotiff_tags import ExtraTag, copied_geotiff_tags
from .image_notes import tiff_dpi, tiff_orientation

_ICC = 34675
# Kinds of extra samples that are transparency: associated with the colours, and not.
_ALPHA = (1, 2)
_COLOURED = (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR)
_PLAIN = (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.RGB)
_TYPES = {
    "uint8": "uint8",
    "uint16": "uint16",
    "float16": "float32",
    "float32": "float32",
    "float64": "float32",
}


@dataclass(frozen=True)
class PlainTiff:
    """What the one picture of a TIFF file is.

    Attributes:
        lines: height in pixels, as stored.
        samples: width in pixels, as stored.
        channels: values of a pixel: 1 grey, 3 RGB, one more with transparency.
        dtype: of the values as they are handed over: uint8, uint16 or float32.
        icc_profile: what the colours mean, or None.
        orientation: EXIF's number of the turn that brings the picture upright.
        dpi: dots per inch along samples and lines, or None.
        geotags: where it lies; () where it does not say.
    """

    lines: int
    samples: int
    channels: int
    dtype: np.dtype[Any]
    icc_profile: bytes | None
    orientation: int
    dpi: tuple[float, float] | None
    geotags: tuple[ExtraTag, ...]

    def read(self, path: Path) -> NDArray[Any]:
        """The values, lines × samples × channels."""
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            values = page.asarray()
            planar = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
        if values.ndim == 2:
            values = values[..., None]
        elif planar:
            values = np.moveaxis(values, 0, 2)
        with np.errstate(over="ignore"):
            return values.astype(self.dtype, copy=False)


def is_one_picture(path: Path) -> bool:
    """Whether a TIFF file holds one grey or RGB picture, with transparency or without."""
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        colours = page.samplesperpixel - sum(int(kind) in _ALPHA for kind in page.extrasamples)
        grey = page.photometric != tifffile.PHOTOMETRIC.RGB and colours == 1
        coloured = page.photometric in _COLOURED and colours == 3
        return _pictures(file) == 1 and (grey or coloured)


def plain_tiff(path: Path) -> PlainTiff | None:
    """The picture of a TIFF of grey or RGB values; None for other files and kinds of TIFF.

    Raises:
        InputFileError: it holds several pictures, too many bands or values of another type.
    """
    with path.open("rb") as stream:
        if stream.read(4)[:2] not in (b"II", b"MM"):
            return None
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        if (pictures := _pictures(file)) > 1:
            raise InputFileError(path, f"holds {pictures} images", "one")
        if page.samplesperpixel > 4:
            raise InputFileError(
                path, f"has {page.samplesperpixel} bands", "a grey or RGB image of at most 4"
            )
        if page.photometric not in _PLAIN or page.bitspersample == 1:
            return None
        if page.dtype is None or page.dtype.name not in _TYPES:
            raise InputFileError(
                path, f"holds values of {page.dtype}", "8 or 16 bits without sign, or floats"
            )
        return PlainTiff(
            page.imagelength,
            page.imagewidth,
            page.samplesperpixel,
            np.dtype(_TYPES[page.dtype.name]),
            page.tags.valueof(_ICC),
            tiff_orientation(page),
            tiff_dpi(page),
            copied_geotiff_tags(page),
        )


def _pictures(file: tifffile.TiffFile) -> int:
    """Pictures of full size in a file; the slices of a volume count each."""
    pages = sum(not getattr(page, "is_reduced", False) for page in file.pages)
    return pages * int(file.pages.first.imagedepth)
