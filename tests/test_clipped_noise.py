"""Noise that was clipped at black and white: its mean, and the brightness that was before it."""

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from scipy.integrate import quad
from scipy.stats import norm
from skimage import data as samples

import hsi_suite as hsi
from hsi_suite.engine.tiles import Tiling
from hsi_suite.restoration import clipped_noise
from hsi_suite.restoration.clipped_noise import Clipping, find_clipping, undo_clipping
from hsi_suite.tasks.denoising.denoising_options import DenoisingOptions
from hsi_suite.tasks.denoising.image_restoration import restore
from hsi_suite.tasks.denoising.photographs.image_denoising import denoise_images
from hsi_suite.tasks.denoising.photographs.network_choice import Networks
from hsi_suite.tasks.denoising.restoration_settings import Restoration

SIGMA = 20.0
# A slope from black to white, of as many pixels at each brightness.
TRUTH = np.repeat(np.linspace(0, 255, 256)[None], 400, 0)
DARK = samples.astronaut()[40:168, 20:148] // 3


def with_noise(truth, sigma=SIGMA, seed=0):
    return truth + np.random.default_rng(seed).normal(0, sigma, truth.shape)


def eight_bits(values):
    return np.rint(values).clip(0, 255).astype(np.uint8)


def perfect(truth, sigma=SIGMA):
    """What a denoiser that knows the mean of each value makes of clipped noise."""
    return Clipping(0, 255, sigma, sigma).mean(truth.astype(float))


@pytest.mark.parametrize("sigma", [3.0, 25.0, 120.0])
@pytest.mark.parametrize("truth", [0.0, 4.0, 60.0, 127.5, 230.0, 255.0])
def test_the_mean_is_that_of_the_integral(truth, sigma):
    def weighted(value):
        return min(max(value, 0.0), 255.0) * norm.pdf(value, truth, sigma)

    ends = truth - 9 * sigma, truth + 9 * sigma
    inside = [each for each in (0.0, truth, 255.0) if ends[0] < each < ends[1]]
    wanted = quad(weighted, *ends, points=inside, epsabs=1e-9, limit=200)[0]
    found = Clipping(0, 255, sigma, sigma).mean(np.array([truth]))[0]
    assert found == pytest.approx(wanted, abs=1e-6 * sigma)


@pytest.mark.parametrize("sigmas", [(20, 20), (20, 0), (0, 20), (50, 30), (0, 0), (1, 90)])
def test_there_and_back(sigmas):
    clipping, truth = Clipping(-3, 250, *map(float, sigmas)), np.linspace(-3, 250, 3001)
    assert np.abs(clipping.truth(clipping.mean(truth)) - truth).max() < 1e-3
    beyond = clipping.truth(np.array([-100.0, 400.0]))
    assert beyond == pytest.approx([-3, 250])


@pytest.mark.parametrize("told", [0.8, 1.0, 1.15])
def test_the_numbers_at_the_ends_tell_how_strong_it_was(told):
    noisy = eight_bits(with_noise(TRUTH))
    clipping = find_clipping(noisy, perfect(TRUTH), told * SIGMA, (0, 255))
    assert [clipping.low_sigma, clipping.high_sigma] == pytest.approx([SIGMA, SIGMA], rel=0.05)


@pytest.mark.parametrize("white", [255, 65535, 1.0])
@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_brightness_comes_back_in_every_type(white, strength):
    dtype = {255: np.uint8, 65535: np.uint16, 1.0: np.float32}[white]

    def typed(values):
        scaled = values.clip(0, 255) * (white / 255)
        return (scaled if white == 1.0 else np.rint(scaled)).astype(dtype)

    noisy = typed(with_noise(TRUTH))
    share = noisy * (255 / white)
    clean = typed(share + strength * (perfect(TRUTH) - share))
    wanted = share + strength * (TRUTH - share)
    before = np.abs(clean * (255 / white) - wanted)[:, :10].mean()
    assert undo_clipping(noisy, clean, SIGMA * white / 255, strength) == ("black", "white")
    assert clean.dtype == dtype
    after = np.abs(clean * (255 / white) - wanted)
    assert before > 5 * strength and after.mean() < 0.6 and after[:, :10].mean() < 1.5


