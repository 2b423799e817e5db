"""The classic networks: published counts, gradients, sizes, auxiliary heads."""

import doctest
import importlib
import inspect
import pkgutil
from functools import cache
from unittest.mock import patch

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import hsi_suite.backbones.classic
from hsi_suite.backbones import SqueezeExcitation, breaks_equivariance, initialise
from hsi_suite.backbones.classic import (
    CLASSIC,
    AuxiliaryLogits,
    ClassicNetwork,
    LocalResponseNorm,
)
from hsi_suite.backbones.classic.network import scaled
from hsi_suite.errors import ConfigError, ShapeError
from hsi_suite.models.classic_classifier import CLASSIC_MODELS, ClassicClassifier
from hsi_suite.models.network_description import describe_network

# Trainable parameters with 3 channels and 1000 classes, as published with the weights:
# torchvision's, the authors' and (SE, v4, Inception-ResNet, ZFNet, ShuffleNet) the model zoos'.
PUBLISHED = {
    "alexnet": 61_100_840,
    "zfnet": 62_357_608,
    "vgg_11": 132_863_336,
    "vgg_13": 133_047_848,
    "vgg_16": 138_357_544,
    "vgg_19": 143_667_240,
    "googlenet": 13_004_888,
    "inception_v3": 27_161_264,
    "inception_v4": 42_679_816,
    "inception_resnet_v2": 55_843_464,
    "resnet_18": 11_689_512,
    "resnet_34": 21_797_672,
    "resnet_50": 25_557_032,
    "resnet_101": 44_549_160,
    "resnet_152": 60_192_808,
    "resnext_50": 25_028_904,
    "resnext_101": 44_177_704,
    "se_resnet_50": 28_088_024,
    "se_resnet_101": 49_326_872,
    "se_resnext_50": 27_559_896,
    "mobilenet_v1": 4_231_976,
    "mobilenet_v2": 3_504_872,
    "shufflenet_v1": 1_865_728,
    # Networks with a norm and activation behind the first convolution too count 128 more.
    "preactivation_resnet_18": 11_687_848 - 128,
    "preactivation_resnet_34": 21_796_008 - 128,
    "preactivation_resnet_50": 25_549_480 - 128,
    "preactivation_resnet_101": 44_541_608 - 128,
    "preactivation_resnet_152": 60_185_256 - 128,
}
CIFAR = ("resnet_20", "resnet_56", "resnet_110")
# Only these have no count published with weights; the first has one with biases before norms.
OTHERS = {
    "bn_inception",
    "se_bn_inception",
    "inception_resnet_v1",
    "se_inception_resnet_v2",
    "network_in_network",
    *CIFAR,
}
# One network of each kind; what is deeper repeats the same blocks.
KINDS = (
    "alexnet",
    "zfnet",
    "vgg_11",
    "network_in_network",
    "googlenet",
    "bn_inception",
    "inception_v3",
    "inception_v4",
    "inception_resnet_v1",
    "inception_resnet_v2",
    "resnet_18",
    "resnet_20",
    "resnet_50",
    "preactivation_resnet_18",
    "preactivation_resnet_50",
    "resnext_50",
    "se_resnet_50",
    "se_resnext_50",
    "se_bn_inception",
    "mobilenet_v1",
    "mobilenet_v2",
    "shufflenet_v1",
)


@cache
def on_meta(name, **options):
    """Without memory; shared among the tests, which leave it as it is."""
    with torch.device("meta"):
        return CLASSIC[name](**options)


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def narrow(name, stem="small", **options):
    """A thin variant without dropout, and its weights drawn."""
    options = {"width": 0.125, "num_classes": 5, "dropout": 0.0, **options}
    if name not in CIFAR:
        options["stem"] = stem
    if "resnext" in name:
        options |= {"groups": 4}
    if name == "googlenet":
        options["auxiliary_dropout"] = 0.0
    network = CLASSIC[name](**options)
    initialise(network, "kaiming", torch.Generator().manual_seed(3))
    return network


@cache
def thin(name, stem):
    """A thin variant for 4 channels, shared by the tests that leave its weights as they are."""
    return narrow(name, stem, in_channels=4)


