"""Salt and pepper in photographs: found, filled, and said; and what is none is left alone."""

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from scipy import ndimage
from skimage import data as samples
from skimage.metrics import peak_signal_noise_ratio

from hsi_suite.data.drawings import KINDS, draw_kind
from hsi_suite.restoration import salt_pepper
from hsi_suite.restoration.salt_pepper import find_impulses, without_impulses
from hsi_suite.tasks.denoising.photographs.network_choice import Networks
from hsi_suite.tasks.denoising.photographs.white_level import WhiteLevel

CLEAN = samples.astronaut()[:256, 100:356]


def share_of(image, white=255):
    found = find_impulses(image, white)
    return None if found is None else found.share


def filled_in(image, white=255):
    return without_impulses(image, white, find_impulses(image, white))


def struck(image, share, seed=0, white=255, black=0, salt=0.5):
    rng = np.random.default_rng(seed)
    ends = np.where(rng.random(image.shape) < salt, white, black).astype(image.dtype)
    return np.where(rng.random(image.shape) < share, ends, image)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1])
@pytest.mark.parametrize("sigma", [0, 10])
@pytest.mark.parametrize(
    "picture", [CLEAN, samples.camera()[:256, 100:356]], ids=["colour", "grey"]
)
def test_its_share_is_found_and_filling_gains(picture, sigma, share):
    noisy = picture + np.random.default_rng(1).normal(0, sigma, picture.shape)
    values = struck(np.rint(noisy).clip(0, 255).astype(np.uint8), share)
    assert share_of(values, 255) == pytest.approx(share, rel=0.25)
    before = peak_signal_noise_ratio(picture, values)
    assert peak_signal_noise_ratio(picture, filled_in(values, 255)) > before + 3


def test_types_and_whites_are_alike():
    values = struck(CLEAN, 0.05)
    share, filled = share_of(values, 255), filled_in(values, 255)
    deep = values.astype(np.uint16) * 257
    assert share_of(deep, 65535) == pytest.approx(share, rel=1e-3)
    assert np.abs(filled_in(deep, 65535) / 257 - filled).max() < 0.6
    floats = values / np.float32(255)
    assert share_of(floats, 1.0) == pytest.approx(share, rel=1e-3)
    assert np.abs(filled_in(floats, 1.0) * 255 - filled).max() < 0.6


def test_strips_leave_no_seams(monkeypatch):
    """The slow twin: the whole at once."""
    values = struck(CLEAN, 0.1)
    monkeypatch.setattr(salt_pepper, "_STRIP", 1000)
    whole = filled_in(values, 255)
    monkeypatch.setattr(salt_pepper, "_STRIP", 37)
    assert np.array_equal(filled_in(values, 255), whole)


@pytest.mark.parametrize("end", [0, 255])
def test_what_is_black_or_white_as_a_whole_is_filled_too(end):
    picture = CLEAN.copy()
    picture[60:160, 60:160] = end
    filled = filled_in(struck(picture, 0.1), 255)
    assert (filled[64:156, 64:156] == end).mean() > 0.999


@pytest.mark.parametrize("sigma, share", [(0, 0.5), (0, 0.6), (25, 0.2), (25, 0.4)])
def test_dense_ones_are_found_and_filled(sigma, share):
    noisy = CLEAN + np.random.default_rng(1).normal(0, sigma, CLEAN.shape)
    values = struck(np.rint(noisy).clip(0, 255).astype(np.uint8), share)
    assert share_of(values) == pytest.approx(share, rel=0.1)
    assert peak_signal_noise_ratio(CLEAN, filled_in(values)) > (20.5 if sigma else 26)


@pytest.mark.parametrize(
    "salt, share, name",
    [
        (1, 0.015, "salt"),
        (1, 0.2, "salt"),
        (0, 0.03, "pepper"),
        (0, 0.2, "pepper"),
        (0.1, 0.05, "salt and pepper"),
        (0.9, 0.05, "salt and pepper"),
    ],
)
def test_one_kind_alone_is_found(salt, share, name):
    values = struck(CLEAN, share, salt=salt)
    found = find_impulses(values, 255)
    assert found.name == name
    assert found.share == pytest.approx(share, rel=0.1)
    assert peak_signal_noise_ratio(CLEAN, filled_in(values)) > 34


def test_salt_of_a_dark_picture_is_filled_and_its_black_stays():
    dark = CLEAN // 7
    values = struck(dark, 0.05)
    assert find_impulses(values, 255).name == "salt"
    filled = filled_in(values)
    assert np.array_equal(filled[values < 255], values[values < 255])
    assert (filled == 255).mean() < 1e-4


def test_ends_are_those_of_the_image():
    low = np.rint(10 + CLEAN * (230 / 255)).astype(np.uint8)
    values = struck(low, 0.05, black=5, white=250)
    found = find_impulses(values, 255)
    assert (found.pepper, found.salt) == (5, 250)
    assert found.share == pytest.approx(0.05, rel=0.1)
    assert peak_signal_noise_ratio(low, filled_in(values)) > 38


