"""Inception modules against the same computation written out by hand."""

import pytest
import torch
from torch.nn import functional as F

from hsi_suite.backbones import (
    Branches,
    inception_resnet_a,
    inception_resnet_c,
    inception_v1,
    inception_v1_naive,
    inception_v2,
    inception_v3_c,
    inception_v3_e,
    inception_v4_a,
    inception_v4_c,
    reduction_a,
    residual_inception_v1,
)
from hsi_suite.backbones.inception_tables import Conv, Pool, fitted, own_width
from hsi_suite.errors import ConfigError, ShapeError

CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def kernels(module):
    """Per branch, the kernel sizes of its convolutions in order."""
    return [
        [m.kernel_size for m in branch.modules() if hasattr(m, "weight") and m.weight.ndim > 2]
        for branch in module.layers
    ]


def unit(x, conv, dim):
    padding = [k // 2 for k in conv.kernel_size]
    return CONVOLVE[dim](x, conv.weight, conv.bias, padding=padding).clamp_min(0)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_v1_is_the_concatenation_of_its_branches(dim):
    module = inception_v1(4, 16, widths=(4, 3, 6, 2, 3, 3), dim=dim, norm=None).double()
    x = drawn(2, 4, *[6] * dim)
    one, three, five, pooled = module.layers
    expected = [
        unit(x, one[0].conv, dim),
        unit(unit(x, three[0].conv, dim), three[1].conv, dim),
        unit(unit(x, five[0].conv, dim), five[1].conv, dim),
        unit(POOL[dim](x, 3, stride=1, padding=1), pooled[1].conv, dim),
    ]
    assert [e.shape[1] for e in expected] == [4, 6, 3, 3]
    assert five[1].conv.kernel_size == (5,) * dim
    torch.testing.assert_close(module(x), torch.cat(expected, dim=1))


def test_torchvision_slip_is_an_option():
    module = inception_v1(192, 256, dim=2, five_by_five=False)
    assert kernels(module)[2] == [(1, 1), (3, 3)]


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_naive_passes_its_input_on(dim):
    module = inception_v1_naive(4, 12, dim=dim, norm=None).double()
    x = drawn(1, 4, *[5] * dim)
    torch.testing.assert_close(module(x)[:, -4:], POOL[dim](x, 3, stride=1, padding=1))
    with pytest.raises(ConfigError, match="left for"):
        inception_v1_naive(12, 12, dim=dim)


def test_valid_padding_equals_the_inside_of_same_padding():
    x = drawn(1, 6, 15, 15)
    for factory, lost in ((inception_v1, 2), (inception_v3_c, 6), (inception_v4_c, 2)):
        same = factory(6, 16, dim=2, norm=None).double()
        valid = factory(6, 16, dim=2, norm=None, padding="valid").double()
        for a, b in zip(valid.parameters(), same.parameters(), strict=True):
            a.data.copy_(b.data)
        inside = slice(lost, 15 - lost)
        torch.testing.assert_close(valid(x), same(x)[:, :, inside, inside])


def test_factorisation_per_dimension():
    assert kernels(inception_v3_c(8, 16, dim=1))[1] == [(1,), (7,)]
    assert kernels(inception_v3_c(8, 16, dim=2))[1:3] == [
        [(1, 1), (1, 7), (7, 1)],
        [(1, 1), (7, 1), (1, 7), (7, 1), (1, 7)],
    ]
    cube = kernels(inception_v3_c(8, 16, dim=3))[1]
    assert cube == [(1, 1, 1), (1, 1, 7), (1, 7, 1), (7, 1, 1)]


def test_expanded_filter_bank_is_parallel_and_shares_its_channels():
    module = inception_v3_e(1280, 2048, dim=2)
    expansion = module.layers[1][1]
    assert isinstance(expansion, Branches)
    assert [b[0].conv.kernel_size for b in expansion] == [(1, 3), (3, 1)]
    assert [b[0].conv.out_channels for b in expansion] == [384, 384]
    cube = inception_v3_e(8, 64, dim=3).layers[1][1]
    assert sum(b[0].conv.out_channels for b in cube) == 24
    assert len(inception_v3_e(8, 64, dim=1).layers[1][1]) == 1


def test_v2_has_two_three_by_threes_and_a_pass_through():
    assert kernels(inception_v2(192, 256, dim=2))[2] == [(1, 1), (3, 3), (3, 3)]
    strided = inception_v2(8, 24, dim=2, stride=2, norm=None).double()
    x = drawn(1, 8, 6, 6)
    torch.testing.assert_close(strided(x)[:, -8:], F.max_pool2d(x, 3, stride=2, padding=1))


def test_reduction_a_takes_k_l_m_n():
    module = reduction_a(10, 10 + 6 + 8, widths=(3, 4, 6, 8), dim=2)
    single, double, pool = module.layers
    assert [u.conv.out_channels for u in (*single, *double)] == [8, 3, 4, 6]
    assert pool[0].kernel_size == 3


def test_v4_average_leaves_padding_out():
    module = inception_v4_a(4, 16, dim=2, norm=None, activation=None)
    pool = module.layers[-1][0]
    assert pool(torch.ones(1, 4, 5, 5)).eq(1).all()


def test_inception_resnet_body_is_linear_scaled_and_expanded():
    block = inception_resnet_a(320, 320, dim=2)
    branches, expand = block.body
    assert [b[-1].conv.out_channels for b in branches.layers] == [32, 32, 64]
    assert list(dict(expand.named_children())) == ["conv"]
    assert expand.conv.bias is not None
    assert block.scale == 0.17
    last = inception_resnet_c(16, 16, dim=2, scale=1.0, activate=False)
    assert isinstance(last.activation, torch.nn.Identity)
    assert sum(isinstance(m, torch.nn.ReLU) for m in last.modules()) == 4
    narrow = inception_resnet_a(320, 256, dim=2, version=1, attention="se")
    assert list(dict(narrow.body[1].named_children())) == ["conv", "attention"]
    assert narrow.shortcut.conv.out_channels == 256


def test_residual_inception_wraps_v1():
    block = residual_inception_v1(256, 256, dim=2, scale=0.3)
    assert [b[-1].conv.out_channels for b in block.body[0].layers] == [64, 128, 32, 32]
    assert block.scale == 0.3


@pytest.mark.parametrize("width", [4, 5, 17, 64, 100])
def test_fitted_widths_add_up_and_keep_proportion(width):
    table = ((Conv(64),), (Conv(96), Conv(128, 3)), (Conv(32),), (Pool("max"), Conv(32)))
    assert own_width(fitted(table, width)) == width
    assert fitted(table, 256) is table
    doubled = fitted(table, 512)
    assert [layer.width for layer in doubled[1]] == [192, 256]
    with pytest.raises(ConfigError):
        fitted(table, 3)


def test_branches_of_different_sizes():
    with pytest.raises(ShapeError, match="sizes"):
        Branches(torch.nn.Conv1d(1, 1, 3), torch.nn.Identity())(torch.zeros(1, 1, 5))
