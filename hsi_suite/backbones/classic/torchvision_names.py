"""What torchvision calls the layers of the networks that it has too.

Each family has a function from a network to pairs of module names: torchvision's and ours. What
they hold (weight, bias, running_mean, …) is called alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import nn

from ...errors import ConfigError
from ..residual import Residual
from .network import ClassicNetwork

_Pairs = Iterator[tuple[str, str]]


def torchvision_names(network: ClassicNetwork) -> dict[str, str]:
    """Torchvision's name of every tensor of a state dictionary, and ours.

    Args:
        network: as torchvision has it: in width, stem and everything else but its channels,
            classes and auxiliary heads.

    Raises:
        ConfigError: torchvision has no network of this name.
    """
    if network.name not in _FAMILIES:
        known = ", ".join(_FAMILIES)
        raise ConfigError(network.name, "not among torchvision's networks", f"one of {known}")
    theirs = {ours: name for name, ours in _FAMILIES[network.name](network)}
    names = {}
    for key in network.state_dict():
        module, _, tensor = key.rpartition(".")
        # A layer that torchvision has not keeps a name that no file of torchvision holds.
        names[f"{theirs.get(module, module)}.{tensor}"] = key
    return names


def _unit(theirs: str, ours: str, conv: str = "conv", norm: str = "bn") -> _Pairs:
    yield f"{theirs}.{conv}", f"{ours}.conv"
    yield f"{theirs}.{norm}", f"{ours}.norm"


def _flat(network: ClassicNetwork) -> _Pairs:
    """AlexNet and VGG: layers by number, those without weights counted too."""
    leaves = [
        name for name, module in network.features.named_modules() if not list(module.children())
    ]
    for number, name in enumerate(leaves):
        yield f"features.{number}", f"features.{name}"
    # Torchvision's AlexNet drops before a layer what VGG, and here both, drop behind it.
    numbers = (1, 4, 6) if network.name == "alexnet" else (0, 3, 6)
    for number, ours in zip(numbers, (2, 5, 8), strict=True):
        yield f"classifier.{number}", f"head.{ours}"


def _googlenet(network: ClassicNetwork) -> _Pairs:
    for number, layer in enumerate((0, 2, 3), 1):
        yield from _unit(f"conv{number}", f"features.stem.layers.{layer}")
    branches = {
        "branch1": "0.0",
        "branch2.0": "1.0",
        "branch2.1": "1.1",
        "branch3.0": "2.0",
        "branch3.1": "2.1",
        "branch4.1": "3.1",
    }
    for stage, _ in network.features.named_children():
        for theirs, ours in branches.items() if stage.startswith("inception") else ():
            name = stage.replace("_", "")
            yield from _unit(f"{name}.{theirs}", f"features.{stage}.layers.{ours}")
    for side, stage in (("aux1", "inception_4a"), ("aux2", "inception_4d")):
        yield from _unit(f"{side}.conv", f"auxiliary.{stage}.1")
        yield f"{side}.fc1", f"auxiliary.{stage}.3"
        yield f"{side}.fc2", f"auxiliary.{stage}.6"
    yield "fc", "head.classifier"


# Torchvision's name of each unit in the modules of a kind, and its branch and layer here.
_V3_UNITS = {
    ("5b", "5c", "5d"): {
        "branch1x1": "0.0",
        "branch5x5_1": "1.0",
        "branch5x5_2": "1.1",
        "branch3x3dbl_1": "2.0",
        "branch3x3dbl_2": "2.1",
        "branch3x3dbl_3": "2.2",
        "branch_pool": "3.1",
    },
    ("6a",): {
        "branch3x3": "0.0",
        "branch3x3dbl_1": "1.0",
        "branch3x3dbl_2": "1.1",
        "branch3x3dbl_3": "1.2",
    },
    ("6b", "6c", "6d", "6e"): {
        "branch1x1": "0.0",
        "branch7x7_1": "1.0",
        "branch7x7_2": "1.1",
        "branch7x7_3": "1.2",
        "branch7x7dbl_1": "2.0",
        "branch7x7dbl_2": "2.1",
        "branch7x7dbl_3": "2.2",
        "branch7x7dbl_4": "2.3",
        "branch7x7dbl_5": "2.4",
        "branch_pool": "3.1",
    },
    ("7a",): {
        "branch3x3_1": "0.0",
        "branch3x3_2": "0.1",
        "branch7x7x3_1": "1.0",
        "branch7x7x3_2": "1.1",
        "branch7x7x3_3": "1.2",
        "branch7x7x3_4": "1.3",
    },
    ("7b", "7c"): {
        "branch1x1": "0.0",
        "branch3x3_1": "1.0",
        "branch3x3_2a": "1.1.0.0",
        "branch3x3_2b": "1.1.1.0",
        "branch3x3dbl_1": "2.0",
        "branch3x3dbl_2": "2.1",
        "branch3x3dbl_3a": "2.2.0.0",
        "branch3x3dbl_3b": "2.2.1.0",
        "branch_pool": "3.1",
    },
}
_V3_STEM = {"1a_3x3": 0, "2a_3x3": 1, "2b_3x3": 2, "3b_1x1": 4, "4a_3x3": 5}


def _inception_v3(network: ClassicNetwork) -> _Pairs:
    for name, layer in _V3_STEM.items():
        yield from _unit(f"Conv2d_{name}", f"features.stem.layers.{layer}")
    for modules, units in _V3_UNITS.items():
        for module in modules:
            for theirs, place in units.items():
                ours = f"features.mixed_{module}.layers.{place}"
                yield from _unit(f"Mixed_{module}.{theirs}", ours)
    yield from _unit("AuxLogits.conv0", "auxiliary.mixed_6e.1")
    yield from _unit("AuxLogits.conv1", "auxiliary.mixed_6e.2")
    yield "AuxLogits.fc", "auxiliary.mixed_6e.4"
    yield "fc", "head.classifier"


def _resnet(network: ClassicNetwork) -> _Pairs:
    """ResNet and ResNeXt."""
    yield "conv1", "features.stem.conv"
    yield "bn1", "features.stem.norm"
    for path, block in network.features.named_modules():
        if not isinstance(block, Residual):
            continue
        theirs = path.replace("stage_", "layer")
        assert isinstance(block.body, nn.Sequential)
        for place in range(len(block.body)):
            yield f"{theirs}.conv{place + 1}", f"features.{path}.body.{place}.conv"
            yield f"{theirs}.bn{place + 1}", f"features.{path}.body.{place}.norm"
        yield from _unit(f"{theirs}.downsample", f"features.{path}.shortcut", "0", "1")
    yield "fc", "head.classifier"


def _mobilenet_v2(network: ClassicNetwork) -> _Pairs:
    for number, (stage, block) in enumerate(network.features.named_children()):
        if stage in ("stem", "last"):
            yield from _unit(f"features.{number}", f"features.{stage}", "0", "1")
            continue
        body = block.body if isinstance(block, Residual) else block
        ours = f"features.{stage}.body" if isinstance(block, Residual) else f"features.{stage}"
        assert isinstance(body, nn.Sequential)
        theirs, end = f"features.{number}.conv", len(body) - 1
        for place in range(end):
            yield from _unit(f"{theirs}.{place}", f"{ours}.{place}", "0", "1")
        # The linear end is no unit of its own there.
        yield f"{theirs}.{end}", f"{ours}.{end}.conv"
        yield f"{theirs}.{end + 1}", f"{ours}.{end}.norm"
    yield "classifier.1", "head.classifier"


_FAMILIES: dict[str, Callable[[ClassicNetwork], _Pairs]] = {
    "alexnet": _flat,
    **{f"vgg_{depth}": _flat for depth in (11, 13, 16, 19)},
    "googlenet": _googlenet,
    "inception_v3": _inception_v3,
    **{f"resnet_{depth}": _resnet for depth in (18, 34, 50, 101, 152)},
    "resnext_50": _resnet,
    "resnext_101": _resnet,
    "mobilenet_v2": _mobilenet_v2,
}
