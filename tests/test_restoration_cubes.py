import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from hsi_suite.errors import ConfigError, HsiSuiteError, InputFileError, ShapeError
from hsi_suite.restoration import cube_lines
from hsi_suite.restoration.band_noise import (
    band_moments,
    estimate_band_noise,
    noise_by_regression,
)
from hsi_suite.restoration.cube_lines import ArrayLines, line_blocks
from hsi_suite.restoration.damage import fill_from_neighbours, find_damage
from hsi_suite.restoration.planes import PlaneDenoiser, denoise_plane, nearest_valid
from hsi_suite.restoration.subspace import every_band, fit_subspace, noise_edge


def spectra(pixels=3000, bands=40, rank=4, seed=0, low=0.05, high=0.3):
    """Pixels × bands of low rank with noise, and the noise's σ of each band."""
    rng = np.random.default_rng(seed)
    clean = rng.random((pixels, rank)) * 5 @ rng.random((rank, bands)) + 10
    sigma = rng.uniform(low, high, bands)
    return clean, clean + sigma * rng.standard_normal(clean.shape), sigma


def cube(lines=20, samples=24, bands=6, seed=0):
    return np.random.default_rng(seed).random((lines, samples, bands)) + 1


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 50), max_size=4), offset=st.sampled_from([0.0, 1e4]))
def test_moments_of_blocks_are_those_of_all_pixels(cuts, offset):
    values = np.random.default_rng(1).random((50, 5)) + offset
    moments = band_moments(np.split(values, sorted(cuts)))
    assert moments.count == 50
    np.testing.assert_allclose(moments.mean, values.mean(0))
    np.testing.assert_allclose(moments.covariance, np.cov(values.T), rtol=1e-7, atol=1e-9)


def test_noise_equals_that_of_one_regression_for_each_band():
    _, noisy, _ = spectra(pixels=300, bands=12)
    expected = []
    for band in range(12):
        others = np.column_stack([np.delete(noisy, band, 1), np.ones(300)])
        fitted = others @ np.linalg.lstsq(others, noisy[:, band], rcond=None)[0]
        expected.append(np.sqrt(np.sum((noisy[:, band] - fitted) ** 2) / (300 - 12)))
    np.testing.assert_allclose(noise_by_regression(band_moments([noisy])), expected, rtol=1e-6)


def test_noise_is_found_and_follows_the_units():
    _, noisy, sigma = spectra(low=0.2)
    found = noise_by_regression(band_moments([noisy]))
    # The other bands' noise passes into the regression: high by up to rank / bands.
    np.testing.assert_allclose(found, sigma, rtol=0.2)
    assert 1 <= np.mean(found / sigma) < 1.15
    scaled = noise_by_regression(band_moments([noisy * 1000 - 7]))
    np.testing.assert_allclose(scaled, found * 1000, rtol=1e-6)


def test_a_copied_band_seems_noiseless_and_does_not_drown_the_rest():
    _, noisy, _ = spectra()
    noisy[:, 7] = noisy[:, 8]
    moments = band_moments([noisy])
    noise = noise_by_regression(moments)
    assert noise[7] < 1e-3 and np.isfinite(noise).all()
    subspace = fit_subspace(moments, noise)
    assert subspace.scale.min() >= np.median(noise) / 1000
    assert np.isfinite(subspace.back_project(subspace.project(noisy))).all()


def test_too_few_pixels_and_too_large_values_are_refused():
    _, noisy, _ = spectra(pixels=12, bands=12)
    moments = band_moments([noisy])
    with pytest.raises(ShapeError, match="more pixels than bands"):
        noise_by_regression(moments)
    with pytest.raises(ShapeError, match="12 valid pixels and 12 bands"):
        fit_subspace(moments, np.ones(12))
    with pytest.raises(ShapeError, match="no valid pixels"):
        band_moments([np.empty((0, 3))])
    with pytest.raises(InputFileError, match="too large"):
        band_moments([np.array([[1e200, 1.0], [0.0, 2.0]])])


@pytest.mark.parametrize("rank", [1, 4, 9])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rank_of_low_rank_spectra_is_found(rank, seed):
    _, noisy, sigma = spectra(rank=rank, seed=seed, high=0.1)
    moments = band_moments([noisy])
    assert fit_subspace(moments, sigma).rank == rank
    assert fit_subspace(moments, noise_by_regression(moments)).rank == rank


