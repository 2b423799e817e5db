"""What an image's patches say about its noise, as numbers: how fine it is, and where it is weakest.

The quietest patches of an image are measured: the finest detail (high frequencies of an 8 × 8
cosine transform), middle and coarse detail, of luma and of colour; in the image and in one of half
its size, in which noise that is alike in neighbouring pixels is fine again. Of a JPEG, also what
its emptiest blocks hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError
from .colour import LUMA
from .jpeg_grids import BLOCK
from .jpeg_traces import JpegTraces, filled_blocks
from .noise_estimate import SMALLEST_IMAGE
from .patch_detail import FLAT_SPREAD, PLACES, halved, measure

Image = NDArray[np.float32]

_LUMA = np.array(LUMA, np.float32)
# Lines and samples that are looked at: the middle of a larger image.
_SIDE = 512
# Of the flattest patches: noise is in all of them, fine texture is not.
_QUIETER = 0.1
_SMALL = 0.05
# What 16 bits on this scale miss their largest value by, and less than a step of theirs.
_ON_THE_END = 0.001


@dataclass(frozen=True)
class NoiseSigns:
    """Root mean squares on the scale 0 to 255.

    Attributes:
        fine: finest detail of luma that a tenth of the flattest patches keep below.
        middle: middle detail of luma, likewise.
        colour_fine: finest detail of the colour differences in the flattest patches; 0 of grey.
        colour_middle: their middle detail.
        details: `PatchDetail.numbers` of the image and of the one of half its size.
        jpeg: the JPEG that the pixels were decoded from, where one was found.
        blocks: of such a one, `filled_blocks`.
    """

    fine: float
    middle: float
    colour_fine: float
    colour_middle: float
    details: tuple[float, ...]
    jpeg: JpegTraces | None
    blocks: tuple[float, ...] = ()

    @property
    def quiet_colour(self) -> float:
        """Coarse colour detail that all but the quietest 2 % of the patches have."""
        return float(np.exp(self.details[PLACES["colour", "coarse", 0.02]]))

    @property
    def colour_spread(self) -> float:
        """How much more of the finest colour detail lively patches have than middling ones.

        A logarithm: about 0.15 of noise, which is everywhere alike; 0 of grey.
        """
        lively, middling = (PLACES["colour", "fine", share] for share in (0.9, 0.6))
        return self.details[lively] - self.details[middling]

    @property
    def sharpest(self) -> float:
        """Finest detail of luma at the sharpest edges."""
        return float(np.exp(self.details[PLACES["luma", "fine", 0.99]]))

    @property
    def rough_everywhere(self) -> bool:
        """Whether middling patches have more coarse structure than lively ones have middle detail.

        Texture that passes for noise leaves no smooth places, as would show it.
        """
        most, lively = PLACES["luma", "coarse", 0.6], PLACES["luma", "middle", 0.9]
        return self.details[most] > self.details[lively]

    @property
    def flat_spread(self) -> tuple[float, float]:
        """How widely middle detail is spread over the flattest patches, in luma and in colour.

        Logarithms: about 0.5 of noise, which is nearly constant there.
        """
        return self.details[FLAT_SPREAD], self.details[FLAT_SPREAD + 1]

    @property
    def luma_whiteness(self) -> float:
        """About 1 for white noise; far less where the finest detail is missing."""
        return self.fine / max(self.middle, _SMALL)

    @property
    def colour_whiteness(self) -> float:
        """The same of colour, in which photographs have little structure of their own."""
        return self.colour_fine / max(self.colour_middle, _SMALL)

    def numbers(self) -> NDArray[np.float64]:
        """All of them, levels on logarithms; behind JPEG also its quality / 100 and its blocks."""
        levels = (self.fine, self.middle, self.colour_fine, self.colour_middle)
        logs = np.append(np.log(_SMALL + np.array(levels)), self.details)
        return (
            logs if self.jpeg is None else np.append(logs, [self.jpeg.quality / 100, *self.blocks])
        )


def noise_signs(image: Image, jpeg: JpegTraces | None, *, blank: bool = True) -> NoiseSigns:
    """The signs of an image's noise.

    Args:
        image: lines × samples (× 3) on the scale 0 to 255, at least 16 × 16.
        jpeg: see `find_jpeg`.
        blank: see `measure`.

    Raises:
        ShapeError: it is smaller.
    """
    if min(image.shape[:2]) < 2 * SMALLEST_IMAGE:
        raise ShapeError("image", f"shape {image.shape}", "at least 16 × 16 pixels")
    middle = middle_of(image)
    luma = luma_of(middle)
    planes = [luma]
    if middle.ndim == 3:
        planes += [middle[..., 2] - luma, middle[..., 0] - luma]
    inside = inside_of(middle)
    whole = measure(planes, inside, blank=blank)
    half = measure([halved(plane) for plane in planes], halved(inside) == 1, blank=blank)
    fine, mid = np.sqrt(np.quantile(whole.luma[whole.flat(), :2], _QUIETER, axis=0))
    colour_fine, colour_mid = np.sqrt(whole.colour[whole.flat(), :2].mean(0))
    return NoiseSigns(
        float(fine),
        float(mid),
        float(colour_fine),
        float(colour_mid),
        (*whole.numbers().tolist(), *half.numbers().tolist()),
        jpeg,
        () if jpeg is None else filled_blocks(luma, jpeg),
    )


def inside_of(image: Image) -> NDArray[np.bool_]:
    """The pixels that are neither black nor white in any channel."""
    values = image.reshape(*image.shape[:2], -1)
    # Floats may lie beyond the ends; those that lie on them have been cut off.
    return np.asarray(((values != 0) & (np.abs(values - 255) > _ON_THE_END)).all(2))


def luma_of(image: Image) -> Image:
    """Luma (ITU-R 601) of lines × samples (× 3)."""
    return image if image.ndim == 2 else np.asarray(image @ _LUMA, np.float32)


def large_enough(image: Image) -> bool:
    """Whether an image has patches enough to say anything."""
    lines, samples = image.shape[:2]
    return bool(min(lines, samples) >= 4 * SMALLEST_IMAGE)


def middle_of(image: NDArray[Any]) -> NDArray[Any]:
    """The part of an image that is looked at: at most 512 × 512 pixels in its middle.

    It begins where a block of JPEG does, if the image does.
    """
    first = [(size - min(size, _SIDE)) // 2 // BLOCK * BLOCK for size in image.shape[:2]]
    return image[first[0] : first[0] + _SIDE, first[1] : first[1] + _SIDE]
