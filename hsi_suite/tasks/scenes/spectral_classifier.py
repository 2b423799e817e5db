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
from ...errors import InputFileError
from ...models.classical import CLASSICAL
from ...models.spectrum_classifier import SpectrumClassifier
from .answer_filtering import filtered_rows
from .classifier import Classifier, Computation, Header

_CHUNK = 16_384
_CHUNK_VALUES = 2**23  # of pixels × classes


def classical_model(header: Header, threads: int) -> SpectrumClassifier:
    """A model of single spectra with a header's settings and weights, not fitted yet."""
    weights = None if header.class_weights is None else dict(enumerate(header.class_weights))
    return CLASSICAL[header.model](header.options, header.seed, threads, weights)


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
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.floating]]]:
        """See `Classifier`.

        With a window larger than a pixel they are filtered, see `LikenessFilter`.
        """
        kept, number = self.header.likeness_filter, len(self.header.labels)
        if kept is None:
            scored = self.header.calibration is not None
            yield from self._single_rows(reduced, wanted, scored, observer)
            return

        def answers(
            asked: NDArray[np.bool_],
        ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.floating]]]:
            return self._single_rows(reduced, asked, False, Observer())

        yield from filtered_rows(kept, reduced, wanted, number, answers, observer)

    def _single_rows(
        self,
        reduced: WindowSampler,
        wanted: NDArray[np.bool_],
        scored: bool,
        observer: Observer,
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.floating]]]:
        """Shares, or scores, of the wanted pixels, each by its spectrum alone."""
        pixels, number = np.flatnonzero(wanted), len(self.header.labels)
        size = max(1, min(_CHUNK, _CHUNK_VALUES // number))
        answer = self.model.scores if scored else self.model.shares
        for start in range(0, len(pixels), size):
            chunk = pixels[start : start + size]
            spectra = reduced.spectra(torch.from_numpy(chunk)).numpy()
            _refuse_overflow(spectra)
            yield chunk, answer(spectra, number)
            observer.advance(len(chunk))

    @property
    def has_probabilities(self) -> bool:
        """See `Classifier`."""
        return self.model.PROBABILITIES or self.header.calibration is not None

    def scores_of(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """See `Classifier`.

        Of filtered answers logarithms, as if one more pixel of the window had all classes alike.
        """
        if self.header.likeness is None:
            return rows.astype(np.float64, copy=False)
        pixels = self.header.window**2
        shares = rows.astype(np.float64)
        return np.asarray(np.log((pixels * shares + 1 / rows.shape[1]) / (pixels + 1)))

    def uncalibrated(self, rows: NDArray[np.floating]) -> NDArray[np.float32]:
        """See `Classifier`."""
        if self.header.calibration is None or self.header.likeness is not None:
            return rows.astype(np.float32, copy=False)
        return self.model.shares_of(self.scores_of(rows))

    def tensors(self) -> dict[str, Tensor]:
        """See `Classifier`."""
        assert self.spectra is not None and self.classes is not None
        return {
            "training.spectra": torch.from_numpy(self.spectra),
            "training.classes": torch.from_numpy(self.classes),
        }


def _refuse_overflow(spectra: NDArray[np.floating]) -> None:
    """Refuse reduced spectra that single precision cannot hold.

    Raises:
        InputFileError: some are not finite.
    """
    beyond = len(spectra) - int(np.isfinite(spectra).all(1).sum())
    if beyond:
        raise InputFileError(
            "the spectra",
            f"{beyond:,} of {len(spectra):,} are too large for single precision once reduced",
            "values in the unit of the training scene",
            "scale the cube",
        )
