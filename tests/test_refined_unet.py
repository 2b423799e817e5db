import numpy as np
import pytest
import torch

from hsi_suite.errors import ConfigError
from hsi_suite.models.guided_unet import GuidedUNet
from hsi_suite.models.refined_unet import RefinedUNet, refined_start
from hsi_suite.models.registry import MODELS
from hsi_suite.models.residual_unet import ResidualUNet
from hsi_suite.restoration.colour import from_opponent, to_opponent

OPTIONS = {"channels": [4, 6], "blocks": 1}
CENTRE = np.array([0, 0.5, 0.5], np.float32)[:, None, None]


def small():
    torch.manual_seed(0)
    return RefinedUNet(3, **OPTIONS).eval()


def planes_of(image):
    return to_opponent(image.movedim(0, 2).numpy()) - CENTRE


def test_it_is_two_networks_on_opponent_planes():
    network, x = small(), torch.rand(1, 3, 13, 18, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        first = network.first(x)
        seen = torch.from_numpy(np.concatenate([planes_of(first[0]), planes_of(x[0])]))[None]
        expected = from_opponent(network.second(seen)[0, :3].numpy() + CENTRE)
        found = network(x)[0].movedim(0, 2).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_it_begins_as_the_first_with_its_colour_differences_cleaned_once_more():
    blind = ResidualUNet(3, **OPTIONS, noise_map=False, offset=True)
    guided, network, sigma = GuidedUNet(3, **OPTIONS), small(), 0.03
    network.load_state_dict(refined_start(blind.state_dict(), guided.state_dict(), sigma))
    x = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        first, found = blind(x), network(x)
        clean, noisy = (torch.from_numpy(planes_of(image[0])) for image in (first, x))
        level = torch.full((1, 96, 96), sigma)
        told = torch.cat([clean, noisy[:1], level])[None]
        differences = guided.colour(told)[0, 1:3].numpy()
        kept = clean[:1].numpy()
    expected = from_opponent(np.concatenate([kept, differences]) + CENTRE)
    # Where the second sees its border, a map of σ ends and a bias does not.
    inner = slice(40, 56)
    np.testing.assert_allclose(
        found[0].movedim(0, 2).numpy()[inner, inner], expected[inner, inner], atol=2e-6
    )
    assert (found - first)[..., inner, inner].abs().max() > 1e-3


def test_its_size_is_declared():
    spec = MODELS["refined_unet"]
    network = spec.factory(**spec.example)
    assert sum(each.numel() for each in network.parameters()) == spec.example_parameters


def test_it_is_for_colour():
    with pytest.raises(ConfigError, match=r"images of 1 channel; .*residual_unet"):
        RefinedUNet(1)
