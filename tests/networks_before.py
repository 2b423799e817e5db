"""HybridSN, its relatives, encoders and U-Net levels as they were written before the vocabulary.

The slow twins of what configurations of `hsi_suite.backbones.stages` give now: the same names of
weights, the same draws, the same values.
"""

from typing import Any

from torch import nn

from hsi_suite.backbones import build_block
from hsi_suite.backbones.conv import ConvNormAct, DepthwiseSeparableConv
from hsi_suite.backbones.inception_v1 import inception_v1
from hsi_suite.backbones.pooling import max_pool
from hsi_suite.backbones.residual import Residual, basic_residual
from hsi_suite.backbones.squeeze_excitation import SqueezeExcitation
from hsi_suite.backbones.window_classifier import WindowClassifier

_KERNELS_3D = ((8, (7, 3, 3)), (16, (5, 3, 3)), (32, (3, 3, 3)))
_KERNEL_2D = (3, 3)


class HybridSN(WindowClassifier):
    depth = 64
    least_window = 9

    def __init__(self, in_channels, num_classes, window=25, dropout=0.4):
        super().__init__()
        self.window = window
        self.margin = self.least_window - 1
        self.spectral_spatial = nn.Sequential()
        channels = 1
        for width, kernel in _KERNELS_3D:
            self.spectral_spatial.append(self._stage(channels, width, kernel, dim=3))
            channels = width
        channels *= in_channels - 12
        self.spatial = nn.Sequential(self._stage(channels, self.depth, _KERNEL_2D, dim=2))
        side = window - self.margin
        self.head = connected_head(self.depth * side * side, num_classes, dropout)

    def _stage(self, in_channels, out_channels, kernel, dim):
        return ConvNormAct(in_channels, out_channels, kernel, dim=dim, padding="valid")

    def features(self, cubes):
        volume = self.spectral_spatial(cubes.unsqueeze(1))
        return self.spatial(volume.flatten(1, 2))


def connected_head(in_features, num_classes, dropout):
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(in_features, 256),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(128, num_classes),
    )


class HybridSNSE(HybridSN):
    def __init__(self, in_channels, num_classes, window=25, dropout=0.4, reduction=4):
        super().__init__(in_channels, num_classes, window, dropout)
        self.head.insert(0, SqueezeExcitation(self.depth, reduction))


class HybridSNInception(HybridSN):
    least_window = 11

    def _stage(self, in_channels, out_channels, kernel, dim):
        if dim == 3:
            return super()._stage(in_channels, out_channels, kernel, dim)
        return inception_v1(in_channels, out_channels, dim=dim, padding="valid", norm=None)


class HybridSNResidual(HybridSN):
    def _stage(self, in_channels, out_channels, kernel, dim):
        convolution: Any = {"dim": dim, "padding": "valid", "activation": None}
        body = ConvNormAct(in_channels, out_channels, kernel, **convolution)
        return Residual(body, ConvNormAct(in_channels, out_channels, 1, **convolution))


class HybridSNSEResidual(HybridSNSE, HybridSNResidual):
    pass


class HybridSNSeparable(HybridSN):
    def __init__(self, in_channels, num_classes, window=25, dropout=0.4):
        super().__init__(in_channels, num_classes, window, dropout)
        places = (window - self.margin, window - self.margin)
        whole: Any = {"dim": 2, "padding": "valid", "groups": self.depth}
        self.spatial.append(ConvNormAct(self.depth, self.depth, places, **whole))
        self.margin = window - 1
        self.head = connected_head(self.depth, num_classes, dropout)

    def _stage(self, in_channels, out_channels, kernel, dim):
        if in_channels == 1:
            return super()._stage(in_channels, out_channels, kernel, dim)
        return DepthwiseSeparableConv(
            in_channels, out_channels, kernel_size=kernel, dim=dim, padding="valid", norm=None
        )


NAMED = {
    "hybridsn": HybridSN,
    "hybridsn_se": HybridSNSE,
    "hybridsn_inception": HybridSNInception,
    "hybridsn_residual": HybridSNResidual,
    "hybridsn_se_residual": HybridSNSEResidual,
    "hybridsn_separable": HybridSNSeparable,
}


def inception_1d(shape):
    (bands,) = shape
    layers = nn.Sequential(nn.Unflatten(1, (1, bands)), ConvNormAct(1, 32, 7, **_style(1)))
    channels, length = 32, bands // 2
    layers.append(_half(1))
    for width in (64, 96, 128):
        layers.extend([inception_v1(channels, width, **_style(1)), _half(1)])
        channels, length = width, length // 2
    return layers.append(nn.Flatten()), channels * length


def residual_1d(shape):
    (bands,) = shape
    layers = nn.Sequential(
        nn.Unflatten(1, (1, bands)), ConvNormAct(1, 32, 7, stride=2, **_style(1))
    )
    channels, length = 32, -(-bands // 2)
    for width in (32, 64, 96):
        layers.append(basic_residual(channels, width, kernel_size=5, stride=2, **_style(1)))
        channels, length = width, -(-length // 2)
    return layers.append(nn.Flatten()), channels * length


def residual_2d(shape, attention=None):
    channels, side = shape[:2]
    style = {**_style(2), "attention": attention}
    layers = nn.Sequential(ConvNormAct(channels, 16, 3, **_style(2)))
    channels = 16
    for width, stride in zip((16, 32, 64), (1, 2, 2), strict=True):
        layers.append(basic_residual(channels, width, stride=stride, **style))
        channels, side = width, -(-side // stride)
    return layers.append(nn.Flatten()), channels * side * side


def se_residual_2d(shape):
    return residual_2d(shape, "se")


def inception_2d(shape):
    channels, side = shape[:2]
    layers = nn.Sequential(ConvNormAct(channels, 32, 3, **_style(2)))
    channels = 32
    for width, halve in ((64, True), (96, True), (128, False)):
        layers.append(inception_v1(channels, width, **_style(2)))
        channels = width
        if halve and side > 1:
            layers.append(_half(2))
            side //= 2
    return layers.append(nn.Flatten()), channels * side * side


def mlp(shape):
    features = 1
    for size in shape:
        features *= size
    return nn.Sequential(nn.Flatten()), features


ENCODERS = {
    f.__name__: f
    for f in (mlp, inception_1d, residual_1d, residual_2d, se_residual_2d, inception_2d)
}


def encoder(name, shape, hidden, dropout):
    layers, features = ENCODERS[name](shape)
    if dropout:
        layers.append(nn.Dropout(dropout))
    return layers.extend([nn.Linear(features, hidden), nn.ReLU()])


def _half(dim):
    return max_pool(2, dim=dim, stride=2, padding="valid")


def _style(dim) -> Any:
    return {"dim": dim, "norm": "batch"}


def unet_level(width, blocks, block):
    return nn.Sequential(*(_residual(width, block) for _ in range(blocks)))


def _residual(width, block):
    if block not in ("plain", "se"):
        body = build_block(block, width, width, dim=2, norm=None)
        return body if isinstance(body, Residual) else Residual(body, activation=None)
    attention = "se" if block == "se" else None
    body = nn.Sequential(
        ConvNormAct(width, width, 3, dim=2),
        ConvNormAct(width, width, 3, dim=2, activation=None, attention=attention),
    )
    return Residual(body, activation=None)


def convolution_row(in_channels, out_channels, depth, width, norm):
    return nn.Sequential(
        ConvNormAct(in_channels, width, 3, dim=2),
        *(ConvNormAct(width, width, 3, dim=2, norm=norm) for _ in range(depth - 2)),
        ConvNormAct(width, out_channels, 3, dim=2, activation=None),
    )
