"""One vocabulary for the stages of every network: what it builds, keeps, claims and refuses."""

import inspect

import networks_before
import pytest
import torch
from networks_before import encoder as encoder_before
from torch import nn

from hsi_suite.backbones import BLOCKS
from hsi_suite.backbones.dimension import Style
from hsi_suite.backbones.footprint import footprint
from hsi_suite.backbones.initialisation import initialise
from hsi_suite.backbones.stages import StageStyle, build_stage, check_style, stage_blocks
from hsi_suite.engine.dense import runs_dense, scene_features
from hsi_suite.engine.task import WindowNetwork
from hsi_suite.engine.tiles import Tiling
from hsi_suite.errors import ConfigError, ShapeError, UnknownNameError
from hsi_suite.models.building import build_denoiser, build_model, build_retriever
from hsi_suite.models.dncnn import DnCNN, FDnCNN
from hsi_suite.models.encoders import build_encoder
from hsi_suite.models.ffdnet import FFDNet
from hsi_suite.models.registry import MODELS
from hsi_suite.models.residual_unet import ResidualUNet
from hsi_suite.models.unet_parts import unet_level

WORDS = [
    "plain", "residual", "preactivation", "bottleneck", "inception", "separable",
    "inverted_residual", "residual_inception", "inception_resnet_a",
]  # fmt: skip
GROUPS = {name: {"groups": 2} for name in ("resnext", "se_resnext", "shuffle")}
EVERY = [word for word in stage_blocks() if word not in ("se", "inception", "separable")]


def chosen(word):
    """The block as a configuration says it, for narrow stages."""
    return {"name": word, **GROUPS[word]} if word in GROUPS else word


def alive(network, seed=0):
    """The network in evaluation, with weights and statistics that hide nothing."""
    initialise(network, "kaiming", torch.Generator().manual_seed(seed))
    generator = torch.Generator().manual_seed(seed + 1)
    for name, value in network.state_dict().items():
        if name.endswith(("running_mean", "running_var", "bias")):
            value.uniform_(0.1, 0.6, generator=generator)
    return network.eval()


def same(before, now, x):
    """Two networks of the same names, weights and values."""
    theirs, ours = before.eval().state_dict(), now.eval().state_dict()
    assert list(theirs) == list(ours)
    assert all(torch.equal(theirs[name], ours[name]) for name in theirs)
    with torch.no_grad():
        assert torch.equal(before(x), now(x))


# What had a name before the vocabulary is a configuration of it, with the same weights.


@pytest.mark.parametrize("components", [14, 17])  # with 14 an identity would fit the last stage
@pytest.mark.parametrize("name", list(networks_before.NAMED))
def test_named_relatives_are_what_they_were(name, components):
    sizes = {"in_channels": components, "num_classes": 4, "window": 13}
    before = networks_before.NAMED[name](**sizes)
    initialise(before, MODELS[name].initialisation, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    now = build_model(name, **sizes, options={}, generator=generator)
    same(before, now, torch.randn(3, components, 13, 13))
    assert now.margin == before.margin
    for training in (True, False):
        assert now.window_equivariant(training) == before.window_equivariant(training)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("hybridsn_inception", {"stages": {"2d": {"block": "inception"}}}),
        ("hybridsn_residual", {"block": "residual"}),
        ("hybridsn_se", {"stages": {"head": {"attention": {"name": "se", "reduction": 4}}}}),
        ("hybridsn_separable", {"block": "separable", "gather": "weighted"}),
    ],
)
def test_a_named_relative_is_a_configuration_of_hybridsn(name, options):
    sizes = {"in_channels": 15, "num_classes": 3, "window": 11}
    pair = [
        build_model(each, **sizes, options=given, generator=torch.Generator().manual_seed(1))
        for each, given in ((name, {}), ("hybridsn", options))
    ]
    same(*pair, torch.randn(2, 15, 11, 11))


@pytest.mark.parametrize("name", list(networks_before.ENCODERS))
def test_named_encoders_are_what_they_were(name):
    along = [(16,), (37,), (100,)]
    for shape in [(2, side, side) for side in (1, 2, 7, 12)] if "2d" in name else along:
        pair = []
        for build in (encoder_before, build_encoder):
            torch.manual_seed(5)
            pair.append(build(name, shape, 8, 0.1))
        same(*pair, torch.randn(3, *shape))


@pytest.mark.parametrize(
    "word", ["plain", "se", "conv", "residual", "preactivation", "inception_v1", "se_inception"]
)
def test_levels_of_the_unet_are_what_they_were(word):
    pair = []
    for build, style in ((networks_before.unet_level, word), (unet_level, StageStyle(word))):
        torch.manual_seed(5)
        pair.append(build(8, 2, style))
    same(*pair, torch.randn(2, 8, 9, 9))


