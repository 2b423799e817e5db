"""Descriptions of networks against counts by hand."""

import inspect
import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hsi_suite.backbones import (
    BLOCKS,
    AveragePool,
    Branches,
    ConvNormAct,
    DepthwiseSeparableConv,
    GlobalAverageHead,
)
from hsi_suite.errors import ConfigError, ShapeError, UnknownNameError
from hsi_suite.models.building import build_example
from hsi_suite.models.classic_classifier import CLASSIC_MODELS
from hsi_suite.models.classical import CLASSICAL
from hsi_suite.models.description import describe_model
from hsi_suite.models.known_blocks import BLOCKS as KNOWN_BLOCKS
from hsi_suite.models.known_facts import SPECTRA
from hsi_suite.models.listing import list_blocks, list_models
from hsi_suite.models.network_description import describe_network
from hsi_suite.models.registry import MODELS


def on_meta(build):
    with torch.device("meta"):
        return build()


def weighty(described):
    return [layer for layer in described.layers if layer.parameters]


def test_hybridsn_is_the_table_of_its_paper():
    described = describe_model("hybridsn", (1, 30, 25, 25))
    network = described.network
    # Kind, output, parameters, and multiply-adds: outputs times the values under one kernel.
    expected = [
        ("conv3d 8@7×3×3", (8, 24, 23, 23), 512, 8 * 24 * 23 * 23 * 1 * 7 * 3 * 3),
        ("conv3d 16@5×3×3", (16, 20, 21, 21), 5_776, 16 * 20 * 21 * 21 * 8 * 5 * 3 * 3),
        ("conv3d 32@3×3×3", (32, 18, 19, 19), 13_856, 32 * 18 * 19 * 19 * 16 * 3 * 3 * 3),
        ("conv2d 64@3×3", (64, 17, 17), 331_840, 64 * 17 * 17 * 576 * 3 * 3),
        ("linear 256", (256,), 4_735_232, 18_496 * 256),
        ("linear 128", (128,), 32_896, 256 * 128),
        ("linear 16", (16,), 2_064, 128 * 16),
    ]
    found = [(x.kind, x.output, x.parameters, x.multiply_adds) for x in weighty(network)]
    assert found == expected
    assert network.parameters == 5_122_176
    assert network.multiply_adds == sum(row[3] for row in expected) == 247_683_392
    assert network.output == (16,)
    assert described.arguments == {"in_channels": 30, "num_classes": 16, "window": 25}
    assert described.window_equivariant == {"training": True, "maps": True}


def test_layers_come_in_the_order_of_their_calls():
    layers = describe_model("hybridsn").network.layers
    body = ["conv", "activation"]
    names = [f"spectral_spatial.{i}.{end}" for i in range(3) for end in body]
    names += [f"spatial.0.{end}" for end in body] + [f"head.{i}" for i in range(8)]
    assert [layer.name for layer in layers] == names
    assert [layer.kind for layer in layers[8:12]] == [
        "Flatten",
        "linear 256",
        "ReLU",
        "dropout 0.4",
    ]


def test_memory_counts_each_stored_output_once():
    network = describe_model("hybridsn").network
    cubes = 8 * 24 * 23 * 23 + 16 * 20 * 21 * 21 + 32 * 18 * 19 * 19 + 64 * 17 * 17
    # Convolution and ReLU store one output each; flattening and dropout at rest store none.
    assert network.memory == 4 * (2 * cubes + 2 * 256 + 2 * 128 + 16)
    assert [x.memory for x in network.layers if x.kind in ("Flatten", "dropout 0.4")] == [0, 0, 0]
    inplace = on_meta(lambda: nn.Sequential(nn.Linear(3, 5), nn.ReLU(inplace=True)))
    assert [x.memory for x in describe_network(inplace, (3,)).layers] == [20, 0]


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_convolutions_by_hand(dim):
    # 12 channels of 7 samples an axis, kernels of 3 an axis, `same` padding, stride 2: 4 left.
    shape, outputs, kernel = (12, *[7] * dim), 4**dim, 3**dim
    cases = {1: 18 * 12, 3: 18 * 4, 6: 18 * 2}
    for groups, weights in cases.items():
        unit = on_meta(
            lambda groups=groups: ConvNormAct(12, 18, 3, dim=dim, stride=2, groups=groups)
        )
        layer = describe_network(unit, shape).layers[0]
        assert layer.multiply_adds == outputs * weights * kernel
        assert layer.parameters == weights * kernel + 18
        assert layer.output == (18, *[4] * dim)
        size = "×".join("3" * dim)
        grouped = f", {groups} groups" if groups > 1 else ""
        assert layer.kind == f"conv{dim}d 18@{size}/2{grouped}"


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_depthwise_separable_by_hand(dim):
    block = on_meta(lambda: DepthwiseSeparableConv(12, 20, dim=dim))
    depthwise, pointwise = weighty(describe_network(block, (12, *[5] * dim)))[::2]
    assert depthwise.multiply_adds == 5**dim * 12 * 3**dim
    assert pointwise.multiply_adds == 5**dim * 12 * 20


