"""A random forest on single spectra, from scikit-learn, which is imported where one is built."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .spectrum_classifier import SpectrumClassifier, among, led_by, spread, weights_of

_TREES = 200
# Far more than few classes need: their leaves hold many spectra each.
_MOST_FOREST_BYTES = 4e9
# Nodes of a tree for each training spectrum where classes cannot be told apart (measured: 0.78),
# and what a node has beside a number for every class.
_NODES, _NODE_BYTES = 0.8, 64


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
    def tree_bytes(num_classes: int, spectra: int) -> float:
        """About the memory of the trees of classes that are hard to tell apart; of others less."""
        return _TREES * _NODES * spectra * (_NODE_BYTES + 8.0 * num_classes)

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
        self._forest.set_params(class_weight=weights_of(self.weights, classes))
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
