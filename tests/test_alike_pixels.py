import numpy as np
import pytest
from scipy import ndimage, stats

from hsi_suite.restoration import alike_pixels
from hsi_suite.restoration.alike_pixels import alike_estimate, shrunk


def stack(side=(24, 26), planes=3, seed=0):
    """Planes of few materials, noisy and as a first denoiser has them."""
    rng = np.random.default_rng(seed)
    material = ndimage.zoom(rng.integers(0, 4, (4, 4)), (side[0] / 4, side[1] / 4), order=0)
    clean = rng.normal(0, 6, (planes, 4))[:, material].astype(np.float32)
    noisy = clean + rng.standard_normal(clean.shape).astype(np.float32)
    first = np.stack([ndimage.gaussian_filter(plane, 1) for plane in noisy])
    return clean, noisy, first


def one_by_one(noisy, first, count, together):
    """`alike_estimate` of a single tile, pixel after pixel."""
    planes, lines, samples = noisy.shape
    seen = first[:together].astype(np.float64)
    around = np.stack([ndimage.uniform_filter(plane, 3) for plane in seen])
    places = np.indices((lines, samples))
    answer, usual = np.empty(noisy.shape), np.ones((lines, samples), bool)
    for line, sample in np.ndindex(lines, samples):
        distances = sum(
            ((features - features[:, line, sample, None, None]) ** 2).sum(0) * weight
            for features, weight in ((seen, 1), (around, 1), (places, 0.01))
        )
        alike = np.argsort(distances, axis=None, kind="stable")[:count]
        for start in range(0, planes, together):
            group = noisy[start : start + together].reshape(-1, lines * samples).astype(float)
            chosen, own = group[:, alike], group[:, line * samples + sample]
            mean, far = chosen.mean(1), 0.0
            result = mean
            variances, directions = np.linalg.eigh(np.atleast_2d(np.cov(chosen)))
            for variance, direction in zip(variances, directions.T, strict=True):
                if variance > (1 + np.sqrt(len(mean) / count)) ** 2:
                    along = direction @ (own - mean)
                    result = result + (variance - 1) / variance * along * direction
                far += (direction @ (own - mean)) ** 2 / max(variance, 1)
            answer[start : start + together, line, sample] = result
            usual[line, sample] &= far < stats.chi2.ppf(0.99, len(mean))
    return np.where(usual, answer, first)


@pytest.mark.parametrize("together", [8, 1])
def test_all_pixels_at_once_are_one_after_the_other(together, monkeypatch):
    monkeypatch.setattr(alike_pixels, "_TOGETHER", together)
    monkeypatch.setattr(alike_pixels, "_BLOCK", 100)
    _, noisy, first = stack((18, 16))
    found = alike_estimate(noisy, first, np.ones(noisy.shape[1:], bool))
    count = min(100, noisy[0].size // 8)
    np.testing.assert_allclose(found, one_by_one(noisy, first, count, together), atol=1e-4)


def test_few_materials_are_found_again():
    clean, noisy, first = stack((40, 40))
    found = alike_estimate(noisy, first, np.ones(noisy.shape[1:], bool))
    errors = [np.mean((each - clean) ** 2) for each in (noisy, first, found)]
    assert errors[2] < errors[1] / 2 and errors[2] < errors[0] / 5


def test_pixels_without_data_have_no_say_and_no_answer():
    _, noisy, first = stack((40, 30))
    valid = np.ones(noisy.shape[1:], bool)
    valid[:, 20:] = False
    found = alike_estimate(noisy, first, valid)
    np.testing.assert_array_equal(found[:, ~valid], first[:, ~valid])
    # The part with data as a scene of its own, but for the means of 3 × 3 along the cut.
    first[:, :, 20:], noisy[:, :, 20:] = 1e6, -1e6
    np.testing.assert_array_equal(alike_estimate(noisy, first, valid)[:, :, :15].shape, (3, 40, 15))
    changed = np.abs(alike_estimate(noisy, first, valid) - found)[:, :, :19]
    assert np.isfinite(changed).all() and changed.max() < 20


def test_too_few_pixels_leave_all_as_it_was():
    _, noisy, first = stack((12, 20))
    found = alike_estimate(noisy, first, np.ones(noisy.shape[1:], bool))
    np.testing.assert_array_equal(found, first)


def test_tiles_are_scenes_of_their_own(monkeypatch):
    monkeypatch.setattr(alike_pixels, "SIDE", 40)
    _, noisy, first = stack((40, 70))
    valid = np.ones((40, 70), bool)
    whole = alike_estimate(noisy, first, valid)
    part = alike_estimate(noisy[..., :35].copy(), first[..., :35].copy(), valid[:, :35])
    # The means of 3 × 3 end at the edge of a tile.
    np.testing.assert_allclose(whole[..., :35], part, atol=1e-5)


def test_what_differs_no_more_than_noise_becomes_the_mean():
    rng = np.random.default_rng(3)
    alike = rng.standard_normal((5, 100, 4)) * 0.9
    own = rng.standard_normal((5, 4))
    np.testing.assert_allclose(shrunk(own, alike)[0], alike.mean(1))
    alike[:, :, 0] *= 1000
    np.testing.assert_allclose(shrunk(own, alike)[0][:, 0], own[:, 0], atol=1e-2)


def test_a_rare_pixel_is_left_to_the_first_denoiser():
    clean, noisy, first = stack((40, 40))
    noisy[:, 10, 20] = clean[:, 10, 20] + np.array([0, 12, 0])
    found = alike_estimate(noisy, first, np.ones(noisy.shape[1:], bool))
    np.testing.assert_array_equal(found[:, 10, 20], first[:, 10, 20])
    # Of all others one in a hundred looks rare by chance.
    assert 0.002 < (found == first).all(0).mean() < 0.03
