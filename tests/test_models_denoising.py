import pytest
import torch
from torch import nn

from hsi_suite.backbones import begin_silent
from hsi_suite.errors import ConfigError, ShapeError, UnknownNameError
from hsi_suite.models.building import build_denoiser, build_model
from hsi_suite.models.dncnn import DnCNN
from hsi_suite.models.margins import reflect_to_multiple
from hsi_suite.models.registry import MODELS
from hsi_suite.models.residual_unet import ResidualUNet, blind_colour_start
from hsi_suite.tasks.denoising.results import multiply_adds_per_pixel


def small_unet(**options):
    torch.manual_seed(0)
    return ResidualUNet(channels=(8, 16), blocks=1, **options).eval()


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_dncnn_s_has_the_published_layers():
    network = DnCNN(depth=17)
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    shapes = [(m.in_channels, m.out_channels, m.kernel_size, m.padding) for m in convolutions]
    inner = [(64, 64, (3, 3), (1, 1))] * 15
    assert shapes == [(1, 64, (3, 3), (1, 1)), *inner, (64, 1, (3, 3), (1, 1))]
    assert sum(isinstance(m, nn.BatchNorm2d) for m in network.modules()) == 15
    assert sum(isinstance(m, nn.ReLU) for m in network.modules()) == 16
    assert [m.bias is not None for m in convolutions] == [True, *[False] * 15, True]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # 3·3·64 + 64, then depth - 2 times 3·3·64·64 + 2·64, then 3·3·64 + 1.
        ({"depth": 17}, 640 + 15 * (36_864 + 128) + 577),
        ({"depth": 20}, 640 + 18 * (36_864 + 128) + 577),
        ({"in_channels": 3, "depth": 20}, 1_792 + 18 * (36_864 + 128) + 1_731),
        ({"depth": 17, "norm": None}, 640 + 15 * (36_864 + 64) + 577),
    ],
)
def test_dncnn_parameter_counts(options, expected):
    assert parameters(DnCNN(**options)) == expected


def test_dncnn_subtracts_what_it_predicts():
    network = DnCNN(depth=3, width=4).eval()
    image = torch.rand(2, 1, 9, 7)
    assert torch.equal(network(image), image - network.layers(image))


def test_dncnn_refuses_too_few_layers():
    with pytest.raises(ConfigError, match="depth 1"):
        DnCNN(depth=1)


def test_unet_has_no_bias_anywhere():
    assert all(name.endswith("weight") for name, _ in ResidualUNet().named_parameters())


def test_default_unet_fits_its_budget():
    network = ResidualUNet()
    assert parameters(network) == MODELS["residual_unet"].example_parameters
    assert parameters(network) * 4 < 12e6
    ours = multiply_adds_per_pixel(network, 1)
    dncnn = multiply_adds_per_pixel(DnCNN(depth=17), 1)
    assert dncnn == 9 * (64 + 15 * 64 * 64 + 64)
    assert ours < dncnn / 4


@pytest.mark.parametrize("block", ["plain", "inception_v1", "preactivation"])
@pytest.mark.parametrize("factor", [0.125, 4.0])
def test_unet_scales_exactly_by_powers_of_two(block, factor):
    network = small_unet(block=block).double()
    x = torch.rand(1, 2, 13, 18, dtype=torch.float64)
    with torch.no_grad():
        assert torch.equal(network(factor * x), factor * network(x))


def test_unet_scales_by_any_factor():
    network = small_unet().double()
    x = torch.rand(1, 2, 16, 16, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(network(0.3 * x), 0.3 * network(x), rtol=1e-12, atol=1e-14)


def test_squeeze_excitation_gives_scaling_up():
    network = small_unet(block="se").double()
    x = torch.rand(1, 2, 16, 16, dtype=torch.float64)
    with torch.no_grad():
        assert not torch.allclose(network(4 * x), 4 * network(x), rtol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 2), (7, 31), (16, 16)])
def test_unet_takes_any_size(size):
    for block in ("plain", "se"):
        output = small_unet(block=block)(torch.rand(2, 2, *size))
        assert output.shape == (2, 1, *size)
        assert output.isfinite().all()


def test_unet_tiles_with_their_surroundings_are_exact():
    torch.manual_seed(0)
    network = ResidualUNet().eval()
    x = torch.rand(1, 2, 256, 16)
    with torch.no_grad():
        whole, tile = network(x), network(x[..., 24:232, :])
    torch.testing.assert_close(tile[..., 96:112, :], whole[..., 120:136, :], rtol=0, atol=1e-6)


def test_unet_looks_at_its_noise_map():
    network = small_unet()
    image = torch.rand(1, 1, 16, 16)
    outputs = [network(torch.cat([image, torch.full_like(image, s)], 1)) for s in (0.0, 0.2)]
    assert not torch.allclose(*outputs)


