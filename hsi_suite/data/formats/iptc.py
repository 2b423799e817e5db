"""IPTC's notes of a picture (caption, keywords, author), as JPEG, PNG and TIFF files hold them.

They are one sequence of records, which TIFF files hold in a tag of their own, JPEG files in a
block of Photoshop's, and PNG files, which have no place for it, as ImageMagick and ExifTool agreed:
that block in hexadecimal digits, in a text.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tifffile
from PIL import Image

#: TIFF's tag for them.
IPTC = 33723
#: What PNG files call a text that holds them.
PNG_KEYWORD = "Raw profile type iptc"
_OTHER_KEYWORD = "Raw profile type 8bim"
_RECORD = b"\x1c"
_BLOCKS, _BLOCK, _RESOURCE = b"Photoshop 3.0\0", b"8BIM", 0x0404
# Bytes of a JPEG's segment, less what stands before the notes there.
_LONGEST = 65_500
_DIGITS = 72


def iptc_of(image: Image.Image, texts: Mapping[str, str]) -> bytes | None:
    """The notes of an opened picture; None where there are none, or they are damaged.

    Args:
        image: of any kind but TIFF, see `iptc_of_tiff`.
        texts: of a PNG, by their keywords.
    """
    blocks = image.info.get("photoshop")
    if isinstance(blocks, dict):
        return _records(blocks.get(_RESOURCE))
    for keyword in (PNG_KEYWORD, _OTHER_KEYWORD):
        if keyword in texts and (found := _of_digits(texts[keyword])):
            return found
    return None


def iptc_of_tiff(path: Path) -> bytes | None:
    """The same of a TIFF file's first picture."""
    with tifffile.TiffFile(path) as file:
        tag = file.pages.first.tags.get(IPTC)
        if tag is None:
            return None
        # Some writers call them whole numbers of 32 bits; the bytes are the same.
        file.filehandle.seek(tag.valueoffset)
        return _records(file.filehandle.read(tag.valuebytecount))


def jpeg_segment(iptc: bytes) -> bytes:
    """The notes as a segment of a JPEG file; none where it has no room for them."""
    if not fits_jpeg(iptc):
        return b""
    content = _BLOCKS + _as_block(iptc)
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content


def fits_jpeg(iptc: bytes) -> bool:
    """Whether a segment of a JPEG file has room for them."""
    return len(iptc) <= _LONGEST


def png_text(iptc: bytes) -> str:
    """The notes as a text of a PNG file, of the keyword `PNG_KEYWORD`."""
    block = _as_block(iptc)
    digits = block.hex()
    lines = [digits[first : first + _DIGITS] for first in range(0, len(digits), _DIGITS)]
    return "\n".join(["", "iptc", f"{len(block):8d}", *lines, ""])


def _as_block(iptc: bytes) -> bytes:
    head = struct.pack(">HHI", _RESOURCE, 0, len(iptc))
    return _BLOCK + head + iptc + bytes(len(iptc) % 2)


def _of_digits(text: str) -> bytes | None:
    try:
        # A title, which ExifTool makes of two words, a length and digits.
        _, length, digits = text.strip().split("\n", 2)
        content = bytes.fromhex("".join(digits.split()))[: int(length)]
        return _records(content) or _records(_resource(content.removeprefix(_BLOCKS)))
    except (ValueError, struct.error, IndexError):
        return None


def _resource(blocks: bytes) -> bytes | None:
    """What Photoshop's blocks hold of IPTC's notes."""
    place = 0
    while blocks[place : place + 4] == _BLOCK:
        (kind,) = struct.unpack_from(">H", blocks, place + 4)
        # A name, with its length before it, and what makes both even.
        place += 6 + (blocks[place + 6] + 2) // 2 * 2
        (size,) = struct.unpack_from(">I", blocks, place)
        if kind == _RESOURCE:
            return blocks[place + 4 : place + 4 + size]
        place += 4 + size + size % 2
    return None


def _records(found: Any) -> bytes | None:
    return found if isinstance(found, bytes) and found.startswith(_RECORD) else None
