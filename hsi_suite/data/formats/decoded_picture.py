"""What readers of single kinds of picture files hand over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .png_colours import Chunk


@dataclass(frozen=True)
class PictureHeader:
    """What can be known of a picture without its pixels, as it is handed over.

    Attributes:
        lines: height in pixels.
        samples: width in pixels.
        channels: 1 for grey, 3 for RGB.
        dtype: uint8, uint16 or float32.
        alpha: whether there is transparency.
        white: the value that is white; None for the type's largest, and 1 for floats.
    """

    lines: int
    samples: int
    channels: int
    dtype: np.dtype[Any]
    alpha: bool
    white: float | None = None

    def in_channels(self, values: NDArray[Any]) -> NDArray[Any]:
        """Decoded values as lines × samples × channels, transparency last, as the header has them.

        Raises:
            ValueError: they are others than it says.
        """
        wanted = (self.lines, self.samples, self.channels + self.alpha)
        values = values.reshape(*values.shape[:2], -1)
        if values.shape != wanted or values.dtype != self.dtype:
            raise ValueError(f"its data are of {values.shape} values, its header says {wanted}")
        return values


@dataclass(frozen=True, eq=False)
class DecodedPicture:
    """A picture of such a file.

    Attributes:
        values: lines × samples × channels, transparency last.
        exif: what the camera noted.
        xmp: the XMP packet.
        icc_profile: what the colours mean; None is sRGB.
        remark: what became of it, for the user.
        white: as of its header.
        colours: what the file says of its colours beside a profile, as a PNG would.
    """

    values: NDArray[Any]
    exif: bytes | None = None
    xmp: bytes | None = None
    icc_profile: bytes | None = None
    remark: str = ""
    white: float | None = None
    colours: tuple[Chunk, ...] = ()
