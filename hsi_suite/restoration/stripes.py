"""Offsets of whole columns or lines of single bands, as elements of a sensor have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .accidents import surely_odd

Values = NDArray[np.float64]

# A stripe runs through the whole scene, and what of the scene is left hardly does.
_PARTS = 4
# Of the whole offset: what each part has to show of it.
_LEAST_OF_PART = 1 / 3
# Shorter ones are told from nothing.
_SHORTEST = 16


class StripeSums:
    """Residuals summed up along the columns (or lines) of a cube, whatever blocks they come in.

    Args:
        shape: lines, samples and bands of the cube.
        along_lines: sum along the lines of samples instead of along the columns.
    """

    def __init__(self, shape: tuple[int, int, int], *, along_lines: bool = False) -> None:
        lines, samples, bands = shape
        self.along_lines = along_lines
        self.length = samples if along_lines else lines
        across = lines if along_lines else samples
        self.sums = np.zeros((_PARTS, across, bands))
        self.counts = np.zeros((_PARTS, across, bands))

    @staticmethod
    def work_bytes(shape: tuple[int, int, int]) -> float:
        """What the sums of both directions take, with what comes of them, for a cube."""
        lines, samples, bands = shape
        return 8.0 * 4 * _PARTS * (lines + samples) * bands

    def add(self, rest: Values, usable: NDArray[np.bool_], first_line: int) -> None:
        """Take in a block of residuals.

        Args:
            rest: lines × samples × bands, 0 where not usable.
            usable: the same.
            first_line: of the block in the cube.
        """
        if self.length < _SHORTEST:
            return
        lines = np.arange(first_line, first_line + len(rest))
        if self.along_lines:
            for part, some in enumerate(np.array_split(np.arange(rest.shape[1]), _PARTS)):
                self.sums[part, lines] = rest[:, some].sum(1)
                self.counts[part, lines] = usable[:, some].sum(1)
            return
        parts = lines * _PARTS // self.length
        for part in np.unique(parts):
            self.sums[part] += rest[parts == part].sum(0)
            self.counts[part] += usable[parts == part].sum(0)

    def offsets(self, before: Values) -> Values:
        """The offsets that noise and scene do not explain, columns (or lines) × bands; 0 elsewhere.

        The mean of a column is beyond what noise of standard deviation 1 gives anywhere in a cube,
        and each quarter of it shows at least a third of that: a stripe runs through all of the
        scene, and what the subspace lacks of the scene does not.

        Args:
            before: what was taken off the values already, in the units of the residuals.
        """
        count = self.counts.sum(0)
        whole = before + _centred(self.sums.sum(0) / np.maximum(count, 1))
        each = before + _centred(self.sums / np.maximum(self.counts, 1))
        sure = np.abs(whole) * np.sqrt(count) > surely_odd(whole.size)
        # A part of which too little is left says nothing.
        silent = self.counts < self.length / _PARTS / 4
        same = (each * np.sign(whole) >= _LEAST_OF_PART * np.abs(whole)) | silent
        sure &= same.all(0) & (count >= _SHORTEST)
        return np.where(sure, whole, 0.0)


def _centred(means: Values) -> Values:
    """Less what most columns have in common: an error of the band's mean, and no stripe."""
    centred: Values = means - np.median(means, axis=-2, keepdims=True)
    return centred
