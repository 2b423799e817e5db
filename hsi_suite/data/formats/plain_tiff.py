"""Pictures in TIFF files, as tifffile can hand them over: grey, RGB, palettes, inks, CIE Lab."""

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
from .other_colours import Inks, rgb_of_lab
from .tiff_directories import check_segments, check_tiff_directories
from .tiff_exif import xmp_of_tiff

_ICC = 34675
# Kinds of extra samples that are transparency: associated with the colours, and not.
_ALPHA = (1, 2)
_KIND = tifffile.PHOTOMETRIC
_INVERTED, _PALETTE, _INKS = _KIND.MINISWHITE, _KIND.PALETTE, _KIND.SEPARATED
_LAB = (_KIND.CIELAB, _KIND.ICCLAB)
_COLOURED = (_KIND.RGB, _KIND.YCBCR, *_LAB)
# What Pillow reads where a file holds one picture alone.
_PILLOWS = (_PALETTE, _KIND.YCBCR)
_READ = (_KIND.MINISBLACK, _INVERTED, _KIND.RGB, _INKS, *_LAB, *_PILLOWS)
TYPES = {
    "bool": "uint8",
    "uint8": "uint8",
    "uint16": "uint16",
    "float16": "float32",
    "float32": "float32",
    "float64": "float32",
    # With a sign or more bits than a picture's, whole numbers are measured values.
    "int8": "float32",
    "int16": "float32",
    "int32": "float32",
    "uint32": "float32",
    "int64": "float32",
    "uint64": "float32",
}


@dataclass(frozen=True)
class PlainTiff:
    """What a picture of a TIFF file is.

    Attributes:
        lines: height in pixels, as stored.
        samples: width in pixels, as stored.
        channels: colours of a pixel as they are handed over: 1 grey, 3 RGB.
        alpha: whether transparency follows them.
        dtype: of the values as they are handed over: uint8, uint16 or float32.
        white: the largest value that the file's bits can hold; 1 for floats. Fewer than 8 bits
            are stretched to 8.
        icc_profile: what the colours mean, or None.
        orientation: EXIF's number of the turn that brings the picture upright.
        dpi: dots per inch along samples and lines, or None.
        geotags: where it lies; () where it does not say.
        remark: what becomes of its values where they are not handed over as they are, or "".
        xmp: what programs noted, or None.
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
    remark: str = ""
    xmp: bytes | None = None

    def read(self, path: Path) -> NDArray[Any]:
        """The values of the first picture, lines × samples × channels, transparency last."""
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            check_segments(page)
            return self.converted(page, page.asarray())

    def converted(self, page: tifffile.TiffPage, values: NDArray[Any]) -> NDArray[Any]:
        """The same, of the page that it describes, from values as tifffile decodes them."""
        if values.ndim == 2:
            values = values[..., None]
        elif page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
            values = np.moveaxis(values, 0, 2)
        kind, bits = page.photometric, page.bitspersample
        if kind == _PALETTE:
            return np.ascontiguousarray(_palette(page)[values[..., 0].astype(np.uint8)])
        if kind == _INKS:
            eight = values if bits == 8 else np.rint(values / np.float32(257)).astype(np.uint8)
            return Inks(_profile(page))(eight)
        if kind in _LAB:
            return rgb_of_lab(values, kind)
        with np.errstate(over="ignore"):
            values = values.astype(self.dtype, copy=False)
        if bits < 8 and self.dtype.kind == "u":
            values = values * np.uint8(255 // (2**bits - 1))
        if kind == _INVERTED:
            values[..., 0] = self.dtype.type(self.white) - values[..., 0]
        return values


def is_tiff(path: Path) -> bool:
    """Whether a file begins as TIFF files do."""
    return first_bytes(path, 2, "an image") in (b"II", b"MM")


def is_one_picture(path: Path) -> bool:
    """Whether a TIFF file holds one picture in grey or colours, with transparency or without."""
    check_tiff_directories(path)
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        colours = page.samplesperpixel - sum(int(kind) in _ALPHA for kind in page.extrasamples)
        grey = page.photometric != tifffile.PHOTOMETRIC.RGB and colours == 1
        coloured = page.photometric in _COLOURED and colours == 3
        inks = page.photometric == _INKS and colours == 4
        return _pictures(file) == 1 and (grey or coloured or inks)


def plain_tiff(path: Path) -> PlainTiff | None:
    """The one picture of a TIFF file; None for other files, and for kinds that Pillow reads.

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
        return None if page.photometric in _PILLOWS else page_picture(path, page)


