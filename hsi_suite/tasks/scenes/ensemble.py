"""Runs that classify together: by the mean of their probabilities."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ...checksums import hash_file
from ...data.band_matching import KnownBands, differing
from ...data.band_selection import same_band
from ...data.orientations import ORIENTATIONS
from ...data.readers import CubeFile
from ...engine.observer import Observer
from ...errors import ConfigError, RunError, ShapeError
from ...models.classical import CLASSICAL
from ...models.network_file import shown_name
from ...runs.folder import MODEL, MODEL_ENDING, Run, fold_files, open_run, require_finished
from ...runs.own_network import require_network
from .classifier import Classifier, most_probable
from .classifier_loading import load_classifier

# Samples that go through a network at a time, so that wide scenes take no more memory.
COLUMNS = 600


@dataclass(frozen=True)
class Classified:
    """Some lines of a scene, classified.

    Attributes:
        labels: lines × samples, 0 where there is no data.
        probabilities: mean over the runs, lines × samples × classes; NaN where there is no data.
        disagreement: share of the runs that give another label than the mean, lines × samples,
            NaN where there is no data; zeros for a single run.
    """

    labels: NDArray[np.integer]
    probabilities: NDArray[np.float32]
    disagreement: NDArray[np.float32]


@dataclass(frozen=True)
class Ensemble:
    """One or several classifiers of the same classes.

    Attributes:
        classifiers: in the order of their runs.
        class_names: label k has name k − 1.
        labels: label values that any of them gives, in ascending order.
        checksums: SHA-256 of their model files.
        denoised: whether they learnt from a denoised scene and so want to see one.
    """

    classifiers: tuple[Classifier, ...]
    class_names: tuple[str, ...]
    labels: tuple[int, ...]
    checksums: tuple[str, ...]
    denoised: bool

    @property
    def radius(self) -> int:
        """How many lines and samples around a pixel its classification depends on."""
        return max(classifier.header.reach for classifier in self.classifiers) // 2

    @property
    def orientations(self) -> tuple[int, ...]:
        """Over how many orientations of its windows each averages."""
        return tuple(each.header.orientations for each in self.classifiers)

    def of_all_orientations(self) -> Ensemble:
        """The same, each averaging over all ways to turn and mirror its windows.

        Raises:
            ConfigError: none of them is a network that sees more than single pixels.
        """
        turn = [
            each.header.window > 1 and each.header.model not in CLASSICAL
            for each in self.classifiers
        ]
        if not any(turn):
            raise ConfigError(
                "--test-time-averaging",
                "runs that see single pixels, or windows the same however they are turned",
                "networks with larger windows",
            )
        turning = tuple(
            replace(each, header=replace(each.header, orientations=ORIENTATIONS)) if turns else each
            for each, turns in zip(self.classifiers, turn, strict=True)
        )
        return replace(self, classifiers=turning)

    def check_probabilities(self, observer: Observer, option: str) -> None:
        """Refuse to use probabilities where a classifier has none; say where none are calibrated.

        Args:
            observer: is told.
            option: what asks for them.

        Raises:
            ConfigError: one of them knows classes alone, as a support vector machine without a
                calibration does.
        """
        without = sorted({_named(each) for each in self.classifiers if not each.has_probabilities})
        if without:
            raise ConfigError(
                option,
                f"{' and '.join(without)} gives classes alone: the run has no calibration",
                "a run with one, or of networks, forest, lda or gaussian",
                f"train it again with train.calibration=auto, or leave {option} out",
            )
        bare = sorted({_named(each) for each in self.classifiers if each.calibration is None})
        if bare:
            shares = " (of a forest, shares of its trees' votes)" if "forest" in bare else ""
            observer.message(
                f"the probabilities of {' and '.join(bare)} are not calibrated{shares}: "
                "they may claim more than they know (docs/explanations/probabilities.md)"
            )

    def check_scene(self, file: CubeFile) -> None:
        """Refuse a scene of other bands.

        Raises:
            ShapeError: their number differs, or their wavelengths do.
        """
        for classifier in self.classifiers:
            self._check_bands(classifier, file)
            _check_wavelengths(classifier, file)

    def _check_bands(self, classifier: Classifier, file: CubeFile) -> None:
        order = None if file.axes is None else file.axes.with_bands(classifier.header.bands)
        try:
            classifier.check_bands(file.shape[2])
        except ShapeError as error:
            if order is None:
                known = classifier.header.known_bands
                given = KnownBands(file.shape[2], file.wavelengths)
                raise ShapeError(
                    file.path.name,
                    differing(given, known),
                    error.expected + (f" (of {known.of} in its file)" if known.of else ""),
                    _remedy(given, known),
                ) from error
            remedy = f"give --axes {order} if that is the order of the file's axes"
            raise ShapeError(file.path.name, error.found, error.expected, remedy) from error

    def classify(
        self,
        cube: NDArray[np.generic],
        valid: NDArray[np.bool_] | None,
        inner: slice,
        observer: Observer,
    ) -> Classified:
        """Classify some lines of a cube, piece by piece from left to right.

        Args:
            cube: lines × samples × bands, with `radius` lines around the inner ones where the
                scene has them.
            valid: lines × samples, False where there is no data; None when all pixels are good.
            inner: the lines to classify.
            observer: counts each pixel once for each classifier.
        """
        samples = cube.shape[1]
        pieces = -(-samples // COLUMNS)
        borders = [samples * number // pieces for number in range(pieces + 1)]
        parts = []
        for first, last in itertools.pairwise(borders):
            left = max(0, first - self.radius)
            around = np.s_[:, left : last + self.radius]
            wanted = np.zeros(cube[around].shape[:2], bool)
            wanted[inner, first - left : last - left] = True
            mask = None if valid is None else valid[around]
            rows = np.s_[inner, first - left : last - left]
            parts.append(self._piece(cube[around], mask, wanted, rows, observer))
        return Classified(*(np.concatenate(layers, axis=1) for layers in zip(*parts, strict=True)))

    def _piece(
        self,
        cube: NDArray[np.generic],
        valid: NDArray[np.bool_] | None,
        wanted: NDArray[np.bool_],
        place: tuple[slice, slice],
        observer: Observer,
    ) -> tuple[NDArray[np.integer], NDArray[np.float32], NDArray[np.float32]]:
        """Labels, probabilities and disagreement of the wanted pixels, which lie at `place`."""
        mean = np.zeros((*wanted[place].shape, len(self.labels)), np.float32)
        votes = []
        for classifier in self.classifiers:
            rows = classifier.probabilities(
                cube, valid, wanted=wanted, observer=_PixelsOnly(observer)
            )[place]
            columns = [self.labels.index(label) for label in classifier.header.labels]
            mean[..., columns] += rows / len(self.classifiers)
            mean[np.isnan(rows[..., 0])] = np.nan
            votes.append(classifier.label_map(rows))
        labels = most_probable(mean, self.labels)
        others = np.stack([vote != labels for vote in votes])
        disagreement: NDArray[np.float32] = others.mean(0, dtype=np.float32)
        disagreement[np.isnan(mean[..., 0])] = np.nan
        return labels, mean, disagreement


def _named(classifier: Classifier) -> str:
    return shown_name(classifier.header.model)


class _PixelsOnly(Observer):
    """Passes on the pixels, not the beginning and end of each piece."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def advance(self, steps: int = 1, **values: float) -> None:
        self._observer.advance(steps, **values)


