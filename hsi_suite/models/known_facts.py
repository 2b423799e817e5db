"""What is said of every model of this package, known without loading any.

The networks take it from here (`shipped.py`, `classic_classifier.py`), so that a list of them needs
neither torch nor scikit-learn. Tests count the parameters, and hold the classical models' lines
against their docstrings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """What is said of a model.

    Attributes:
        summary: one line.
        parameters: of the usual instance of a network, see `ModelSpec.example`; of a classic one
            for 3 channels and the classes it was published for, without auxiliary heads. None of
            models that have none.
    """

    summary: str
    parameters: int | None = None


WINDOWS: Mapping[str, Facts] = {
    "hybridsn": Facts(
        "3-D, then 2-D convolutions over a window of components (Roy et al. 2020)", 5_122_176
    ),
    "hybridsn_se": Facts(
        "HybridSN with squeeze-and-excitation before its connected layers", 5_124_304
    ),
    "hybridsn_inception": Facts("HybridSN with an Inception module as 2-D stage", 3_779_516),
    "hybridsn_residual": Facts("HybridSN with residual stages", 5_159_808),
    "hybridsn_se_residual": Facts("HybridSN with residual stages and the gates of se", 5_161_936),
    "hybridsn_separable": Facts("HybridSN with separable convolutions: light", 114_864),
    "cnn2d": Facts(
        "2-D convolutions over a window of components (Makantasis et al. 2015)", 295_036
    ),
    "cnn3d": Facts("3-D convolutions over a window of all bands (Ben Hamida et al. 2018)", 45_196),
    "m3d_cnn": Facts("3-D convolutions of four lengths side by side (He et al. 2017)", 35_552),
    "ssrn": Facts(
        "residual blocks along the spectrum, then over the window (Zhong et al. 2018)", 363_848
    ),
    "cnn1d": Facts("1-D convolution over one pixel's spectrum (Hu et al. 2015)", 72_196),
    "inception_1d": Facts("Inception modules along one pixel's spectrum", 60_212),
    "spectralformer": Facts(
        "transformer along one pixel's spectrum (Hong et al. 2022, pixel-wise)", 346_361
    ),
}
"""Networks that classify pixels by their windows or spectra, those of other tables aside."""

CLASSIC: Mapping[str, Facts] = {
    "alexnet": Facts("five convolutions (Krizhevsky 2014)", 61_100_840),
    "zfnet": Facts("AlexNet with a finer beginning (Zeiler and Fergus 2014)", 62_357_608),
    "vgg_11": Facts("11 layers, 3×3 convolutions (Simonyan and Zisserman 2015)", 132_863_336),
    "vgg_13": Facts("13 layers, 3×3 convolutions (Simonyan and Zisserman 2015)", 133_047_848),
    "vgg_16": Facts("16 layers, 3×3 convolutions (Simonyan and Zisserman 2015)", 138_357_544),
    "vgg_19": Facts("19 layers, 3×3 convolutions (Simonyan and Zisserman 2015)", 143_667_240),
    "network_in_network": Facts("1×1 convolutions, scores as means (Lin et al. 2014)", 7_595_176),
    "googlenet": Facts("Inception v1 (Szegedy et al. 2015)", 6_624_904),
    "bn_inception": Facts("Inception with batch norm (Ioffe and Szegedy 2015)", 11_285_224),
    "inception_v3": Facts("factorised kernels (Szegedy et al. 2016)", 23_834_568),
    "inception_v4": Facts("uniform modules (Szegedy et al. 2017)", 42_679_816),
    "inception_resnet_v1": Facts("residual Inception blocks (Szegedy et al. 2017)", 22_756_328),
    "inception_resnet_v2": Facts(
        "wider residual Inception blocks (Szegedy et al. 2017)", 55_843_464
    ),
    "resnet_20": Facts("20 thin layers for 32×32, residual (He et al. 2016)", 272_474),
    "resnet_56": Facts("56 thin layers for 32×32, residual (He et al. 2016)", 855_770),
    "resnet_110": Facts("110 thin layers for 32×32, residual (He et al. 2016)", 1_730_714),
    "resnet_18": Facts("18 layers, residual (He et al. 2016)", 11_689_512),
    "resnet_34": Facts("34 layers, residual (He et al. 2016)", 21_797_672),
    "resnet_50": Facts("50 layers, residual (He et al. 2016)", 25_557_032),
    "resnet_101": Facts("101 layers, residual (He et al. 2016)", 44_549_160),
    "resnet_152": Facts("152 layers, residual (He et al. 2016)", 60_192_808),
    "preactivation_resnet_18": Facts(
        "18 layers, residual, norms before convolutions (He et al. 2016b)", 11_687_720
    ),
    "preactivation_resnet_34": Facts(
        "34 layers, residual, norms before convolutions (He et al. 2016b)", 21_795_880
    ),
    "preactivation_resnet_50": Facts(
        "50 layers, residual, norms before convolutions (He et al. 2016b)", 25_549_352
    ),
    "preactivation_resnet_101": Facts(
        "101 layers, residual, norms before convolutions (He et al. 2016b)", 44_541_480
    ),
    "preactivation_resnet_152": Facts(
        "152 layers, residual, norms before convolutions (He et al. 2016b)", 60_185_128
    ),
    "resnext_50": Facts("50 layers, 32 groups of 4 (Xie et al. 2017)", 25_028_904),
    "resnext_101": Facts("101 layers, 32 groups of 4 (Xie et al. 2017)", 44_177_704),
    "se_resnet_50": Facts("ResNet-50 with attention (Hu et al. 2018)", 28_088_024),
    "se_resnet_101": Facts("ResNet-101 with attention (Hu et al. 2018)", 49_326_872),
    "se_resnext_50": Facts("ResNeXt-50 with attention (Hu et al. 2018)", 27_559_896),
    "se_bn_inception": Facts("BN-Inception with attention (Hu et al. 2018)", 11_931_622),
    "se_inception_resnet_v2": Facts(
        "Inception-ResNet v2 with attention (Hu et al. 2018)", 64_387_444
    ),
    "mobilenet_v1": Facts("depthwise convolutions (Howard et al. 2017)", 4_231_976),
    "mobilenet_v2": Facts("inverted residuals (Sandler et al. 2018)", 3_504_872),
    "shufflenet_v1": Facts("shuffled groups (Zhang et al. 2018)", 1_865_728),
}
"""The networks of `backbones.classic`, which classify images and windows."""

DENOISERS: Mapping[str, Facts] = {
    "dncnn": Facts(
        "plain stack of 3×3 convolutions that predicts the noise (Zhang et al. 2017)", 556_097
    ),
    "fdncnn": Facts(
        "stack of 3×3 convolutions with a σ map as an input (its authors, 2018)", 666_497
    ),
    "ffdnet": Facts(
        "3×3 convolutions on half-size images and a σ map (Zhang et al. 2018)", 485_316
    ),
    "ircnn": Facts("seven dilated 3×3 convolutions for one σ (Zhang et al. 2017)", 185_857),
    "drunet": Facts("large bias-free U-Net with a σ map (Zhang et al. 2021)", 32_638_656),
    "residual_unet": Facts("small bias-free U-Net with a σ map, the default denoiser", 2_346_048),
    "guided_unet": Facts(
        "two such U-Nets for images in colour: brightness, then colour with its guidance", 4_702_464
    ),
    "refined_unet": Facts(
        "two such U-Nets without σ for camera photographs: colour, then what is left", 4_712_928
    ),
}
"""Networks that take the noise out of images."""

RETRIEVERS: Mapping[str, Facts] = {
    "dscmr": Facts(
        "two encoders into one common space (Zhen et al. 2019); input: both, side by side",
        11_125_780,
    ),
}
"""Networks of two modalities."""

SPECTRA: Mapping[str, Facts] = {
    "svm": Facts("RBF support vector machine on standardised spectra"),
    "wide_svm": Facts("A support vector machine that carries over to fields it has not seen"),
    "forest": Facts("Random forest (Breiman 2001) of 200 trees on spectra as they are"),
    "lda": Facts(
        "Linear discriminant analysis whose covariance is shrunk, so that bands may be many"
    ),
    "gaussian": Facts(
        "Maximum likelihood under a normal distribution for each class, all equally likely "
        "beforehand"
    ),
    "spectral_angle": Facts(
        "The class whose mean spectrum is nearest in angle: brightness does not matter"
    ),
}
"""Classifiers of single spectra, without a network."""
