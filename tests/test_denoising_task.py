import numpy as np
import pytest
import torch
from skimage import data as samples
from skimage.metrics import peak_signal_noise_ratio as skimage_psnr
from torch import nn

from hsi_suite.engine.optimisation import WeightAverage
from hsi_suite.schemas.denoising import DenoisingTrainingConfig, NoiseConfig
from hsi_suite.seeding import SeedStreams
from hsi_suite.tasks.denoising.denoiser import Denoiser, DenoiserHeader
from hsi_suite.tasks.denoising.evaluation import score
from hsi_suite.tasks.denoising.task import ImageDenoising


def test_patches_are_turned_pieces_of_the_training_images():
    image = np.arange(36 * 40, dtype=np.int64).reshape(36, 40) % 251
    config = DenoisingTrainingConfig(patch=16, batch_size=64)
    task = ImageDenoising(
        [image.astype(np.uint8)], [], NoiseConfig(), config, SeedStreams(0), torch.device("cpu")
    )
    windows = np.lib.stride_tricks.sliding_window_view(image, (16, 16)).reshape(-1, 16, 16)
    known = {}
    for window in windows.astype(np.uint8):
        for turn in range(8):
            turned = np.rot90(window, turn % 4)
            known[(turned.T if turn >= 4 else turned).tobytes()] = turn
    patches = [np.rint(p[0].numpy() * 255).astype(np.uint8) for p in task.batch(0, 0)[2]]
    assert {known[patch.tobytes()] for patch in patches} == set(range(8))


def test_noise_of_a_batch_has_the_sigma_that_is_told():
    noise = NoiseConfig(sigma=[10.0, 50.0])
    config = DenoisingTrainingConfig(patch=64, batch_size=32)
    images = [np.full((64, 64), 128, np.uint8)]
    task = ImageDenoising(images, [], noise, config, SeedStreams(0), torch.device("cpu"))
    noisy, sigma, clean = task.batch(0, 0)
    assert sigma.shape == (32, 1, 1, 1)
    assert 10 / 255 <= sigma.min() < sigma.max() <= 50 / 255
    measured = (noisy - clean).std((1, 2, 3))
    torch.testing.assert_close(measured, sigma.flatten(), rtol=0.06, atol=0)


def test_poisson_gaussian_noise_tells_its_mean_strength():
    noise = NoiseConfig(kind="poisson_gaussian", sigma=[5.0, 20.0], gain=4.0)
    config = DenoisingTrainingConfig(patch=64, batch_size=16)
    images = [np.full((64, 64), 128, np.uint8)]
    task = ImageDenoising(images, [], noise, config, SeedStreams(0), torch.device("cpu"))
    noisy, sigma, clean = task.batch(0, 0)
    torch.testing.assert_close((noisy - clean).std((1, 2, 3)), sigma.flatten(), rtol=0.06, atol=0)


class Identity(nn.Module):
    takes_noise_map = False

    def forward(self, x):
        return x


def test_scores_are_those_of_the_noise_when_nothing_is_done():
    images = [samples.camera()[:40, :50], samples.camera()[100:150, :60]]
    header = DenoiserHeader("dncnn", {}, 1, "gaussian", (0.0, 55.0), "none")
    rows = score(Denoiser(header, Identity()), images, [15, 50])
    assert [row["sigma"] for row in rows] == [15, 50]
    for row in rows:
        assert row["peak_signal_noise_ratio"] == row["noisy_peak_signal_noise_ratio"]
        for seed, (image, scores) in enumerate(zip(images, row["images"], strict=True)):
            clean = image.astype(np.float32) / np.float32(255)
            draws = np.random.default_rng(seed).standard_normal((1, 1, *image.shape), np.float32)
            noisy = clean + np.float32(row["sigma"] / 255) * draws[0, 0]
            expected = skimage_psnr(clean, noisy, data_range=1.0)
            assert scores["peak_signal_noise_ratio"] == pytest.approx(expected, abs=1e-5)
        mean = np.mean([scores["structural_similarity"] for scores in row["images"]])
        assert row["structural_similarity"] == pytest.approx(mean)


def test_the_weight_average_is_the_sum_it_stands_for():
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    nn.init.constant_(model[0].weight, 1.0)
    average = WeightAverage(model, 0.5)
    expected = 1.0
    for step, value in enumerate((2.0, 5.0, -1.0, 3.0, 8.0, 0.5, 4.0, 9.0, 7.0)):
        nn.init.constant_(model[0].weight, value)
        model[1].num_batches_tracked.fill_(step)
        average.update(model, step)
        kept = min(0.5, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * value
        assert average.model[0].weight.item() == pytest.approx(expected, rel=1e-6)
        assert average.model[1].num_batches_tracked.item() == step
    assert not average.model.training
    assert model.training
