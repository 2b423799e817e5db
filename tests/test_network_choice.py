from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from skimage import data as samples

import hsi_suite as hsi
from hsi_suite.data.photographs import read_photograph
from hsi_suite.errors import ConfigError
from hsi_suite.restoration.jpeg_traces import JpegTraces
from hsi_suite.restoration.lossy_coding import LossyCoding
from hsi_suite.restoration.noise_kind import FoundNoise, signs_of
from hsi_suite.tasks.denoising.photographs.network_choice import Networks, weights_for

CPU = torch.device("cpu")
# Means of 2 × 2 pixels: the picture itself has some grain.
CLEAN = np.rint(samples.astronaut().reshape(256, 2, 256, 2, 3).mean((1, 3))).astype(np.uint8)


def noisy(sigma, image=CLEAN):
    rng = np.random.default_rng(0)
    return np.rint(image + rng.normal(0, sigma, image.shape)).clip(0, 255).astype(np.uint8)


def weights_of(choice):
    return None if choice.denoiser is None else choice.denoiser.header.noise


def test_white_noise_is_left_to_the_default_and_clean_pictures_alone():
    networks = Networks(None, "auto", CPU)
    assert weights_of(networks.choose(noisy(20), 255)) == "gaussian"
    clean = networks.choose(CLEAN, 255)
    assert clean.denoiser is None and "left as it is" in clean.words
    # A σ that is said is that of white noise.
    assert weights_of(networks.choose(CLEAN, 255, sigma=0.1)) == "gaussian"


def test_white_noise_in_colour_goes_to_the_network_for_colour_where_it_is_alike_in_all():
    networks = Networks(None, "auto", CPU)
    same = networks.choose(noisy(20), 255)
    assert same.denoiser.header.in_channels == 3 and same.words.endswith(": colour_denoiser")
    assert [255 * sigma for sigma in same.noise.sigmas] == pytest.approx([20], rel=0.05)
    said = networks.choose(CLEAN, 255, sigma=0.1)
    assert said.denoiser is same.denoiser and said.noise.sigmas == (0.1,)

    differing = networks.choose(noisy(np.array([5, 30, 5])), 255)
    assert differing.denoiser.header.in_channels == 1
    assert differing.words.endswith(": default_denoiser") and len(differing.noise.sigmas) == 3

    grey = networks.choose(noisy(20, CLEAN[..., 0]), 255)
    assert grey.denoiser.header.in_channels == 1


@pytest.mark.parametrize("noise", ["auto", "camera"])
def test_a_grey_picture_in_three_channels_is_denoised_as_one(noise):
    plane = noisy(20, CLEAN[..., 0])
    once = hsi.denoise(plane, noise=noise)
    thrice = hsi.denoise(np.repeat(plane[..., None], 3, 2), noise=noise)
    assert all(np.array_equal(thrice[..., channel], once) for channel in range(3))
    known = hsi.denoise(np.repeat(plane[..., None], 3, 2), 20)
    assert np.array_equal(known[..., 0], hsi.denoise(plane, 20))


def test_depth_and_scale_do_not_matter():
    networks = Networks(None, "auto", CPU)
    for image, white in (
        (noisy(20).astype(np.uint16) * 257, 65535),
        (noisy(20) / np.float32(255), 1.0),
    ):
        assert networks.choose(image, white).words == (networks.choose(noisy(20), 255).words)


def test_coarse_jpeg_has_a_network_of_its_own_and_fine_is_left_alone():
    networks = Networks(None, "auto", CPU)
    with Image.open(jpeg_of(CLEAN, 30)) as file:
        coarse = networks.choose(np.asarray(file), 255, quality=30)
    assert weights_of(coarse) == "jpeg" and coarse.words.startswith("JPEG of quality 30")
    assert coarse.words.endswith(": 80 % jpeg_denoiser and 20 % colour_denoiser")
    with Image.open(jpeg_of(CLEAN, 95)) as file:
        fine = networks.choose(np.asarray(file), 255, quality=95)
    assert fine.denoiser is None


def jpeg_of(image, quality):
    import io

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    buffer.seek(0)
    return buffer


