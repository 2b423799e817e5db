"""The classification networks: shapes, counts, initial weights, and what registering demands."""

import importlib
import inspect
import pkgutil
from importlib.metadata import EntryPoint, EntryPoints

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refusal
from torch import nn

import hsi_suite.models
from hsi_suite.backbones.blocks import BLOCKS
from hsi_suite.backbones.dimension import ACTIVATIONS, NORMS
from hsi_suite.backbones.squeeze_excitation import ATTENTIONS
from hsi_suite.backbones.stages import stage_blocks
from hsi_suite.data.patches import WindowSampler
from hsi_suite.engine.dense import pixel_logits, runs_dense, scene_features, strip_logits
from hsi_suite.engine.task import WindowNetwork
from hsi_suite.errors import ConfigError, ShapeError, UnknownNameError
from hsi_suite.models import known_words
from hsi_suite.models.building import build_denoiser, build_example, build_model, build_retriever
from hsi_suite.models.classic_classifier import CLASSIC_MODELS
from hsi_suite.models.classical import CLASSICAL
from hsi_suite.models.description import window_equivariant
from hsi_suite.models.dropout import dropout_layers
from hsi_suite.models.encoders import ENCODERS
from hsi_suite.models.hybridsn import HybridSN
from hsi_suite.models.known_names import CLASSIC_NETWORKS, CLASSICAL_MODELS, require_model
from hsi_suite.models.known_names import NETWORKS as NETWORK_NAMES
from hsi_suite.models.known_options import OPTIONS, SEE_SINGLE_PIXELS, require_options
from hsi_suite.models.registry import MODELS
from hsi_suite.models.shipped import SHIPPED
from hsi_suite.models.spec import PURPOSES

CLASSIFIERS = [
    name for name in MODELS if MODELS[name].task == "classification" and name not in CLASSIC_MODELS
]
DENOISERS = [name for name in MODELS if MODELS[name].task == "denoising"]
RETRIEVERS = [name for name in MODELS if MODELS[name].task == "retrieval"]
NETWORKS = CLASSIFIERS + DENOISERS + RETRIEVERS
# Enough for every classifier.
BANDS = 24


# These see the batch in training; all others see a window as a part of the scene always.
BATCH_NORMED = {"ssrn", "inception_1d"}
# What torch's own containers hold beside the shared blocks: the norm that ends residual blocks.
BARE = {("ssrn", "spatial.3")}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def least_window(name):
    """The smallest window of a classifier, or that of its paper where it is small."""
    published = MODELS[name].example["window"]
    return getattr(MODELS[name].factory, "least_window", published)


def small(name, seed=0):
    """A small instance and a batch for it."""
    generator = torch.Generator().manual_seed(seed)
    if MODELS[name].task == "denoising":
        channels = MODELS[name].example["in_channels"]
        model = build_denoiser(name, in_channels=channels, options={}, generator=generator)
        given = torch.rand(3, channels + model.takes_noise_map, 18, 15, generator=generator)
        return model, given
    if MODELS[name].task == "retrieval":
        sizes = {"first_shape": (20,), "second_shape": (3, 7, 7), "num_classes": 4}
        options = {"first_encoder": "residual_1d", "second_encoder": "inception_2d"}
        model = build_retriever(name, **sizes, options=options, generator=generator)
        return model, torch.randn(6, 20 + 3 * 49, generator=generator)
    window = least_window(name)
    model = build_model(
        name, in_channels=BANDS, num_classes=4, window=window, options={}, generator=generator
    )
    return model, torch.randn(6, BANDS, window, window, generator=generator)


def test_hybridsn_has_the_published_layers():
    model = HybridSN(30, 16, 25)
    assert parameters(model) == 5_122_176
    counts = [parameters(layer) for layer in (*model.spectral_spatial, *model.spatial)]
    assert counts == [512, 5_776, 13_856, 331_840]
    assert [parameters(m) for m in model.head if isinstance(m, nn.Linear)] == [
        4_735_232,
        32_896,
        2_064,
    ]
    assert [m.p for m in model.head if isinstance(m, nn.Dropout)] == [0.4, 0.4]
    shapes = []
    for layer in (*model.spectral_spatial, *model.spatial):
        layer.register_forward_hook(lambda m, i, o: shapes.append(tuple(o.shape[1:])))
    with torch.no_grad():
        model(torch.zeros(1, 30, 25, 25))
    assert shapes == [(8, 24, 23, 23), (16, 20, 21, 21), (32, 18, 19, 19), (64, 17, 17)]


