import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from hsi_suite.errors import HsiSuiteError, InputFileError, UnknownNameError
from hsi_suite.models.checkpoint_import import import_checkpoint
from hsi_suite.models.dncnn import DnCNN, FDnCNN
from hsi_suite.models.folding import activate_in_place, fold_batch_norms
from hsi_suite.models.residual_unet import ResidualUNet
from hsi_suite.tasks.denoising.weights import load_weights

CPU = torch.device("cpu")


def lively(network):
    """The network with batch norms that do something, in evaluation mode."""
    generator = torch.Generator().manual_seed(3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low, high in (
                (module.weight.data, 0.5, 1.5),
                (module.bias.data, -0.3, 0.3),
                (module.running_mean, -0.2, 0.2),
                (module.running_var, 0.3, 2.0),
            ):
                values.uniform_(low, high, generator=generator)
    return network.eval()


def dncnn(**options):
    torch.manual_seed(0)
    return lively(DnCNN(**{"depth": 5, "width": 6, **options}))


def image(channels=1):
    return torch.rand(1, channels, 19, 23, generator=torch.Generator().manual_seed(1))


def outputs(network, given):
    with torch.inference_mode():
        return network(given)


def saoyan_state(network):
    """As SaoYan's training script saves it: one flat row, no biases but those of the norms."""
    state, number = {}, 0
    for layer in network.layers:
        state[f"module.dncnn.{number}.weight"] = layer.conv.weight
        number += 1
        if hasattr(layer, "norm"):
            for name, value in layer.norm.state_dict().items():
                state[f"module.dncnn.{number}.{name}"] = value
            number += 1
        number += hasattr(layer, "activation")
    return state


def kair_state(network):
    """As KAIR keeps it: batch norms merged, layers and activations counted."""
    folded = fold_batch_norms(network)
    return {
        f"model.{2 * number}.{name}": value
        for number, layer in enumerate(folded.layers)
        for name, value in layer.conv.state_dict().items()
    }


def write_matconvnet(path, layers):
    """A MATLAB v7.3 file with net.layers, a cell array of structs with type and weights.

    HDF5 shows the axes of a MATLAB array in reverse, and a last axis of one is not there.
    """

    def matlab(values):
        values = np.asarray(values, np.float32)
        while values.ndim > 2 and values.shape[-1] == 1:
            values = values[..., 0]
        return values.T

    with h5py.File(path, "w", userblock_size=512) as file:
        cells = []
        for number, (kind, arrays) in enumerate(layers):
            group = file.create_group(f"#refs#/layer{number}")
            group["type"] = np.array([[ord(letter)] for letter in kind], np.uint16)
            held = []
            for index, values in enumerate(arrays):
                if values is None:
                    dataset = group.create_dataset(f"w{index}", data=np.zeros(2, np.uint64))
                    dataset.attrs["MATLAB_empty"] = np.uint8(1)
                else:
                    dataset = group.create_dataset(f"w{index}", data=matlab(values))
                held.append([dataset.ref])
            if held:
                group["weights"] = np.array(held, h5py.ref_dtype)
            cells.append([group.ref])
        file.create_dataset("net/layers", data=np.array(cells, h5py.ref_dtype))
    content = bytearray(path.read_bytes())
    content[:19] = b"MATLAB 7.3 MAT-file"
    path.write_bytes(content)


def matlab_filters(weight):
    """PyTorch's (out, in, height, width) as MatConvNet's (height, width, in, out)."""
    return weight.detach().numpy().transpose(2, 3, 1, 0)


def unmerged_matconvnet(network):
    layers = []
    for layer in network.layers:
        bias = None if layer.conv.bias is None else layer.conv.bias.detach().numpy()[:, None]
        layers.append(("conv", [matlab_filters(layer.conv.weight), bias]))
        if hasattr(layer, "norm"):
            norm = layer.norm
            deviation = (norm.running_var + norm.eps).sqrt()
            moments = torch.stack([norm.running_mean, deviation], 1).numpy()
            scale, shift = norm.weight.detach().numpy(), norm.bias.detach().numpy()
            layers.append(("bnorm", [scale[:, None], shift[:, None], moments]))
        if hasattr(layer, "activation"):
            layers.append(("relu", []))
    return layers


def test_folding_changes_nothing():
    for network in (dncnn(), dncnn(in_channels=3)):
        folded = fold_batch_norms(network)
        assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
        assert any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
        given = image(network.layers[0].conv.in_channels)
        assert torch.allclose(outputs(folded, given), outputs(network, given), atol=1e-5, rtol=0)


def test_folding_leaves_networks_without_norms_alone():
    network = ResidualUNet(channels=(4, 8), blocks=1).eval()
    folded = fold_batch_norms(network)
    assert torch.equal(outputs(folded, image(2)), outputs(network, image(2)))


@pytest.mark.parametrize("block", ["plain", "se", "inception_resnet_a"])
def test_activating_in_place_changes_nothing(block):
    network = ResidualUNet(channels=(8, 16), blocks=1, block=block).eval()
    for module, given in ((fold_batch_norms(dncnn()), image()), (network, image(2))):
        expected, kept = outputs(module, given), given.clone()
        activate_in_place(module)
        assert any(getattr(part, "inplace", False) for part in module.modules())
        assert torch.equal(outputs(module, given), expected)
        assert torch.equal(given, kept)


def test_a_flat_state_with_norms_is_read(tmp_path):
    network = DnCNN(depth=12, width=6)
    for layer in (network.layers[0].conv, network.layers[-1].conv):
        nn.init.zeros_(layer.bias)
    lively(network)
    torch.save({"state_dict": saoyan_state(network)}, tmp_path / "net.pth")
    found = import_checkpoint(tmp_path / "net.pth")
    assert isinstance(found, DnCNN) and found.receptive_radius == 12
    assert torch.allclose(outputs(found, image()), outputs(network, image()), atol=1e-5, rtol=0)


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_a_merged_state_is_read(tmp_path, ending):
    network = dncnn(in_channels=3, depth=11)
    path = tmp_path / f"net{ending}"
    state = {name: value.detach().contiguous() for name, value in kair_state(network).items()}
    if ending == ".pth":
        torch.save(state, path)
    else:
        save_file(state, path)
    found = import_checkpoint(path)
    expected = outputs(fold_batch_norms(network), image(3))
    assert torch.equal(outputs(found, image(3)), expected)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_norms_of_kair_have_its_eps(tmp_path, prefix):
    network = dncnn()
    for layer in network.layers[1:-1]:
        # So small that 1e-5 in place of 1e-4 would show.
        layer.norm.running_var.mul_(1e-3)
        layer.norm.eps = 1e-4
    state, number = {}, 0
    for layer in network.layers:
        for part in (layer.conv, getattr(layer, "norm", None), getattr(layer, "activation", None)):
            if part is not None:
                state |= {f"{prefix}model.{number}.{k}": v for k, v in part.state_dict().items()}
                number += 1
    torch.save(state, tmp_path / "net.pth")
    found = import_checkpoint(tmp_path / "net.pth")
    assert torch.allclose(outputs(found, image()), outputs(network, image()), atol=1e-4, rtol=1e-5)


def test_our_own_state_dictionary_is_read(tmp_path):
    network = dncnn()
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    found = import_checkpoint(tmp_path / "net.safetensors")
    assert torch.allclose(outputs(found, image()), outputs(network, image()), atol=1e-5, rtol=0)


def test_a_matconvnet_file_with_norms_is_read(tmp_path):
    network = dncnn()
    write_matconvnet(tmp_path / "net.mat", unmerged_matconvnet(network))
    found = import_checkpoint(tmp_path / "net.mat")
    assert torch.allclose(outputs(found, image()), outputs(network, image()), atol=1e-5, rtol=0)


def test_a_network_told_the_noise_level_is_read(tmp_path):
    torch.manual_seed(0)
    network = FDnCNN(in_channels=1, depth=4, width=5).eval()
    layers = [
        ("conv", [matlab_filters(layer.conv.weight), layer.conv.bias.detach().numpy()[:, None]])
        for layer in network.layers
    ]
    write_matconvnet(tmp_path / "net.mat", layers)
    found = import_checkpoint(tmp_path / "net.mat")
    assert isinstance(found, FDnCNN)
    assert torch.equal(outputs(found, image(2)), outputs(network, image(2)))
    denoiser = load_weights(tmp_path / "net.mat", CPU)
    level = torch.full((1, 1, 19, 23), 0.1)
    expected = outputs(network, torch.cat([image(), level], 1))
    with torch.inference_mode():
        assert torch.allclose(denoiser(image(), 0.1), expected, atol=1e-6)


class Trap:
    def __reduce__(self):
        return (open, ("sprung", "w"))


def unreadable(folder):
    import pickle

    layers = {"a.0.weight": torch.zeros(4, 1, 5, 5), "a.1.weight": torch.zeros(1, 4, 5, 5)}
    torch.save(layers, folder / "kernels.pth")
    torch.save({"head.weight": torch.zeros(10, 20)}, folder / "linear.pth")
    three = {"a.0.weight": torch.zeros(6, 5, 3, 3), "a.1.weight": torch.zeros(3, 6, 3, 3)}
    torch.save(three, folder / "three.pth")
    strange = {"a.0.weight": torch.full((6, 1, 3, 3), torch.nan)}
    torch.save({**strange, "a.1.weight": torch.zeros(1, 6, 3, 3)}, folder / "nan.pth")
    torch.save([1, 2], folder / "list.pth")
    (folder / "trap.pth").write_bytes(pickle.dumps(Trap()))
    torch.save({"net": Trap()}, folder / "code.pth")
    (folder / "empty.pth").write_bytes(b"")
    (folder / "random.safetensors").write_bytes(bytes(range(200)))
    with h5py.File(folder / "other.mat", "w") as file:
        file["cube"] = np.zeros(3)
    write_matconvnet(folder / "pool.mat", [("pool", [np.zeros((3, 3, 1, 2))])])


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("kernels.pth", "2 convolutions, 1→4 of 5×5, 4→1 of 5×5"),
        ("linear.pth", r"head holds weight \(10, 20\)"),
        ("three.pth", "5→6 of 3×3, 6→3 of 3×3"),
        ("nan.pth", "not finite"),
        ("list.pth", "a list that is no state dictionary"),
        ("trap.pth", "cannot be read"),
        ("code.pth", "cannot be read"),
        ("empty.pth", "is empty"),
        ("random.safetensors", "is no checkpoint"),
        ("other.mat", "no struct net with layers, only cube"),
        ("pool.mat", r"net.layers\{1\} \(pool\)"),
        ("missing.pth", "no such file"),
    ],
)
def test_other_files_are_refused_by_what_was_found(tmp_path, name, match, monkeypatch):
    unreadable(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputFileError, match=match) as caught:
        import_checkpoint(tmp_path / name)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
    assert not (tmp_path / "sprung").exists()


