"""What every classifier of single spectra can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

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
        weights: what each spectrum of a class counts for in the fit, by class index; None counts
            all alike.

    Attributes:
        SETTINGS: names of the positive numbers that it can be given.
        DRAWS: whether anything is drawn unless the settings are given.
        PROBABILITIES: whether its shares are more than 1 for one class and 0 for the others.
        WEIGHTS: whether it can weigh classes.
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
    WEIGHTS: ClassVar[bool] = False

    def __init__(
        self,
        settings: Mapping[str, float] | None,
        seed: int,
        threads: int = 1,
        weights: Mapping[int, float] | None = None,
    ) -> None:
        self.settings = dict(settings or {})
        self.seed = seed
        self.threads = threads
        self.weights = None if weights is None else dict(weights)
        self._set_up()

    def _set_up(self) -> None:  # noqa: B027
        """Make what a fit needs, of settings, seed and threads; by default nothing.

        Raises:
            ConfigError: a setting cannot be.
        """

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

    @abstractmethod
    def scores(self, spectra: NDArray[np.floating], number: int) -> NDArray[np.float64]:
        """What a calibration makes probabilities of, N × number of classes.

        Log-probabilities but for a factor and a number for each row, the largest that of the class
        that `predict` says; −∞ for classes that were not learnt.
        """

    def shares_of(self, scores: NDArray[np.float64]) -> NDArray[np.float32]:
        """The `shares` that belong to `scores`, but for rounding."""
        if self.PROBABILITIES:
            return np.asarray(softmax(scores, axis=1), np.float32)
        return _votes(scores.argmax(1), scores.shape[1])

    def shares(self, spectra: NDArray[np.floating], number: int) -> NDArray[np.float32]:
        """How likely each class is, N × number of classes; its largest is what `predict` says.

        By default 1 for that class and 0 for the others.
        """
        return _votes(self.predict(spectra), number)


def _votes(classes: NDArray[np.integer], number: int) -> NDArray[np.float32]:
    """1 for the class of each row and 0 for the others, N × number of classes."""
    shares = np.zeros((len(classes), number), np.float32)
    shares[np.arange(len(classes)), classes] = 1
    return shares


def searched(folds: Sequence[Fold] | None, drawn: int, score: float) -> Searched:
    """What a search found on given folds, or on so many that were drawn."""
    return (
        Searched("random", drawn, score)
        if folds is None
        else Searched("spatial", len(folds), score)
    )


def among(
    scores: NDArray[np.float64],
    known: NDArray[np.integer],
    number: int,
    best: NDArray[np.integer],
) -> NDArray[np.float64]:
    """Scores of the known classes among all, −∞ for the others, with a given class in front.

    Args:
        scores: N × known classes.
        known: their indices.
        number: of all classes.
        best: index of the class of each row that stands in front, N.

    Returns:
        N × number.
    """
    every = np.full((len(scores), number), -np.inf)
    every[:, known] = scores
    return led_by(every, best)


def led_by(rows: NDArray[Any], best: NDArray[np.integer]) -> NDArray[Any]:
    """Rows in which a class stands first: where rounding or a tie left another one, just above it.

    Args:
        rows: N × classes; changed in place.
        best: the class of each row that has to be its argmax.
    """
    other = np.flatnonzero(rows.argmax(1) != best)
    rows[other, best[other]] = np.nextafter(rows[other].max(1), rows.dtype.type(np.inf))
    return rows


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
    return led_by(shares, every.argmax(1))


def weights_of(
    weights: Mapping[int, float] | None, classes: NDArray[np.integer]
) -> dict[int, float] | None:
    """Those of the classes that occur, as scikit-learn takes them."""
    if weights is None:
        return None
    return {int(label): weights[int(label)] for label in np.unique(classes)}