def test_what_is_said_is_not_looked_for():
    for noise in ("gaussian", "camera", "jpeg"):
        choice = Networks(None, noise, CPU).choose(CLEAN, 255)
        two = "50 % camera_denoiser and 50 % colour_denoiser" if noise == "camera" else ""
        assert weights_of(choice) == noise and choice.words == two
    named = Networks("camera_denoiser", "auto", CPU).choose(CLEAN, 255)
    assert weights_of(named) == "camera"


def test_small_pictures_are_not_judged():
    choice = Networks(None, "auto", CPU).choose(CLEAN[:20, :20], 255)
    assert weights_of(choice) == "gaussian" and not choice.words


def test_python_leaves_a_clean_picture_and_says_so():
    with pytest.warns(UserWarning, match="left as it is"):
        result = hsi.denoise(CLEAN)
    assert np.array_equal(result, CLEAN) and result is not CLEAN
    changed = hsi.denoise(CLEAN, noise="camera")
    assert changed.dtype == np.uint8 and not np.array_equal(changed, CLEAN)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"noise": "loud"}, "noise: 'loud'"),
        ({"noise": "camera", "sigma": 5}, "sigma: given with noise='camera'"),
        ({"noise": "camera", "weights": "default_denoiser"}, "noise: given beside weights"),
    ],
)
def test_python_refuses_what_does_not_fit(given, said):
    with pytest.raises((ConfigError, TypeError), match=said):
        hsi.denoise(CLEAN, **given)


def test_the_command_says_what_it_found(hsi_in, tmp_path):
    Image.fromarray(CLEAN).save(tmp_path / "clean.png")
    Image.fromarray(noisy(20)).save(tmp_path / "noisy.png")
    _, out, _ = hsi_in("denoise", "clean.png")
    assert "hardly any noise: left as it is" in out
    result = np.asarray(Image.open(tmp_path / "clean_denoised.png"))
    assert np.array_equal(result, CLEAN)
    _, out, _ = hsi_in("denoise", "noisy.png")
    assert "white noise: colour_denoiser" in out and "(estimated)" in out
    _, out, _ = hsi_in("denoise", "noisy.png", "--noise", "camera", "--overwrite")
    assert out.endswith("noisy_denoised.png\n  50 % camera_denoiser and 50 % colour_denoiser\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--noise", "camera", "--sigma", "5"), "--sigma: given with --noise camera"),
        (("--noise", "camera", "--model", "default_denoiser"), "--noise: given beside weights"),
        (("--noise", "loud"), "'loud'"),
    ],
)
def test_the_command_refuses_what_does_not_fit(hsi_in, tmp_path, arguments, said):
    Image.fromarray(CLEAN).save(tmp_path / "clean.png")
    status, _, err = hsi_in("denoise", "clean.png", *arguments)
    assert status == 2 and said in err
    assert not (tmp_path / "clean_denoised.png").exists()