def test_unet_gradients_reach_every_parameter():
    network = small_unet().train()
    network(torch.rand(2, 2, 13, 11)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_unet_refuses_an_image_without_pixels():
    with pytest.raises(ShapeError, match="at least one"):
        small_unet()(torch.zeros(1, 2, 0, 4))


@pytest.mark.parametrize("options", [{"channels": []}, {"blocks": 0}, {"channels": [8, 0]}])
def test_unet_refuses_empty_levels(options):
    with pytest.raises(ConfigError, match="empty level"):
        ResidualUNet(**options)


@pytest.mark.parametrize("size", [(9, 12), (5, 16), (16, 16)])
def test_reflection_is_the_one_of_torch(size):
    x = torch.rand(2, 3, *size)
    margins = [-size[1] % 8, -size[0] % 8]
    expected = nn.functional.pad(x, (0, margins[0], 0, margins[1]), mode="reflect")
    assert torch.equal(reflect_to_multiple(x, 8), expected)


def test_reflection_goes_to_and_fro_in_small_images():
    x = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 1, 1, 3)
    assert reflect_to_multiple(x, 8)[0, 0, 0].tolist() == [1, 2, 3, 2, 1, 2, 3, 2]
    assert reflect_to_multiple(x, 8).shape == (1, 1, 8, 8)


@pytest.mark.parametrize("name", ["dncnn", "residual_unet"])
def test_denoisers_are_built_from_their_seed(name):
    def built(seed):
        generator = torch.Generator().manual_seed(seed)
        return build_denoiser(name, in_channels=1, options={}, generator=generator).state_dict()

    before = torch.get_rng_state()
    first, again, other = built(1), built(1), built(2)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[key], again[key]) for key in first)
    weight = next(key for key in first if key.endswith("conv.weight"))
    assert not torch.equal(first[weight], other[weight])


@pytest.mark.parametrize("name", ["dncnn", "residual_unet"])
def test_declared_examples(name):
    spec = MODELS[name]
    network = spec.factory(**spec.example).eval()
    assert parameters(network) == spec.example_parameters
    with torch.no_grad():
        output = network(torch.rand(1, *spec.example_input))
    assert output.shape == (1, 1, *spec.example_input[1:])


def test_tasks_are_kept_apart():
    with pytest.raises(
        ConfigError, match=r"hybridsn is for classification.*dncnn, drunet.*residual_unet"
    ):
        build_denoiser("hybridsn", in_channels=1, options={}, generator=None)
    with pytest.raises(ConfigError, match="dncnn is for denoising"):
        build_model("dncnn", in_channels=1, num_classes=2, window=1, options={}, generator=None)
    with pytest.raises(UnknownNameError, match="Did you mean dncnn"):
        build_denoiser("dncn", in_channels=1, options={}, generator=None)


def test_unknown_options_are_refused():
    with pytest.raises(ConfigError, match="Did you mean depth"):
        build_denoiser("dncnn", in_channels=1, options={"dept": 3}, generator=None)
    with pytest.raises(ConfigError, match=r"options\.depth: 'many'; expected a whole number"):
        build_denoiser("dncnn", in_channels=1, options={"depth": "many"}, generator=None)


def test_a_blind_colour_network_begins_as_the_grey_one_on_luma():
    """Inside the image it takes from every colour what the grey one finds in luma."""
    options = {"channels": [4, 6], "blocks": 1}
    grey = ResidualUNet(1, **options)
    colour = ResidualUNet(3, **options, noise_map=False, offset=True)
    luma, sigma = (0.299, 0.587, 0.114), 0.04
    colour.load_state_dict(blind_colour_start(grey.state_dict(), sigma, luma))
    image = torch.rand(1, 3, 64, 64)
    brightness = (image * torch.tensor(luma)[None, :, None, None]).sum(1, keepdim=True)
    with torch.no_grad():
        found = brightness - grey(torch.cat([brightness, torch.full_like(brightness, sigma)], 1))
        taken = image - colour(image)
    inner = slice(24, 40)
    for channel in range(3):
        assert torch.allclose(taken[0, channel, inner, inner], found[0, 0, inner, inner], atol=1e-5)
    assert not torch.allclose(found[0, 0, inner, inner], torch.zeros(16, 16), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "channels"),
    [("dncnn", 1), ("ircnn", 1), ("residual_unet", 1), ("guided_unet", 3), ("refined_unet", 3)],
)
def test_training_begins_with_images_as_they_are_where_the_noise_is_predicted(name, channels):
    generator = torch.Generator().manual_seed(0)
    network = build_denoiser(name, in_channels=channels, options={}, generator=generator).eval()
    image = torch.rand(1, channels + network.takes_noise_map, 16, 16)
    drawn = {key: value.clone() for key, value in network.state_dict().items()}
    assert (network(image) - image[:, :channels]).abs().amax() > 1e-3
    begin_silent(network)
    torch.testing.assert_close(network(image), image[:, :channels], rtol=0, atol=1e-6)
    changed = [key for key, value in network.state_dict().items() if not value.equal(drawn[key])]
    last = (
        "layers.16.",
        "networks.0.6.",
        "tail.",
        "brightness.tail.",
        "colour.tail.",
        "first.tail.",
    )
    assert changed and all(key.startswith((*last, "second.tail.")) for key in changed)


def test_networks_that_predict_the_image_keep_what_is_drawn():
    generator = torch.Generator().manual_seed(0)
    network = build_denoiser("fdncnn", in_channels=1, options={}, generator=generator)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    begin_silent(network)
    assert all(value.equal(before[key]) for key, value in network.state_dict().items())
