import numpy as np
import pytest
import torch

from hsi_suite.data.patches import WindowSampler


def slow_window(scene, pixel, window):
    """The window around one pixel, pixel by pixel; zeros outside."""
    components, lines, samples = scene.shape
    line, sample = divmod(pixel, samples)
    out = np.zeros((components, window, window), scene.dtype)
    radius = window // 2
    for i in range(-radius, radius + 1):
        for j in range(-radius, radius + 1):
            if 0 <= line + i < lines and 0 <= sample + j < samples:
                out[:, i + radius, j + radius] = scene[:, line + i, sample + j]
    return out


@pytest.mark.parametrize("window", [1, 3, 5])
def test_windows_equal_the_slow_ones_everywhere_borders_included(window):
    scene = np.random.default_rng(0).normal(size=(3, 6, 7)).astype(np.float32)
    sampler = WindowSampler(torch.from_numpy(scene), window)
    got = sampler.gather(torch.arange(42)).numpy()
    expected = np.stack([slow_window(scene, pixel, window) for pixel in range(42)])
    assert np.array_equal(got, expected)


def test_only_one_padded_copy_is_kept():
    sampler = WindowSampler(torch.zeros(4, 50, 60), 25)
    assert sampler._spectra.untyped_storage().nbytes() == 4 * 74 * 84 * 4
