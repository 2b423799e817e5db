import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier

from hsi_suite.errors import SplitError
from hsi_suite.models.classical import CLASSICAL
from hsi_suite.models.position_baseline import nearest_position
from hsi_suite.models.support_vectors import SupportVectorMachine


def blobs(count=60, seed=0):
    rng = np.random.default_rng(seed)
    classes = np.arange(count) % 3
    return rng.normal(size=(count, 8)) + 6 * np.eye(3, 8)[classes], classes


@pytest.mark.parametrize("name", list(CLASSICAL))
def test_a_classifier_learns_and_repeats(name):
    spectra, classes = blobs()
    answers = []
    for threads in (1, 2):
        model = CLASSICAL[name](None, 0, threads)
        model.fit(spectra, classes)
        answers.append(model.predict(blobs(seed=1)[0]))
    assert (answers[0] == blobs(seed=1)[1]).mean() > 0.95
    assert np.array_equal(*answers)


def test_a_forests_shares_are_those_of_its_trees_and_agree_with_its_answers():
    spectra, classes = blobs()
    noisy = spectra + np.random.default_rng(2).normal(0, 4, spectra.shape)
    forest = CLASSICAL["forest"](None, 0)
    forest.fit(spectra, classes + 1)
    shares = forest.shares(noisy, 5)
    np.testing.assert_allclose(shares[:, 1:4], forest._forest.predict_proba(noisy), atol=1e-6)
    assert not shares[:, [0, 4]].any() and ((shares > 0) & (shares < 1)).any()
    assert np.array_equal(shares.argmax(1), forest.predict(noisy))


def test_the_search_keeps_its_settings_and_given_settings_skip_it(monkeypatch):
    spectra, classes = blobs()
    model = SupportVectorMachine(None, 0)
    model.fit(spectra, classes)
    assert set(model.settings) == {"C", "gamma"}
    monkeypatch.setattr(StratifiedKFold, "split", None)
    again = SupportVectorMachine(model.settings, 0)
    again.fit(spectra, classes)
    assert np.array_equal(again.predict(spectra), model.predict(spectra))


def test_a_class_of_one_spectrum_leaves_no_folds_but_a_model():
    spectra, classes = blobs()
    classes = classes.copy()
    classes[classes == 2] = 0
    classes[0] = 2
    model = SupportVectorMachine(None, 0)
    model.fit(spectra, classes)
    assert len(model.predict(spectra)) == len(spectra)


def test_nearest_position_by_hand():
    # 2 lines × 4 samples; training pixels at both ends of the first line.
    answer = nearest_position(np.array([0, 3]), np.array([7, 9]), np.array([1, 2, 4, 7]), samples=4)
    assert answer.tolist() == [7, 9, 7, 9]
    with pytest.raises(SplitError):
        nearest_position(np.array([], int), np.array([], int), np.array([1]), 4)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.6])
@pytest.mark.parametrize("size", [1, 3])
def test_position_answers_are_those_of_a_search_among_all(share, size):
    """Pixels beside training are answered without the search, and no tie is settled otherwise."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        labels = rng.integers(1, 4, (14, 11)).repeat(size, 0).repeat(size, 1).astype(np.uint8)
        train = np.flatnonzero(rng.random(labels.shape) < share)
        train = train if len(train) else np.array([7])
        test = np.flatnonzero(rng.random(labels.shape) < 0.7)
        places = [np.stack(divmod(part, labels.shape[1]), 1) for part in (train, test)]
        known = labels.ravel()[train]
        slow = KNeighborsClassifier(1).fit(places[0], known).predict(places[1])
        found = nearest_position(train, known, test, labels.shape[1])
        np.testing.assert_array_equal(found, slow)
        assert found.dtype == slow.dtype
