import numpy as np
import pytest
from scipy import fft

from hsi_suite.restoration.noise_estimate import coarse_variance, flattest
from hsi_suite.restoration.patch_detail import halved, measure

RNG = np.random.default_rng(0)
ORDER = np.add.outer(np.arange(8), np.arange(8))
BANDS = ORDER >= 10, (ORDER >= 4) & (ORDER <= 6), (ORDER >= 1) & (ORDER <= 2)


def slow(plane):
    """Mean squares of fine, middle and coarse detail of every patch, one after the other."""
    lines, samples = plane.shape
    patches = [plane[i : i + 8, j : j + 8] for i in range(lines - 7) for j in range(samples - 7)]
    found = []
    for patch in patches:
        squares = fft.dctn(patch.astype(np.float64), norm="ortho") ** 2
        found.append([squares[band].mean() for band in BANDS])
    order = np.argsort(coarse_variance(np.reshape(patches, (-1, 64))), kind="stable")
    return np.array(found)[order]


def test_detail_is_that_of_each_patch():
    planes = [RNG.normal(128, 20, (19, 23)).astype(np.float32) for _ in range(3)]
    found = measure(planes, np.ones((19, 23), bool))
    assert found.luma[:, :3] == pytest.approx(slow(planes[0]), rel=1e-3)
    only_luma = measure(planes[:1], np.ones((19, 23), bool))
    assert not only_luma.colour.any() and found.colour.any()
    assert only_luma.luma == pytest.approx(found.luma)


def test_the_flattest_patches_come_first():
    plane = RNG.normal(0, 5, (60, 60)).astype(np.float32)
    plane[:, 30:] += 100 * RNG.random((60, 30)) * np.linspace(-1, 1, 60)[:, None]
    found = measure([plane], np.ones(plane.shape, bool))
    assert np.median(found.luma[found.flat(), 1]) < np.median(found.luma[-1000:, 1])
    patches = np.lib.stride_tricks.sliding_window_view(plane, (8, 8))[::2, ::2].reshape(-1, 64)
    order = np.argsort(coarse_variance(patches), kind="stable")
    count = len(flattest(patches))
    assert set(flattest(patches)) == set(order[:count])


def test_middle_detail_along_an_axis_is_told():
    stripes = np.tile(np.sin(np.arange(40) * 1.8), (40, 1)).astype(np.float32)
    down, across = (measure([each], np.ones((40, 40), bool)) for each in (stripes, stripes.T))
    assert down.luma[0, 3] > 100 * down.luma[0, 4]
    assert across.luma[0, 4] > 100 * across.luma[0, 3]


def test_what_was_cut_off_is_left_out():
    plane = RNG.normal(0, 5, (80, 80)).astype(np.float32)
    inside = np.ones((80, 80), bool)
    inside[:, 40:] = False
    assert len(measure([plane], inside).luma) == 73 * 33
    inside[20:] = False  # too few are left: all of them count
    assert len(measure([plane], inside).luma) == 73 * 73


@pytest.mark.parametrize("value", [0, 128])
def test_the_numbers_of_a_flat_picture_are_finite(value):
    flat = np.full((8, 8), value, np.float32)
    numbers = measure([flat] * 3, flat > 0).numbers()
    assert numbers.shape == (58,) and np.isfinite(numbers).all()


def test_levels_grow_as_noise_does():
    plane = RNG.normal(size=(100, 100)).astype(np.float32)
    weak, strong = (measure([s * plane] * 3, plane < 9).numbers() for s in (5, 50))
    assert weak[:54] + np.log(10) == pytest.approx(strong[:54], abs=0.1)
    assert weak[54:] == pytest.approx(strong[54:], abs=0.1)


def test_halved_takes_means():
    plane = np.arange(15, dtype=np.float32).reshape(3, 5)
    assert halved(plane).tolist() == [[3, 5]]
