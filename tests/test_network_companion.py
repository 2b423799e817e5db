"""Two networks for what cameras and JPEG write: the mean of what each makes."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data as samples

import hsi_suite as hsi
from hsi_suite.data.photographs import PhotographHeader
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.tiles import Tiling
from hsi_suite.tasks.denoising.denoising_options import DenoisingOptions
from hsi_suite.tasks.denoising.image_restoration import restore
from hsi_suite.tasks.denoising.image_tiling import plan_tiles
from hsi_suite.tasks.denoising.photographs import image_denoising, page_look
from hsi_suite.tasks.denoising.photographs.image_jobs import ImageJob
from hsi_suite.tasks.denoising.photographs.network_choice import Networks
from hsi_suite.tasks.denoising.photographs.network_companion import brightness_change
from hsi_suite.tasks.denoising.restoration_settings import Restoration

CPU = torch.device("cpu")
CLEAN = samples.astronaut()[100:300, 150:360].astype(np.float32) / np.float32(255)


def noisy(image=CLEAN, sigma=8):
    noise = np.random.default_rng(0).normal(0, sigma / 255, image.shape)
    # Away from the ends: of clipped noise one network alone undoes that.
    return (0.2 + 0.6 * image + noise).astype(np.float32)


def alone(weights, image, sigma=None):
    return hsi.Denoiser(weights, sigma=sigma, white=1.0)(image)


def told_to_the_second(weights, image):
    """σ by what the first changes of 200 × 210 pixels, in samples of 128 × 128 at all corners."""
    corners = [(line, column) for line in (0, 72) for column in (0, 82)]
    parts = [np.ascontiguousarray(image[a : a + 128, b : b + 128]) for a, b in corners]
    changes = np.stack([alone(weights, part) - part for part in parts]).astype(np.float64)
    bright = changes.mean(-1) if image.ndim == 3 else changes
    bright = bright - bright.mean()
    shared = [(bright[:, 1:] * bright[:, :-1]).mean(), (bright[..., 1:] * bright[..., :-1]).mean()]
    alike = max(np.mean(shared) / bright.var(), 0)
    return (1.0 if image.ndim == 3 else 0.6) * (4 + (1.5 + 4 * alike) * 255 * bright.std())


@pytest.mark.parametrize("colour", [True, False])
def test_the_result_is_the_mean_of_two_networks(colour):
    image = noisy() if colour else noisy(CLEAN[..., 1])
    first, second = "camera_denoiser", "colour_denoiser" if colour else "default_denoiser"
    companion = Networks(None, "camera", CPU).choose(image, 1.0).companion
    sigma = told_to_the_second(first, image)
    assert companion.name == second
    assert 255 * companion.sigmas[0] == pytest.approx(sigma, rel=1e-4)

    mean = (alone(first, image) + alone(second, image, sigma)) / 2
    both = hsi.denoise(image, noise="camera", white=1.0)
    assert both == pytest.approx(mean, abs=1e-4)
    assert np.abs(both - alone(first, image)).max() > 0.005


def test_a_found_jpeg_is_denoised_by_two_and_what_is_said_to_be_one_by_one():
    buffer = io.BytesIO()
    Image.fromarray(np.rint(255 * CLEAN).astype(np.uint8)).save(buffer, "JPEG", quality=30)
    picture = np.asarray(Image.open(buffer))
    found = Networks(None, "auto", CPU).choose(picture, 255.0)
    assert found.words.endswith(": 80 % jpeg_denoiser and 20 % colour_denoiser")
    assert found.companion.share == 0.2
    sigma = told_to_the_second("jpeg_denoiser", picture.astype(np.float32) / 255)
    assert 255 * found.companion.sigmas[0] == pytest.approx(sigma, rel=1e-3)
    assert Networks(None, "jpeg", CPU).choose(picture, 255.0).companion is None


def test_weights_that_are_named_are_alone_and_so_are_those_for_white_noise():
    for networks in (Networks("camera_denoiser", "auto", CPU), Networks(None, "gaussian", CPU)):
        assert networks.choose(noisy(), 1.0).companion is None


# In colour every symmetry would take eight times as long, and goes the same way.
@pytest.mark.parametrize(("colour", "every_symmetry"), [(True, False), (False, True)])
def test_tiles_make_the_same_of_both_as_the_whole(colour, every_symmetry):
    image = noisy() if colour else noisy(CLEAN[..., 1])
    choice = Networks(None, "camera", CPU).choose(image, 1.0)
    network = choice.denoiser.network
    how = Restoration(self_ensemble=every_symmetry)

    def result(side):
        tiling = Tiling(side, network.receptive_radius if side else 0, network.multiple)
        return restore(
            choice.denoiser, image, 1.0, choice.noise.sigmas, tiling, how,
            dtype=image.dtype, companion=choice.companion,
        )  # fmt: skip

    assert result(128) == pytest.approx(result(None), abs=2e-5)


def test_strength_is_a_share_of_what_both_change():
    image = noisy()
    full, half = (hsi.Denoiser(noise="camera", strength=s, white=1.0)(image) for s in (1.0, 0.5))
    assert half == pytest.approx((image + full) / 2, abs=1e-5)


def test_what_the_second_keeps_of_a_large_picture_is_planned_for():
    networks = Networks(None, "camera", CPU)
    choice = networks.choose(noisy(), 1.0)
    header = PhotographHeader(6000, 8000, 3, np.dtype(np.uint8), False)
    job = ImageJob(Path("photograph.png"), Path("result.png"), header)

    def side(beside):
        how = {"tile": None, "memory_limit": 2e9, "copies": 2.0, "how": Restoration()}
        return plan_tiles(choice.denoiser, job, **how, beside=beside).side

    assert side(choice.companion.denoiser) < side(None)


def test_a_bar_ends_at_its_total_where_two_networks_are_cut_smaller(tmp_path, monkeypatch):
    """Tiles that were planned for one network count as many as those of both together."""
    path = tmp_path / "photograph.png"
    Image.fromarray(np.uint8(255 * noisy())).save(path)
    smaller = []

    def cut(denoiser, job, options, beside=None, *, filled=False):
        smaller.append(beside is not None)
        return Tiling(48 if beside is not None else 96, denoiser.network.receptive_radius, 8)

    monkeypatch.setattr(image_denoising, "tiling_of", cut)
    monkeypatch.setattr(page_look, "tiling_of", cut)
    steps, totals = [], []
    observer = Observer()
    observer.begin = lambda what, total, done=0: totals.append(total)
    observer.advance = lambda steps_taken=1, **values: steps.append(steps_taken)
    options = DenoisingOptions(noise="camera", device="cpu")
    image_denoising.denoise_images([path], tmp_path / "result.png", options, observer)
    assert any(smaller) and len(steps) > totals[0] > 1
    assert sum(steps) == totals[0]


def test_white_changes_share_nothing_and_smooth_ones_much():
    white = np.random.default_rng(0).normal(0, 5, (200, 300, 3))
    deviation, alike = brightness_change([white[:100], white[100:]])
    assert deviation == pytest.approx(5 / np.sqrt(3), rel=0.02) and alike < 0.01
    # Means of two by two pixels: half of each neighbour's numbers are its own.
    smooth = white[..., 0]
    smooth = (
        smooth + np.roll(smooth, 1, 0) + np.roll(smooth, 1, 1) + np.roll(smooth, 1, (0, 1))
    ) / 4
    deviation, alike = brightness_change([smooth])
    assert deviation == pytest.approx(2.5, rel=0.02) and alike == pytest.approx(0.5, abs=0.02)
    # A shift of all is none; pictures of one pixel or line have few neighbours.
    assert brightness_change([smooth + 9]) == pytest.approx((deviation, alike))
    assert brightness_change([np.full((1, 1), 3.0)]) == (0.0, 0.0)
    checks = np.indices((8, 9)).sum(0) % 2
    assert brightness_change([checks]) == (0.5, 0.0)
    assert brightness_change([np.arange(6.0)[None]])[1] > 0
