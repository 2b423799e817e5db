"""Trained networks made ready for inference: fewer passes over the same numbers."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..backbones import ConvNormAct

Network = TypeVar("Network", bound=nn.Module)


def folded_convolution(
    weight: Tensor,
    bias: Tensor,
    *,
    mean: Tensor,
    variance: Tensor,
    scale: Tensor,
    shift: Tensor,
    eps: float,
) -> tuple[Tensor, Tensor]:
    """Weight and bias of the convolution that does what a convolution and its batch norm do.

    Ioffe and Szegedy, ICML 2015, section 3.1: with statistics that are fixed, normalising is an
    affine map of each channel.

    Args:
        weight: out_channels × in_channels × the kernel.
        bias: of the convolution, out_channels; so are the others.
        mean: running mean.
        variance: running variance.
        scale: γ of the batch norm.
        shift: β of the batch norm.
        eps: added to the variance.
    """
    # Computed in double precision: rounding once more would cost a digit of the weights.
    factor = scale.double() / (variance.double() + eps).sqrt()
    new_weight = weight.double() * factor.view(-1, *[1] * (weight.ndim - 1))
    new_bias = (bias.double() - mean.double()) * factor + shift.double()
    return new_weight.to(weight.dtype), new_bias.to(weight.dtype)


def fold_batch_norms(network: Network) -> Network:
    """A copy in evaluation mode whose `ConvNormAct` units have lost their batch norms.

    Its outputs equal those of `network.eval()` to rounding; units with another norm stay as
    they are.
    """
    folded = copy.deepcopy(network).eval()
    for unit in folded.modules():
        if isinstance(unit, ConvNormAct):
            norm, conv = getattr(unit, "norm", None), unit.get_submodule("conv")
            if isinstance(norm, nn.modules.batchnorm._BatchNorm):
                _fold(conv, norm)
                del unit.norm
    return folded


def activate_in_place(network: nn.Module) -> None:
    """Let `ConvNormAct` units activate where their convolution's output lies.

    The same values, without a second copy of the largest layers; for inference.
    """
    for unit in network.modules():
        activation = getattr(unit, "activation", None)
        if isinstance(unit, ConvNormAct) and isinstance(activation, nn.ReLU):
            activation.inplace = True


@torch.no_grad()
def _fold(conv: nn.Module, norm: nn.modules.batchnorm._BatchNorm) -> None:
    assert isinstance(conv.weight, Tensor)
    assert norm.running_mean is not None and norm.running_var is not None
    channels = len(norm.running_mean)
    ones = torch.ones(channels, device=conv.weight.device)
    bias = conv.bias if isinstance(conv.bias, Tensor) else torch.zeros_like(ones)
    weight, bias = folded_convolution(
        conv.weight,
        bias,
        mean=norm.running_mean,
        variance=norm.running_var,
        scale=norm.weight if norm.affine else ones,
        shift=norm.bias if norm.affine else torch.zeros_like(ones),
        eps=norm.eps,
    )
    conv.weight = nn.Parameter(weight)
    conv.bias = nn.Parameter(bias)
