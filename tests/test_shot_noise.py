"""White noise that grows with brightness: made even, and back, and found."""

import numpy as np
import pytest
import torch

from hsi_suite.engine.tiles import Tiling
from hsi_suite.restoration.noise_level import NoiseLevel, Part
from hsi_suite.restoration.shot_noise import ShotNoise, find_shot_noise
from hsi_suite.tasks.denoising.image_restoration import restore
from hsi_suite.tasks.denoising.photographs.network_choice import Networks
from hsi_suite.tasks.denoising.photographs.noise_estimation import estimate_image_noise
from hsi_suite.tasks.denoising.restoration_settings import Restoration

COUNTS = 60
PHOTONS = ShotNoise(1 / COUNTS, 0.0, 0.1)
SMOOTH = (np.linspace(0.05, 0.75, 192) * np.ones((192, 1))).astype(np.float32)


def photons(image, floor=0.0):
    generator = np.random.default_rng(0)
    counted = generator.poisson(image * COUNTS) / COUNTS
    return (counted + generator.normal(0, np.sqrt(floor), image.shape)).astype(np.float32)


@pytest.mark.parametrize("floor", [0.0, 0.002])
@pytest.mark.parametrize("value", [0.05, 0.3, 0.9])
def test_evened_noise_is_alike_everywhere_and_its_mean_leads_back(value, floor):
    shot = ShotNoise(1 / COUNTS, floor, 0.1)
    evened = shot.evened(photons(np.full((400, 400), value, np.float32), floor))
    assert evened.std() == pytest.approx(0.1, rel=0.06)
    assert shot.back(np.float32([evened.mean()]))[0] == pytest.approx(value, rel=0.01)


def test_black_stays_black_and_values_below_it_do_no_harm():
    assert PHOTONS.evened(np.zeros(2, np.float32)) == pytest.approx([0, 0])
    assert PHOTONS.back(np.zeros(1, np.float32))[0] == pytest.approx(0, abs=1e-6)
    assert np.isfinite(PHOTONS.evened(np.float32([-1, -0.01]))).all()


def level_of(*sigmas, scale=1):
    parts = tuple(Part(v, s) for v, s in zip((0.1, 0.4, 0.8), sigmas, strict=True))
    return NoiseLevel(sigmas[1], scale, sigmas[1], parts)


def test_growth_is_found_though_each_look_says_half_of_it():
    def seen(shot):
        values = np.float32([0.1, 0.4, 0.8])
        sigmas = np.sqrt(values / COUNTS) / [shot.at(float(v)) for v in values]
        told = np.sqrt(sigmas / sigmas[1])
        parts = (Part(float(v), float(s)) for v, s in zip(shot.evened(values), told, strict=True))
        return NoiseLevel(
            1.0, 1, 1.0, tuple(Part(p.brightness, shot.sigma * p.sigma) for p in parts)
        )

    shot = find_shot_noise(level_of(0.0577, 0.0816, 0.097), seen)
    assert shot is not None and shot.gain == pytest.approx(1 / COUNTS, rel=0.25)
    # Half of what is left in the end is what passes for even.
    assert shot.at(0.8) / shot.at(0.1) == pytest.approx(np.sqrt(8), rel=0.1)


@pytest.mark.parametrize(
    "level",
    [
        level_of(0.05, 0.05, 0.052),
        level_of(0.09, 0.07, 0.05),
        level_of(0.02, 0.08, 0.05),
        level_of(0.03, 0.06, 0.08, scale=2),
        NoiseLevel(0.05, 1, 0.05, None),
    ],
    ids=["even", "falling", "off the line", "correlated", "too few blocks"],
)
def test_other_noise_is_none_of_it(level):
    def never_even(shot):
        return level_of(0.02, 0.03, 0.05)

    assert find_shot_noise(level, never_even) is None


def denoised(noisy, networks):
    choice = networks.choose(noisy, 1.0)
    whole = Tiling(None, 0, choice.denoiser.network.multiple)
    noise = choice.noise
    clean = restore(
        choice.denoiser, noisy, 1.0, noise.sigmas, whole, Restoration(), dtype=noisy.dtype,
        shot=noise.shot,
    )  # fmt: skip
    return choice, float(np.sqrt(np.mean((clean - SMOOTH) ** 2)))


def test_bright_parts_come_out_as_clean_as_dark_ones():
    noisy = photons(SMOOTH)
    choice, error = denoised(noisy, Networks(None, "auto", torch.device("cpu")))
    assert choice.noise.shot.gain == pytest.approx(1 / COUNTS, rel=0.25)
    assert choice.words == "white noise, stronger in bright parts: default_denoiser"
    assert not choice.noise.remarks
    even, before = denoised(noisy, Networks(None, "auto", torch.device("cpu"), even=True))
    assert even.noise.shot is None and error < 0.7 * before


def test_noise_of_one_strength_is_left_so():
    noise = np.random.default_rng(0).normal(0, 0.06, SMOOTH.shape).astype(np.float32)
    choice, _ = denoised(SMOOTH + noise, Networks(None, "auto", torch.device("cpu")))
    assert choice.noise.shot is None and "bright" not in choice.words


def test_floats_that_were_cut_off_count_as_whole_numbers_do():
    noise = np.random.default_rng(0).normal(0, 20, (96, 96))
    dark = np.rint(40 * SMOOTH[:96, :96] + noise).clip(0, 255).astype(np.uint8)
    found = [
        estimate_image_noise(image, white, Networks(None, "auto", torch.device("cpu")).likely)
        for image, white in ((dark, 255.0), (dark / np.float32(255), 1.0))
    ]
    assert found[1].sigmas == pytest.approx(found[0].sigmas, rel=1e-3)
