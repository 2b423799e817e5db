"""The networks of the papers' tables: sizes by hand, what they refuse, what they learn."""

import math

import pytest
import torch
from scenes_samples import small_cube
from torch import nn

import hsi_suite as hsi
from hsi_suite.backbones import SelfAttention, SummedBranches, TokenFusion
from hsi_suite.engine.optimisation import build_optimizer
from hsi_suite.errors import ConfigError, ShapeError
from hsi_suite.models.building import build_example, build_model
from hsi_suite.schemas.training import OptimizerConfig
from hsi_suite.tasks.scenes.configuration import classification_config

TABLES = {"cnn2d": 5, "cnn3d": 5, "m3d_cnn": 7, "spectralformer": 1}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def convolution(in_channels, out_channels, *kernel):
    return in_channels * out_channels * math.prod(kernel) + out_channels


def shapes_inside(name, layers, shape):
    """The shapes that the chosen layers of the usual instance give for one input."""
    model, shapes = build_example(name, {}), []
    for layer in layers(model):
        layer.register_forward_hook(lambda m, i, o: shapes.append(tuple(o.shape[1:])))
    with torch.no_grad():
        model.eval()(torch.zeros(1, *shape))
    return shapes


def test_cnn2d_has_the_published_layers():
    """30 components: 90 and 270 kernels of 3×3 leave one place of 5×5; 180 hidden units."""
    by_hand = [
        convolution(30, 90, 3, 3), convolution(90, 270, 3, 3), convolution(270, 180),
        convolution(180, 16),
    ]  # fmt: skip
    assert sum(by_hand) == parameters(build_example("cnn2d", {})) == 295_036
    shapes = shapes_inside("cnn2d", lambda m: m.spatial, (30, 5, 5))
    assert shapes == [(90, 3, 3), (270, 1, 1)]


def test_cnn3d_has_the_published_layers():
    """200 bands become 100, 50 and 26, the window one pixel."""
    by_hand = [
        convolution(1, 20, 3, 3, 3), convolution(20, 20, 3), convolution(20, 35, 3, 3, 3),
        convolution(35, 35, 3), convolution(35, 35, 3), convolution(35, 35, 2),
        convolution(35 * 26, 16),
    ]  # fmt: skip
    assert sum(by_hand) == parameters(build_example("cnn3d", {})) == 45_196
    assert shapes_inside("cnn3d", lambda m: m.volume, (200, 5, 5)) == [
        (20, 200, 3, 3), (20, 100, 3, 3), (35, 100, 1, 1), (35, 50, 1, 1), (35, 50, 1, 1),
        (35, 26, 1, 1),
    ]  # fmt: skip


def test_m3d_cnn_has_the_published_layers():
    """Stride 3 makes 64 of 200 bands, the last kernels 62, the maximum 20 of 2×2 places."""
    lengths = sum(convolution(16, 16, length) for length in (1, 3, 5, 11))
    by_hand = [
        convolution(1, 16, 11, 3, 3), lengths, lengths, convolution(16, 16, 3, 2, 2),
        convolution(16 * 20 * 2 * 2, 16),
    ]  # fmt: skip
    model = build_example("m3d_cnn", {})
    assert sum(by_hand) == parameters(model) == 35_552
    assert [m.p for m in model.modules() if isinstance(m, nn.Dropout)] == [0.6]
    shapes = shapes_inside("m3d_cnn", lambda m: [*m.volume, *m.head[:2]], (200, 7, 7))
    blocks = [(16, 64, 5, 5)] * 5
    assert shapes == [*blocks, (16, 62, 4, 4), (16, 62, 4, 4), (16, 20, 2, 2)]


def test_spectralformer_has_the_published_layers():
    """Positions and class token; five blocks; three fusions whose channels are the 201 tokens."""
    block = 128 + 64 * 192 + convolution(64, 64) + 128 + convolution(64, 8) + convolution(8, 64)
    by_hand = [
        convolution(1, 64, 3), 201 * 64, 64, 5 * block, 3 * convolution(201, 201, 2), 128,
        convolution(64, 16),
    ]  # fmt: skip
    model = build_example("spectralformer", {})
    assert sum(by_hand) == parameters(model) == 346_361
    shapes = shapes_inside("spectralformer", lambda m: [*m.blocks, *m.fusions], (200, 1, 1))
    assert shapes == [(201, 64)] * 8


def test_tokens_are_bands_with_their_neighbours_in_a_circle():
    model = build_example("spectralformer", {"in_channels": 6})
    seen = []
    model.embedding.register_forward_hook(lambda m, given, out: seen.append(given[0]))
    model(torch.arange(6.0).reshape(1, 6, 1, 1))
    assert seen[0].flatten().tolist() == [5, 0, 1, 2, 3, 4, 5, 0]


def test_the_third_block_sees_the_first_ones_input_again():
    model = build_example("spectralformer", {"in_channels": 6}).eval()
    fused, given = [], []
    for fusion in model.fusions:
        fusion.register_forward_hook(lambda m, inputs, out: fused.append(inputs))
    for block in model.blocks:
        block.register_forward_hook(lambda m, inputs, out: given.append((inputs[0], out)))
    model(torch.randn(2, 6, 1, 1))
    assert len(fused) == 3
    assert torch.equal(fused[0][0], given[1][1])
    assert torch.equal(fused[0][1], given[0][0])
    assert torch.equal(fused[1][1], given[1][0])
    # What a block is given after a fusion is kept as it was before the fusion.
    assert torch.equal(fused[2][1], given[1][1])


