import tracemalloc

import numpy as np
import pytest
from scipy import ndimage, signal
from test_alike_pixels import stack

from hsi_suite.engine.observer import Observer
from hsi_suite.restoration import cube_lines
from hsi_suite.restoration.band_noise import band_moments, noise_by_regression
from hsi_suite.restoration.cube_lines import ArrayLines
from hsi_suite.restoration.damage import Damage, find_damage
from hsi_suite.restoration.planes import PlaneDenoiser, denoise_plane
from hsi_suite.restoration.subspace import fit_subspace
from hsi_suite.tasks.denoising.cubes import eigen_images
from hsi_suite.tasks.denoising.cubes.eigen_images import best_shares, denoise_planes
from hsi_suite.tasks.denoising.cubes.filled_lines import FilledLines

WIENER = PlaneDenoiser(
    lambda image, sigma: signal.wiener(image.astype(float), 5, float(sigma[0, 0]) ** 2).astype(
        np.float32
    )
)


def undamaged(shape):
    return Damage(np.ones(shape, bool), (), np.zeros((shape[0], 0), bool), np.zeros(0, int), None)


def denoised(noisy, levels=None, together=True, denoiser=WIENER):
    planes = noisy.copy()
    levels = np.ones(len(noisy)) if levels is None else levels
    damage = undamaged(noisy.shape[1:])
    lines = (lambda first, last: noisy[:, first:last]) if together else None
    denoise_planes(planes, levels, denoiser, damage, Observer(), lines)
    return planes


def error(clean, planes):
    return float(np.mean((planes - clean) ** 2))


def test_the_mixture_is_the_best_that_the_truth_would_choose():
    rng = np.random.default_rng(0)
    clean = rng.standard_normal((3, 60, 60)) * np.array([10, 3, 1])[:, None, None]
    noisy = clean + rng.standard_normal(clean.shape)
    # Two estimates whose divergences are known: shares of the noisy values, and of a constant.
    first, second = 0.9 * noisy, 0.3 * noisy
    pixels = clean[0].size
    shares = best_shares(noisy, first, second, np.full(3, (0.3 - 0.9) * pixels))
    weights = np.linspace(0, 1, 101)[:, None, None, None]
    errors = ((first + weights * (second - first) - clean) ** 2).mean((2, 3))
    for number, share in enumerate(shares):
        mixture = first[number] + share * (second - first)[number]
        assert error(clean[number], mixture) < 1.02 * errors[:, number].min()
    assert shares[0] < 0.1 and shares[2] > 0.6
    # An estimate that is no other has no share, and none has more than all.
    np.testing.assert_array_equal(best_shares(noisy, first, first, np.zeros(3)), 0)
    np.testing.assert_array_equal(best_shares(noisy, first, second, np.full(3, -1e9)), 1)


def test_together_is_better_where_pixels_are_alike():
    clean, noisy, _ = stack((40, 40))
    alone, together = denoised(noisy, together=False), denoised(noisy)
    assert error(clean, together) < 0.6 * error(clean, alone)
    np.testing.assert_array_equal(denoised(noisy), together)


def test_together_is_no_worse_where_the_first_denoiser_knows_better():
    """Of smooth planes without materials neighbours in space say more than alike ones."""
    rng = np.random.default_rng(5)
    clean = np.stack([ndimage.gaussian_filter(rng.standard_normal((40, 40)), 8) for _ in range(3)])
    clean *= 5 / clean.std((1, 2), keepdims=True)
    noisy = (clean + rng.standard_normal(clean.shape)).astype(np.float32)
    smooth = PlaneDenoiser(lambda image, sigma: ndimage.gaussian_filter(image, 3))
    alone, together = (denoised(noisy, together=each, denoiser=smooth) for each in (False, True))
    assert error(clean, together) < 1.02 * error(clean, alone)


def test_four_parts_tell_of_the_whole(monkeypatch):
    clean, noisy, _ = stack((56, 56))
    whole = denoised(noisy)
    monkeypatch.setattr(eigen_images, "_SEEN", 44)
    sizes = []

    def run(image, sigma):
        sizes.append(image.shape[0])
        return WIENER.run(image, sigma)

    part = denoised(noisy, denoiser=PlaneDenoiser(run))
    assert sizes == [56] * 3 + [22] * 6 * 4
    assert error(clean, part) < 1.1 * error(clean, whole)


