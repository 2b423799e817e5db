"""The weights that ship do what their card says: broken ones are found here."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data as samples

from hsi_suite.engine.tiles import Tiling
from hsi_suite.metrics.restoration import peak_signal_noise_ratio
from hsi_suite.restoration.noise_estimate import estimate_noise
from hsi_suite.tasks.denoising.evaluation import score
from hsi_suite.tasks.denoising.image_restoration import Restoration, known_noise, restore
from hsi_suite.tasks.denoising.weights import load_weights


@pytest.fixture(scope="module")
def denoiser():
    return load_weights(None, torch.device("cpu"))


def psnr(denoiser, images, sigmas):
    rows = score(denoiser, images, sigmas)
    return {row["sigma"]: row["peak_signal_noise_ratio"] for row in rows}


@pytest.mark.data
def test_photographs_of_set12_reach_their_floor(denoiser, data_dir):
    images = []
    for name in ("02", "03", "07"):
        with Image.open(data_dir / f"denoising/Set12/{name}.png") as image:
            images.append(np.asarray(image))
    # Measured: 33.22, 31.04, 27.98 dB.
    reached = psnr(denoiser, images, [15.0, 25.0, 50.0])
    assert reached[15.0] > 33.1 and reached[25.0] > 30.9 and reached[50.0] > 27.8


def test_a_sample_photograph_is_freed_of_known_noise(denoiser):
    image = samples.camera()[120:248, 180:308]
    # Measured: 34.57, 29.53, 26.06 dB.
    reached = psnr(denoiser, [image], [10.0, 25.0, 50.0])
    assert reached[10.0] > 34.4 and reached[25.0] > 29.4 and reached[50.0] > 25.9


def test_the_estimated_noise_costs_little(denoiser):
    clean = samples.camera()[100:292, 160:352].astype(np.float32) / 255
    noisy = clean + np.random.default_rng(0).normal(0, 20 / 255, clean.shape).astype(np.float32)
    given = torch.from_numpy(noisy)[None, None]
    with torch.inference_mode():
        known, told = (
            peak_signal_noise_ratio(clean, denoiser(given, sigma)[0, 0].numpy())
            for sigma in (20 / 255, estimate_noise([noisy]))
        )
    assert abs(known - told) < 0.1


def test_tiles_of_the_shipped_network_leave_no_trace(denoiser):
    image = samples.camera()[:301, 100:333].astype(np.float32) / 255
    network = denoiser.network
    sigmas = known_noise(0.1, denoiser, image)
    whole, tiled = (
        restore(denoiser, image, 1.0, sigmas, tiling, Restoration(), dtype=image.dtype)
        for tiling in (
            Tiling(None, 0, 1),
            Tiling(120, network.receptive_radius, network.multiple),
        )
    )
    assert np.abs(whole - tiled).max() < 1e-5
