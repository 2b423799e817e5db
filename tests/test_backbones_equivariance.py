"""What a block claims about windows and scenes, against what it computes on them."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from hsi_suite.backbones import (
    BLOCKS,
    AdaptiveMeanPool,
    AveragePool,
    ChannelLayerNorm,
    ConvNormAct,
    Crop,
    GlobalAverageHead,
    PixelUnshuffle,
    SqueezeExcitation,
    breaks_equivariance,
    initialise_kaiming,
)

CHANNELS = 8
NARROW = {"resnext": {"groups": 4}, "se_resnext": {"groups": 4}}


def place(start, length, dim):
    """Index of a window; the bands of a cube are all taken."""
    axes = [slice(start, start + length)] * min(dim, 2)
    return (..., *axes)


@torch.no_grad()
def sees_windows_as_the_scene(block, dim, window):
    size = window + 4
    generator = torch.Generator().manual_seed(5)
    shape = (window, size, size) if dim == 3 else (size,) * dim
    scene = torch.randn(2, CHANNELS, *shape, generator=generator, dtype=torch.float64)
    whole = block(scene)
    for start in (0, 2, 4):
        part = block(scene[place(start, window, dim)])
        length = part.shape[-1]
        if whole.shape[-1] != size - window + length:
            return False
        if not torch.allclose(part, whole[place(start, length, dim)], rtol=0, atol=1e-9):
            return False
    return True


def prepared(block, training):
    initialise_kaiming(block, torch.Generator().manual_seed(3))
    # Keeps narrow ReLU layers alive: a dead one would hide what breaks.
    for path, parameter in block.named_parameters():
        if path.endswith("bias"):
            nn.init.constant_(parameter, 0.5)
        elif path.endswith("reduce.weight"):
            parameter.data *= 0.1
    return block.double().train(training)


def check(block, dim, training, window):
    prepared(block, training)
    reasons = breaks_equivariance(block, training)
    assert sees_windows_as_the_scene(block, dim, window) == (not reasons), reasons


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("name", sorted(n for n in BLOCKS if "stem" not in n))
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_every_block_says_what_it_is(name, dim, padding):
    block = BLOCKS[name](CHANNELS, 24, dim=dim, padding=padding, **NARROW.get(name, {}))
    check(block, dim, training=False, window=16)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("norm", [None, "batch", "layer", "group"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["conv", "residual", "inception_v1"])
def test_every_norm_says_what_it_is(name, norm, training, dim):
    block = BLOCKS[name](CHANNELS, 24, dim=dim, padding="valid", norm=norm)
    check(block, dim, training, window=11)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    names=st.lists(
        st.sampled_from(
            [
                "conv",
                "depthwise_separable",
                "inverted_residual",
                "shuffle",
                "residual",
                "preactivation",
                "bottleneck",
                "inception_v1",
                "inception_v2",
                "inception_resnet_c",
                "se_residual",
            ]
        ),
        min_size=1,
        max_size=2,
    ),
    dim=st.integers(1, 3),
    padding=st.sampled_from(["valid", "valid", "valid", "same"]),
    norm=st.sampled_from([None, "batch", "layer", "group"]),
    attention=st.sampled_from([None, None, None, "se"]),
    training=st.booleans(),
)
def test_sequences_keep_what_they_claim(names, dim, padding, norm, attention, training):
    style = {"dim": dim, "padding": padding, "norm": norm}
    if attention:
        style["attention"] = attention
    block = nn.Sequential(*(BLOCKS[name](CHANNELS, CHANNELS, **style) for name in names))
    prepared(block, training)
    # One way only: what breaks by rule may agree by chance where a narrow layer is constant.
    if not breaks_equivariance(block, training):
        assert sees_windows_as_the_scene(block, dim, window=11)


def test_rules_and_their_wording():
    conv = nn.Conv2d(1, 4, 3)
    assert breaks_equivariance(nn.Sequential(conv, ChannelLayerNorm(4), Crop((1, 1))), True) == []
    assert breaks_equivariance(conv, True) == []
    assert breaks_equivariance(nn.Conv2d(1, 1, 3, padding="same"), False) == [
        "Conv2d: Conv2d with padding"
    ]
    assert breaks_equivariance(nn.Conv2d(1, 1, 1, padding="same"), False) == []
    batch = ConvNormAct(4, 4, 3, dim=2, padding="valid", norm="batch")
    assert breaks_equivariance(batch, False) == []
    assert breaks_equivariance(batch, True) == [
        "norm: BatchNorm2d uses the statistics of the batch"
    ]
    untracked = nn.BatchNorm2d(4, track_running_stats=False)
    assert breaks_equivariance(untracked, False) != []
    assert breaks_equivariance(AveragePool(3, dim=2, stride=1, padding="valid"), False) == []
    for breaking in (
        nn.GroupNorm(2, 4),
        nn.InstanceNorm2d(4),
        SqueezeExcitation(4),
        PixelUnshuffle(2, dim=2),
        AdaptiveMeanPool(3, dim=2),
        AveragePool(3, dim=2, stride=2, padding="valid"),
        nn.MaxPool2d(2),
        nn.ConvTranspose2d(1, 1, 2),
        nn.Linear(3, 3),
        GlobalAverageHead(4, 2),
    ):
        assert breaks_equivariance(nn.Sequential(breaking), False), breaking


def test_only_lines_and_samples_count_in_a_cube():
    assert breaks_equivariance(nn.Conv3d(1, 1, 3, stride=(2, 1, 1), padding=(1, 0, 0)), False) == []
    assert breaks_equivariance(nn.Conv3d(1, 1, 3, padding=(0, 1, 0)), False) != []


def test_a_module_may_declare_itself():
    class Doubled(nn.Module):
        keeps_window_equivariance = True

        def forward(self, x):
            return 2 * x

    assert breaks_equivariance(Doubled(), False) == []
    Doubled.keeps_window_equivariance = None
    assert breaks_equivariance(nn.Sequential(Doubled()), False) == [
        "0: Doubled looks beyond one position"
    ]
