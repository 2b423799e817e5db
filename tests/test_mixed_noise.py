"""Mode "robust" of the denoising of cubes, and each of its parts against a slow twin."""

import numpy as np
import pytest
from scipy import ndimage, signal

import hsi_suite
from hsi_suite.data.noise import add_band_noise, add_gaussian
from hsi_suite.data.noise_cases import CASES, TYPICAL_SIGMA, add_noise_case
from hsi_suite.errors import ShapeError
from hsi_suite.metrics.restoration import mean_peak_signal_noise_ratio
from hsi_suite.restoration import cube_lines, faults
from hsi_suite.restoration.accidents import LEAST, Oddities, faults_among, surely_odd
from hsi_suite.restoration.band_noise import band_moments
from hsi_suite.restoration.cube_lines import ArrayLines
from hsi_suite.restoration.damage import find_damage
from hsi_suite.restoration.faults import noise_of_filled, predicted
from hsi_suite.restoration.impulses import impulses_among
from hsi_suite.restoration.planes import PlaneDenoiser
from hsi_suite.restoration.stripes import StripeSums
from hsi_suite.restoration.stuck_values import find_stuck
from hsi_suite.restoration.subspace import fit_subspace
from hsi_suite.tasks.denoising.cubes.cube_denoising import denoise_cube
from hsi_suite.tasks.denoising.cubes.cube_report import repairs_rows

SIGMA = 0.02
LINES, SAMPLES, BANDS = 60, 56, 40


def wiener(image, sigma):
    return signal.wiener(image.astype(float), 5, float(sigma[0, 0]) ** 2).astype(np.float32)


WIENER = PlaneDenoiser(wiener)


def clean_cube():
    rng = np.random.default_rng(0)
    maps = ndimage.gaussian_filter(rng.standard_normal((LINES, SAMPLES, 3)), (4, 4, 0))
    maps = (maps - maps.min((0, 1))) / np.ptp(maps, (0, 1))
    shapes = np.exp(-(((np.arange(BANDS) / BANDS - np.array([[0.2], [0.5], [0.8]])) / 0.2) ** 2))
    cube = (0.1 + maps @ shapes).astype(np.float32)
    return cube / cube.max()


CLEAN = clean_cube()


def noisy(seed=1):
    return add_gaussian(CLEAN, SIGMA, np.random.default_rng(seed))


def score(result):
    return mean_peak_signal_noise_ratio(CLEAN, result.cube)


def subspace_and_holes(seed=3, rank=3):
    rng = np.random.default_rng(seed)
    spectra = noisy().reshape(-1, BANDS).astype(float)
    subspace = fit_subspace(band_moments([spectra]), np.full(BANDS, SIGMA), rank)
    without = rng.random((50, BANDS)) < rng.uniform(0, 0.6, (50, 1))
    without[:5] = False
    return subspace, subspace.whiten(spectra[:50]), without


# Parts


def test_predictions_are_those_of_one_least_squares_fit_for_each_pixel(monkeypatch):
    subspace, whitened, without = subspace_and_holes()
    prior = np.diag(1 / (subspace.variances[:3] - 1))
    slow = np.empty_like(whitened)
    for pixel, holes in enumerate(without):
        left = subspace.directions[~holes]
        fit = np.linalg.solve(left.T @ left + prior, left.T @ whitened[pixel, ~holes])
        slow[pixel] = subspace.directions @ fit
    np.testing.assert_allclose(predicted(subspace, whitened, without), slow, atol=1e-9)
    monkeypatch.setattr(faults, "_CHUNK", 7)
    np.testing.assert_allclose(predicted(subspace, whitened, without), slow, atol=1e-9)


def test_the_noise_of_filled_spectra_is_that_of_the_linear_map_they_went_through():
    subspace, _, without = subspace_and_holes()
    variance = noise_of_filled(subspace, without)
    assert (variance[:5] == 1).all() and variance[without.sum(1) > 12].max() > 1.2
    for pixel, holes in enumerate(without):
        units = np.eye(BANDS)
        filled = (
            np.where(holes, predicted(subspace, units, np.tile(holes, (BANDS, 1))), units)
            @ subspace.directions
        )
        # Each observed value brings noise of 1; the others bring none.
        np.testing.assert_allclose(variance[pixel], np.square(filled[~holes]).sum(0), atol=1e-9)


