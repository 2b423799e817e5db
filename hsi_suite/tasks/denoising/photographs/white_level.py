"""What is white and black in a photograph: the scale of its noise and of its scores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....data.photographs import Photograph
from ....errors import InputFileError
from ..image_restoration import Pixels

# Floats have 1 as white unless more than a hundredth of them lie beyond 2 or below -2: neither
# noise nor hot pixels nor highlights do that. Of an image that begins at 0, means over blocks are
# not this share of white below it, noise aside: three σ of what would be left of it if it were
# alike in neighbouring pixels, as a camera's is.
_BEYOND, _QUANTILE = 2.0, 0.99
_BELOW, _SIGMAS, _BLOCK, _LEFT = 0.1, 3.0, 4, 0.5
# Values of which a hundredth at most reaches this share of white may well have another: floats, and
# numbers of 16 bits, which are those of a sensor of 12 bits then.
_DARK, _DARK_DEEP = 0.05, 1 / 16
# Values whose range is this share of their distance from 0, or less, lie on a pedestal.
_PEDESTAL = 0.5
_SAMPLES = 1_000_000
# From the median of the absolute differences of neighbours to the σ of white noise.
_DIFFERENCES_PER_SIGMA = 0.6745 * np.sqrt(2)


@dataclass(frozen=True)
class WhiteLevel:
    """The value that counts as 1.

    Attributes:
        value: in the image's own units, above black.
        known: whether file, user or reference say it; else it is the range of the image, and
            only ratios to it mean anything.
        remark: what the user should know of it, or "".
        black: the value that counts as 0. Networks have learnt images that begin at 0: those on a
            pedestal, and those below it, come out far worse unless they are shifted.
    """

    value: float
    known: bool = True
    remark: str = ""
    black: float = 0.0


def white_level(
    photograph: Photograph, given: float | None, reference: Photograph | None = None
) -> WhiteLevel:
    """The white of a photograph, never taken from its own brightest pixels where that matters.

    Whole numbers have the largest that their bits hold. Floats have 1. Where they are clearly not
    on the scale 0 to 1, the reference fixes the scale of both: its own largest number where it is
    of whole numbers, its largest value where it is of floats. Where there is none, black is the
    value that a hundredth of the image lies below and white the one that a hundredth lies above.
    Where a hundredth lies far below 0, or all of it on a pedestal, black is that value too.

    Args:
        photograph: what is denoised.
        given: what the user names.
        reference: the clean image, where there is one.
    """
    values = photograph.values
    if given is not None:
        return WhiteLevel(given, black=pedestal(values, given))
    if values.dtype.kind != "f" or on_unit_scale(values):
        white = photograph.header.white
        black = pedestal(values, white)
        remark = f"its values reach far below 0: {black:.4g} counts as black" if black < 0 else ""
        most = _ends(values)[1]
        if 0 < most < _dark(values.dtype) * white:
            remark = (
                f"its values reach {most:.4g}, and {white:g} counts as white, so that its noise "
                "may seem weak; --white names another"
                + (", such as 4095 of 12 bits" if values.dtype == np.uint16 else "")
            )
        return WhiteLevel(white, remark=remark, black=black)
    if reference is None:
        most = _ends(values)[1]
        black = pedestal(values, most)
        span = most - black if most > black else 1.0
        ends = f"from {values.min():.4g} to {values.max():.4g}"
        return WhiteLevel(
            span,
            known=False,
            remark=f"its values ({ends}) have no known scale: {black:.4g} counts as black and "
            f"{black + span:.4g} as white, which a hundredth lie beyond; --white names it",
            black=black,
        )
    if reference.values.dtype.kind != "f" or on_unit_scale(reference.values):
        white = reference.header.white
        return WhiteLevel(white, black=pedestal(values, white))
    value = float(reference.values.max())
    return WhiteLevel(
        value,
        remark=f"white is {value:g}, the reference's largest value; --white says otherwise",
        black=pedestal(values, value),
    )


def _dark(dtype: np.dtype[Any]) -> float:
    if dtype.kind == "f":
        return _DARK
    return _DARK_DEEP if dtype == np.uint16 else 0.0


def pedestal(values: Pixels, white: float) -> float:
    """The value that has to count as black, 0 where an image begins there or near it.

    Images of 8 bits have too few levels to stand on a pedestal.

    Args:
        values: of the image.
        white: of them, as far as it is known.
    """
    if values.dtype == np.uint8:
        return 0.0
    least, most = _ends(values)
    above = 0 < most - least < _PEDESTAL * least
    return least if above or (least < 0 and (most <= 0 or _reaches_below(values, white))) else 0.0


def shifted_back(values: NDArray[np.float32], black: float, dtype: np.dtype[Any]) -> Pixels:
    """Values above black (changed in place) as those of the image; whole numbers are rounded."""
    values += np.float32(black)
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    ends = np.iinfo(dtype)
    return np.rint(values, out=values).clip(ends.min, ends.max, out=values).astype(dtype)


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
    """Whether 1 is white in floats, noise and single bright pixels aside."""
    least, most = _ends(values)
    return least >= -_BEYOND and most <= _BEYOND


def _most(values: Pixels) -> float:
    return _ends(values)[1]


def _ends(values: Pixels) -> tuple[float, float]:
    """The values that a hundredth of an image lies below and above."""
    flat = values.reshape(-1)
    sample = flat[:: max(1, flat.size // _SAMPLES)]
    least, most = np.quantile(sample, [1 - _QUANTILE, _QUANTILE])
    return float(least), float(most)


def _reaches_below(values: Pixels, white: float) -> bool:
    """Whether an image has parts below 0, and not its noise alone."""
    lines, samples = (max(size // _BLOCK, 1) for size in values.shape[:2])
    high, wide = (min(_BLOCK, size) for size in values.shape[:2])
    strips = values[: lines * high].reshape(lines, high, *values.shape[1:])
    strips = strips[:: max(1, values.size // _SAMPLES), :, : samples * wide].astype(np.float32)
    steps = np.abs(np.diff(strips, axis=2))
    noise = float(np.median(steps)) / _DIFFERENCES_PER_SIGMA if steps.size else 0.0
    blocks = strips.reshape(*strips.shape[:2], samples, wide, -1).mean((1, 3))
    darkest = float(np.quantile(blocks, 1 - _QUANTILE))
    return darkest < -_BELOW * white - _SIGMAS * _LEFT * noise


def _likely_white(most: float) -> float:
    """The largest number of 8, 10, 12, 14 or 16 bits that holds the values but for noise."""
    return next((2.0**bits - 1 for bits in (8, 10, 12, 14, 16) if most < 1.25 * 2**bits), most)