def test_sound_values_stay_as_they_are():
    values = struck(CLEAN, 0.05)
    inner = (values > 0) & (values < 255)
    assert np.array_equal(filled_in(values, 255)[inner], values[inner])


def sky():
    rng = np.random.default_rng(0)
    values = rng.normal(30, 4, (256, 256))
    values[rng.integers(0, 256, 900), rng.integers(0, 256, 900)] = rng.choice([90, 170, 255], 900)
    return np.rint(values).clip(0, 255).astype(np.uint8)


def in_pairs(end):
    """Letters without smooth edges: beside a black value there is mostly another."""
    values = CLEAN.copy()
    rng = np.random.default_rng(0)
    lines, samples = rng.integers(0, 255, (2, 2000))
    values[lines, samples] = values[lines, samples + 1] = end
    return values


def snow():
    """Flakes of all sizes are white only in their middles."""
    rng = np.random.default_rng(0)
    flakes = ndimage.gaussian_filter((rng.random((256, 256)) < 0.02).astype(float), 0.6)
    share = np.minimum(2 * flakes / flakes.max(), 1)[..., None]
    return np.rint(CLEAN * (1 - share) + 255 * share).astype(np.uint8)


def sharpened_texture():
    """Beside what is clipped there is as much that nearly is."""
    rng = np.random.default_rng(0)
    texture = ndimage.gaussian_filter(rng.normal(0, 1, (256, 256)), 0.7)
    sharp = texture + 3 * (texture - ndimage.gaussian_filter(texture, 1))
    return np.rint(128 + 60 * sharp / sharp.std()).clip(0, 255).astype(np.uint8)


def dither():
    palette = Image.fromarray(CLEAN).convert("P", palette=Image.Palette.WEB)
    return np.asarray(palette.convert("RGB"))


NONE = {
    "photograph": lambda: CLEAN,
    "grey": samples.camera,
    "text": samples.page,
    "moon": samples.moon,
    "stars": sky,
    "little salt alone": lambda: struck(CLEAN, 0.008, salt=1),
    "salt in pairs": lambda: in_pairs(255),
    "pepper in pairs": lambda: in_pairs(0),
    "snow": lambda: snow(),
    "sharpened texture": lambda: sharpened_texture(),
    "one corner": lambda: np.vstack([struck(CLEAN[:64], 0.1), CLEAN[64:]]),
    "dither": dither,
    "noise": lambda: np.random.default_rng(0).normal(128, 50, (256, 256)).clip(0, 255).astype("u1"),
    "small": lambda: struck(CLEAN[:20, :20], 0.1),
    "black": lambda: np.zeros((64, 64), np.uint8),
}


@pytest.mark.parametrize("name", NONE)
def test_what_is_none_is_not_taken_for_it(name):
    assert share_of(NONE[name](), 255) is None


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_have_none(kind):
    assert share_of(np.asarray(draw_kind(kind, 256, np.random.default_rng(1)))) is None


def test_a_line_says_what_was_found_and_done(hsi, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(struck(CLEAN, 0.05)).save(path)
    Image.fromarray(CLEAN).save(tmp_path / "clean.png")
    status, out, err = hsi(
        "denoise", str(path), "--device", "cpu", "--reference", str(tmp_path / "clean.png")
    )
    assert status == 0, err
    assert "salt and pepper in 5." in out and "filled from beside; otherwise " in out
    result = np.asarray(Image.open(tmp_path / "a_denoised.png"))
    assert peak_signal_noise_ratio(CLEAN, result) > 32


def test_nothing_is_filled_of_a_picture_with_a_black_level():
    networks = Networks(None, "auto", torch.device("cpu"))
    values = struck(CLEAN, 0.05).astype(np.float32)
    assert networks.filled(values, WhiteLevel(255.0), known=False)[1]
    same, words = networks.filled(values, WhiteLevel(255.0, black=3.0), known=False)
    assert same is values and not words


def test_what_is_said_of_the_noise_counts(hsi, tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, struck(samples.camera()[:64, :64], 0.05))
    for options in (("--sigma", "5"), ("--noise", "jpeg"), ("--model", "default_denoiser")):
        status, out, err = hsi("denoise", str(path), "--device", "cpu", "--overwrite", *options)
        assert status == 0 and "salt" not in out + err


def test_each_page_of_a_joint_stack_is_filled(hsi, tmp_path):
    clean = samples.camera()[:128, :128]
    pages = [struck(clean, 0.1), clean, struck(clean, 0.2)]
    tifffile.imwrite(tmp_path / "a.tif", np.stack(pages), photometric="minisblack")
    stack = ("denoise", str(tmp_path / "a.tif"), "--device", "cpu", "--stack", "joint")
    status, out, err = hsi(*stack, "-o", str(tmp_path / "b.tif"))
    assert status == 0, err
    assert out.count("filled from beside (1 page)") == 2
    for page in tifffile.imread(tmp_path / "b.tif"):
        assert peak_signal_noise_ratio(clean, page) > 25
    # Who says something of the noise has nothing filled here either.
    status, out, _ = hsi(*stack, "--noise", "gaussian", "-o", str(tmp_path / "c.tif"))
    assert status == 0 and "salt" not in out
