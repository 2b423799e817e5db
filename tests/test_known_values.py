"""What is known of options before anything is loaded, against networks, blocks and layers."""

import itertools

import pytest
from refusals import refusal

from hsi_suite.backbones.blocks import BLOCKS
from hsi_suite.backbones.dimension import ACTIVATIONS, NORMS
from hsi_suite.backbones.squeeze_excitation import ATTENTIONS
from hsi_suite.backbones.stages import STAGE_KEYS
from hsi_suite.models import known_words
from hsi_suite.models.building import build_example
from hsi_suite.models.description import describe_model
from hsi_suite.models.known_inputs import SEE_SIGMA, require_input
from hsi_suite.models.known_layers import block_hints, layer_hints
from hsi_suite.models.known_names import NETWORKS
from hsi_suite.models.known_options import OPTIONS, require_options
from hsi_suite.models.known_values import option_hints, require_settled
from hsi_suite.models.registry import spec_of
from hsi_suite.option_values import SETTLED, hints_of


def plain(hints):
    """Types as texts, in their order; layers are any callable where torch is not loaded."""
    return [
        (key, str(hint).replace("torch.nn.modules.module.Module", "typing.Any"))
        for key, hint in hints.items()
    ]


@pytest.mark.parametrize("name", NETWORKS)
def test_types_of_options_are_those_of_the_networks(name):
    real = hints_of(spec_of(name).factory)
    assert plain(option_hints(name, OPTIONS[name])) == plain({k: real[k] for k in OPTIONS[name]})


@pytest.mark.parametrize("name", BLOCKS)
def test_options_of_blocks_are_those_of_the_blocks(name):
    real, known = hints_of(BLOCKS[name]), block_hints(name)
    assert list(known) == [key for key in real if key not in SETTLED]
    # A stage settles the stride, which is refused by its name.
    known.pop("stride")
    assert plain(known) == plain({key: real[key] for key in known})


@pytest.mark.parametrize("registry", [NORMS, ACTIVATIONS, ATTENTIONS], ids=["norm", "act", "att"])
def test_options_of_layers_are_those_of_the_layers(registry):
    for name in registry:
        real = {k: hint for k, hint in hints_of(registry[name]).items() if k not in SETTLED}
        assert plain(layer_hints(name)) == plain(real)


def test_keys_of_stages_are_those_of_the_stages():
    assert known_words.STAGE_KEYS == STAGE_KEYS
    staged = {name for name in NETWORKS if "stages" in OPTIONS[name]}
    assert staged == {*known_words.STAGES, "residual_unet"}


