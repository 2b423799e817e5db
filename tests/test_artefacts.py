"""JPEG and lost resolution on clean images."""

import io

import numpy as np
import pytest
from PIL import Image

from hsi_suite.data.artefacts import eight_bits, studio_luma, through_jpeg, through_small
from hsi_suite.errors import ConfigError, ShapeError
from hsi_suite.metrics.restoration import (
    peak_signal_noise_ratio,
    peak_signal_noise_ratio_blocked,
)


def picture(*shape):
    lines, samples = np.mgrid[: shape[0], : shape[1]]
    smooth = 0.5 + 0.3 * np.sin(lines / 5) * np.cos(samples / 7)
    noise = np.random.default_rng(0).normal(0, 0.05, shape)
    return (smooth.reshape(*shape[:2], *[1] * (len(shape) - 2)) + noise).astype(np.float32)


@pytest.mark.parametrize("shape", [(21, 34), (21, 34, 3)])
@pytest.mark.parametrize("quality", [5, 40, 99])
def test_jpeg_is_what_pillow_writes(shape, quality):
    given = picture(*shape)
    buffer = io.BytesIO()
    Image.fromarray(eight_bits(given)).save(buffer, "JPEG", quality=quality, subsampling=0)
    expected = np.asarray(Image.open(buffer), np.float32) / 255
    found = through_jpeg(given, quality)
    assert np.array_equal(found, expected) and found.dtype == np.float32


def test_better_jpegs_are_nearer():
    given = picture(64, 64)
    ratios = [peak_signal_noise_ratio(given, through_jpeg(given, q)) for q in (5, 20, 60, 99)]
    assert ratios == sorted(ratios) and ratios[-1] > 40


def keys(distance):
    """The kernel of Keys, TASSP 1981, equation 15."""
    x = abs(distance)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def along(values, size, factor):
    """Slow twin in double precision: to `size` pixels, the kernel widened by `factor`."""
    step = len(values) / size
    result = []
    for place in range(size):
        centre = (place + 0.5) * step - 0.5
        weights = np.array([keys((k - centre) / max(factor, 1)) for k in range(len(values))])
        result.append(weights @ values / weights.sum())
    return np.array(result)


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("shape", [(24, 36), (25, 31), (5, 3)])
def test_resolution_is_lost_by_bicubic_interpolation(shape, factor):
    given = picture(*shape)
    padded = np.pad(given, [(0, -n % factor) for n in shape], mode="edge").astype(np.float64)
    height, width = padded.shape
    small = np.array([along(line, width // factor, factor) for line in padded])
    small = np.array([along(column, height // factor, factor) for column in small.T]).T
    small = np.rint(small.clip(0, 1) * 255) / 255
    large = np.array([along(line, width, 1) for line in small])
    large = np.array([along(column, height, 1) for column in large.T]).T
    found = through_small(given, factor)
    assert found.shape == shape and found.dtype == np.float32
    # A value on the border between two of the 256 levels may fall to either.
    assert np.abs(found - large[: shape[0], : shape[1]]).max() < 1.2 / 255
    assert np.abs(found - large[: shape[0], : shape[1]]).mean() < 0.02 / 255


def test_colours_are_resized_one_by_one():
    given = picture(17, 22, 3)
    found = through_small(given, 3)
    for plane in range(3):
        assert np.array_equal(found[..., plane], through_small(given[..., plane], 3))
    assert np.array_equal(through_small(given, 1), eight_bits(given).astype(np.float32) / 255)
    with pytest.raises(ConfigError, match="1 or more"):
        through_small(given, 0)


def test_luma_of_video_goes_from_16_to_235():
    colours = [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]
    pixels = np.array([colours], np.uint8)
    assert studio_luma(pixels).tolist() == [[16, 235, 81, 145, 41]]


def blocking(image, block=8):
    """D_B - D_B^C pair by pair."""
    edges, others = [], []
    for view in (image, image.T):
        for line in view:
            for place in range(1, len(line)):
                chosen = edges if place % block == 0 else others
                chosen.append((line[place] - line[place - 1]) ** 2)
    return np.mean(edges) - np.mean(others)


@pytest.mark.parametrize("quality", [5, 20, 95])
def test_blocks_cost_what_the_definition_says(quality):
    clean = picture(27, 41).astype(np.float64)
    restored = through_jpeg(clean.astype(np.float32), quality).astype(np.float64)
    excess = blocking(restored)
    error = np.mean((clean - restored) ** 2) + max(excess, 0) * 3 / np.log2(27)
    found = peak_signal_noise_ratio_blocked(clean, restored)
    assert found == pytest.approx(10 * np.log10(1 / error), abs=1e-9)
    assert found <= peak_signal_noise_ratio(clean, restored) + 1e-9


def test_an_image_without_blocks_has_its_psnr():
    flat = np.full((40, 40), 0.5)
    assert peak_signal_noise_ratio_blocked(flat + 0.1, flat) == pytest.approx(20)
    assert peak_signal_noise_ratio_blocked(flat, flat) == float("inf")
    for shape in ((8, 40), (40, 40, 3)):
        with pytest.raises(ShapeError, match="above 8 × 8"):
            peak_signal_noise_ratio_blocked(np.zeros(shape), np.zeros(shape))
