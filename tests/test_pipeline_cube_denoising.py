import json
from pathlib import Path

import numpy as np
import pytest
from scipy import io, ndimage, signal

import hsi_suite
from hsi_suite.data.cube_writer import storable, write_cube_like
from hsi_suite.data.formats.cube_file import CubeFile
from hsi_suite.data.noise import add_band_noise, add_gaussian
from hsi_suite.data.readers import open_cube
from hsi_suite.data.scene import Georeference
from hsi_suite.errors import ConfigError, HsiSuiteError, InputFileError, OutputError, ShapeError
from hsi_suite.metrics.restoration import mean_peak_signal_noise_ratio, spectral_angle
from hsi_suite.reports.denoising.page import band_noise_figure, before_after_figure
from hsi_suite.reports.drawing import to_svg
from hsi_suite.restoration import cube_lines
from hsi_suite.restoration.planes import PlaneDenoiser
from hsi_suite.tasks.denoising.cubes.cube_denoising import denoise_cube, restore_lines
from hsi_suite.tasks.denoising.cubes.cube_file_denoising import denoise_cube_file
from hsi_suite.tasks.denoising.cubes.cube_scores import cube_scores

WAVELENGTHS = 400 + 12.5 * np.arange(30)
UTM = Georeference("EPSG:32610", (20.0, 0.0, 500000.0, 0.0, -20.0, 4100000.0))
NODATA = -999.0


def wiener(image, sigma):
    return signal.wiener(image.astype(float), 5, float(sigma[0, 0]) ** 2).astype(np.float32)


WIENER = PlaneDenoiser(wiener)


def clean_cube(lines=40, samples=44, bands=30, seed=0):
    rng = np.random.default_rng(seed)
    maps = ndimage.gaussian_filter(rng.standard_normal((lines, samples, 3)), (3, 3, 0))
    maps = (maps - maps.min((0, 1))) / np.ptp(maps, (0, 1))
    shapes = np.exp(-(((np.arange(bands) / bands - np.array([[0.2], [0.5], [0.8]])) / 0.2) ** 2))
    cube = (maps @ shapes).astype(np.float32)
    return cube / cube.max()


def noisy_cube(low=0.02, high=0.15):
    clean = clean_cube()
    sigma = np.random.default_rng(1).uniform(low, high, 30)
    return clean, add_band_noise(clean, sigma, np.random.default_rng(2)), sigma


def test_eigen_images_beat_single_bands():
    clean, noisy, sigma = noisy_cube()
    before = noisy.copy()
    result = denoise_cube(noisy, WIENER)
    assert np.array_equal(noisy, before)
    assert result.rank == 3 and result.missing_values == 0 and not result.repaired
    np.testing.assert_allclose(result.sigma_per_band, sigma, rtol=0.5)
    by_band = denoise_cube(noisy, WIENER, mode="bands")
    assert by_band.rank is None
    scores = [mean_peak_signal_noise_ratio(clean, c) for c in (noisy, by_band.cube, result.cube)]
    assert scores[1] > scores[0] + 3 and scores[2] > scores[1] + 7
    assert spectral_angle(clean, result.cube) < spectral_angle(clean, noisy) / 5
    again = denoise_cube(noisy, WIENER)
    assert np.array_equal(again.cube, result.cube)


def test_without_the_non_local_step_less_memory_will_do():
    _, noisy, _ = noisy_cube()
    alone = denoise_cube(noisy, WIENER, non_local=False)
    together = denoise_cube(noisy, WIENER)
    assert alone.shares is None and together.shares.shape == (3,)
    assert np.array_equal(alone.cube, together.cube) == (not together.shares.any())
    planes = 4 * 3 * noisy[..., 0].size
    assert denoise_cube(noisy, WIENER, non_local=False, plane_bytes=planes).rank == 3
    assert denoise_cube(noisy, WIENER, mode="bands", plane_bytes=10 * planes).shares is None
    with pytest.raises(
        ConfigError, match=r"non-local step take .* leave that step out with --local"
    ):
        denoise_cube(noisy, WIENER, plane_bytes=planes)
    with pytest.raises(ConfigError) as refused:
        denoise_cube(noisy, WIENER, plane_bytes=planes - 1)
    assert "--local" not in str(refused.value)