@pytest.mark.parametrize("shape", [(600, 700), (90, 3000), (3000, 90), (257, 257), (1, 400)])
def test_parts_are_of_all_quarters_and_hold_data(shape):
    valid = np.ones(shape, bool)
    valid[:, : shape[1] // 3] = False
    parts = eigen_images.seen_parts(valid)
    assert 2 <= len(parts) <= 4 and len(set(map(str, parts))) == len(parts)
    for part in parts:
        assert valid[part].any() and max(valid[part].shape) <= 128
    full = eigen_images.seen_parts(np.ones(shape, bool))
    centres = np.array([[side.start + side.stop for side in part] for part in full]) / 2
    assert len(full) == 4
    np.testing.assert_allclose(centres.mean(0), np.array(shape) / 2, atol=70)
    assert eigen_images.seen_parts(valid[:256, :256]) == [
        (slice(0, min(256, shape[0])), slice(0, min(256, shape[1])))
    ]


def test_it_does_not_matter_which_half_of_a_scene_comes_first(monkeypatch):
    """Half materials, half noise alone: a single part would speak for one half or the other."""
    monkeypatch.setattr(eigen_images, "_SEEN", 40)
    clean, noisy, _ = stack((40, 40))
    empty = np.random.default_rng(7).standard_normal(clean.shape).astype(np.float32)
    gains = []
    for order in (1, -1):
        truth = np.concatenate([clean, np.zeros_like(clean)][::order], 2)
        both = np.concatenate([noisy, empty][::order], 2)
        gains.append(error(truth, denoised(both)) / error(truth, denoised(both, together=False)))
    assert max(gains) < 0.75 and abs(gains[0] - gains[1]) < 0.05


def test_shares_are_told(monkeypatch):
    _, noisy, _ = stack((40, 40))
    damage = undamaged(noisy.shape[1:])

    def lines(first, last):
        return noisy[:, first:last]

    def shares(levels, again):
        return denoise_planes(noisy.copy(), levels, WIENER, damage, Observer(), again)

    assert shares(np.ones(3), None) is None
    told = shares(np.array([1.0, 0.0, 1.0]), lines)
    assert told.shape == (3,) and told[1] == 0 and 0 < told[0] <= 1


def test_memory_of_the_second_step_is_counted():
    """More of a wide scene, of whose lines a strip is read; none of a single image."""
    few, wide = (eigen_images.together_bytes(20, 500, samples) for samples in (500, 20_000))
    assert few < wide and wide > 4 * 20 * 160 * 20_000
    assert eigen_images.together_bytes(1, 500, 500) == 0
    tracemalloc.start()
    _, noisy, _ = stack((44, 44), 12)
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    denoised(noisy)
    peak = tracemalloc.get_traced_memory()[1] - before - noisy.nbytes
    tracemalloc.stop()
    assert peak < eigen_images.together_bytes(12, 44, 44) < 8 * peak


def test_noise_of_any_level_is_taken_for_what_it_is():
    _, noisy, _ = stack((40, 40))
    levels = np.array([1.0, 0.5, 2.0])
    scale = levels.astype(np.float32)[:, None, None]
    np.testing.assert_allclose(
        denoised(noisy * scale, levels) / scale, denoised(noisy), rtol=1e-4, atol=1e-4
    )
    silent = denoised(noisy, np.array([1.0, 0.0, 1.0]))
    np.testing.assert_array_equal(silent[1], noisy[1])
    np.testing.assert_array_equal(silent[[0, 2]], denoised(noisy[[0, 2]]))


@pytest.mark.parametrize("planes", [1, 3])
def test_bands_and_single_planes_are_denoised_alone(planes):
    _, noisy, _ = stack((32, 32), planes)
    found = denoised(noisy, together=planes == 1)
    generator = np.random.default_rng(0)
    for plane, own in zip(found, noisy, strict=True):
        np.testing.assert_array_equal(plane, denoise_plane(own, 1.0, WIENER, generator))


def test_lines_are_projected_as_the_whole(monkeypatch):
    rng = np.random.default_rng(0)
    cube = rng.standard_normal((20, 12, 6))
    reader = FilledLines(ArrayLines(cube), find_damage(ArrayLines(cube)), np.arange(6.0))
    moments = band_moments(reader.spectra(Observer()))
    subspace = fit_subspace(moments, noise_by_regression(moments), 3)
    planes = reader.project(subspace, Observer())
    for values in (10**6, 1, 12 * 6 * 4):
        monkeypatch.setattr(cube_lines, "_BLOCK_VALUES", values)
        found = reader.project_lines(subspace, 3, 17)
        np.testing.assert_allclose(found, planes[:, 3:17], rtol=1e-6, atol=1e-6)
