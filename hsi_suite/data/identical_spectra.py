"""Spectra that stand on both sides of a split, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pixel_spectra import PixelSpectra
from .reduction import BLOCK_PIXELS

_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFT = np.uint64(31)
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class IdenticalSpectra:
    """How many spectra a test shares with training.

    Attributes:
        compared: test pixels whose spectra were compared; those of one value throughout (no data)
            are not.
        identical: of these, with the spectrum of a pixel of the training side.
        same_class: of these, with such a pixel of their own class.
    """

    compared: int
    identical: int
    same_class: int

    def to_dict(self) -> dict[str, int]:
        """The counts in plain types, for JSON."""
        return asdict(self)


def identical_spectra(
    spectra: PixelSpectra,
    labels: NDArray[np.integer],
    training: NDArray[np.integer],
    test: NDArray[np.integer],
) -> IdenticalSpectra:
    """Count the test pixels whose spectra training has as well.

    Spectra are compared by 64-bit hashes, block by block: 10 million of them give a false match
    in fewer than one scene of 100,000.

    Args:
        spectra: of all pixels of the scene.
        labels: lines × samples.
        training: flat indices of the training side.
        test: flat indices of the test; pixels that are in training too are not compared.
    """
    flat = labels.ravel()
    known_pixels = np.zeros(labels.size, bool)
    known_pixels[training] = True
    test = test[~known_pixels[test]]
    known, there = _hashes(spectra, training)
    asked, held = _hashes(spectra, test)
    known, asked = known[there], asked[held]
    classes, theirs = flat[training][there], flat[test][held]
    identical = np.isin(asked, known)
    pairs = np.unique(np.stack([known, classes.astype(np.uint64)], 1), axis=0)
    same = sum(
        int(np.isin(asked[theirs == label], pairs[pairs[:, 1] == label, 0]).sum())
        for label in np.unique(theirs[identical]).tolist()
    )
    return IdenticalSpectra(len(asked), int(identical.sum()), same)


def _hashes(spectra: PixelSpectra, pixels: NDArray[np.integer]) -> tuple[Hashes, NDArray[np.bool_]]:
    """A number for every spectrum, and whether it holds more than one value."""
    found, varied = np.zeros(len(pixels), np.uint64), np.zeros(len(pixels), bool)
    rows = spectra.of(pixels)
    done = 0
    for block in _blocks(rows):
        end = done + len(block)
        varied[done:end] = (block != block[:, :1]).any(1)
        found[done:end] = _hashed(block)
        done = end
    return found, varied


def _blocks(rows: PixelSpectra) -> Iterator[NDArray[Any]]:
    for start in range(0, len(rows), BLOCK_PIXELS):
        yield np.ascontiguousarray(rows[start : start + BLOCK_PIXELS])


def _hashed(block: NDArray[Any]) -> Hashes:
    if block.dtype.kind == "f":
        block = block + block.dtype.type(0)  # -0.0 is 0.0
    raw = block.view(np.uint8).reshape(len(block), -1)
    words = np.zeros((len(block), -(-raw.shape[1] // 8) * 8), np.uint8)
    words[:, : raw.shape[1]] = raw
    state = np.zeros(len(block), np.uint64)
    for column in words.view(np.uint64).T:
        for factor in _FACTORS:
            state = (state ^ column) * factor
            state ^= state >> _SHIFT
    return state
