"""A trained classifier as one object and one file: everything that prediction needs.

What computes is a network (`network_classifier`) or a model of single spectra from scikit-learn
(`spectral_classifier`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...data.band_matching import KnownBands, known_from
from ...data.likeness_filter import LikenessFilter
from ...data.patches import WindowSampler
from ...data.pixel_spectra import PixelSpectra
from ...data.reduction import BLOCK_PIXELS, Reduction
from ...engine.observer import Observer
from ...errors import ShapeError
from ...models.calibration import Calibration
from ...runs.model_file import write_model_file
from ...schemas.training import Precision

FORMAT = "hsi_suite classifier 1"
Judge = Callable[[NDArray[np.int64], NDArray[np.floating]], None]
# Fields of a header that the first runs do not have.
_LATER = {
    "fwhm", "file_bands", "band_numbers", "likeness", "calibration", "class_weights", "filter"
}  # fmt: skip
# Pixels × classes that are calibrated at a time.
_BLOCK_VALUES = 2**20


@dataclass(frozen=True)
class Header:
    """What a classifier is, beside its numbers.

    Attributes:
        model: registered name.
        options: further arguments of the model, or the settings of a classical one.
        window: side of the window in pixels.
        labels: label value of each output.
        class_names: all names of the scene's classes; label k has name k − 1.
        bands: bands of the cubes it takes.
        wavelengths: their centres in nm; None when unknown.
        dataset: what it was trained on.
        synthetic: whether that was a generated scene.
        seed: of a classical model's fit.
        orientations: of each window whose probabilities are averaged, 1 or 8.
        domain: where the training scene's spectra lie, see `SpectralDomain`; None in older runs.
        value_scale: what its values stand for, see `ValueScale`; None where its file said nothing.
        fwhm: widths of the bands in nm; None when unknown.
        file_bands: bands of the file that these are a choice of; None where all were used.
        band_numbers: their numbers there, from 1.
        likeness: the `spread` by which answers are filtered, of a classical model over its
            window, of a network over `filter`, see `LikenessFilter`; None where they are not.
        calibration: of its probabilities, see `models.calibration.Calibration`, and what it was
            fitted on; None where there is none, as in older runs.
        class_weights: what a classical model's fit counted each spectrum for, by class; None for
            all alike.
        filter: side of the window in pixels over which a network's answers are filtered; None
            where they are not.
    """

    model: str
    options: dict[str, Any]
    window: int
    labels: list[int]
    class_names: list[str]
    bands: int
    wavelengths: list[float] | None
    dataset: str
    synthetic: bool
    seed: int = 0
    orientations: int = 1
    domain: dict[str, Any] | None = None
    value_scale: dict[str, list[float]] | None = None
    fwhm: list[float] | None = None
    file_bands: int | None = None
    band_numbers: list[int] | None = None
    likeness: float | None = None
    calibration: dict[str, Any] | None = None
    class_weights: list[float] | None = None
    filter: int | None = None

    @property
    def likeness_filter(self) -> LikenessFilter | None:
        """What the answers go through; None where they stay as they are."""
        if self.likeness is None:
            return None
        return LikenessFilter(self.filter or self.window, self.likeness)

    @property
    def reach(self) -> int:
        """Side in pixels of the square that the answer at its centre depends on."""
        return self.window + (self.filter or 1) - 1

    @property
    def known_bands(self) -> KnownBands:
        """The bands that were learnt.

        Raises:
            ValueError: what is kept of them does not fit.
        """
        return known_from(
            self.bands, self.wavelengths, self.fwhm, self.file_bands, self.band_numbers
        )

    def to_dict(self) -> dict[str, Any]:
        """What a model file holds: later fields only where they say something."""
        return {k: v for k, v in asdict(self).items() if v is not None or k not in _LATER}


@dataclass(frozen=True)
class Computation:
    """How probabilities are computed; see `Classifier.probabilities`."""

    batch_size: int = 512
    precision: Precision = "fp32"
    dropout_seed: int | None = None


@dataclass
class Classifier(ABC):
    """Spectra in, class probabilities out.

    Attributes:
        header: see `Header`.
        reduction: from spectra to the model's input.
    """

    header: Header
    reduction: Reduction

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    @abstractmethod
    def has_dropout(self) -> bool:
        """Whether a layer of it drops something in training."""

    @property
    @abstractmethod
    def parameter_count(self) -> int | None:
        """Trainable parameters of a network; None for models of another kind."""

    @abstractmethod
    def rows(
        self,
        reduced: WindowSampler,
        wanted: NDArray[np.bool_],
        how: Computation,
        observer: Observer,
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.floating]]]:
        """Flat indices of the wanted pixels and what tells their classes, part by part.

        A number for each class, the largest of the most probable one: probabilities, or what
        `scores_of` a calibration needs.
        """

    @property
    @abstractmethod
    def has_probabilities(self) -> bool:
        """Whether there is more than a class for each pixel."""

    @abstractmethod
    def scores_of(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """What a calibration is applied to, of `rows`."""

    @abstractmethod
    def uncalibrated(self, rows: NDArray[np.floating]) -> NDArray[np.float32]:
        """The probabilities of `rows` without a calibration."""

    @property
    def calibration(self) -> Calibration | None:
        """That of its probabilities; None where there is none."""
        kept = self.header.calibration
        return None if kept is None else Calibration.from_dict(kept)

    def calibrated(self, rows: NDArray[np.floating]) -> NDArray[np.float32]:
        """The probabilities of `rows`: calibrated where there is a calibration."""
        calibration = self.calibration
        if calibration is None:
            return self.uncalibrated(rows)
        size = max(1, _BLOCK_VALUES // rows.shape[1])
        blocks = (rows[start : start + size] for start in range(0, len(rows), size))
        return np.concatenate([calibration.apply(self.scores_of(block)) for block in blocks])

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """What computes, as it is written into the model file."""

    def probabilities(
        self,
        cube: NDArray[np.generic],
        valid: NDArray[np.bool_] | None,
        *,
        wanted: NDArray[np.bool_] | None = None,
        batch_size: int = 512,
        precision: Precision = "fp32",
        dropout_seed: int | None = None,
        observer: Observer | None = None,
    ) -> NDArray[np.float32]:
        """Class probabilities of every pixel.

        Calibrated where the classifier has a calibration. Without one those of a forest are shares
        of its trees' votes, and a support vector machine and the spectral angle give 1 for their
        class and 0 for the others.

        Args:
            cube: lines × samples × bands.
            valid: lines × samples, False where there is no data; None when all pixels are good.
            wanted: lines × samples, True for the pixels to classify; None for all valid ones.
            batch_size: windows per forward pass, where the network cannot take the scene at once.
            precision: of a network's computations.
            dropout_seed: leave dropout layers, and no others, on and draw from this seed; None
                for eval mode.
            observer: reports progress.

        Returns:
            lines × samples × classes; NaN at invalid and unwanted pixels.

        Raises:
            ShapeError: the cube has other bands than the training scene.
        """
        reduced = self.reduced(PixelSpectra(cube), valid, cube.shape[:2])
        good = np.ones(cube.shape[:2], bool) if valid is None else valid
        out = np.full((*good.shape, len(self.header.labels)), np.nan, np.float32)
        flat = out.reshape(-1, out.shape[-1])

        def keep(pixels: NDArray[np.int64], rows: NDArray[np.floating]) -> None:
            flat[pixels] = self.calibrated(rows)

        wanted = good if wanted is None else good & wanted
        how = Computation(batch_size, precision, dropout_seed)
        self._classify(reduced, wanted, keep, how, observer)
        return out

    def class_map(
        self,
        reduced: WindowSampler,
        wanted: NDArray[np.bool_],
        *,
        batch_size: int = 512,
        precision: Precision = "fp32",
        dropout_seed: int | None = None,
        observer: Observer | None = None,
        judge: Judge | None = None,
    ) -> NDArray[np.int32]:
        """Index of the most probable class of each wanted pixel, without all probabilities.

        Args:
            reduced: the scene, see `reduced`.
            wanted: lines × samples, True for the pixels to classify, all of which hold data.
            batch_size: as in `probabilities`, like all that follow.
            precision: of a network's computations.
            dropout_seed: leave dropout on.
            observer: reports progress.
            judge: is given the `rows` of each part, too.

        Returns:
            lines × samples, positions in `header.labels`; −1 at unwanted pixels.
        """
        out = np.full(wanted.shape, -1, np.int32)

        def keep(pixels: NDArray[np.int64], rows: NDArray[np.floating]) -> None:
            out.reshape(-1)[pixels] = rows.argmax(1)
            if judge is not None:
                judge(pixels, rows)

        how = Computation(batch_size, precision, dropout_seed)
        self._classify(reduced, wanted, keep, how, observer)
        return out

    def reduced(
        self, spectra: PixelSpectra, valid: NDArray[np.bool_] | None, size: tuple[int, int]
    ) -> WindowSampler:
        """A scene as the model sees it, its spectra reduced block by block.

        Args:
            spectra: of all pixels of the scene.
            valid: lines × samples, False where there is no data; None when all pixels are good.
            size: lines and samples.

        Raises:
            ShapeError: the spectra have other bands than those of the training scene.
        """
        self.check_bands(spectra.shape[1])
        shape = (self.reduction.components, *size)
        sampler = WindowSampler.empty(shape, self.header.window, self.device)
        for start in range(0, len(spectra), BLOCK_PIXELS):
            rows = self.reduction.apply(spectra[start : start + BLOCK_PIXELS])
            if valid is not None:
                rows[~valid.reshape(-1)[start : start + BLOCK_PIXELS]] = 0
            sampler.put(start, torch.from_numpy(rows))
        return sampler

    def check_bands(self, bands: int) -> None:
        """Refuse a cube with another number of bands than the training scene.

        Raises:
            ShapeError: it has.
        """
        if bands != self.header.bands:
            raise ShapeError(
                "scene",
                f"{bands} bands",
                f"{self.header.bands} bands, as {self.header.dataset} has, which the model learnt",
                "predict a scene of the same sensor and bands",
            )

    def _classify(
        self,
        reduced: WindowSampler,
        wanted: NDArray[np.bool_],
        keep: Judge,
        how: Computation,
        observer: Observer | None,
    ) -> None:
        """Give `keep` flat indices of the wanted pixels and their `rows`, part by part."""
        observer = observer or Observer()
        observer.begin("classifying", int(wanted.sum()))
        if wanted.any():
            for places, rows in self.rows(reduced, wanted, how, observer):
                keep(places, rows)
        observer.end()

    def label_map(self, probabilities: NDArray[np.float32]) -> NDArray[np.integer]:
        """Labels (lines × samples) of probabilities; 0 where there is no data."""
        return most_probable(probabilities, self.header.labels)

    def labels_of(self, classes: NDArray[np.integer]) -> NDArray[np.integer]:
        """Labels of class indices of any shape; 0 for −1."""
        return labels_of(classes, self.header.labels)

    def save(self, path: Path) -> None:
        """Write the classifier as one safetensors file."""
        tensors: dict[str, Tensor] = {
            f"reduction.{name}": torch.from_numpy(np.ascontiguousarray(value))
            for name, value in vars(self.reduction).items()
        }
        tensors |= self.tensors()
        write_model_file(path, tensors, {"format": FORMAT, **self.header.to_dict()})


def labels_of(classes: NDArray[np.integer], labels: Sequence[int]) -> NDArray[np.integer]:
    """Labels of class indices of any shape; 0 for −1.

    Args:
        classes: positions in `labels`, or −1.
        labels: label value of each class.
    """
    values = np.array([*labels, 0], _label_type(labels))
    found: NDArray[np.integer] = values[classes]
    return found


def most_probable(probabilities: NDArray[np.float32], labels: Sequence[int]) -> NDArray[np.integer]:
    """The label (lines × samples) with the highest probability; 0 where there is no data.

    Args:
        probabilities: lines × samples × classes, NaN where there is no data.
        labels: label value of each class.
    """
    kind = _label_type(labels)
    missing = np.isnan(probabilities[..., 0])
    best = np.where(missing[..., None], 0, probabilities).argmax(-1)
    return np.where(missing, 0, np.array(labels, kind)[best]).astype(kind)


def _label_type(labels: Sequence[int]) -> type[np.uint8] | type[np.uint16]:
    return np.uint8 if max(labels) < 256 else np.uint16
