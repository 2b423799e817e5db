"""The networks of this package by name: one entry for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
from .m3d_cnn import M3DCNN
from .refined_unet import RefinedUNet
from .residual_unet import ResidualUNet
from .spec import ModelSpec
from .spectralformer import SpectralFormer
from .ssrn import SSRN


def _of_windows(
    factory: Callable[..., nn.Module],
    shape: tuple[int, ...],
    parameters: int,
    initialisation: str | None,
    summary: str,
    num_classes: int = 16,
) -> ModelSpec:
    """A classifier of windows, as it is used on an input of this shape."""
    channels, window = shape[-3], shape[-1]
    example = {"in_channels": channels, "num_classes": num_classes, "window": window}
    return ModelSpec(factory, "classification", summary, initialisation, example, shape, parameters)


_COMPONENTS = (1, 30, 25, 25)
# Those of papers on the 200 bands of Indian Pines and its 16 classes, or on its components.
# Glorot's bounds count the kernels of all channels, of which a depthwise convolution has one each.
_CLASSIFIERS = {
    "hybridsn": _of_windows(
        HybridSN, _COMPONENTS, 5_122_176, "glorot",
        "3-D, then 2-D convolutions over a window of components (Roy et al. 2020)",
    ),
    "hybridsn_se": _of_windows(
        HybridSNSE, _COMPONENTS, 5_124_304, "glorot",
        "HybridSN with squeeze-and-excitation before its connected layers",
    ),
    "hybridsn_inception": _of_windows(
        HybridSNInception, _COMPONENTS, 3_779_516, "glorot",
        "HybridSN with an Inception module as 2-D stage",
    ),
    "hybridsn_residual": _of_windows(
        HybridSNResidual, _COMPONENTS, 5_159_808, "glorot", "HybridSN with residual stages"
    ),
    "hybridsn_se_residual": _of_windows(
        HybridSNSEResidual, _COMPONENTS, 5_161_936, "glorot",
        "HybridSN with residual stages and the gates of se",
    ),
    "hybridsn_separable": _of_windows(
        HybridSNSeparable, _COMPONENTS, 114_864, "kaiming",
        "HybridSN with separable convolutions: light",
    ),
    "cnn2d": _of_windows(
        CNN2D, (30, 5, 5), 295_036, "glorot",
        "2-D convolutions over a window of components (Makantasis et al. 2015)",
    ),
    "cnn3d": _of_windows(
        CNN3D, (200, 5, 5), 45_196, "kaiming",
        "3-D convolutions over a window of all bands (Ben Hamida et al. 2018)",
    ),
    "m3d_cnn": _of_windows(
        M3DCNN, (200, 7, 7), 35_552, "kaiming",
        "3-D convolutions of four lengths side by side (He et al. 2017)",
    ),
    "ssrn": _of_windows(
        SSRN, (200, 7, 7), 363_848, "kaiming",
        "residual blocks along the spectrum, then over the window (Zhong et al. 2018)",
    ),
    "cnn1d": _of_windows(
        CNN1D, (200, 1, 1), 72_196, "glorot",
        "1-D convolution over one pixel's spectrum (Hu et al. 2015)",
    ),
    "inception_1d": _of_windows(
        Inception1D, (200, 1, 1), 60_212, "kaiming",
        "Inception modules along one pixel's spectrum",
    ),
    # Its authors keep the initial weights of torch, and draw class token and positions as normal.
    "spectralformer": _of_windows(
        SpectralFormer, (200, 1, 1), 346_361, None,
        "transformer along one pixel's spectrum (Hong et al. 2022, pixel-wise)",
    ),
}  # fmt: skip
_CLASSIC = {
    name: _of_windows(
        ClassicClassifier(name),
        (3, classic.size, classic.size),
        classic.parameters,
        INITIALISATION,
        classic.summary,
        classic.num_classes,
    )
    for name, classic in CLASSIC_MODELS.items()
}
_OTHERS = {
    "dncnn": ModelSpec(
        factory=DnCNN,
        task="denoising",
        summary="plain stack of 3×3 convolutions that predicts the noise (Zhang et al. 2017)",
        initialisation="kaiming",
        example={"in_channels": 1, "depth": 17},
        example_input=(1, 40, 40),
        example_parameters=556_097,
    ),
    "fdncnn": ModelSpec(
        factory=FDnCNN,
        task="denoising",
        summary="stack of 3×3 convolutions with a σ map as an input (its authors, 2018)",
        initialisation="kaiming",
        example={"in_channels": 1, "depth": 20},
        example_input=(2, 40, 40),
        example_parameters=666_497,
    ),
    "ffdnet": ModelSpec(
        factory=FFDNet,
        task="denoising",
        summary="3×3 convolutions on half-size images and a σ map (Zhang et al. 2018)",
        initialisation="kaiming",
        example={"in_channels": 1, "depth": 15, "width": 64},
        example_input=(2, 40, 40),
        example_parameters=485_316,
    ),
    "ircnn": ModelSpec(
        factory=IRCNN,
        task="denoising",
        summary="seven dilated 3×3 convolutions for one σ (Zhang et al. 2017)",
        initialisation="kaiming",
        example={"in_channels": 1, "norm": None},
        example_input=(1, 40, 40),
        example_parameters=185_857,
    ),
    "drunet": ModelSpec(
        factory=DRUNet,
        task="denoising",
        summary="large bias-free U-Net with a σ map (Zhang et al. 2021)",
        initialisation=None,
        example={"in_channels": 1, "channels": (64, 128, 256, 512), "blocks": 4},
        example_input=(2, 40, 40),
        example_parameters=32_638_656,
    ),
    "residual_unet": ModelSpec(
        factory=ResidualUNet,
        task="denoising",
        summary="small bias-free U-Net with a σ map, the default denoiser",
        # Wider draws grow along the residual sums, which no norm keeps down, and never learn.
        initialisation=None,
        example={"in_channels": 1, "channels": (48, 96, 192)},
        example_input=(2, 37, 50),
        example_parameters=2_346_048,
    ),
    "guided_unet": ModelSpec(
        factory=GuidedUNet,
        task="denoising",
        summary="two such U-Nets for images in colour: brightness, then colour with its guidance",
        initialisation=None,
        example={"in_channels": 3, "channels": (48, 96, 192)},
        example_input=(4, 37, 50),
        example_parameters=4_702_464,
    ),
    "refined_unet": ModelSpec(
        factory=RefinedUNet,
        task="denoising",
        summary="two such U-Nets without σ for camera photographs: colour, then what is left",
        initialisation=None,
        example={"in_channels": 3, "channels": (48, 96, 192)},
        example_input=(3, 37, 50),
        example_parameters=4_712_928,
    ),
    "dscmr": ModelSpec(
        factory=DSCMR,
        task="retrieval",
        summary="two encoders into one common space (Zhen et al. 2019); input: both, side by side",
        initialisation=None,
        example={"first_shape": (4096,), "second_shape": (300,), "num_classes": 20},
        example_input=(4396,),
        example_parameters=11_125_780,
    ),
}

SHIPPED: Mapping[str, ModelSpec] = _CLASSIFIERS | _CLASSIC | _OTHERS