def test_a_blind_denoiser_is_kept_from_harm():
    clean, noisy, _ = noisy_cube()

    def blur(image, sigma):
        return ndimage.uniform_filter(image, 9)

    blind = denoise_cube(noisy, PlaneDenoiser(blur, 0.1, takes_noise_map=False))
    told = denoise_cube(noisy, PlaneDenoiser(blur))
    nothing = denoise_cube(noisy, PlaneDenoiser(lambda image, sigma: image))
    scores = [mean_peak_signal_noise_ratio(clean, r.cube) for r in (told, nothing, blind)]
    # Alone it would have been left with; what alike pixels say gives both a part of what is gained.
    assert scores[2] > scores[1] + 0.3 and scores[0] > scores[1]


def test_whitening_brings_what_bands_of_unequal_noise_need():
    clean, noisy, sigma = noisy_cube(0.005, 0.2)
    whitened = denoise_cube(noisy, WIENER, rank=3, sigma=sigma)
    alike = denoise_cube(noisy, WIENER, rank=3, sigma=float(np.sqrt(np.mean(sigma**2))))
    ratio = [mean_peak_signal_noise_ratio(clean, r.cube) for r in (alike, whitened)]
    assert ratio[1] > ratio[0] + 1
    np.testing.assert_allclose(whitened.sigma_per_band, sigma)


@pytest.mark.parametrize("mode", ["subspace", "bands"])
def test_results_follow_the_units_and_the_type(mode):
    _, noisy, _ = noisy_cube()
    unit = denoise_cube(noisy, WIENER, mode=mode)
    scaled = denoise_cube(noisy.astype(np.float64) * 4000 + 100, WIENER, mode=mode)
    assert unit.cube.dtype == np.float32 and scaled.cube.dtype == np.float64
    np.testing.assert_allclose((scaled.cube - 100) / 4000, unit.cube, atol=1e-4)
    np.testing.assert_allclose(scaled.sigma_per_band / 4000, unit.sigma_per_band, rtol=1e-4)


@pytest.mark.parametrize("mode", ["subspace", "bands"])
def test_pixels_that_are_not_valid_have_no_influence(mode):
    _, noisy, _ = noisy_cube()
    valid = np.ones((40, 44), bool)
    valid[:9, :7] = False
    valid[20, 20] = False
    other = noisy.copy()
    other[~valid] = 1e6 * np.random.default_rng(0).random(other[~valid].shape)
    results = [denoise_cube(c, WIENER, mode=mode, valid=valid) for c in (noisy, other)]
    np.testing.assert_array_equal(results[0].cube[valid], results[1].cube[valid])
    np.testing.assert_array_equal(results[1].cube[~valid], other[~valid])
    marked = np.where(valid[..., None], noisy, np.float32(np.nan))
    by_nan = denoise_cube(marked, WIENER, mode=mode)
    np.testing.assert_array_equal(by_nan.cube[valid], results[0].cube[valid])
    assert np.isnan(by_nan.cube[~valid]).all()


@pytest.mark.parametrize("mode", ["subspace", "bands"])
def test_blocks_of_lines_give_what_the_whole_gives(monkeypatch, mode):
    _, noisy, _ = noisy_cube()
    noisy[4, :, 3] = 0
    noisy[:, :, 11] = np.nan
    whole = denoise_cube(noisy, WIENER, mode=mode, repair=True)
    monkeypatch.setattr(cube_lines, "_BLOCK_VALUES", 44 * 30 * 7)
    parts = denoise_cube(noisy, WIENER, mode=mode, repair=True)
    np.testing.assert_allclose(parts.cube, whole.cube, atol=1e-5)
    assert parts.missing_values == whole.missing_values == 44