def load_ensemble(runs: Sequence[str | Path], device: torch.device, threads: int) -> Ensemble:
    """The classifiers of finished runs.

    Raises:
        RunError: a run is unfinished, or the runs do not have the same classes, or some of them
            learnt from a denoised scene and others did not.
    """
    found = [finished_classifiers(run, device, threads) for run in runs]
    classifiers = tuple(itertools.chain.from_iterable(found))
    names = classifiers[0].header.class_names
    for run, (classifier, *_) in zip(runs, found, strict=True):
        if classifier.header.class_names != names:
            raise RunError(
                run,
                "has other classes than the first run",
                ", ".join(names),
                "average runs of one data set only",
            )
        if classifier.header.band_numbers != classifiers[0].header.band_numbers:
            raise RunError(
                run,
                "learnt from other bands than the first run",
                "runs with one choice of bands",
            )
    denoised = [_learnt_denoised(run) for run in runs]
    if len(set(denoised)) > 1:
        odd = runs[denoised.index(not denoised[0])]
        raise RunError(
            odd,
            "learnt from a denoised scene and the first run did not, or the other way round",
            "runs of one kind (preprocess.denoise)",
        )
    return Ensemble(
        classifiers,
        tuple(names),
        tuple(sorted({label for each in classifiers for label in each.header.labels})),
        tuple(hash_file(file) for run in runs for file in model_files(open_run(run))),
        denoised[0],
    )


def _learnt_denoised(run: str | Path) -> bool:
    return bool((open_run(run).config.get("preprocess") or {}).get("denoise"))


def finished_classifiers(
    run: str | Path, device: torch.device, threads: int
) -> tuple[Classifier, ...]:
    """The classifier of a finished run, or those of its spatial folds.

    Raises:
        RunError: the run is unfinished or damaged.
    """
    opened = open_run(run)
    require_finished(opened)
    require_network(opened)
    return tuple(load_classifier(file, device, threads) for file in model_files(opened))


def model_files(run: Run) -> list[Path]:
    """The file that a finished run's model is kept in, or those of its spatial folds."""
    return fold_files(run, MODEL_ENDING) or [run.path / MODEL]


def _remedy(given: KnownBands, learnt: KnownBands) -> str:
    """What helps where a scene's bands are not those learnt."""
    if given.wavelengths is None or learnt.wavelengths is None:
        return "predict a scene of the same sensor and bands"
    return "--resample makes them of the scene's bands"


def _check_wavelengths(classifier: Classifier, file: CubeFile) -> None:
    learnt = classifier.header.wavelengths
    if learnt is None or file.wavelengths is None:
        return
    centres = np.asarray(learnt)
    apart = float(np.abs(centres - file.wavelengths).max())
    if apart > same_band(centres):
        raise ShapeError(
            file.path.name,
            f"bands up to {apart:.0f} nm away from those the model learnt",
            "the same bands",
            _remedy(KnownBands(file.shape[2], file.wavelengths), classifier.header.known_bands),
        )
