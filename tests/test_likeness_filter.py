"""Class probabilities averaged over pixels that look alike."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi_suite.data.likeness_filter import LikenessFilter, neighbour_pairs, typical_spread


def slow(probabilities, spectra, window, spread):
    """The filter pixel by pixel, in double precision; lines and samples as given."""
    radius, out = window // 2, probabilities.astype(float).copy()
    for line, sample in np.ndindex(spectra.shape[:2]):
        if not spectra[line, sample].any():
            continue
        total, weights = 0.0, 0.0
        for other in np.ndindex(spectra.shape[:2]):
            far = max(abs(other[0] - line), abs(other[1] - sample)) > radius
            if far or not spectra[other].any():
                continue
            apart = (spectra[other].astype(float) - spectra[line, sample]) ** 2
            weight = math.exp(-apart.mean() / (2 * spread))
            total, weights = total + weight * probabilities[other], weights + weight
        out[line, sample] = total / weights
    return out


def padded(values, radius):
    return np.pad(values, ((radius, radius), (radius, radius), (0, 0)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 3, 5, 7]))
def test_the_filter_equals_its_slow_twin(seed, window):
    generator = np.random.default_rng(seed)
    lines, samples = generator.integers(1, 9, 2)
    spectra = generator.normal(size=(lines, samples, 4)).astype(np.float32)
    spectra[generator.random((lines, samples)) < 0.2] = 0
    probabilities = generator.dirichlet(np.ones(3), (lines, samples)).astype(np.float32)
    spread = float(generator.uniform(0.05, 3))
    kept = LikenessFilter(window, spread)
    got = kept.apply(*(padded(each, kept.radius) for each in (probabilities, spectra)))
    np.testing.assert_allclose(got, slow(probabilities, spectra, window, spread), atol=2e-6)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got.sum(-1), 1, atol=1e-5)


def test_edges_stay_and_noise_goes():
    spectra = np.ones((8, 8, 5), np.float32)
    spectra[:, 4:] = 9
    right = np.zeros((8, 8, 2), np.float32)
    right[:, :4, 0] = right[:, 4:, 1] = 1
    wrong = right.copy()
    wrong[2, 2], wrong[5, 4] = (0, 1), (1, 0)
    kept = LikenessFilter(3, 0.5)
    got = kept.apply(padded(wrong, 1), padded(spectra, 1))
    assert np.array_equal(got.argmax(-1), right.argmax(-1))
    # Beyond an edge nothing is lent.
    assert got[0, 3, 1] < 1e-6


def test_pairs_are_neighbours_that_hold_data():
    generator = np.random.default_rng(0)
    valid = generator.random((400, 300)) < 0.7
    pairs = neighbour_pairs(valid)
    assert len(pairs) == 20_000 and (np.diff(pairs) > 0).all()
    assert (pairs % 300 < 299).all()
    assert valid.reshape(-1)[pairs].all() and valid.reshape(-1)[pairs + 1].all()
    assert pairs[0] < 600 and pairs[-1] > 300 * 398
    few = neighbour_pairs(np.array([[True, True, False, True], [True, False, True, True]]))
    assert few.tolist() == [0, 6]


def test_the_spread_is_the_median_of_neighbours():
    one = np.zeros((3, 2), np.float32)
    other = np.array([[1, 1], [2, 2], [9, 9]], np.float32)
    assert typical_spread(one, other) == pytest.approx(4)
    assert typical_spread(one, one) == 1
    assert typical_spread(one[:0], one[:0]) == 1