def test_names_that_do_not_ship_are_said(tmp_path):
    with pytest.raises(UnknownNameError, match="no 'sharp'"):
        load_weights("sharp", CPU)
    with pytest.raises(InputFileError, match="no such file"):
        load_weights(tmp_path / "sharp.pth", CPU)


def test_a_network_of_another_task_is_refused(tmp_path):
    save_file(
        {"w": torch.zeros(2)},
        tmp_path / "m.safetensors",
        {"header": '{"format": "hsi_suite model 1"}'},
    )
    with pytest.raises(HsiSuiteError, match="another kind of model"):
        load_weights(tmp_path / "m.safetensors", CPU)


@pytest.mark.data
def test_the_published_files_and_the_authors_form_agree(data_dir, tmp_path):
    kair = import_checkpoint(data_dir / "checkpoints/kair_dncnn_25.pth")
    saoyan = import_checkpoint(data_dir / "checkpoints/saoyan_dncnn_s_25.pth")
    for network in (kair, saoyan):
        convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
        shapes = [tuple(m.weight.shape) for m in convolutions]
        assert shapes == [(64, 1, 3, 3), *[(64, 64, 3, 3)] * 15, (1, 64, 3, 3)]
    layers = [
        ("conv", [matlab_filters(layer.conv.weight), layer.conv.bias.detach().numpy()[:, None]])
        for layer in kair.layers
    ]
    write_matconvnet(tmp_path / "sigma=25.mat", layers)
    found = import_checkpoint(tmp_path / "sigma=25.mat")
    for name, value in kair.state_dict().items():
        assert float((found.state_dict()[name] - value).abs().max()) == 0.0
