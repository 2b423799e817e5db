"""TIFF files of one grey or RGB picture, which tifffile can hand over as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ...errors import InputFileError
from ...user_files import first_bytes
from .geotiff_tags import ExtraTag, copied_geotiff_tags
from .image_notes import tiff_dpi, tiff_orientation
from .tiff_directories import check_segments, check_tiff_directories

_ICC = 34675
# Kinds of extra samples that are transparency: associated with the colours, and not.
_ALPHA = (1, 2)
_COLOURED = (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR)
_INVERTED = tifffile.PHOTOMETRIC.MINISWHITE
_PLAIN = (tifffile.PHOTOMETRIC.MINISBLACK, _INVERTED, tifffile.PHOTOMETRIC.RGB)
TYPES = {
    "bool": "uint8",
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
        channels: colours of a pixel: 1 grey, 3 RGB.
        alpha: whether transparency follows them.
        dtype: of the values as they are handed over: uint8, uint16 or float32.
        white: the largest value that the file's bits can hold; 1 for floats. Fewer than 8 bits
            are stretched to 8.
        icc_profile: what the colours mean, or None.
        orientation: EXIF's number of the turn that brings the picture upright.
        dpi: dots per inch along samples and lines, or None.
        geotags: where it lies; () where it does not say.
    """

    lines: int
    samples: int
    channels: int
    alpha: bool
    dtype: np.dtype[Any]
    white: float
    icc_profile: bytes | None
    orientation: int
    dpi: tuple[float, float] | None
    geotags: tuple[ExtraTag, ...]

    def read(self, path: Path) -> NDArray[Any]:
        """The values, lines × samples × channels."""
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            check_segments(page)
            values = page.asarray()
            bits = page.bitspersample
            planar = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
            inverted = page.photometric == _INVERTED
        if values.ndim == 2:
            values = values[..., None]
        elif planar:
            values = np.moveaxis(values, 0, 2)
        with np.errstate(over="ignore"):
            values = values.astype(self.dtype, copy=False)
        if bits < 8:
            values = values * np.uint8(255 // (2**bits - 1))
        if inverted:
            values[..., 0] = self.dtype.type(self.white) - values[..., 0]
        return values


def is_tiff(path: Path) -> bool:
    """Whether a file begins as TIFF files do."""
    return first_bytes(path, 2, "an image") in (b"II", b"MM")


def is_one_picture(path: Path) -> bool:
    """Whether a TIFF file holds one grey or RGB picture, with transparency or without."""
    check_tiff_directories(path)
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        colours = page.samplesperpixel - sum(int(kind) in _ALPHA for kind in page.extrasamples)
        grey = page.photometric != tifffile.PHOTOMETRIC.RGB and colours == 1
        coloured = page.photometric in _COLOURED and colours == 3
        return _pictures(file) == 1 and (grey or coloured)


def plain_tiff(path: Path) -> PlainTiff | None:
    """The picture of a TIFF of grey or RGB values; None for other files and kinds of TIFF.

    Raises:
        InputFileError: it holds several pictures, bands that are neither colours nor said to be
            transparency, or values of another type.
    """
    if not is_tiff(path):
        return None
    check_tiff_directories(path)
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        if (pictures := _pictures(file)) > 1:
            raise InputFileError(path, f"holds {pictures} images", "one")
        alpha = bool(page.extrasamples) and int(page.extrasamples[-1]) in _ALPHA
        channels = page.samplesperpixel - alpha
        if channels not in (1, 3):
            raise InputFileError(
                path,
                f"has {page.samplesperpixel} bands" + (" with transparency" if alpha else ""),
                "grey or RGB, with a band that is marked as transparency or without",
            )
        if page.photometric not in _PLAIN:
            return None
        if page.dtype is None or page.dtype.name not in TYPES:
            raise InputFileError(
                path, f"holds values of {page.dtype}", "8 or 16 bits without sign, or floats"
            )
        dtype = np.dtype(TYPES[page.dtype.name])
        profile = page.tags.valueof(_ICC)
        return PlainTiff(
            page.imagelength,
            page.imagewidth,
            channels,
            alpha,
            dtype,
            1.0 if dtype.kind == "f" else float(2 ** max(page.bitspersample, 8) - 1),
            profile if isinstance(profile, bytes) else None,
            tiff_orientation(page),
            tiff_dpi(page),
            copied_geotiff_tags(page),
        )


def _pictures(file: tifffile.TiffFile) -> int:
    """Pictures of full size in a file; the slices of a volume count each."""
    pages = sum(not getattr(page, "is_reduced", False) for page in file.pages)
    return pages * int(file.pages.first.imagedepth)