@pytest.mark.parametrize("along_lines", [False, True])
def test_stripes_are_means_of_columns_whatever_the_blocks(along_lines):
    rng = np.random.default_rng(5)
    rest = rng.standard_normal((64, 48, 6))
    usable = rng.random(rest.shape) > 0.1
    true = np.zeros((64 if along_lines else 48, 6))
    true[[3, 20, 21], [1, 1, 4]] = (2.0, -1.5, 1.2)
    rest += true[:, None] if along_lines else true
    rest[~usable] = 0
    found = []
    for cuts in ([64], [1, 18, 19, 40, 64]):
        sums = StripeSums(rest.shape, along_lines=along_lines)
        for first, last in zip([0, *cuts[:-1]], cuts, strict=True):
            sums.add(rest[first:last], usable[first:last], first)
        found.append(sums.offsets(np.zeros_like(true)))
    np.testing.assert_allclose(found[0], found[1], atol=1e-12)
    assert np.array_equal(found[0] != 0, true != 0)
    turned = np.where(usable, rest, np.nan)
    means = np.nanmean(turned, 1 if along_lines else 0)
    means -= np.median(means, 0)
    np.testing.assert_allclose(found[0][true != 0], means[true != 0], atol=1e-12)
    # What was taken off before counts.
    np.testing.assert_allclose(sums.offsets(true)[true != 0], (means + true)[true != 0], atol=1e-12)


def test_what_runs_through_a_part_of_the_scene_is_no_stripe():
    rest = np.random.default_rng(6).standard_normal((80, 30, 4))
    rest[:40, 7, 2] += 3
    sums = StripeSums(rest.shape)
    sums.add(rest, np.ones(rest.shape, bool), 0)
    assert not sums.offsets(np.zeros((30, 4))).any()
    short = StripeSums((12, 30, 4))
    short.add(rest[:12] + 9, np.ones((12, 30, 4), bool), 0)
    assert not short.offsets(np.zeros((30, 4))).any()


def stuck_of(cube):
    lines = ArrayLines(cube)
    return find_stuck(lines, find_damage(lines)).values


def test_scattered_values_that_repeat_are_stuck():
    cube = noisy()
    rng = np.random.default_rng(7)
    for band, share in ((3, 0.02), (9, 0.4)):
        struck = rng.random((LINES, SAMPLES)) < share
        cube[struck, band] = rng.choice(np.float32([0, 1]), int(struck.sum()))
    found = stuck_of(cube)
    assert [band for band, values in enumerate(found) if len(values)] == [3, 9]
    assert found[3].tolist() == found[9].tolist() == [0, 1]


def test_areas_combs_and_few_values_are_not_stuck():
    cube = noisy()
    # Deep shadow, or a saturated roof.
    cube[10:30, 10:30, 4] = 0
    # Counts that calibration spreads: every eighth value comes often.
    whole = np.rint(cube * 4000).astype(np.uint16)
    whole[..., 6] = np.rint(cube[..., 6] * 500) * 8
    whole[..., 7] = np.rint(cube[..., 7] * 10)
    assert not any(len(values) for values in stuck_of(cube))
    assert not any(len(values) for values in stuck_of(whole))


SHAPE = (50, 40, 30)


def oddities(size):
    size = np.where(np.abs(size) > LEAST, size, 0)
    places = np.stack(np.nonzero(size))
    full = np.pad(np.zeros(SHAPE), ((0, 0), (0, 0), (1, 1)))
    full[..., 1:-1] = size
    line, sample, band = places
    wings = (full[line, sample, band] + full[line, sample, band + 2]) / np.sqrt(2)
    return Oddities(places, size[line, sample, band], wings), places


def test_impulses_of_bands_that_are_struck_often_are_found():
    rng = np.random.default_rng(8)
    size = rng.standard_normal(SHAPE)
    struck = np.zeros(SHAPE, bool)
    # Two of the bands are neighbours.
    for band, share in ((4, 0.2), (5, 0.3), (20, 0.1)):
        struck[..., band] = rng.random(SHAPE[:2]) < share
    size[struck] = rng.uniform(-30, 30, int(struck.sum()))
    odd, places = oddities(size)
    faulty = np.zeros(SHAPE, bool)
    faulty[tuple(places[:, impulses_among(odd, SHAPE)])] = True
    clear = struck & (np.abs(size) > surely_odd(np.prod(SHAPE)))
    assert faulty[clear].mean() > 0.97
    assert faulty[struck & (np.abs(size) > 4)].mean() > 0.95
    assert faulty[~struck].sum() <= 20


