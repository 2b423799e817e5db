import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import loadmat
from sklearn.neighbors import KNeighborsClassifier

from hsi_suite.data.leakage import audit
from hsi_suite.data.splits import Split, random_split
from hsi_suite.errors import ShapeError, SplitError


def split_of(shape, train, test, validation=()) -> Split:
    arrays = [np.sort(np.array(part, dtype=np.int64)) for part in (train, validation, test)]
    return Split("file", shape, (1, 2), *arrays, 0, {}, {}, {}, "")


def test_by_hand():
    # One line: training at 0, test at 1, 2, 5 and 9.
    found = audit(split_of((1, 12), [0], [1, 2, 5, 9]), window=5)
    assert found.test_inside_training_window == 0.5
    assert found.windows_overlapping == 0.5
    assert found.within_one_pixel == 0.25
    assert (found.min_distance, found.median_distance, found.max_distance) == (1, 3.5, 9)
    assert found.histogram == (0, 1, 1, 0, 0, 1, 0, 0, 0, 1)
    assert (found.n_training, found.n_test) == (1, 4)
    assert audit(split_of((1, 12), [0], [1, 2, 5, 9]), window=7).windows_overlapping == 0.75


def test_validation_counts_as_training_side():
    found = audit(split_of((1, 12), [0], [9], validation=[8]), window=3)
    assert found.test_inside_training_window == 1.0
    assert found.n_training == 2


def test_diagonal_neighbours_touch():
    assert audit(split_of((3, 3), [0], [4, 8]), window=1).within_one_pixel == 0.5


def test_single_spectra_see_no_neighbour():
    found = audit(split_of((2, 2), [0], [1, 2, 3]), window=1)
    assert found.test_inside_training_window == 0
    assert found.windows_overlapping == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 14), st.integers(2, 14), st.integers(0, 10**6), st.integers(0, 4))
def test_equals_brute_force(lines, samples, seed, radius):
    generator = np.random.default_rng(seed)
    pixels = generator.permutation(lines * samples)
    n_train = int(generator.integers(1, len(pixels)))
    train, test = pixels[:n_train], pixels[n_train:]
    found = audit(split_of((lines, samples), train, test), window=2 * radius + 1)
    place = np.stack(np.divmod(np.arange(lines * samples), samples), axis=1)
    apart = np.abs(place[test][:, None] - place[train][None]).max(-1)
    nearest = apart.min(1)
    assert found.test_inside_training_window == pytest.approx((apart <= radius).any(1).mean())
    assert found.windows_overlapping == pytest.approx((apart <= 2 * radius).any(1).mean())
    assert found.within_one_pixel == pytest.approx((nearest <= 1).mean())
    assert found.histogram == tuple(np.bincount(nearest))
    assert found.max_distance == nearest.max()


def test_to_dict_is_json():
    found = audit(split_of((1, 4), [0], [1, 3]), window=3).to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["histogram"] == [[1, 1], [3, 1]]


@pytest.mark.parametrize("window", [0, -1, 4])
def test_window_must_be_odd(window):
    with pytest.raises(ShapeError, match="odd"):
        audit(split_of((1, 4), [0], [1]), window=window)


@pytest.mark.parametrize(("train", "test"), [([], [1]), ([0], [])])
def test_empty_parts(train, test):
    with pytest.raises(SplitError, match=r"no \w+ pixel"):
        audit(split_of((1, 4), train, test), window=3)


@pytest.mark.data
def test_indian_pines_is_remembered_by_position(data_dir):
    labels = loadmat(data_dir / "scenes" / "Indian_pines_gt.mat")["indian_pines_gt"]
    accuracies, touching = [], []
    for seed in range(5):
        split = random_split(labels, train=0.3, generator=np.random.default_rng(seed))
        flat = labels.ravel()
        places = [np.stack(np.divmod(p, labels.shape[1]), 1) for p in (split.train, split.test)]
        nearest = KNeighborsClassifier(1).fit(places[0], flat[split.train])
        accuracies.append(100 * nearest.score(places[1], flat[split.test]))
        found = audit(split, window=25)
        assert found.test_inside_training_window == 1.0
        assert found.max_distance <= 12
        touching.append(found.within_one_pixel)
    assert np.mean(accuracies) == pytest.approx(99.45, abs=0.2)
    assert np.mean(touching) == pytest.approx(0.91, abs=0.01)
