"""Whether a picture was drawn, printed or set rather than photographed: text, line art, dither.

To detectors of noise, print is as fine as noise, and to networks that learnt photographs it is
noise that is to go. What tells it from noise is exact: noise leaves neither flat places nor few
values, and where it is cut off at white or black, it is cut off gradually.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

# So many values at most are a drawing's, whatever they show: dithers, codes, pictures of pixels.
_FEW = 16
# Share of the pixels that are the same as three neighbours, neither black nor white. Photographs
# with noise stay below 0.07, those with 256 colours or behind JPEG again.
_SAME = 0.15
# Print: so much of the picture is black or white, so much of the rest lies beside such, and in so
# many of the places where anything is, it is of such a contrast (of 255). Where a photograph is
# burnt out or black, noise sets in gradually.
_CUT_OFF, _BESIDE, _STEEP, _CONTRAST = 0.1, 0.8, 0.6, 96.0
# A page with noise has no blank places of 4 × 4 pixels, nor has a dither; that has edges
# everywhere, and as much black and as much white as strong noise hardly leaves.
_BLANK, _DENSE = 0.002, 0.985
_PLACE, _AROUND = 4, 9
# Places of such a contrast of all that show anything: text and squares have 0.77 to 1 behind JPEG,
# photographs of simulated cameras at ISO 6400 up to 0.6. Grass and pebbles have as many.
_EVERYWHERE = 0.75
# Behind WebP, AVIF and HEIC, where black and white are not hit exactly: so many hard edges, and so
# many pixels the same as three neighbours. Photographs with as many edges have up to 0.03.
_MANY, _SOME_SAME = 0.55, 0.04
# Print that the network for JPEG mends. It has blank places, which mazes and dithers have not, and
# few pixels that stand out of all four neighbours: text up to 0.009, dithers, if only on a part of
# a page, from 0.019 on.
_LOOSE, _LONE, _APART = 0.1, 0.012, 64.0
# Bars, as of a code, differ in one direction alone. JPEG does them little harm, the network more.
_ONE_WAY = 0.05
_MUCH = 64.0
# How far, in sum, pixels are from black or white for each place where neighbours differ much: soft
# edges have 30 and more, as part of the drawing; of hard ones JPEG makes 9 to 26 up to quality 60,
# where the network still gains by them, and 4 where it has hardly done any harm.
_SOFT, _HARMED = 25.0, 9.0
_FINEST_SOFT, _FINEST_HARD = 80, 60
# Dithers and checkerboards in any two greys: places of 8 × 8 pixels have at least such a contrast,
# nearly all of them, and as good as all of it lies between two tones, in nine tenths of those. Of
# noise 0.6 of the variance does, of a sine 0.81, of dithers behind JPEG of quality 75 0.91, of 50
# photographs with and without noise 0.73 at most where so many places show anything.
_SIDE, _EVERY, _SHOWN, _EACH_PLACE = 8, 5, 24.0, 0.9
_BETWEEN, _MOST_PLACES = 0.86, 0.1


def is_print(image: Image) -> bool:
    """Whether an image is black on white, or white on black, nearly everywhere, with hard edges.

    Args:
        image: lines × samples (× 3) on the scale 0 to 255, at least 16 × 16.
    """
    values = image.reshape(*image.shape[:2], -1)
    black, white = (values == 0).all(2), (values == 255).all(2)
    cut_off = black | white
    if cut_off.mean() < _CUT_OFF:
        return False
    rest = ~cut_off
    if rest.any() and ndimage.maximum_filter(cut_off, _AROUND)[rest].mean() < _BESIDE:
        return False
    steep = _steep_share(values)
    if _blank_share(cut_off) >= _BLANK:
        return steep >= _STEEP
    return steep >= _DENSE and min(black.mean(), white.mean()) >= _CUT_OFF


def has_two_tones(image: Image) -> bool:
    """Whether an image is of two tones in nearly every place: a dither, squares, stripes.

    Text has blank places, and these have not. In each place the values are parted in two as Otsu
    does (IEEE Trans. SMC 1979): where the means of the parts explain all, there are two tones.

    Args:
        image: lines × samples (× 3) on the scale 0 to 255, at least 8 × 8.
    """
    plane = image.reshape(*image.shape[:2], -1).mean(2)
    views = np.lib.stride_tricks.sliding_window_view(plane, (_SIDE, _SIDE))
    places = views[::_EVERY, ::_EVERY].reshape(-1, _SIDE**2)
    shown = np.ptp(places, axis=1) >= _SHOWN
    blank = _contrast(plane, _PLACE) < _SHOWN
    if shown.mean() < _EACH_PLACE or blank.mean() >= _LOOSE:
        return False
    return bool(np.quantile(_between_two(places[shown]), _MOST_PLACES) >= _BETWEEN)


def is_mended(image: Image, quality: int) -> bool:
    """Whether print behind JPEG is of a kind that gains by `jpeg_denoiser`: text, line art, codes.

    Args:
        image: what `is_print` says is print, on the scale 0 to 255.
        quality: of the JPEG.
    """
    values = image.reshape(*image.shape[:2], -1)
    cut_off = ((values == 0) | (values == 255)).all(2)
    if quality > _FINEST_SOFT or _blank_share(cut_off) < _LOOSE:
        return False
    plane = values.mean(2)
    down, across = (int((np.abs(np.diff(plane, axis=axis)) >= _MUCH).sum()) for axis in (0, 1))
    if _lone_share(plane) >= _LONE or min(down, across) <= _ONE_WAY * max(down, across):
        return False
    grey = float(np.minimum(plane, 255 - plane).sum())
    return grey >= (_HARMED if quality <= _FINEST_HARD else _SOFT) * (down + across)


def hides_noise(image: Image) -> bool:
    """Whether hard edges are everywhere, so that noise is not to be told from structure.

    Args:
        image: lines × samples (× 3) on the scale 0 to 255.
    """
    return _steep_share(image.reshape(*image.shape[:2], -1)) >= _EVERYWHERE


def is_drawn(image: Image) -> bool:
    """Whether an image as it was drawn, not behind JPEG, holds flat places or few values.

    Args:
        image: lines × samples (× 3) on the scale 0 to 255.
    """
    values = image.reshape(*image.shape[:2], -1)
    return bool(_few(values) or _same_share(values) > _SAME)


def is_drawn_behind(image: Image) -> bool:
    """Whether an image behind a lossy coder other than JPEG is text, codes or a screen of print.

    Of one in which no noise was found, as strong noise has edges everywhere, too.

    Args:
        image: lines × samples (× 3) on the scale 0 to 255, at least 16 × 16.
    """
    values = image.reshape(*image.shape[:2], -1)
    steep = _steep_share(values)
    lined = steep >= _MANY and _same_share(values) >= _SOME_SAME
    return lined or steep >= _EVERYWHERE or is_print(image)


def _between_two(places: Image) -> NDArray[np.float64]:
    """Share of the variance of each row that lies between two parts of it, parted at the best."""
    rising = np.sort(places, axis=1).astype(np.float64)
    sums = np.cumsum(rising, axis=1)
    lower, size = np.arange(1, rising.shape[1]), rising.shape[1]
    apart = sums[:, :-1] / lower - (sums[:, -1:] - sums[:, :-1]) / (size - lower)
    between = lower * (size - lower) / size**2 * apart**2
    share: NDArray[np.float64] = between.max(axis=1) / rising.var(axis=1)
    return share


def _blank_share(cut_off: Mask) -> float:
    """Share of the places without anything but black and white."""
    return float(ndimage.minimum_filter(cut_off, _PLACE).mean())


def _lone_share(plane: Image) -> float:
    """Share of the pixels that are far above or below all four neighbours."""
    inner = plane[1:-1, 1:-1]
    sides = [plane[:-2, 1:-1], plane[2:, 1:-1], plane[1:-1, :-2], plane[1:-1, 2:]]
    apart = np.maximum(np.min(sides, 0) - inner, inner - np.max(sides, 0))
    return float((apart >= _APART).mean())


def _steep_share(values: Image) -> float:
    """Of the places where there is anything, those of a strong contrast; 1 where there are none."""
    plane = values.mean(2)
    contrast = _contrast(plane, _AROUND)
    shown = contrast[contrast > 0]
    return float((shown >= _CONTRAST).mean()) if shown.size else 1.0


def _contrast(plane: Image, side: int) -> Image:
    """Of the place around each pixel."""
    return np.asarray(ndimage.maximum_filter(plane, side) - ndimage.minimum_filter(plane, side))


def _few(values: Image) -> bool:
    """Whether few colours occur; a look at the first lines spares most pictures the rest."""
    found: set[bytes] = set()
    for line in values:
        found.update(each.tobytes() for each in np.unique(line, axis=0))
        if len(found) > _FEW:
            return False
    return True


def _same_share(values: Image) -> float:
    """Share of the pixels in places of 2 × 2 of one colour that is neither black nor white."""
    right, below = values[:, 1:] == values[:, :-1], values[1:] == values[:-1]
    same = (right[1:] & right[:-1] & below[:, 1:]).all(2)
    inside = ((values > 0) & (values < 255))[1:, 1:].any(2)
    return float((same & inside).mean())
