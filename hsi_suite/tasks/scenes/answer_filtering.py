"""The answers of a scene's pixels averaged over the pixels around that look alike.

Part by part, in the order of the lines: each pixel is answered once, and no more is held than what
the windows of a few lines reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from ...data.likeness_filter import LikenessFilter
from ...data.patches import WindowSampler
from ...engine.observer import Observer

Rows = tuple[NDArray[np.int64], NDArray[np.floating]]
# Pixels that are filtered at a time.
_CHUNK = 16_384


def filtered_lines(samples: int) -> int:
    """Lines of a scene whose answers are filtered at a time."""
    return max(1, _CHUNK // samples)


def filtered_rows(
    kept: LikenessFilter,
    reduced: WindowSampler,
    wanted: NDArray[np.bool_],
    classes: int,
    answers: Callable[[NDArray[np.bool_]], Iterator[Rows]],
    observer: Observer,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Filtered answers of the wanted pixels, a few lines at a time.

    Args:
        kept: the filter.
        reduced: the scene, whose spectra say what looks alike.
        wanted: lines × samples, True for N pixels.
        classes: numbers in an answer.
        answers: given lines × samples, True for pixels, yields their flat indices in ascending
            order and their answers, part by part.
        observer: counts each wanted pixel once.

    Yields:
        N flat indices in all, in ascending order, and their answers, N × classes.
    """
    lines, samples = wanted.shape
    radius, height = kept.radius, filtered_lines(samples)
    found = _InOrder(answers(_within_reach(kept, reduced, wanted)))
    # Of the lines from `first` − radius to `first` + height + radius, with as many samples around.
    held = np.zeros((height + 2 * radius, samples + 2 * radius, classes), np.float32)
    for first in range(0, lines, height):
        part = wanted[first : first + height]
        reach = len(part) + 2 * radius
        for pixels, rows in found.until((first + height + radius) * samples):
            line, sample = np.divmod(pixels, samples)
            held[line + radius - first, sample + radius] = rows
        if part.any():
            spectra = _spectra(reduced, first - radius, reach, radius)
            yield np.flatnonzero(part) + first * samples, kept.apply(held[:reach], spectra)[part]
            observer.advance(int(part.sum()))
        held = np.concatenate([held[height:], np.zeros_like(held[:height])])


class _InOrder:
    """Answers that come part by part, handed out up to a pixel at a time."""

    def __init__(self, parts: Iterator[Rows]) -> None:
        self._parts = parts
        self._next: Rows | None = None

    def until(self, pixel: int) -> Iterator[Rows]:
        """Those not handed out yet of pixels before this one."""
        while (part := self._next or next(self._parts, None)) is not None:
            pixels, rows = part
            end = int(np.searchsorted(pixels, pixel))
            self._next = (pixels[end:], rows[end:]) if end < len(pixels) else None
            if end:
                yield pixels[:end], rows[:end]
            if self._next is not None:
                return


def _within_reach(
    kept: LikenessFilter, reduced: WindowSampler, wanted: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """The wanted pixels, and those with data that the windows of any of them hold."""
    near: NDArray[np.bool_] = binary_dilation(wanted, np.ones((kept.window, kept.window), bool))
    height = filtered_lines(wanted.shape[1])
    for first in range(0, len(near), height):
        part = near[first : first + height]
        part &= np.any(_spectra(reduced, first, len(part), 0), axis=-1)
    return near | wanted


def _spectra(reduced: WindowSampler, first: int, number: int, around: int) -> NDArray[np.float32]:
    """Spectra of some lines and so many samples around, zeros where the scene has none."""
    border = reduced.window // 2
    planes = reduced.planes
    lines, samples = (size - 2 * border for size in planes.shape[1:])
    start, stop = max(0, first), min(lines, first + number)
    inner = planes[:, border + start : border + stop, border : border + samples]
    spectra = inner.permute(1, 2, 0).cpu().numpy()
    beyond = (start - first, first + number - stop), (around, around), (0, 0)
    return np.pad(spectra, beyond)