def test_hybridsn_starts_from_glorot_uniform_weights_and_zero_biases():
    model = build_model(
        "hybridsn",
        in_channels=30,
        num_classes=16,
        window=25,
        options={},
        generator=torch.Generator().manual_seed(0),
    )
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear):
            kernel = layer.weight[0, 0].numel()
            limit = (6 / ((layer.weight.shape[0] + layer.weight.shape[1]) * kernel)) ** 0.5
            assert layer.weight.abs().max() <= limit
            assert float(layer.weight.detach().std()) == pytest.approx(limit / 3**0.5, rel=0.1)
            assert (layer.bias == 0).all()


@pytest.mark.parametrize("keys", [{"window": 7}, {"window": 10}, {"in_channels": 12}])
def test_hybridsn_refuses_what_it_cannot_take(keys):
    with pytest.raises(ShapeError, match=r"HybridSN: .*expected"):
        HybridSN(**{"in_channels": 30, "num_classes": 3, "window": 9, **keys})


def test_features_of_a_scene_hold_those_of_its_windows():
    model = HybridSN(15, 3, 9).double().eval()
    scene = torch.randn(1, 15, 20, 18, dtype=torch.float64)
    with torch.no_grad():
        whole = model.features(scene)
        window = model.features(scene[:, :, 4:13, 6:15])
    torch.testing.assert_close(whole[:, :, 4:5, 6:7], window, rtol=0, atol=1e-12)


def test_every_network_is_covered_here():
    # The classic networks have test_backbones_classic.py.
    assert {*NETWORKS, *CLASSIC_MODELS} == set(MODELS)


@pytest.mark.parametrize("name", NETWORKS)
class TestEveryNetwork:
    def test_declared_parameters_and_input(self, name):
        spec = MODELS[name]
        model = spec.factory(**spec.example)
        assert parameters(model) == spec.example_parameters
        channels = spec.example["in_channels"] if name not in RETRIEVERS else 0
        expected = (16,) if name in CLASSIFIERS else (channels, *spec.example_input[1:])
        if name in RETRIEVERS:
            expected = (2, spec.example["num_classes"])
        with torch.no_grad():
            assert model.eval()(torch.zeros(2, *spec.example_input)).shape == (2, *expected)

    def test_convolutions_and_norms_come_from_the_shared_blocks(self, name):
        model = small(name)[0]
        for path, module in model.named_modules():
            if not isinstance(module, nn.modules.conv._ConvNd | nn.modules.batchnorm._BatchNorm):
                continue
            steps = path.split(".")
            owners = (model.get_submodule(".".join(steps[:depth])) for depth in range(len(steps)))
            shared = [type(owner).__module__.startswith("hsi_suite.backbones.") for owner in owners]
            assert any(shared) or (name, path) in BARE, path

    def test_gradients_reach_every_parameter(self, name):
        model, windows = small(name)
        model(windows).square().sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())

    def test_a_pixel_does_not_depend_on_its_batch(self, name):
        model, windows = small(name)
        model.eval()
        with torch.no_grad():
            torch.testing.assert_close(
                model(windows)[2:3], model(windows[2:3]), rtol=1e-4, atol=1e-5
            )

    def test_the_seed_fixes_the_weights(self, name):
        first, again, other = small(name)[0], small(name)[0], small(name, 1)[0]
        pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
        assert all(torch.equal(a, b) for a, b, _ in pairs)
        assert any(not torch.equal(a, c) for a, _, c in pairs)

    def test_weights_survive_a_round_trip(self, name):
        model, windows = small(name)
        other, _ = small(name, 1)
        other.load_state_dict(model.state_dict())
        with torch.no_grad():
            assert torch.equal(model.eval()(windows), other.eval()(windows))


def test_the_models_room_defines_networks_only():
    for found in pkgutil.iter_modules(hsi_suite.models.__path__, "hsi_suite.models."):
        module = importlib.import_module(found.name)
        for _, entry in inspect.getmembers(module, inspect.isclass):
            if issubclass(entry, nn.Module) and entry.__module__ == found.name:
                assert entry in [MODELS[name].factory for name in MODELS], entry


@torch.no_grad()
def windows_are_seen_as_in_the_scene(see, scene, side, places, tolerance=1e-10):
    """Whether `see` of each window is a part of `see` of the scene, to rounding in fp64."""
    whole = see(scene)
    for line, sample in places:
        part = see(scene[..., line : line + side, sample : sample + side])
        lines, samples = part.shape[-2:]
        there = whole[..., line : line + lines, sample : sample + samples]
        if not torch.allclose(part, there, rtol=0, atol=tolerance):
            return False
    return True


