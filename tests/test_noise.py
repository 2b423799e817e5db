import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi_suite.data.noise import (
    add_band_noise,
    add_dead_lines,
    add_gaussian,
    add_impulses,
    add_poisson_gaussian,
    add_stripes,
)
from hsi_suite.errors import ConfigError, ShapeError


def generator(seed=0):
    return np.random.default_rng(seed)


CUBE = np.full((60, 50, 8), 0.5, np.float32)

NOISES = {
    "gaussian": lambda g: add_gaussian(CUBE, 0.1, g),
    "poisson_gaussian": lambda g: add_poisson_gaussian(CUBE, 0.01, 0.02, g),
    "band": lambda g: add_band_noise(CUBE, [0.1] * 8, g),
    "stripes": lambda g: add_stripes(CUBE, 0.3, 0.1, g),
    "dead_lines": lambda g: add_dead_lines(CUBE, 0.3, g),
    "impulses": lambda g: add_impulses(CUBE, 0.3, g),
}


@pytest.mark.parametrize("name", NOISES)
def test_noise_follows_from_its_seed_and_leaves_the_clean_cube_alone(name):
    before = CUBE.copy()
    first, again, other = (NOISES[name](generator(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.dtype == np.float32
    assert first.shape == CUBE.shape
    assert np.array_equal(CUBE, before)


def test_gaussian_noise_has_its_mean_and_spread_and_is_not_clipped():
    noise = add_gaussian(np.zeros((400, 400), np.float32), 0.2, generator())
    assert abs(noise.mean()) < 4 * 0.2 / 400
    assert noise.std() == pytest.approx(0.2, rel=0.01)
    assert noise.min() < -0.6
    kurtosis = (noise**4).mean() / noise.var() ** 2
    assert kurtosis == pytest.approx(3, abs=0.05)


@settings(max_examples=20, deadline=None)
@given(sigma=st.floats(0, 10, width=32), seed=st.integers(0, 1000))
def test_gaussian_noise_is_proportional_to_sigma(sigma, seed):
    zeros = np.zeros((3, 4), np.float32)
    unit = add_gaussian(zeros, 1.0, generator(seed))
    assert np.array_equal(add_gaussian(zeros, sigma, generator(seed)), np.float32(sigma) * unit)


def test_gaussian_noise_takes_a_map_of_sigmas():
    sigma = np.array([0.0, 0.5], np.float32)
    noise = add_gaussian(np.zeros((5000, 2), np.float32), sigma, generator())
    assert np.all(noise[:, 0] == 0)
    assert noise[:, 1].std() == pytest.approx(0.5, rel=0.05)


def test_variance_of_poisson_gaussian_noise_grows_with_the_signal():
    gain, sigma = 0.01, 0.03
    for signal in (0.0, 0.2, 0.8):
        clean = np.full((300, 300), signal, np.float32)
        noisy = add_poisson_gaussian(clean, gain, sigma, generator())
        assert noisy.mean() == pytest.approx(signal, abs=0.002)
        assert noisy.var() == pytest.approx(gain * signal + sigma**2, rel=0.03)


def test_each_band_gets_its_own_noise():
    sigmas = [0.0, 0.05, 0.2]
    noisy = add_band_noise(np.zeros((200, 200, 3), np.float32), sigmas, generator())
    assert noisy.std(axis=(0, 1)) == pytest.approx(sigmas, rel=0.02)
    with pytest.raises(ShapeError, match="one for each of 3"):
        add_band_noise(np.zeros((2, 2, 3), np.float32), [0.1], generator())


def test_stripes_are_constant_along_the_flight():
    clean = generator(5).random((40, 500, 4), np.float32)
    offsets = add_stripes(clean, 0.25, 0.1, generator()) - clean
    assert np.allclose(offsets, offsets[0], atol=1e-6)
    struck = np.abs(offsets[0]) > 1e-5
    assert struck.mean() == pytest.approx(0.25, abs=0.05)
    assert offsets[0][struck].std() == pytest.approx(0.1, rel=0.15)


def test_dead_lines_read_one_value_in_whole_columns():
    clean = np.ones((30, 500, 4), np.float32)
    noisy = add_dead_lines(clean, 0.1, generator(), value=-1.0)
    dead = noisy == -1
    assert np.array_equal(dead.all(axis=0), dead.any(axis=0))
    assert dead.mean() == pytest.approx(0.1, abs=0.03)
    assert np.all(noisy[~dead] == 1)


def test_impulses_strike_single_values_at_both_ends():
    noisy = add_impulses(np.full((300, 300), 0.5, np.float32), 0.2, generator())
    shares = [(noisy == value).mean() for value in (0.0, 0.5, 1.0)]
    assert shares == pytest.approx([0.1, 0.8, 0.1], abs=0.01)


@pytest.mark.parametrize(
    "call",
    [
        lambda: add_gaussian(CUBE, -0.1, generator()),
        lambda: add_gaussian(CUBE, float("nan"), generator()),
        lambda: add_poisson_gaussian(CUBE, 0.0, 0.1, generator()),
        lambda: add_poisson_gaussian(CUBE, 0.1, -0.1, generator()),
        lambda: add_stripes(CUBE, 1.5, 0.1, generator()),
        lambda: add_stripes(CUBE, 0.5, -0.1, generator()),
        lambda: add_dead_lines(CUBE, -0.1, generator()),
        lambda: add_impulses(CUBE, 2.0, generator()),
    ],
)
def test_strengths_that_cannot_be_are_refused(call):
    with pytest.raises(ConfigError):
        call()