@pytest.fixture
def hsi_in(hsi, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return hsi


def test_jpeg_goes_to_its_network_unless_a_camera_is_behind_it():
    def chosen(quality, chance, kind="jpeg"):
        signs = replace(signs_of(CLEAN.astype(np.float32), None), jpeg=JpegTraces(quality, (0, 0)))
        return weights_for(FoundNoise(kind, signs, chance))

    assert chosen(75, 0.01) == chosen(60, 0.6) == chosen(90, 0.4) == "jpeg_denoiser"
    assert chosen(75, 0.8, "camera") == chosen(95, 0.9, "camera") == "camera_denoiser"
    assert chosen(91, 0.01) is None and chosen(75, 0.01, "clean") is None


def coded(picture, path, kind, **how):
    Image.fromarray(picture).save(path, kind, **how)
    photograph = read_photograph(path)
    return photograph.values, photograph.coding


@pytest.mark.parametrize("sides", [3, 1])
def test_coarse_webp_goes_to_the_network_for_jpeg_and_fine_is_left_alone(tmp_path, sides):
    picture = CLEAN if sides == 3 else CLEAN[..., 1]
    networks, path = Networks(None, "auto", CPU), tmp_path / "a.webp"
    values, coding = coded(picture, path, "WEBP", quality=50)
    coarse = networks.choose(values, 255, coding=coding)
    assert weights_of(coarse) == "jpeg" and coarse.jpeg is None
    # Grey ones, too, come back in three channels that are not quite the same.
    assert coarse.companion.name == "colour_denoiser" and coarse.companion.share == 0.2
    both = "80 % jpeg_denoiser and 20 % colour_denoiser"
    assert coarse.words == f"{coding}, its noise not told from texture: {both}"
    assert coding.kind == "WebP" and str(coding).startswith("WebP with quantiser 5")
    # Without what the file says there is nothing to be seen.
    assert networks.choose(values, 255).denoiser is None
    values, coding = coded(picture, path, "WEBP", quality=95)
    fine = networks.choose(values, 255, coding=coding)
    assert fine.denoiser is None and f"hardly any noise behind {coding}: left as" in fine.words


def test_white_noise_behind_webp_is_white_noise(tmp_path):
    values, coding = coded(noisy(25), tmp_path / "a.webp", "WEBP", quality=90)
    choice = Networks(None, "auto", CPU).choose(values, 255, coding=coding)
    # WebP keeps colour at half the resolution, so that no white noise is found in it.
    assert choice.words == f"white noise behind {coding}: colour_denoiser"


def test_noise_of_colour_that_a_coder_has_halved_is_as_strong_as_that_of_luma():
    networks = Networks(None, "auto", CPU)
    with Image.open(jpeg_of(noisy(15), 92)) as file:
        both = np.asarray(file)
    choice = networks.choose(both, 255, quality=92)
    assert choice.words.endswith(": colour_denoiser")
    assert [255 * sigma for sigma in choice.noise.sigmas] == pytest.approx([15], rel=0.2)
    shown = hsi.denoise(both, 255 * choice.noise.sigmas[0]).astype(float)
    apart = hsi.denoise(both, weights="default_denoiser").astype(float)
    assert np.square(shown - CLEAN).mean() < 0.85 * np.square(apart - CLEAN).mean()


def test_noise_of_luma_alone_leaves_colour_as_it_is_behind_jpeg():
    grain = np.random.default_rng(0).normal(0, 12, (*CLEAN.shape[:2], 1))
    image = np.rint(CLEAN + grain).clip(0, 255).astype(np.uint8)
    with Image.open(jpeg_of(image, 92)) as file:
        choice = Networks(None, "auto", CPU).choose(np.asarray(file), 255, quality=92)
    assert choice.words.endswith(": default_denoiser") and len(choice.noise.sigmas) == 3


def test_a_camera_behind_coarse_webp_is_left_to_the_network_for_jpeg():
    coding = LossyCoding("WebP", 40, 127)
    grain = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=CLEAN.shape), (1, 1, 0))
    grainy = np.rint(CLEAN + 8 * grain / grain.std()).clip(0, 255).astype(np.uint8)
    networks = Networks(None, "auto", CPU)
    assert "% camera_denoiser and" in networks.choose(grainy, 255).words
    coarse = networks.choose(grainy, 255, coding=coding)
    assert coarse.words.endswith(": 80 % jpeg_denoiser and 20 % colour_denoiser")
    fine = replace(coding, index=3)
    assert "% camera_denoiser and" in networks.choose(grainy, 255, coding=fine).words


def test_the_command_takes_the_coding_from_the_file(hsi_in, tmp_path):
    Image.fromarray(CLEAN).save(tmp_path / "a.webp", quality=50)
    before = np.asarray(Image.open(tmp_path / "a.webp"), float)
    _, out, _ = hsi_in("denoise", "a.webp", "-o", "b.png")
    assert "WebP with quantiser 52 of 127" in out and ": 80 % jpeg_denoiser" in out
    after = np.asarray(Image.open(tmp_path / "b.png"), float)
    assert ((after - CLEAN) ** 2).mean() < 0.95 * ((before - CLEAN) ** 2).mean()
    # What was a JPEG before is still judged by its traces, where nothing was lost since.
    with Image.open(jpeg_of(CLEAN, 40)) as file:
        file.save(tmp_path / "c.webp", lossless=True)
    _, out, _ = hsi_in("denoise", "c.webp", "-o", "d.png")
    assert "JPEG of quality 40, its noise not told from texture: 80 % jpeg_denoiser" in out


@pytest.mark.parametrize("sigma", [25, 50])
def test_strong_noise_behind_coarse_webp_is_no_drawing(tmp_path, sigma):
    values, coding = coded(noisy(sigma), tmp_path / "a.webp", "WEBP", quality=50)
    choice = Networks(None, "auto", CPU).choose(values, 255, coding=coding)
    assert coding.coarse and choice.words.startswith("white noise behind WebP")
