"""σ estimated from photographs: texture, small images, camera noise, clean images, every depth."""

import numpy as np
import pytest
import torch
from denoiser_samples import box_filter, small_unet
from PIL import Image
from scipy.ndimage import convolve, gaussian_filter
from skimage import data as samples

from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ShapeError
from hsi_suite.metrics.restoration import peak_signal_noise_ratio
from hsi_suite.tasks.denoising.denoising_options import DenoisingOptions
from hsi_suite.tasks.denoising.image_restoration import image_noise
from hsi_suite.tasks.denoising.photographs.image_denoising import denoise_images
from hsi_suite.tasks.denoising.photographs.image_samples import flat_regions
from hsi_suite.tasks.denoising.photographs.noise_estimation import estimate_image_noise
from hsi_suite.tasks.denoising.weights import load_weights

# Parts large enough for one sample.
GRASS = samples.grass()[:96, :96].astype(np.float32) / 255
GRAVEL = samples.gravel()[:96, :96].astype(np.float32) / 255
FUR = samples.chelsea()[60:156, 100:196].mean(2, dtype=np.float32) / 255
CAMERA = samples.camera()[120:216, 180:276].astype(np.float32) / 255
# Large enough for two scales.
FACE = samples.astronaut()[:128, 130:258].astype(np.float32) / 255


@pytest.fixture(scope="module")
def shipped():
    return load_weights(None, torch.device("cpu"))


def noisy(clean, sigma, seed=0):
    draws = np.random.default_rng(seed).standard_normal(clean.shape, np.float32)
    return (clean + sigma / 255 * draws).astype(np.float32)


def estimated(image, white=1.0):
    return 255 * image_noise(estimate_image_noise(image, white, small_unet()).sigmas)


def gain(denoiser, clean, seen, sigma):
    with torch.inference_mode():
        given = torch.from_numpy(seen)[None, None]
        better = denoiser(given, sigma / 255)[0, 0].numpy()
    return peak_signal_noise_ratio(clean, better) - peak_signal_noise_ratio(clean, seen)


@pytest.mark.parametrize(
    ("clean", "sigma", "within"), [(GRASS[:64, :64], 15, 0.15), (GRAVEL, 5, 0.25), (FUR, 3, 0.25)]
)
def test_texture_is_not_taken_for_noise(shipped, clean, sigma, within):
    seen = noisy(clean, sigma)
    found = estimated(seen)
    assert found == pytest.approx(sigma, rel=within)
    assert gain(shipped, clean, seen, found) > -0.1


def test_texture_that_noise_cannot_be_told_from_is_said():
    (remark,) = estimate_image_noise(noisy(GRASS, 5), 1.0, small_unet()).remarks
    assert "fine texture and noise look alike" in remark and remark.endswith("a lower --sigma")
    assert not estimate_image_noise(noisy(CAMERA, 5), 1.0, small_unet()).remarks


