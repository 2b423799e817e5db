"""What counts as white in photographs, and what that makes of noise and scores."""

import re

import numpy as np
import pytest
import tifffile
from denoiser_samples import box_filter, small_unet
from PIL import Image
from scipy import ndimage

import hsi_suite as hsi
from hsi_suite.data.photographs import Photograph, read_photograph
from hsi_suite.errors import ConfigError, InputFileError, ShapeError
from hsi_suite.tasks.denoising.denoising_options import DenoisingOptions
from hsi_suite.tasks.denoising.photographs.image_denoising import denoise_images
from hsi_suite.tasks.denoising.photographs.white_level import white_level

LINES, SAMPLES = np.mgrid[:96, :110]
CLEAN = ((110 + 70 * np.sin(SAMPLES / 9) + 50 * np.cos(LINES / 13)) / 255).astype(np.float32)
NOISY = (CLEAN + np.random.default_rng(1).normal(0, 25 / 255, CLEAN.shape)).astype(np.float32)
HOT = NOISY.copy()
HOT[3, 5] = 40


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "unet.safetensors"
    small_unet().save(path)
    return str(path)


def write(path, values):
    if path.suffix == ".png":
        Image.fromarray(values).save(path)
    else:
        tifffile.imwrite(path, values, photometric="minisblack", metadata=None)
    return path


def denoised(folder, weights, noisy, clean=None, ending=".tif", **options):
    source = write(folder / "noisy.tif", noisy)
    reference = None if clean is None else write(folder / f"clean{ending}", clean)
    (image,), refused = denoise_images(
        [source],
        folder / "result.tif",
        DenoisingOptions(
            weights=weights, reference=reference, threads=1, device="cpu", overwrite=True, **options
        ),
    )
    assert not refused
    return image, read_photograph(folder / "result.tif").values


def true_ratio(values, clean, white=1.0):
    return 10 * np.log10(white**2 / np.mean((values.astype(float) - clean) ** 2))


@pytest.mark.parametrize("noisy", [NOISY, HOT], ids=["noisy", "a hot pixel"])
def test_floats_are_scored_on_the_scale_0_to_1(tmp_path, weights, noisy):
    image, result = denoised(tmp_path, weights, noisy, CLEAN, sigma=25)
    assert image.before["peak_signal_noise_ratio"] == pytest.approx(
        true_ratio(noisy, CLEAN), abs=1e-3
    )
    assert image.after["peak_signal_noise_ratio"] == pytest.approx(
        true_ratio(result, CLEAN), abs=1e-3
    )


def test_a_hot_pixel_leaves_the_rest_as_it_was(tmp_path, weights):
    _, plain = denoised(tmp_path, weights, NOISY, sigma=25)
    _, hot = denoised(tmp_path, weights, HOT, sigma=25)
    np.testing.assert_allclose(hot[60:, 60:], plain[60:, 60:], atol=1e-5)


@pytest.mark.parametrize("scale", [255, 4095, 1e-3])
def test_a_named_white_gives_the_same_on_every_scale(tmp_path, weights, scale):
    image, result = denoised(tmp_path, weights, NOISY, CLEAN, sigma=25)
    options = {"sigma": 25, "white": float(scale)}
    other, scaled = denoised(tmp_path, weights, NOISY * scale, CLEAN * scale, **options)
    np.testing.assert_allclose(scaled / scale, result, atol=1e-5)
    assert other.after["peak_signal_noise_ratio"] == pytest.approx(
        image.after["peak_signal_noise_ratio"], abs=1e-3
    )


@pytest.mark.parametrize(
    ("noisy", "clean", "ending", "white"),
    [
        (NOISY * 255, np.rint(CLEAN * 255).astype(np.uint8), ".png", 255),
        (NOISY, np.rint(CLEAN * 255).astype(np.uint8), ".png", 1),
        (NOISY * 65535, np.rint(CLEAN * 65535).astype(np.uint16), ".png", 65535),
        (np.rint(NOISY * 255).clip(0, 255).astype(np.uint8), CLEAN, ".tif", 255),
        (NOISY * 800, CLEAN * 800, ".tif", float((CLEAN * 800).max())),
    ],
)
def test_the_reference_fixes_the_scale_of_both(tmp_path, weights, noisy, clean, ending, white):
    image, _ = denoised(tmp_path, weights, noisy, clean, ending, sigma=25)
    assert image.white.value == white and image.white.known
    scaled = clean * white if clean is CLEAN else clean.astype(float)
    scaled = scaled / 255 if white == 1 else scaled
    assert image.before["peak_signal_noise_ratio"] == pytest.approx(
        true_ratio(noisy, scaled, white), abs=1e-2
    )


