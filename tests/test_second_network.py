"""The table of the second network's shares: `benchmarks/second_network.py`."""

import re

import numpy as np
import pytest
from benchmark_scripts import loaded
from skimage import data as samples
from skimage.metrics import peak_signal_noise_ratio

import hsi_suite as hsi


@pytest.fixture
def second_network():
    with loaded("second_network") as module:
        yield module


def test_a_line_is_of_the_mean_in_which_the_second_has_its_share(second_network):
    clean = samples.astronaut()[100:164, 200:264]
    grain = np.random.default_rng(0).normal(0, 9, clean.shape)
    noisy = np.rint(clean + grain).clip(0, 255).astype(np.uint8)
    ways = (second_network.Way("colour_denoiser", 6, 2.5, (0.3, 1.0)),)
    table = second_network.Table("camera_denoiser", {"grain": [(clean, noisy)]}, ways)
    head, alone, some, all_of_it = second_network.lines(table)
    assert head.split() == ["grain"] and alone.startswith("camera_denoiser ")
    assert some.startswith("0.3 of colour_denoiser, 6 + 2.5 ")

    given = noisy.astype(np.float32)
    first = hsi.Denoiser("camera_denoiser", white=255.0)(given)
    sigma = 6 + 2.5 * np.std(first - given)
    second = hsi.Denoiser("colour_denoiser", sigma=sigma, white=255.0)(given)
    for line, share in ((alone, 0.0), (some, 0.3), (all_of_it, 1.0)):
        mean = np.rint(first + share * (second - first)).clip(0, 255).astype(np.uint8)
        ratio = float(re.findall(r"\d+\.\d\d", line)[0])
        assert ratio == pytest.approx(peak_signal_noise_ratio(clean, mean), abs=0.011)
    gain = float(some.split()[-1].strip("()"))
    assert gain == pytest.approx(float(some.split()[-2]) - float(alone.split()[-1]), abs=0.011)


def test_a_change_that_neighbours_share_tells_a_larger_sigma(second_network):
    white = np.random.default_rng(0).normal(0, 6, (90, 120, 3)).astype(np.float32)
    way = second_network.Way("colour_denoiser", 4, 1.5, (0.5,), 4)
    assert way.title(0.5) == "0.5 of colour_denoiser, 4 + 1.5 + 4 alike"
    alone = way.sigma(white)
    assert alone == pytest.approx(4 + 1.5 * 6 / np.sqrt(3), rel=0.05)
    smooth = (white + np.roll(white, 1, 0)) / np.sqrt(2)
    assert way.sigma(smooth) == pytest.approx(4 + (1.5 + 4 * 0.25) * 6 / np.sqrt(3), rel=0.05)
    assert way.sigma(100 * white) == 55


def test_the_shares_that_ship_are_among_those_that_are_compared(second_network):
    from hsi_suite.tasks.denoising.photographs import network_companion as shipped

    told = (shipped._LEAST, shipped._FOR_EACH, shipped._SHARED)
    for ways, first in (
        (second_network._CAMERA_WAYS, "camera_denoiser"),
        (second_network._JPEG_WAYS, "jpeg_denoiser"),
    ):
        ours = [way for way in ways if (way.least, way.each, way.alike) == told]
        assert shipped._SHARES[first] in ours[0].shares and ours[0].second == "colour_denoiser"


def test_squares_begin_where_blocks_do(second_network):
    image = np.zeros((300, 270, 3), np.uint8)
    image[16, 0] = 7
    square = second_network._middle(image)
    assert square.shape == (256, 256, 3) and square[0, 0, 0] == 7
