"""The layers behind `dim`: convolution, norms, pooling, attention, resampling, initial weights."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hsi_suite.backbones import (
    AdaptiveMeanPool,
    AveragePool,
    ChannelLayerNorm,
    ChannelShuffle,
    ConvNormAct,
    Crop,
    DepthwiseSeparableConv,
    GlobalAverageHead,
    GlobalMean,
    NormActConv,
    PixelShuffle,
    PixelUnshuffle,
    SqueezeExcitation,
    auxiliary_head_v1,
    auxiliary_head_v3,
    initialise,
    initialise_glorot,
    initialise_kaiming,
    max_pool,
)
from hsi_suite.errors import ConfigError, ShapeError

DIMS = (1, 2, 3)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize(
    ("padding", "stride", "size"),
    [("same", 1, 9), ("same", 2, 5), ("valid", 1, 7), ("valid", 2, 4), (2, 1, 11)],
)
def test_conv_sizes(dim, padding, stride, size):
    block = ConvNormAct(2, 4, 3, dim=dim, padding=padding, stride=stride)
    assert block(torch.zeros(1, 2, *[9] * dim)).shape == (1, 4, *[size] * dim)


def test_conv_children_bias_and_hybridsn_counts():
    plain = ConvNormAct(1, 8, (7, 3, 3), dim=3, padding="valid")
    assert list(dict(plain.named_children())) == ["conv", "activation"]
    assert parameters(plain) == 512
    assert parameters(ConvNormAct(576, 64, 3, dim=2)) == 331_840
    full = ConvNormAct(8, 16, 3, dim=2, norm="batch", attention="se")
    assert list(dict(full.named_children())) == ["conv", "norm", "activation", "attention"]
    assert full.conv.bias is None
    assert ConvNormAct(8, 16, 3, dim=2, norm="batch", bias=True).conv.bias is not None
    assert ConvNormAct(8, 16, 3, dim=2, bias=False).conv.bias is None


def test_conv_is_conv_then_norm_then_activation():
    block = ConvNormAct(2, 3, 3, dim=2, norm="layer", groups=1, dilation=2).double()
    x = drawn(2, 2, 8, 8)
    raw = F.conv2d(x, block.conv.weight, padding=2, dilation=2)
    mean, variance = raw.mean(1, keepdim=True), raw.var(1, unbiased=False, keepdim=True)
    expected = ((raw - mean) / torch.sqrt(variance + 1e-6)).clamp_min(0)
    torch.testing.assert_close(block(x), expected)


def test_norm_act_conv_order():
    block = NormActConv(2, 3, 1, dim=1, norm="batch").double().eval()
    x = drawn(2, 2, 5)
    expected = F.conv1d((x / (1 + 1e-5) ** 0.5).clamp_min(0), block.conv.weight)
    torch.testing.assert_close(block(x), expected)


def test_layer_choices():
    block = ConvNormAct(
        8,
        8,
        3,
        dim=2,
        norm={"name": "group", "groups": 6},
        activation={"name": "leaky_relu", "negative_slope": 0.3},
        attention={"name": "se", "reduction": 2, "gate": "hard_sigmoid"},
    )
    assert block.norm.num_groups == 2
    assert block.activation.negative_slope == 0.3
    assert block.attention.reduce.out_features == 4
    assert isinstance(block.attention.gate, nn.Hardsigmoid)
    assert isinstance(ConvNormAct(1, 1, 1, dim=1, activation=nn.PReLU).activation, nn.PReLU)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"norm": "bacth"}, "batch"),
        ({"norm": {"name": "batch", "epsilon": 1}}, "epsilon"),
        ({"norm": {"eps": 1}}, "name"),
        ({"padding": "full"}, "'same', 'valid'"),
        ({"kernel_size": 4}, "odd"),
        ({"kernel_size": (3, 3, 3)}, "3 values"),
        ({"groups": 3}, "divide"),
        ({"dim": 4}, "1, 2 or 3"),
        ({"out_channels": 0}, "at least 1"),
    ],
)
def test_bad_choices_are_config_errors(arguments, message):
    good = {"in_channels": 4, "out_channels": 4, "kernel_size": 3, "dim": 2}
    with pytest.raises(ConfigError, match=message):
        ConvNormAct(**{**good, **arguments})


def test_channel_layer_norm_mixes_no_positions():
    norm = ChannelLayerNorm(3).double()
    x = drawn(1, 3, 4, 5)
    changed = x.clone()
    changed[0, :, 0, 0] += torch.tensor([1.0, -2.0, 5.0])
    differs = (norm(x) != norm(changed)).any(1)[0]
    assert differs[0, 0]
    assert differs.sum() == 1


def test_depthwise_separable_count_by_hand():
    block = DepthwiseSeparableConv(32, 64, dim=2)
    assert parameters(block) == 32 * 9 + 2 * 32 + 32 * 64 + 2 * 64


def test_se_gates_by_hand():
    block = SqueezeExcitation(2, minimum=1).double()
    with torch.no_grad():
        block.reduce.weight.copy_(torch.tensor([[1.0, -0.5]]))
        block.reduce.bias.fill_(0.25)
        block.expand.weight.copy_(torch.tensor([[2.0], [-1.0]]))
        block.expand.bias.copy_(torch.tensor([0.0, 1.0]))
    # Means 2 and 3: hidden unit relu(2 - 1.5 + 0.25) = 0.75, gates s(1.5) and s(0.25).
    x = torch.tensor([[[1.0, 3.0], [2.0, 4.0]]], dtype=torch.float64)
    gates = torch.tensor([[0.8175744761936437, 0.5621765008857981]], dtype=torch.float64)
    torch.testing.assert_close(block.gates(x), gates)
    torch.testing.assert_close(block(x), x * gates[:, :, None])


@pytest.mark.parametrize(("channels", "hidden"), [(16, 4), (64, 4), (128, 8), (256, 16)])
def test_se_bottleneck_has_a_floor(channels, hidden):
    assert SqueezeExcitation(channels).reduce.out_features == hidden


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("count_padding", [True, False])
@pytest.mark.parametrize(("stride", "padding"), [(1, "same"), (2, "same"), (2, "valid")])
def test_average_pool_equals_torch(dim, count_padding, stride, padding):
    pool = AveragePool(3, dim=dim, stride=stride, padding=padding, count_padding=count_padding)
    theirs = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[dim - 1](
        3, stride, 1 if padding == "same" else 0, count_include_pad=count_padding
    )
    x = drawn(2, 3, *(7, 8, 6)[:dim])
    torch.testing.assert_close(pool(x), theirs(x))


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("size", [1, 3, 4, 9])
def test_adaptive_mean_pool_equals_torch(dim, size):
    theirs = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[dim - 1]
    x = drawn(2, 3, *(7, 8, 6)[:dim])
    torch.testing.assert_close(AdaptiveMeanPool(size, dim=dim)(x), theirs(x, size))


def test_max_pool_and_global_mean_and_crop():
    x = torch.arange(12.0).reshape(1, 1, 3, 4)
    ceiling = max_pool(2, dim=2, stride=2, padding="valid", ceil_mode=True)
    assert ceiling(x).tolist() == [[[[5.0, 7.0], [9.0, 11.0]]]]
    assert GlobalMean()(x).tolist() == [[5.5]]
    assert Crop((1, 0))(x).tolist() == [[[[4.0, 5.0, 6.0, 7.0]]]]


def test_channel_shuffle_deals_groups_and_checks():
    x = torch.arange(6.0).reshape(1, 6, 1, 1)
    assert ChannelShuffle(3)(x).flatten().tolist() == [0, 2, 4, 1, 3, 5]
    with pytest.raises(ShapeError):
        ChannelShuffle(4)(x)


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_shuffle_inverts_unshuffle(dim, factor):
    x = drawn(2, 3, *(6, 12, 18)[:dim])
    down = PixelUnshuffle(factor, dim=dim)(x)
    assert down.shape == (2, 3 * factor**dim, *(n // factor for n in x.shape[2:]))
    torch.testing.assert_close(PixelShuffle(factor, dim=dim)(down), x, rtol=0, atol=0)


def test_shuffles_equal_torch_in_2d():
    x = drawn(2, 8, 4, 6)
    assert torch.equal(PixelUnshuffle(2, dim=2)(x), F.pixel_unshuffle(x, 2))
    assert torch.equal(PixelShuffle(2, dim=2)(x), F.pixel_shuffle(x, 2))


@pytest.mark.parametrize("factor", [2, (3, 1)])
def test_shuffle_keeps_the_order_in_memory(factor):
    x = torch.randn(2, 12, 4, 5)
    plain, turned = (
        PixelShuffle(factor, dim=2)(x.contiguous(memory_format=order))
        for order in (torch.contiguous_format, torch.channels_last)
    )
    assert torch.equal(plain, turned)
    assert plain.is_contiguous()
    assert turned.is_contiguous(memory_format=torch.channels_last)


def test_unshuffle_by_hand_with_one_factor_per_axis():
    x = torch.arange(8.0).reshape(1, 1, 2, 4)
    cells = PixelUnshuffle((1, 2), dim=2)(x)
    assert cells.tolist() == [[[[0, 2], [4, 6]], [[1, 3], [5, 7]]]]
    assert torch.equal(PixelShuffle((1, 2), dim=2)(cells), x)


def test_shuffles_refuse_what_does_not_divide():
    with pytest.raises(ShapeError, match="multiples"):
        PixelUnshuffle(2, dim=1)(torch.zeros(1, 1, 5))
    with pytest.raises(ShapeError, match="multiple of 4"):
        PixelShuffle(2, dim=2)(torch.zeros(1, 6, 2, 2))


@pytest.mark.parametrize("dim", DIMS)
def test_heads(dim):
    features = torch.zeros(2, 6, *[17] * dim)
    assert GlobalAverageHead(6, 5)(features).shape == (2, 5)
    assert auxiliary_head_v1(6, 5, hidden=8, dim=dim)(features).shape == (2, 5)
    assert auxiliary_head_v3(6, 5, hidden=8, dim=dim)(features).shape == (2, 5)


def model():
    return nn.Sequential(
        ConvNormAct(3, 8, 3, dim=2, norm="batch", attention="se", activation=nn.PReLU),
        ConvNormAct(8, 8, 3, dim=2, groups=4),
        GlobalAverageHead(8, 4),
    )


def test_initialisation_is_fixed_by_the_generator_alone():
    first, second = model(), model().double()
    initialise_glorot(first, torch.Generator().manual_seed(3))
    torch.manual_seed(99)
    initialise_glorot(second, torch.Generator().manual_seed(3))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a.double(), b)
    initialise_glorot(second, torch.Generator().manual_seed(4))
    assert not torch.equal(first[0].conv.weight.double(), second[0].conv.weight)


def test_glorot_draws_in_parameter_order_within_its_bounds():
    network = model()
    initialise(network, "glorot", torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    first = torch.empty(8, 3, 3, 3).uniform_(-1, 1, generator=generator)
    bound = (6 / (27 + 72)) ** 0.5
    torch.testing.assert_close(network[0].conv.weight.detach(), first * bound)
    assert network[0].activation.weight.item() == 0.25
    assert network[0].norm.weight.eq(1).all()
    assert all(p.eq(0).all() for n, p in network.named_parameters() if n.endswith("bias"))


def test_kaiming_variance_is_two_over_fan_in():
    layer = nn.Linear(400, 500)
    initialise_kaiming(layer, torch.Generator().manual_seed(0))
    assert layer.weight.var().item() == pytest.approx(2 / 400, rel=0.02)
    with pytest.raises(ConfigError, match="glorot"):
        initialise(layer, "glorott", torch.Generator())
