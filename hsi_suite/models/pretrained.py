"""Classifiers of images that begin with weights trained by torchvision, on any classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..backbones.classic.network import ClassicNetwork
from ..backbones.classic.torchvision_names import torchvision_names
from ..backbones.classic.torchvision_weights import load_torchvision, read_torchvision_file
from ..errors import ConfigError, InputFileError
from .registry import spec_of

_KEY = "model.weights"
_HEADS = ("head.", "auxiliary.")


def begin_pretrained(
    network: nn.Module, name: str, arguments: Mapping[str, Any], path: Path
) -> list[str]:
    """Put torchvision's weights into a classic network, in place; nothing in the file is run.

    Layers whose size is the number of classes keep their initial weights where the file's classes
    are of another number.

    Args:
        network: with initial weights.
        name: of it, as configurations name it.
        arguments: what it was built with, its options among them.
        path: of a .pth or .safetensors file with a state dictionary of torchvision.

    Returns:
        The tensors that keep their initial weights.

    Raises:
        ConfigError: torchvision has no such network.
        InputFileError: the file cannot be read, or is of another network.
    """
    if not isinstance(network, ClassicNetwork):
        raise ConfigError(_KEY, f"given with {name}", "a classic network of images")
    names = torchvision_names(network)
    state = read_torchvision_file(path)
    sizes = {"num_classes": _classes(path, names, state)}
    if network.auxiliary is None and any(key not in names for key in state):
        # A file of the whole network, and one that is trained without its auxiliary heads.
        sizes |= {"auxiliary": True} if _has_auxiliary(state) else {}
    with torch.random.fork_rng([]):
        whole = spec_of(name).factory(**{**arguments, **sizes})
    assert isinstance(whole, ClassicNetwork)
    load_torchvision(whole, state, path)
    own, given = network.state_dict(), whole.state_dict()
    kept = [key for key in own if own[key].shape != given[key].shape]
    assert all(key.startswith(_HEADS) for key in kept)
    network.load_state_dict({key: own[key] if key in kept else given[key] for key in own})
    return kept


def _has_auxiliary(state: Mapping[str, Tensor]) -> bool:
    return any(key.lower().startswith("aux") for key in state)


def _classes(path: Path, names: Mapping[str, str], state: Mapping[str, Tensor]) -> int:
    """The number of classes that a file's last layer has."""
    last = next(reversed([theirs for theirs, ours in names.items() if ours.startswith("head.")]))
    if last not in state or not state[last].ndim:
        raise InputFileError(path, f"no tensor {last}", "a state dictionary of torchvision")
    return int(state[last].shape[0])