def images(batch, channels, side):
    generator = torch.Generator().manual_seed(5)
    return torch.randn(batch, channels, side, side, generator=generator)


def test_every_network_has_a_count_here():
    assert set(PUBLISHED) | OTHERS == set(CLASSIC)
    assert set(KINDS) <= set(CLASSIC)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name):
    assert parameters(on_meta(name)) == PUBLISHED[name]


@pytest.mark.parametrize(
    ("name", "options", "published"),
    [
        ("alexnet", {"towers": 2}, 60_965_224),
        ("googlenet", {"auxiliary": False}, 6_624_904),
        ("googlenet", {"auxiliary": False, "five_by_five": True, "norm": None}, 6_998_552),
        ("googlenet", {"five_by_five": True, "norm": None}, 13_378_280),
        (
            "googlenet",
            {"five_by_five": True, "norm": "lrn", "pool_4": 3, "auxiliary_pooling": "cells"},
            13_378_280,
        ),
        ("inception_v3", {"auxiliary": False}, 23_834_568),
        ("vgg_11", {"norm": "batch"}, 132_868_840),
        ("vgg_16", {"norm": "batch"}, 138_365_992),
        ("resnext_101", {"group_width": 8}, 88_791_336),
        ("resnext_101", {"groups": 64}, 83_455_272),
        ("network_in_network", {"stem": "small", "num_classes": 10}, 966_986),
        ("resnet_20", {}, 272_474),
        ("resnet_56", {}, 855_770),
        ("resnet_110", {}, 1_730_714),
        ("mobilenet_v1", {"width": 0.75}, 2_585_560),
        ("mobilenet_v1", {"width": 0.5}, 1_331_592),
        ("mobilenet_v1", {"width": 0.25}, 470_072),
        ("mobilenet_v2", {"width": 0.5}, 1_968_680),
        ("shufflenet_v1", {"groups": 1}, 1_531_936),
        ("shufflenet_v1", {"groups": 2}, 1_733_848),
        ("shufflenet_v1", {"groups": 4}, 1_968_344),
        ("shufflenet_v1", {"groups": 8}, 2_434_768),
    ],
)
def test_published_counts_of_variants(name, options, published):
    assert parameters(on_meta(name, **options)) == published


def test_bn_inception_differs_from_its_release_by_the_biases_before_norms():
    network = on_meta("bn_inception")
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert all(m.bias is None for m in convolutions)
    assert parameters(network) + sum(m.out_channels for m in convolutions) == 11_295_240


def test_attention_adds_its_two_layers_to_each_module_and_nothing_else():
    for name, plain in (
        ("se_bn_inception", "bn_inception"),
        ("se_inception_resnet_v2", "inception_resnet_v2"),
    ):
        network = on_meta(name)
        added = [m for m in network.modules() if isinstance(m, SqueezeExcitation)]
        assert len(added) == {"se_bn_inception": 10, "se_inception_resnet_v2": 40}[name]
        assert parameters(network) == parameters(on_meta(plain)) + parameters(nn.ModuleList(added))
        for module in added:
            channels = module.expand.out_features
            hidden = channels // 16
            assert parameters(module) == 2 * channels * hidden + channels + hidden


def test_alexnet_layer_by_layer():
    network = describe_network(on_meta("alexnet"), (3, 224, 224))
    # Kind, output, parameters, and multiply-adds: outputs times the values under one kernel.
    expected = [
        ("conv2d 64@11×11/4", (64, 55, 55), 23_296, 64 * 55 * 55 * 3 * 11 * 11),
        ("conv2d 192@5×5", (192, 27, 27), 307_392, 192 * 27 * 27 * 64 * 5 * 5),
        ("conv2d 384@3×3", (384, 13, 13), 663_936, 384 * 13 * 13 * 192 * 3 * 3),
        ("conv2d 256@3×3", (256, 13, 13), 884_992, 256 * 13 * 13 * 384 * 3 * 3),
        ("conv2d 256@3×3", (256, 13, 13), 590_080, 256 * 13 * 13 * 256 * 3 * 3),
        ("linear 4096", (4096,), 37_752_832, 9216 * 4096),
        ("linear 4096", (4096,), 16_781_312, 4096 * 4096),
        ("linear 1000", (1000,), 4_097_000, 4096 * 1000),
    ]
    rows = [x for x in network.layers if x.parameters]
    assert [(x.kind, x.output, x.parameters, x.multiply_adds) for x in rows] == expected
    assert network.parameters == sum(row[2] for row in expected) == 61_100_840
    assert network.multiply_adds == sum(row[3] for row in expected) == 714_188_480
    pools = [x.output for x in network.layers if x.kind.startswith("MaxPool2d 3")]
    assert pools == [(64, 27, 27), (192, 13, 13), (256, 6, 6)]