def test_attention_by_its_formula():
    generator = torch.Generator().manual_seed(0)
    layer = SelfAttention(6, heads=2, head_width=3).double()
    x = torch.randn(1, 5, 6, generator=generator, dtype=torch.float64)
    queries, keys, values = (x[0] @ layer.project.weight.T).split(6, dim=1)
    heads = []
    for head in (slice(0, 3), slice(3, 6)):
        scores = queries[:, head] @ keys[:, head].T / 3**0.5
        heads.append(torch.softmax(scores, 1) @ values[:, head])
    expected = layer.output(torch.cat(heads, 1))
    torch.testing.assert_close(layer(x)[0], expected)


def test_branches_are_added():
    double, triple = nn.Conv1d(1, 2, 1, bias=False), nn.Conv1d(1, 2, 1, bias=False)
    nn.init.constant_(double.weight, 2)
    nn.init.constant_(triple.weight, 3)
    assert SummedBranches(double, triple)(torch.ones(1, 1, 4)).unique().tolist() == [5]
    with pytest.raises(ShapeError, match="equal sizes"):
        SummedBranches(double, nn.Conv1d(1, 2, 3))(torch.ones(1, 1, 4))


def test_fused_tokens_are_sums_over_the_tokens_of_both():
    layer = TokenFusion(4)
    later, earlier = torch.randn(2, 1, 4, 3)
    weight = layer.mix.conv.weight[:, :, 0]
    expected = weight[..., 0] @ later[0] + weight[..., 1] @ earlier[0]
    expected = expected + layer.mix.conv.bias[:, None]
    torch.testing.assert_close(layer(later, earlier)[0], expected)


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("cnn2d", {"window": 3}, "cnn2d: a window of 3; expected an odd window of at least 5"),
        ("cnn2d", {"window": 6}, "cnn2d: a window of 6"),
        ("cnn3d", {"window": 3}, "cnn3d: a window of 3; expected an odd window of at least 5"),
        ("cnn3d", {"window": 8}, "cnn3d: a window of 8"),
        ("m3d_cnn", {"window": 3}, "m3d_cnn: a window of 3; expected an odd window of at least 5"),
        ("m3d_cnn", {"in_channels": 22}, "m3d_cnn: 22 bands; expected at least 23"),
        ("spectralformer", {"window": 7}, "spectralformer: a window of 7; expected a window of 1"),
        ("spectralformer", {"in_channels": 2}, "spectralformer: 2 bands; expected at least 3"),
    ],
)
def test_they_refuse_what_they_cannot_take(name, keys, message):
    with pytest.raises(ShapeError) as caught:
        build_example(name, keys)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_groups_of_bands_have_a_centre():
    with pytest.raises(ConfigError, match="a group of 4 bands is not odd"):
        build_example("spectralformer", {"group": 4})


@pytest.mark.parametrize(("name", "least"), [("cnn2d", 1), ("cnn3d", 1), ("m3d_cnn", 23)])
def test_the_fewest_bands_give_logits(name, least):
    model = build_example(name, {"in_channels": least, "num_classes": 3}).eval()
    with torch.no_grad():
        assert model(torch.zeros(2, 1, least, TABLES[name], TABLES[name])).shape == (2, 3)


@pytest.mark.parametrize("name", TABLES)
def test_their_configurations_take_the_windows_of_their_papers(name):
    config = classification_config(dataset="indian_pines", model=name)
    assert config.model.window == TABLES[name]
    assert config.reduction.method == ("pca" if name == "cnn2d" else "standardize")
    assert config.train.selection == "last"
    assert (config.split.kind, config.split.train) == ("random", 0.3)


@pytest.mark.parametrize("name", TABLES)
def test_they_learn_a_small_scene(name):
    cube, labels = small_cube(lines=10, samples=14, bands=24)
    settings = ["train.batch_size=8", "reduction.components=4"]
    model = hsi.SceneClassifier(name, epochs=6, settings=settings, threads=1, verbose=0)
    assert model.fit(cube, labels).score(cube, labels) > 0.9


def test_adagrad_by_its_formula():
    generator = torch.Generator().manual_seed(0)
    weight = nn.Parameter(torch.randn(5, generator=generator, dtype=torch.float64))
    config = OptimizerConfig(name="adagrad", learning_rate=0.01, weight_decay=0.02)
    optimizer = build_optimizer([weight], config)
    w, squares = weight.detach().clone(), torch.zeros(5)
    for _ in range(20):
        gradient = torch.randn(5, generator=generator, dtype=torch.float64)
        weight.grad = gradient.clone()
        optimizer.step()
        gradient = gradient + 0.02 * w
        squares = squares + gradient**2
        w = w - 0.01 * gradient / (squares.sqrt() + 1e-10)
        torch.testing.assert_close(weight.detach(), w)


def test_class_token_and_positions_follow_the_seed():
    first, again, other = (
        build_model(
            "spectralformer", in_channels=9, num_classes=3, window=1, options={},
            generator=torch.Generator().manual_seed(seed),
        )
        for seed in (0, 0, 1)
    )  # fmt: skip
    for name in ("sequence.0.positions", "sequence.0.class_token"):
        start = first.get_parameter(name)
        assert torch.equal(start, again.get_parameter(name))
        assert not torch.equal(start, other.get_parameter(name))
