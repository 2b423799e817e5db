"""Signals too weak in each of a few pixels are found in the sums over patches of these."""

import numpy as np
import pytest
from scipy import ndimage

from hsi_suite.restoration.residual_scan import ResidualScan
from hsi_suite.tasks.denoising.cubes.cube_denoising import denoise_cube
from hsi_suite.tasks.denoising.cubes.patch_signals import SIDES, PatchSearch, patch_sums
from tests.test_rare_signals import BROAD, LINE, SIGMA, WIENER, clean_cube, kept_share, noisy

LINES, SAMPLES, BANDS = 40, 36, 24


def searched(residual, step=1000):
    shape = residual.shape
    scans = {}
    for side in SIDES:
        sums = patch_sums(residual, side).reshape(-1, shape[2])
        scans[side] = ResidualScan.calibrated(sums, shape[0] * shape[1], coloured=True)
    search = PatchSearch(scans, shape[1])
    for first in range(0, shape[0], step):
        block = residual[first : first + step].astype(np.float32)
        search.look(first, block.reshape(-1, shape[2]))
    return search.finds(shape[2])


@pytest.mark.parametrize("shape", [LINE, BROAD], ids=["line", "broad"])
@pytest.mark.parametrize("side", [2, 3])
def test_a_target_that_single_pixels_do_not_show_stays(shape, side):
    place = np.s_[20 : 20 + side, 30 : 30 + side]
    clean = clean_cube()
    target = clean.copy()
    target[place] += (7 * SIGMA * shape).astype(np.float32)
    shares = []
    for seed in (1, 2, 3):
        result = denoise_cube(noisy(target, seed), WIENER, mode="bands")
        shares.append(kept_share(result, clean, shape, 7 * SIGMA, place))
    assert np.mean(shares) > 0.85


def test_sums_over_patches_equal_a_loop():
    residual = np.random.default_rng(0).standard_normal((5, 7, 3))
    for side in SIDES:
        sums = patch_sums(residual, side)
        assert sums.shape == (6 - side, 8 - side, 3)
        slow = residual[2 : 2 + side, 1 : 1 + side].sum((0, 1)) / side
        np.testing.assert_allclose(sums[2, 1], slow, atol=1e-12)


def test_the_pixels_of_a_signal_are_found_and_no_others():
    residual = np.random.default_rng(1).standard_normal((LINES, SAMPLES, BANDS))
    residual[10:13, 20:23, 5:9] += 2.5
    residual[0:2, 0:2, 15:19] += 3.5
    finds = searched(residual)
    expected = np.zeros((LINES, SAMPLES), bool)
    expected[10:13, 20:23] = expected[0:2, 0:2] = True
    found = np.zeros(LINES * SAMPLES, bool)
    found[finds.pixels] = True
    assert found[expected.ravel()].sum() >= 12
    assert found[~expected.ravel()].sum() <= 3
    assert finds.values[:, 5:9].mean() > 4 * finds.values[:, 20:].mean()


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_blocks_of_lines_find_what_the_whole_finds(step):
    residual = np.random.default_rng(2).standard_normal((LINES, SAMPLES, BANDS))
    for line, sample in ((0, 0), (13, 9), (20, 30), (37, 33)):
        residual[line : line + 3, sample : sample + 3, 4:12] += 2
    whole, parts = searched(residual), searched(residual, step)
    assert len(whole.pixels) > 25
    np.testing.assert_array_equal(parts.pixels, whole.pixels)
    np.testing.assert_array_equal(parts.values, whole.values)


def test_noise_alone_is_found_as_seldom_as_stated():
    rng = np.random.default_rng(3)
    found = sum(
        bool(len(searched(rng.standard_normal((LINES, SAMPLES, BANDS))).pixels)) for _ in range(20)
    )
    # 2.5 % for each of two sides: more than 5 of 20 have a chance below 1 in 1000.
    assert found <= 5


def test_residuals_that_lack_what_is_alike_side_by_side_lower_the_limits():
    noise = np.random.default_rng(4).standard_normal((LINES, SAMPLES, BANDS))
    residual = noise - ndimage.uniform_filter(noise, (3, 3, 0))
    sums = patch_sums(residual, 3).reshape(-1, BANDS)
    white, coloured = (ResidualScan.calibrated(sums, 1000, coloured=c) for c in (False, True))
    assert (coloured.limits < white.limits).all()
    assert not coloured.exceeds(sums).any()


def test_cubes_of_few_lines_or_samples_are_taken():
    clean = clean_cube()
    for part in (np.s_[:1], np.s_[:2], np.s_[:, :2]):
        cube = noisy(clean)[part]
        assert np.isfinite(denoise_cube(cube[..., :10], WIENER).cube).all()
