"""Initial weights that a seed fixes.

Every weight is drawn on the CPU in single precision, in the order of `named_parameters`, from
one explicit generator: the device and the precision of the model change nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ..registry import did_you_mean


def _glorot(weight: Tensor, generator: torch.Generator) -> None:
    nn.init.xavier_uniform_(weight, generator=generator)


def _kaiming(weight: Tensor, generator: torch.Generator) -> None:
    nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)


_SCHEMES = {"glorot": _glorot, "kaiming": _kaiming}


@torch.no_grad()
def initialise(module: nn.Module, scheme: str, generator: torch.Generator) -> None:
    """Draw the weights of `module` anew, in place.

    Weights of convolutions and fully connected layers (two axes or more) are drawn, biases
    become 0, and norms become the identity. Learnt slopes (PReLU) keep their constant start.

    Args:
        module: the model.
        scheme: `glorot`: uniform within ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio, 2010,
            equation 16; the default of Keras). `kaiming`: normal with variance 2 / fan in (He
            et al., 2015, equation 10).
        generator: CPU generator that all draws come from.

    Raises:
        ConfigError: unknown scheme.
    """
    if scheme not in _SCHEMES:
        hint = did_you_mean(scheme, _SCHEMES, most=1)
        raise ConfigError("initialisation", repr(scheme), " or ".join(_SCHEMES), hint)
    for name, parameter in module.named_parameters():
        owner = module.get_submodule(name.rpartition(".")[0])
        if parameter.ndim >= 2:
            drawn = torch.empty(parameter.shape, dtype=torch.float32)
            _SCHEMES[scheme](drawn, generator)
            parameter.copy_(drawn)
        elif name.endswith("bias"):
            parameter.zero_()
        elif not isinstance(owner, nn.PReLU):
            parameter.fill_(1.0)


def initialise_glorot(module: nn.Module, generator: torch.Generator) -> None:
    """`initialise` with Glorot-uniform weights and zero biases."""
    initialise(module, "glorot", generator)


def initialise_kaiming(module: nn.Module, generator: torch.Generator) -> None:
    """`initialise` with He-normal weights and zero biases."""
    initialise(module, "kaiming", generator)


def predicts_difference(layer: nn.Module) -> nn.Module:
    """Note that a layer, the last one, finds what is taken from a network's input.

    Args:
        layer: a convolution or a connected layer, or what holds such alone.

    Returns:
        The layer, for `begin_silent`.
    """
    layer.predicts_difference = True  # type: ignore[assignment]
    return layer


@torch.no_grad()
def begin_silent(module: nn.Module) -> None:
    """Let a network that predicts a difference begin with none, in place.

    Drawn weights of its last layer would first have to be unlearnt, and the large gradients of
    that time keep the steps of Adam small for a thousand steps after it: a DnCNN-B learns within
    120 steps then what it does not in 1,600.

    Args:
        module: what has layers that `predicts_difference` has noted; others are left alone.
    """
    for layer in module.modules():
        if getattr(layer, "predicts_difference", False):
            for parameter in layer.parameters():
                parameter.zero_()
