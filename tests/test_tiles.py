import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi_suite.engine.tiles import Tiling, side_within
from hsi_suite.errors import ConfigError
from hsi_suite.models.dncnn import DnCNN, FDnCNN
from hsi_suite.models.drunet import DRUNet
from hsi_suite.models.ffdnet import FFDNet
from hsi_suite.models.guided_unet import GuidedUNet
from hsi_suite.models.ircnn import IRCNN
from hsi_suite.models.refined_unet import RefinedUNet
from hsi_suite.models.residual_unet import ResidualUNet


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    side=st.none() | st.integers(1, 60),
    radius=st.integers(0, 30),
    multiple=st.integers(1, 8),
)
def test_tiles_cover_once_and_see_far_enough(shape, side, radius, multiple):
    tiling = Tiling(side, radius, multiple)
    seen = np.zeros(shape, int)
    places = np.arange(shape[0] * shape[1]).reshape(shape)
    tiles = list(tiling.tiles(shape))
    for tile in tiles:
        seen[tile] += 1
        piece, inner = tiling.surroundings(tile, shape)
        assert np.array_equal(places[piece][inner], places[tile])
        for part, around, size in zip(tile, piece, shape, strict=True):
            assert around.start <= max(0, part.start - radius)
            assert around.stop >= min(size, part.stop + radius)
            assert around.start % multiple == 0
            assert around.stop % multiple == 0 or around.stop == size
    assert (seen == 1).all()
    assert tiling.count(shape) == len(tiles)


def test_the_side_fits_the_memory():
    assert side_within(10_000, (100, 100), 17, 1) is None
    side = side_within(9_999, (100, 100), 17, 8)
    assert side % 8 == 0 and (side + 2 * (17 + 8)) ** 2 <= 9_999
    with pytest.raises(ConfigError, match="Raise --memory-limit"):
        side_within(2_000, (100, 100), 17, 8)


def reach(network, channels):
    """How far an output pixel looks, from the gradients of networks without dead units."""
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 1e-2)
    network = network.double().eval()
    radius = network.receptive_radius
    side = 2 * radius + 9 * network.multiple
    farthest = 0
    for offset in range(network.multiple):
        centre = side // 2 + offset
        given = torch.ones(1, channels, side, side, dtype=torch.double, requires_grad=True)
        (gradient,) = torch.autograd.grad(network(given)[0, 0, centre, centre], given)
        touched = gradient[0].abs().amax(0).nonzero()
        farthest = max(farthest, int((touched - centre).abs().max()))
    return farthest


@pytest.mark.parametrize(
    ("network", "channels"),
    [
        (DnCNN(depth=5, width=2, norm=None), 1),
        (FDnCNN(depth=4, width=2), 2),
        (FFDNet(depth=4, width=2), 2),
        (IRCNN(width=2, norm=None), 1),
        (DRUNet(channels=(2, 3, 2), blocks=1), 2),
        (GuidedUNet(channels=(2, 3), blocks=1), 4),
        (RefinedUNet(channels=(2, 3), blocks=1), 3),
        (ResidualUNet(channels=(2, 3), blocks=1), 2),
        (ResidualUNet(channels=(2, 2, 3), blocks=1, unshuffle=1), 2),
        (ResidualUNet(channels=(2, 2), blocks=2, unshuffle=4), 2),
    ],
)
def test_the_declared_radius_is_the_measured_one(network, channels):
    assert reach(network, channels) == network.receptive_radius


def test_the_default_denoiser_sees_91_pixels_far():
    assert ResidualUNet().receptive_radius == 91
    assert ResidualUNet(block="se").receptive_radius is None
    assert GuidedUNet().receptive_radius == 175
    assert RefinedUNet().receptive_radius == 175
    assert GuidedUNet(block="se").receptive_radius is None


@pytest.mark.parametrize(
    ("network", "channels"),
    [(DnCNN(depth=6, width=8), 1), (ResidualUNet(channels=(8, 12), blocks=1), 2)],
)
def test_tiles_give_the_whole_images_values(network, channels):
    network.eval()
    image = torch.rand(1, channels, 101, 83, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = network(image)[0, 0]
        tiling = Tiling(24, network.receptive_radius, network.multiple)
        for tile in tiling.tiles((101, 83)):
            piece, inner = tiling.surroundings(tile, (101, 83))
            part = network(image[:, :, piece[0], piece[1]])[0, 0][inner]
            assert torch.allclose(part, whole[tile], atol=1e-6, rtol=0)


def test_less_than_the_radius_is_not_enough():
    network = DnCNN(depth=6, width=8, norm=None).eval()
    image = torch.rand(1, 1, 60, 60, generator=torch.Generator().manual_seed(0))
    errors = {}
    with torch.inference_mode():
        whole = network(image)[0, 0]
        for radius in (3, 6):
            tiling = Tiling(20, radius, 1)
            parts = itertools.starmap(
                lambda tile, place: network(image[:, :, *place[0]])[0, 0][place[1]] - whole[tile],
                [(t, tiling.surroundings(t, (60, 60))) for t in tiling.tiles((60, 60))],
            )
            errors[radius] = max(float(part.abs().max()) for part in parts)
    assert errors[6] < 1e-6 < 1e-5 < errors[3]