def test_each_channel_and_each_end_is_judged_by_itself():
    dark, middling = TRUTH / 4, TRUTH / 4 + 96
    truth = np.stack([dark, middling, 255 - dark], 2)
    noisy = eight_bits(with_noise(truth))
    clean = eight_bits(perfect(truth))
    given = clean.copy()
    assert undo_clipping(noisy, clean, SIGMA) == ("black", "white")
    assert np.array_equal(clean[..., 1], given[..., 1])
    assert (clean[..., 0] <= given[..., 0]).all() and (clean[..., 2] >= given[..., 2]).all()
    assert np.abs(clean - truth).mean() < 0.6


def steps(values):
    return values // 16 * 17


INSIDE = TRUTH / 3 + 85


@pytest.mark.parametrize(
    ("noisy", "means"),
    [
        (with_noise(INSIDE), INSIDE),
        (TRUTH, TRUTH),
        (with_noise(TRUTH), TRUTH),
        (np.where(TRUTH < 40, 0, with_noise(INSIDE)), np.where(TRUTH < 40, 0, INSIDE)),
        (with_noise(TRUTH, SIGMA / 2).clip(0, 255), perfect(TRUTH, SIGMA / 2)),
        (with_noise(TRUTH, 2 * SIGMA).clip(0, 255), perfect(TRUTH, 2 * SIGMA)),
        (with_noise(TRUTH).clip(0, 255) // 16 * 17, perfect(TRUTH)),
        (np.full((40, 40), 7.0), np.full((40, 40), 7.0)),
    ],
    ids=["inside", "no noise", "not clipped", "bars", "less", "more", "rounded", "one value"],
)
def test_what_the_numbers_do_not_tell_is_left_alone(noisy, means):
    for dtype in (np.float32, np.uint8) if noisy.min() >= 0 else (np.float32,):
        made = np.rint(means).astype(dtype)
        given = made.copy()
        assert undo_clipping(np.rint(noisy).astype(dtype), made, SIGMA) == ()
        assert np.array_equal(made, given)


def test_strips_leave_no_trace(monkeypatch):
    noisy = eight_bits(with_noise(TRUTH))
    whole, parts = (perfect(TRUTH).astype(np.float32) for _ in range(2))
    undo_clipping(noisy, whole, SIGMA, 0.9)
    monkeypatch.setattr(clipped_noise, "_STRIP", 3000)
    undo_clipping(noisy, parts, SIGMA, 0.9)
    assert np.array_equal(whole, parts)


def error(image, truth=DARK):
    return np.abs(image.astype(float) - truth).mean()


def test_a_dark_picture_comes_back_dark_from_every_door(tmp_path):
    noisy = eight_bits(with_noise(DARK, 25))
    Image.fromarray(noisy).save(tmp_path / "a.png")
    choice = Networks(None, "auto", torch.device("cpu")).choose(noisy, 255.0, sigma=25 / 255)
    clipped = restore(
        choice.denoiser, noisy, 255.0, choice.noise.sigmas, Tiling(None, 0, 8), Restoration(),
        dtype=noisy.dtype,
    )  # fmt: skip
    options = DenoisingOptions(sigma=25.0, threads=1)
    (done,), _ = denoise_images([tmp_path / "a.png"], tmp_path / "b.png", options)
    assert done.choice == "noise clipped at black, which is undone"
    found = np.asarray(Image.open(tmp_path / "b.png"))
    assert error(found) < 0.7 * error(clipped)
    assert np.array_equal(found, hsi.denoise(noisy, 25, threads=1, verbose=0))
    floats = with_noise(DARK, 25).clip(0, 255).astype(np.float32) / 255
    assert error(hsi.denoise(floats, 25, threads=1, verbose=0) * 255) < 0.7 * error(clipped)
    unclipped = with_noise(DARK, 25).astype(np.float32) / 255
    assert error(hsi.denoise(unclipped, 25, threads=1, verbose=0) * 255) < error(found)


def test_neighbours_in_a_stack_are_compared_before_it_is_undone(tmp_path):
    dark = DARK.mean(2)
    pages = np.stack([eight_bits(with_noise(dark, 25, seed)) for seed in range(4)])
    tifffile.imwrite(tmp_path / "a.tif", pages, imagej=True, metadata={"axes": "TYX"})
    options = DenoisingOptions(sigma=25.0, threads=1, joint=True)
    (done,), _ = denoise_images([tmp_path / "a.tif"], tmp_path / "b.tif", options)
    assert "clipped at black" in done.choice
    alone = hsi.denoise(pages[1], 25, threads=1, verbose=0)
    joint = tifffile.imread(tmp_path / "b.tif")
    assert all(error(page, dark) < error(alone, dark) for page in joint)
