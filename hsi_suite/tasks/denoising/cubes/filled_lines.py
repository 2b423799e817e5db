"""The live bands of a cube, block by block, their missing values filled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ....engine.observer import Observer
from ....restoration.cube_lines import CubeLines, line_blocks
from ....restoration.damage import Damage, fill_from_neighbours
from ....restoration.faults import Faults
from ....restoration.repairs import Repairs
from ....restoration.subspace import Subspace

Values = NDArray[np.float64]


class FilledLines:
    """What of a cube can be used; the rest is filled from its other bands.

    Args:
        cube: what is read.
        damage: what of it cannot be used.
        positions: of all bands, for interpolation.

    Attributes:
        faults: values that are replaced by what the other bands say; None: nothing is.
        repairs: faults that are mended in what is read, where such were looked for.
    """

    def __init__(self, cube: CubeLines, damage: Damage, positions: Values) -> None:
        self.cube = cube
        self.damage = damage
        self.live = damage.live_bands
        self.positions = positions[self.live]
        self.missing_values = 0
        self.faults: Faults | None = None
        self.repairs: Repairs | None = None

    @property
    def odd_places(self) -> NDArray[np.int64]:
        """Places (pixel · live bands + band, ascending) of odd values that are filled."""
        return np.zeros(0, np.int64) if self.faults is None else self.faults.places

    def noise_of_planes(self, subspace: Subspace) -> Values:
        """σ of the noise of each plane that `project` gives."""
        return np.ones(subspace.rank)

    def project(self, subspace: Subspace, observer: Observer) -> NDArray[np.float32]:
        """The cube as planes, rank × lines × samples."""
        lines, samples, _ = self.cube.shape
        planes = np.zeros((subspace.rank, lines, samples), np.float32)
        for first, last, spectra in self.blocks("projecting", observer):
            planes[:, first:last, :] = subspace.project(spectra).T.reshape(
                -1, last - first, samples
            )
        return planes

    def project_lines(self, subspace: Subspace, first: int, last: int) -> NDArray[np.float32]:
        """Lines first … last - 1 of what `project` gives."""
        samples = self.cube.shape[1]
        planes = np.empty((subspace.rank, last - first, samples), np.float32)
        for start, stop in line_blocks((last - first, *self.cube.shape[1:])):
            spectra, _ = self.read(first + start, first + stop)
            planes[:, start:stop] = subspace.project(spectra).T.reshape(-1, stop - start, samples)
        return planes

    def spectra(self, observer: Observer) -> Iterator[Values]:
        """The spectra of the valid pixels, pixels × live bands."""
        self.missing_values = 0
        for first, last, spectra in self.blocks("measuring the noise", observer):
            yield spectra[self.damage.valid[first:last].ravel()]

    def blocks(self, what: str, observer: Observer) -> Iterator[tuple[int, int, Values]]:
        """First line, last line (exclusive) and spectra (pixels × live bands) of all blocks."""
        observer.begin(what, self.cube.shape[0])
        self.missing_values = 0
        for first, last in line_blocks(self.cube.shape):
            spectra, missing = self.read(first, last)
            self.missing_values += missing
            yield first, last, spectra
            observer.advance(last - first)
        observer.end()

    def read(self, first: int, last: int) -> tuple[Values, int]:
        """Spectra (pixels × live bands) of some lines, and how many values were missing in them.

        Pixels that are not valid are 0.
        """
        block = self.cube.read(first, last)
        missing = self.damage.missing(block, first)[..., self.live].reshape(-1, len(self.live))
        valid = self.damage.valid[first:last, :, None]
        used = np.where(valid, block[..., self.live], 0).astype(np.float64)
        spectra = used.reshape(-1, len(self.live))
        fill_from_neighbours(spectra, missing, self.positions)
        if self.faults is not None:
            self.faults.fill(spectra, first * block.shape[1])
        return spectra, int(missing.sum())