@pytest.mark.parametrize("training", [True, False], ids=["training", "maps"])
@pytest.mark.parametrize("name", CLASSIFIERS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_classifiers_see_windows_as_they_claim(name, training, data):
    model = small(name, seed=data.draw(st.integers(0, 99)))[0].double().train(training)
    # The claim is of equal masks.
    for layer in dropout_layers(model):
        layer.p = 0
    least = max(3, least_window(name))
    side = data.draw(st.integers(least, least + 3))
    lines, samples = (data.draw(st.integers(side + 1, least + 6)) for _ in range(2))
    place = st.tuples(st.integers(0, lines - side), st.integers(0, samples - side))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    scene = torch.randn(2, BANDS, lines, samples, generator=generator, dtype=torch.float64)
    places = [data.draw(place), (lines - side, samples - side)]
    claim = not (training and name in BATCH_NORMED)
    assert window_equivariant(model, training) == model.window_equivariant(training) == claim
    assert windows_are_seen_as_in_the_scene(model.features, scene, side, places) == claim


@pytest.mark.parametrize("training", [True, False], ids=["training", "maps"])
@pytest.mark.parametrize("name", sorted(DENOISERS))
def test_other_networks_see_windows_as_they_claim(name, training):
    model, given = small(name)
    model = model.double().train(training)
    scene = torch.rand(2, given.shape[1], 24, 20, dtype=torch.float64)
    seen = windows_are_seen_as_in_the_scene(model, scene, 16, [(0, 0), (3, 2), (8, 4)])
    assert window_equivariant(model, training) == seen


@pytest.mark.parametrize(
    ("extra", "training", "maps"),
    [
        (nn.BatchNorm2d(64), False, True),
        (nn.GroupNorm(8, 64), False, False),
        (nn.Conv2d(64, 64, 3, padding=1), False, False),
        (nn.Conv2d(64, 64, 3), True, True),
    ],
    ids=["batch norm", "group norm", "padding", "valid"],
)
def test_hybridsn_withdraws_a_claim_that_no_longer_holds(extra, training, maps):
    model = HybridSN(15, 3, 9).double()
    # The head has no part in the claim.
    model.spatial.append(extra.double())
    scene = torch.randn(2, 15, 18, 17, dtype=torch.float64)
    for when, claim in ((True, training), (False, maps)):
        model.train(when)
        assert model.window_equivariant(when) == claim
        assert (
            windows_are_seen_as_in_the_scene(model.features, scene, 13, [(0, 0), (4, 3)]) == claim
        )


def test_features_are_what_the_head_sees():
    for name in CLASSIFIERS:
        model, windows = small(name)
        with torch.no_grad():
            features = model.eval().features(windows)
            if isinstance(model, WindowNetwork):
                first, rest = model.split_head()
                seen = rest(features if first is None else first(features.flatten(1)))
            else:
                seen = model.head(features.flatten(1))
            torch.testing.assert_close(seen, model(windows), rtol=1e-5, atol=1e-6)


DENSE = [name for name in CLASSIFIERS if isinstance(small(name)[0], WindowNetwork)]


@pytest.mark.parametrize("wider", [0, 2])
@pytest.mark.parametrize("name", DENSE)
def test_scenes_give_the_maps_and_gradients_of_their_windows(name, wider):
    generator = torch.Generator().manual_seed(2)
    model = build_model(
        name, in_channels=BANDS, num_classes=4, window=least_window(name) + wider, options={},
        generator=generator,
    ).double().eval()  # fmt: skip
    for key, value in model.state_dict().items():
        if key.endswith(("running_mean", "running_var")):
            value.uniform_(0.5, 2, generator=generator)
    scene = torch.randn(BANDS, 7, 5, generator=generator, dtype=torch.float64)
    windows = WindowSampler(scene, model.window)
    pixels = torch.arange(7 * 5)
    by_windows = model(windows.gather(pixels))
    wanted = torch.ones(7, 5, dtype=torch.bool)
    with torch.no_grad():
        strips = list(strip_logits(model, windows.padded(), wanted, 3))
    assert [line for line, _ in strips] == [0, 3, 6]
    by_strips = torch.cat([logits.flatten(0, 1) for _, logits in strips])
    torch.testing.assert_close(by_strips, by_windows.detach(), rtol=0, atol=1e-10)
    if not runs_dense(model, training=True):
        return
    expected = torch.autograd.grad(by_windows.square().sum(), list(model.parameters()))
    by_scene = pixel_logits(model, scene_features(model, windows.padded()), pixels)
    found = torch.autograd.grad(by_scene.square().sum(), list(model.parameters()))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    "options", [{"channels": {}}, {"channels": {1: 2}}, {"channels": [-4]}, {"block": 3}]
)
def test_values_that_layers_refuse_are_config_errors(options):
    with pytest.raises(ConfigError, match=r"model\.options"):
        build_denoiser("residual_unet", in_channels=1, options=options, generator=None)
    with pytest.raises(ConfigError, match="num_classes: -1; expected a whole number, 1"):
        build_example("hybridsn", {"num_classes": -1})


