"""Attention between the places of a sequence, and the blocks made of it.

Sequences are (N, tokens, width): here a token is a place of a spectrum.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .conv import ConvNormAct
from .residual import Residual


class PositionedTokens(nn.Module):
    """A class token before the others, and learnt positions added to all.

    Dosovitskiy et al. (ICLR 2021), equation 1. Both begin as draws from the standard normal
    distribution.

    Shapes: (N, tokens, width) to (N, tokens + 1, width).

    Args:
        tokens: without the class token.
        width: of a token.

    Example:
        >>> PositionedTokens(20, 64)(torch.zeros(2, 20, 64)).shape
        torch.Size([2, 21, 64])
    """

    keeps_window_equivariance = False

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.class_token = nn.Parameter(_drawn(1, 1, width))
        self.positions = nn.Parameter(_drawn(1, tokens + 1, width))

    def forward(self, x: Tensor) -> Tensor:
        """Add class token and positions to `x`."""
        return torch.cat([self.class_token.expand(len(x), -1, -1), x], dim=1) + self.positions


def _drawn(*sizes: int) -> Tensor:
    """Values as `torch.randn` draws them; none where only sizes are asked for.

    There torch would import its compiler.
    """
    values = torch.empty(sizes)
    return values if values.is_meta else values.normal_()


class MatrixProduct(nn.Module):
    """The product of two stacks of matrices, as a layer whose work and memory can be counted.

    Shapes: (..., n, k) and (..., k, m) to (..., n, m).

    Example:
        >>> MatrixProduct()(torch.ones(2, 3), torch.ones(3, 1)).shape
        torch.Size([2, 1])
    """

    keeps_window_equivariance = False

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Multiply."""
        return left @ right


class SelfAttention(nn.Module):
    """Scaled dot-product attention of several heads (Vaswani et al., 2017, section 3.2).

    Queries, keys and values are projected without a bias, as in the first programs of ViT. Written
    out, and not torch's fused one, whose backward pass on CUDA is not deterministic.

    Shapes: (N, tokens, width) to the same.

    Args:
        width: of a token.
        heads: attentions side by side.
        head_width: of queries, keys and values of each.
        dropout: share of the output dropped in training.

    Example:
        >>> SelfAttention(64, heads=4, head_width=16)(torch.zeros(2, 20, 64)).shape
        torch.Size([2, 20, 64])
    """

    keeps_window_equivariance = False

    def __init__(self, width: int, *, heads: int, head_width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.head_width = heads, head_width
        self.project = nn.Linear(width, 3 * heads * head_width, bias=False)
        self.scores = MatrixProduct()
        self.softmax = nn.Softmax(dim=-1)
        self.gather = MatrixProduct()
        self.output = nn.Linear(heads * head_width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Let every token of `x` gather from all."""
        parts = self.project(x).unflatten(-1, (3, self.heads, self.head_width))
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        scores = self.scores(queries * self.head_width**-0.5, keys.transpose(-2, -1))
        gathered = self.gather(self.softmax(scores), values)
        output: Tensor = self.dropout(self.output(gathered.transpose(1, 2).flatten(2)))
        return output


def transformer_block(
    width: int, *, heads: int, head_width: int, hidden: int, dropout: float = 0.0
) -> nn.Sequential:
    """Attention, then a hidden layer of each token, both residual with layer norm before them.

    Dosovitskiy et al. (ICLR 2021), equations 2 and 3.

    Shapes: (N, tokens, width) to the same.

    Args:
        width: of a token.
        heads: of the attention.
        head_width: of the attention.
        hidden: units of the hidden layer.
        dropout: share of what is added that is dropped in training, and of the hidden units.

    Example:
        >>> block = transformer_block(64, heads=4, head_width=16, hidden=8)
        >>> block(torch.zeros(2, 20, 64)).shape
        torch.Size([2, 20, 64])
    """
    attention = SelfAttention(width, heads=heads, head_width=head_width, dropout=dropout)
    of_each = nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, hidden),
        nn.GELU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, width),
        nn.Dropout(dropout),
    )
    return nn.Sequential(
        Residual(nn.Sequential(nn.LayerNorm(width), attention), activation=None),
        Residual(of_each, activation=None),
    )


class TokenFusion(nn.Module):
    """Two sequences into one: each token a weighed sum of all tokens of both.

    The cross-layer adaptive fusion of Hong et al. (IEEE TGRS 60, 2022), section III-C, as in their
    program: one convolution whose channels are the tokens, over the pair of sequences.

    Shapes: twice (N, tokens, width) to the same.

    Args:
        tokens: of each sequence.

    Example:
        >>> TokenFusion(20)(torch.zeros(2, 20, 64), torch.zeros(2, 20, 64)).shape
        torch.Size([2, 20, 64])
    """

    keeps_window_equivariance = False

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.mix = ConvNormAct(tokens, tokens, (1, 2), dim=2, padding="valid", activation=None)

    def forward(self, later: Tensor, earlier: Tensor) -> Tensor:
        """Fuse what a later and an earlier layer gave."""
        fused: Tensor = self.mix(torch.stack([later, earlier], dim=3)).squeeze(3)
        return fused