def test_spelling_of_strides_and_dilation():
    def built():
        return nn.Sequential(
            nn.Conv3d(1, 4, (7, 3, 3), stride=(2, 1, 1)),
            nn.Conv3d(4, 4, 3, dilation=2),
            nn.MaxPool3d(2),
        )

    kinds = [layer.kind for layer in describe_network(on_meta(built), (1, 30, 12, 12)).layers]
    assert kinds == ["conv3d 4@7×3×3/2×1×1", "conv3d 4@3×3×3, dilation 2×2×2", "MaxPool3d 2"]


def test_operations_outside_layers_count_in_the_total():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(6, 4)
            self.weight = nn.Parameter(torch.empty(4, 10))

        def forward(self, x):
            return F.relu(self.first(x)) @ self.weight

    described = describe_network(on_meta(Net), (6,))
    assert [layer.multiply_adds for layer in described.layers] == [24]
    assert described.multiply_adds == 24 + 40
    assert described.parameters == 6 * 4 + 4 + 40
    assert described.output == (10,)


def test_a_layer_called_twice_has_two_rows_and_one_set_of_parameters():
    def built():
        shared = nn.Linear(5, 5)
        tied = nn.Linear(5, 5)
        tied.weight = shared.weight
        return nn.Sequential(shared, nn.ReLU(), shared, tied)

    described = describe_network(on_meta(built), (5,))
    assert [layer.parameters for layer in described.layers] == [30, 0, 0, 5]
    assert [layer.multiply_adds for layer in described.layers] == [25, 0, 25, 25]
    assert described.parameters == 35


def test_branches_identities_and_hooks():
    def built():
        pool = AveragePool(3, dim=3, stride=1)
        return Branches(ConvNormAct(2, 3, 1, dim=3), nn.Sequential(pool, nn.Identity()))

    network = on_meta(built)
    described = describe_network(network, (2, 4, 4, 4))
    # Averages over cubes are a grouped convolution: 27 multiply-adds for each of 2·64 outputs.
    assert [layer.multiply_adds for layer in described.layers] == [2 * 3 * 64, 0, 2 * 64 * 27]
    assert described.output == (5, 4, 4, 4)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def resnet_152():
    """Built from the blocks; 60,192,808 parameters and 11.3·10⁹ multiply-adds at 224 × 224."""
    layers = [
        ConvNormAct(3, 64, 7, dim=2, stride=2, norm="batch"),
        nn.MaxPool2d(3, stride=2, padding=1),
    ]
    channels = 64
    for stage, depth in enumerate((3, 8, 36, 3)):
        for place in range(depth):
            stride = 2 if stage and not place else 1
            layers.append(BLOCKS["bottleneck"](channels, 256 << stage, dim=2, stride=stride))
            channels = 256 << stage
    return nn.Sequential(*layers, GlobalAverageHead(channels, 1000))


def test_a_large_network_needs_no_memory():
    network = on_meta(resnet_152)
    described = describe_network(network, (3, 224, 224))
    assert all(parameter.is_meta for parameter in network.parameters())
    assert described.parameters == 60_192_808
    # He et al. (CVPR 2016), table 1: 11.3·10⁹, the stride being in the first 1×1 convolution there.
    assert described.multiply_adds == pytest.approx(11.3e9, rel=0.03)
    assert described.output == (1000,)


@pytest.mark.parametrize("name", [*sorted(set(MODELS) - set(CLASSIC_MODELS)), "googlenet"])
def test_every_network_against_a_real_one(name):
    described = describe_model(name)
    spec = MODELS[name]
    assert described.network.parameters == spec.example_parameters
    assert sum(x.parameters for x in described.network.layers) == spec.example_parameters
    assert sum(x.multiply_adds for x in described.network.layers) == described.network.multiply_adds
    network, calls = build_example(name, {}).eval(), []
    for path, module in network.named_modules():
        if not list(module.children()) and not isinstance(module, nn.Identity):
            module.register_forward_hook(
                lambda m, i, o, path=path: calls.append((path, tuple(o.shape[1:])))
            )
    with torch.no_grad():
        output = network(torch.zeros(1, *spec.example_input))
    assert [(layer.name, layer.output) for layer in described.network.layers] == calls
    assert described.network.output == tuple(output.shape[1:])


