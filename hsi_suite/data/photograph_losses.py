"""Which notes of a photograph a kind of file has no place for, so that they are named."""

from __future__ import annotations

from pathlib import Path

from .formats.image_notes import COMMENT, says_more_than_turn
from .formats.iptc import fits_jpeg
from .formats.png_colours import mean_other_than_srgb
from .photograph_writer import JPEG_LONGEST
from .photographs import Photograph

_PROFILE, _EXIF, _XMP, _IPTC = "colour profile", "EXIF", "XMP", "IPTC notes"
_TEXTS, _COORDINATES, _COLOURS = "texts", "coordinates", "gamma and primaries"
_TIFF = (_PROFILE, _EXIF, _XMP, _IPTC, _COORDINATES)
_JPEG = (_PROFILE, _EXIF, _XMP, _IPTC, _TEXTS)
# What each kind of file holds; others hold nothing of it.
_HELD: dict[str, tuple[str, ...]] = {
    ".png": (_PROFILE, _EXIF, _XMP, _IPTC, _TEXTS, _COLOURS),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".webp": (_PROFILE, _EXIF, _XMP),
    ".avif": (_PROFILE, _EXIF, _XMP),
}


def lost_notes(photograph: Photograph, path: Path) -> tuple[str, ...]:
    """The notes that `write_photograph` leaves out of a file of this name.

    The orientation counts as kept: where a file has no place for it, its pixels are upright.
    """
    found = _notes(photograph)
    held = set(_HELD.get(path.suffix.lower(), ()))
    if path.suffix.lower() in (".jpg", ".jpeg"):
        held -= _too_long(photograph)
    return tuple(name for name, there in found.items() if there and name not in held)


def lost_text(lost: tuple[str, ...], path: Path) -> str:
    """The same in words, for the user."""
    named = lost[0] if len(lost) == 1 else f"{', '.join(lost[:-1])} and {lost[-1]}"
    return f"its {named} cannot be kept in a {path.suffix.lower()} file"


def _notes(photograph: Photograph) -> dict[str, bool]:
    exif = photograph.exif
    return {
        _PROFILE: photograph.icc_profile is not None,
        _EXIF: exif is not None and says_more_than_turn(exif),
        _XMP: photograph.xmp is not None,
        _IPTC: photograph.iptc is not None,
        _TEXTS: bool(photograph.texts),
        _COORDINATES: bool(photograph.geotags),
        _COLOURS: mean_other_than_srgb(
            photograph.colours, profile=photograph.icc_profile is not None
        ),
    }


def _too_long(photograph: Photograph) -> set[str]:
    """What a JPEG's segments have no room for; of texts it holds the comment alone."""
    texts, found = dict(photograph.texts), set()
    for name, content in ((_EXIF, photograph.exif), (_XMP, photograph.xmp)):
        if content is not None and len(content) > JPEG_LONGEST:
            found.add(name)
    if photograph.iptc is not None and not fits_jpeg(photograph.iptc):
        found.add(_IPTC)
    if set(texts) - {COMMENT} or len(texts.get(COMMENT, "").encode()) > JPEG_LONGEST:
        found.add(_TEXTS)
    return found
