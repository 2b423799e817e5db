"""Local response normalisation, deterministic on CUDA too."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ConfigError


class LocalResponseNorm(nn.Module):
    """Divide each value by (k + alpha Σ x²)^beta, the sum over `size` neighbouring channels.

    Krizhevsky et al. (NIPS 2012), section 3.3, with its constants. As there alpha multiplies the
    sum; torch's layer of this name divides alpha by `size`, and pools in 3-D, whose backward
    pass has no deterministic form on CUDA.

    Shapes: (N, C, ...) to the same.

    Args:
        size: odd number of channels summed over.
        alpha: factor of the sum.
        beta: exponent.
        k: what is added to the sum.

    Example:
        >>> import torch
        >>> LocalResponseNorm(alpha=2.0, beta=1.0)(torch.ones(1, 2, 1)).flatten().tolist()
        [0.1666666716337204, 0.1666666716337204]
    """

    keeps_window_equivariance = True

    def __init__(
        self, size: int = 5, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
    ) -> None:
        super().__init__()
        if size % 2 == 0:
            raise ConfigError("norm 'lrn' size", f"{size}", "an odd number of channels")
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `x`."""
        squares = x.square().flatten(2).unsqueeze(1)
        means = F.avg_pool2d(squares, (self.size, 1), 1, (self.size // 2, 0))
        sums = (means * self.size).reshape(x.shape)
        return x / (self.k + self.alpha * sums) ** self.beta