@pytest.mark.parametrize(
    ("name", "shape", "arguments"),
    [
        ("hybridsn", (15, 11, 11), {"in_channels": 15, "window": 11, "num_classes": 16}),
        ("hybridsn", (1, 15, 11, 11), {"in_channels": 15, "window": 11, "num_classes": 16}),
        ("cnn1d", (103, 1, 1), {"in_channels": 103, "window": 1, "num_classes": 16}),
        ("dncnn", (3, 7, 5), {"in_channels": 3, "depth": 17}),
        ("residual_unet", (4, 7, 5), {"in_channels": 3, "channels": (48, 96, 192)}),
    ],
)
def test_models_are_built_to_fit_the_input(name, shape, arguments):
    described = describe_model(name, shape)
    assert described.arguments == arguments
    assert described.input == shape
    expected = (16,) if MODELS[name].task == "classification" else (3, 7, 5)
    assert described.network.output == expected


def test_options_replace_those_of_the_example():
    described = describe_model("hybridsn", options={"num_classes": 9, "dropout": 0.1})
    assert described.network.output == (9,)
    assert described.network.layers[-1].parameters == 128 * 9 + 9
    assert described.arguments["dropout"] == 0.1
    shallow = describe_model("residual_unet", options={"channels": [8, 16], "block": "se"})
    assert "SqueezeExcitation" not in {layer.kind for layer in shallow.network.layers}
    assert [x.kind for x in shallow.network.layers if "attention" in x.name][:4] == [
        "linear 4",
        "ReLU",
        "linear 8",
        "Sigmoid",
    ]


@pytest.mark.parametrize(
    ("name", "shape", "options", "error", "message"),
    [
        ("hybridsn", (30, 25), {}, ShapeError, "30×25; expected channels × lines × samples"),
        ("hybridsn", (2, 30, 25, 25), {}, ShapeError, "2×30×25×25"),
        ("hybridsn", (30, 25, 24), {}, ShapeError, "equal sides"),
        ("hybridsn", (12, 25, 25), {}, ShapeError, "12 components"),
        ("hybridsn", (30, 7, 7), {}, ShapeError, "a window of 7"),
        ("cnn1d", (30, 7, 7), {}, ShapeError, "a window of 7"),
        ("dncnn", (1, 1, 8, 8), {}, ShapeError, "1×1×8×8"),
        ("residual_unet", (1, 8, 8), {}, ShapeError, "σ map"),
        ("dncnn", (1, 10**9, 10**10), {}, ShapeError, "does not pass through dncnn"),
        ("hybridsn", (30, 10**9 - 1, 10**9 - 1), {}, ConfigError, "window: 999999999; expected a"),
        ("hybridsn", None, {"window": 9}, ConfigError, "follows from the input"),
        ("hybridsn", None, {"droput": 9}, ConfigError, "Did you mean dropout"),
        ("svm", None, {}, ConfigError, "no layers; expected a network: one of"),
        ("hybridns", None, {}, UnknownNameError, "Did you mean hybridsn"),
    ],
)
def test_what_cannot_be_described_is_one_line(name, shape, options, error, message):
    with pytest.raises(error, match=message) as caught:
        describe_model(name, shape, options)
    assert len(str(caught.value)) < 300


def test_lists_are_complete():
    models = {entry["name"]: entry for entry in list_models()}
    assert set(models) == {*MODELS, *CLASSICAL, "auto"}
    assert models["hybridsn"]["parameters"] == 5_122_176
    assert models["svm"]["parameters"] is None and models["svm"]["kind"] == "classical"
    blocks = {entry["name"]: entry for entry in list_blocks()}
    assert set(blocks) == set(BLOCKS)
    assert blocks["se_residual"]["preset"] == {"attention": "se"}
    assert list(blocks) == list(BLOCKS) and list(SPECTRA) == list(CLASSICAL)
    for entry in (*models.values(), *blocks.values()):
        assert entry["summary"] and not entry["summary"].endswith(".")


def test_lines_that_are_known_without_loading_are_those_of_docstrings():
    def line(documented):
        return inspect.getdoc(documented).partition("\n")[0].rstrip(".")

    for name, facts in SPECTRA.items():
        assert facts.summary == line(CLASSICAL[name])
    for name, known in KNOWN_BLOCKS.items():
        factory = BLOCKS[name]
        preset = factory.keywords if isinstance(factory, partial) else {}
        assert known.preset == preset
        assert known.summary == line(factory.func if isinstance(factory, partial) else factory)


def test_shapes_agree_with_torch_on_every_block():
    for name in BLOCKS:
        block = on_meta(lambda name=name: BLOCKS[name](32, 64, dim=2))
        described = describe_network(block, (32, 48, 48))
        assert described.output == tuple(block(torch.empty(1, 32, 48, 48, device="meta")).shape[1:])
        assert described.parameters == sum(layer.parameters for layer in described.layers)
        assert all(math.prod(layer.output) for layer in described.layers)
