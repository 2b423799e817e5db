"""Classifiers of single spectra and of single positions, from scikit-learn.

They are kept as their training spectra and settings and fitted again when loaded: nothing is
pickled. Trainings of networks ask for their names alone, so that scikit-learn, 80 MB of memory, is
imported where one is built or fitted.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ..errors import ConfigError, SplitError
from ..registry import Registry
from .closed_form import GaussianMaximumLikelihood, LinearDiscriminant, SpectralAngleMapper
from .spectrum_classifier import SpectrumClassifier, among, led_by, searched, spread

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from sklearn.svm import SVC

_SVM_GRID = {"svc__C": [1.0, 10.0, 100.0, 1000.0], "svc__gamma": [0.001, 0.01, 0.1]}
_FOLDS = 3
_TREES = 200
_MOST_SVM_CLASSES = 300
# Spectra × classes², of which a number is held at a time.
_PAIR_VALUES = 2**23
# From a machine's distance to log-odds, and the largest of them.
_SLOPE, _LARGEST_ODDS = 2.0, 30.0
# Steps to the pixels at distances of 0, 1 and √2.
_RINGS = (
    ((0, 0),),
    ((-1, 0), (1, 0), (0, -1), (0, 1)),
    ((-1, -1), (-1, 1), (1, -1), (1, 1)),
)
# Far more than few classes need: their leaves hold many spectra each.
_MOST_FOREST_BYTES = 4e9


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

        weights = _weights_of(self.weights, classes)
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


class RandomForest(SpectrumClassifier):
    """Random forest (Breiman 2001) of 200 trees on spectra as they are.

    Args:
        settings: unused; a forest has nothing to search.
        seed: of the trees.
        threads: of the fit; the result does not depend on it.
        weights: of a spectrum in the trees' splits and votes, by class index.
    """

    DRAWS = True
    WEIGHTS = True

    def _set_up(self) -> None:
        from sklearn.ensemble import RandomForestClassifier

        self.settings = {}
        self._forest = RandomForestClassifier(
            _TREES, random_state=self.seed % 2**32, n_jobs=self.threads
        )

    @staticmethod
    def check_size(num_classes: int, spectra: int) -> None:
        """Refuse trees whose leaves, a number for every class each, take too much memory.

        Raises:
            ConfigError: they would.
        """
        # Each tree draws as many spectra as there are, of which 63 % are different ones.
        needed = _TREES * 2 * 0.632 * spectra * num_classes * 8.0
        if needed > _MOST_FOREST_BYTES:
            raise ConfigError(
                "forest",
                f"{num_classes:,} classes and {spectra:,} training spectra, whose trees may take "
                f"{needed / 1e9:.0f} GB",
                f"at most {_MOST_FOREST_BYTES / 1e9:.0f} GB",
                "leave forest out, or merge classes, or lower split.train",
            )

    def fit(self, spectra: NDArray[np.floating], classes: NDArray[np.integer]) -> None:
        """Fit to N × bands spectra and N class indices."""
        self._forest.set_params(class_weight=_weights_of(self.weights, classes))
        self._forest.fit(spectra, classes)

    def predict(self, spectra: NDArray[np.floating]) -> NDArray[np.integer]:
        """Class indices of N × bands spectra."""
        return np.asarray(self._forest.predict(spectra))

    def shares(self, spectra: NDArray[np.floating], number: int) -> NDArray[np.float32]:
        """Shares of the trees' votes, N × number of classes; not calibrated.

        Args:
            spectra: N × bands.
            number: of classes.
        """
        return spread(self._forest.predict_proba(spectra), self._forest.classes_, number)

    def scores(self, spectra: NDArray[np.floating], number: int) -> NDArray[np.float64]:
        """Logarithms of the shares, as if one more tree voted for all classes alike."""
        shares, known = self._forest.predict_proba(spectra), self._forest.classes_
        logs = np.log((_TREES * shares + 1 / len(known)) / (_TREES + 1))
        return among(logs, known, number, known[shares.argmax(1)])

    def shares_of(self, scores: NDArray[np.float64]) -> NDArray[np.float32]:
        """See `SpectrumClassifier`."""
        known = len(self._forest.classes_)
        shares = ((_TREES + 1) * np.exp(scores) - 1 / known) / _TREES
        return led_by(np.clip(shares, 0, 1).astype(np.float32), scores.argmax(1))


CLASSICAL: Registry[type[SpectrumClassifier]] = Registry("classical model")
CLASSICAL.add("svm", SupportVectorMachine)
CLASSICAL.add("wide_svm", WideSupportVectorMachine)
CLASSICAL.add("forest", RandomForest)
CLASSICAL.add("lda", LinearDiscriminant)
CLASSICAL.add("gaussian", GaussianMaximumLikelihood)
CLASSICAL.add("spectral_angle", SpectralAngleMapper)


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


def _weights_of(
    weights: Mapping[int, float] | None, classes: NDArray[np.integer]
) -> dict[int, float] | None:
    """Those of the classes that occur, as scikit-learn takes them."""
    if weights is None:
        return None
    return {int(label): weights[int(label)] for label in np.unique(classes)}


def keeps_kernels(name: str) -> bool:
    """Whether a model is a support vector machine, whose fit keeps a cache of kernels."""
    return name in CLASSICAL and issubclass(CLASSICAL[name], SupportVectorMachine)


def nearest_position(
    train: NDArray[np.integer],
    classes: NDArray[np.integer],
    test: NDArray[np.integer],
    samples: int,
) -> NDArray[np.integer]:
    """Class of the pixel of the training side nearest to each test pixel, spectra unseen.

    What this reaches is what a split gives away: on a random split of Indian Pines it is right
    for 99 % of the test pixels.

    Args:
        train: flat indices of the pixels of the training side.
        classes: their class indices.
        test: flat indices of test pixels.
        samples: columns of the scene.
    """
    if not len(train) or not len(test):
        raise SplitError("position-only baseline", "an empty part", "training and test pixels")
    answers, open_ones = _beside_training(train, classes, test, samples)
    if open_ones.any():
        from sklearn.neighbors import KNeighborsClassifier

        with warnings.catch_warnings():
            # That classes may be numbers measured, when there are very many: they are classes.
            warnings.simplefilter("ignore", UserWarning)
            neighbours = KNeighborsClassifier(1).fit(np.stack(divmod(train, samples), 1), classes)
            places = np.stack(divmod(test[open_ones], samples), 1)
            answers[open_ones] = neighbours.predict(places)
    return answers


def _beside_training(
    train: NDArray[np.integer],
    classes: NDArray[np.integer],
    test: NDArray[np.integer],
    samples: int,
) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
    """Answers of `nearest_position` for test pixels beside training, and which are left open.

    Where all the nearest training pixels, at a distance of 0, 1 or √2, are of one class, no search
    is needed, however it settles ties: of a dense random split that is nearly every pixel.
    """
    lines = int(max(train.max(), test.max())) // samples + 1
    nowhere = -1
    grid = np.full((lines + 2, samples + 2), nowhere, np.int64)
    line, sample = np.divmod(train, samples)
    grid[line + 1, sample + 1] = np.arange(len(train))
    line, sample = np.divmod(test, samples)
    answers = np.zeros(len(test), classes.dtype)
    open_ones, searched = np.ones(len(test), bool), np.zeros(len(test), bool)
    for ring in _RINGS:
        left = np.flatnonzero(open_ones & ~searched)
        found = np.stack([grid[line[left] + 1 + a, sample[left] + 1 + b] for a, b in ring])
        held = found > nowhere
        some = held.any(0)
        first = classes[found[held.argmax(0), np.arange(len(left))]]
        one = some & ((classes[found] == first) | ~held).all(0)
        answers[left[one]] = first[one]
        open_ones[left[one]] = False
        searched[left[some & ~one]] = True  # a tie of several classes, for the search to settle
    return answers, open_ones