def test_floats_of_no_scale_are_denoised_in_their_own_units(tmp_path, weights):
    image, result = denoised(tmp_path, weights, NOISY * 300)
    plain, expected = denoised(tmp_path, weights, NOISY)
    assert not image.white.known and plain.white.value == 1
    assert image.sigma * image.white.value == pytest.approx(plain.sigma * 300, rel=1e-3)
    np.testing.assert_allclose(result / 300, expected, atol=1e-4)


@pytest.mark.parametrize("option", ["sigma", "add_noise"])
def test_a_sigma_without_a_scale_is_asked_for(tmp_path, weights, option):
    source = write(tmp_path / "counts.tif", CLEAN * 300)
    options = DenoisingOptions(weights=weights, threads=1, device="cpu", **{option: 25})
    done, refused = denoise_images([source], None, options)
    assert not done and not (tmp_path / "counts_denoised.tif").exists()
    name = option.replace("_", "-")
    with pytest.raises(InputFileError, match=f"floats up to 2.*--{name}.*--white 255"):
        raise refused[source]


def test_whole_numbers_of_12_bits_may_be_named(tmp_path, weights):
    values = np.rint(NOISY.clip(0, 1) * 4095).astype(np.uint16)
    image, result = denoised(tmp_path, weights, values, sigma=25, white=4095.0)
    _, expected = denoised(tmp_path, weights, values / np.float32(4095), sigma=25)
    assert result.dtype == np.uint16 and image.white.value == 4095
    np.testing.assert_allclose(result / 4095, expected.clip(0), atol=2e-4)


def test_dark_floats_are_remarked_on():
    dark = np.full((40, 40), 0.02, np.float32)
    dark[20:] = 0.03
    level = white_level(Photograph(dark), None)
    assert (level.value, level.known) == (1, True) and "reach 0.03" in level.remark
    for values in (dark * 2, np.zeros_like(dark), (dark * 65535 * 3).astype(np.uint16)):
        assert white_level(Photograph(values), None).remark == ""
    # So are whole numbers that may be those of a sensor of fewer bits.
    assert "1966" in white_level(Photograph((dark * 65535).astype(np.uint16)), None).remark
    assert white_level(Photograph(dark), 0.03).remark == ""


def test_the_bits_of_a_file_say_what_is_white(tmp_path):
    assert white_level(Photograph(np.zeros((8, 9), np.uint16), white=4095.0), None).value == 4095


@pytest.mark.parametrize("white", [0.0, -1.0, 1e-300, 1e300, float("inf"), float("nan")])
def test_a_white_that_cannot_be(tmp_path, weights, white):
    with pytest.raises(ConfigError, match="--white"):
        denoised(tmp_path, weights, NOISY, white=white)


def test_biased_networks_see_what_they_learnt(tmp_path, weights, tmp_path_factory):
    """The box filter is linear, so only the scale of σ could differ: values must not."""
    path = tmp_path_factory.mktemp("weights") / "box.safetensors"
    box_filter().save(path)
    _, result = denoised(tmp_path, str(path), CLEAN * 300)
    assert np.abs(result[5:-5, 5:-5] / 300 - CLEAN[5:-5, 5:-5]).max() < 0.1


# (x + offset) × scale: of a negative, of a scale around 0, of a detector's pedestal.
SHIFTS = [(-0.5, 1.0), (-0.5, 2.0), (-1.0, 1.0), (-0.5, 2000.0), (4.5, 2000.0), (60.0, 500.0)]