def test_unknown_models_and_options_are_named():
    keys = {"in_channels": 20, "num_classes": 3, "window": 9, "generator": None}
    with pytest.raises(UnknownNameError, match="Did you mean hybridsn"):
        build_model("hybridns", options={}, **keys)
    with pytest.raises(ConfigError, match="Did you mean dropout"):
        build_model("hybridsn", options={"droput": 0.1}, **keys)
    with pytest.raises(ConfigError, match=r"options\.dropout: 7; expected a number, 0 to below 1"):
        build_model("hybridsn", options={"dropout": 7}, **keys)
    with pytest.raises(
        ConfigError, match=r"options\.dropout: 'much'; expected a number, 0 to below 1"
    ):
        build_model("hybridsn", options={"dropout": "much"}, **keys)


def test_names_that_are_known_without_loading_are_those_of_the_models():
    assert {name: spec.task for name, spec in SHIPPED.items()} == NETWORK_NAMES
    assert set(CLASSIC_MODELS) == CLASSIC_NETWORKS
    assert set(CLASSICAL) == CLASSICAL_MODELS


def test_words_that_are_known_without_loading_are_those_of_the_layers():
    assert known_words.stage_words() == stage_blocks()
    registries = {"norm": NORMS, "activation": ACTIVATIONS, "attention": ATTENTIONS}
    assert {key: list(names) for key, names in registries.items()} == {
        key: list(names) for key, names in known_words.LAYERS.items()
    }
    assert list(known_words.ENCODERS) == list(ENCODERS)


@pytest.mark.parametrize(
    "options",
    [
        *({"block": word} for word in (*BLOCKS, "se_conv", "se_shuffle", "se", "none", "nothing")),
        {"block": {"name": "resmext", "groups": 4}},
        *({key: word} for key in known_words.LAYERS for word in ("none", "nothing", "batch")),
        {"norm": {"name": "bach"}},
        {"stages": {"3d_1": {"block": "nothing"}}},
        {"stages": {"3d_1": {"activation": "nothing"}}},
    ],
    ids=str,
)
def test_words_are_refused_without_loading_as_they_are_with(options):
    fixed = {"in_channels": 15, "num_classes": 3, "window": 9}
    later = refusal(lambda: build_model("hybridsn", **fixed, options=options, generator=None))
    at_once = refusal(lambda: require_options("hybridsn", options))
    # Some are refused by what is known of a stage alone, such as its own size.
    assert at_once == later or (at_once is None and "unknown name" not in later[1])
    wrong = "nothing" in str(options) or "bach" in str(options) or "resmext" in str(options)
    assert (at_once is not None) >= wrong


def test_options_that_are_known_without_loading_are_those_of_the_models():
    arguments = {name: inspect.signature(spec.factory).parameters for name, spec in SHIPPED.items()}
    settled = {name: PURPOSES[spec.task].arguments for name, spec in SHIPPED.items()}
    own = {
        name: tuple(key for key in found if key not in settled[name])
        for name, found in arguments.items()
    }
    assert own | {name: OPTIONS[name] for name in CLASSICAL} == OPTIONS
    assert all(set(OPTIONS[name]) == CLASSICAL[name].SETTINGS for name in CLASSICAL)
    windows = {name: found["window"] for name, found in arguments.items() if "window" in found}
    assert {name for name, each in windows.items() if each.default == 1} == SEE_SINGLE_PIXELS


@pytest.mark.parametrize("value", [7, -0.1, "much", True])
def test_shares_are_judged_without_loading_as_when_a_model_is_built(value):
    with pytest.raises(ConfigError) as early:
        require_options("hybridsn", {"dropout": value})
    with pytest.raises(ConfigError) as late:
        build_example("hybridsn", {"dropout": value})
    assert str(early.value) == str(late.value)
    require_options("hybridsn", {"dropout": 0.5, "block": "residual"})
    require_options("theirs", {"anything": 1})


def test_names_of_other_packages_are_not_refused(monkeypatch):
    offered = {}
    monkeypatch.setattr(
        "hsi_suite.models.known_names.entry_points",
        lambda group: EntryPoints(EntryPoint(n, "x:y", group) for n in offered.get(group, ())),
    )
    with pytest.raises(ConfigError, match="--model: unknown model 'theirs'"):
        require_model("--model", "theirs")
    for group in ("hsi_suite.models", "hsi_suite.tasks"):
        offered.clear()
        offered[group] = ["theirs"]
        require_model("--model", "theirs")
    offered.clear()
    for name in ("auto", "svm", "mine.py:Net"):
        require_model("--model", name, ["auto"])