def test_signals_and_noise_are_no_impulses():
    rng = np.random.default_rng(9)
    size = rng.standard_normal(SHAPE)
    odd, _ = oddities(size)
    assert impulses_among(odd, SHAPE).sum() <= 1
    # A line of three bands in single pixels, an object in one band, and a whole strange pixel.
    for line, sample in ((5, 5), (20, 30), (40, 11)):
        size[line, sample, 13:16] = (7, 15, 7)
    size[30:33, 20:23, 8] = 12
    size[10, 10] = 10 * rng.choice([-1, 1], SHAPE[2])
    struck = rng.random(SHAPE[:2]) < 0.1
    size[struck, 25] = rng.uniform(-30, 30, int(struck.sum()))
    odd, places = oddities(size)
    faulty = np.zeros(SHAPE, bool)
    faulty[tuple(places[:, impulses_among(odd, SHAPE)])] = True
    assert not faulty[[5, 20, 40], [5, 30, 11]].any()
    assert not faulty[30:33, 20:23, 8].any() and not faulty[10, 10].any()
    assert faulty[struck & (np.abs(size[..., 25]) > 8), 25].mean() > 0.9


def test_many_odd_values_that_lie_together_are_no_impulses():
    rng = np.random.default_rng(10)
    size = rng.standard_normal(SHAPE)
    # Texture that other bands do not explain.
    size[..., 12] = 6 * ndimage.gaussian_filter(rng.standard_normal(SHAPE[:2]), 1.5) / 0.19
    odd, places = oddities(size)
    assert (np.abs(size[..., 12]) > 7).mean() > 0.05
    there = places[2] == 12
    found = impulses_among(odd, SHAPE)
    assert found[there].mean() < 0.1 and np.array_equal(found, faults_among(odd, SHAPE))


# The whole


@pytest.mark.parametrize("case", CASES)
def test_each_case_comes_out_nearly_as_well_as_noise_alone(case):
    noise = [
        add_noise_case(CLEAN, each, SIGMA, np.random.default_rng(2)) for each in ("case1", case)
    ]
    alone, mixed = (denoise_cube(cube, WIENER, mode="robust") for cube in noise)
    today = denoise_cube(noise[1], WIENER, repair=True)
    assert mixed.repaired
    assert score(mixed) > score(alone) - 1.5
    if case == "case1":
        np.testing.assert_array_equal(mixed.cube, today.cube)
        assert repairs_rows(mixed.repairs) == ()
    else:
        # Dead lines are found and filled by both.
        assert score(mixed) > score(today) + (0.2 if case == "case3" else 2)
    if case == "case5":
        words = dict(repairs_rows(mixed.repairs))
        assert words["stuck values"].endswith("bands, replaced")
        assert words["stripes, columns of single bands"].endswith("taken off")


def test_impulses_of_any_value_are_filled():
    cube = noisy()
    rng = np.random.default_rng(11)
    for band in rng.choice(BANDS, 13, replace=False):
        struck = rng.random((LINES, SAMPLES)) < rng.uniform(0.1, 0.3)
        cube[struck, band] = rng.random(int(struck.sum()))
    robust, today = (
        denoise_cube(cube, WIENER, mode="robust"),
        denoise_cube(cube, WIENER, repair=True),
    )
    alone = denoise_cube(noisy(), WIENER)
    assert score(robust) > score(today) + 3 and score(robust) > score(alone) - 4


@pytest.mark.parametrize("across", [False, True])
def test_stripes_are_taken_off_as_they_were_put_on(across):
    cube = noisy()
    offsets = np.zeros((LINES if across else SAMPLES, BANDS), np.float32)
    offsets[[4, 5, 30, 31], [7, 7, 20, 33]] = (4 * SIGMA, 3 * SIGMA, -6 * SIGMA, 2 * SIGMA)
    cube = cube + (offsets[:, None] if across else offsets)
    result = denoise_cube(cube, WIENER, mode="robust")
    found, none = result.repairs.lines, result.repairs.columns
    if not across:
        found, none = none, found
    assert np.array_equal(found != 0, offsets != 0) and not none.any()
    np.testing.assert_allclose(found, offsets, atol=SIGMA / 2)


def test_blocks_of_lines_give_what_the_whole_gives(monkeypatch):
    cube = add_noise_case(CLEAN, "case5", SIGMA, np.random.default_rng(3))
    cube[7, 9, 3:6] = np.nan
    whole = denoise_cube(cube, WIENER, mode="robust")
    monkeypatch.setattr(cube_lines, "_BLOCK_VALUES", SAMPLES * BANDS * 7)
    parts = denoise_cube(cube, WIENER, mode="robust")
    np.testing.assert_allclose(parts.cube, whole.cube, atol=1e-5)
    assert np.array_equal(parts.repairs.odd, whole.repairs.odd)
    assert parts.repairs.stuck_values == whole.repairs.stuck_values
    assert parts.missing_values == whole.missing_values > 3


