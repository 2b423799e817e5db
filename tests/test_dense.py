"""A whole scene at once against a window for every pixel: the same numbers, by another way."""

import copy
import os
import signal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes_samples import SMALL, small_cube, write_scene
from torch import nn
from torch.nn import functional

import hsi_suite as hsi
from hsi_suite.data.patches import WindowSampler
from hsi_suite.engine.dense import pixel_logits, runs_dense, scene_features, strip_logits
from hsi_suite.engine.devices import computing, seeded
from hsi_suite.engine.fourier import tile_side
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.sliding import SlidingLinear
from hsi_suite.engine.strategy import count_costs, plan_training
from hsi_suite.engine.task import WindowNetwork
from hsi_suite.engine.trainer import Trainer
from hsi_suite.errors import ConfigError, Stopped
from hsi_suite.models.building import build_model
from hsi_suite.schemas.training import TrainingConfig
from hsi_suite.seeding import SeedStreams
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.task import PixelClassification, scene_logits, window_logits

pytestmark = pytest.mark.stand_in_pictures

CPU = torch.device("cpu")
CLASSES = 4
# All the way through; up to gates that see the features of each window apart; with batch norm.
WHOLLY = ["hybridsn", "hybridsn_inception", "hybridsn_residual", "hybridsn_separable"]
PARTLY = ["hybridsn_se", "hybridsn_se_residual"]
NORMED = ["ssrn"]


def network(window=11, components=13, dropout=0.4, dtype=torch.float32, name="hybridsn"):
    model = build_model(
        name,
        in_channels=components,
        num_classes=CLASSES,
        window=window,
        options={"dropout": dropout},
        generator=torch.Generator().manual_seed(0),
    )
    return model.to(dtype).eval()


def sampler(lines, samples, window=11, components=13, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    scene = torch.randn(components, lines, samples, generator=generator)
    return WindowSampler(scene.to(dtype), window)


def every_window(model, windows, lines, samples):
    """Logits, lines × samples × classes, of each pixel's own window."""
    logits = window_logits(model, windows, torch.arange(lines * samples), 64)
    return logits.reshape(lines, samples, -1)


def by_strips(model, windows, wanted, strip_lines=None):
    """Logits of a scene by strips; NaN in strips that were left out."""
    out = torch.full((*wanted.shape, CLASSES), torch.nan)
    with torch.no_grad():
        for line, logits in strip_logits(model, windows.padded(), wanted, strip_lines):
            out[line : line + len(logits)] = logits
    return out


def dense(model, windows, pixels):
    return pixel_logits(model, scene_features(model, windows.padded()), pixels)


@pytest.mark.parametrize("strip_lines", [1, 2, 5, 16, 17, 40, None])
def test_strips_of_any_height_give_each_window_borders_included(strip_lines):
    model, windows = network(), sampler(17, 14)
    expected = every_window(model, windows, 17, 14)
    got = by_strips(model, windows, torch.ones(17, 14, dtype=torch.bool), strip_lines)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("strip_lines", [3, None])
@pytest.mark.parametrize("name", [*WHOLLY[1:], *PARTLY, *NORMED])
def test_strips_give_each_window_of_every_network(name, strip_lines):
    model, windows = network(name=name), sampler(15, 13)
    generator = torch.Generator().manual_seed(4)
    for key, value in model.state_dict().items():
        if key.endswith(("running_mean", "running_var")):
            value.uniform_(0.5, 2, generator=generator)
    expected = every_window(model, windows, 15, 13)
    got = by_strips(model, windows, torch.ones(15, 13, dtype=torch.bool), strip_lines)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)


def joined_logits(model, windows, wanted, observer=None):
    with torch.inference_mode():
        parts = list(scene_logits(model, windows, wanted, 64, observer or Observer()))
    return torch.cat([pixels for pixels, _ in parts]), torch.cat([rows for _, rows in parts])