def test_pure_noise_stays_below_the_edge_and_keeps_one_direction():
    edge = noise_edge(2000, 50)
    assert (1 + np.sqrt(50 / 2000)) ** 2 < edge < 1.1 * (1 + np.sqrt(50 / 2000)) ** 2
    above = 0
    for seed in range(20):
        noise = np.random.default_rng(seed).standard_normal((2000, 50))
        subspace = fit_subspace(band_moments([noise]), np.ones(50))
        above += subspace.variances[0] > edge
        assert subspace.rank == max(1, int((subspace.variances > edge).sum()))
    assert above <= 1


def test_projection_whitens_and_comes_back():
    clean, noisy, sigma = spectra()
    moments = band_moments([noisy])
    subspace = fit_subspace(moments, sigma, 4)
    assert subspace.rank == 4
    np.testing.assert_allclose(subspace.directions.T @ subspace.directions, np.eye(4), atol=1e-12)
    back = subspace.back_project(subspace.project(noisy))
    np.testing.assert_allclose(subspace.back_project(subspace.project(back)), back)
    # White noise keeps rank / bands of its energy, and every coefficient has noise 1.
    left = np.mean(((back - clean) / sigma) ** 2)
    assert left == pytest.approx(4 / 40, rel=0.1)
    noise = subspace.project(noisy) - subspace.project(clean)
    np.testing.assert_allclose(np.cov(noise.T), np.eye(4), atol=0.15)
    for whole in (fit_subspace(moments, sigma, 40), every_band(moments.mean, sigma)):
        np.testing.assert_allclose(whole.back_project(whole.project(noisy)), noisy)


def test_impossible_ranks_and_no_noise_are_refused():
    _, noisy, sigma = spectra()
    moments = band_moments([noisy])
    for rank in (0, -1, 41):
        with pytest.raises(ConfigError, match=f"rank: {rank}; expected 1 to 40"):
            fit_subspace(moments, sigma, rank)
    with pytest.raises(ConfigError, match="sigma"):
        fit_subspace(moments, np.zeros(40))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0, 0.9))
def test_filling_is_interpolation_over_the_bands(seed, share):
    rng = np.random.default_rng(seed)
    values, missing = rng.random((6, 9)), rng.random((6, 9)) < share
    positions = rng.permutation(9) * 10.0 + rng.random(9)
    order = np.argsort(positions)
    expected = values.copy()
    for row, gaps in zip(expected, missing, strict=True):
        known = order[~gaps[order]]
        if known.size:
            row[gaps] = np.interp(positions[gaps], positions[known], row[known])
    values[missing] = np.where(missing.all(1, keepdims=True), values, np.nan)[missing]
    fill_from_neighbours(values, missing, positions)
    np.testing.assert_allclose(values, expected)


def damaged():
    noisy = cube()
    noisy[:, :, 1] = np.nan
    noisy[:, :, 4] = 7
    noisy[3, :, 0] = 0
    noisy[:, 5, 2] = np.nan
    noisy[9, 9, 3] = np.inf
    noisy[10, 10, 5] = -99
    noisy[15:, :, :] = -99
    noisy[0, :, :] = 0
    noisy[1, 1, 2:] = np.nan
    return noisy


@pytest.mark.parametrize("block", [2**22, 1, 700])
def test_damage_is_found_whatever_the_blocks(monkeypatch, block):
    monkeypatch.setattr(cube_lines, "_BLOCK_VALUES", block)
    noisy = damaged()
    damage = find_damage(ArrayLines(noisy), nodata=-99)
    assert damage.dead_bands == (1, 4)
    np.testing.assert_array_equal(damage.live_bands, [0, 2, 3, 5])
    assert np.argwhere(damage.dead_lines).tolist() == [[3, 0]]
    assert np.argwhere(damage.dead_samples).tolist() == [[5, 2]]
    expected = np.ones((20, 24), bool)
    expected[0] = expected[15:] = expected[1, 1] = False
    np.testing.assert_array_equal(damage.valid, expected)
    missing = damage.missing(noisy, 0)
    assert not missing[~expected].any()
    assert missing[expected][:, [1, 4]].all()
    live = missing[..., damage.live_bands]
    assert live.sum() == 24 + 14 + 2
    assert missing[3, 8, 0] and missing[8, 5, 2] and missing[9, 9, 3] and missing[10, 10, 5]
    np.testing.assert_array_equal(damage.missing(noisy[8:12], 8), missing[8:12])


