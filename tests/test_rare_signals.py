"""Rare signals survive the denoising of cubes; faults and noise do not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage, signal

from hsi_suite.metrics.restoration import mean_peak_signal_noise_ratio
from hsi_suite.restoration import cube_lines
from hsi_suite.restoration.accidents import Oddities, faults_among
from hsi_suite.restoration.faults import Faults
from hsi_suite.restoration.planes import PlaneDenoiser
from hsi_suite.restoration.residual_scan import ResidualScan
from hsi_suite.restoration.unexplained import Unexplained, neighbours_alike
from hsi_suite.tasks.denoising.cubes.cube_denoising import denoise_cube
from hsi_suite.tasks.denoising.cubes.cube_report import unexplained_rows

SIGMA = 0.02
LINES, SAMPLES, BANDS = 48, 44, 40
LINE = np.exp(-(((np.arange(BANDS) - 25.3) / 1.5) ** 2))
BROAD = np.exp(-(((np.arange(BANDS) - 20.0) / 9.0) ** 2))


def wiener(image, sigma):
    return signal.wiener(image.astype(float), 5, float(sigma[0, 0]) ** 2).astype(np.float32)


WIENER = PlaneDenoiser(wiener)
# What a network does to what no pixel beside looks like, at its worst.
SMOOTH = PlaneDenoiser(lambda image, sigma: ndimage.median_filter(image, 7))


def clean_cube():
    rng = np.random.default_rng(0)
    maps = ndimage.gaussian_filter(rng.standard_normal((LINES, SAMPLES, 3)), (4, 4, 0))
    maps = (maps - maps.min((0, 1))) / np.ptp(maps, (0, 1))
    shapes = np.exp(-(((np.arange(BANDS) / BANDS - np.array([[0.2], [0.5], [0.8]])) / 0.2) ** 2))
    return (maps @ shapes).astype(np.float32)


def noisy(cube, seed=1):
    return cube + np.random.default_rng(seed).normal(0, SIGMA, cube.shape).astype(np.float32)


def kept_share(result, clean, shape, amplitude, place):
    found = (result.cube - clean)[place] @ shape / (shape @ shape)
    return float(found.mean()) / amplitude


@pytest.mark.parametrize("mode", ["subspace", "bands"])
@pytest.mark.parametrize("shape", [LINE, BROAD], ids=["line", "broad"])
@pytest.mark.parametrize("side", [1, 2, 3, 5])
def test_a_target_of_12_sigma_stays(mode, shape, side):
    place = np.s_[20 : 20 + side, 30 : 30 + side]
    clean = clean_cube()
    target = clean.copy()
    target[place] += (12 * SIGMA * shape).astype(np.float32)
    result = denoise_cube(noisy(target), WIENER, mode=mode)
    assert kept_share(result, clean, shape, 12 * SIGMA, place) > 0.75
    assert result.unexplained.odd_values == 0


def test_what_the_network_smooths_away_is_put_back():
    clean = clean_cube()
    target = clean.copy()
    # A spectrum of the scene itself, where no pixel beside has it: inside the subspace.
    other = clean[5, 5] - clean[30, 12]
    target[30, 12] += other
    result = denoise_cube(noisy(target), SMOOTH)
    got = (result.cube - clean)[30, 12] @ other / (other @ other)
    assert got == pytest.approx(1, abs=0.1)
    assert result.unexplained.rare_pixels >= 1


@pytest.mark.parametrize("mode", ["subspace", "bands"])
def test_noise_alone_is_no_signal(mode):
    result = denoise_cube(noisy(clean_cube()), WIENER, mode=mode)
    assert result.unexplained.rare_pixels <= 1
    assert result.unexplained.odd_values <= 1


def test_pure_noise_is_found_as_seldom_as_stated():
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(40):
        residual = rng.standard_normal((2000, 30))
        found += bool(ResidualScan.calibrated(residual, 2000).exceeds(residual).any())
    # 2.5 % each: more than 5 of 40 have a chance below 1 in 1000.
    assert found <= 5


def test_noise_stronger_than_told_raises_the_limits():
    clean = clean_cube()
    result = denoise_cube(noisy(clean), WIENER, sigma=SIGMA / 2)
    assert result.unexplained.rare_pixels <= 2


def test_few_odd_values_stay_unless_they_are_to_be_repaired():
    clean = clean_cube()
    cube = noisy(clean)
    places = [(5, 7, 11), (20, 30, 2), (33, 9, 39), (40, 40, 20)]
    for number, place in enumerate(places):
        cube[place] += (15 + 5 * number) * SIGMA * (-1) ** number
    left, repaired = (denoise_cube(cube, WIENER, repair=repair) for repair in (False, True))
    for result in (left, repaired):
        unexplained = result.unexplained
        assert (unexplained.rare_pixels, unexplained.odd_values) == (0, len(places))
    for place in places:
        assert left.cube[place] == cube[place]
        assert abs(repaired.cube[place] - clean[place]) < 2.5 * SIGMA
    ((_, told),) = unexplained_rows(left.unexplained, left.damage)
    assert told == "4; so few may be lines of one band; --repair removes them"
    ((what, _),) = unexplained_rows(repaired.unexplained, repaired.damage)
    assert what == "single odd values, taken for faults and removed"


def test_the_same_band_in_pixels_side_by_side_is_a_signal():
    clean = clean_cube()
    target = clean.copy()
    target[20:23, 20:23, 17] += 15 * SIGMA
    result = denoise_cube(noisy(target), WIENER)
    assert result.unexplained.rare_pixels == 9 and result.unexplained.odd_values == 0
    share = (result.cube - clean)[20:23, 20:23, 17].mean() / (15 * SIGMA)
    assert share == pytest.approx(1, abs=0.1)


def test_little_else_changes_and_the_rest_stays_denoised():
    clean = clean_cube()
    target = clean.copy()
    target[20:22, 30:32] += (12 * SIGMA * LINE).astype(np.float32)
    with_target, without = (denoise_cube(noisy(cube), WIENER) for cube in (target, clean))
    far = np.ones((LINES, SAMPLES), bool)
    far[16:26, 26:36] = False
    scores = [
        mean_peak_signal_noise_ratio(clean[far][:, None], result.cube[far][:, None])
        for result in (with_target, without)
    ]
    assert scores[0] > scores[1] - 0.3


@pytest.mark.parametrize("mode", ["subspace", "bands"])
@pytest.mark.parametrize("lines", [1, 5, 7])
def test_strips_find_what_the_whole_finds(monkeypatch, mode, lines):
    target = clean_cube()
    for line, sample in ((4, 5), (5, 6), (9, 10), (13, 40), (14, 40), (47, 43)):
        target[line, sample] += (12 * SIGMA * LINE).astype(np.float32)
    cube = noisy(target)
    cube[25, 25, 7] += 20 * SIGMA
    whole = denoise_cube(cube, SMOOTH, mode=mode)
    monkeypatch.setattr(cube_lines, "_BLOCK_VALUES", SAMPLES * BANDS * lines)
    parts = denoise_cube(cube, SMOOTH, mode=mode)
    for name in ("pixels", "measured", "faults"):
        np.testing.assert_array_equal(
            getattr(parts.unexplained, name), getattr(whole.unexplained, name)
        )
    np.testing.assert_allclose(parts.cube, whole.cube, atol=1e-5)
    assert parts.unexplained.odd_values == whole.unexplained.odd_values == 1
    assert whole.unexplained.rare_pixels >= 6


def test_the_order_of_the_bands_and_dead_ones_do_not_matter():
    target = clean_cube()
    target[20, 30] += (10 * SIGMA * LINE).astype(np.float32)
    cube = noisy(target)
    cube[:, :, 3] = 7
    nm = 400 + 10.0 * np.arange(BANDS)
    order = np.random.default_rng(0).permutation(BANDS)
    plain = denoise_cube(cube, WIENER, wavelengths=nm)
    mixed = denoise_cube(cube[..., order], WIENER, wavelengths=nm[order])
    assert plain.unexplained.rare_pixels == mixed.unexplained.rare_pixels == 1
    np.testing.assert_allclose(mixed.cube, plain.cube[..., order], atol=1e-5)


def test_windows_equal_a_loop_over_them():
    rng = np.random.default_rng(0)
    sample = rng.standard_normal((400, 11)) * 1.5
    scan = ResidualScan.calibrated(sample, 400)
    assert (scan.inflation > 1.5).all()
    rows = np.concatenate([sample[:20], sample[:20] * 3, rng.standard_normal((5, 11)) * 8])
    slow = [
        any(
            sum(row[first:last] ** 2) > limit
            for first, last, limit in zip(scan.first, scan.last, scan.limits, strict=True)
        )
        for row in rows
    ]
    np.testing.assert_array_equal(scan.exceeds(rows), slow)
    taken = scan.unexplained(rows)
    left = np.where(taken, 0, rows)
    for first, last, limit in zip(scan.first, scan.last, scan.near_limits, strict=True):
        assert ((left[:, first:last] ** 2).sum(1) <= limit).all()


def test_neighbours_are_counted_across_lines_but_not_around_the_edge():
    pixels = np.array([3, 4, 8, 11])
    values = np.array([[1, 0], [1, 0], [1, 1], [0, 1]], bool)
    # 3 ends the first of three lines of four; 4 begins the second.
    counted = neighbours_alike(pixels, values, np.ones(4, bool), (3, 4))
    np.testing.assert_array_equal(counted, [0, 1, 1, 0])
    only = neighbours_alike(pixels, values, np.array([True, False, False, True]), (3, 4))
    np.testing.assert_array_equal(only, [0, 0, 0, 0])


def test_values_stay_in_their_block_and_band():
    kept = np.array([[True, False], [True, True], [False, True]])
    unexplained = Unexplained(np.array([1, 6, 7]), kept, np.array([False, False, True]))
    mask = unexplained.measured_in(1, (1, 4), np.array([0, 2]), 3)
    expected = np.zeros((1, 4, 3), bool)
    expected[0, 2, [0, 2]] = True
    np.testing.assert_array_equal(mask, expected)
    assert (unexplained.rare_pixels, unexplained.odd_values) == (2, 1)
    stay = replace(unexplained, filled=np.array([2 * 4 + 1, 2 * 5]), odd_stay=True)
    expected[0, [0, 1, 3], [2, 0, 2]] = True
    mask = stay.measured_in(1, (1, 4), np.array([0, 2]), 3)
    np.testing.assert_array_equal(mask, expected)
    assert (stay.rare_pixels, stay.odd_values) == (2, 3)


@pytest.mark.parametrize("mode", ["subspace", "bands"])
@pytest.mark.parametrize("seed", [3, 4])
def test_frequent_impulses_go_even_where_they_meet(mode, seed):
    rng = np.random.default_rng(seed)
    clean = clean_cube()
    cube = noisy(clean, seed)
    without = denoise_cube(cube, WIENER, mode=mode)
    struck = rng.random(cube.shape) < 0.01
    ends = np.where(rng.random(cube.shape) < 0.5, clean.min(), clean.max())
    result = denoise_cube(np.where(struck, ends, cube).astype(np.float32), WIENER, mode=mode)
    best, got = (mean_peak_signal_noise_ratio(clean, each.cube) for each in (without, result))
    assert got > best - 0.5
    assert result.unexplained.rare_pixels <= 5
    strong = struck & (np.abs(ends - clean) > 8 * SIGMA)
    assert result.unexplained.odd_values == pytest.approx(strong.sum(), rel=0.15)


@pytest.mark.parametrize("shape", [LINE, BROAD], ids=["line", "broad"])
def test_a_target_among_impulses_stays(shape):
    clean = clean_cube()
    target = clean.copy()
    target[20:23, 30:33] += (12 * SIGMA * shape).astype(np.float32)
    cube = noisy(target)
    rng = np.random.default_rng(5)
    struck = rng.random(cube.shape) < 0.005
    cube[struck] = rng.choice([clean.min(), clean.max()], struck.sum())
    result = denoise_cube(cube, WIENER)
    assert kept_share(result, clean, shape, 12 * SIGMA, np.s_[20:23, 30:33]) > 0.8


def test_strong_faults_leave_the_rest_alone():
    clean = clean_cube()
    cube = noisy(clean)
    plain = denoise_cube(cube, WIENER)
    rng = np.random.default_rng(6)
    places = tuple(rng.integers(0, size, 12) for size in cube.shape)
    cube[places] += SIGMA * rng.uniform(20, 80, 12) * rng.choice([-1, 1], 12)
    result = denoise_cube(cube.astype(np.float32), WIENER, repair=True)
    best, got = (mean_peak_signal_noise_ratio(clean, each.cube) for each in (plain, result))
    assert got > best - 0.1


def test_filled_values_do_not_depend_on_what_stood_there():
    clean = clean_cube()
    struck = noisy(clean)
    rng = np.random.default_rng(0)
    places = rng.random(struck.shape) < 0.004
    results = []
    for value in (40, 60):
        struck[places] = clean[places] + value * SIGMA
        results.append(denoise_cube(struck, WIENER).cube)
    np.testing.assert_allclose(results[0], results[1], atol=SIGMA / 20)
    assert np.abs(results[0] - clean)[places].max() < 4 * SIGMA


def test_faults_are_filled_where_they_are():
    faults = Faults(np.array([2 * 3 + 1, 4 * 3, 4 * 3 + 2]), np.array([1.0, 2, 3]))
    spectra = np.zeros((3, 3), order="F")
    faults.fill(spectra, 2)
    np.testing.assert_array_equal(spectra, [[0, 1, 0], [0, 0, 0], [2, 0, 3]])


def textured(bands):
    """Few bands with edges and small things that all of them see, as scenes have."""
    rng = np.random.default_rng(7)
    fields = ndimage.gaussian_filter(rng.standard_normal((LINES, SAMPLES, 2)), (3, 3, 0)) > 0
    points = ndimage.gaussian_filter((rng.random((LINES, SAMPLES)) < 0.02).astype(float), 0.7)
    maps = np.dstack([fields, points])
    return (maps @ rng.uniform(0.2, 1, (3, bands)) + 0.2).astype(np.float32)


@pytest.mark.parametrize(("bands", "gain"), [(3, 2), (4, 6), (6, 6), (8, 6)])
def test_few_bands_lose_impulses_and_nothing_else(bands, gain):
    clean = textured(bands)
    plain = noisy(clean)
    none = denoise_cube(plain, WIENER)
    assert none.unexplained.odd_values <= 1
    rng = np.random.default_rng(2)
    struck = rng.random(plain.shape) < 0.01
    ends = np.where(rng.random(plain.shape) < 0.5, 0, clean.max())
    cube = np.where(struck, ends, plain).astype(np.float32)
    result = denoise_cube(cube, WIENER)
    noise = mean_peak_signal_noise_ratio(clean, cube)
    assert mean_peak_signal_noise_ratio(clean, result.cube) > noise + gain
    strong = struck & (np.abs(ends - clean) > 20 * SIGMA)
    found = int((np.abs(result.cube - clean)[strong] < 8 * SIGMA).sum())
    assert found > 0.8 * strong.sum()


def test_two_bands_say_too_little_of_each_other_to_name_faults():
    cube = noisy(textured(2))
    assert denoise_cube(cube, WIENER).unexplained.odd_values <= 1


def test_a_target_in_few_bands_stays():
    clean = textured(6)
    target = clean.copy()
    target[20, 30] += 12 * SIGMA
    result = denoise_cube(noisy(target), WIENER)
    assert (result.cube - clean)[20, 30].mean() / (12 * SIGMA) > 0.9


def test_what_accidents_explain_depends_on_their_rate():
    shape = (100, 100, 50)

    def faults(count):
        rng = np.random.default_rng(count)
        flat = np.union1d(rng.choice(400_000, count, replace=False), [450_010, 450_011])
        places = np.stack(np.unravel_index(flat, shape))
        odd = Oddities(places, np.full(len(flat), 20.0), np.zeros(len(flat)))
        return faults_among(odd, shape)[-2:].all()

    assert not faults(20)
    assert faults(4000)
