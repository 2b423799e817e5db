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
from hsi_suite.tasks.denoising import eigen_images
from hsi_suite.tasks.denoising.eigen_images import best_shares, denoise_planes
from hsi_suite.tasks.denoising.filled_lines import FilledLines

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


def test_the_part_with_the_most_data_tells_of_the_whole(monkeypatch):
    clean, noisy, _ = stack((40, 40))
    whole = denoised(noisy)
    monkeypatch.setattr(eigen_images, "_SEEN", 20)
    sizes = []

    def run(image, sigma):
        sizes.append(image.shape[0])
        return WIENER.run(image, sigma)

    part = denoised(noisy, denoiser=PlaneDenoiser(run))
    assert sizes == [40] * 3 + [20] * 6
    assert error(clean, part) < 1.1 * error(clean, whole)
    valid = np.zeros((40, 40), bool)
    valid[:, 25:] = valid[30:] = True
    assert eigen_images._fullest_part(valid) == (slice(20, 40), slice(20, 40))


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
