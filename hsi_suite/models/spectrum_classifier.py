"""What every classifier of single spectra can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Searched:
    """What a search for settings found.

    Attributes:
        folds: "spatial", or "random" where they were drawn class by class.
        number: of folds.
        score: overall accuracy of the best settings on them: the search's own, not a test's.
    """

    folds: str
    number: int
    score: float


class SpectrumClassifier(ABC):
    """A model of single spectra that is fitted at once.

    It is kept as its training spectra and settings and fitted again when loaded: nothing is
    pickled.

    Args:
        settings: some numbers of `SETTINGS`; what is left out is found by `fit`.
        seed: of what is drawn.
        threads: of the fit; its result does not depend on them.

    Attributes:
        SETTINGS: names of the positive numbers that it can be given.
        DRAWS: whether anything is drawn unless the settings are given.
        PROBABILITIES: whether its shares are more than 1 for one class and 0 for the others.
        settings: those given or found.
        SEARCHES: whether settings that are not given are searched on folds of the spectra.
        folds: for each fold of that search the positions of the spectra to learn from and to test;
            None draws folds at random.
        searched: what the search found; None where there was none.
    """

    SEARCHES: ClassVar[bool] = False
    folds: Sequence[Fold] | None = None
    searched: Searched | None = None
    SETTINGS: ClassVar[frozenset[str]] = frozenset()
    DRAWS: ClassVar[bool] = False
    PROBABILITIES: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, float] | None, seed: int, threads: int = 1) -> None:
        self.settings = dict(settings or {})
        self.seed = seed
        self.threads = threads

    @staticmethod
    def check_size(num_classes: int, spectra: int) -> None:
        """Refuse what grows beyond use; by default nothing is.

        Raises:
            ConfigError: there are too many classes or spectra.
        """
        return

    @abstractmethod
    def fit(self, spectra: NDArray[np.floating], classes: NDArray[np.integer]) -> None:
        """Fit to N × bands spectra and N class indices."""

    @abstractmethod
    def predict(self, spectra: NDArray[np.floating]) -> NDArray[np.integer]:
        """Class indices of N × bands spectra."""

    def shares(self, spectra: NDArray[np.floating], number: int) -> NDArray[np.float32]:
        """How likely each class is, N × number of classes; its largest is what `predict` says.

        By default 1 for that class and 0 for the others.
        """
        shares = np.zeros((len(spectra), number), np.float32)
        shares[np.arange(len(spectra)), self.predict(spectra)] = 1
        return shares


def searched(folds: Sequence[Fold] | None, drawn: int, score: float) -> Searched:
    """What a search found on given folds, or on so many that were drawn."""
    return (
        Searched("random", drawn, score)
        if folds is None
        else Searched("spatial", len(folds), score)
    )


def spread(
    probabilities: NDArray[np.float64], known: NDArray[np.integer], number: int
) -> NDArray[np.float32]:
    """Probabilities of the known classes among all, in float32 with the same largest one.

    Args:
        probabilities: N × known classes.
        known: their indices.
        number: of all classes; those that are not known get 0.

    Returns:
        N × number.
    """
    every = np.zeros((len(probabilities), number))
    every[:, known] = probabilities
    shares = every.astype(np.float32)
    # Rounding must not make a tie of what `predict` distinguishes.
    rows, best = np.arange(len(every)), every.argmax(1)
    other = shares.argmax(1) != best
    shares[rows[other], best[other]] = np.nextafter(shares.max(1)[other], np.float32(2))
    return shares
