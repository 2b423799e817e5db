"""HEIC and RAW files of cameras, which need packages of their own: pillow-heif and rawpy."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from ...errors import InputFileError
from ...user_files import first_bytes
from ..photograph_endings import RAW_ENDINGS
from .decoded_picture import DecodedPicture, PictureHeader
from .image_notes import with_orientation
from .png_colours import chunks_of_codes
from .tiff_exif import exif_of_tiff

_EXTRA = "pip install 'hsi-suite[photos]', or convert it to PNG or TIFF"
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# Turns of a quarter among LibRaw's, which exchange lines and samples.
_QUARTERS = (5, 6)
_MOST_SAID = 1000


def is_heic(path: Path) -> bool:
    """Whether a file begins as HEIC pictures do."""
    head = first_bytes(path, 12, "an image")
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS


def is_raw(path: Path) -> bool:
    """Whether a file is named as cameras name their raw files, many of which are TIFF inside."""
    return path.suffix.lower() in RAW_ENDINGS


def camera_header(path: Path) -> PictureHeader | None:
    """What a HEIC or RAW file holds; None for other files.

    Raises:
        InputFileError: the package that reads it is not installed.
    """
    if is_raw(path):
        package = _package(path, "rawpy", "a camera's raw file")
        with _loud_errors(), package.imread(str(path)) as raw:
            sizes = raw.sizes
            sides = (sizes.iheight, sizes.iwidth)
            lines, samples = sides[::-1] if sizes.flip in _QUARTERS else sides
        return PictureHeader(lines, samples, 3, np.dtype(np.uint16), False)
    if not is_heic(path):
        return None
    image = _open_heic(path)
    mode = image.mode.partition(";")
    dtype = np.dtype(np.uint16 if mode[2] else np.uint8)
    samples, lines = image.size
    return PictureHeader(lines, samples, 1 if mode[0][0] == "L" else 3, dtype, mode[0][-1] == "A")


def camera_picture(path: Path) -> DecodedPicture | None:
    """The picture of a HEIC or RAW file; None for other files.

    RAW files are developed with the camera's white balance into sRGB of 16 bits, without a change
    of brightness.

    Raises:
        InputFileError: the package that reads it is not installed.
    """
    if is_raw(path):
        return _developed(path)
    if not is_heic(path):
        return None
    image = _open_heic(path)
    info = image.info
    exif = (info.get("exif") or b"").removeprefix(b"Exif\0\0") or None
    values, icc, codes = np.array(image), info.get("icc_profile") or None, _codes(info)
    return DecodedPicture(
        values.reshape(*values.shape[:2], -1),
        # The turn that EXIF notes has been done by the decoder.
        with_orientation(exif, 1),
        info.get("xmp") or None,
        icc,
        colours=() if icc is not None or codes is None else chunks_of_codes(*codes),
    )


def _codes(info: dict[str, Any]) -> tuple[int, int] | None:
    """Code points (ITU-T H.273) of primaries and tone curve, where they are said."""
    said = info.get("nclx_profile") or {}
    primaries, curve = said.get("color_primaries"), said.get("transfer_characteristics")
    return None if primaries is None or curve is None else (int(primaries), int(curve))


def _developed(path: Path) -> DecodedPicture:
    rawpy = _package(path, "rawpy", "a camera's raw file")
    with _loud_errors(), rawpy.imread(str(path)) as raw:
        values = raw.postprocess(
            use_camera_wb=True, no_auto_bright=True, output_bps=16, gamma=(2.4, 12.92)
        )
    return DecodedPicture(
        values,
        exif_of_tiff(path),
        None,
        None,
        "is developed with the camera's white balance into sRGB of 16 bits",
    )


def _open_heic(path: Path) -> Any:
    package = _package(path, "pillow_heif", "a HEIC picture")
    return package.open_heif(path, convert_hdr_to_8bit=False)


@contextmanager
def _loud_errors() -> Iterator[None]:
    """LibRaw prints that data end early, and goes on with what it has: that is an error here.

    Raises:
        ValueError: what it printed.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with TemporaryFile() as heard:
        os.dup2(heard.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        heard.seek(0)
        if said := heard.read(_MOST_SAID).decode(errors="replace").strip():
            raise ValueError(said.splitlines()[0].rpartition(": ")[2])


def _package(path: Path, name: str, what: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputFileError(
            path,
            f"is {what}, which needs the package {name.replace('_', '-')}",
            "PNG, JPEG, TIFF, WebP, BMP or GIF",
            _EXTRA,
        ) from None
