"""A classifier of scenes whose classes come from a model of single spectra."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...data.patches import WindowSampler
from ...engine.observer import Observer
from ...models.spectrum_classifier import SpectrumClassifier
from .classifier import Classifier, Computation

_CHUNK = 16_384


@dataclass
class SpectralClassifier(Classifier):
    """See `Classifier`.

    Attributes:
        model: fitted when it is used; its input is reduced, too.
        spectra: that it was fitted to, reduced, N × components; None before.
        classes: their class indices.
    """

    model: SpectrumClassifier
    spectra: NDArray[np.float32] | None = None
    classes: NDArray[np.int64] | None = None

    @property
    def device(self) -> torch.device:
        """See `Classifier`."""
        return torch.device("cpu")

    @property
    def has_dropout(self) -> bool:
        """See `Classifier`."""
        return False

    @property
    def parameter_count(self) -> int | None:
        """See `Classifier`."""
        return None

    def fit(self, spectra: NDArray[np.float32], classes: NDArray[np.int64]) -> None:
        """Fit the model to N × components reduced spectra and N class indices."""
        self.model.fit(spectra, classes)
        self.spectra, self.classes = np.ascontiguousarray(spectra), classes

    def rows(
        self,
        reduced: WindowSampler,
        wanted: NDArray[np.bool_],
        how: Computation,
        observer: Observer,
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """See `Classifier`."""
        pixels = np.flatnonzero(wanted)
        for start in range(0, len(pixels), _CHUNK):
            chunk = pixels[start : start + _CHUNK]
            spectra = reduced.spectra(torch.from_numpy(chunk)).numpy()
            yield chunk, self.model.shares(spectra, len(self.header.labels))
            observer.advance(len(chunk))

    def tensors(self) -> dict[str, Tensor]:
        """See `Classifier`."""
        assert self.spectra is not None and self.classes is not None
        return {
            "training.spectra": torch.from_numpy(self.spectra),
            "training.classes": torch.from_numpy(self.classes),
        }
