import numpy as np
import pytest
import torch

from hsi_suite.errors import ConfigError
from hsi_suite.models.guided_unet import GuidedUNet, guided_start
from hsi_suite.models.registry import MODELS
from hsi_suite.models.residual_unet import ResidualUNet
from hsi_suite.restoration.colour import NOISE_GAIN, from_opponent, to_opponent

OPTIONS = {"channels": [4, 6], "blocks": 1}
CENTRE = np.array([0, 0.5, 0.5], np.float32)[:, None, None]


def small():
    torch.manual_seed(0)
    return GuidedUNet(3, **OPTIONS).eval()


def noisy_image(size=(13, 18)):
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(1, 3, *size, generator=generator)
    sigma = 0.1 + 0.1 * torch.rand(1, 1, *size, generator=generator)
    return torch.cat([image, sigma], 1)


def test_it_is_two_networks_on_opponent_channels():
    network, x = small(), noisy_image()
    planes = torch.from_numpy(to_opponent(x[0, :3].movedim(0, 2).numpy()) - CENTRE)[None]
    noisy, differences = planes[:, :1], planes[:, 1:]
    sigma = x[:, 3:]
    with torch.no_grad():
        clean = network.brightness(torch.cat([noisy, sigma * NOISE_GAIN[0]], 1))
        given = torch.cat([clean, differences, noisy, sigma], 1)
        expected = from_opponent(network.colour(given)[0, :3].numpy() + CENTRE)
        found = network(x)[0].movedim(0, 2).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_it_begins_as_the_grey_network_on_brightness():
    grey, network, x = ResidualUNet(1, **OPTIONS), small(), noisy_image()
    network.load_state_dict(guided_start(grey.state_dict()))
    sigma = x[:, 3:]
    red, green, blue = (x[:, channel : channel + 1] for channel in range(3))
    mixed = ((red - blue) / 2 + (red + blue - 2 * green) / 4) * 0.5**0.5
    # Its noise: that of independent red, green and blue, times the norm of their shares.
    shares = np.array([3, -2, -1]) / 4 * 0.5**0.5
    with torch.no_grad():
        clean = network(x)
        brightness = grey(torch.cat([x[:, :3].mean(1, keepdim=True), sigma / 3**0.5], 1))
        found = mixed - grey(torch.cat([mixed, float(np.linalg.norm(shares)) * sigma], 1))
    torch.testing.assert_close(clean.mean(1, keepdim=True), brightness, atol=1e-6, rtol=0)
    taken = (red - blue) / 2 - (clean[:, :1] - clean[:, 2:]) / 2
    torch.testing.assert_close(taken, found * 0.5**0.5, atol=1e-6, rtol=0)
    assert found.abs().max() > 1e-3


@pytest.mark.parametrize("factor", [0.125, 4.0])
def test_it_scales_with_image_and_sigma(factor):
    network, x = small().double(), noisy_image().double()
    with torch.no_grad():
        torch.testing.assert_close(network(factor * x), factor * network(x), rtol=1e-12, atol=1e-14)


def test_its_size_is_declared():
    spec = MODELS["guided_unet"]
    network = spec.factory(**spec.example)
    assert sum(each.numel() for each in network.parameters()) == spec.example_parameters
    assert MODELS["guided_unet"].example_parameters > 2 * MODELS["residual_unet"].example_parameters


def test_it_is_for_colour():
    with pytest.raises(ConfigError, match=r"images of 1 channel; .*residual_unet"):
        GuidedUNet(1)
