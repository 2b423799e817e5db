"""HybridSN's relatives, SSRN and the 1-D Inception network: sizes by hand, what they refuse."""

import math

import pytest
import torch

from hsi_suite.errors import ShapeError
from hsi_suite.models.building import build_example, build_model
from hsi_suite.models.classic_classifier import CLASSIC_MODELS
from hsi_suite.models.registry import MODELS
from hsi_suite.tasks.scenes.configuration import classification_config

CLASSIFIERS = [
    name for name in MODELS if MODELS[name].task == "classification" and name not in CLASSIC_MODELS
]


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def convolution(in_channels, out_channels, *kernel, bias=True):
    return in_channels * out_channels * math.prod(kernel) + bias * out_channels


def normed(in_channels, out_channels, *kernel):
    """A convolution without a bias, and the two parameters per channel of a norm."""
    return convolution(in_channels, out_channels, *kernel, bias=False) + 2 * out_channels


GATES = convolution(64, 16) + convolution(16, 64)
SHORTCUTS = sum(convolution(*ends) for ends in ((1, 8), (8, 16), (16, 32), (576, 64)))
VOLUME = 512 + 5_776 + 13_856


def test_gates_and_shortcuts_are_what_the_relatives_add():
    counts = {name: MODELS[name].example_parameters for name in CLASSIFIERS}
    assert counts["hybridsn_se"] == 5_122_176 + GATES
    assert counts["hybridsn_residual"] == 5_122_176 + SHORTCUTS
    assert counts["hybridsn_se_residual"] == 5_122_176 + GATES + SHORTCUTS


def test_the_inception_module_of_hybridsn_by_hand():
    """A quarter of module 3a: 16; 24 and 32; 4 and 8; 8 channels, on 576, with 15 × 15 left."""
    branches = (
        convolution(576, 16),
        convolution(576, 24) + convolution(24, 32, 3, 3),
        convolution(576, 4) + convolution(4, 8, 5, 5),
        convolution(576, 8),
    )
    connected = convolution(64 * 15 * 15, 256) + 32_896 + 2_064
    assert MODELS["hybridsn_inception"].example_parameters == VOLUME + sum(branches) + connected


def test_the_separable_hybridsn_by_hand():
    stages = (
        512,
        convolution(1, 8, 5, 3, 3) + convolution(8, 16),
        convolution(1, 16, 3, 3, 3) + convolution(16, 32),
        convolution(1, 576, 3, 3) + convolution(576, 64),
        convolution(1, 64, 17, 17),
    )
    connected = convolution(64, 256) + 32_896 + 2_064
    assert MODELS["hybridsn_separable"].example_parameters == sum(stages) + connected


def test_ssrn_has_the_published_sizes():
    model = build_example("ssrn", {})
    spectral_block = 2 * (2 * 24 + convolution(24, 24, 7, bias=False))
    spatial_block = 2 * (2 * 24 + convolution(24, 24, 3, 3, bias=False))
    by_hand = (
        normed(1, 24, 7)
        + 2 * spectral_block
        + 2 * 24
        + convolution(24, 128, 97, bias=False)
        + 2 * 128
        + convolution(128, 24, 3, 3, bias=False)
        + 2 * spatial_block
        + 2 * 24
        + convolution(24, 16)
    )
    assert parameters(model) == by_hand == 363_848
    shapes = []
    for layer in (*model.spectral, *model.spatial):
        layer.register_forward_hook(lambda m, i, o: shapes.append(tuple(o.shape[1:])))
    with torch.no_grad():
        model.eval()(torch.zeros(1, 200, 7, 7))
    assert shapes[:4] == [(24, 97, 7, 7)] * 3 + [(128, 1, 7, 7)]
    assert shapes[4:7] == [(24, 5, 5)] * 3
    assert shapes[-1] == (16,)


def test_inception_1d_by_hand():
    """Module 3a scaled to 64, 96 and 128 channels; the spectrum is halved four times, to 12."""
    modules = [
        (32, (16, 24, 32, 4, 8, 8)),
        (64, (24, 36, 48, 6, 12, 12)),
        (96, (32, 48, 64, 8, 16, 16)),
    ]
    count = normed(1, 32, 7)
    for width, (one, reduce3, three, reduce5, five, project) in modules:
        count += normed(width, one) + normed(width, project)
        count += normed(width, reduce3) + normed(reduce3, three, 3)
        count += normed(width, reduce5) + normed(reduce5, five, 5)
    count += convolution(128 * 12, 16)
    assert MODELS["inception_1d"].example_parameters == count


@pytest.mark.parametrize("name", ["ssrn", "inception_1d", "hybridsn_inception"])
@pytest.mark.parametrize("keys", [{"window": 2}, {"window": 9}, {"in_channels": 5}])
def test_the_others_refuse_what_they_cannot_take(name, keys):
    if name == "ssrn" and keys == {"window": 9}:
        keys = {"window": 1}
    with pytest.raises(ShapeError, match=r"expected"):
        build_example(name, keys)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_has_a_shipped_configuration(name):
    config = classification_config(dataset="synthetic", model=name)
    assert config.model.name == name
    options = config.model.options
    window = config.model.window
    build_model(name, in_channels=30, num_classes=3, window=window, options=options, generator=None)
