"""Residual learning: what is added to what."""

import pytest
import torch
from torch import nn

from hsi_suite.backbones import (
    BLOCKS,
    Branches,
    ConvNormAct,
    Residual,
    SqueezeExcitation,
    basic_residual,
    inverted_residual,
    preactivation_residual,
    resnext_residual,
    shuffle_unit,
)
from hsi_suite.errors import ConfigError, ShapeError

DIMS = (1, 2, 3)
WRAPPED = (
    "residual",
    "bottleneck",
    "resnext",
    "preactivation",
    "preactivation_bottleneck",
    "se_residual",
    "se_bottleneck",
    "se_resnext",
    "inverted_residual",
    "shuffle",
    "inception_resnet_a",
    "inception_resnet_b",
    "inception_resnet_c",
    "residual_inception",
)


def drawn(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(2))


def last_convolution(module):
    return [m for m in module.modules() if isinstance(m, nn.Conv1d | nn.Conv2d | nn.Conv3d)][-1]


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", WRAPPED)
def test_zeroed_last_weights_leave_the_identity(name, dim, training):
    options = {"groups": 4} if "resnext" in name else {}
    block = BLOCKS[name](32, 32, dim=dim, **options).train(training)
    last = last_convolution(block)
    nn.init.zeros_(last.weight)
    if last.bias is not None:
        nn.init.zeros_(last.bias)
    x = drawn(2, 32, *[5] * dim)
    torch.testing.assert_close(block(x), x, rtol=0, atol=0)


def test_addition_scale_and_activation_by_hand():
    body = nn.Conv1d(1, 1, 1, bias=False)
    nn.init.constant_(body.weight, -4.0)
    x = torch.tensor([[[1.0, -2.0]]])
    assert Residual(body, scale=0.5, activation=None)(x).tolist() == [[[-1.0, 2.0]]]
    assert Residual(body, scale=0.5)(x).tolist() == [[[0.0, 2.0]]]
    shortcut = nn.Conv1d(1, 1, 1, bias=False)
    nn.init.constant_(shortcut.weight, 10.0)
    assert Residual(body, shortcut, activation=None)(x).tolist() == [[[6.0, -12.0]]]


@pytest.mark.parametrize("dim", DIMS)
def test_valid_padding_adds_the_centre(dim):
    body = ConvNormAct(2, 2, 5, dim=dim, padding="valid", activation=None)
    x = drawn(1, 2, *[9] * dim)
    centre = x[(..., *[slice(2, 7)] * dim)]
    torch.testing.assert_close(Residual(body, activation=None)(x), centre + body(x))


def test_se_comes_before_the_addition():
    block = basic_residual(8, 8, dim=2, attention="se").eval()
    first, second = block.body
    assert isinstance(second.attention, SqueezeExcitation)
    assert not hasattr(first, "attention")
    assert not hasattr(second, "activation")
    x = drawn(1, 8, 6, 6)
    bare = nn.Sequential(*list(second.children())[:-1])
    expected = torch.relu(x + second.attention(bare(first(x))))
    torch.testing.assert_close(block(x), expected)


def test_projection_where_the_identity_does_not_fit():
    assert isinstance(basic_residual(8, 8, dim=2).shortcut, nn.Identity)
    for block in (basic_residual(8, 16, dim=2), basic_residual(8, 8, dim=2, stride=2)):
        assert block.shortcut.conv.kernel_size == (1, 1)
        assert not hasattr(block.shortcut, "activation")


@pytest.mark.parametrize("bottleneck", [False, True])
def test_preactivation_leaves_the_sum_alone_and_shares_the_first_norm(bottleneck):
    x = drawn(2, 8, 6, 6) - 0.5
    same = preactivation_residual(8, 8, dim=2, bottleneck=bottleneck)
    (residual,) = same
    assert same(x).min() < 0
    torch.testing.assert_close(same.eval()(x), x + residual.body(x))
    norm, activation, projected = preactivation_residual(8, 16, dim=2, bottleneck=bottleneck)
    assert isinstance(norm, nn.BatchNorm2d)
    assert isinstance(activation, nn.ReLU)
    assert isinstance(projected.shortcut, nn.Conv2d)


def test_resnext_width_and_cardinality():
    middle = resnext_residual(256, 256, dim=2).body[1].conv
    assert (middle.in_channels, middle.out_channels, middle.groups) == (128, 128, 32)
    with pytest.raises(ConfigError, match="groups"):
        resnext_residual(16, 16, dim=2)


def test_inverted_residual_by_hand():
    block = inverted_residual(16, 16, dim=2, expansion=4)
    expand, depthwise, project = block.body
    assert expand.conv.out_channels == depthwise.conv.groups == 64
    assert isinstance(expand.activation, nn.ReLU6)
    assert not hasattr(project, "activation")
    assert len(inverted_residual(16, 8, dim=2, expansion=1)) == 2
    assert not isinstance(inverted_residual(16, 16, dim=2, stride=2), Residual)


def test_shuffle_unit_concatenates_the_averaged_input():
    unit = shuffle_unit(4, 12, dim=2, groups=1, stride=2).eval()
    branches = unit[0]
    assert isinstance(branches, Branches)
    x = drawn(1, 4, 6, 6)
    averaged = nn.AvgPool2d(3, 2, 1)(x)
    torch.testing.assert_close(unit(x)[:, :4], averaged)
    with pytest.raises(ConfigError, match="more than 12"):
        shuffle_unit(12, 12, dim=2, stride=2)


def test_a_body_that_does_not_fit():
    with pytest.raises(ShapeError, match="projecting"):
        Residual(nn.Conv1d(1, 3, 1))(torch.zeros(1, 1, 5))
    with pytest.raises(ShapeError, match="projecting"):
        Residual(nn.ConvTranspose1d(1, 1, 2, stride=2), nn.Conv1d(1, 1, 2))(torch.zeros(1, 1, 5))
