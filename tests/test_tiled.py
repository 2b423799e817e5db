"""Batches drawn tile by tile: which pixels they have, and what a network makes of them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes_samples import SMALL, write_scene
from torch.nn import functional

import hsi_suite as hsi
from hsi_suite.data.patches import WindowSampler
from hsi_suite.engine.strategy import count_costs, plan_training
from hsi_suite.engine.tiled import TileGrid, tile_logits
from hsi_suite.engine.trainer import Trainer
from hsi_suite.models.building import build_model
from hsi_suite.runs.identity import run_identity
from hsi_suite.schemas.training import TrainingConfig
from hsi_suite.seeding import SeedStreams
from hsi_suite.tasks.scenes.task import PixelClassification

pytestmark = pytest.mark.stand_in_pictures

CLASSES = 4


def network(window=11, dtype=torch.float64, name="hybridsn"):
    model = build_model(
        name,
        in_channels=13,
        num_classes=CLASSES,
        window=window,
        options={},
        generator=torch.Generator().manual_seed(0),
    )
    return model.to(dtype).eval()


def sampler(lines, samples, window=11, dtype=torch.float64):
    scene = torch.randn(13, lines, samples, generator=torch.Generator().manual_seed(0))
    return WindowSampler(scene.to(dtype), window)


def test_tiles_are_counted_line_by_line():
    grid = TileGrid(samples=18)
    assert grid.across == 3
    pixels = torch.tensor([0, 7, 8, 17, 18 * 7 + 7, 18 * 8, 18 * 8 + 16])
    assert grid.tiles(pixels).tolist() == [0, 0, 1, 2, 0, 3, 5]
    assert grid.count(pixels, 3) == 5 + 2


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_an_order_has_every_pixel_once_and_tiles_in_one_piece(data):
    lines, samples = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    places = st.sets(st.integers(0, lines * samples - 1), min_size=1, max_size=60)
    pixels = torch.tensor(sorted(data.draw(places)))
    grid = TileGrid(samples)
    seed = data.draw(st.integers(0, 9))
    first, again = (grid.order(pixels, torch.Generator().manual_seed(seed)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.sort().values.tolist() == pixels.tolist()
    runs = torch.unique_consecutive(grid.tiles(first))
    assert len(runs) == len(torch.unique(runs))


def test_orders_differ_in_tiles_and_inside_them():
    pixels = torch.arange(32 * 24)
    grid = TileGrid(24)
    one, other = (grid.order(pixels, torch.Generator().manual_seed(seed)) for seed in (1, 2))
    first, second = (torch.unique_consecutive(grid.tiles(order)) for order in (one, other))
    assert not torch.equal(first, second)
    inside = [order[grid.tiles(order) == 5] for order in (one, other)]
    assert not torch.equal(*inside)
    assert not torch.equal(inside[0], inside[0].sort().values)


@pytest.mark.parametrize(("lines", "samples"), [(19, 18), (16, 8), (3, 30), (1, 1)])
@pytest.mark.parametrize("name", ["hybridsn", "hybridsn_se", "hybridsn_separable"])
def test_tiles_give_each_window_borders_included(name, lines, samples):
    model, windows, grid = network(name=name), sampler(lines, samples), TileGrid(samples)
    pixels = torch.randperm(lines * samples, generator=torch.Generator().manual_seed(1))[:60]
    with torch.no_grad():
        got = tile_logits(model, grid, grid.cut(windows.padded()), pixels)
        expected = model(windows.gather(pixels))
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["hybridsn", "hybridsn_se_residual"])
def test_tiles_give_the_gradients_of_windows(name):
    model, windows, grid = network(name=name), sampler(19, 18), TileGrid(18)
    cells = grid.cut(windows.padded())
    pixels = torch.tensor([0, 17, 18 * 7 + 9, 18 * 18 + 17, 100, 100])
    classes = torch.tensor([0, 1, 2, 3, 0, 1])
    found = []
    for logits in (tile_logits(model, grid, cells, pixels), model(windows.gather(pixels))):
        model.zero_grad()
        functional.cross_entropy(logits, classes).backward()
        found.append([p.grad.clone() for p in model.parameters()])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def train(dense_from):
    generator = torch.Generator().manual_seed(5)
    pixels = torch.randperm(20 * 18, generator=generator)
    classes = torch.randint(0, CLASSES, (20 * 18,), generator=generator)
    model = network()
    task = PixelClassification(
        sampler(20, 18), classes, pixels[10:90], pixels[:10], 24, 32, SeedStreams(5), dense_from,
        TileGrid(18),
    )  # fmt: skip
    training = Trainer(
        model, task, TrainingConfig(epochs=2), SeedStreams(5), torch.device("cpu")
    ).fit()
    return model, training


def test_weights_after_a_short_training_are_those_of_windows_of_the_same_batches():
    by_windows, one = train(None)
    by_tiles, other = train(1)
    for a, b in zip(by_windows.parameters(), by_tiles.parameters(), strict=True):
        assert float((a - b).detach().abs().max()) < 1e-9
    for row, twin in zip(one.history, other.history, strict=True):
        assert row == pytest.approx(twin, abs=1e-6)


def test_the_plan_counts_the_features_of_tiles():
    model = network(window=25, dtype=torch.float32)
    shape, pixels = (13, 610, 340), 12_832
    costs = count_costs(model, shape)
    # Outputs × kernel × input channels, for 8 + 24 lines and samples of 13 components.
    assert costs.tile == 9 * (
        7 * 30**2 * 8 * 7 + 3 * 28**2 * 16 * 5 * 8 + 26**2 * 32 * 3 * 16 + 24**2 * 64 * 32
    )
    plan = plan_training("auto", model, shape, pixels, 256, tiles=1_100)
    assert (plan.strategy, plan.dense_from) == ("dense", 1)
    dense = 1_100 * costs.tile + pixels * costs.head
    assert f"{dense:.2g} against" in plan.text
    assert plan_training("auto", model, shape, pixels, 256).strategy == "patch"
    sparse = plan_training("auto", model, shape, pixels, 256, tiles=pixels)
    assert (sparse.strategy, sparse.dense_from) == ("patch", None)


def test_a_run_by_tiles_is_written_down_and_others_keep_their_identity(tmp_path):
    settings = [*SMALL, "train.strategy=dense", "train.sampling=tiles"]
    run = hsi.train(**write_scene(tmp_path), settings=settings, output=tmp_path)
    assert run.config["train"]["sampling"] == "tiles"
    assert hsi.evaluate(run.path).equal
    by_tiles = run.config
    by_pixels = {**by_tiles, "train": {**by_tiles["train"], "sampling": "pixels"}}
    rest = {key: value for key, value in by_tiles["train"].items() if key != "sampling"}
    before = {**by_tiles, "train": rest}
    assert run_identity(by_pixels, {}) == run_identity(before, {}) != run_identity(by_tiles, {})