@pytest.mark.parametrize("size", [(8, 8), (12, 12), (16, 40), (48, 48)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_noise_of_small_images_is_told_and_their_smallness_said(size, channels):
    grey = np.full(size if channels == 1 else (*size, 3), 0.5, np.float32)
    noise = estimate_image_noise(noisy(grey, 20), 1.0, small_unet())
    # 64 values leave their own standard deviation open by 9 %.
    assert 255 * image_noise(noise.sigmas) == pytest.approx(20, rel=0.25 if size[0] < 16 else 0.1)
    said = any("few to estimate the noise from" in line for line in noise.remarks)
    assert said == (min(size) < 32)


def test_an_image_too_small_is_refused():
    with pytest.raises(ShapeError, match="7 × 30 pixels"):
        estimate_image_noise(np.zeros((30, 7), np.float32), 1.0, small_unet())


def test_a_clean_photograph_is_hardly_touched():
    for clean in (FUR, CAMERA):
        assert estimated(clean) < 2.3


@pytest.mark.parametrize(
    ("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 4000)]
)
def test_every_depth_is_told_alike(dtype, white):
    seen = (noisy(CAMERA, 12) * white).clip(0, white)
    image = seen.round().astype(dtype) if white > 1 else seen
    assert estimated(image, white) == pytest.approx(12, rel=0.1)


def test_clipped_pixels_are_left_out():
    dark = np.zeros((128, 256))
    dark[:, 100:] = 90
    seen = dark + np.random.default_rng(0).normal(0, 20, dark.shape)
    assert estimated(seen.clip(0, 255).astype(np.uint8), 255) == pytest.approx(20, rel=0.08)
    assert estimated(np.zeros((64, 64), np.uint8), 255) < 0.5


def developed(clean, gain, seed=0):
    """What a camera makes of a scene: photons on a Bayer pattern, interpolated, with a gamma."""
    mosaic = np.zeros(clean.shape)
    for (line, sample), channel in zip(np.ndindex(2, 2), (0, 1, 1, 2), strict=True):
        mosaic[line::2, sample::2, channel] = 1
    light = (clean.astype(float) ** 2.2 * mosaic).sum(2)
    draws = np.random.default_rng(seed).standard_normal(light.shape)
    light += np.sqrt(gain * light + (gain > 0) * 1e-4) * draws
    cross, square = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]), np.outer([1, 2, 1], [1, 2, 1])
    planes = [
        convolve(light * mosaic[..., channel], kernel / 4, mode="mirror")
        for channel, kernel in enumerate((square, cross, square))
    ]
    return np.rint(255 * np.stack(planes, 2).clip(0, 1) ** (1 / 2.2)).astype(np.uint8)


def smoothed(clean, strength, reach, seed=0):
    """Weak noise as noise reduction leaves it: alike in neighbours, less of it in the dark."""
    draws = np.random.default_rng(seed).standard_normal((*clean.shape[:2], 1))
    noise = gaussian_filter(draws, (reach, reach, 0))
    noise *= strength / 255 / noise.std() * (0.5 + clean.mean(2, keepdims=True))
    return np.rint(255 * (clean + noise).clip(0, 1)).astype(np.uint8)


SCENE = developed(FACE, 0).astype(np.float32) / 255
SKY = samples.rocket()[60:188, 250:378].astype(np.float32) / 255


@pytest.mark.parametrize(
    ("clean", "seen", "least"),
    [
        (SCENE, developed(FACE, 0.01), 2.5),
        (SCENE, smoothed(SCENE, 6, 1.0), 0.7),
        (SKY, smoothed(SKY, 6, 1.6), 1.0),
    ],
)
def test_camera_noise_is_told_where_it_is_and_said(shipped, clean, seen, least):
    noise = estimate_image_noise(seen, 255, shipped)
    grey, truth = (image.mean(2, dtype=np.float32) for image in (seen / np.float32(255), clean))
    strength = 255 * float(np.std(grey - truth))
    # A denoiser of white noise must be estimated more than the strength of noise that reaches far.
    assert 0.5 * strength < 255 * noise.sigmas[0] < 1.9 * strength
    (line,) = (line for line in noise.remarks if "neighbouring pixels" in line)
    assert line.endswith("--noise camera may do better")
    assert gain(shipped, truth, grey, noise.sigmas[0] * 255) > least


def test_a_clean_camera_picture_is_left_alone(shipped):
    quiet = estimate_image_noise(developed(FACE, 0), 255, shipped)
    (remark,) = quiet.remarks
    assert 255 * quiet.sigmas[0] < 1.5 and remark.startswith("hardly any noise is found")


@pytest.mark.parametrize("image", [noisy(gaussian_filter(GRASS, 0.7), 3), noisy(GRASS, 5)])
def test_white_noise_and_texture_are_not_taken_for_correlated_noise(image):
    large = np.tile(image[:64, :64], (2, 2))
    remarks = estimate_image_noise(large, 1.0, small_unet()).remarks
    assert not any("neighbouring" in line for line in remarks)


def test_noise_that_depends_on_the_brightness_is_said():
    ramp = np.linspace(0.05, 0.95, 96, dtype=np.float32) * np.ones((96, 1), np.float32)
    draws = np.random.default_rng(0).standard_normal(ramp.shape, np.float32)
    noise = estimate_image_noise(ramp + np.sqrt(0.004 * ramp) * draws, 1.0, small_unet())
    (remark,) = noise.remarks
    assert "uneven, stronger in bright parts" in remark
    assert not estimate_image_noise(noisy(ramp, 10), 1.0, small_unet()).remarks


def test_few_samples_tell_what_all_of_them_tell():
    seen = noisy(samples.camera()[:288, :288].astype(np.float32) / 255, 12)
    few, every = (
        255 * image_noise(estimate_image_noise(seen, 1.0, small_unet(), used=used).sigmas)
        for used in (4, 64)
    )
    assert few == pytest.approx(every, rel=0.03)


def test_any_denoiser_gets_the_same_noise():
    seen = noisy(FACE[:64, :64], 10)
    by_colours = estimate_image_noise(seen, 1.0, box_filter(3)).sigmas
    assert len(by_colours) == 1
    assert 255 * by_colours[0] == pytest.approx(10, rel=0.15)
    assert estimated(seen) == pytest.approx(10, rel=0.15)


def test_the_user_hears_of_it(tmp_path):
    heard = []

    class Listening(Observer):
        def message(self, text):
            heard.append(text)

    box_filter().save(tmp_path / "box.safetensors")
    chosen = DenoisingOptions(weights=str(tmp_path / "box.safetensors"), device="cpu", threads=1)
    Image.fromarray(np.full((20, 25), 90, np.uint8)).save(tmp_path / "small.png")
    denoise_images([tmp_path / "small.png"], None, chosen, Listening())
    (line,) = heard
    assert line.endswith(
        "25 × 20 pixels are few to estimate the noise from; give --sigma if you know it"
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("turned", [False, True])
def test_a_strip_of_few_lines_shows_its_noise_where_it_is_flat(turned):
    strip = np.concatenate([GRASS[:8, :64]] * 30, 1)
    strip[:, :1280] = strip.mean()
    image = noisy(strip, 10)
    regions = flat_regions(image.T if turned else image, 64, 40, 5)
    assert all(region[0 if turned else 1].stop <= 1344 for region in regions)
