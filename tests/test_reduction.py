import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from hsi_suite.data.reduction import Reduction, fit_nothing, fit_pca, fit_standardisation
from hsi_suite.data.spectral_domain import SpectralDomain
from hsi_suite.errors import ShapeError


def spectra(count=500, bands=20, seed=0):
    rng = np.random.default_rng(seed)
    return 1000 + rng.normal(size=(count, bands)) @ rng.normal(size=(bands, bands)) * 50


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("kind", [np.float64, np.uint16, ">i4"])
def test_pca_equals_scikit_learn_up_to_sign(whiten, kind):
    data = spectra().astype(kind)
    ours = fit_pca(data, 7, whiten)
    theirs = PCA(7, whiten=whiten, svd_solver="full").fit(data.astype(float))
    expected = theirs.transform(data.astype(float))
    got = ours.apply(data)
    signs = np.sign((got * expected).sum(0))
    np.testing.assert_allclose(got * signs, expected, rtol=2e-4, atol=2e-4 * np.abs(expected).max())
    np.testing.assert_allclose(ours.explained, theirs.explained_variance_ratio_, rtol=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_whitened_components_are_uncorrelated_with_unit_variance(seed):
    data = spectra(200, 8, seed)
    got = fit_pca(data, 8, whiten=True).apply(data).astype(float)
    np.testing.assert_allclose(np.cov(got.T), np.eye(8), atol=1e-4)


def test_signs_do_not_depend_on_the_solver():
    reduction = fit_pca(spectra(), 5, whiten=False)
    largest = np.abs(reduction.matrix).argmax(0)
    assert (reduction.matrix[largest, np.arange(5)] > 0).all()


def test_blocks_change_nothing(monkeypatch):
    data = spectra()
    whole = fit_pca(data, 5, whiten=True)
    monkeypatch.setattr("hsi_suite.data.reduction.BLOCK_PIXELS", 7)
    parts = fit_pca(data, 5, whiten=True)
    np.testing.assert_allclose(parts.matrix, whole.matrix, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(parts.apply(data), whole.apply(data), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("block", [4, 10, 1000])
def test_rows_are_reduced_as_all_at_once(block, monkeypatch):
    data = np.random.default_rng(0).integers(0, 4000, (57, 40)).astype(np.uint16)
    reduction = fit_pca(data, 5, whiten=True)
    whole = (data - reduction.mean) @ reduction.matrix
    monkeypatch.setattr("hsi_suite.data.reduction.BLOCK_PIXELS", block)
    monkeypatch.setattr("hsi_suite.data.reduction._ROWS", 3)
    np.testing.assert_allclose(reduction.apply(data), whole, rtol=1e-6, atol=1e-6)
    assert reduction.apply(data[:0]).shape == (0, 5)


def test_standardisation_equals_scikit_learn_and_survives_a_constant_band():
    data = spectra()
    data[:, 3] = 5
    ours = fit_standardisation(data).apply(data)
    np.testing.assert_allclose(ours, StandardScaler().fit_transform(data), atol=1e-4)
    assert (ours[:, 3] == 0).all()


def test_bands_may_stay_as_they_are():
    data = spectra()
    kept = fit_nothing(data)
    np.testing.assert_array_equal(kept.apply(data), data.astype(np.float32))
    np.testing.assert_allclose(kept.explained, data.var(0) / data.var(0).sum(), rtol=1e-6)


def test_more_components_than_the_data_have_is_an_error():
    with pytest.raises(ShapeError, match="at most 20"):
        fit_pca(spectra(), 21, whiten=True)
    with pytest.raises(ShapeError, match="at most 4"):
        fit_pca(spectra(count=5), 5, whiten=True)
    flat = spectra()
    flat[:, 5:] = flat[:, :1]
    with pytest.raises(ShapeError, match="vary in 5 only"):
        fit_pca(flat, 6, whiten=True)


@pytest.mark.filterwarnings("error")
def test_infinite_values_become_nan_without_a_warning():
    spectra = np.array([[np.inf, 1.0], [2.0, 3.0]], np.float32)
    matrix = np.array([[1.0, -1.0], [1.0, 0.0]])
    reduced = Reduction(np.zeros(2), matrix, np.ones(2)).apply(spectra)
    assert not np.isfinite(reduced[0]).all()
    np.testing.assert_array_equal(reduced[1], [5.0, -2.0])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("largest", [3e38, 1.7e308])
def test_values_near_the_largest_floats_give_no_warning(largest):
    data = np.random.default_rng(0).uniform(-1, 1, (60, 4)) * largest
    for fit in (lambda: fit_pca(data, 2, True), lambda: fit_standardisation(data)):
        if largest > 1e300:
            with pytest.raises(ShapeError, match="usual size"):
                fit()
        else:
            reduction = fit()
            reduced = reduction.apply(data)
            domain = SpectralDomain.of(data, reduced, reduction.mean)
            domain.unlike(data, reduced, reduction.mean)
            usual = Reduction(reduction.mean, 10 * np.eye(4), np.ones(4))
            domain.unlike(data, usual.apply(data)[:, : reduction.components], reduction.mean)
