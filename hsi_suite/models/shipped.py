"""The networks of this package by name: one entry for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from .classic_classifier import CLASSIC_MODELS, INITIALISATION, ClassicClassifier
from .cnn1d import CNN1D
from .cnn2d import CNN2D
from .cnn3d import CNN3D
from .dncnn import DnCNN, FDnCNN
from .drunet import DRUNet
from .dscmr import DSCMR
from .ffdnet import FFDNet
from .guided_unet import GuidedUNet
from .hybridsn import HybridSN
from .hybridsn_relatives import (
    HybridSNInception,
    HybridSNResidual,
    HybridSNSE,
    HybridSNSeparable,
    HybridSNSEResidual,
)
from .inception_1d import Inception1D
from .ircnn import IRCNN
from .known_names import FACTS, NETWORKS
from .m3d_cnn import M3DCNN
from .refined_unet import RefinedUNet
from .residual_unet import ResidualUNet
from .spec import ModelSpec
from .spectralformer import SpectralFormer
from .ssrn import SSRN

Entry = tuple[str, ModelSpec]


def _entry(
    name: str,
    factory: Callable[..., nn.Module],
    initialisation: str | None,
    example: Mapping[str, Any],
    example_input: tuple[int, ...],
) -> Entry:
    """A network, with what is said of it without loading it."""
    facts = FACTS[name]
    spec = ModelSpec(
        factory, NETWORKS[name], facts.summary, initialisation, example, example_input,
        facts.parameters,
    )  # fmt: skip
    return name, spec


def _of_windows(
    name: str,
    factory: Callable[..., nn.Module],
    initialisation: str | None,
    shape: tuple[int, ...],
    num_classes: int = 16,
) -> Entry:
    """A classifier of windows, as it is used on an input of this shape."""
    channels, window = shape[-3], shape[-1]
    example = {"in_channels": channels, "num_classes": num_classes, "window": window}
    return _entry(name, factory, initialisation, example, shape)


_COMPONENTS = (1, 30, 25, 25)
# Those of papers on the 200 bands of Indian Pines and its 16 classes, or on its components.
# Glorot's bounds count the kernels of all channels, of which a depthwise convolution has one each.
_CLASSIFIERS = (
    _of_windows("hybridsn", HybridSN, "glorot", _COMPONENTS),
    _of_windows("hybridsn_se", HybridSNSE, "glorot", _COMPONENTS),
    _of_windows("hybridsn_inception", HybridSNInception, "glorot", _COMPONENTS),
    _of_windows("hybridsn_residual", HybridSNResidual, "glorot", _COMPONENTS),
    _of_windows("hybridsn_se_residual", HybridSNSEResidual, "glorot", _COMPONENTS),
    _of_windows("hybridsn_separable", HybridSNSeparable, "kaiming", _COMPONENTS),
    _of_windows("cnn2d", CNN2D, "glorot", (30, 5, 5)),
    _of_windows("cnn3d", CNN3D, "kaiming", (200, 5, 5)),
    _of_windows("m3d_cnn", M3DCNN, "kaiming", (200, 7, 7)),
    _of_windows("ssrn", SSRN, "kaiming", (200, 7, 7)),
    _of_windows("cnn1d", CNN1D, "glorot", (200, 1, 1)),
    _of_windows("inception_1d", Inception1D, "kaiming", (200, 1, 1)),
    # Its authors keep the initial weights of torch, and draw class token and positions as normal.
    _of_windows("spectralformer", SpectralFormer, None, (200, 1, 1)),
)
_CLASSIC = (
    _of_windows(
        name,
        ClassicClassifier(name),
        INITIALISATION,
        (3, classic.size, classic.size),
        classic.num_classes,
    )
    for name, classic in CLASSIC_MODELS.items()
)
_UNET = {"channels": (48, 96, 192)}
_OTHERS = (
    _entry("dncnn", DnCNN, "kaiming", {"in_channels": 1, "depth": 17}, (1, 40, 40)),
    _entry("fdncnn", FDnCNN, "kaiming", {"in_channels": 1, "depth": 20}, (2, 40, 40)),
    _entry("ffdnet", FFDNet, "kaiming", {"in_channels": 1, "depth": 15, "width": 64}, (2, 40, 40)),
    _entry("ircnn", IRCNN, "kaiming", {"in_channels": 1, "norm": None}, (1, 40, 40)),
    _entry(
        "drunet", DRUNet, None,
        {"in_channels": 1, "channels": (64, 128, 256, 512), "blocks": 4}, (2, 40, 40),
    ),
    # Wider draws grow along the residual sums, which no norm keeps down, and never learn.
    _entry("residual_unet", ResidualUNet, None, {"in_channels": 1, **_UNET}, (2, 37, 50)),
    _entry("guided_unet", GuidedUNet, None, {"in_channels": 3, **_UNET}, (4, 37, 50)),
    _entry("refined_unet", RefinedUNet, None, {"in_channels": 3, **_UNET}, (3, 37, 50)),
    _entry(
        "dscmr", DSCMR, None,
        {"first_shape": (4096,), "second_shape": (300,), "num_classes": 20}, (4396,),
    ),
)  # fmt: skip

SHIPPED: Mapping[str, ModelSpec] = dict((*_CLASSIFIERS, *_CLASSIC, *_OTHERS))
