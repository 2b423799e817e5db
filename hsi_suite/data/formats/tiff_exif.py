"""What a camera noted, in TIFF files: read as EXIF, and written there again."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

import tifffile
from PIL import Image, TiffImagePlugin

from .geotiff_tags import ExtraTag
from .iptc import IPTC

EXIF, GPS = 34665, 34853
_DESCRIPTION, _XMP, _INTEROP = 270, 700, 40965
_CLASSIC, _ENTRY = b"II*\0", 12
# TIFF's number for bytes of which only their program knows what they mean.
_BYTES = 7
# Document and description, maker and model, software, date, author, host, rights; XP's notes.
_DESCRIPTIVE = (269, 270, 271, 272, 305, 306, 315, 316, 18246, 33432, *range(40091, 40096))
# What Pillow raises for damaged EXIF.
_BROKEN = (ValueError, TypeError, LookupError, SyntaxError, OSError, struct.error)
# The writer's own note of an array's shape is no description of a picture.
_SHAPE = '{"shape"'


def exif_of_tiff(path: Path) -> bytes | None:
    """The notes of a TIFF file's first picture as EXIF; None where there are none.

    Damaged notes are left out, which is no reason to refuse a picture. The orientation is not
    looked at here.
    """
    try:
        with path.open("rb") as stream:
            found = Image.Exif()
            found.load_from_fp(stream)
            notes = Image.Exif()
            for code in _DESCRIPTIVE:
                if _is_note(code, value := found.get(code)):
                    notes[code] = value
            for code, entries in _parts(found).items():
                notes.get_ifd(code).update(entries)
        content: bytes = notes.tobytes() if len(notes) or _parts(notes) else b""
    except _BROKEN:
        return None
    return content.removeprefix(b"Exif\0\0") or None


def xmp_of_tiff(page: tifffile.TiffPage) -> bytes | None:
    """The XMP packet of a page; None where there is none."""
    found = page.tags.valueof(_XMP)
    return found if isinstance(found, bytes) and found else None


def note_tags(exif: bytes | None, xmp: bytes | None, iptc: bytes | None = None) -> list[ExtraTag]:
    """Notes as tags of a TIFF file; what lies deeper is for `add_exif`."""
    tags: list[ExtraTag] = []
    if xmp is not None:
        tags.append((_XMP, 1, len(xmp), xmp, True))
    if iptc is not None:
        tags.append((IPTC, _BYTES, len(iptc), iptc, True))
    notes = _notes(exif)
    for code in _DESCRIPTIVE:
        value = notes.get(code)
        if not _is_note(code, value):
            continue
        if isinstance(value, str):
            text = value.encode() + b"\0"
            tags.append((code, 2, len(text), text, True))
        elif isinstance(value, bytes):
            tags.append((code, 1, len(value), value, True))
        else:
            tags.append((code, 3, 1, value, True))
    return tags


def add_exif(path: Path, exif: bytes | None) -> None:
    """Add the directories of EXIF to a TIFF file of one picture.

    The file's own directory is written anew at its end, with two entries more: its writer keeps
    no place for them. In a BigTIFF, of which no photograph has the size, nothing is done.

    Args:
        path: the file, little-endian.
        exif: a TIFF structure, or None.
    """
    parts = _parts(_notes(exif))
    with path.open("r+b") as stream:
        if not parts or stream.read(4) != _CLASSIC:
            return
        (place,) = struct.unpack("<I", stream.read(4))
        stream.seek(place)
        (count,) = struct.unpack("<H", stream.read(2))
        entries = [stream.read(_ENTRY) for _ in range(count)]
        following = stream.read(4)
        for code, part in parts.items():
            start = _even_end(stream)
            stream.write(_directory(part, start))
            entries.append(struct.pack("<HHII", code, 4, 1, start))
        start = _even_end(stream)
        entries.sort(key=lambda entry: struct.unpack("<H", entry[:2]))
        stream.write(struct.pack("<H", len(entries)) + b"".join(entries) + following)
        stream.seek(4)
        stream.write(struct.pack("<I", start))


def _even_end(stream: BinaryIO) -> int:
    """Go to the end of a file, or a byte behind it: directories begin at even places."""
    end = stream.seek(0, os.SEEK_END)
    return end + stream.write(b"\0" * (end % 2))


def _notes(exif: bytes | None) -> Image.Exif:
    """EXIF that can be written again; empty where it cannot."""
    notes = Image.Exif()
    if exif is None:
        return notes
    try:
        notes.load(exif)
        for entries in _parts(notes).values():
            _directory(entries, 0)
    except _BROKEN:
        return Image.Exif()
    return notes


def _parts(notes: Image.Exif) -> dict[int, dict[int, Any]]:
    """Its directories of the camera and of the place that hold something."""
    found = {}
    for code in (EXIF, GPS):
        # A pointer to a third directory points nowhere in another file.
        entries = {tag: value for tag, value in notes.get_ifd(code).items() if tag != _INTEROP}
        if entries:
            found[code] = entries
    return found


def _directory(entries: dict[int, Any], start: int) -> bytes:
    """A directory as it stands at a place of a little-endian TIFF file."""
    directory = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\0\0\0\0")
    for code, value in entries.items():
        directory[code] = value
    content: bytes = directory.tobytes(start)
    return content


def _is_note(code: int, value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and not (code == _DESCRIPTION and value.startswith(_SHAPE))
    return isinstance(value, bytes) or (isinstance(value, int) and 0 <= value < 2**16)
