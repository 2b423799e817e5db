"""The classic networks as classifiers: of images, and of windows of a scene's components."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import Any, get_type_hints

from ..backbones.classic import CLASSIC, ClassicNetwork
from . import known_facts
from .inputs import check_image

# Of all networks here. The papers before He et al. draw from Gaussians of one fixed width or, for
# VGG, by Glorot's scheme, from which 16 layers without norms hardly begin to learn.
INITIALISATION = "kaiming"
# Windows of scenes and images of 32×32 are below, images of photographs above.
_SMALL_BELOW = 64


@dataclass(frozen=True)
class ClassicModel:
    """What is to be known of a classic network before it is built.

    Attributes:
        facts: what is said of it.
        size: pixels on either side of the images it was published for.
        num_classes: classes of the data set it was published for.
    """

    facts: known_facts.Facts
    size: int
    num_classes: int


# Pixels on either side, where they are not those of most.
_USUAL_SIZE = 224
_SIZES = {
    **dict.fromkeys(("resnet_20", "resnet_56", "resnet_110"), 32),
    **dict.fromkeys(("inception_v3", "inception_v4", "inception_resnet_v1"), 299),
    **dict.fromkeys(("inception_resnet_v2", "se_inception_resnet_v2"), 299),
}
# Those for photographs of CIFAR-10; all others are for ImageNet's.
_CLASSES = dict.fromkeys(("resnet_20", "resnet_56", "resnet_110"), 10)

CLASSIC_MODELS: dict[str, ClassicModel] = {
    name: ClassicModel(facts, _SIZES.get(name, _USUAL_SIZE), _CLASSES.get(name, 1000))
    for name, facts in known_facts.CLASSIC.items()
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
        check_image(self.name, window, network.smallest_in_training)
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
