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

import numpy as np
import torch
from torch import Tensor, nn

from .task import WindowNetwork


@dataclass(frozen=True)
class LayerBytes:
    """What one layer holds while it works.

    Attributes:
        inputs: bytes of its first input.
        output: bytes of its output.
        unfolded: bytes of a convolution's inputs, one copy for each place of the kernel, where
            torch makes these copies of a few large inputs; else 0.
        relu: whether it is a ReLU, whose output the backward pass has in place of its input.
    """

    inputs: float
    output: float
    unfolded: float
    relu: bool = False


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
        found = float(given[0].nbytes), float(output.nbytes), unfolded
        sizes.append(LayerBytes(*found, isinstance(layer, nn.ReLU)))

    leaves = [module for module in network.modules() if not list(module.children())]
    hooks = [leaf.register_forward_hook(look) for leaf in leaves]
    try:
        with torch.inference_mode():
            call()
    finally:
        for hook in hooks:
            hook.remove()
    return sizes


def gradient_bytes(
    network: nn.Module, one: Tensor, call: Callable[[Tensor], Tensor], *, in_place: bool = False
) -> float:
    """Bytes that the backward pass of one input needs: every output, and gradients of the largest.

    Layers in eval mode have outputs of the same sizes, and need no batch for their norms.

    Args:
        network: whose layers are looked at.
        one: the input.
        call: the network, or a part of it.
        in_place: whether gradients take the place of outputs, half of a batch after the other, and
            what the first layer gave is computed again; see `puts_in_place`.
    """
    mode = network.training
    network.eval()
    layers = layer_bytes(network, lambda: call(one))
    network.train(mode)
    kept = sum(layer.output for layer in layers if not layer.relu)
    largest = max(layer.output for layer in layers)
    return kept - layers[0].output + largest if in_place else kept + 2 * largest


def puts_in_place(network: nn.Module, shape: tuple[int, ...]) -> bool:
    """Whether a backward pass puts gradients in the place of what inputs of a shape gave."""
    able = getattr(network, "gradients_in_place", None)
    # One number that is seen everywhere.
    return able is not None and bool(able(torch.zeros(()).expand(shape)))


def dense_gradient_bytes(
    network: WindowNetwork, components: int, lines: int, samples: int
) -> float:
    """Bytes that the backward pass of a padded scene's features needs.

    Every layer's output has so many values for each pixel, but for some at the border: a
    polynomial of both sides, which three small squares determine.
    """
    assert isinstance(network, nn.Module)
    sides = network.window + np.array([0, 8, 16])
    probes = [torch.zeros(1, components, side, side) for side in sides]
    in_place = puts_in_place(network, (2, components, lines // 2, samples))
    kept = [gradient_bytes(network, probe, network.features, in_place=in_place) for probe in probes]
    squared, linear, constant = np.polyfit(sides, kept, 2)
    return float(squared * lines * samples + linear * (lines + samples) / 2 + constant)


def unfolds(network: nn.Module) -> bool:
    """Whether torch unfolds fewer than 16 inputs for a layer of a network, which is slow.

    One thread does for kernels without height and width (`ConvParams::use_mkldnn` of torch's
    Convolution.cpp; measured with torch 2.13).
    """
    return any(map(_unfolds, network.modules()))


def _unfolds(layer: nn.Module) -> TypeGuard[nn.Conv3d]:
    return (
        isinstance(layer, nn.Conv3d)
        and layer.kernel_size[1:] == (1, 1)
        and {*layer.stride, *layer.dilation} == {1}
        and layer.weight.device.type == "cpu"
        and torch.get_num_threads() == 1
    )
