"""What is white in a photograph: the scale of its noise and of its scores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...data.photographs import Photograph
from ...errors import InputFileError
from .image_restoration import Pixels

# Floats are on the scale 0 to 1 unless more than a hundredth of them lie beyond 2: neither noise
# nor hot pixels nor highlights do that.
_BEYOND, _QUANTILE = 2.0, 0.99
_SAMPLES = 1_000_000


@dataclass(frozen=True)
class WhiteLevel:
    """The value that counts as 1.

    Attributes:
        value: in the image's own units.
        known: whether file, user or reference say it; else it is the value that a hundredth of
            the image exceeds, and only ratios to it mean anything.
        remark: what the user should know of it, or "".
    """

    value: float
    known: bool = True
    remark: str = ""


def white_level(
    photograph: Photograph, given: float | None, reference: Photograph | None = None
) -> WhiteLevel:
    """The white of a photograph, never taken from its own brightest pixels where that matters.

    Whole numbers have the largest that their bits hold. Floats have 1. Where they are clearly not
    on the scale 0 to 1, the reference fixes the scale of both: its own largest number where it is
    of whole numbers, its largest value where it is of floats.

    Args:
        photograph: what is denoised.
        given: what the user names.
        reference: the clean image, where there is one.
    """
    if given is not None:
        return WhiteLevel(given)
    if photograph.values.dtype.kind != "f" or on_unit_scale(photograph.values):
        return WhiteLevel(photograph.header.white)
    if reference is None:
        return WhiteLevel(_most(photograph.values), known=False)
    if reference.values.dtype.kind != "f" or on_unit_scale(reference.values):
        return WhiteLevel(reference.header.white)
    value = float(reference.values.max())
    return WhiteLevel(
        value, remark=f"white is {value:g}, the reference's largest value; --white says otherwise"
    )


def reference_values(
    path: Path, reference: Photograph, photograph: Photograph, white: WhiteLevel
) -> NDArray[np.generic]:
    """A reference's values on the scale of the photograph.

    Raises:
        InputFileError: of another size, turned otherwise, or of other whole numbers.
    """
    values, expected = reference.values, photograph.values
    if reference.orientation != photograph.orientation:
        raise InputFileError(
            path,
            f"is noted to be turned otherwise (EXIF orientation {reference.orientation})",
            f"orientation {photograph.orientation}, as the input",
        )
    floats = "f" in (values.dtype.kind, expected.dtype.kind)
    if values.shape != expected.shape or (values.dtype != expected.dtype and not floats):
        raise InputFileError(
            path,
            f"is {values.dtype} of shape {values.shape}",
            f"{expected.dtype} of shape {expected.shape}, as the input",
        )
    own = white.value
    if values.dtype.kind != expected.dtype.kind:
        on_own_scale = values.dtype.kind != "f" or on_unit_scale(values)
        own = reference.header.white if on_own_scale else white.value
    if own == white.value:
        return values
    return np.asarray(values.astype(np.float32) * np.float32(white.value / own))


def unknown_scale(path: Path, option: str, photograph: Photograph) -> InputFileError:
    """What is raised where an option counts on a scale that a float image does not have."""
    return InputFileError(
        path,
        f"holds floats up to {photograph.values.max():.4g}, so that {option} has no scale",
        "values from 0 to 1, or their white named",
        f"say what is white, such as --white {_likely_white(_most(photograph.values)):g}",
    )


def on_unit_scale(values: Pixels) -> bool:
    """Whether floats are on the scale 0 to 1, noise and single bright pixels aside."""
    return _most(values) <= _BEYOND


def _most(values: Pixels) -> float:
    flat = values.reshape(-1)
    return float(np.quantile(flat[:: max(1, flat.size // _SAMPLES)], _QUANTILE))


def _likely_white(most: float) -> float:
    """The largest number of 8, 10, 12, 14 or 16 bits that holds the values but for noise."""
    return next((2.0**bits - 1 for bits in (8, 10, 12, 14, 16) if most < 1.25 * 2**bits), most)