def test_sound_cubes_have_no_damage():
    damage = find_damage(ArrayLines(cube()))
    assert damage.valid.all() and not damage.dead_bands
    assert not damage.dead_lines.any() and not damage.dead_samples.any()
    # A few equal values side by side are no dead line, and a mask is kept.
    narrow = cube(samples=4)
    narrow[2, :, 1] = 0
    mask = np.ones((20, 4), bool)
    mask[5] = False
    damage = find_damage(ArrayLines(narrow), mask)
    assert not damage.dead_lines.any()
    np.testing.assert_array_equal(damage.valid, mask)


@pytest.mark.parametrize(
    "values, words",
    [
        (np.full((9, 9, 12), 3), "no pixel holds a spectrum"),
        (np.zeros((9, 9, 5)), "no pixel holds a spectrum"),
        (np.full((9, 9, 5), 3), "0 of 5 bands vary"),
        (np.full((9, 9, 5), np.nan), "no pixel holds a spectrum"),
        (np.broadcast_to(np.arange(5.0), (9, 9, 5)), "0 of 5 bands vary"),
        (cube(bands=1), "a single band"),
    ],
)
def test_cubes_without_content_are_refused(values, words):
    with pytest.raises(HsiSuiteError, match=words):
        find_damage(ArrayLines(values))


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ShapeError, match="valid"):
        find_damage(ArrayLines(cube()), np.ones((3, 3), bool))


@settings(max_examples=20, deadline=None)
@given(shape=st.tuples(st.integers(1, 50), st.integers(1, 9), st.integers(1, 9)))
def test_blocks_fill_the_cube(shape):
    old, cube_lines._BLOCK_VALUES = cube_lines._BLOCK_VALUES, 100
    try:
        blocks = list(line_blocks(shape))
    finally:
        cube_lines._BLOCK_VALUES = old
    assert [line for first, last in blocks for line in range(first, last)] == list(range(shape[0]))


def plane(seed=0, contrast=20.0, sigma=1.0):
    rng = np.random.default_rng(seed)
    clean = ndimage.gaussian_filter(rng.standard_normal((48, 48)), 4)
    clean = (clean * contrast / np.ptp(clean)).astype(np.float32)
    return clean, clean + np.float32(sigma) * rng.standard_normal((48, 48), np.float32)


def smooth(image, sigma):
    return ndimage.uniform_filter(image, 3, mode="wrap")


def run(values, sigma, denoiser):
    return denoise_plane(values, sigma, denoiser, np.random.default_rng(0))


def test_a_denoiser_sees_values_from_0_to_1_and_their_noise():
    seen = {}

    def look(image, sigma):
        seen.update(low=image.min(), high=image.max(), sigma=sigma)
        return smooth(image, sigma)

    _, noisy = plane()
    change = smooth(noisy, 0) - noisy
    expected = noisy + change * min(1, 1 / np.mean(change.astype(float) ** 2))
    np.testing.assert_allclose(run(noisy, 1.0, PlaneDenoiser(look)), expected, atol=1e-4)
    assert seen["low"] == 0 and seen["high"] == pytest.approx(1)
    np.testing.assert_allclose(seen["sigma"], 1 / np.ptp(noisy), rtol=1e-5)
    assert seen["sigma"].shape == noisy.shape
    run(noisy, 1.0, PlaneDenoiser(look, highest_sigma=0.01))
    np.testing.assert_allclose(seen["sigma"], 0.01, rtol=1e-5)
    assert seen["high"] == pytest.approx(0.01 * np.ptp(noisy), rel=1e-5)


@settings(max_examples=10, deadline=None)
@given(factor=st.sampled_from([1e-3, 0.5, 300.0]), offset=st.sampled_from([-5.0, 0.0, 40.0]))
@pytest.mark.parametrize("takes", [True, False])
def test_denoising_follows_the_units(takes, factor, offset):
    _, noisy = plane()
    denoiser = PlaneDenoiser(smooth, takes_noise_map=takes)
    scaled = (noisy * factor + offset * factor).astype(np.float32)
    expected = (run(noisy, 1.0, denoiser) + offset) * factor
    np.testing.assert_allclose(run(scaled, factor, denoiser), expected, atol=2e-3 * factor)


