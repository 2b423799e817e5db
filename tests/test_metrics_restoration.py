import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import metrics as skimage_metrics

from hsi_suite.errors import ShapeError
from hsi_suite.metrics.restoration import (
    mean_peak_signal_noise_ratio,
    mean_structural_similarity,
    peak_signal_noise_ratio,
    spectral_angle,
    structural_similarity,
)


@pytest.fixture
def pair():
    generator = np.random.default_rng(0)
    clean = generator.random((24, 20, 5))
    return clean, clean + 0.1 * generator.standard_normal(clean.shape)


def test_psnr_by_hand():
    # Every value is off by 0.1: the mean square is 0.01, that is 20 dB below 1.
    assert peak_signal_noise_ratio(np.zeros((3, 4)), np.full((3, 4), 0.1)) == pytest.approx(20)
    assert peak_signal_noise_ratio(
        np.zeros((3, 4)), np.full((3, 4), 0.1), data_range=10
    ) == pytest.approx(40)


def test_psnr_of_equal_arrays_is_infinite():
    assert peak_signal_noise_ratio(np.ones((2, 2)), np.ones((2, 2))) == math.inf


def test_psnr_is_the_one_of_scikit_image(pair):
    clean, restored = pair
    expected = skimage_metrics.peak_signal_noise_ratio(clean, restored, data_range=1.0)
    assert peak_signal_noise_ratio(clean, restored) == expected
    error = np.mean((clean.astype(np.longdouble) - restored) ** 2)
    assert expected == pytest.approx(float(-10 * np.log10(error)), abs=1e-10)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.1, 100))
def test_psnr_knows_no_units(seed, factor):
    clean, restored = np.random.default_rng(seed).random((2, 6, 5))
    scaled = peak_signal_noise_ratio(factor * clean, factor * restored, data_range=factor)
    assert scaled == pytest.approx(peak_signal_noise_ratio(clean, restored), abs=1e-9)


def slow_similarity(clean, restored):
    """Wang et al., equation 13, window by window, for windows wholly inside."""
    offsets = np.arange(-5, 6)
    weights = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(weights, weights)
    window /= window.sum()
    c1, c2 = 0.01**2, 0.03**2
    values = []
    for line in range(clean.shape[0] - 10):
        for sample in range(clean.shape[1] - 10):
            x, y = (a[line : line + 11, sample : sample + 11] for a in (clean, restored))
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            cov = (window * (x - mx) * (y - my)).sum()
            values.append(
                (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
            )
    return np.mean(values)


def test_similarity_is_the_one_of_the_paper(pair):
    clean, restored = (cube[..., 0] for cube in pair)
    expected = slow_similarity(clean, restored)
    assert structural_similarity(clean, restored) == pytest.approx(expected, abs=1e-10)
    assert structural_similarity(clean, clean) == 1


def test_means_over_the_bands(pair):
    clean, restored = pair
    bands = [(clean[..., b], restored[..., b]) for b in range(5)]
    ratios = [peak_signal_noise_ratio(*band) for band in bands]
    assert mean_peak_signal_noise_ratio(clean, restored) == pytest.approx(np.mean(ratios))
    similarities = [structural_similarity(*band) for band in bands]
    assert mean_structural_similarity(clean, restored) == pytest.approx(np.mean(similarities))


def test_spectral_angle_by_hand():
    clean = np.array([[[1.0, 0.0], [1.0, 1.0], [2.0, 0.0], [0.0, 0.0]]])
    restored = np.array([[[0.0, 3.0], [2.0, 2.0], [1.0, 1.0], [1.0, 0.0]]])
    # 90°, 0°, 45°; the pixel that is zero has no angle.
    assert spectral_angle(clean, restored) == pytest.approx(45)
    assert math.isnan(
        spectral_angle(np.zeros((2, 2, 3)), restored[:, :2].repeat(2, 0)[..., [0, 1, 1]])
    )


def test_spectral_angle_keeps_the_digits_of_small_angles():
    clean = np.array([[[1.0, 0.0]]])
    restored = np.array([[[1.0, 1e-9]]])
    assert spectral_angle(clean, restored) == pytest.approx(math.degrees(1e-9), rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), gain=st.floats(0.01, 100))
def test_spectral_angle_does_not_see_brightness(seed, gain):
    clean, restored = np.random.default_rng(seed).random((2, 3, 4, 6)) + 0.01
    angle = spectral_angle(clean, restored)
    assert spectral_angle(clean, gain * restored) == pytest.approx(angle, abs=1e-6)
    assert 0 <= angle <= 90


@pytest.mark.parametrize(
    "metric",
    [
        peak_signal_noise_ratio,
        structural_similarity,
        mean_peak_signal_noise_ratio,
        mean_structural_similarity,
        spectral_angle,
    ],
)
def test_shapes_must_agree(metric):
    with pytest.raises(ShapeError):
        metric(np.zeros((12, 12, 3)), np.zeros((12, 12, 2)))


def test_shapes_that_have_no_score():
    with pytest.raises(ShapeError, match="11×11"):
        structural_similarity(np.zeros((10, 30)), np.zeros((10, 30)))
    with pytest.raises(ShapeError, match="lines × samples × bands"):
        spectral_angle(np.zeros((12, 12)), np.zeros((12, 12)))
