"""Classifiers of single spectra that are computed at once: yardsticks in a second.

What is heavy to import is imported where one is built or fitted (see `classical`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from ..errors import ConfigError
from ..process_wide import ignoring
from .spectrum_classifier import Fold, SpectrumClassifier, among, searched, spread

_POOLINGS = (1.0, 0.9, 0.7, 0.5, 0.3, 0.1)
_FOLDS = 3
_LEAST_VARIANCE = 1e-9

Normal = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Moments:
    """What normal distributions need of spectra.

    Attributes:
        means: classes × bands.
        covariances: of each class, classes × bands × bands.
        common: shrunk covariance within the classes, bands × bands.
    """

    means: NDArray[np.float64]
    covariances: NDArray[np.float64]
    common: NDArray[np.float64]


class LinearDiscriminant(SpectrumClassifier):
    """Linear discriminant analysis whose covariance is shrunk, so that bands may be many.

    One covariance for all classes, of standardised bands, drawn towards a multiple of the identity
    as far as Ledoit and Wolf say (Journal of Multivariate Analysis 88, 2004). A class is as likely
    beforehand as it is common in training.

    Args:
        settings: {"shrinkage"}, above 0 and at most 1, instead of Ledoit's and Wolf's.
        seed: unused.
        threads: unused.
        weights: of a class's spectra, by class index; they change how likely it is beforehand.
    """

    SETTINGS = frozenset({"shrinkage"})
    WEIGHTS = True

    def _set_up(self) -> None:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        _check_share("shrinkage", self.settings)
        shrinkage = self.settings.get("shrinkage", "auto")
        self._lda = LinearDiscriminantAnalysis("lsqr", shrinkage=shrinkage)
        self._fitted = make_pipeline(StandardScaler(), self._lda)

    def fit(self, spectra: NDArray[np.floating], classes: NDArray[np.integer]) -> None:
        """Fit to N × bands spectra and N class indices.

        Raises:
            ConfigError: one class alone, or as many classes as spectra.
        """
        _require_several("lda", spectra, classes)
        if self.weights is not None:
            known, counts = np.unique(classes, return_counts=True)
            weighed = counts * np.array([self.weights[int(each)] for each in known])
            self._lda.set_params(priors=weighed / weighed.sum())
        # A class of one spectrum adds nothing to the covariance, which the others give.
        with ignoring(message="Only one sample available"):
            self._fitted.fit(spectra.astype(np.float64), classes)

    def predict(self, spectra: NDArray[np.floating]) -> NDArray[np.integer]:
        """Class indices of N × bands spectra."""
        return np.asarray(self._fitted.predict(spectra.astype(np.float64)))

    def shares(self, spectra: NDArray[np.floating], number: int) -> NDArray[np.float32]:
        """Probabilities under equal covariances, N × number of classes; not calibrated."""
        probabilities = self._fitted.predict_proba(spectra.astype(np.float64))
        return spread(probabilities, self._lda.classes_, number)

    def scores(self, spectra: NDArray[np.floating], number: int) -> NDArray[np.float64]:
        """Its discriminant functions, log-probabilities but for a number for each row."""
        decisions, known = (
            self._fitted.decision_function(spectra.astype(np.float64)), self._lda.classes_
        )  # fmt: skip
        if len(known) == 2:
            best = (decisions > 0).astype(int)
            decisions = np.stack([np.zeros_like(decisions), decisions], 1)
        else:
            best = decisions.argmax(1)
        return among(decisions, known, number, known[best])


class GaussianMaximumLikelihood(SpectrumClassifier):
    """Maximum likelihood under a normal distribution for each class, all equally likely beforehand.

    A class often has fewer spectra than there are bands, so its covariance is mixed with the one
    of all classes (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2nd ed.,
    equation 4.13), which is shrunk as in `LinearDiscriminant`. The share of the common one is
    chosen by 3-fold cross-validation on the training spectra, or over `folds`, unless it is given.

    Args:
        settings: {"pooling"}: that share, above 0 and at most 1; 1e-9 is as good as none.
        seed: of the folds.
        threads: unused.
    """

    SETTINGS = frozenset({"pooling"})
    SEARCHES = True
    DRAWS = True

    def _set_up(self) -> None:
        from sklearn.preprocessing import StandardScaler

        _check_share("pooling", self.settings)
        self._scaler = StandardScaler()
        self._classes: NDArray[np.integer] = np.empty(0, int)
        self._normals: list[Normal] = []

    def fit(self, spectra: NDArray[np.floating], classes: NDArray[np.integer]) -> None:
        """Fit to N × bands spectra and N class indices.

        Raises:
            ConfigError: one class alone, or as many classes as spectra.
        """
        _require_several("gaussian", spectra, classes)
        scaled = self._scaler.fit_transform(spectra.astype(np.float64))
        if not self.settings:
            folds = _drawn_folds(scaled, classes, self.seed) if self.folds is None else self.folds
            pooling, score = _best_pooling(scaled, classes, folds)
            self.settings = {"pooling": pooling}
            if score is not None:
                self.searched = searched(self.folds, len(folds), score)
        self._classes = np.unique(classes)
        self._normals = _normals(_moments(scaled, classes), self.settings["pooling"])

    def _log_likelihoods(self, spectra: NDArray[np.floating]) -> NDArray[np.float64]:
        return _log_likelihoods(self._normals, self._scaler.transform(spectra.astype(np.float64)))

    def predict(self, spectra: NDArray[np.floating]) -> NDArray[np.integer]:
        """Class indices of N × bands spectra."""
        return np.asarray(self._classes[self._log_likelihoods(spectra).argmax(1)])

    def shares(self, spectra: NDArray[np.floating], number: int) -> NDArray[np.float32]:
        """Probabilities under the normal distributions, N × number of classes; not calibrated."""
        probabilities = softmax(self._log_likelihoods(spectra), axis=1)
        return spread(probabilities, self._classes, number)

    def scores(self, spectra: NDArray[np.floating], number: int) -> NDArray[np.float64]:
        """Log-likelihoods under the normal distributions."""
        likelihoods = self._log_likelihoods(spectra)
        return among(likelihoods, self._classes, number, self._classes[likelihoods.argmax(1)])


class SpectralAngleMapper(SpectrumClassifier):
    """The class whose mean spectrum is nearest in angle: brightness does not matter.

    Spectral angle mapper of Kruse et al. (Remote Sensing of Environment 44, 1993).
    Angles mean something for spectra as they are, so it wants reduction.method=none.

    Args:
        settings: unused; there are none.
        seed: unused.
        threads: unused.
    """

    PROBABILITIES = False

    def _set_up(self) -> None:
        self._classes: NDArray[np.integer] = np.empty(0, int)
        self._means: NDArray[np.float64] = np.empty((0, 0))

    def fit(self, spectra: NDArray[np.floating], classes: NDArray[np.integer]) -> None:
        """Fit to N × bands spectra and N class indices."""
        self._classes = np.unique(classes)
        self._means = np.stack(
            [spectra[classes == each].mean(0, dtype=np.float64) for each in self._classes]
        )

    def predict(self, spectra: NDArray[np.floating]) -> NDArray[np.integer]:
        """Class indices of N × bands spectra."""
        return np.asarray(self._classes[self._angles(spectra).argmin(1)])

    def scores(self, spectra: NDArray[np.floating], number: int) -> NDArray[np.float64]:
        """The angles in degrees, with their sign turned."""
        angles = self._angles(spectra)
        degrees = np.degrees(np.minimum(angles, np.pi))
        return among(-degrees, self._classes, number, self._classes[angles.argmin(1)])

    def _angles(self, spectra: NDArray[np.floating]) -> NDArray[np.float64]:
        """N × known classes, in radians; infinite where there is none."""
        # Not at the top: nothing else that trains needs the library.
        from spectral import spectral_angles

        with np.errstate(invalid="ignore"):
            angles = spectral_angles(spectra[None].astype(np.float64), self._means)[0]
        # A spectrum of zeros has no angle; it gets the first class.
        return np.asarray(np.nan_to_num(angles, nan=np.inf))


def _drawn_folds(
    scaled: NDArray[np.float64], classes: NDArray[np.integer], seed: int
) -> Sequence[Fold]:
    """Folds drawn class by class; none where no class has two spectra."""
    from sklearn.model_selection import StratifiedKFold

    counts = np.unique(classes, return_counts=True)[1]
    folds = min(_FOLDS, int(counts.max()))
    if folds < 2:
        return []
    # That a class has fewer spectra than there are folds: it is then left out of some.
    with ignoring(UserWarning):
        parts = StratifiedKFold(folds, shuffle=True, random_state=seed % 2**32)
        return list(parts.split(scaled, classes))


def _best_pooling(
    scaled: NDArray[np.float64], classes: NDArray[np.integer], folds: Sequence[Fold]
) -> tuple[float, float | None]:
    """The share that is right most often on spectra left out, the greatest of equal ones.

    Beside it how often that is; None where nothing was left out.
    """
    right, asked = dict.fromkeys(_POOLINGS, 0), 0
    for learnt, tested in folds:
        known = np.unique(classes[learnt])
        if len(known) == len(learnt):
            continue
        asked += len(tested)
        moments = _moments(scaled[learnt], classes[learnt])
        for pooling in _POOLINGS:
            answers = _log_likelihoods(_normals(moments, pooling), scaled[tested]).argmax(1)
            right[pooling] += int((known[answers] == classes[tested]).sum())
    best = max(_POOLINGS, key=lambda pooling: right[pooling])
    return best, right[best] / asked if asked else None


def _moments(scaled: NDArray[np.float64], classes: NDArray[np.integer]) -> Moments:
    """What the spectra are to normal distributions."""
    from sklearn.covariance import ledoit_wolf

    known, index = np.unique(classes, return_inverse=True)
    members = [np.flatnonzero(index == each) for each in range(len(known))]
    means = np.stack([scaled[each].mean(0) for each in members])
    centred = scaled - means[index]
    own = np.stack([centred[each].T @ centred[each] / len(each) for each in members])
    common = ledoit_wolf(centred, assume_centered=True)[0]
    # A band that never varies within a class would leave no inverse.
    common.flat[:: len(common) + 1] += _LEAST_VARIANCE
    return Moments(means, own, common)


def _normals(moments: Moments, pooling: float) -> list[Normal]:
    """Mean and Cholesky factor of the mixed covariance of each class."""
    from scipy.linalg import cholesky

    mixed = [(1 - pooling) * own + pooling * moments.common for own in moments.covariances]
    factors = [cholesky(covariance, lower=True) for covariance in mixed]
    return list(zip(moments.means, factors, strict=True))


def _log_likelihoods(normals: Sequence[Normal], scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    """N × classes, without what all have in common."""
    from scipy.linalg import solve_triangular

    likelihoods = np.empty((len(scaled), len(normals)))
    for column, (mean, factor) in zip(likelihoods.T, normals, strict=True):
        whitened = solve_triangular(factor, (scaled - mean).T, lower=True)
        column[:] = -0.5 * (whitened**2).sum(0) - np.log(factor.diagonal()).sum()
    return likelihoods


def _require_several(
    name: str, spectra: NDArray[np.floating], classes: NDArray[np.integer]
) -> None:
    found = len(np.unique(classes))
    if not 1 < found < len(spectra):
        raise ConfigError(
            name,
            f"{found} classes of {len(spectra)} training spectra",
            "at least two classes, and more spectra than classes",
            "give more training pixels",
        )


def _check_share(name: str, settings: Mapping[str, float]) -> None:
    if settings and not 0 < settings[name] <= 1:
        raise ConfigError(f"model.options.{name}", f"{settings[name]}", "above 0 and at most 1")
