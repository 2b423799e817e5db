"""How strongly a JPEG file is compressed, so that its like can be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image, JpegImagePlugin


@dataclass(frozen=True)
class JpegCoding:
    """The choices of who wrote a JPEG file.

    Attributes:
        tables: of quantisation, 64 steps each, by their number in the file.
        subsampling: Pillow's number: 0 full resolution of colours, 1 half in samples (4:2:2), 2
            half in both (4:2:0). Rarer ones count as full.
    """

    tables: tuple[tuple[int, tuple[int, ...]], ...]
    subsampling: int

    def options(self, grey: bool) -> dict[str, Any]:
        """The options of Pillow's writer; a grey picture has one table alone."""
        tables = dict(self.tables[:1] if grey else self.tables)
        return {
            "qtables": {number: list(steps) for number, steps in tables.items()},
            "subsampling": self.subsampling,
        }


def jpeg_coding(image: Image.Image) -> JpegCoding | None:
    """The coding of an opened image; None where it is no JPEG file of whole tables."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return None
    tables = tuple((number, tuple(steps)) for number, steps in sorted(image.quantization.items()))
    numbers = [number for number, _ in tables]
    whole = all(len(steps) == 64 and all(1 <= s <= 255 for s in steps) for _, steps in tables)
    if not whole or numbers not in ([0], [0, 1], [0, 1, 2]):
        return None
    sampling = JpegImagePlugin.get_sampling(image) if image.mode == "RGB" else 0
    return JpegCoding(tables, max(sampling, 0))
