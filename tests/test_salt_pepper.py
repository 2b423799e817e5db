"""Salt and pepper in photographs: found, filled, and said; and what is none is left alone."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data as samples
from skimage.metrics import peak_signal_noise_ratio

from hsi_suite.data.drawings import KINDS, draw_kind
from hsi_suite.restoration import salt_pepper
from hsi_suite.restoration.salt_pepper import impulse_share, without_impulses

CLEAN = samples.astronaut()[:256, 100:356]


def struck(image, share, seed=0, white=255):
    rng = np.random.default_rng(seed)
    ends = np.where(rng.random(image.shape) < 0.5, 0, white).astype(image.dtype)
    return np.where(rng.random(image.shape) < share, ends, image)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1])
@pytest.mark.parametrize("sigma", [0, 10])
@pytest.mark.parametrize(
    "picture", [CLEAN, samples.camera()[:256, 100:356]], ids=["colour", "grey"]
)
def test_its_share_is_found_and_filling_gains(picture, sigma, share):
    noisy = picture + np.random.default_rng(1).normal(0, sigma, picture.shape)
    values = struck(np.rint(noisy).clip(0, 255).astype(np.uint8), share)
    assert impulse_share(values, 255) == pytest.approx(share, rel=0.25)
    before = peak_signal_noise_ratio(picture, values)
    assert peak_signal_noise_ratio(picture, without_impulses(values, 255)) > before + 3


def test_types_and_whites_are_alike():
    values = struck(CLEAN, 0.05)
    share, filled = impulse_share(values, 255), without_impulses(values, 255)
    deep = values.astype(np.uint16) * 257
    assert impulse_share(deep, 65535) == pytest.approx(share, rel=1e-3)
    assert np.abs(without_impulses(deep, 65535) / 257 - filled).max() < 0.6
    floats = values / np.float32(255)
    assert impulse_share(floats, 1.0) == pytest.approx(share, rel=1e-3)
    assert np.abs(without_impulses(floats, 1.0) * 255 - filled).max() < 0.6


def test_strips_leave_no_seams(monkeypatch):
    """The slow twin: the whole at once."""
    values = struck(CLEAN, 0.1)
    monkeypatch.setattr(salt_pepper, "_STRIP", 1000)
    whole = without_impulses(values, 255)
    monkeypatch.setattr(salt_pepper, "_STRIP", 37)
    assert np.array_equal(without_impulses(values, 255), whole)


@pytest.mark.parametrize("end", [0, 255])
def test_what_is_black_or_white_as_a_whole_is_filled_too(end):
    picture = CLEAN.copy()
    picture[60:160, 60:160] = end
    filled = without_impulses(struck(picture, 0.1), 255)
    assert (filled[64:156, 64:156] == end).mean() > 0.999


def test_sound_values_stay_as_they_are():
    values = struck(CLEAN, 0.05)
    inner = (values > 0) & (values < 255)
    assert np.array_equal(without_impulses(values, 255)[inner], values[inner])


def sky():
    rng = np.random.default_rng(0)
    values = rng.normal(30, 4, (256, 256))
    values[rng.integers(0, 256, 900), rng.integers(0, 256, 900)] = rng.choice([90, 170, 255], 900)
    return np.rint(values).clip(0, 255).astype(np.uint8)


def dither():
    palette = Image.fromarray(CLEAN).convert("P", palette=Image.Palette.WEB)
    return np.asarray(palette.convert("RGB"))


NONE = {
    "photograph": lambda: CLEAN,
    "grey": samples.camera,
    "text": samples.page,
    "moon": samples.moon,
    "stars": sky,
    "salt alone": lambda: np.maximum(CLEAN, struck(np.zeros_like(CLEAN), 0.05)),
    "one corner": lambda: np.vstack([struck(CLEAN[:64], 0.1), CLEAN[64:]]),
    "dither": dither,
    "noise": lambda: np.random.default_rng(0).normal(128, 50, (256, 256)).clip(0, 255).astype("u1"),
    "small": lambda: struck(CLEAN[:20, :20], 0.1),
    "black": lambda: np.zeros((64, 64), np.uint8),
}


@pytest.mark.parametrize("name", NONE)
def test_what_is_none_is_not_taken_for_it(name):
    assert impulse_share(NONE[name](), 255) is None


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_have_none(kind):
    assert impulse_share(np.asarray(draw_kind(kind, 256, np.random.default_rng(1))), 255) is None


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


def test_what_is_said_of_the_noise_counts(hsi, tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, struck(samples.camera()[:64, :64], 0.05))
    for options in (("--sigma", "5"), ("--noise", "jpeg"), ("--model", "default_denoiser")):
        status, out, err = hsi("denoise", str(path), "--device", "cpu", "--overwrite", *options)
        assert status == 0 and "salt" not in out + err