@pytest.mark.parametrize(
    ("name", "side", "grids"),
    [
        # ZFNet, figure 3; VGG, table 1; GoogLeNet, table 1; the Inception papers' figures.
        ("zfnet", 224, {"conv_1": 110, "pool_1": 55, "conv_2": 26, "pool_2": 13, "pool_5": 6}),
        ("vgg_16", 224, {"pool_1": 112, "conv_5_3": 14, "pool_5": 7}),
        ("googlenet", 224, {"stem": 28, "pool_3": 14, "pool_4": 7, "inception_5b": 7}),
        ("bn_inception", 224, {"stem": 28, "inception_3c": 14, "inception_4e": 7}),
        ("inception_v3", 299, {"stem": 35, "mixed_6a": 17, "mixed_7a": 8}),
        ("inception_v4", 299, {"stem": 35, "reduction_a": 17, "reduction_b": 8}),
        ("inception_resnet_v1", 299, {"stem": 35, "reduction_a": 17, "reduction_b": 8}),
        ("inception_resnet_v2", 299, {"stem": 35, "reduction_a": 17, "reduction_b": 8}),
        ("resnet_18", 224, {"stem": 112, "pool": 56, "stage_2": 28, "stage_4": 7}),
        ("resnet_18", 32, {"stem": 32, "stage_1": 32, "stage_4": 4}),
        ("resnet_20", 32, {"stem": 32, "stage_1": 32, "stage_2": 16, "stage_3": 8}),
        ("network_in_network", 32, {"mlpconv_1": 32, "pool_1": 16, "pool_2": 8}),
        ("mobilenet_v1", 224, {"stem": 112, "block_13": 7}),
        ("mobilenet_v2", 224, {"stem": 112, "block_1": 112, "block_7": 14, "last": 7}),
        ("mobilenet_v2", 32, {"stem": 32, "block_3": 32, "last": 4}),
        ("shufflenet_v1", 224, {"stem": 112, "pool": 56, "stage_2": 28, "stage_4": 7}),
    ],
)
def test_published_grids(name, side, grids):
    network = thin(name, "small" if side == 32 else "imagenet").eval()
    found, hooks = {}, []
    for stage, module in network.features.named_children():
        hooks.append(
            module.register_forward_hook(
                lambda m, i, o, stage=stage: found.update({stage: tuple(o.shape[2:])})
            )
        )
    with torch.no_grad():
        network(torch.zeros(1, 4, side, side))
    for hook in hooks:
        hook.remove()
    assert {stage: found[stage] for stage in grids} == {s: (n, n) for s, n in grids.items()}