@pytest.mark.parametrize("norm", ["batch", None])
def test_dncnn_is_what_it_was(norm):
    torch.manual_seed(5)
    before = networks_before.convolution_row(1, 1, 6, 8, norm)
    torch.manual_seed(5)
    now = DnCNN(depth=6, width=8, norm=norm)
    same(before, now.layers, torch.randn(2, 1, 9, 9))
    assert now.receptive_radius == 6


@pytest.mark.parametrize("norm", ["batch", None])
@pytest.mark.parametrize(("network", "cells", "radius"), [(FDnCNN, 1, 6), (FFDNet, 4, 13)])
def test_denoisers_with_a_noise_map_are_what_they_were(network, cells, radius, norm):
    torch.manual_seed(5)
    before = networks_before.convolution_row(3 * cells + 1, 3 * cells, 6, 8, norm)
    torch.manual_seed(5)
    now = network(in_channels=3, depth=6, width=8, norm=norm)
    same(before, now.layers, torch.randn(2, 3 * cells + 1, 9, 9))
    assert now.receptive_radius == radius


# What a stage looks at.


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("word", EVERY)
def test_valid_stages_lose_twice_their_reach(word, dim):
    kernel = (5, 3, 3)[:dim]
    stage = build_stage(
        StageStyle(chosen(word)), 8, 16, dim=dim, kernel_size=kernel, padding="valid"
    ).eval()
    size = (17, 16, 15)[:dim]
    with torch.no_grad():
        found = stage(torch.zeros(1, 8, *size)).shape[2:]
    reach = footprint(stage, dim).reach
    assert found == tuple(n - 2 * r for n, r in zip(size, reach, strict=True))
    if "inception" not in word:
        assert reach == tuple(k // 2 for k in kernel)  # a stage takes what its kernel does


@pytest.mark.parametrize("word", EVERY)
def test_padded_stages_reach_as_far_as_changes_do(word):
    """A position is changed one after the other: which outputs change with it?"""
    style = StageStyle(chosen(word), norm="batch", activation="elu")
    stage = alive(build_stage(style, 8, 16, dim=1)).double()
    for name, value in stage.named_parameters():
        if name.endswith("reduce.weight"):
            value.data *= 0.1  # gates that are not at their ends
    x = torch.randn(1, 8, 41, dtype=torch.float64)
    with torch.no_grad():
        changed = torch.cat([x + 5 * torch.eye(41)[place] for place in range(41)])
        moved = (stage(changed) - stage(x)).abs().amax(1) > 1e-12
    places = moved[:, 20].nonzero().flatten()
    marks = footprint(stage, 1)
    assert marks.whole == word.startswith("se") == (len(places) == 41)
    if not marks.whole:
        assert int((places - 20).abs().max()) == marks.radius


@pytest.mark.parametrize(
    ("norm", "whole"),
    [("batch", False), ("layer", False), ("lrn", False), ("group", True), ("none", False)],
)
def test_norms_that_look_at_everything_are_told(norm, whole):
    stage = build_stage(StageStyle("residual", norm=norm), 8, 8, dim=2)
    assert footprint(stage, 2).whole == whole


def test_unknown_layers_count_as_looking_at_everything():
    assert footprint(nn.Sequential(nn.Bilinear(2, 2, 2)), 2).whole
    with pytest.raises(ConfigError, match="stride 2"):
        footprint(nn.Conv1d(2, 2, 3, stride=2), 1)


# HybridSN: every block in every stage; what claims to be dense is.


def hybridsn(window=17, components=25, **options):
    network = build_model(
        "hybridsn", in_channels=components, num_classes=3, window=window, options=options,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    return alive(network)


@pytest.mark.parametrize("attention", ["none", "se"])
@pytest.mark.parametrize("word", WORDS)
def test_hybridsn_of_any_blocks_says_rightly_whether_it_is_dense(word, attention):
    network = hybridsn(block=word, attention=attention)
    assert isinstance(network, WindowNetwork)
    dense = runs_dense(network, training=False)
    assert dense == (attention == "none")
    scene = torch.randn(25, 20, 19)
    with torch.no_grad():
        window = network.features(scene[None, :, 1:18, 2:19])
        whole = scene_features(network, scene)
    assert whole.shape[1:] == (20 - network.margin, 19 - network.margin)
    side = 17 - network.margin
    assert window.shape == (1, 64, side, side)
    equal = torch.allclose(window[0], whole[:, 1 : 1 + side, 2 : 2 + side], atol=1e-4)
    assert equal == dense


@pytest.mark.parametrize("norm", ["batch", "group", "layer"])
def test_norms_in_hybridsn_are_judged_as_they_are(norm):
    network = hybridsn(window=9, components=14, norm=norm)
    assert network.window_equivariant(training=False) == (norm != "group")
    assert network.window_equivariant(training=True) == (norm == "layer")


def test_stages_of_hybridsn_one_by_one():
    stages = {"3d": {"block": "residual"}, "3d_2": {"block": "plain"}, "2d": {"attention": "se"}}
    network = hybridsn(window=11, components=15, stages=stages, activation="elu")
    kinds = [type(stage).__name__ for stage in network.spectral_spatial]
    assert kinds == ["Residual", "ConvNormAct", "Residual"]
    assert [name for name, _ in network.spatial[0].named_children()][-1] == "attention"
    assert not any(isinstance(m, nn.ReLU) for m in network.spectral_spatial.modules())


def test_a_first_stage_for_features_is_a_plain_one():
    for word in ("separable", "preactivation", "inverted_residual"):
        network = hybridsn(window=11, components=15, block=word)
        assert next(name for name, _ in network.spectral_spatial[0].named_children()) == "conv"
        assert network.initialisation == ("glorot" if word == "preactivation" else "kaiming")
    preactivated = hybridsn(window=11, components=15, block="preactivation")
    assert isinstance(preactivated.spatial[-1][-1], nn.ReLU)
    mixed = hybridsn(window=11, components=15, stages={"3d": {"block": "preactivation"}})
    assert isinstance(mixed.spectral_spatial[-1][-1], nn.ReLU)


def test_windows_too_small_for_the_blocks_are_refused():
    sizes = {"in_channels": 15, "num_classes": 3, "options": {"block": "inception"}}
    with pytest.raises(ShapeError, match="odd window of at least 17"):
        build_model("hybridsn", window=11, generator=None, **sizes)
    with pytest.raises(ShapeError, match="12 components; expected at least 13"):
        build_model("hybridsn", window=17, generator=None, **{**sizes, "in_channels": 12})


# Denoisers: the noise is predicted; tiles with their surroundings are exact or not cut at all.


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", ["dncnn", "fdncnn", "ffdnet", "residual_unet"])
def test_tiles_of_denoisers_of_any_blocks_are_exact(name, word):
    unet = {"channels": [8, 8], "blocks": 1}
    small = unet if name == "residual_unet" else {"depth": 4, "width": 8}
    options = {**small, "block": word, "activation": "relu"}
    network = alive(build_denoiser(name, in_channels=1, options=options, generator=None))
    radius, multiple = network.receptive_radius, network.multiple
    length = 2 * radius + 12 * multiple
    image = torch.rand(1, 1 + network.takes_noise_map, length, 12, dtype=torch.float64)
    network.double()
    tiling = Tiling(4 * multiple, radius, multiple)
    with torch.no_grad():
        whole, tiled = network(image), torch.empty(1, 1, length, 12, dtype=torch.float64)
        for tile in tiling.tiles((length, 12)):
            piece, inner = tiling.surroundings(tile, (length, 12))
            tiled[0, 0][tile] = network(image[..., piece[0], piece[1]])[0, 0][inner]
    torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-9 * float(whole.abs().max()))


@pytest.mark.parametrize("options", [{"attention": "se"}, {"block": "se_residual"}])
def test_gated_denoisers_are_not_cut(options):
    for row in (DnCNN, FDnCNN, FFDNet):
        assert row(depth=4, width=8, **options).receptive_radius is None
    assert ResidualUNet(channels=(8,), **options).receptive_radius is None
    network = alive(DnCNN(depth=4, width=8, **options))
    image = torch.rand(1, 1, 40, 8)
    with torch.no_grad():  # a tile, however much is around it, has other means than the image
        assert not torch.allclose(
            network(image)[..., :4, :], network(image[..., :36, :])[..., :4, :]
        )


@pytest.mark.parametrize("word", WORDS)
def test_dncnn_of_any_blocks_subtracts_what_it_predicts(word):
    network = alive(DnCNN(depth=4, width=8, block=word, scale=0.2 if "resid" in word else None))
    image = torch.rand(2, 1, 9, 7)
    with torch.no_grad():
        assert torch.equal(network(image), image - network.layers(image))


def test_levels_of_a_unet_one_by_one():
    network = ResidualUNet(channels=(8, 12), blocks=1, stages={"level_2": {"block": "inception"}})
    assert len(network.encoders[0][0].body) == 2
    assert network.bottom[0].body.layers is not None
    # Head and tail 2 · 2, level 1 of two units each way 4 · 2, a 5×5 at the bottom 2 · 4, a cell 3.
    assert network.receptive_radius == 4 + 8 + 8 + 3


def test_a_scale_multiplies_what_is_added():
    whole, part = (unet_level(4, 1, StageStyle("plain", scale=scale)) for scale in (None, 0.25))
    part.load_state_dict(whole.state_dict())
    x = torch.randn(1, 4, 5, 5, dtype=torch.float64)
    with torch.no_grad():
        added = whole.double()(x) - x
        torch.testing.assert_close(part.double()(x), x + 0.25 * added)
    scales = [m.scale for m in unet_level(4, 1, StageStyle("residual", scale=0.25)).modules()
              if hasattr(m, "scale")]  # fmt: skip
    assert scales == [0.25]


# Retrieval: both encoders, along spectra and over patches.


@pytest.mark.parametrize("attention", ["none", "se"])
@pytest.mark.parametrize("word", WORDS)
def test_encoders_of_any_blocks(word, attention):
    for name, shape in (("conv_1d", (37,)), ("conv_2d", (2, 9, 9)), ("conv_2d", (2, 1, 1))):
        encoder = build_encoder(name, shape, 8, 0.0, StageStyle(word, attention))
        rows = encoder(torch.randn(4, *shape))
        assert rows.shape == (4, 8)
        rows.sum().backward()
        assert all(p.grad is not None for p in encoder.parameters())
        gates = [m for m in encoder.modules() if type(m).__name__ == "SqueezeExcitation"]
        assert bool(gates) == (attention == "se")


def retriever(options, shapes=((20,), (3, 7, 7))):
    sizes = {"first_shape": shapes[0], "second_shape": shapes[1], "num_classes": 3}
    return build_retriever("dscmr", **sizes, options=options, generator=None)


def test_encoders_of_a_retriever_one_by_one():
    both = {"first_encoder": "conv_1d", "second_encoder": "conv_2d", "hidden": 8, "embedding": 4}
    network = retriever({**both, "block": "residual", "stages": {"second": {"attention": "se"}}})
    kinds = [{type(m).__name__ for m in part.modules()} for part in (network.first, network.second)]
    assert all("Residual" in names for names in kinds)
    assert ["SqueezeExcitation" in names for names in kinds] == [False, True]
    half = retriever({**both, "first_encoder": "mlp", "block": "residual"})
    assert not any(type(m).__name__ == "Residual" for m in half.first.modules())
    with pytest.raises(ConfigError, match=r"mlp.*has no stages"):
        retriever({**both, "first_encoder": "mlp", "stages": {"first": {"block": "residual"}}})
    with pytest.raises(ConfigError, match="mlp and mlp, which have no stages"):
        retriever({"block": "residual"})


# What is refused, in one line that names the key and the words.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block": "residul"}, r"model\.options\.block: unknown name 'residul'.*Did you mean"),
        ({"block": "none"}, r"model\.options\.block: none; expected one of .*plain"),
        ({"block": "reduction_a"}, "reduction_a, which changes sizes"),
        ({"block": "shuffle_up"}, "shuffle_up, which changes sizes"),
        ({"block": 3}, r"model\.options\.block: 3"),
        ({"block": {"groups": 2}}, "a key `name`"),
        ({"block": {"name": "residual", "stride": 2}}, r"block\.stride: set"),
        ({"block": {"name": "residual", "widht": 2}}, "widht: unknown option"),
        ({"scale": 0.2}, r"model\.options\.scale: 0\.2 with block plain, which adds nothing"),
        ({"block": "residual", "scale": 0}, "above 0 and at most 1"),
        ({"block": "residual", "scale": "x"}, "above 0 and at most 1"),
        ({"block": "residual", "scale": True}, "above 0 and at most 1"),
        ({"attention": "sse"}, "attention: unknown name 'sse'"),
        ({"norm": "bach"}, "norm: unknown name 'bach'.*Did you mean batch"),
        ({"activation": "rellu"}, "activation: unknown name 'rellu'"),
        ({"stages": {"2D": {"block": "plain"}}}, r"stages\.2D: no such stage.*Did you mean 2d"),
        ({"stages": {"2d": {"blok": "plain"}}}, r"stages\.2d\.blok: unknown key.*Did you mean"),
        ({"stages": {"2d": "residual"}}, r"stages\.2d: 'residual'; expected keys of"),
        ({"stages": {"head": {"block": "se"}}}, r"stages\.head: more than an attention"),
        ({"stages": ["2d"]}, r"stages: \['2d'\]"),
        ({"gather": "all"}, r"gather: 'all'; expected places or weighted"),
        ({"block": {"name": "plain", "bias": "x"}}, r"block\.bias: 'x'; expected true or false"),
        ({"attention": {"name": "se", "reduction": 1e9}}, r"attention\.reduction: 1000000000\.0"),
        ({"attention": {"name": "se", "reduction": 2000}}, r"reduction: 2000; .* 1 to 1024"),
        ({"attention": {"name": "se", "gate": {"name": "elu", "alpha": "x"}}},
         r"attention\.gate\.alpha: 'x'; expected a number"),
        ({"norm": {"name": "batch", "eps": -1}}, r"norm\.eps: -1; .*above 0 and at most 1"),
        ({"norm": {"name": "lrn", "size": 4}}, "size: 4; expected an odd number"),
        ({"norm": 7}, r"norm: 7; expected a name or options"),
        ({"activation": {"name": "tanh", "slope": 1}}, "slope: unknown.*no options"),
        ({"activation": {"name": "gelu", "approximate": "x"}}, "approximate: 'x'; .*none or tanh"),
        ({"activation": {"name": "relu", "inplace": True}}, r"activation\.inplace: unknown"),
        ({"block": "resnext"}, r"model\.options\.block\.groups: 32 do not divide 4 channels"),
        ({"stages": {"2d": {"block": {"name": "inception", "widths": [1, 2]}}}},
         r"options\.stages\.2d\.block\.widths: \[1, 2\]; expected a list of 6 whole numbers"),
        ({"stages": {"head": {"attention": {"name": "se", "minimum": 0}}}},
         r"stages\.head\.attention\.minimum: 0; expected a whole number, 1 to 1024"),
        ({"dropout": "x"}, r"model\.options\.dropout: 'x'; expected a number, 0 to below 1"),
    ],
)  # fmt: skip
def test_words_that_nobody_knows(options, message):
    with pytest.raises((ConfigError, UnknownNameError), match=message) as error:
        build_model(
            "hybridsn", in_channels=15, num_classes=3, window=11, options=options, generator=None
        )
    assert "\n" not in str(error.value)