def test_damage_is_reported_and_replaced_on_request():
    clean, noisy, _ = noisy_cube(0.02, 0.04)
    noisy[:, :, 11] = np.nan
    noisy[:, :, 12] = 0
    noisy[4, :, 3] = 0
    noisy[:, 6, 20] = np.inf
    noisy[30, 30, 25] = np.nan
    left = denoise_cube(noisy, WIENER, wavelengths=WAVELENGTHS)
    assert left.damage.dead_bands == (11, 12)
    assert np.isnan(left.sigma_per_band[[11, 12]]).all()
    assert left.missing_values == 44 + 40 + 1
    touched = np.isnan(noisy) | np.isinf(noisy)
    touched[:, :, 12] = touched[4, :, 3] = True
    np.testing.assert_array_equal(left.cube[touched], noisy[touched])
    repaired = denoise_cube(noisy, WIENER, wavelengths=WAVELENGTHS, repair=True)
    assert repaired.repaired and np.isfinite(repaired.cube).all()
    np.testing.assert_array_equal(repaired.cube[~touched], left.cube[~touched])
    errors = np.abs(repaired.cube - clean)
    assert errors[touched].mean() < 2 * errors[~touched].mean() + 0.01


NOISY = noisy_cube()[1]


def test_an_impossible_rank_is_refused_before_anything_is_read():
    class Unread:
        shape = NOISY.shape

    with pytest.raises(ConfigError, match="rank: 0; expected 1 to 30"):
        restore_lines(Unread(), WIENER, rank=0)


@pytest.mark.parametrize(
    "values, options, kind, words",
    [
        (NOISY, {"sigma": -0.1}, ConfigError, "sigma"),
        (NOISY, {"sigma": np.nan}, ConfigError, "sigma"),
        (NOISY, {"sigma": 0.0}, ConfigError, "sigma"),
        (NOISY, {"sigma": "much"}, ConfigError, "auto"),
        (NOISY, {"sigma": [0.1] * 29}, ShapeError, "one value for each of 30 bands"),
        (NOISY, {"sigma": [0.1] * 29 + [-1]}, ConfigError, "sigma"),
        (NOISY, {"rank": 31}, ConfigError, "1 to 30"),
        (NOISY, {"rank": 0}, ConfigError, "1 to 30"),
        (NOISY, {"mode": "pixels"}, ConfigError, "subspace, robust, bands"),
        (NOISY, {"valid": np.zeros((40, 44), bool)}, InputFileError, "no pixel"),
        (NOISY[:, :, :1], {}, ShapeError, "single band"),
        (NOISY[:5, :5], {}, ShapeError, "25 valid pixels and 30 bands"),
        (NOISY[:5, :5], {"sigma": 0.1}, ShapeError, "more pixels than bands"),
        (np.full((9, 9, 12), 3), {}, InputFileError, "no pixel"),
        (np.full((9, 9, 5), np.nan), {}, InputFileError, "no pixel"),
        (NOISY[:, :, 0], {}, ShapeError, "lines × samples × bands"),
        (NOISY[:0], {}, ShapeError, "lines × samples × bands"),
        (NOISY.astype(np.float64) * 1e300, {}, InputFileError, r"at most 1e\+12"),
    ],
)
def test_bad_input_is_refused_in_words(values, options, kind, words):
    with pytest.raises(kind, match=words):
        denoise_cube(values, WIENER, **options)


def write(path, cube, nodata=None):
    path.parent.mkdir(exist_ok=True)
    names = tuple(f"band {band}" for band in range(cube.shape[2]))
    described = CubeFile(
        path, "ENVI", cube.shape, None, (), WAVELENGTHS, UTM, nodata, names, (20, 10, 5)
    )
    return write_cube_like(path, described, cube.dtype, [cube[:13], cube[13:]])


@pytest.mark.parametrize("ending", [".hdr", ".tif", ".npy"])
@pytest.mark.parametrize("kind", ["int16", "float32", "uint16"])
def test_files_keep_type_and_description(tmp_path, ending, kind):
    _, noisy, _ = noisy_cube()
    cube = (noisy * 3000 + 900).astype(kind)
    nodata = None if kind == "uint16" else NODATA
    if nodata is not None:
        cube[:3, :4] = nodata
    source = tmp_path / "in" / f"scene{'.hdr' if ending == '.npy' else ending}"
    write(source, cube, nodata)
    target = tmp_path / f"out{ending}"
    result = denoise_cube_file(source, target, WIENER, denoiser_name="Wiener")
    assert result.written[0] == target and all(path.is_file() for path in result.written)
    left = {target.name, "out.img", "in"} if ending == ".hdr" else {target.name, "in"}
    assert {path.name for path in tmp_path.iterdir()} == left
    expected = denoise_cube(cube, WIENER, nodata=nodata, wavelengths=WAVELENGTHS).cube
    with open_cube(target) as file:
        values = file.read()
        assert file.dtype == np.dtype(kind)
        if ending != ".npy":
            np.testing.assert_allclose(file.wavelengths, WAVELENGTHS)
            assert file.georeference.transform == UTM.transform
            assert file.nodata == nodata and file.band_names[3] == "band 3"
        if ending == ".hdr":
            assert file.default_bands == (20, 10, 5)
    if kind == "float32":
        np.testing.assert_allclose(values, expected, rtol=1e-6)
    else:
        np.testing.assert_allclose(values, expected, atol=0.501)