@pytest.mark.parametrize("name", PARTLY + NORMED)
def test_heads_over_windows_see_wanted_pixels_only(name, monkeypatch):
    monkeypatch.setattr("hsi_suite.engine.dense._SQUARES", 16)
    model, windows = network(name=name), sampler(14, 12)
    wanted = torch.rand(14, 12, generator=torch.Generator().manual_seed(1)) < 0.4
    wanted[5:10] = False
    seen = []
    model.split_head()[1].register_forward_hook(lambda m, given, out: seen.append(len(out)))
    got = by_strips(model, windows, wanted, 5)
    assert sum(seen) == int(wanted.sum()) and max(seen) <= 16
    expected = every_window(model, windows, 14, 12)
    torch.testing.assert_close(got[wanted], expected[wanted], rtol=0, atol=1e-5)
    assert got[~wanted].isnan().all()
    _, chosen = joined_logits(model, windows, wanted)
    torch.testing.assert_close(chosen, expected[wanted], rtol=0, atol=1e-5)


@pytest.fixture
def transforms(monkeypatch):
    """Let scenes of any size go by Fourier transforms where squares of features are large."""
    monkeypatch.setattr("hsi_suite.engine.sliding._LEAST_PRODUCTS", 0)


@pytest.mark.parametrize(("side", "lines", "samples"), [(9, 30, 61), (17, 20, 40), (19, 1, 2)])
def test_a_sliding_layer_sees_every_square(transforms, side, lines, samples):
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(3 * side * side, 5).double()
    features = torch.randn(3, lines + side - 1, samples + side - 1, generator=generator).double()
    sliding = SlidingLinear(layer, side, lines * samples)
    assert sliding.fourier is not None
    squares = features.unfold(1, side, 1).unfold(2, side, 1).permute(1, 2, 0, 3, 4)
    expected = layer(squares.flatten(2))
    torch.testing.assert_close(sliding(features), expected, rtol=0, atol=1e-12)


def test_a_sliding_layer_under_autocast_rounds_no_more_than_its_features(transforms):
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(3 * 17 * 17, 5)
    features = torch.rand(3, 40, 50, generator=generator).bfloat16()
    expected = functional.conv2d(
        features[None].double(), layer.weight.reshape(5, 3, 17, 17).double(), layer.bias.double()
    )
    with torch.autocast("cpu", torch.bfloat16):
        got = SlidingLinear(layer, 17, 24 * 34)(features)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got.double(), expected[0].permute(1, 2, 0), rtol=0, atol=2e-6)


@pytest.mark.parametrize(("places", "tile"), [(21_025, 32), (207_400, 48)])
def test_larger_scenes_go_by_larger_tiles(places, tile):
    assert tile_side(17, 256, 64, places) == tile


def test_outliers_do_not_blur_their_neighbours(transforms):
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(3 * 17 * 17, 5)
    features = torch.rand(3, 60, 60, generator=generator)
    sliding = SlidingLinear(layer, 17, 44 * 44)
    convolved = functional.conv2d(features[None], sliding.kernels, layer.bias)[0]
    assert not torch.equal(sliding(features), convolved.permute(1, 2, 0))
    features[:, 20:24, 30] = -1e5
    convolved = functional.conv2d(features[None], sliding.kernels, layer.bias)[0]
    assert torch.equal(sliding(features), convolved.permute(1, 2, 0))


@pytest.mark.parametrize("strip_lines", [1, 7, None])
def test_strips_by_fourier_transforms_give_each_window(transforms, strip_lines):
    model, windows = network(window=17), sampler(21, 18, window=17)
    expected = every_window(model, windows, 21, 18)
    got = by_strips(model, windows, torch.ones(21, 18, dtype=torch.bool), strip_lines)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("lines", "samples"), [(1, 1), (3, 2), (1, 30), (26, 3)])
def test_scenes_smaller_than_the_radius_of_a_window(lines, samples):
    model, windows = network(window=15), sampler(lines, samples, window=15)
    expected = every_window(model, windows, lines, samples)
    whole = torch.ones(lines, samples, dtype=torch.bool)
    torch.testing.assert_close(by_strips(model, windows, whole, 2), expected, rtol=0, atol=1e-5)
    with torch.no_grad():
        got = dense(model, windows, torch.arange(lines * samples))
    torch.testing.assert_close(got, expected.flatten(0, 1), rtol=0, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_strips_of_unwanted_pixels_are_left_out_and_the_others_are_right(data):
    lines, samples = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 9))
    window = data.draw(st.sampled_from([9, 11]))
    rows = data.draw(st.lists(st.booleans(), min_size=lines, max_size=lines))
    height = data.draw(st.integers(1, 6))
    wanted = torch.tensor(rows)[:, None] & (torch.arange(samples) % 2 == 0)
    model, windows = network(window=window), sampler(lines, samples, window)
    expected = every_window(model, windows, lines, samples)
    got = by_strips(model, windows, wanted, height)
    for start in range(0, lines, height):
        strip = slice(start, start + height)
        if wanted[strip].any():
            chosen = wanted[strip]
            one, other = got[strip][chosen], expected[strip][chosen]
            torch.testing.assert_close(one, other, rtol=0, atol=1e-5)
        else:
            assert got[strip].isnan().all()


