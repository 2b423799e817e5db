"""Every registered block in 1-D, 2-D and 3-D, and the networks the blocks must add up to."""

import doctest
import importlib
import pkgutil
from functools import partial

import pytest
import torch
from torch import nn

import hsi_suite.backbones
from hsi_suite.backbones import (
    BLOCKS,
    ConvNormAct,
    GlobalAverageHead,
    SqueezeExcitation,
    auxiliary_head_v1,
    auxiliary_head_v3,
    build_block,
    initialise_kaiming,
    max_pool,
)
from hsi_suite.engine.determinism import Watch
from hsi_suite.errors import ConfigError, HsiSuiteError, UnknownNameError

DIMS = (1, 2, 3)
IN, OUT = 8, 24
# What narrow test blocks need beside their defaults.
OPTIONS = {"resnext": {"groups": 4}, "se_resnext": {"groups": 4}}
# Positions lost with valid padding and stride 1, from the kernels of the papers' figures.
LOST = {
    "conv": 2,
    "depthwise_separable": 2,
    "inverted_residual": 2,
    "shuffle": 2,
    "residual": 4,
    "bottleneck": 2,
    "resnext": 2,
    "preactivation": 4,
    "preactivation_bottleneck": 2,
    "se_residual": 4,
    "se_bottleneck": 2,
    "se_resnext": 2,
    "inception_v1_naive": 4,
    "inception_v1": 4,
    "se_inception": 4,
    "inception_v2": 4,
    "inception_v3_a": 4,
    "inception_v3_c": 12,
    "inception_v3_e": 4,
    "inception_v4_a": 4,
    "inception_v4_b": 12,
    "inception_v4_c": 4,
    "inception_resnet_a": 4,
    "inception_resnet_b": 6,
    "inception_resnet_c": 2,
    "residual_inception": 4,
}
# Blocks with a stride of their own: an input size and the published network's output for it.
STRIDED = {
    "inception_v3_b": (9, 4),
    "inception_v3_d": (9, 4),
    "reduction_a": (9, 4),
    "reduction_b": (9, 4),
    "inception_resnet_reduction_b": (9, 4),
    "inception_v1_stem": (40, 5),
    "inception_v3_stem": (43, 3),
    "inception_v4_stem": (43, 3),
    "inception_resnet_v1_stem": (43, 3),
    "unshuffle_down": (6, 3),
    "shuffle_up": (3, 6),
}
STRIDE_OPTIONAL = (
    "conv",
    "depthwise_separable",
    "inverted_residual",
    "shuffle",
    "residual",
    "bottleneck",
    "resnext",
    "preactivation",
    "preactivation_bottleneck",
    "inception_v2",
)


def build(name, dim, in_channels=IN, out_channels=OUT, **style):
    block = BLOCKS[name](in_channels, out_channels, dim=dim, **{**OPTIONS.get(name, {}), **style})
    initialise_kaiming(block, torch.Generator().manual_seed(1))
    return block


def drawn(batch, channels, size, dim):
    generator = torch.Generator().manual_seed(7)
    return torch.randn(batch, channels, *[size] * dim, generator=generator)


def size_of(name):
    return STRIDED.get(name, (5, 5))


