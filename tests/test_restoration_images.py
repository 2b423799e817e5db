import numpy as np
import pytest
from skimage import data as samples

from hsi_suite.errors import ShapeError
from hsi_suite.restoration.classical import non_local_means, wavelet_shrinkage
from hsi_suite.restoration.colour import NOISE_GAIN, OPPONENT, from_opponent, to_opponent
from hsi_suite.restoration.noise_estimate import estimate_noise

CAMERA = samples.camera()[60:316, 100:356].astype(np.float32) / 255


def noisy(clean, sigma, seed=0):
    draws = np.random.default_rng(seed).standard_normal(clean.shape, np.float32)
    return (clean + sigma / 255 * draws).astype(np.float32)


def psnr(clean, other):
    return -10 * np.log10(np.mean((clean - other) ** 2))


@pytest.mark.parametrize(("sigma", "within"), [(5, 0.7), (10, 0.6), (25, 0.6), (50, 1.0)])
def test_the_noise_of_a_photograph_is_found(sigma, within):
    assert 255 * estimate_noise([noisy(CAMERA, sigma)]) == pytest.approx(sigma, abs=within)


def test_noise_alone_is_found():
    plane = np.random.default_rng(0).normal(0, 0.2, (128, 128))
    assert estimate_noise([plane]) == pytest.approx(0.2, rel=0.02)
    assert estimate_noise([7 * plane[:64], 7 * plane[64:]]) == pytest.approx(1.4, rel=0.03)


def test_a_flat_image_has_no_noise():
    assert estimate_noise([np.full((40, 40), 0.3)]) == pytest.approx(0, abs=1e-6)


def test_clipped_pixels_are_left_out():
    dark = np.zeros((128, 256), np.float32)
    dark[:, 128:] = 0.5
    seen = noisy(dark, 20).clip(0, 1)
    inside = (seen > 0) & (seen < 1)
    assert 255 * estimate_noise([seen]) < 15
    assert 255 * estimate_noise([seen], [inside]) == pytest.approx(20, rel=0.03)
    assert estimate_noise([seen], [np.zeros_like(inside)]) == estimate_noise([seen])


def test_small_planes_count_for_nothing_and_alone_are_refused():
    plane = np.random.default_rng(0).normal(0, 1, (64, 64))
    assert estimate_noise([plane, plane[:4]]) == estimate_noise([plane])
    with pytest.raises(ShapeError, match="smaller than 8 × 8"):
        estimate_noise([plane[:7]])


def test_opponent_colours_and_back():
    image = np.random.default_rng(0).random((6, 5, 3), np.float32)
    channels = to_opponent(image)
    assert channels.shape == (3, 6, 5) and channels.min() >= 0 and channels.max() <= 1
    red, green, blue = image[2, 3]
    expected = [
        (red + green + blue) / 3,
        (red - blue) / 2 + 0.5,
        red / 4 - green / 2 + blue / 4 + 0.5,
    ]
    assert channels[:, 2, 3] == pytest.approx(expected, abs=1e-6)
    assert np.allclose(from_opponent(channels), image, atol=1e-6)


def test_the_noise_of_opponent_channels():
    image = np.random.default_rng(0).standard_normal((300, 300, 3), np.float32)
    assert to_opponent(image).std((1, 2)) == pytest.approx(NOISE_GAIN, rel=0.01)
    products = OPPONENT @ OPPONENT.T
    assert np.allclose(products, np.diag(np.diag(products)))


def test_wavelets_rebuild_what_they_take_apart():
    image = np.random.default_rng(0).random((37, 50), np.float32)
    assert np.allclose(wavelet_shrinkage(image, 0.0), image, atol=1e-6)


@pytest.mark.parametrize(("method", "gain"), [(wavelet_shrinkage, 5.5), (non_local_means, 7.5)])
def test_classical_methods_help(method, gain):
    seen = noisy(CAMERA, 25)
    clean = method(seen, 25 / 255)
    assert clean.shape == seen.shape and clean.dtype == np.float32
    assert psnr(CAMERA, clean) > psnr(CAMERA, seen) + gain