@pytest.mark.parametrize("name", KINDS)
def test_gradients_reach_every_parameter_and_images_are_seen_alone(name):
    network = thin(name, "small").train()
    for module in network.modules():
        if isinstance(module, SqueezeExcitation):
            # A bottleneck of four units may start dead by chance.
            nn.init.ones_(module.reduce.bias)
    x = images(4, 4, max(11, network.smallest_in_training))
    output = network(x)
    sides = output.auxiliary if isinstance(output, AuxiliaryLogits) else ()
    logits = output.logits if sides else output
    assert logits.shape == (4, 5)
    classes = torch.arange(4)
    sum(F.cross_entropy(each, classes) for each in (logits, *sides)).backward()
    for path, parameter in network.named_parameters():
        assert parameter.grad is not None, path
        assert parameter.grad.abs().sum() > 0, path
    network.eval()
    with torch.no_grad():
        torch.testing.assert_close(network(x)[2:3], network(x[2:3]), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("stem", ["imagenet", "small"])
@pytest.mark.parametrize("name", sorted(set(KINDS) - set(CIFAR)))
def test_the_smallest_image_and_one_pixel_less(name, stem):
    network = thin(name, stem)
    for training in {False, network.auxiliary is not None}:
        network.train(training)
        least = network.smallest_in_training if training else network.smallest
        with torch.no_grad():
            output = network(torch.zeros(2, 4, least, least + 1))
        logits = output.logits if isinstance(output, AuxiliaryLogits) else output
        assert logits.shape == (2, 5)
        if least == 1:
            continue
        less = torch.zeros(2, 4, least + 3, least - 1)
        with pytest.raises(ShapeError, match=f"expected at least {least}×{least}"):
            network(less)
        # Without the check the layers themselves would fail: the bound is the true one.
        with pytest.raises((RuntimeError, ShapeError)), patch.object(network, "_check"):
            network(less)


def test_messages_say_what_helps():
    def refusal(network, side):
        with pytest.raises(ShapeError) as caught:
            network(torch.zeros(1, 4, side, side))
        return str(caught.value)

    v3 = thin("inception_v3", "imagenet").train()
    assert refusal(v3, 100).endswith("no auxiliary heads (auxiliary=False)")
    assert "auxiliary" not in refusal(v3.eval(), 60)
    assert "stem=small" in refusal(v3, 60)
    assert "stem=small" not in refusal(thin("inception_v3", "small"), 6)
    for shape in ((2, 3, 32, 32), (4, 32, 32)):
        with pytest.raises(ShapeError, match=r"expected \(N, 4, H, W\)"):
            thin("resnet_18", "small")(torch.zeros(shape))


@pytest.mark.parametrize(("name", "heads"), [("googlenet", 2), ("inception_v3", 1)])
def test_auxiliary_heads_are_there_in_training_only(name, heads):
    network = narrow(name)
    x = images(2, 3, network.smallest_in_training)
    logits, auxiliary = network(x)
    assert logits.shape == (2, 5)
    assert [side.shape for side in auxiliary] == [(2, 5)] * heads
    assert network.eval()(x).shape == (2, 5)
    plain = narrow(name, auxiliary=False)
    assert isinstance(plain(x), torch.Tensor)
    # The main way is the same with and without the heads.
    shared = {k: v for k, v in network.state_dict().items() if not k.startswith("auxiliary")}
    plain.load_state_dict(shared)
    with torch.no_grad():
        assert torch.equal(plain.eval()(x), network(x))


def test_auxiliary_heads_see_the_stages_of_the_papers():
    network = narrow("googlenet").eval()
    seen = {}
    for name, head in network.auxiliary.items():
        head.register_forward_pre_hook(lambda m, i, name=name: seen.update({name: i[0]}))
    x = images(2, 3, 16)
    network.features.train()
    with torch.no_grad():
        network.training = True
        network(x)
        stages = list(dict(network.features.named_children()))
        for name in ("inception_4a", "inception_4d"):
            part = network.features[: stages.index(name) + 1]
            assert torch.equal(part(x), seen[name])


def test_the_seed_fixes_the_weights_and_batch_norms_start_as_the_identity():
    first, again = narrow("resnet_18"), narrow("resnet_18")
    pairs = zip(first.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    norms = [m for m in first.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all((m.weight == 1).all() and (m.bias == 0).all() for m in norms)


def test_last_block_of_inception_resnet_v2_and_its_last_norm():
    network = on_meta("inception_resnet_v2", width=0.125)
    blocks = network.features.blocks_c
    assert [block.scale for block in blocks] == [0.2] * 9 + [1.0]
    assert isinstance(blocks[-1].activation, nn.Identity)
    assert network.features.conv_7b.norm.eps == 1e-3
    wide = on_meta("inception_resnet_v2")
    assert wide.features.blocks_a[0].body[1].conv.out_channels == 320
    assert wide.features.blocks_b[0].body[1].conv.out_channels == 1088
    assert wide.features.blocks_c[0].body[1].conv.out_channels == 2080


@pytest.mark.parametrize("name", ["inception_resnet_v1", "inception_resnet_v2"])
def test_one_scale_for_all_residual_blocks_of_inception_resnet(name):
    network = on_meta(name, width=0.125, scale=0.3)
    blocks = [block for part in "abc" for block in getattr(network.features, f"blocks_{part}")]
    last = [] if name == "inception_resnet_v1" else [1.0]
    assert [block.scale for block in blocks] == [0.3] * (len(blocks) - len(last)) + last


@pytest.mark.parametrize("stem", ["imagenet", "small"])
def test_googlenet_with_response_normalisation_has_the_two_of_its_stem(stem):
    """Szegedy et al. (CVPR 2015), figure 3: pool, norm; 1×1, 3×3, norm, pool."""
    network = narrow("googlenet", stem=stem, norm="lrn")
    kinds = [type(layer).__name__ for layer in network.features.stem.layers]
    published = [
        "ConvNormAct", "MaxPool2d", "LocalResponseNorm", "ConvNormAct", "ConvNormAct",
        "LocalResponseNorm", "MaxPool2d",
    ]  # fmt: skip
    units = ["ConvNormAct", "LocalResponseNorm", "ConvNormAct", "ConvNormAct", "LocalResponseNorm"]
    assert kinds == (published if stem == "imagenet" else units)
    assert sum(isinstance(m, LocalResponseNorm) for m in network.modules()) == 2
    assert not any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    assert all(m.bias is not None for m in network.modules() if isinstance(m, nn.Conv2d))
    other = narrow("googlenet", stem=stem, norm={"name": "lrn", "k": 1.0})
    assert next(m.k for m in other.modules() if isinstance(m, LocalResponseNorm)) == 1.0


def test_the_pooling_of_googlenet_as_published():
    network = narrow("googlenet", stem="imagenet", pool_4=3, auxiliary_pooling="cells").train()
    assert network.features.pool_4.kernel_size == 3
    for side in (223, 224, 270):
        logits, auxiliary = network(images(2, 3, side))
        assert logits.shape == auxiliary[0].shape == auxiliary[1].shape == (2, 5)
    with pytest.raises(ShapeError, match="at least 223×223"):
        network(images(2, 3, 222))
    with pytest.raises(ShapeError, match=r"features of 17×17.*pool to a grid"):
        network(images(2, 3, 271))
    assert network.eval()(images(2, 3, 64)).shape == (2, 5)
    small = narrow("googlenet", stem="small", auxiliary_pooling="cells").train()
    assert [small.smallest_in_training, small(images(2, 3, 33)).logits.shape] == [28, (2, 5)]
    head = next(iter(network.auxiliary.values()))
    x = torch.randn(1, head[1].conv.in_channels, 14, 14)
    assert torch.equal(head[0](x), F.avg_pool2d(x, 5, 3)) and head[0](x).shape[2:] == (4, 4)


def test_mobilenet_v2_has_relu6_everywhere():
    kinds = {type(m) for m in on_meta("mobilenet_v2").features.modules()}
    assert nn.ReLU6 in kinds
    assert nn.ReLU not in kinds


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("resnet_18", {"stem": "tiny"}, "imagenet or small"),
        ("resnet_18", {"width": 0.0}, "above 0"),
        ("resnet_18", {"depth": 17}, "one of 18, 34"),
        ("resnext_50", {"depth": 34}, "one of 50, 101, 152"),
        ("resnet_20", {"depth": 18}, "one of 20, 32"),
        ("vgg_11", {"depth": 12}, "one of 11, 13"),
        ("shufflenet_v1", {"groups": 5}, "one of 1, 2, 3"),
        ("alexnet", {"towers": 3}, "1 or 2"),
        ("alexnet", {"in_channels": 0}, "at least 1"),
        ("googlenet", {"pool_4": 4}, "2 or 3"),
        ("googlenet", {"auxiliary_pooling": "5x5"}, "grid or cells"),
        ("inception_resnet_v2", {"scale": 0}, "above 0 and at most 1"),
    ],
)
def test_what_cannot_be_built(name, options, match):
    with pytest.raises(ConfigError, match=match):
        on_meta(name, **options)


def test_scaled_widths():
    assert [scaled(64, w) for w in (1.0, 0.125, 0.001)] == [64, 8, 1]
    assert scaled(240, 0.5, 12) == 120
    with pytest.raises(ConfigError, match="width"):
        scaled(64, float("nan"))


def test_response_norm_against_torch_and_by_hand():
    x = images(2, 7, 5).double()
    # Torch divides alpha by the size; its neighbourhoods are the same.
    expected = F.local_response_norm(x, 5, alpha=5 * 0.3, beta=0.75, k=2.0)
    torch.testing.assert_close(LocalResponseNorm(alpha=0.3)(x), expected)
    three = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    found = LocalResponseNorm(3, alpha=1.0, beta=1.0, k=0.0)(three).flatten()
    torch.testing.assert_close(found, torch.tensor([1 / 5, 2 / 14, 3 / 13]))
    assert breaks_equivariance(LocalResponseNorm(), training=True) == []


@pytest.mark.cuda
@pytest.mark.parametrize("name", ["alexnet", "zfnet", "network_in_network", "googlenet"])
def test_backward_is_deterministic_on_cuda(name):
    options = {"towers": 2} if name == "alexnet" else {}
    network = narrow(name, **options).cuda()
    x, gradients = images(3, 3, 17).cuda(), []
    torch.use_deterministic_algorithms(True)
    try:
        for _ in range(2):
            network.zero_grad()
            output = network(x)
            logits = output.logits if isinstance(output, AuxiliaryLogits) else output
            logits.square().sum().backward()
            gradients.append([p.grad.clone() for p in network.parameters() if p.grad is not None])
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


class TestClassifier:
    def test_the_table_is_true(self):
        assert set(CLASSIC_MODELS) == set(CLASSIC)
        for name, known in CLASSIC_MODELS.items():
            network = on_meta(name)
            sides = network.auxiliary or nn.ModuleDict()
            assert parameters(network) - parameters(sides) == known.facts.parameters, name
            assert known.num_classes == (10 if name in CIFAR else 1000)

    def test_windows_of_components(self):
        for name, options in (("resnet_18", {}), ("inception_v3", {}), ("googlenet", {})):
            build = ClassicClassifier(name)
            network = build(in_channels=15, num_classes=4, window=9, width=0.125, **options)
            assert network.stem == "small"
            assert network(images(3, 15, 9)).shape == (3, 4)
        with torch.device("meta"):
            large = ClassicClassifier("resnet_18")(in_channels=3, num_classes=4, window=64)
        assert large.stem == "imagenet"

    def test_a_window_too_small(self):
        build = ClassicClassifier("inception_v4")
        with torch.device("meta"), pytest.raises(ShapeError, match="window of 5; expected at lea"):
            build(in_channels=15, num_classes=4, window=5, width=0.125)

    def test_options_are_those_of_the_network(self):
        known = list(inspect.signature(ClassicClassifier("se_resnet_50")).parameters)
        assert known == ["in_channels", "num_classes", "window", "dropout", "width", "stem"]
        with pytest.raises(TypeError, match="no option 'depth'"):
            ClassicClassifier("se_resnet_50")(in_channels=3, num_classes=2, window=9, depth=101)


@pytest.mark.parametrize(
    "module", [m.name for m in pkgutil.iter_modules(hsi_suite.backbones.classic.__path__)]
)
def test_documented_examples(module):
    loaded = importlib.import_module(f"hsi_suite.backbones.classic.{module}")
    assert doctest.testmod(loaded).failed == 0


def test_every_factory_is_documented_and_takes_keywords_only():
    for name in CLASSIC:
        factory = CLASSIC[name]
        assert "Args:" in (getattr(factory, "func", factory).__doc__ or ""), name
        kinds = {p.kind for p in inspect.signature(factory).parameters.values()}
        assert kinds == {inspect.Parameter.KEYWORD_ONLY}, name
    assert all(isinstance(on_meta(n), ClassicNetwork) for n in ("alexnet", "resnet_20"))