def test_wanted_pixels_come_in_the_order_of_the_scene():
    model, windows = network(), sampler(15, 13)
    wanted = torch.rand(15, 13, generator=torch.Generator().manual_seed(1)) < 0.3
    heard = []
    observer = Observer()
    observer.advance = lambda steps=1, **figures: heard.append(steps)
    pixels, got = joined_logits(model, windows, wanted, observer)
    assert torch.equal(pixels, wanted.flatten().nonzero().squeeze(1))
    expected = every_window(model, windows, 15, 13)[wanted]
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)
    assert sum(heard) == int(wanted.sum()) == len(got)


def gradients(model, windows, pixels, classes, how):
    model.zero_grad()
    logits = dense(model, windows, pixels) if how == "dense" else model(windows.gather(pixels))
    functional.cross_entropy(logits, classes).backward()
    return [p.grad.clone().double() for p in model.parameters()]


def smooth(model):
    """The network with GELU for ReLU: at a kink, rounding alone would turn a gradient on or off."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.GELU())
    return model


@pytest.mark.parametrize(("how", "tolerance"), [("dense", 1e-5), ("patch", 1e-4)])
@pytest.mark.parametrize("name", WHOLLY + PARTLY)
def test_gradients_against_double_precision(name, how, tolerance):
    keys = {"window": 13, "components": 16}
    single, double = (
        smooth(network(**keys, dropout=0.0, dtype=dtype, name=name))
        for dtype in (torch.float32, torch.float64)
    )
    few, many = sampler(30, 26, **keys), sampler(30, 26, **keys, dtype=torch.float64)
    pixels = torch.randperm(30 * 26, generator=torch.Generator().manual_seed(2))[:96]
    classes = torch.randint(0, CLASSES, (96,), generator=torch.Generator().manual_seed(3))
    got = gradients(single, few, pixels, classes, how)
    expected = gradients(double, many, pixels, classes, "patch")
    for value, truth in zip(got, expected, strict=True):
        assert float((value - truth).norm() / truth.norm()) < tolerance


@pytest.mark.parametrize("where", ["corner", "edge", "inside", "one pixel twice"])
def test_gradients_reach_the_same_places_wherever_the_pixels_are(where):
    model, windows = network(dtype=torch.float64), sampler(19, 18, dtype=torch.float64)
    places = {"corner": [0, 17], "edge": [18 * 9, 18 * 18 + 5], "inside": [18 * 9 + 9]}
    pixels = torch.tensor(places.get(where, [100, 100]))
    classes = torch.zeros(len(pixels), dtype=torch.int64)
    by_scene = gradients(model, windows, pixels, classes, "dense")
    by_windows = gradients(model, windows, pixels, classes, "patch")
    for one, other in zip(by_scene, by_windows, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "places, lines, pieces", [(1, 1, 21), (1, 4, 5), (100, 1, 4), (9999, 1, 1)]
)
def test_pieces_of_a_scene_give_the_features_and_gradients_of_windows(
    places, lines, pieces, monkeypatch
):
    monkeypatch.setattr("hsi_suite.engine.dense._PIECE_PLACES", places)
    monkeypatch.setattr("hsi_suite.engine.dense._PIECE_LINES", lines)
    model, windows = network(dtype=torch.float64), sampler(19, 18, dtype=torch.float64)
    pixels = torch.randperm(19 * 18, generator=torch.Generator().manual_seed(2))[:60]
    classes = torch.randint(0, CLASSES, (60,), generator=torch.Generator().manual_seed(3))
    seen = []
    hook = model.spectral_spatial.register_forward_hook(lambda *_: seen.append(None))
    by_scene = gradients(model, windows, pixels, classes, "dense")
    assert len(seen) == pieces
    logits = dense(model, windows, pixels)
    hook.remove()
    torch.testing.assert_close(logits, model(windows.gather(pixels)), rtol=0, atol=1e-12)
    by_windows = gradients(model, windows, pixels, classes, "patch")
    for one, other in zip(by_scene, by_windows, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def task(windows, dense_from, lines=20, samples=18, validation=0, batch_size=24, seed=5):
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randperm(lines * samples, generator=generator)
    classes = torch.randint(0, CLASSES, (lines * samples,), generator=generator)
    return PixelClassification(
        windows, classes, pixels[validation:80], pixels[:validation], batch_size, 32,
        SeedStreams(seed), dense_from,
    )  # fmt: skip


def train(
    dense_from, dtype=torch.float32, checkpoint=None, observer=None, validation=0,
    name="hybridsn", **keys,
):  # fmt: skip
    model = network(dtype=dtype, name=name)
    windows = sampler(20, 18, dtype=dtype)
    config = TrainingConfig(**{"epochs": 3, **keys})
    trainer = Trainer(
        model, task(windows, dense_from, validation=validation), config, SeedStreams(5), CPU,
        checkpoint, observer,
    )  # fmt: skip
    return model, trainer.fit()


def same(first, second):
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", WHOLLY + PARTLY)
def test_weights_after_a_short_training_are_equal_dropout_included(name):
    by_windows, one = train(None, torch.float64, validation=10, name=name)
    by_scene, other = train(1, torch.float64, validation=10, name=name)
    for (name, a), b in zip(
        by_windows.state_dict().items(), by_scene.state_dict().values(), strict=True
    ):
        assert float((a - b).abs().max()) < 1e-9, name
    for row, twin in zip(one.history, other.history, strict=True):
        assert row == pytest.approx(twin, abs=1e-6)  # figures are rounded to single precision


def test_both_ways_draw_the_same_dropout():
    model, windows = network(dropout=0.5, dtype=torch.float64), sampler(20, 18, dtype=torch.float64)
    model.train()
    pixels = torch.arange(40, 90)
    with seeded(11, CPU):
        by_scene = dense(model, windows, pixels)
    with seeded(11, CPU):
        by_windows = model(windows.gather(pixels))
    with seeded(12, CPU):
        other = model(windows.gather(pixels))
    torch.testing.assert_close(by_scene, by_windows, rtol=0, atol=1e-12)
    assert not torch.allclose(other, by_windows)


def test_dense_training_gives_the_same_bits_twice():
    torch.manual_seed(3)
    first, _ = train(1)
    torch.manual_seed(4)
    second, _ = train(1)
    assert same(first, second)


class StopAfter(Observer):
    """Presses Ctrl-C after some steps."""

    def __init__(self, steps):
        self.left = steps

    def advance(self, steps=1, **figures):
        self.left -= steps
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("steps", [1, 4, 6])
def test_dense_training_stopped_and_resumed_is_unbroken(tmp_path, steps):
    whole, expected = train(1, validation=10)
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(Stopped):
        train(1, validation=10, checkpoint=path, observer=StopAfter(steps))
    resumed, result = train(1, validation=10, checkpoint=path)
    assert result.history == expected.history
    assert same(whole, resumed)


@pytest.mark.parametrize("dense_from", [None, 1], ids=["patch", "dense"])
@pytest.mark.parametrize("name", ["hybridsn", "hybridsn_se"])
def test_training_in_bf16_learns_by_either_way(name, dense_from):
    rate = {"learning_rate": 2e-3}
    model, training = train(dense_from, name=name, precision="bf16", epochs=12, optimizer=rate)
    assert all(p.dtype == torch.float32 for p in model.parameters())
    assert training.history[-1]["train_loss"] < 0.7 * training.history[0]["train_loss"]


@pytest.mark.cuda
def test_dense_training_gives_the_same_bits_twice_on_cuda():
    device = torch.device("cuda")
    models = []
    for _ in range(2):
        with computing(device, 1, deterministic=True):
            windows = WindowSampler(torch.ones(13, 20, 18, device=device), 11)
            models.append(network().to(device))
            config = TrainingConfig(epochs=2)
            Trainer(models[-1], task(windows, 1), config, SeedStreams(5), device).fit()
    assert same(*models)


class Pooled(nn.Module):
    """Weighs the components by their mean over all positions, as squeeze and excitation does."""

    def forward(self, x):
        return x * x.mean((2, 3), keepdim=True)


def test_a_network_that_sees_windows_otherwise_goes_by_windows():
    model, windows = network(), sampler(12, 11)
    model.spatial.append(Pooled())
    assert not runs_dense(model, training=False)
    wanted = torch.ones(12, 11, dtype=torch.bool)
    _, got = joined_logits(model, windows, wanted)
    assert torch.equal(got, every_window(model, windows, 12, 11).flatten(0, 1))


def test_batch_norm_goes_dense_for_maps_but_not_for_training():
    model, windows = network(), sampler(12, 11)
    model.spatial.append(nn.BatchNorm2d(64))
    model.spatial[-1].eval().running_mean.uniform_(-1, 1)
    assert runs_dense(model, training=False)
    whole = torch.ones(12, 11, dtype=torch.bool)
    expected = every_window(model, windows, 12, 11)
    torch.testing.assert_close(by_strips(model, windows, whole, 5), expected, rtol=0, atol=1e-5)
    plan = plan_training("auto", model, (13, 12, 11), 100, 32)
    assert (plan.strategy, plan.dense_from) == ("patch", None)
    assert "only way" in plan.text
    with pytest.raises(ConfigError, match=r"train\.strategy: dense"):
        plan_training("dense", model, (13, 12, 11), 100, 32)


def test_costs_of_a_head_over_windows_count_for_each_pixel():
    plain, gated = (network(window=11, name=name) for name in ("hybridsn", "hybridsn_se"))
    before, after = (count_costs(model, (13, 20, 30)) for model in (plain, gated))
    assert after.scene == before.scene
    assert after.head - before.head == after.window - before.window == 2 * 64 * 16


def test_networks_with_batch_norm_train_by_windows():
    plan = plan_training("auto", network(name="ssrn"), (13, 12, 11), 100, 32)
    assert (plan.strategy, plan.dense_from) == ("patch", None)


def test_what_is_no_network_of_windows_has_no_choice():
    spectral = build_model(
        "cnn1d", in_channels=40, num_classes=3, window=1, options={}, generator=None
    )
    for model in (spectral, object()):
        assert not isinstance(model, WindowNetwork)
        assert plan_training("auto", model, (40, 9, 9), 10, 5).strategy == "patch"


def test_costs_are_counted_in_multiply_adds():
    """By hand: outputs × kernel × input channels, layer by layer, for 13 components."""

    def features(side_a, side_b):
        total, depth, width_in = 0, 13, 1
        for width, deep in ((8, 7), (16, 5), (32, 3)):
            side_a, side_b, depth = side_a - 2, side_b - 2, depth - deep + 1
            total += side_a * side_b * depth * width * deep * 9 * width_in
            width_in = width
        return total + (side_a - 2) * (side_b - 2) * 64 * 9 * 32

    head = 64 * 256 + 256 * 128 + 128 * CLASSES
    costs = count_costs(network(window=9), (13, 20, 30))
    assert costs.window == features(9, 9) + head
    assert costs.scene == 2 * features(18, 38)
    assert costs.head == head


def test_a_batch_goes_by_the_scene_where_that_pays():
    """Indian Pines: 12 batches of 256 pixels and one of 2."""
    model = network(window=25, components=30)
    plan = plan_training("auto", model, (30, 145, 145), 3_074, 256)
    assert 2 < plan.dense_from < 256
    costs = count_costs(model, (30, 145, 145))
    assert costs.break_even == plan.dense_from
    dense = 12 * (costs.scene + 256 * costs.head) + 2 * costs.window
    assert f"{dense:.2g} against {3_074 * costs.window:.2g} multiply-adds" in plan.text
    few = plan_training("dense", model, (30, 145, 145), 40, 256)
    assert few.dense_from == 40
    assert plan_training("dense", model, (30, 512, 217), 3_074, 256).dense_from == 256


def test_small_last_batches_go_by_windows():
    windows = sampler(20, 18)
    mixed = task(windows, dense_from=20)
    ways = []
    model = network()
    model.register_forward_hook(lambda module, given, logits: ways.append(len(logits)))
    for step in range(mixed.steps_per_epoch):
        mixed.loss(model, mixed.batch(0, step))
    assert mixed.steps_per_epoch == 4
    assert ways == [8]


@pytest.mark.parametrize(
    ("shape", "window", "pixels", "strategy"),
    [
        ((30, 145, 145), 25, 3_074, "dense"),  # Indian Pines
        ((15, 512, 217), 25, 16_238, "patch"),  # Salinas
        ((15, 610, 340), 25, 12_832, "patch"),  # Pavia University
        ((15, 100, 100), 11, 894, "patch"),  # Jasper Ridge
        ((15, 130, 90), 11, 1_000, "patch"),  # MUUFL Gulfport
        ((30, 145, 145), 25, 40, "patch"),  # a single small batch
    ],
)
def test_auto_takes_the_faster_way(shape, window, pixels, strategy):
    model = network(window=window, components=shape[0])
    before = copy.deepcopy(model)
    plan = plan_training("auto", model, shape, pixels, 256)
    assert plan.strategy == strategy
    assert (plan.dense_from is None) == (strategy == "patch")
    assert same(model, before)
    for named in ("patch", "dense"):
        assert plan_training(named, model, shape, pixels, 256).strategy == named


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def runs(scene, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {
        strategy: hsi.train(**scene, settings=[*SMALL, f"train.strategy={strategy}"], output=folder)
        for strategy in ("patch", "dense", "auto")
    }


def test_the_strategy_taken_is_written_down_and_part_of_the_identity(runs):
    taken = {name: run.config["train"]["strategy"] for name, run in runs.items()}
    assert taken["patch"] == "patch"
    assert taken["dense"] == "dense"
    assert runs["auto"].path == runs[taken["auto"]].path
    assert runs["patch"].path != runs["dense"].path
    for strategy in ("patch", "dense"):
        log = (runs[strategy].path / "log.txt").read_text()
        assert f"(train.strategy={strategy}): the whole scene is estimated" in log


def test_runs_by_both_strategies_learn_alike(runs):
    for first, second in zip(runs["patch"].history, runs["dense"].history, strict=True):
        assert first == pytest.approx(second, rel=0.02, abs=0.01)
    assert hsi.evaluate(runs["dense"].path).equal


def test_dense_is_refused_for_models_that_cannot(scene, tmp_path):
    for model in ("cnn1d", "svm"):
        with pytest.raises(ConfigError, match=r"train\.strategy"):
            hsi.train(
                **scene, model=model, settings=["train.strategy=dense"], output=tmp_path / "runs"
            )
    assert not (tmp_path / "runs").exists()


def test_maps_see_missing_pixels_as_zeros_and_leave_them_out(runs):
    classifier = load_classifier(runs["dense"].path / "model.safetensors", CPU)
    cube, _ = small_cube()
    valid = np.random.default_rng(0).random(cube.shape[:2]) > 0.2
    got = classifier.probabilities(cube, valid)
    assert np.isnan(got[~valid]).all()
    reduced = classifier.reduction.apply(cube)
    reduced[~valid] = 0
    windows = WindowSampler(torch.from_numpy(reduced.transpose(2, 0, 1).copy()), 9)
    expected = every_window(classifier.network, windows, *valid.shape).softmax(-1).numpy()
    np.testing.assert_allclose(got[valid], expected[valid], rtol=0, atol=1e-5)
    nothing = classifier.probabilities(cube, np.zeros_like(valid))
    assert np.isnan(nothing).all()


def test_a_map_in_bf16_is_near_that_in_fp32(runs):
    classifier = load_classifier(runs["dense"].path / "model.safetensors", CPU)
    cube, _ = small_cube()
    exact = classifier.probabilities(cube, None)
    rough = classifier.probabilities(cube, None, precision="bf16")
    assert rough.dtype == np.float32
    assert not np.array_equal(exact, rough)
    np.testing.assert_allclose(rough, exact, rtol=0, atol=0.05)
    np.testing.assert_allclose(rough.sum(-1), 1, rtol=1e-5)


def test_dropout_left_on_in_a_map_is_drawn_from_its_seed(runs):
    classifier = load_classifier(runs["dense"].path / "model.safetensors", CPU)
    cube, _ = small_cube()
    first, again, other = (classifier.probabilities(cube, None, dropout_seed=k) for k in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
