"""Weights named as torchvision names them, against its published names and layer tables."""

import itertools
import pickle
from functools import cache

import pytest
import torch
from safetensors.torch import save_file

from hsi_suite.backbones import initialise
from hsi_suite.backbones.classic import CLASSIC
from hsi_suite.backbones.classic.torchvision_names import torchvision_names
from hsi_suite.backbones.classic.torchvision_weights import load_torchvision, load_torchvision_file
from hsi_suite.errors import ConfigError, InputFileError


def conv(name, out_channels, in_channels, *kernel, bias=False):
    kernel = kernel * 2 if len(kernel) == 1 else kernel
    yield f"{name}.weight", (out_channels, in_channels, *kernel)
    if bias:
        yield f"{name}.bias", (out_channels,)


def norm(name, channels):
    for tensor in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{tensor}", (channels,)
    yield f"{name}.num_batches_tracked", ()


def linear(name, out_features, in_features):
    yield f"{name}.weight", (out_features, in_features)
    yield f"{name}.bias", (out_features,)


def basic(name, out_channels, in_channels, *kernel):
    """Torchvision's BasicConv2d."""
    yield from conv(f"{name}.conv", out_channels, in_channels, *kernel)
    yield from norm(f"{name}.bn", out_channels)


def alexnet():
    for number, *sizes in ((0, 64, 3, 11), (3, 192, 64, 5), (6, 384, 192, 3), (8, 256, 384, 3)):
        yield from conv(f"features.{number}", *sizes, bias=True)
    yield from conv("features.10", 256, 256, 3, bias=True)
    yield from linear("classifier.1", 4096, 256 * 36)
    yield from linear("classifier.4", 4096, 4096)
    yield from linear("classifier.6", 1000, 4096)


def vgg(numbers, widths, batch_norm=False):
    channels = 3
    for number, width in zip(numbers, widths, strict=True):
        yield from conv(f"features.{number}", width, channels, 3, bias=True)
        if batch_norm:
            yield from norm(f"features.{number + 1}", width)
        channels = width
    yield from linear("classifier.0", 4096, 512 * 49)
    yield from linear("classifier.3", 4096, 4096)
    yield from linear("classifier.6", 1000, 4096)


VGG_16 = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


