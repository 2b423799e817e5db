"""FFDNet, IRCNN and DRUNet: checkpoints of their layouts against plain torch."""

import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from said_lines import beyond_first

from hsi_suite.api.denoising import denoise
from hsi_suite.errors import InputFileError
from hsi_suite.models.checkpoint_import import import_checkpoint
from hsi_suite.models.description import describe_model
from hsi_suite.models.drunet import DRUNet
from hsi_suite.models.ffdnet import FFDNet
from hsi_suite.models.ircnn import IRCNN
from hsi_suite.models.registry import MODELS
from hsi_suite.tasks.denoising.weights import load_weights
from tests.public_denoisers import (
    drunet_state,
    ffdnet_state,
    ircnn_state,
    run_drunet,
    run_ffdnet,
    run_ircnn,
    run_row,
)
from tests.test_checkpoint_import import Trap, matlab_filters, write_matconvnet

CPU = torch.device("cpu")


def image(channels=1, height=19, width=23):
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(1))


def restored(path, given, sigma):
    with torch.inference_mode():
        return load_weights(path, CPU)(given, sigma / 255)


def close(found, expected):
    assert found.shape == expected.shape
    assert float((found - expected).abs().max()) < 1e-5


@pytest.mark.parametrize(
    ("name", "arguments", "parameters", "radius"),
    [
        # The parameters that the authors' networks have.
        ("ffdnet", {}, 485_316, 31),
        ("ffdnet", {"in_channels": 3, "depth": 12, "width": 96}, 852_108, 25),
        ("ircnn", {"norm": None}, 185_857, 16),
        ("ircnn", {"in_channels": 3, "norm": None}, 188_163, 16),
        ("drunet", {}, 32_638_656, 185),
        ("drunet", {"in_channels": 3}, 32_640_960, 185),
    ],
)
def test_sizes_are_the_published_ones(name, arguments, parameters, radius):
    with torch.device("meta"):
        network = MODELS[name].factory(**arguments)
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert network.receptive_radius == radius
    if not arguments.get("in_channels"):
        assert describe_model(name).network.parameters == parameters


@pytest.mark.parametrize("size", [(19, 23), (20, 22), (1, 1), (2, 9)])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_ffdnet_is_read(tmp_path, channels, size):
    state = ffdnet_state(channels)
    torch.save(state, tmp_path / "ffdnet.pth")
    network = import_checkpoint(tmp_path / "ffdnet.pth")
    assert isinstance(network, FFDNet) and network.receptive_radius == 11
    given = image(channels, *size)
    close(restored(tmp_path / "ffdnet.pth", given, 30), run_ffdnet(state, given, 30 / 255))


@pytest.mark.parametrize("channels", [1, 3])
def test_an_ffdnet_of_matlab_has_its_cells_by_columns(tmp_path, channels):
    state = ffdnet_state(channels)
    swapped = dict(state)
    cells = torch.arange(4 * channels).view(-1, 4)[:, [0, 2, 1, 3]].flatten()
    ends = torch.cat([cells, torch.tensor([4 * channels])])
    swapped["model.0.weight"] = state["model.0.weight"][:, ends]
    for part in ("weight", "bias"):
        swapped[f"model.8.{part}"] = state[f"model.8.{part}"][cells]
    layers = [("SubP", []), ("concat", [])]
    for number in range(5):
        weight, bias = (swapped[f"model.{2 * number}.{part}"] for part in ("weight", "bias"))
        layers += [("conv", [matlab_filters(weight), bias.numpy()[:, None]]), ("relu", [])]
    write_matconvnet(tmp_path / "FFDNet.mat", layers)
    given = image(channels)
    close(restored(tmp_path / "FFDNet.mat", given, 30), run_ffdnet(state, given, 30 / 255))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("sigma", "network"),
    [(0, 0), (1, 0), (2, 0), (2.1, 1), (10, 4), (25, 12), (49, 24), (50, 24), (200, 24)],
)
def test_ircnn_takes_the_network_for_the_noise(tmp_path, channels, sigma, network):
    states = ircnn_state(channels)
    torch.save(states, tmp_path / "ircnn.pth")
    given = image(channels)
    found = restored(tmp_path / "ircnn.pth", given, sigma)
    close(found, run_ircnn(states, given, network))