def page_picture(path: Path, page: tifffile.TiffPage) -> PlainTiff:
    """What a page of a TIFF file is.

    Raises:
        InputFileError: bands that are neither colours nor said to be transparency, or values of
            another type.
    """
    alpha = bool(page.extrasamples) and int(page.extrasamples[-1]) in _ALPHA
    stored = page.samplesperpixel - alpha
    if stored not in (1, 3) and not (stored == 4 and page.photometric == _INKS and not alpha):
        raise InputFileError(
            path,
            f"has {page.samplesperpixel} bands" + (" with transparency" if alpha else ""),
            "grey, RGB or CMYK, with a band that is marked as transparency or without",
        )
    if page.photometric not in _READ or page.dtype is None or page.dtype.name not in TYPES:
        what = _name(page.photometric) if page.photometric not in _READ else f"{page.dtype}"
        raise InputFileError(
            path, f"holds values of {what}", "grey or colours of whole numbers or floats"
        )
    _check_colours(path, page)
    converted = page.photometric in (_INKS, _PALETTE)
    dtype = np.dtype("uint8" if converted else TYPES[page.dtype.name])
    whole = dtype.kind == "u"
    profile = None if page.photometric in (_INKS, *_LAB) else _profile(page)
    return PlainTiff(
        page.imagelength,
        page.imagewidth,
        3 if converted else stored,
        alpha,
        dtype,
        float(2 ** max(8 if converted else page.bitspersample, 8) - 1) if whole else 1.0,
        profile,
        tiff_orientation(page),
        tiff_dpi(page),
        copied_geotiff_tags(page),
        _remark(page, dtype),
        xmp_of_tiff(page),
    )


def _check_colours(path: Path, page: tifffile.TiffPage) -> None:
    """Refuse colours in a form that nothing here converts."""
    kind, alpha, bits = page.photometric, bool(page.extrasamples), page.bitspersample
    name = page.dtype.name if page.dtype is not None else ""
    fine = True
    if kind in (_INKS, *_LAB):
        fine = name in ("uint8", "uint16") and bits in (8, 16) and not alpha
    elif kind == _PALETTE:
        fine = name in ("bool", "uint8") and page.colormap is not None and not alpha
    elif kind == _KIND.YCBCR:
        fine = page.compression == tifffile.COMPRESSION.JPEG  # whose decoder makes RGB of them
    elif kind == _INVERTED:
        fine = name in ("bool", "uint8", "uint16") or name.startswith("float")
    if not fine:
        raise InputFileError(
            path,
            f"has colours of {_name(kind)} in {bits} bits" + (" with more bands" if alpha else ""),
            "grey or RGB",
            "convert it",
        )


def _name(kind: int) -> str:
    try:
        return tifffile.PHOTOMETRIC(kind).name
    except ValueError:
        return f"kind {kind}"


def _remark(page: tifffile.TiffPage, dtype: np.dtype[Any]) -> str:
    if page.photometric == _INKS:
        depth = " of 8 bits" if page.bitspersample == 16 else ""
        return Inks(_profile(page)).remark + depth
    if page.photometric in _LAB:
        return "its CIE Lab values become sRGB"
    if dtype.kind == "f" and page.dtype is not None and page.dtype.kind in "iu":
        return f"its values ({page.dtype.name}) are taken for measured ones and written as floats"
    return ""


def _palette(page: tifffile.TiffPage) -> NDArray[np.uint8]:
    """Red, green and blue of each number, numbers × 3."""
    colours = np.asarray(page.colormap).T
    # 16 bits by the standard; some writers put in 8.
    return colours.astype(np.uint8) if colours.max() < 256 else (colours >> 8).astype(np.uint8)


def _profile(page: tifffile.TiffPage) -> bytes | None:
    found = page.tags.valueof(_ICC)
    return found if isinstance(found, bytes) else None


def _pictures(file: tifffile.TiffFile) -> int:
    """Pictures of full size in a file; the slices of a volume count each."""
    pages = sum(not getattr(page, "is_reduced", False) for page in file.pages)
    return pages * int(file.pages.first.imagedepth)