def test_missing_values_and_dead_bands_are_filled():
    cube = noisy()
    rng = np.random.default_rng(12)
    cube[rng.random(cube.shape) < 0.05] = np.nan
    cube[..., 17] = 5
    cube[3, 3] = np.nan
    result = denoise_cube(cube, WIENER, mode="robust")
    kept = np.ones((LINES, SAMPLES), bool)
    kept[3, 3] = False
    assert np.isfinite(result.cube[kept]).all() and np.isnan(result.cube[3, 3]).all()
    assert result.damage.dead_bands == (17,)
    assert (
        np.abs(result.cube - CLEAN)[kept].mean()
        < 1.2 * np.abs(denoise_cube(noisy(), WIENER).cube - CLEAN).mean()
    )


def test_strength_holds_back_the_denoising_and_not_the_repair():
    cube = noisy()
    cube[:, 8, 5] += 5 * SIGMA
    rng = np.random.default_rng(13)
    struck = rng.random((LINES, SAMPLES)) < 0.05
    cube[struck, 20] = 0
    none = denoise_cube(cube, WIENER, mode="robust", strength=0.0)
    expected = cube.copy()
    expected[..., :] -= none.repairs.columns.astype(np.float32)
    np.testing.assert_allclose(none.cube[~struck], expected[~struck], atol=1e-5)
    assert np.abs(none.cube[struck, 20] - CLEAN[struck, 20]).max() < 5 * SIGMA


def test_whole_numbers_that_saturate_keep_their_type_and_range():
    top = 4095
    scaled = np.clip(np.rint(noisy() * 5000), 0, top).astype(np.uint16)
    struck = np.random.default_rng(14).random((LINES, SAMPLES)) < 0.1
    scaled[struck, 12] = 65535
    result = denoise_cube(scaled, WIENER, mode="robust")
    assert [len(values) for values in result.repairs.stuck.values][12] == 1
    error = np.abs(result.cube[struck, 12] / 5000 - np.minimum(CLEAN[struck, 12], top / 5000))
    assert error.max() < 4 * SIGMA


def test_marked_pixels_have_no_influence():
    cube = add_noise_case(CLEAN, "case5", SIGMA, np.random.default_rng(4))
    valid = np.ones((LINES, SAMPLES), bool)
    valid[:9, :7] = valid[20, 20] = False
    other = cube.copy()
    other[~valid] = 1e6 * np.random.default_rng(0).random(other[~valid].shape)
    results = [denoise_cube(c, WIENER, mode="robust", valid=valid) for c in (cube, other)]
    np.testing.assert_array_equal(results[0].cube[valid], results[1].cube[valid])
    np.testing.assert_array_equal(results[1].cube[~valid], other[~valid])


def test_a_target_stays():
    target = CLEAN.copy()
    shape = np.exp(-(((np.arange(BANDS) - 25.3) / 1.5) ** 2))
    target[20, 30] += (12 * SIGMA * shape).astype(np.float32)
    cube = add_noise_case(target, "case3", SIGMA, np.random.default_rng(5))
    result = denoise_cube(cube, WIENER, mode="robust")
    left = (result.cube - CLEAN)[20, 30] @ shape / (shape @ shape) / (12 * SIGMA)
    assert left > 0.75 and result.unexplained.rare_pixels >= 1


def test_given_noise_is_taken():
    sigma = np.random.default_rng(6).uniform(0.01, 0.05, BANDS)
    cube = add_band_noise(CLEAN, sigma, np.random.default_rng(7))
    cube[:, 5, ::3] = 0
    result = denoise_cube(cube, WIENER, mode="robust", sigma=sigma)
    np.testing.assert_array_equal(result.sigma_per_band, sigma)
    # Estimated, the noise is that of the values that are there.
    guessed = denoise_cube(cube, WIENER, mode="robust")
    np.testing.assert_allclose(guessed.sigma_per_band, sigma, rtol=0.2)


@pytest.mark.parametrize(
    ("cube", "kind", "words"),
    [
        (noisy()[..., :9], ShapeError, "9 bands in use.*at least 10"),
        (noisy()[..., :1], ShapeError, "single band"),
        (noisy()[:3, :3], ShapeError, "9 valid pixels and 40 bands"),
    ],
)
def test_cubes_that_are_too_small_are_refused_in_one_line(cube, kind, words):
    with pytest.raises(kind, match=words) as caught:
        denoise_cube(cube, WIENER, mode="robust")
    assert "\n" not in str(caught.value)


@pytest.mark.data
@pytest.mark.usefixtures("data_dir")
def test_jasper_ridge():
    clean = hsi_suite.load_dataset("jasper_ridge").cube[30:70, 30:70].astype(np.float32)
    clean /= clean.max()
    cube = add_noise_case(clean, "case5", TYPICAL_SIGMA, np.random.default_rng(0))
    today, robust = (
        mean_peak_signal_noise_ratio(clean, denoise_cube(cube, WIENER, **how).cube)
        for how in ({"repair": True}, {"mode": "robust"})
    )
    assert robust > today + 4
