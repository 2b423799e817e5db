"""The layers of a network that leave something to chance."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.dropout import _DropoutNd


def dropout_layers(network: nn.Module) -> list[nn.Module]:
    """The layers of a network that drop something in training."""
    return [each for each in network.modules() if isinstance(each, _DropoutNd) and each.p > 0]
