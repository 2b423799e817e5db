import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import data as samples

from hsi_suite.errors import ShapeError
from hsi_suite.restoration.noise_kind import find_noise, is_white, signs_of
from hsi_suite.restoration.noise_signs import noise_signs


def levels(values):
    return np.rint(values).clip(0, 255).astype(np.float32)


def with_white(image, sigma, seed=0):
    rng = np.random.default_rng(seed)
    return levels(image + rng.normal(0, sigma, image.shape))


def with_coarse(image, sigma):
    """Noise that is alike over some pixels, and in the three colours, as a camera leaves it."""
    noise = np.random.default_rng(0).normal(size=image.shape[:2])
    noise = ndimage.gaussian_filter(noise, 1.0)
    noise *= sigma / noise.std()
    return levels(image + (noise[..., None] if image.ndim == 3 else noise))


def through_jpeg(image, quality):
    buffer = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), np.float32)


def halved():
    """Means of 2 × 2 pixels: the picture itself has some grain."""
    return np.rint(samples.astronaut().reshape(256, 2, 256, 2, 3).mean((1, 3))).astype(np.uint8)


PICTURES = {"colour": halved, "grey": samples.camera}


@pytest.mark.parametrize("picture", PICTURES)
def test_each_kind_is_told(picture):
    clean = PICTURES[picture]().astype(np.float32)
    assert find_noise(clean).kind == "clean"
    assert find_noise(with_coarse(clean, 8)).kind == "camera"
    for quality in (10, 40):
        found = find_noise(through_jpeg(clean, quality))
        assert found.kind == "jpeg" and f"quality {quality}" in found.words
    for sigma in (5, 15, 50):
        assert find_noise(with_white(clean, sigma)).kind == "gaussian"


def test_a_file_may_say_its_quality():
    fine = through_jpeg(samples.astronaut(), 97)
    assert "quality" not in find_noise(fine).words
    assert "quality 97" in find_noise(fine, 97).words


def test_a_file_written_again_is_as_coarse_as_it_was():
    coarse = through_jpeg(halved(), 30)
    assert "quality 30" in find_noise(through_jpeg(coarse, 95), 95).words
    assert "quality 60" in find_noise(through_jpeg(through_jpeg(halved(), 95), 60), 60).words


def test_faults_of_fine_jpeg_are_not_named():
    assert find_noise(through_jpeg(halved(), 97), 97).kind == "clean"
    assert find_noise(through_jpeg(halved(), 85), 85).kind == "jpeg"


@pytest.mark.parametrize("picture", PICTURES)
def test_noise_that_is_hardly_seen_is_left_alone(picture):
    clean = PICTURES[picture]().astype(np.float32)
    assert find_noise(with_white(clean, 1)).kind == "clean"


def test_white_noise_that_texture_hides_in_grey_is_found():
    grass = samples.camera()[256:384, 320:448].astype(np.float32)
    noisy = with_white(grass, 3)
    assert not is_white(signs_of(noisy, None), grey=True)
    assert find_noise(grass).kind == "clean" and find_noise(noisy).kind == "gaussian"


def test_noise_of_one_colour_is_found():
    picture = halved().astype(np.float32)
    picture[..., 2] = with_white(picture[..., 2], 15)
    assert find_noise(picture).kind == "gaussian"


@pytest.mark.parametrize("change", [lambda v: v, lambda v: with_coarse(v, 6)])
def test_grey_in_three_channels_is_grey(change):
    grey = change(samples.camera().astype(np.float32))
    assert find_noise(np.repeat(grey[..., None], 3, 2)) == find_noise(grey)


def test_signs_grow_with_the_noise():
    clean = samples.camera().astype(np.float32)
    weak, strong = (noise_signs(with_white(clean, sigma), None) for sigma in (3, 20))
    assert weak.fine < strong.fine and strong.luma_whiteness > 0.8
    assert weak.numbers().shape == strong.numbers().shape
    assert np.isfinite(strong.numbers()).all()


@pytest.mark.parametrize("bright", [False, True])
@pytest.mark.parametrize("colour", [False, True])
def test_floats_beyond_the_ends_count_and_cut_off_ones_do_not(bright, colour):
    def signs(image):
        return noise_signs(255 - image if bright else image, None)

    image = np.random.default_rng(0).uniform(100, 150, (64, 64, 3)).astype(np.float32)
    image = image if colour else image[..., 0]
    quiet = image[:32] / 100
    image[:32] = 20 + quiet
    expected = signs(image).numbers()
    image[:32] = quiet - 10
    # But for the step between both halves.
    assert signs(image).numbers() == pytest.approx(expected, abs=0.5)
    # Of 16 bits the largest value falls a little short.
    for end in (0.0, 0.0001) if bright else (0.0,):
        image[:32] = end
        assert signs(image).fine == pytest.approx(signs(image[32:]).fine, rel=0.1)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_is_clean(value):
    flat = np.full((64, 64, 3), value, np.float32)
    signs = noise_signs(flat, None)
    assert np.isfinite(signs.numbers()).all()
    assert find_noise(flat).kind in ("clean", "jpeg")


def test_too_small_a_picture_is_refused():
    with pytest.raises(ShapeError, match="16"):
        noise_signs(np.zeros((15, 40), np.float32), None)


def test_usual_test_images_are_clean_until_noise_is_added(data_dir):
    """Set12: half of them are old scans with grain, too weak to be worth any texture."""
    paths = sorted((data_dir / "denoising" / "Set12").glob("*.png"))
    assert len(paths) == 12
    images = [np.asarray(Image.open(path), np.float32) for path in paths]
    assert {find_noise(image).kind for image in images} == {"clean"}
    assert {find_noise(with_white(image, 5)).kind for image in images[:7]} == {"gaussian"}
