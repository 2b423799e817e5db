import numpy as np
import pytest
import spectral
from scipy.stats import multivariate_normal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from hsi_suite.errors import ConfigError
from hsi_suite.models.classical import CLASSICAL


def clouds(per_class=(60, 40, 5), bands=4, seed=0):
    """Spectra of three classes that differ in mean and in covariance."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(len(per_class), bands, bands))
    means = rng.normal(0, 2, (len(per_class), bands))
    parts = [
        rng.normal(size=(n, bands)) @ mix + mean
        for n, mix, mean in zip(per_class, mixing, means, strict=True)
    ]
    classes = np.repeat(np.arange(len(per_class)), per_class)
    return np.concatenate(parts).astype(np.float32), classes


def fitted(name, spectra, classes, **settings):
    model = CLASSICAL[name](settings, 0)
    model.fit(spectra, classes)
    return model


def test_lda_is_scikit_learns_on_standardised_bands():
    spectra, classes = clouds(bands=30)
    other, _ = clouds(bands=30, seed=1)
    scale = (spectra.mean(0), spectra.std(0))
    twin = LinearDiscriminantAnalysis("lsqr", shrinkage="auto")
    twin.fit((spectra - scale[0]) / scale[1], classes)
    expected = twin.predict_proba((other - scale[0]) / scale[1])
    found = fitted("lda", spectra, classes)
    np.testing.assert_allclose(found.shares(other, 3), expected, atol=1e-4)
    assert np.array_equal(found.predict(other), expected.argmax(1))
    assert not np.allclose(
        fitted("lda", spectra, classes, shrinkage=0.9).shares(other, 3), expected
    )


def test_gaussian_likelihood_without_pooling_is_spys():
    spectra, classes = clouds()
    trained = spectral.create_training_classes(spectra[:, None], classes[:, None] + 1)
    twin = spectral.GaussianClassifier(trained)
    other, _ = clouds((50, 50, 50), seed=0)
    with np.errstate(all="ignore"):
        expected = twin.classify_image(other[:, None])[:, 0] - 1
    found = fitted("gaussian", spectra, classes, pooling=1e-9).predict(other)
    # SPy divides by N − 1 and weighs by how common a class is: close calls differ.
    assert (found == expected).mean() > 0.9


def test_gaussian_probabilities_are_those_of_the_mixed_covariances():
    spectra, classes = clouds((60, 40, 20))
    other, _ = clouds((60, 40, 20), seed=0)
    model = fitted("gaussian", spectra, classes, pooling=0.3)
    scaled = (spectra - spectra.mean(0)) / spectra.std(0)
    asked = (other - spectra.mean(0)) / spectra.std(0)
    parts = [scaled[classes == k].astype(float) for k in range(3)]
    within = sum(len(part) * np.cov(part.T, ddof=0) for part in parts) / len(spectra)
    centred = np.concatenate([part - part.mean(0) for part in parts])
    from sklearn.covariance import ledoit_wolf_shrinkage

    delta = ledoit_wolf_shrinkage(centred, assume_centered=True)
    common = (1 - delta) * within + delta * np.trace(within) / 4 * np.eye(4)
    densities = np.stack(
        [
            multivariate_normal(part.mean(0), 0.7 * np.cov(part.T, ddof=0) + 0.3 * common).pdf(
                asked
            )
            for part in parts
        ],
        axis=1,
    )
    expected = densities / densities.sum(1, keepdims=True)
    np.testing.assert_allclose(model.shares(other, 3), expected, atol=1e-4)


def test_gaussian_chooses_its_pooling_and_stands_a_class_of_one_spectrum():
    spectra, classes = clouds((60, 40, 1), bands=80)
    model = fitted("gaussian", spectra, classes)
    assert set(model.settings) == {"pooling"} and 0 < model.settings["pooling"] <= 1
    again = fitted("gaussian", spectra, classes, **model.settings)
    assert np.array_equal(again.shares(spectra, 5), model.shares(spectra, 5))
    assert (model.predict(spectra) == classes).mean() > 0.9


def test_the_spectral_angle_is_that_of_the_mean_spectra_and_blind_to_brightness():
    spectra, classes = np.abs(clouds(bands=12)[0]) + 0.1, clouds()[1]
    model = fitted("spectral_angle", spectra, classes)
    means = np.stack([spectra[classes == k].mean(0, dtype=float) for k in range(3)])
    cosines = (spectra @ means.T) / np.linalg.norm(spectra, axis=1, keepdims=True)
    expected = np.arccos(np.clip(cosines / np.linalg.norm(means, axis=1), -1, 1)).argmin(1)
    assert np.array_equal(model.predict(spectra), expected)
    assert np.array_equal(model.predict(7 * spectra), expected)
    assert not model.PROBABILITIES and model.predict(np.zeros((1, 12))).tolist() == [0]


@pytest.mark.parametrize("name", ["lda", "gaussian"])
@pytest.mark.parametrize("classes", [np.zeros(6, int), np.arange(6)])
def test_one_class_or_as_many_as_spectra_are_refused(name, classes):
    with pytest.raises(ConfigError, match="at least two classes, and more spectra than classes"):
        fitted(name, clouds()[0][:6], classes)


@pytest.mark.parametrize(("name", "key"), [("lda", "shrinkage"), ("gaussian", "pooling")])
def test_shares_beyond_one_are_refused(name, key):
    with pytest.raises(ConfigError, match=rf"model\.options\.{key}: 2\.0; expected above 0"):
        CLASSICAL[name]({key: 2.0}, 0)
