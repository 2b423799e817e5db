"""How spectra of a class differ from field to field of a scene, to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# A mean of fewer says more of noise than of the field.
_LEAST_PIXELS = 3
_TOUCHING = np.ones((3, 3), int)


@dataclass(frozen=True)
class FieldShifts:
    """Differences between the mean spectra of two fields of one class.

    What sets two fields of a class apart, be it soil, moisture, sowing date or light, sets fields
    of other classes apart as well, those too of which training has a single one. A spectrum plus
    such a difference is what it may look like elsewhere, as the nuisance directions of speaker
    recognition are taken from several recordings of one speaker (Hatch, Kajarekar, Stolcke,
    Interspeech 2006).

    Attributes:
        means: of the fields that have another one of their class, fields × components.
        starts: for each of these fields, the number of the first one of its class.
        sizes: for each, how many its class has, at least 2.
    """

    means: NDArray[np.float32]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        spectra: NDArray[np.float32],
        classes: NDArray[np.integer],
        pixels: NDArray[np.integer],
        samples: int,
    ) -> FieldShifts:
        """The shifts that training pixels tell.

        A field is an area of training pixels of one class that touch, corners included, of at least
        three.

        Args:
            spectra: of the training pixels, N × components.
            classes: their class indices.
            pixels: their flat indices.
            samples: of the scene.
        """
        fields, field_classes = _fields(classes, pixels, samples)
        counts = np.bincount(fields, minlength=len(field_classes))
        means = np.zeros((len(field_classes), spectra.shape[1]))
        np.add.at(means, fields, spectra)
        large = counts >= _LEAST_PIXELS
        kept, found = field_classes[large], means[large] / counts[large, None]
        _, starts, inverse, sizes = np.unique(
            kept, return_index=True, return_inverse=True, return_counts=True
        )
        several = sizes[inverse] > 1
        # Without the fields that are alone, those of a class still follow each other.
        before: NDArray[np.int64] = np.cumsum(~several) - ~several
        firsts = starts[inverse]
        return cls(
            found[several].astype(np.float32),
            (firsts - before[firsts])[several].astype(np.int64),
            sizes[inverse][several].astype(np.int64),
        )

    def __bool__(self) -> bool:
        return len(self.means) > 0

    def draw(
        self, places: NDArray[np.floating], strengths: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Shifts between pairs of fields, all pairs equally likely.

        Args:
            places: N × 2, evenly distributed from 0 on and below 1.
            strengths: N factors.

        Returns:
            N × components.
        """
        chances = np.cumsum(self.sizes - 1) / np.sum(self.sizes - 1)
        one = np.searchsorted(chances, places[:, 0], side="right").clip(max=len(chances) - 1)
        starts, sizes = self.starts[one], self.sizes[one]
        step = 1 + (places[:, 1] * (sizes - 1)).astype(np.int64).clip(max=sizes - 2)
        other = starts + (one - starts + step) % sizes
        apart = self.means[one] - self.means[other]
        return np.asarray(strengths[:, None] * apart, np.float32)


def _fields(
    classes: NDArray[np.integer], pixels: NDArray[np.integer], samples: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The number of each pixel's field, and the class of each field, in ascending order."""
    lines = int(pixels.max()) // samples + 1
    numbers = np.empty(len(pixels), np.int64)
    field_classes: list[int] = []
    for kind in np.unique(classes):
        own = classes == kind
        mask = np.zeros((lines, samples), bool)
        mask.reshape(-1)[pixels[own]] = True
        areas, count = ndimage.label(mask, _TOUCHING)
        numbers[own] = areas.reshape(-1)[pixels[own]] - 1 + len(field_classes)
        field_classes += [int(kind)] * count
    return numbers, np.array(field_classes, np.int64)