def resnet(blocks, expansion, inner=(64, 128, 256, 512), groups=1):
    yield from conv("conv1", 64, 3, 7)
    yield from norm("bn1", 64)
    channels = 64
    for stage, (count, middle) in enumerate(zip(blocks, inner, strict=True)):
        end = 64 * 2**stage * expansion
        for place in range(count):
            name = f"layer{stage + 1}.{place}"
            if expansion == 1:
                units = [(end, channels, 3), (end, end, 3)]
            else:
                units = [(middle, channels, 1), (middle, middle // groups, 3), (end, middle, 1)]
            for number, unit in enumerate(units, 1):
                yield from conv(f"{name}.conv{number}", *unit)
                yield from norm(f"{name}.bn{number}", unit[0])
            if place == 0 and channels != end:
                yield from conv(f"{name}.downsample.0", end, channels, 1)
                yield from norm(f"{name}.downsample.1", end)
            channels = end
    yield from linear("fc", 1000, channels)


def mobilenet_v2():
    def unit(name, *sizes):
        yield from conv(f"{name}.0", *sizes)
        yield from norm(f"{name}.1", sizes[0])

    yield from unit("features.0", 32, 3, 3)
    yield from unit("features.1.conv.0", 32, 1, 3)
    yield from conv("features.1.conv.1", 16, 32, 1)
    yield from norm("features.1.conv.2", 16)
    ends = [16, 24, 24, *[32] * 3, *[64] * 4, *[96] * 3, *[160] * 3, 320]
    for number, (start, end) in enumerate(itertools.pairwise(ends), 2):
        name, inner = f"features.{number}.conv", 6 * start
        yield from unit(f"{name}.0", inner, start, 1)
        yield from unit(f"{name}.1", inner, 1, 3)
        yield from conv(f"{name}.2", end, inner, 1)
        yield from norm(f"{name}.3", end)
    yield from unit("features.18", 1280, 320, 1)
    yield from linear("classifier.1", 1000, 1280)


GOOGLENET = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


def googlenet(auxiliary=True):
    yield from basic("conv1", 64, 3, 7)
    yield from basic("conv2", 64, 64, 1)
    yield from basic("conv3", 192, 64, 3)
    for module, (start, one, reduce3, three, reduce5, five, pool) in GOOGLENET.items():
        name = f"inception{module}"
        yield from basic(f"{name}.branch1", one, start, 1)
        yield from basic(f"{name}.branch2.0", reduce3, start, 1)
        yield from basic(f"{name}.branch2.1", three, reduce3, 3)
        yield from basic(f"{name}.branch3.0", reduce5, start, 1)
        yield from basic(f"{name}.branch3.1", five, reduce5, 3)
        yield from basic(f"{name}.branch4.1", pool, start, 1)
    for side, channels in (("aux1", 512), ("aux2", 528)) if auxiliary else ():
        yield from basic(f"{side}.conv", 128, channels, 1)
        yield from linear(f"{side}.fc1", 1024, 2048)
        yield from linear(f"{side}.fc2", 1000, 1024)
    yield from linear("fc", 1000, 1024)


def inception_v3():
    for name, *sizes in (
        ("Conv2d_1a_3x3", 32, 3, 3),
        ("Conv2d_2a_3x3", 32, 32, 3),
        ("Conv2d_2b_3x3", 64, 32, 3),
        ("Conv2d_3b_1x1", 80, 64, 1),
        ("Conv2d_4a_3x3", 192, 80, 3),
    ):
        yield from basic(name, *sizes)
    for module, start, pool in (("5b", 192, 32), ("5c", 256, 64), ("5d", 288, 64)):
        name = f"Mixed_{module}.branch"
        yield from basic(f"{name}1x1", 64, start, 1)
        yield from basic(f"{name}5x5_1", 48, start, 1)
        yield from basic(f"{name}5x5_2", 64, 48, 5)
        yield from basic(f"{name}3x3dbl_1", 64, start, 1)
        yield from basic(f"{name}3x3dbl_2", 96, 64, 3)
        yield from basic(f"{name}3x3dbl_3", 96, 96, 3)
        yield from basic(f"{name}_pool", pool, start, 1)
    yield from basic("Mixed_6a.branch3x3", 384, 288, 3)
    yield from basic("Mixed_6a.branch3x3dbl_1", 64, 288, 1)
    yield from basic("Mixed_6a.branch3x3dbl_2", 96, 64, 3)
    yield from basic("Mixed_6a.branch3x3dbl_3", 96, 96, 3)
    for module, c in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        name = f"Mixed_{module}.branch"
        yield from basic(f"{name}1x1", 192, 768, 1)
        yield from basic(f"{name}7x7_1", c, 768, 1)
        yield from basic(f"{name}7x7_2", c, c, 1, 7)
        yield from basic(f"{name}7x7_3", 192, c, 7, 1)
        yield from basic(f"{name}7x7dbl_1", c, 768, 1)
        yield from basic(f"{name}7x7dbl_2", c, c, 7, 1)
        yield from basic(f"{name}7x7dbl_3", c, c, 1, 7)
        yield from basic(f"{name}7x7dbl_4", c, c, 7, 1)
        yield from basic(f"{name}7x7dbl_5", 192, c, 1, 7)
        yield from basic(f"{name}_pool", 192, 768, 1)
    yield from basic("Mixed_7a.branch3x3_1", 192, 768, 1)
    yield from basic("Mixed_7a.branch3x3_2", 320, 192, 3)
    yield from basic("Mixed_7a.branch7x7x3_1", 192, 768, 1)
    yield from basic("Mixed_7a.branch7x7x3_2", 192, 192, 1, 7)
    yield from basic("Mixed_7a.branch7x7x3_3", 192, 192, 7, 1)
    yield from basic("Mixed_7a.branch7x7x3_4", 192, 192, 3)
    for module, start in (("7b", 1280), ("7c", 2048)):
        name = f"Mixed_{module}.branch"
        yield from basic(f"{name}1x1", 320, start, 1)
        yield from basic(f"{name}3x3_1", 384, start, 1)
        yield from basic(f"{name}3x3_2a", 384, 384, 1, 3)
        yield from basic(f"{name}3x3_2b", 384, 384, 3, 1)
        yield from basic(f"{name}3x3dbl_1", 448, start, 1)
        yield from basic(f"{name}3x3dbl_2", 384, 448, 3)
        yield from basic(f"{name}3x3dbl_3a", 384, 384, 1, 3)
        yield from basic(f"{name}3x3dbl_3b", 384, 384, 3, 1)
        yield from basic(f"{name}_pool", 192, start, 1)
    yield from basic("AuxLogits.conv0", 128, 768, 1)
    yield from basic("AuxLogits.conv1", 768, 128, 5)
    yield from linear("AuxLogits.fc", 1000, 768)
    yield from linear("fc", 1000, 2048)


CASES = {
    "alexnet": ("alexnet", {}, alexnet()),
    "vgg11": (
        "vgg_11",
        {},
        vgg((0, 3, 6, 8, 11, 13, 16, 18), (64, 128, 256, 256, 512, 512, 512, 512)),
    ),
    "vgg16": ("vgg_16", {}, vgg((0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), VGG_16)),
    "vgg16_bn": (
        "vgg_16",
        {"norm": "batch"},
        vgg((0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40), VGG_16, batch_norm=True),
    ),
    "resnet18": ("resnet_18", {}, resnet((2, 2, 2, 2), 1)),
    "resnet34": ("resnet_34", {}, resnet((3, 4, 6, 3), 1)),
    "resnet50": ("resnet_50", {}, resnet((3, 4, 6, 3), 4)),
    "resnet101": ("resnet_101", {}, resnet((3, 4, 23, 3), 4)),
    "resnet152": ("resnet_152", {}, resnet((3, 8, 36, 3), 4)),
    "resnext50_32x4d": (
        "resnext_50",
        {},
        resnet((3, 4, 6, 3), 4, (128, 256, 512, 1024), groups=32),
    ),
    "resnext101_32x8d": (
        "resnext_101",
        {"group_width": 8},
        resnet((3, 4, 23, 3), 4, (256, 512, 1024, 2048), groups=32),
    ),
    "mobilenet_v2": ("mobilenet_v2", {}, mobilenet_v2()),
    "googlenet": ("googlenet", {}, googlenet()),
    "googlenet without auxiliary": ("googlenet", {"auxiliary": False}, googlenet(False)),
    "inception_v3": ("inception_v3", {}, inception_v3()),
}


@pytest.mark.parametrize("case", CASES)
def test_names_are_a_bijection_with_equal_shapes(case):
    name, options, published = CASES[case]
    with torch.device("meta"):
        network = CLASSIC[name](**options)
    own, names, published = network.state_dict(), torchvision_names(network), dict(published)
    assert set(names) == set(published)
    assert sorted(names.values()) == sorted(own)
    assert {theirs: tuple(own[ours].shape) for theirs, ours in names.items()} == published


def narrow(name="resnet_18", seed=0, **options):
    options = {"width": 0.125, "num_classes": 6, "stem": "small", **options}
    network = CLASSIC[name](**options)
    initialise(network, "kaiming", torch.Generator().manual_seed(seed))
    return network


@cache
def filled(name="resnet_18"):
    """A thin network with distinct values everywhere, and its state as torchvision would name it.

    What torchvision's own classes compute from such a state agrees with ours to rounding (VGG,
    AlexNet, MobileNet v2 and both Inceptions to the bit); it is no dependency, so this is not
    tested here.
    """
    network = narrow(name, seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
            else:
                value.fill_(7)
    own = network.state_dict()
    return network, {theirs: own[ours] for theirs, ours in torchvision_names(network).items()}


@pytest.mark.parametrize("name", ["alexnet", "resnet_50", "mobilenet_v2", "googlenet"])
def test_a_state_arrives_where_it_belongs(name):
    source, state = filled(name)
    network = narrow(name)
    load_torchvision(network, state)
    assert all(torch.equal(v, network.state_dict()[k]) for k, v in source.state_dict().items())


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_files(tmp_path, suffix):
    source, state = filled()
    path = tmp_path / f"weights{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(dict(state), path)
    network = narrow()
    load_torchvision_file(network, path)
    assert all(torch.equal(v, network.state_dict()[k]) for k, v in source.state_dict().items())


def test_counters_of_batches_may_be_absent_as_in_old_files():
    source, state = filled()
    old = {k: v for k, v in state.items() if "num_batches" not in k}
    assert len(old) < len(state)
    network = narrow()
    load_torchvision(network, old)
    assert torch.equal(network.features.stem.conv.weight, source.features.stem.conv.weight)
    assert network.features.stem.norm.num_batches_tracked == 0


def changed(**values):
    state = dict(filled()[1])
    for name, value in values.items():
        key = name.replace("__", ".")
        if value is None:
            del state[key]
        else:
            state[key] = value
    return state


@pytest.mark.parametrize(
    ("state", "match"),
    [
        (changed(fc__bias=None), r"1 tensors missing \(fc\.bias\), 0 unknown; expected the 122"),
        (changed(head__x=torch.zeros(1)), r"0 tensors missing, 1 unknown \(head\.x\)"),
        (changed(fc__bias=torch.zeros(9)), r"fc\.bias \(9,\) instead of \(6,\)"),
        (changed(fc__bias=torch.full((6,), torch.nan)), r"not finite \(fc\.bias\)"),
        ({}, r"102 tensors missing \(conv1\.weight, bn1\.weight, bn1\.bias, …\)"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(state, match):
    network = narrow()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    with pytest.raises(InputFileError, match=match) as caught:
        load_torchvision(network, state, "weights.pth")
    assert str(caught.value).startswith("weights.pth: ")
    assert len(str(caught.value)) < 400
    assert all(torch.equal(v, network.state_dict()[k]) for k, v in before.items())


def test_files_that_are_no_weights(tmp_path):
    network = narrow()
    truncated, path = tmp_path / "truncated.pth", tmp_path / "whole.pth"
    torch.save(dict(filled()[1]), path)
    truncated.write_bytes(path.read_bytes()[:2000])
    contents = {
        "empty.pth": b"",
        "random.pth": bytes(range(256)) * 4,
        "text.safetensors": b"no weights",
        "object.pth": pickle.dumps(pickle.Pickler),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"epoch": 3}, tmp_path / "other.pth")
    (tmp_path / "folder.pth").mkdir()
    names = [*contents, "truncated.pth", "list.pth", "other.pth", "folder.pth", "absent.pth"]
    for name in names:
        with pytest.raises(InputFileError, match=r"cannot be read|is a folder|no such file"):
            load_torchvision_file(network, tmp_path / name)


@pytest.mark.parametrize("name", ["zfnet", "se_resnet_50", "inception_v4", "resnet_20"])
def test_networks_that_torchvision_has_not(name):
    with torch.device("meta"):
        network = CLASSIC[name](width=0.125)
    with pytest.raises(ConfigError, match="not among torchvision's networks"):
        load_torchvision(network, {})