def test_every_block_is_covered_here():
    assert set(LOST) | set(STRIDED) == set(BLOCKS)


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_shape_gradients_and_modes(name, dim):
    before, after = size_of(name)
    block = build(name, dim)
    x = drawn(3, IN, before, dim)
    # What the test on a GPU shows for its kernels, the watch tells of their names.
    with Watch() as watch:
        y = block(x)
        assert y.shape == (3, OUT, *[after] * dim)
        torch.autograd.backward(y, torch.sin(torch.arange(y.numel()).reshape(y.shape)))
    assert not watch.findings and any("backward" in operation for operation in watch.seen)
    for path, parameter in block.named_parameters():
        assert parameter.grad is not None, path
        assert parameter.grad.abs().sum() > 0, path
    block.eval()
    assert not torch.allclose(block(x), y)
    one, all_three = block(x[:1]), block(x)
    torch.testing.assert_close(one, all_three[:1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("name", sorted(LOST))
def test_valid_padding_loses_the_kernels(name, dim):
    lost = LOST[name]
    block = build(name, dim, padding="valid", norm=None)
    assert block(drawn(1, IN, lost + 2, dim)).shape == (1, OUT, *[2] * dim)


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("name", STRIDE_OPTIONAL)
def test_stride_two_rounds_up(name, dim):
    block = build(name, dim, stride=2)
    assert block(drawn(2, IN, 5, dim)).shape == (2, OUT, *[3] * dim)


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("name", sorted(set(STRIDED) - {"shuffle_up", "unshuffle_down"}))
def test_strided_modules_with_valid_padding_stay_aligned(name, dim):
    before, _ = STRIDED[name]
    block = build(name, dim, padding="valid", norm=None)
    assert block(drawn(1, IN, before + 24, dim)).shape[:2] == (1, OUT)


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_without_norm_training_and_evaluation_agree(name):
    block = build(name, 1, norm=None)
    x = drawn(2, IN, size_of(name)[0], 1)
    torch.testing.assert_close(block.train()(x), block.eval()(x), rtol=0, atol=0)
    assert not any(isinstance(m, nn.BatchNorm1d) for m in block.modules())


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_attention_norm_and_activation_are_free(name):
    block = build(name, 2, norm="layer", activation="silu", attention="se")
    x = drawn(2, IN, size_of(name)[0], 2)
    assert block(x).shape[1] == OUT
    kinds = [type(m) for m in block.modules()]
    assert kinds.count(SqueezeExcitation) == 1
    assert nn.SiLU in kinds
    assert nn.BatchNorm2d not in kinds


@pytest.mark.parametrize("name", sorted({n for n in LOST if "inception" in n} - {"inception_v2"}))
def test_a_stride_the_paper_has_not(name):
    with pytest.raises(ConfigError, match="stride"):
        build(name, 2, stride=3)


@pytest.mark.parametrize("dim", DIMS)
def test_valid_stride_two_shortcut_meets_the_body(dim):
    # Body and shortcut both pick the centre of each 3-cell: with picking weights they coincide.
    block = BLOCKS["bottleneck"](1, 1, dim=dim, stride=2, padding="valid", norm=None)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.zero_()
        for convolution in (block.body[0], block.body[1], block.body[2], block.shortcut):
            weight = convolution.conv.weight
            weight[(0, 0, *[n // 2 for n in weight.shape[2:]])] = 1.0
    for size in (7, 8, 9):
        x = torch.rand(1, 1, *[size] * dim)
        picked = x[(..., *[slice(1, size - 1, 2)] * dim)]
        torch.testing.assert_close(block(x), 2 * picked)


def test_build_block_from_a_configuration():
    block = build_block({"name": "bottleneck", "width": 4, "stride": 2}, 8, 16, dim=3)
    assert block(torch.zeros(2, 8, 4, 4, 4)).shape == (2, 16, 2, 2, 2)
    with pytest.raises(UnknownNameError, match="se_residual"):
        build_block("se_residul", 8, 8, dim=2)
    with pytest.raises(ConfigError, match="widht"):
        build_block({"name": "bottleneck", "widht": 4}, 8, 16, dim=2)
    with pytest.raises(ConfigError, match="block"):
        build_block(None, 8, 16, dim=2)


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_one_channel_works_or_is_a_config_error(name):
    try:
        block = build(name, 2, in_channels=1, out_channels=1)
    except HsiSuiteError as error:
        assert isinstance(error, ConfigError)
    else:
        assert block(drawn(2, 1, size_of(name)[0], 2)).shape[1] == 1


MODULES = [m.name for m in pkgutil.iter_modules(hsi_suite.backbones.__path__)]


@pytest.mark.parametrize("module", MODULES)
def test_documented_examples(module):
    loaded = importlib.import_module(f"hsi_suite.backbones.{module}")
    assert doctest.testmod(loaded).failed == 0


def test_every_block_documents_an_example():
    for name in BLOCKS:
        factory = BLOCKS[name]
        assert ">>> " in getattr(factory, "func", factory).__doc__, name


def parameters(*modules):
    return sum(p.numel() for module in modules for p in module.parameters())


two_d = {name: partial(BLOCKS[name], dim=2) for name in BLOCKS}


def resnet(block, depths, widths):
    layers = [ConvNormAct(3, 64, 7, dim=2, stride=2, norm="batch"), max_pool(3, dim=2, stride=2)]
    channels = 64
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        for place in range(depth):
            stride = 2 if stage and not place else 1
            layers.append(two_d[block](channels, width, stride=stride))
            channels = width
    return [*layers, GlobalAverageHead(channels, 1000)]


@pytest.mark.parametrize(
    ("block", "depths", "narrow", "published"),
    [
        ("residual", (2, 2, 2, 2), 64, 11_689_512),
        ("residual", (3, 4, 6, 3), 64, 21_797_672),
        ("bottleneck", (3, 4, 6, 3), 256, 25_557_032),
        ("bottleneck", (3, 4, 23, 3), 256, 44_549_160),
        ("bottleneck", (3, 8, 36, 3), 256, 60_192_808),
        ("resnext", (3, 4, 6, 3), 256, 25_028_904),
        ("se_bottleneck", (3, 4, 6, 3), 256, 28_088_024),
        ("se_resnext", (3, 4, 6, 3), 256, 27_559_896),
    ],
)
def test_resnets_add_up(block, depths, narrow, published):
    with torch.device("meta"):
        assert parameters(*resnet(block, depths, [narrow * 2**i for i in range(4)])) == published


def googlenet():
    layers = [two_d["inception_v1_stem"](3, 192)]
    channels = 192
    for widths in (
        (64, 96, 128, 16, 32, 32),
        (128, 128, 192, 32, 96, 64),
        3,
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
        2,
        (256, 160, 320, 32, 128, 128),
        (384, 192, 384, 48, 128, 128),
    ):
        if isinstance(widths, int):
            pool = {"dim": 2, "stride": 2, "padding": "valid", "ceil_mode": True}
            layers.append(max_pool(widths, **pool))
            continue
        end = widths[0] + widths[2] + widths[4] + widths[5]
        layers.append(two_d["inception_v1"](channels, end, widths=widths, five_by_five=False))
        channels = end
    return [*layers, GlobalAverageHead(1024, 1000)]


def inception_v3():
    wider = (64, 48, 64, 64, 96, 64)
    return [
        two_d["inception_v3_stem"](3, 192),
        two_d["inception_v3_a"](192, 256),
        two_d["inception_v3_a"](256, 288, widths=wider),
        two_d["inception_v3_a"](288, 288, widths=wider),
        two_d["inception_v3_b"](288, 768),
        *(two_d["inception_v3_c"](768, 768, inner=inner) for inner in (128, 160, 160, 192)),
        two_d["inception_v3_d"](768, 1280),
        two_d["inception_v3_e"](1280, 2048),
        two_d["inception_v3_e"](2048, 2048),
        GlobalAverageHead(2048, 1000),
    ]


def inception_v4():
    return [
        two_d["inception_v4_stem"](3, 384),
        *(two_d["inception_v4_a"](384, 384) for _ in range(4)),
        two_d["reduction_a"](384, 1024),
        *(two_d["inception_v4_b"](1024, 1024) for _ in range(7)),
        two_d["reduction_b"](1024, 1536),
        *(two_d["inception_v4_c"](1536, 1536) for _ in range(3)),
        GlobalAverageHead(1536, 1000),
    ]


def inception_resnet_v2():
    return [
        two_d["inception_v3_stem"](3, 192),
        two_d["inception_v3_a"](192, 320, widths=(96, 48, 64, 64, 96, 64), count_padding=False),
        *(two_d["inception_resnet_a"](320, 320) for _ in range(10)),
        two_d["reduction_a"](320, 1088, widths=(256, 256, 384, 384)),
        *(two_d["inception_resnet_b"](1088, 1088) for _ in range(20)),
        two_d["inception_resnet_reduction_b"](1088, 2080),
        *(two_d["inception_resnet_c"](2080, 2080) for _ in range(9)),
        two_d["inception_resnet_c"](2080, 2080, scale=1.0, activate=False),
        ConvNormAct(2080, 1536, 1, dim=2, norm={"name": "batch", "eps": 1e-3}),
        GlobalAverageHead(1536, 1000),
    ]


def inception_resnet_v1():
    return [
        two_d["inception_resnet_v1_stem"](3, 256),
        *(two_d["inception_resnet_a"](256, 256, version=1) for _ in range(5)),
        two_d["reduction_a"](256, 896, widths=(192, 192, 256, 384)),
        *(two_d["inception_resnet_b"](896, 896, version=1) for _ in range(10)),
        two_d["inception_resnet_reduction_b"](896, 1792, version=1),
        *(two_d["inception_resnet_c"](1792, 1792, version=1) for _ in range(5)),
        GlobalAverageHead(1792, 1000),
    ]


def mobilenet_v2():
    style = {"dim": 2, "norm": "batch", "activation": "relu6"}
    layers, channels = [ConvNormAct(3, 32, 3, stride=2, **style)], 32
    for expansion, width, depth, stride in (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):
        for place in range(depth):
            step = stride if place == 0 else 1
            build_one = two_d["inverted_residual"]
            layers.append(build_one(channels, width, expansion=expansion, stride=step))
            channels = width
    last = ConvNormAct(320, 1280, 1, **style)
    return [*layers, last, GlobalAverageHead(1280, 1000)]


@pytest.mark.parametrize(
    ("network", "published"),
    [
        (googlenet, 6_624_904),
        (inception_v4, 42_679_816),
        (inception_resnet_v2, 55_843_464),
        (mobilenet_v2, 3_504_872),
    ],
)
def test_networks_add_up(network, published):
    with torch.device("meta"):
        assert parameters(*network()) == published


def test_networks_with_auxiliary_heads_add_up():
    with torch.device("meta"):
        sides = auxiliary_head_v1(512, 1000, dim=2), auxiliary_head_v1(528, 1000, dim=2)
        assert parameters(*googlenet(), *sides) == 13_004_888
        assert parameters(*inception_v3(), auxiliary_head_v3(768, 1000, dim=2)) == 27_161_264


@pytest.mark.parametrize(
    ("network", "size", "grid"),
    [
        (googlenet, 224, 28),
        (inception_v3, 299, 35),
        (inception_v4, 299, 35),
        (inception_resnet_v2, 299, 35),
        (inception_resnet_v1, 299, 35),
    ],
)
def test_networks_have_the_published_grids(network, size, grid):
    with torch.device("meta"):
        stem, *rest = network()
        features = stem(torch.zeros(2, 3, size, size))
        assert features.shape[2:] == (grid, grid)
        assert nn.Sequential(*rest)(features).shape == (2, 1000)


@pytest.mark.cuda
@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_backward_is_deterministic_on_cuda(name):
    torch.use_deterministic_algorithms(True)
    try:
        for dim in DIMS:
            block, x = build(name, dim).cuda(), drawn(2, IN, size_of(name)[0], dim).cuda()
            gradients = []
            for _ in range(2):
                block.zero_grad()
                block(x).square().sum().backward()
                gradients.append([p.grad.clone() for p in block.parameters()])
            assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True)), dim
    finally:
        torch.use_deterministic_algorithms(False)
