"""Support vector machines on single spectra, from scikit-learn, which is imported at a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ..errors import ConfigError
from .spectrum_classifier import SpectrumClassifier, among, searched, weights_of

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from sklearn.svm import SVC

_SVM_GRID = {"svc__C": [1.0, 10.0, 100.0, 1000.0], "svc__gamma": [0.001, 0.01, 0.1]}
_FOLDS = 3
_MOST_SVM_CLASSES = 300
# Spectra × classes², of which a number is held at a time.
_PAIR_VALUES = 2**23
# From a machine's distance to log-odds, and the largest of them.
_SLOPE, _LARGEST_ODDS = 2.0, 30.0


class SupportVectorMachine(SpectrumClassifier):
    """RBF support vector machine on standardised spectra.

    Its penalty and kernel width are chosen by 3-fold cross-validation on the training spectra
    alone (over fewer folds when a class has fewer spectra; or over `folds`), unless they are given.

    Args:
        settings: {"C", "gamma"} to skip the search.
        seed: of the folds.
        threads: threads of the search.
        weights: times C, by class index.
    """

    SETTINGS = frozenset({"C", "gamma"})
    SEARCHES = True
    DRAWS = True
    PROBABILITIES = False
    WEIGHTS = True

    def _set_up(self) -> None:
        self._fitted: Pipeline | None = None

    @staticmethod
    def check_size(num_classes: int, spectra: int) -> None:
        """Refuse more classes than can be trained one against another.

        Raises:
            ConfigError: there are too many.
        """
        if num_classes > _MOST_SVM_CLASSES:
            raise ConfigError(
                "a support vector machine",
                f"{num_classes:,} classes, which takes {num_classes * (num_classes - 1) // 2:,} "
                "machines, one for each pair",
                f"at most {_MOST_SVM_CLASSES} classes",
                "leave it out, or merge classes",
            )

    def fit(self, spectra: NDArray[np.floating], classes: NDArray[np.integer]) -> None:
        """Fit to N × bands spectra and N class indices."""
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        if not self.settings:
            self.settings = self._search(spectra, classes)
        svc = self._machine(classes, C=self.settings["C"], gamma=self.settings["gamma"])
        self._fitted = make_pipeline(StandardScaler(), svc).fit(spectra, classes)

    def predict(self, spectra: NDArray[np.floating]) -> NDArray[np.integer]:
        """Class indices of N × bands spectra."""
        assert self._fitted is not None
        return np.asarray(self._fitted.predict(spectra))

    def scores(self, spectra: NDArray[np.floating], number: int) -> NDArray[np.float64]:
        """Pairwise answers coupled to one for each class, N × number of classes.

        Each machine of two classes is read as a probability, the logistic function of twice its
        distance, and all are coupled as Price, Knerr, Personnaz and Dreyfus do (NIPS 7, 1995):
        1 / (Σ 1 / r_ij − (K − 2)). In front stands the class of most votes, which `predict` says.
        """
        assert self._fitted is not None
        classes = self._fitted.classes_
        step = max(1, _PAIR_VALUES // len(classes) ** 2)
        parts = [
            _coupled(self._fitted.decision_function(spectra[start : start + step]), len(classes))
            for start in range(0, len(spectra), step)
        ]
        scores, best = (np.concatenate(each) for each in zip(*parts, strict=True))
        return among(scores, classes, number, classes[best])

    def _machine(self, classes: NDArray[np.integer], **settings: float) -> SVC:
        from sklearn.svm import SVC

        weights = weights_of(self.weights, classes)
        return SVC(**settings, cache_size=500, class_weight=weights, decision_function_shape="ovo")

    def _search(
        self, spectra: NDArray[np.floating], classes: NDArray[np.integer]
    ) -> dict[str, float]:
        from joblib import parallel_config
        from sklearn.model_selection import GridSearchCV, StratifiedKFold
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        folds = min(_FOLDS, int(np.unique(classes, return_counts=True)[1].min()))
        if folds < 2 and self.folds is None:
            return {"C": 100.0, "gamma": 0.01}
        drawn = StratifiedKFold(max(folds, 2), shuffle=True, random_state=self.seed % 2**32)
        search = GridSearchCV(
            make_pipeline(StandardScaler(), self._machine(classes)),
            _SVM_GRID,
            cv=drawn if self.folds is None else list(self.folds),
        )
        # Threads, not processes: libsvm works outside Python's lock, and nothing is copied.
        with parallel_config("threading", n_jobs=self.threads):
            best = search.fit(spectra, classes).best_params_
        self.searched = searched(self.folds, folds, float(search.best_score_))
        return {"C": best["svc__C"], "gamma": best["svc__gamma"]}


class WideSupportVectorMachine(SupportVectorMachine):
    """A support vector machine that carries over to fields it has not seen.

    Its kernel is wider than a search chooses, which asks pixels of the fields that were learnt:
    C is 100 and γ 1 / (4 · bands), unless they are given. Classes are weighted by the square root
    of their inverse frequency, unless weights are given. How this was chosen and what it scores:
    docs/decisions/0005-a-classifier-for-disjoint-splits.md.

    Args:
        settings: {"C", "gamma"} instead of these.
        seed: unused.
        threads: unused.
        weights: times C, by class index.
    """

    SEARCHES = False
    DRAWS = False

    def fit(self, spectra: NDArray[np.floating], classes: NDArray[np.integer]) -> None:
        """Fit to N × bands spectra and N class indices."""
        self.settings = self.settings or {"C": 100.0, "gamma": 0.25 / spectra.shape[1]}
        super().fit(spectra, classes)

    def _machine(self, classes: NDArray[np.integer], **settings: float) -> SVC:
        machine = super()._machine(classes, **settings)
        if self.weights is None:
            known, counts = np.unique(classes, return_counts=True)
            roots = np.sqrt(len(classes) / len(known) / counts)
            machine.class_weight = dict(zip(known.tolist(), roots.tolist(), strict=True))
        return machine


def _coupled(
    decisions: NDArray[np.float64], number: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logarithms of coupled probabilities, N × classes, and the class of most votes, N.

    Args:
        decisions: of each pair of classes, the first of which has it where they are above 0; of
            two classes scikit-learn turns the sign.
        number: of classes.
    """
    if number == 2:
        decisions = -decisions[:, None]
    odds = np.clip(_SLOPE * decisions, -_LARGEST_ODDS, _LARGEST_ODDS)
    votes = np.zeros((len(decisions), number), np.int64)
    inverse = np.zeros((len(decisions), number))
    first, second = np.triu_indices(number, 1)
    for pair, (one, other) in enumerate(zip(first, second, strict=True)):
        votes[:, one] += decisions[:, pair] > 0
        votes[:, other] += decisions[:, pair] <= 0
        inverse[:, one] += 1 / expit(odds[:, pair])
        inverse[:, other] += 1 / expit(-odds[:, pair])
    return -np.log(inverse - (number - 2)), votes.argmax(1)
