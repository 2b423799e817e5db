"""SpectralFormer: a transformer along one pixel's spectrum."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from ..backbones.conv import ConvNormAct
from ..backbones.transformer import PositionedTokens, TokenFusion, transformer_block
from .inputs import check_bands, check_single_pixel

_WIDTH = 64
_BLOCKS = 5


class SpectralFormer(nn.Module):
    """The pixel-wise SpectralFormer of Hong et al. (IEEE TGRS 60, 2022; arXiv 2107.02988).

    As published: every band becomes a token of 64 values, made of it and its neighbours (group-wise
    spectral embedding; beyond the last band comes the first); a class token before them, learnt
    positions added; five blocks of attention (4 heads of 16) and a hidden layer of 8 units; the
    input of the third, fourth and fifth block is fused with that of the block two before
    (cross-layer adaptive fusion); layer norm and the fully connected layer on the class token. The
    patch-wise network of the same article, whose tokens are bands of a 7×7 window, is not here.

    346,361 parameters at 200 bands and 16 classes. It sees single pixels, so there is nothing for
    whole scenes to share.

    Shapes: (N, in_channels, 1, 1) to (N, num_classes) logits.

    Args:
        in_channels: bands, at least `group`.
        num_classes: classes.
        window: 1; the network sees one pixel.
        group: neighbouring bands in a token, odd.
        dropout: share dropped of the embedding, of hidden units and of what the blocks add.

    Raises:
        ShapeError: too few bands, or a window other than 1.
        ValueError: an even group.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        window: int = 1,
        group: int = 3,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if group < 1 or group % 2 == 0:
            raise ValueError(f"a group of {group} bands is not odd")
        check_bands("spectralformer", in_channels, group)
        check_single_pixel("spectralformer", window)
        self.reach = group // 2
        self.embedding = ConvNormAct(1, _WIDTH, group, dim=1, padding="valid", activation=None)
        self.sequence = nn.Sequential(PositionedTokens(in_channels, _WIDTH), nn.Dropout(dropout))
        self.blocks = nn.ModuleList(
            transformer_block(_WIDTH, heads=4, head_width=16, hidden=8, dropout=dropout)
            for _ in range(_BLOCKS)
        )
        self.fusions = nn.ModuleList(TokenFusion(in_channels + 1) for _ in range(_BLOCKS - 2))
        self.head = nn.Sequential(nn.LayerNorm(_WIDTH), nn.Linear(_WIDTH, num_classes))

    def _class_tokens(self, spectra: Tensor) -> Tensor:
        """What the blocks make of the class token: (N, bands) to (N, 64)."""
        wrapped = functional.pad(spectra.unsqueeze(1), (self.reach, self.reach), mode="circular")
        tokens = self.sequence(self.embedding(wrapped).transpose(1, 2))
        given: list[Tensor] = []
        for number, block in enumerate(self.blocks):
            given.append(tokens)
            if number >= 2:
                tokens = self.fusions[number - 2](tokens, given[number - 2])
            tokens = block(tokens)
        first: Tensor = tokens[:, 0]
        return first

    def features(self, cubes: Tensor) -> Tensor:
        """What the head sees of each pixel: (N, in_channels, h, w) to (N, 64, h, w)."""
        spectra = cubes.movedim(1, -1)
        features = self._class_tokens(spectra.reshape(-1, spectra.shape[-1]))
        return features.reshape(*spectra.shape[:-1], _WIDTH).movedim(-1, 1)

    def window_equivariant(self, training: bool) -> bool:
        """Always true: no layer looks beyond one pixel or, in training, at the batch."""
        return True

    def forward(self, windows: Tensor) -> Tensor:
        """Logits of spectra; see the class for shapes."""
        logits: Tensor = self.head(self._class_tokens(windows.flatten(1)))
        return logits
