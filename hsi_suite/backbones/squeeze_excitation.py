"""Channel attention: squeeze-and-excitation."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from ..registry import Registry
from .dimension import LayerChoice, build_activation, build_choice, spatial_axes

ATTENTIONS: Registry[Callable[..., nn.Module]] = Registry("attention")


@ATTENTIONS.register("se")
class SqueezeExcitation(nn.Module):
    """Scale each channel by a gate computed from the means of all channels.

    Hu, Shen, Sun (CVPR 2018), equations 2-4 and figure 3: mean over positions, a bottleneck of
    two fully connected layers, a gate in (0, 1), a product. The mean runs over the whole input,
    so the block sees a window and a scene differently.

    Shapes: (N, C, ...) to the same.

    Args:
        channels: C.
        reduction: the bottleneck has C // reduction units, and never fewer than `minimum`.
        minimum: floor of the bottleneck.
        gate: activation that ends the excitation.
        activation: activation inside it.

    Example:
        >>> import torch
        >>> SqueezeExcitation(64)(torch.zeros(2, 64, 5, 5)).shape
        torch.Size([2, 64, 5, 5])
    """

    keeps_window_equivariance = False

    def __init__(
        self,
        channels: int,
        reduction: int = 16,
        minimum: int = 4,
        gate: LayerChoice = "sigmoid",
        activation: LayerChoice = "relu",
    ) -> None:
        super().__init__()
        hidden = max(minimum, channels // reduction)
        self.reduce = nn.Linear(channels, hidden)
        self.activation = build_activation(activation) or nn.Identity()
        self.expand = nn.Linear(hidden, channels)
        self.gate = build_activation(gate) or nn.Identity()

    def gates(self, x: Tensor) -> Tensor:
        """The factors (N, C) by which the channels of `x` are multiplied."""
        # `mean`, because adaptive pooling has no deterministic backward on CUDA.
        squeezed = x.mean(dim=spatial_axes(x))
        gates: Tensor = self.gate(self.expand(self.activation(self.reduce(squeezed))))
        return gates

    def forward(self, x: Tensor) -> Tensor:
        """Scale the channels of `x`."""
        gates = self.gates(x)
        return x * gates.reshape(*gates.shape, *[1] * (x.ndim - 2))


def build_attention(choice: LayerChoice, channels: int) -> nn.Module | None:
    """The attention a choice stands for (`se`), or None."""
    return build_choice(ATTENTIONS, choice, channels)