OF_DENOISING = [name for name, purpose in NETWORKS.items() if purpose == "denoising"]
WRONG_NUMBERS = (-1, 0, 0.5, 3, 10**6, "x", None, True, [], [-1], [8, 0], {"name": "x"})
OF_STYLE = [
    {"scale": 0}, {"scale": 2}, {"scale": "x"},
    {"block": 3}, {"block": {}}, {"block": {"name": 3}}, {"block": {"nmae": "conv"}},
    {"block": {"name": "conv", "kernel_size": -3}}, {"block": {"name": "conv", "kernel_size": "x"}},
    {"block": {"name": "conv", "kernel_size": [3, 0]}}, {"block": {"name": "conv", "stride": 2}},
    {"block": {"name": "conv", "padding": "same"}}, {"block": {"name": "conv", "kernal_size": 3}},
    {"block": {"name": "resnext", "groups": 0}}, {"block": {"name": "se_shuffle", "groups": -4}},
    {"block": {"name": "residual", "convolutions": 5}},
    {"block": {"name": "inception", "widths": [1, 2]}},
    {"block": {"name": "inception_v2", "pool": "x"}},
    {"block": {"name": "inception_resnet_a", "version": 3}},
    {"block": {"name": "residual", "norm": "x"}}, {"block": {"name": "residual", "norm": "none"}},
    {"block": {"name": "residual", "attention": {"name": "se", "reduction": 0}}},
    {"norm": 3}, {"norm": {"name": "batch", "eps": 2}}, {"norm": {"name": "group", "groups": 0}},
    {"norm": {"eps": 1}}, {"norm": {"name": "batch", "x": 1}}, {"norm": [1]},
    {"activation": {"name": "elu", "alpha": -1}}, {"activation": {"name": "relu", "alpha": 1}},
    {"activation": {"name": "gelu", "approximate": "x"}}, {"activation": True},
    {"attention": {"name": "se", "reduction": 5000}}, {"attention": {"name": "se", "gate": "x"}},
    {"attention": {"name": "se", "gate": {"name": "elu", "alpha": "x"}}},
]  # fmt: skip
CASES = [
    *(("hybridsn", said) for said in OF_STYLE),
    *(("hybridsn", {"stages": {"2d": said}}) for said in OF_STYLE),
    *(
        ("hybridsn", {"stages": said})
        for said in (
            {"head": {"norm": "batch"}},
            {"head": {"attention": "se"}},
            3,
            [],
            {"x": {}},
            {"3d_4": {}},
            {"2d": 3},
            {"2d": {"nrm": "batch"}},
        )
    ),
    ("dscmr", {"stages": {"third": {"norm": "batch"}}}),
    ("dscmr", {"first_encoder": "x"}),
    ("residual_unet", {"stages": {"level_4": {"norm": "batch"}}}),
    ("residual_unet", {"stages": {"level_4": {"norm": "x"}}, "channels": [8, 8, 8, 8]}),
    ("residual_unet", {"stages": {"level_2": {"norm": "batch"}}, "channels": [8]}),
    *(
        (name, {option: value})
        for name in ("hybridsn", "resnet_20", "dncnn", "dscmr", "guided_unet", "spectralformer")
        for option, value in itertools.product(OPTIONS[name], WRONG_NUMBERS)
    ),
    *(
        ("residual_unet", {option: value})
        for option, value in itertools.product(("channels", "blocks", "unshuffle"), WRONG_NUMBERS)
    ),
    *(("drunet", {option: 0}) for option in OPTIONS["drunet"]),
]


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_values_are_refused_without_loading_as_they_are_with(name, options):
    at_once = refusal(lambda: require_options(name, options))
    later = refusal(lambda: build_small(name, options))
    if at_once is None and later is not None:
        # What hangs on channels, windows and other options is known when the network is built.
        assert "does not suit" in later[1] or any(word in later[1] for word in HANGS_ON_OTHERS)
    else:
        assert at_once == later


HANGS_ON_OTHERS = ("which adds nothing to its input", "which have no stages")


def build_small(name, options):
    import torch

    with torch.device("meta"):
        build_example(name, options)


def test_of_many_wrong_numbers_few_are_left_for_later():
    judged = [refusal(lambda case=case: require_options(*case)) is not None for case in CASES]
    assert sum(judged) > 0.6 * len(judged)


INPUTS = [
    ("hybridsn", {}, (30,)), ("hybridsn", {}, (1, 30, 25, 25)), ("hybridsn", {}, (30, 25, 24)),
    ("hybridsn", {"window": 9}, None), ("hybridsn", {"in_channels": 9}, (30, 25, 25)),
    ("resnet_20", {}, (2, 3, 32, 32)), ("dncnn", {}, (3,)), ("dncnn", {"in_channels": 3}, None),
    ("residual_unet", {}, (1, 8, 8)), ("residual_unet", {"noise_map": False}, (1, 8, 8)),
    *((name, {}, shape) for name in OF_DENOISING for shape in ((1, 8, 8), (8, 8))),
    *((name, {"num_classes": value}, None) for name in ("hybridsn", "dscmr")
      for value in (0, -1, 1.5, "x", True, 3)),
    ("dscmr", {"first_shape": 3}, None), ("dscmr", {"first_shape": [0]}, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "shape"), INPUTS, ids=str)
def test_inputs_are_refused_without_loading_as_they_are_with(name, options, shape):
    def at_once():
        require_settled(options)
        require_input(name, options, shape)

    later = refusal(lambda: describe_model(name, shape, options))
    early = refusal(at_once)
    assert early == later or (early is None and "images in colour" in later[1])


def test_denoisers_that_see_a_map_of_sigma_are_known():
    seen = {name for name in OF_DENOISING if build_example(name, {}).takes_noise_map}
    assert seen == SEE_SIGMA