@pytest.mark.parametrize("channels", [1, 3])
def test_one_network_of_an_ircnn_is_read_by_its_name(tmp_path, hsi, channels):
    states = ircnn_state(channels, networks=13)
    path = tmp_path / "IRCNN-12.pth"
    torch.save(states["12"], path)
    given = image(channels)
    close(restored(path, given, 25), run_ircnn(states, given, 12))
    loaded = load_weights(path, CPU)
    assert loaded.header.model == "ircnn" and loaded.header.sigma is None
    loaded.save(tmp_path / "ours.safetensors")
    close(restored(tmp_path / "ours.safetensors", given, 25), run_ircnn(states, given, 12))
    Image.fromarray(np.zeros((9, 9, 3)[: 2 if channels == 1 else 3], np.uint8)).save(
        tmp_path / "a.png"
    )
    status, _, err = hsi("denoise", tmp_path / "a.png", "--weights", path, "--sigma", "25")
    assert status == 0 and "take no σ; --sigma is not used" in err
    values = given[0].permute(1, 2, 0).mul(255).byte().numpy()
    with pytest.warns(UserWarning, match="take no σ; sigma is not used"):
        denoise(values[..., 0] if channels == 1 else values, weights=path, sigma=25)


def test_seven_convolutions_need_a_name(tmp_path):
    state = ircnn_state(networks=1)["0"]
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(InputFileError, match="a DnCNN or one network of an IRCNN"):
        load_weights(tmp_path / "net.pth", CPU)
    layers = {f"dncnn.{key.removeprefix('model.')}": value for key, value in state.items()}
    torch.save(layers, tmp_path / "net.pth")
    torch.save(state, tmp_path / "my_DnCNN.pth")
    for name in ("net.pth", "my_DnCNN.pth"):
        close(restored(tmp_path / name, image(), 25), image() - run_row(state, image()))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_ffdnet_of_another_code_is_refused(tmp_path, channels):
    # In grey its arrays are those of KAIR's, with σ as the first channel and noise as the result.
    first, last = 4 * channels + (1 if channels == 1 else 3), 4 * channels
    prefix = "module.intermediate_dncnn.itermediate_dncnn"
    state = {
        f"{prefix}.{2 * number}.weight": torch.zeros(out, fan_in, 3, 3)
        for number, (fan_in, out) in enumerate([(first, 6), (6, 6), (6, last)])
    }
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(InputFileError, match=r"ffdnet-pytorch.*Take ffdnet_gray\.pth"):
        load_weights(tmp_path / "net.pth", CPU)


def test_every_even_sigma_has_its_own_network():
    networks = IRCNN(width=1, networks=25)
    for number in range(1, 26):
        for scale in (torch.tensor(2.0 * number) / 255, np.float32(2 * number) / 255):
            assert networks.number_for(float(scale)) == number
        assert networks.number_for((2 * number + 0.1) / 255) == min(number + 1, 25)
    assert networks.choice_text(25 / 255) == "network 13 of 25, for σ 26"


def test_several_networks_are_described_and_saved(tmp_path):
    described = describe_model("ircnn", (2, 9, 9), {"networks": 25})
    assert described.network.parameters == 25 * 185_857
    torch.save(ircnn_state(), tmp_path / "ircnn.pth")
    loaded = load_weights(tmp_path / "ircnn.pth", CPU)
    loaded.save(tmp_path / "ours.safetensors")
    again = load_weights(tmp_path / "ours.safetensors", CPU)
    assert again.header == loaded.header
    with torch.inference_mode():
        assert torch.equal(again(image(), 0.1), loaded(image(), 0.1))


@pytest.mark.parametrize(
    "make", [lambda: ffdnet_state(3, 4, 7), lambda: drunet_state(3, (2, 5), 1)]
)
def test_what_was_read_can_be_saved(tmp_path, make):
    torch.save(make(), tmp_path / "net.pth")
    loaded = load_weights(tmp_path / "net.pth", CPU)
    loaded.save(tmp_path / "ours.safetensors")
    with torch.inference_mode():
        again = load_weights(tmp_path / "ours.safetensors", CPU)(image(3), 0.1)
        assert torch.equal(again, loaded(image(3), 0.1))


