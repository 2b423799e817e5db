"""Pixels by windows or by the scene around them: the cheaper way, and the same numbers."""

import pytest
import torch
from torch import nn

from hsi_suite.data.patches import WindowSampler
from hsi_suite.engine import pixel_ways
from hsi_suite.engine.dense import features_grid, scene_features
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.pixel_ways import plan_parts
from hsi_suite.engine.strategy import count_costs
from hsi_suite.models.building import build_model
from hsi_suite.seeding import SeedStreams
from hsi_suite.tasks.scenes.task import PixelClassification, scene_logits, window_logits

COMPONENTS, CLASSES, WINDOW = 13, 4, 9
LINES, SAMPLES = 30, 13
NETWORKS = ["hybridsn", "hybridsn_se", "ssrn", "cnn2d"]


def network(name="hybridsn", window=WINDOW, dropout=None, components=COMPONENTS):
    options = {} if dropout is None else {"dropout": dropout}
    model = build_model(
        name, in_channels=components, num_classes=CLASSES, window=window, options=options,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    return model.eval()


def sampler(lines=LINES, samples=SAMPLES, window=WINDOW, components=COMPONENTS):
    scene = torch.randn(components, lines, samples, generator=torch.Generator().manual_seed(1))
    return WindowSampler(scene, window)


def some(count, lines=LINES, samples=SAMPLES, seed=2):
    wanted = torch.zeros(lines, samples, dtype=torch.bool)
    order = torch.randperm(wanted.numel(), generator=torch.Generator().manual_seed(seed))
    wanted.view(-1)[order[:count]] = True
    return wanted


def logits(model, scene, wanted, batch_size=64):
    with torch.inference_mode():
        parts = list(scene_logits(model, scene, wanted, batch_size, Observer()))
    return torch.cat([pixels for pixels, _ in parts]), torch.cat([rows for _, rows in parts])


def ways(model, wanted, window=WINDOW):
    scene = sampler(*wanted.shape, window)
    return [(part.place, part.by_windows) for part in plan_parts(model, scene.planes, wanted)]


def two_islands():
    """Three pixels at the top and a square at the bottom, too far apart to share anything."""
    wanted = torch.zeros(LINES, SAMPLES, dtype=torch.bool)
    wanted[0, [1, 6, 11]] = True
    wanted[20:27, 4:11] = True
    return wanted


@pytest.mark.parametrize("forced", [None, True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_way_gives_each_window(name, forced, monkeypatch):
    if forced is not None:
        monkeypatch.setattr(pixel_ways, "_windows_pay", lambda *_: forced)
    model, scene = network(name), sampler()
    expected = window_logits(model, scene, torch.arange(LINES * SAMPLES), 64)
    for wanted in (some(1), some(9), some(150), two_islands(), ~some(0)):
        pixels, got = logits(model, scene, wanted)
        assert torch.equal(pixels, wanted.flatten().nonzero().squeeze(1))
        torch.testing.assert_close(got, expected[pixels], rtol=0, atol=1e-5)


def test_few_pixels_go_by_windows_and_neighbours_by_the_scene():
    model = network()
    assert [way for _, way in ways(model, some(1))] == [True]
    assert [way for _, way in ways(model, some(6))] == [True]
    everything = (slice(0, LINES), slice(0, SAMPLES))
    assert ways(model, ~some(0)) == [(everything, False)]
    assert [way for _, way in ways(model, some(300))] == [False]


def test_parts_whose_windows_do_not_touch_go_their_own_way():
    first, last = (slice(0, 1), slice(1, 12)), (slice(20, 27), slice(4, 11))
    assert ways(network(), two_islands()) == [(first, True), (last, False)]


def test_parts_by_windows_make_one():
    wanted = torch.zeros(90, SAMPLES, dtype=torch.bool)
    wanted[3, 5] = wanted[40, 2] = wanted[80, 11] = True
    assert ways(network(), wanted) == [((slice(3, 81), slice(2, 12)), True)]


@pytest.mark.parametrize("name", ["hybridsn", "ssrn", "cnn2d", "hybridsn_residual"])
def test_the_count_is_that_of_torch(name):
    model, side = network(name), WINDOW - network(name).margin
    costs = count_costs(model, (COMPONENTS, LINES, SAMPLES))
    layers = pixel_ways._layers(model, sampler().planes)
    one = sum(each.products * (side + each.lines) * (side + each.samples) for each in layers)
    assert one == costs.window - costs.head
    # Two halves, each with the margins of all layers; torch's counter takes the same.
    lines, samples = LINES + side - 1, SAMPLES + side - 1
    lines += lines % 2
    if features_grid(model, lines, samples) == (2, 1):
        scene = sum(
            each.products * (lines + 2 * each.lines) * (samples + each.samples) for each in layers
        )
        assert scene == costs.scene


def test_only_deep_kernels_are_slow_where_torch_unfolds():
    deep = {
        name: [each.deep for each in pixel_ways._layers(network(name), sampler().planes)]
        for name in ("ssrn", "hybridsn_separable")
    }
    assert any(deep["ssrn"]) and not any(deep["hybridsn_separable"])


def test_the_choice_has_the_lower_count_beyond_the_quick_answers(monkeypatch):
    model, scene = network(), sampler()
    found = [plan_parts(model, scene.planes, some(count))[0].by_windows for count in range(1, 80)]
    assert found[0] and not found[-1] and found == sorted(found, reverse=True)
    monkeypatch.setattr(pixel_ways, "_FEW", 0)
    counted = [plan_parts(model, scene.planes, some(count))[0].by_windows for count in range(2, 80)]
    assert counted == found[1:]


def test_windows_come_in_equal_batches_no_larger_than_a_strip(monkeypatch):
    monkeypatch.setattr(pixel_ways, "_windows_pay", lambda *_: True)
    monkeypatch.setattr(pixel_ways, "_BATCH_PLACES", 10 * WINDOW**2)
    model, seen = network(), []
    model.register_forward_hook(lambda module, given, out: seen.append(len(out)))
    logits(model, sampler(), some(21))
    assert seen == [7, 7, 7]
    seen.clear()
    logits(model, sampler(), some(21), batch_size=5)
    assert seen == [5, 5, 5, 5, 1]


def test_what_is_dropped_does_not_depend_on_a_choice():
    model = network(dropout=0.5)
    next(each for each in model.modules() if isinstance(each, nn.Dropout)).train()
    everything = (slice(0, LINES), slice(0, SAMPLES))
    assert ways(model, some(1)) == [(everything, False)]


def test_without_wanted_pixels_there_is_nothing():
    parts = scene_logits(network(), sampler(), some(0), 64, Observer())
    assert not list(parts)


@pytest.mark.parametrize("name", ["hybridsn", "ssrn"])
@pytest.mark.parametrize("dense_from", [None, 1])
@pytest.mark.parametrize("count", [3, 200])
def test_a_validation_scores_its_pixels_whichever_way_they_go(name, dense_from, count):
    model, scene = network(name), sampler()
    order = torch.randperm(LINES * SAMPLES, generator=torch.Generator().manual_seed(3))
    classes = torch.randint(
        0, CLASSES, (LINES * SAMPLES,), generator=torch.Generator().manual_seed(4)
    )
    validation = order[:count]
    task = PixelClassification(
        scene, classes, order[count : count + 20], validation, 8, 16, SeedStreams(0), dense_from
    )
    with torch.no_grad():
        found = task.validate(model)
    expected = window_logits(model, scene, validation, 32)
    loss = nn.functional.cross_entropy(expected, classes[validation])
    right = (expected.argmax(1) == classes[validation]).double().mean()
    assert found == {
        "loss": pytest.approx(float(loss), abs=1e-5),
        "accuracy": pytest.approx(float(right)),
    }


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", ["ssrn", "m3d_cnn"])
def test_what_torch_unfolds_goes_by_sixteen_tiles(name, one_thread, monkeypatch):
    model, planes = network(name, components=23), sampler(37, 30, components=23).planes
    lines, samples = (size - model.margin for size in planes.shape[1:])
    assert features_grid(model, lines, samples) == (4, 4)
    assert features_grid(model, lines, 2) == (2, 1)
    with torch.no_grad():
        tiled = scene_features(model, planes)
        monkeypatch.setattr("hsi_suite.engine.dense.unfolds", lambda _: False)
        assert features_grid(model, lines, samples) == (2, 1)
        halves = scene_features(model, planes)
    assert tiled.shape == halves.shape == (len(halves), lines, samples)
    torch.testing.assert_close(tiled, halves, rtol=0, atol=1e-5)
