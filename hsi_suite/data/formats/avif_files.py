"""AVIF files: notes and sizes by Pillow, values by imagecodecs, as Pillow keeps 8 bits alone."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image, features

from ...errors import InputFileError
from ...user_files import first_bytes
from .decoded_picture import DecodedPicture, PictureHeader
from .image_notes import exif_of, icc_of, xmp_of
from .iso_boxes import boxes_in, boxes_of
from .png_colours import Chunk, chunks_of_codes

_BRANDS = (b"avif", b"avis")
# In the configuration of the coder (AV1 in ISOBMFF, section 2.3): more than 8 bits, 12 of them,
# and no colour.
_DEEP, _DEEPEST, _GREY = 0x40, 0x20, 0x10


def is_avif(path: Path) -> bool:
    """Whether a file is of AVIF's brand, or compatible with it."""
    head = first_bytes(path, 64, "an image")
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))]
    return head[4:8] == b"ftyp" and any(brand in _BRANDS for brand in brands)


def avif_header(path: Path) -> PictureHeader | None:
    """What an AVIF file holds; None for other files.

    Raises:
        InputFileError: it cannot be read here, or is an animation.
    """
    if not is_avif(path):
        return None
    _check_readable(path)
    bits, grey = _depth(path)
    with Image.open(path) as image:
        if (frames := getattr(image, "n_frames", 1)) > 1:
            remedy = "save the frame that is meant as a picture"
            raise InputFileError(path, f"holds {frames} images", "one", remedy)
        alpha = image.mode == "RGBA"
        lines, samples = image.height, image.width
    dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
    return PictureHeader(lines, samples, 1 if grey else 3, dtype, alpha, 2.0**bits - 1)


def avif_picture(path: Path) -> DecodedPicture | None:
    """The picture of an AVIF file, not turned; None for other files.

    Raises:
        InputFileError: as `avif_header`.
        ValueError: its values are not those of its header.
        RuntimeError: it is damaged.
    """
    header = avif_header(path)
    if header is None:
        return None
    with Image.open(path) as image:
        exif, xmp, icc = exif_of(image), xmp_of(image), icc_of(image)
    values = imagecodecs.avif_decode(path.read_bytes())
    if header.channels == 1 and values.ndim == 3:
        # A decoder may give grey as three equal colours.
        values = values[..., [0, -1] if header.alpha else [0]]
    values = header.in_channels(values)
    colours = () if icc is not None else _colours(path)
    return DecodedPicture(values, exif, xmp, icc, white=header.white, colours=colours)


def _check_readable(path: Path) -> None:
    if not features.check("avif") or not imagecodecs.AVIF.available:
        raise InputFileError(
            path,
            "is an AVIF picture, which the Pillow or imagecodecs here cannot read",
            "Pillow 11.3 or newer and imagecodecs with AVIF",
            "update them, or convert it to PNG or TIFF",
        )


def _properties(path: Path) -> list[tuple[bytes, bytes]]:
    """What the file says of its pictures, transparency among them."""
    for kind, content in boxes_in(path):
        if kind == b"meta":
            # Version and flags stand first.
            inner = dict(boxes_of(content[4:]))
            listed = dict(boxes_of(inner.get(b"iprp", b"")))
            return list(boxes_of(listed.get(b"ipco", b"")))
    return []


def _depth(path: Path) -> tuple[int, bool]:
    """Bits of a value, and whether there is no colour."""
    coders = [content[2] for kind, content in _properties(path) if kind == b"av1C" and content[2:]]
    deep = any(coder & _DEEP for coder in coders)
    bits = (12 if any(coder & _DEEPEST for coder in coders) else 10) if deep else 8
    return bits, bool(coders) and all(coder & _GREY for coder in coders)


def _colours(path: Path) -> tuple[Chunk, ...]:
    """Primaries and tone curve, where they are said and are not those of sRGB."""
    for kind, content in _properties(path):
        if kind == b"colr" and content[:4] == b"nclx" and len(content) >= 8:
            return chunks_of_codes(content[5], content[7])
    return ()
