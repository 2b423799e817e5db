"""What networks take of memory, from a look at their layers.

What the program itself takes, what files may take, and the one refusal of what a limit does not
allow stand in `hsi_suite.memory`. Estimates depend on sizes alone, never on what the machine has
free, so that work is cut alike when it is called again; `python -m benchmarks.memory_limits` holds
them against what is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class LayerBytes:
    """What one layer holds while it works.

    Attributes:
        inputs: bytes of its first input.
        output: bytes of its output.
        unfolded: bytes of a convolution's inputs, one copy for each place of the kernel, where
            torch makes these copies of a few large inputs; else 0.
    """

    inputs: float
    output: float
    unfolded: float


def layer_bytes(network: nn.Module, call: Callable[[], object]) -> list[LayerBytes]:
    """What the layers of a network hold, from a look at them while they work.

    Args:
        network: whose layers are looked at, those that have no layers inside them.
        call: has the network, or a part of it, compute something small.
    """
    sizes: list[LayerBytes] = []

    def look(layer: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        unfolded = 0.0
        if _unfolds(layer):
            unfolded = float(output[:, 0].nbytes * layer.weight[0].numel())
        sizes.append(LayerBytes(float(given[0].nbytes), float(output.nbytes), unfolded))

    leaves = [module for module in network.modules() if not list(module.children())]
    hooks = [leaf.register_forward_hook(look) for leaf in leaves]
    try:
        with torch.inference_mode():
            call()
    finally:
        for hook in hooks:
            hook.remove()
    return sizes


def _unfolds(layer: nn.Module) -> TypeGuard[nn.Conv3d]:
    """Whether torch unfolds fewer than 16 inputs for a layer.

    One thread does for kernels without height and width (`ConvParams::use_mkldnn` of torch's
    Convolution.cpp; measured with torch 2.13).
    """
    return (
        isinstance(layer, nn.Conv3d)
        and layer.kernel_size[1:] == (1, 1)
        and {*layer.stride, *layer.dilation} == {1}
        and torch.get_num_threads() == 1
    )