def test_a_batch_takes_a_network_for_each_image():
    torch.manual_seed(0)
    networks = IRCNN(width=2, norm=None, networks=3).eval()
    sigmas = torch.tensor([1.0, 6.0, 3.0]).view(3, 1, 1, 1) / 255
    batch = torch.cat([torch.rand(3, 1, 9, 9), sigmas.expand(3, 1, 9, 9)], 1)
    with torch.inference_mode():
        noise = [networks.networks[k](batch[i : i + 1, :1]) for i, k in enumerate((0, 2, 1))]
        close(networks(batch), batch[:, :1] - torch.cat(noise))


@pytest.mark.parametrize("size", [(19, 23), (24, 16), (1, 1), (3, 17)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_drunet_is_read(tmp_path, channels, size):
    state = drunet_state(channels)
    torch.save(state, tmp_path / "drunet.pth")
    network = import_checkpoint(tmp_path / "drunet.pth")
    assert isinstance(network, DRUNet) and network.multiple == 8
    given = image(channels, *size)
    close(restored(tmp_path / "drunet.pth", given, 30), run_drunet(state, given, 30 / 255))


def test_a_drunet_of_other_sizes_is_read(tmp_path):
    state = drunet_state(widths=(3, 5), blocks=1)
    torch.save({"params": {f"module.{k}": v for k, v in state.items()}}, tmp_path / "d.pth")
    close(restored(tmp_path / "d.pth", image(), 5), run_drunet(state, image(), 5 / 255))


def test_a_drunet_scales_with_image_and_noise():
    torch.manual_seed(0)
    network = DRUNet(channels=(4, 6), blocks=1).double().eval()
    x = torch.rand(1, 2, 13, 18, dtype=torch.float64)
    with torch.no_grad():
        assert torch.equal(network(4 * x), 4 * network(x))


@pytest.mark.parametrize("kind", ["ffdnet", "ircnn", "drunet"])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_are_the_whole_and_the_command_says_what_it_used(tmp_path, hsi, kind, channels):
    state = {
        "ffdnet": lambda: ffdnet_state(channels),
        "ircnn": lambda: ircnn_state(channels),
        "drunet": lambda: drunet_state(channels, widths=(4, 4, 4, 4), blocks=1),
    }[kind]()
    torch.save(state, tmp_path / "net.pth")
    generator = np.random.default_rng(0)
    values = generator.integers(0, 256, (67, 91, 3)[: 2 if channels == 1 else 3], dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "odd.png")
    given = torch.from_numpy(values.reshape(67, 91, -1)).permute(2, 0, 1)[None] / 255
    expected = {
        "ffdnet": lambda: run_ffdnet(state, given, 25 / 255),
        "ircnn": lambda: run_ircnn(state, given, 12),
        "drunet": lambda: run_drunet(state, given, 25 / 255),
    }[kind]()
    for tile in ("auto", "16"):
        target = tmp_path / f"{tile}.png"
        status, _, err = hsi(
            "denoise", tmp_path / "odd.png", "--weights", tmp_path / "net.pth", "--sigma", "25",
            "--tile", tile, "-o", target,
        )  # fmt: skip
        assert status == 0, err
        assert ("network 13 of 25, for σ 26" in err) == (kind == "ircnn")
        found = np.asarray(Image.open(target), np.float64).reshape(67, 91, -1)
        wanted = expected[0].permute(1, 2, 0).mul(255).round().clamp(0, 255).numpy()
        assert np.abs(found - wanted).max() <= 1
        assert (found != wanted).mean() < 1e-3


def test_noise_stronger_than_learnt_is_said(tmp_path, hsi):
    torch.save(drunet_state(widths=(2, 2), blocks=1), tmp_path / "net.pth")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "a.png")
    weights = ("--weights", tmp_path / "net.pth", "--overwrite")
    status, _, err = hsi("denoise", tmp_path / "a.png", *weights, "--sigma", "60")
    assert status == 0 and "σ 60.0, is stronger than the σ up to 50" in err
    status, _, err = hsi("denoise", tmp_path / "a.png", *weights, "--sigma", "50")
    assert status == 0 and "stronger" not in err
    (tmp_path / "b").mkdir()
    Image.fromarray(image()[0, 0].mul(255).byte().numpy()).save(tmp_path / "b" / "b.png")
    evaluate = ("evaluate", "--weights", tmp_path / "net.pth", "--data", tmp_path / "b", "--sigma")
    status, out, err = hsi(*evaluate, "25,60")
    assert status == 0 and "σ 60.0, is stronger than the σ up to 50" in err and "b, 1 image:" in out
    assert "is stronger than" not in hsi(*evaluate, "25,50")[2]
    given = np.zeros((9, 9), np.uint8)
    with pytest.warns(UserWarning, match="stronger than the σ up to 50"):
        denoise(given, weights=tmp_path / "net.pth", sigma=60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        denoise(given, weights=tmp_path / "net.pth", sigma=50)


def broken(folder):
    drunet, ffdnet, ircnn = drunet_state(blocks=1), ffdnet_state(), ircnn_state()
    without = {k: v for k, v in drunet.items() if k != "m_up2.0.weight"}
    torch.save(without, folder / "without.pth")
    torch.save({**drunet, **ffdnet}, folder / "mixed.pth")
    torch.save({**drunet, "m_tail.bias": torch.zeros(1)}, folder / "bias.pth")
    wide = {**drunet, "m_body.0.res.0.weight": torch.zeros(10, 9, 3, 3)}
    torch.save(wide, folder / "wide.pth")
    torch.save({"m_head.weight": torch.zeros(4, 2, 3, 3)}, folder / "head.pth")
    torch.save({**drunet, "m_head.weight": torch.zeros(4, 3, 3, 3)}, folder / "map.pth")
    torch.save(drunet_state(channels=2), folder / "two.pth")
    torch.save(drunet, folder / "drunet_deblocking_color.pth")
    torch.save({**ircnn, "7": ircnn_state(width=4)["7"]}, folder / "sizes.pth")
    torch.save({**ircnn, "7": ffdnet}, folder / "stranger.pth")
    torch.save({k: v for k, v in ircnn.items() if k != "3"}, folder / "gap.pth")
    torch.save({"first": ffdnet, "second": ffdnet}, folder / "named.pth")
    torch.save({**ircnn, "5": [1]}, folder / "list.pth")
    torch.save({"0": {}}, folder / "hollow.pth")
    torch.save({}, folder / "nothing.pth")
    torch.save({**drunet, "m_tail.weight": torch.full((1, 4, 3, 3), torch.inf)}, folder / "inf.pth")
    torch.save({**ffdnet, "model.0.weight": torch.zeros(6, 6, 3, 3)}, folder / "six.pth")
    huge = torch.zeros(1).expand(100_000, 5, 3, 3)
    torch.save({**ffdnet, "model.0.weight": huge}, folder / "huge.pth")
    torch.save({**ffdnet, "model.0.weight": torch.zeros(6, 5, 3, 3).to_sparse()}, folder / "sp.pth")
    torch.save({**ircnn, "4": Trap()}, folder / "trap.pth")
    torch.save(drunet, folder / "whole.pth")
    content = (folder / "whole.pth").read_bytes()
    (folder / "half.pth").write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("without.pth", r"a DRUNet without m_up2\.0"),
        ("mixed.pth", r"model\.0 holds weight, bias, and DRUNet has no biases"),
        ("bias.pth", "m_tail holds weight, bias"),
        ("wide.pth", r"m_body\.0\.res\.0 holds weight \(10, 9, 3, 3\)"),
        ("head.pth", r"a DRUNet without m_tail"),
        ("map.pth", r"m_head holds weight \(4, 3, 3, 3\)"),
        ("two.pth", "for 2 channels"),
        ("drunet_deblocking_color.pth", "map is of the quality"),
        ("sizes.pth", "networks 0 and 7 of other sizes"),
        ("stranger.pth", "as network 7"),
        ("gap.pth", "as network 4"),
        ("named.pth", "not numbered as those of IRCNN"),
        ("list.pth", "no state dictionary"),
        ("hollow.pth", "0 convolutions"),
        ("nothing.pth", "0 convolutions"),
        ("inf.pth", "not finite"),
        ("six.pth", "5 convolutions"),
        ("huge.pth", "not stored in full"),
        ("sp.pth", "not stored in full"),
        ("trap.pth", "cannot be read"),
        ("half.pth", "cannot be read"),
    ],
)
def test_wrong_files_are_one_line(tmp_path, name, match, monkeypatch, hsi):
    broken(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputFileError, match=match):
        load_weights(tmp_path / name, CPU)
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "a.png")
    status, _, err = hsi("denoise", "a.png", "--weights", name, "--sigma", "25")
    assert status == 2 and len(beyond_first(err)) == 1 and len(err) < 600
    assert not (tmp_path / "sprung").exists() and not (tmp_path / "a_denoised.png").exists()
