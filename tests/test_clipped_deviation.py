"""σ that noise had before it was clipped, from the pixels that were not."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from skimage import data as samples

from hsi_suite.restoration.clipped_deviation import ClippedBlocks, inside_variance
from hsi_suite.tasks.denoising.photographs.network_choice import Networks
from hsi_suite.tasks.denoising.photographs.noise_estimation import estimate_image_noise

GREY = np.ones(1)
NETWORKS = Networks(None, "auto", torch.device("cpu"))


def integral(function, truth, sigma):
    return quad(lambda y: function(y) * norm.pdf(y, truth, sigma), 0, 1, epsabs=1e-12)[0]


@pytest.mark.parametrize("sigma", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("truth", [0.0, 0.1, 0.5, 0.97])
def test_the_variance_is_that_of_the_integral(truth, sigma):
    share = integral(lambda y: 1, truth, sigma)
    inside = integral(lambda y: y, truth, sigma) / share
    clipped = share * inside + norm.sf(1, truth, sigma)
    for apart, centre in ((True, inside), (False, clipped)):
        wanted = integral(lambda y, c=centre: (y - c) ** 2, truth, sigma) / share
        found = inside_variance(np.array([truth]), sigma, apart=apart)
        assert found[0] == pytest.approx(wanted, rel=1e-5)


def blocks_of(values, *, apart=True):
    """Of 400 × 64 values of as many blocks."""
    ends = (values == 0) | (values == 1)
    return ClippedBlocks(values.mean(1)[:, None], (~ends).sum(1), ends.mean(1), apart=apart)


def noisy(sigma, dark=0.0, bright=0.5):
    truth = np.linspace(dark, bright, 400)[:, None]
    return truth, truth + np.random.default_rng(0).normal(0, sigma, (400, 64))


@pytest.mark.parametrize("sigma", [0.06, 0.14, 0.25])
def test_sigma_comes_back(sigma):
    truth, values = noisy(sigma)
    values = values.clip(0, 1)
    inside = (values > 0) & (values < 1)
    mean = np.array([integral(lambda y: y, t, sigma) for t in truth[:, 0]])
    mean /= norm.cdf(1, truth[:, 0], sigma) - norm.cdf(0, truth[:, 0], sigma)
    found = np.sqrt(((values - mean[:, None])[inside] ** 2).mean())
    assert found < 0.97 * sigma
    assert blocks_of(values).sigma_before(found, GREY) == pytest.approx(sigma, rel=0.03)


@pytest.mark.parametrize(
    "values",
    [
        noisy(0.1)[1],
        noisy(0.1, 0.4, 0.6)[1].clip(0, 1),
        np.where(np.arange(400)[:, None] < 200, 0, noisy(0.02, 0.1)[1]),
        np.zeros((400, 64)),
    ],
    ids=["not clipped", "within the ends", "black without noise", "black"],
)
def test_what_was_not_clipped_stays_as_it_was_found(values):
    assert blocks_of(values).sigma_before(0.1, GREY) == pytest.approx(0.1, rel=1e-4)


@pytest.mark.parametrize("colour", [True, False])
def test_strong_noise_in_eight_bits_is_found(colour):
    clean = samples.astronaut()[:256, :256] if colour else samples.camera()[:256, :256]
    whole = clean + np.random.default_rng(1).normal(0, 50, clean.shape)
    clipped = np.rint(whole).clip(0, 255).astype(np.uint8)
    eight, floats = (
        255 * float(np.mean(estimate_image_noise(image, 255.0, NETWORKS.likely).sigmas))
        for image in (clipped, whole.astype(np.float32))
    )
    assert eight == pytest.approx(floats, rel=0.13)
