"""The classic networks as classifiers: of images, and of windows of a scene's components."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import Any, get_type_hints

from ..backbones.classic import CLASSIC, ClassicNetwork
from ..errors import ShapeError

# Of all networks here. The papers before He et al. draw from Gaussians of one fixed width or, for
# VGG, by Glorot's scheme, from which 16 layers without norms hardly begin to learn.
INITIALISATION = "kaiming"
# Windows of scenes and images of 32×32 are below, images of photographs above.
_SMALL_BELOW = 64


@dataclass(frozen=True)
class ClassicModel:
    """What is to be known of a classic network before it is built.

    Attributes:
        summary: one line.
        size: pixels on either side of the images it was published for.
        parameters: with 3 channels and `num_classes`, without auxiliary heads.
        num_classes: classes of the data set it was published for.
    """

    summary: str
    size: int
    parameters: int
    num_classes: int = 1000


def _resnet(depth: int, parameters: int) -> ClassicModel:
    return ClassicModel(f"{depth} layers, residual (He et al. 2016)", 224, parameters)


def _preactivated(depth: int, parameters: int) -> ClassicModel:
    text = f"{depth} layers, residual, norms before convolutions (He et al. 2016b)"
    return ClassicModel(text, 224, parameters)


def _cifar_resnet(depth: int, parameters: int) -> ClassicModel:
    text = f"{depth} thin layers for 32×32, residual (He et al. 2016)"
    return ClassicModel(text, 32, parameters, num_classes=10)


def _vgg(depth: int, parameters: int) -> ClassicModel:
    text = f"{depth} layers, 3×3 convolutions (Simonyan and Zisserman 2015)"
    return ClassicModel(text, 224, parameters)


CLASSIC_MODELS: dict[str, ClassicModel] = {
    "alexnet": ClassicModel("five convolutions (Krizhevsky 2014)", 224, 61_100_840),
    "zfnet": ClassicModel(
        "AlexNet with a finer beginning (Zeiler and Fergus 2014)", 224, 62_357_608
    ),
    "vgg_11": _vgg(11, 132_863_336),
    "vgg_13": _vgg(13, 133_047_848),
    "vgg_16": _vgg(16, 138_357_544),
    "vgg_19": _vgg(19, 143_667_240),
    "network_in_network": ClassicModel(
        "1×1 convolutions, scores as means (Lin et al. 2014)", 224, 7_595_176
    ),
    "googlenet": ClassicModel("Inception v1 (Szegedy et al. 2015)", 224, 6_624_904),
    "bn_inception": ClassicModel(
        "Inception with batch norm (Ioffe and Szegedy 2015)", 224, 11_285_224
    ),
    "inception_v3": ClassicModel("factorised kernels (Szegedy et al. 2016)", 299, 23_834_568),
    "inception_v4": ClassicModel("uniform modules (Szegedy et al. 2017)", 299, 42_679_816),
    "inception_resnet_v1": ClassicModel(
        "residual Inception blocks (Szegedy et al. 2017)", 299, 22_756_328
    ),
    "inception_resnet_v2": ClassicModel(
        "wider residual Inception blocks (Szegedy et al. 2017)", 299, 55_843_464
    ),
    "resnet_20": _cifar_resnet(20, 272_474),
    "resnet_56": _cifar_resnet(56, 855_770),
    "resnet_110": _cifar_resnet(110, 1_730_714),
    "resnet_18": _resnet(18, 11_689_512),
    "resnet_34": _resnet(34, 21_797_672),
    "resnet_50": _resnet(50, 25_557_032),
    "resnet_101": _resnet(101, 44_549_160),
    "resnet_152": _resnet(152, 60_192_808),
    "preactivation_resnet_18": _preactivated(18, 11_687_720),
    "preactivation_resnet_34": _preactivated(34, 21_795_880),
    "preactivation_resnet_50": _preactivated(50, 25_549_352),
    "preactivation_resnet_101": _preactivated(101, 44_541_480),
    "preactivation_resnet_152": _preactivated(152, 60_185_128),
    "resnext_50": ClassicModel("50 layers, 32 groups of 4 (Xie et al. 2017)", 224, 25_028_904),
    "resnext_101": ClassicModel("101 layers, 32 groups of 4 (Xie et al. 2017)", 224, 44_177_704),
    "se_resnet_50": ClassicModel("ResNet-50 with attention (Hu et al. 2018)", 224, 28_088_024),
    "se_resnet_101": ClassicModel("ResNet-101 with attention (Hu et al. 2018)", 224, 49_326_872),
    "se_resnext_50": ClassicModel("ResNeXt-50 with attention (Hu et al. 2018)", 224, 27_559_896),
    "se_bn_inception": ClassicModel(
        "BN-Inception with attention (Hu et al. 2018)", 224, 11_931_622
    ),
    "se_inception_resnet_v2": ClassicModel(
        "Inception-ResNet v2 with attention (Hu et al. 2018)", 299, 64_387_444
    ),
    "mobilenet_v1": ClassicModel("depthwise convolutions (Howard et al. 2017)", 224, 4_231_976),
    "mobilenet_v2": ClassicModel("inverted residuals (Sandler et al. 2018)", 224, 3_504_872),
    "shufflenet_v1": ClassicModel("shuffled groups (Zhang et al. 2018)", 224, 1_865_728),
}


@dataclass(frozen=True)
class ClassicClassifier:
    """Builds a classic network that takes `window` too, as classifiers do.

    The window is the side of the images, or of the windows around a scene's pixels, whose
    components are the channels. Left out, `stem` is `small` for windows under 64 pixels, and
    `auxiliary` is False, so that training needs nothing but logits.

    Attributes:
        name: of the network, in `backbones.classic.CLASSIC`.
    """

    name: str

    @property
    def __signature__(self) -> inspect.Signature:
        """What can be given: in_channels, num_classes, window and the network's own options."""
        needed = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=int)
            for key in ("in_channels", "num_classes", "window")
        ]
        return inspect.Signature([*needed, *self._options().values()])

    def __call__(
        self, *, in_channels: int, num_classes: int, window: int, **options: Any
    ) -> ClassicNetwork:
        """The network, with torch's own initial weights.

        Args:
            in_channels: channels of the images, components of a scene.
            num_classes: classes.
            window: side of the images or windows in pixels.
            options: further arguments of the network.

        Raises:
            UnknownNameError: no network of this name.
            TypeError: an option the network has not.
            ConfigError: a value the network cannot take.
            ShapeError: a window the network cannot take.
        """
        known = self._options()
        unknown = sorted(set(options) - set(known))
        if unknown:
            raise TypeError(f"{self.name} has no option {unknown[0]!r}")
        if "stem" in known:
            options.setdefault("stem", "small" if window < _SMALL_BELOW else "imagenet")
        if "auxiliary" in known:
            options.setdefault("auxiliary", False)
        network = CLASSIC[self.name](in_channels=in_channels, num_classes=num_classes, **options)
        least = network.smallest_in_training
        if window < least:
            remedy = "change model.window or take another model"
            raise ShapeError(self.name, f"a window of {window}", f"at least {least}", remedy)
        return network

    def _options(self) -> dict[str, inspect.Parameter]:
        """The network's own arguments but those its name settles (depth, attention)."""
        factory = CLASSIC[self.name]
        settled = factory.keywords if isinstance(factory, partial) else {}
        left_out = {"in_channels", "num_classes", *settled}
        own = inspect.signature(factory).parameters
        types = get_type_hints(factory.func if isinstance(factory, partial) else factory)
        return {
            key: value.replace(annotation=types[key])
            for key, value in own.items()
            if key not in left_out
        }