def test_blending_is_the_best_mixture():
    clean, noisy = plane(contrast=8.0)
    blended = run(noisy, 1.0, PlaneDenoiser(smooth, takes_noise_map=False))
    change = smooth(noisy, 0) - noisy
    # The divergence of a periodic 3 × 3 mean is 1/9.
    weight = min(1.0, (1 - 1 / 9) / np.mean(change.astype(float) ** 2))
    np.testing.assert_allclose(blended, noisy + weight * change, atol=0.1)
    errors = [np.mean((noisy + w * change - clean) ** 2) for w in np.linspace(0, 1, 101)]
    assert np.mean((blended - clean) ** 2) < min(errors) + 0.02


@pytest.mark.parametrize("takes", [True, False])
def test_blending_keeps_a_denoiser_from_harming_strong_planes(takes):
    def blur(image, sigma):
        return ndimage.uniform_filter(image, 9)

    clean, noisy = plane(contrast=500.0)
    blended = run(noisy, 1.0, PlaneDenoiser(blur, takes_noise_map=takes))
    assert np.mean((blur(noisy, 1.0) - clean) ** 2) > 20
    assert np.mean((blended - clean) ** 2) < 1.1


def test_planes_without_noise_or_contrast_come_back():
    clean, noisy = plane()
    assert np.array_equal(run(noisy, 0.0, PlaneDenoiser(smooth)), noisy)
    flat = np.full_like(clean, 3)
    assert np.array_equal(run(flat, 1.0, PlaneDenoiser(smooth)), flat)
    same = PlaneDenoiser(lambda image, sigma: image, takes_noise_map=False)
    np.testing.assert_allclose(run(noisy, 1.0, same), noisy, atol=1e-5)
    broken = PlaneDenoiser(lambda image, sigma: image * np.nan)
    with pytest.raises(InputFileError, match="no numbers"):
        run(noisy, 1.0, broken)


def test_holes_take_the_nearest_valid_pixel():
    assert nearest_valid(np.ones((3, 3), bool)) is None
    valid = np.array([[True, False, False, True]])
    lines, samples = nearest_valid(valid)
    assert samples.tolist() == [[0, 0, 3, 3]] and not lines.any()


def test_directions_do_not_turn_with_rounding():
    _, noisy, sigma = spectra()
    rng = np.random.default_rng(1)
    moments = [band_moments([noisy[rng.permutation(len(noisy))]]) for _ in range(6)]
    first, *others = (fit_subspace(each, sigma, 4).directions for each in moments)
    assert (first.max(0) == np.abs(first).max(0)).all()
    for directions in others:
        np.testing.assert_allclose(directions, first, atol=1e-9)


def test_values_that_arithmetic_could_not_square_are_refused():
    values = np.random.default_rng(0).normal(100, 1, (12, 13, 6))
    values[3, 4, 2] = -3.4e38
    with pytest.raises(InputFileError, match=r"values up to 3\.4e\+38.*--nodata"):
        find_damage(ArrayLines(values))
    assert find_damage(ArrayLines(values), nodata=-3.4e38).valid.all()


@pytest.mark.parametrize("bands", [2, 3, 12])
def test_equal_values_of_few_bands_are_data(bands):
    cube = np.random.default_rng(0).integers(1, 6, (30, 20, bands)).astype(np.uint8)
    cube[3, 4], cube[5, 6] = 7, 0  # a grey pixel, and one outside the swath
    found = find_damage(ArrayLines(cube))
    assert not found.valid[5, 6]
    assert found.valid[3, 4] == (bands < 10)
    assert found.valid.sum() == 600 - 1 - (bands >= 10)


@pytest.mark.parametrize("side", [8, 20, 40])
def test_the_noise_of_few_bands_is_found_in_small_cubes(side):
    lines, samples = np.mgrid[:side, :side] / side
    clean = np.stack([np.where(lines > 0.5, 0.6, 0.3), np.where(samples > 0.5, 0.5, 0.2)], 2)
    cube = clean + np.random.default_rng(0).normal(0, 0.02, clean.shape)
    moments = band_moments([cube.reshape(-1, 2)])
    found = estimate_band_noise(moments, ArrayLines(cube), find_damage(ArrayLines(cube)))
    np.testing.assert_allclose(found, 0.02, rtol=0.3)
    assert (noise_by_regression(moments) > 0.1).all()