def test_gdal_reads_the_tiff(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    cube = (NOISY * 3000).astype(np.int16)
    write(tmp_path / "c.tif", cube, NODATA)
    with rasterio.open(tmp_path / "c.tif") as file:
        np.testing.assert_array_equal(file.read().transpose(1, 2, 0), cube)
        assert file.crs.to_epsg() == 32610 and file.nodata == NODATA
        assert tuple(file.transform)[:6] == UTM.transform
        assert file.descriptions[2] == "band 2"
        assert file.tags(3)["WAVELENGTH"] == "425"


def test_whole_numbers_stay_in_their_range_and_off_nodata(tmp_path):
    cube = np.random.default_rng(0).integers(0, 2, (40, 44, 30)).astype(np.uint8) * 2
    cube[:5] = 1
    write(tmp_path / "in.hdr", cube, 1.0)
    denoise_cube_file(
        tmp_path / "in.hdr", tmp_path / "o.hdr", WIENER, denoiser_name="", sigma=0.8, repair=True
    )
    with open_cube(tmp_path / "o.hdr") as file:
        values = file.read()
    assert (values[:5] == 1).all() and not (values[5:] == 1).any()


def test_types_that_formats_lack():
    assert storable(np.dtype(np.int8), ".hdr") == np.int16
    assert storable(np.dtype(np.int8), ".tif") == np.int8
    assert storable(np.dtype(np.float16), ".TIF") == np.float32
    assert storable(np.dtype(np.float16), ".npy") == np.float16
    assert storable(np.dtype(np.uint16), ".hdr") == np.uint16


def test_reference_and_report(tmp_path):
    clean, noisy, _ = noisy_cube()
    noisy[:, :, 11] = np.nan
    name = "a<script>$x$.mat"
    io.savemat(tmp_path / name, {"cube": noisy})
    np.save(tmp_path / "clean.npy", clean)
    results = [
        denoise_cube_file(
            tmp_path / name,
            tmp_path / "out.npy",
            WIENER,
            denoiser_name="Wiener <5>",
            repair=repair,
            reference=tmp_path / "clean.npy",
            report=tmp_path / "page.html",
        )
        for repair in (False, True)
    ]
    result = results[1]
    assert result.written == (tmp_path / "out.npy", tmp_path / "page.html")
    restored = np.load(tmp_path / "out.npy")
    scores = result.scores["denoised"]
    assert scores["mean_peak_signal_noise_ratio"] == pytest.approx(
        mean_peak_signal_noise_ratio(clean, restored, float(clean.max()))
    )
    assert scores["spectral_angle"] == pytest.approx(spectral_angle(clean, restored))
    assert 0.9 < scores["mean_structural_similarity"] < 1
    assert result.scores["noisy"]["mean_peak_signal_noise_ratio"] < 25
    json.dumps(result.scores, allow_nan=False)
    page = (tmp_path / "page.html").read_text()
    assert page.lstrip().startswith("<!DOCTYPE html>")
    assert "<script" not in page and "a&lt;script&gt;$x$.mat" in page
    assert "Wiener &lt;5&gt;" in page and "1 (12), replaced" in page
    assert f"{scores['mean_peak_signal_noise_ratio']:.2f}" in page


def test_scores_leave_out_what_is_missing():
    clean = clean_cube()
    cube = add_gaussian(clean, 0.1, np.random.default_rng(0))
    valid = np.ones((40, 44), bool)
    valid[:, :20] = False
    other = cube.copy()
    other[~valid] = 50
    assert cube_scores(clean, other, valid) == cube_scores(clean, cube, valid)
    expected = mean_peak_signal_noise_ratio(clean[:, 20:], cube[:, 20:], float(clean[valid].max()))
    found = cube_scores(clean, other, valid)["mean_peak_signal_noise_ratio"]
    assert found == pytest.approx(expected)
    other[5, 30, 3] = np.nan
    other[:, :, 7] = np.nan
    assert np.isfinite(list(cube_scores(clean, other, valid).values())).all()
    small = cube_scores(clean[:8], cube[:8], valid[:8])
    assert small["mean_structural_similarity"] is None
    with pytest.raises(InputFileError, match="no value above 0"):
        cube_scores(-clean, cube, valid)


def test_bad_files_leave_nothing_behind(tmp_path):
    write(tmp_path / "in" / "scene.hdr", NOISY)
    np.save(tmp_path / "in" / "flat.npy", np.zeros((20, 20, 5)))
    np.save(tmp_path / "in" / "small.npy", NOISY[:30])
    (tmp_path / "in" / "broken.npy").write_bytes(b"\x93NUMPY")
    scene, out = tmp_path / "in" / "scene.hdr", tmp_path / "out.hdr"
    cases = [
        (scene, scene, {}, OutputError, "no input is overwritten"),
        (scene.with_suffix(".img"), scene, {}, OutputError, "no input is overwritten"),
        (scene, tmp_path / "out.jpg", {}, OutputError, "names no format"),
        (scene, tmp_path / "in", {}, OutputError, "folder"),
        (scene, out, {"report": tmp_path / "page.txt"}, OutputError, "page"),
        (scene, out, {"reference": tmp_path / "in" / "small.npy"}, InputFileError, "30 × 44 × 30"),
        (scene, out, {"rank": 99}, ConfigError, "rank"),
        (scene, out, {"sigma": -1.0}, ConfigError, "sigma"),
        (tmp_path / "in" / "flat.npy", out, {}, InputFileError, "flat.npy: no pixel"),
        (tmp_path / "in" / "broken.npy", out, {}, InputFileError, "broken.npy"),
        (tmp_path / "in" / "none.npy", out, {}, InputFileError, "none.npy"),
    ]
    for path, target, options, kind, words in cases:
        with pytest.raises(kind, match=words):
            denoise_cube_file(path, target, WIENER, denoiser_name="", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_failure_while_writing_leaves_nothing_behind(tmp_path):
    def blocks():
        yield NOISY[:10]
        raise InputFileError("scene", "became shorter")

    for ending in (".hdr", ".tif", ".npy"):
        described = CubeFile(Path("x"), "ENVI", NOISY.shape, None, ())
        with pytest.raises(HsiSuiteError):
            write_cube_like(tmp_path / f"c{ending}", described, NOISY.dtype, blocks())
    assert not list(tmp_path.iterdir())


def test_figures_repeat_and_bear_dead_bands():
    sigma = np.array([0.1, np.nan, 0.3])
    assert to_svg(band_noise_figure(sigma)) == to_svg(band_noise_figure(sigma))
    labels = [text.get_text() for text in band_noise_figure(sigma).legends[0].get_texts()]
    assert labels == ["noise of a band", "dead band"]
    assert not band_noise_figure(sigma[[0, 2]], np.array([400.0, 500.0])).legends
    picture = np.random.default_rng(0).random((30, 50, 3))
    picture[:5] = np.nan
    panels = before_after_figure(picture, picture * 0.5).axes
    assert [axes.get_title() for axes in panels] == ["before", "after"]


@pytest.mark.data
@pytest.mark.usefixtures("data_dir")
def test_jasper_ridge():
    clean = hsi_suite.load_dataset("jasper_ridge").cube.astype(np.float32)
    clean /= clean.max()
    noisy = add_gaussian(clean, 0.05, np.random.default_rng(0))
    result = denoise_cube(noisy, WIENER)
    assert 7 <= result.rank <= 10
    assert np.median(result.sigma_per_band) == pytest.approx(0.05, rel=0.03)
    assert mean_peak_signal_noise_ratio(clean, result.cube) > 40.5
