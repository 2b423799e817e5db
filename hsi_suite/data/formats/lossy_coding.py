"""How coarsely a WebP, AVIF or HEIC file was written, as the file says it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from statistics import median_low

from ...restoration.lossy_coding import LossyCoding
from ...user_files import first_bytes
from . import av1_quantiser, hevc_quantiser, vp8_quantiser
from .heif_items import CodedItem, coded_items

# Colours and notes may stand before a WebP's frame; what is larger than this says nothing here.
_WEBP_HEAD = 2**20


def lossy_coding(path: Path) -> LossyCoding | None:
    """How a file was quantised; None of lossless WebP, of other kinds, and where it is not found.

    Headers of rare kinds (animations, several layers) are not followed, nor those of lists longer
    than pictures have them.
    """
    try:
        head = first_bytes(path, 16, "an image")
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            index = vp8_quantiser.vp8_quantiser(first_bytes(path, _WEBP_HEAD, "an image"))
            return _coding("WebP", index, vp8_quantiser.COARSEST)
        if head[4:8] == b"ftyp":
            return _of_items(coded_items(path))
    except (IndexError, struct.error):
        pass
    return None


def _of_items(items: list[CodedItem]) -> LossyCoding | None:
    if not items:
        return None
    kind, coarsest, index_of = _CODERS.get(items[0].kind, ("", 0, lambda _: None))
    indices = [index_of(item) for item in items]
    known = [index for index in indices if index is not None]
    return _coding(kind, median_low(known) if known else None, coarsest)


def _coding(kind: str, index: int | None, coarsest: int) -> LossyCoding | None:
    if index is None or not 0 <= index <= coarsest:
        return None
    return LossyCoding(kind, index, coarsest)


_CODERS: dict[bytes, tuple[str, int, Callable[[CodedItem], int | None]]] = {
    b"av01": (
        "AVIF",
        av1_quantiser.COARSEST,
        lambda item: av1_quantiser.av1_quantiser(item.content),
    ),
    b"hvc1": (
        "HEIC",
        hevc_quantiser.COARSEST,
        lambda item: hevc_quantiser.hevc_quantiser(item.configuration, item.content),
    ),
}