@pytest.mark.parametrize(("offset", "scale"), SHIFTS)
def test_floats_from_anywhere_come_out_as_those_that_begin_at_0(tmp_path, weights, offset, scale):
    moved = ((NOISY + offset) * scale).astype(np.float32)
    image, result = denoised(tmp_path, weights, moved)
    plain, expected = denoised(tmp_path, weights, NOISY - np.quantile(NOISY, 0.01))
    remark = "no known scale.*--white" if scale > 2 else "reach far below 0.*counts as black"
    assert re.search(remark, image.white.remark) and image.white.known == (scale <= 2)
    sigma = image.sigma / 255 * image.white.value / scale
    assert sigma == pytest.approx(plain.sigma / 255, rel=0.1)
    back = result.astype(np.float64) / scale - offset - np.quantile(NOISY, 0.01)
    assert np.sqrt(np.mean((back - expected) ** 2)) < 0.1 * np.sqrt(np.mean((NOISY - CLEAN) ** 2))


def test_strong_noise_alone_makes_no_pedestal():
    dark = np.random.default_rng(0).normal(0.02, 0.6, (200, 210)).astype(np.float32)
    level = white_level(Photograph(dark), None)
    assert (level.value, level.black, level.known) == (1.0, 0.0, True)
    smooth = ndimage.gaussian_filter(dark, 1.5) * 4  # σ 0.45, alike in neighbouring pixels
    assert white_level(Photograph(smooth + CLEAN.mean()), None).black == 0
    assert white_level(Photograph(np.dstack([dark] * 3)), None).black == 0
    for shape in ((1, 300), (300, 1), (3, 3)):
        assert white_level(Photograph(np.full(shape, -0.5, np.float32)), None).black == -0.5
    for values in (CLEAN, NOISY, NOISY * 300, np.rint(NOISY * 255).clip(0, 255).astype(np.uint8)):
        assert white_level(Photograph(values), None).black == 0


def test_deep_images_on_a_pedestal_are_seen_above_it(tmp_path, weights):
    values = np.rint(40_000 + 2000 * NOISY).astype(np.uint16)
    image, result = denoised(tmp_path, weights, values)
    assert result.dtype == np.uint16 and image.white.value == 65535 and image.white.black > 39_000
    _, expected = denoised(tmp_path, weights, values - np.float32(image.white.black), white=65535.0)
    np.testing.assert_allclose(result, expected + image.white.black, atol=1)
    clean = np.rint(40_000 + 2000 * CLEAN).astype(np.uint16)
    scored, _ = denoised(tmp_path, weights, values, clean)
    assert scored.before["peak_signal_noise_ratio"] == pytest.approx(
        true_ratio(values, clean, 65535), abs=1e-2
    )


def test_arrays_of_no_scale_are_denoised_by_their_range(weights):
    with pytest.warns(UserWarning, match="no known scale"):
        moved = hsi.denoise(NOISY.astype(np.float64) * 4000 - 2000, weights=weights, verbose=0)
    assert moved.dtype == np.float64
    least = np.quantile(NOISY, 0.01)
    plain = hsi.denoise(NOISY - least, weights=weights, verbose=0)
    far = moved / 4000 + 0.5 - least - plain
    assert np.sqrt(np.mean(far**2)) < 0.1 * np.sqrt(np.mean((NOISY - CLEAN) ** 2))
    with pytest.raises(ShapeError, match="numbers from -"):
        hsi.denoise(NOISY * 4000 - 2000, sigma=20, weights=weights)
    # Of a list, or of arithmetic with pixels, comes a type whose largest number is nobody's white.
    pixels = np.rint(NOISY * 255).clip(0, 255).astype(np.uint8)
    expected = hsi.denoise(pixels, sigma=25, weights=weights, verbose=0)
    for wide in (np.int64, np.uint32, np.int16):
        given = pixels.astype(wide)
        found = hsi.denoise(given, sigma=25, white=255, weights=weights, verbose=0)
        assert found.dtype == wide
        assert np.abs(np.clip(found.astype(float), 0, 255) - expected).max() <= 1
        with pytest.raises(ShapeError, match="ame the value that is white"):
            hsi.denoise(given.tolist(), sigma=25, weights=weights)
        with pytest.warns(UserWarning, match="no known scale"):
            assert hsi.denoise(given, weights=weights, verbose=0).max() < 400
    whole = np.rint(NOISY * 20_000 - 10_000).astype(np.int16)
    with pytest.warns(UserWarning, match="counts as black"):
        assert hsi.denoise(whole, weights=weights, verbose=0).min() < -5000
