import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import data as samples

from hsi_suite.errors import ShapeError
from hsi_suite.restoration.noise_kind import find_noise
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


def test_signs_grow_with_the_noise():
    clean = samples.camera().astype(np.float32)
    weak, strong = (noise_signs(with_white(clean, sigma), None) for sigma in (3, 20))
    assert weak.fine < strong.fine and strong.luma_whiteness > 0.8
    assert weak.numbers().shape == strong.numbers().shape
    assert np.isfinite(strong.numbers()).all()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_is_clean(value):
    flat = np.full((64, 64, 3), value, np.float32)
    signs = noise_signs(flat, None)
    assert np.isfinite(signs.numbers()).all()
    assert find_noise(flat).kind in ("clean", "jpeg")


def test_too_small_a_picture_is_refused():
    with pytest.raises((ShapeError, ValueError)):
        noise_signs(np.zeros((4, 4), np.float32), None)