# What no number, word or list can be, whatever is asked for.
WRONG = ["", -1, 0.5, float("nan"), 10**12, 1e9, [], [1, 2], {}, {"name": 3}]


@pytest.mark.parametrize("word", stage_blocks())
def test_every_option_of_every_block_names_itself_where_it_is_wrong(word):
    name = StageStyle(word).named()[0]
    options = {*inspect.signature(BLOCKS[name]).parameters, *Style.__annotations__}
    for option in options - {"style", "in_channels", "out_channels"}:
        for value in WRONG:
            try:
                check_style({"block": {"name": word, option: value}}, "stages.2d")
            except ConfigError as error:
                assert error.subject.startswith(f"stages.2d.block.{option}"), error
                assert error.expected and "\n" not in str(error)
            else:
                # Lengths and divisors are those of the place, and so looked at when it is built.
                taken = isinstance(value, list) or (option == "expansion" and value == 0.5)
                assert taken or (option == "scale" and value == 0.5), (option, value)


def test_the_words_are_those_of_the_blocks():
    named = {StageStyle(word).named()[0] for word in stage_blocks()}
    kept = {name for name in BLOCKS if not name.startswith("se_")}
    changing = {"reduction_a", "reduction_b", "inception_v3_b", "inception_v3_d",
                "inception_resnet_reduction_b", "unshuffle_down", "shuffle_up"}  # fmt: skip
    assert named == kept - changing - {name for name in kept if name.endswith("_stem")}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"block": {"name": "conv", "dilation": 0}}, "dilation"),
        ({"block": {"name": "conv", "dilation": -1}}, "dilation"),
        ({"block": {"name": "conv", "groups": 0}}, "groups"),
        ({"block": {"name": "residual", "kernel_size": 0}}, "kernel_size"),
        ({"block": {"name": "bottleneck", "scale": 5}}, "scale"),
        ({"stages": {"2d": {"block": {"name": "residual", "scale": None}}}}, "scale"),
        ({"norm": {"name": "group", "groups": 0}}, "group"),
        ({"norm": {"name": "group", "groups": -4}}, "group"),
    ],
)
def test_sizes_that_no_layer_can_have_are_refused_when_it_is_built(options, named):
    generator = torch.Generator()
    sizes = {"in_channels": 15, "num_classes": 3, "window": 11}
    with torch.device("meta"), pytest.raises(ConfigError, match=named):
        build_model("hybridsn", **sizes, options=options, generator=generator)
