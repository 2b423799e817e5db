"""The options of models, known without loading any: what is none of them can be refused at once.

`tests/test_models.py` holds the lists against the models themselves.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from ..errors import ConfigError
from ..registry import did_you_mean
from .known_names import CLASSICAL_MODELS
from .known_values import require_values
from .known_words import require_words

_STYLE = "block attention scale norm activation"
_CLASSIC = "dropout width stem"
# Names of models, and their options in the order of their arguments.
_TABLE = {
    "hybridsn": f"dropout {_STYLE} stages gather",
    "hybridsn_se hybridsn_se_residual": "dropout reduction",
    "hybridsn_inception hybridsn_residual hybridsn_separable m3d_cnn ssrn inception_1d": "dropout",
    "cnn2d cnn3d cnn1d": "",
    "spectralformer": "group dropout",
    "alexnet": f"{_CLASSIC} towers",
    "zfnet network_in_network inception_v4 mobilenet_v1 mobilenet_v2": _CLASSIC,
    "preactivation_resnet_18 preactivation_resnet_34 preactivation_resnet_50": _CLASSIC,
    "preactivation_resnet_101 preactivation_resnet_152": _CLASSIC,
    "se_resnet_50 se_resnet_101 se_bn_inception": _CLASSIC,
    "vgg_11 vgg_13 vgg_16 vgg_19": f"{_CLASSIC} norm",
    "googlenet": (
        f"{_CLASSIC} auxiliary auxiliary_dropout five_by_five norm pool_4 auxiliary_pooling"
    ),
    "bn_inception resnet_18 resnet_34 resnet_50 resnet_101 resnet_152": f"{_CLASSIC} attention",
    "inception_v3": f"{_CLASSIC} auxiliary",
    "inception_resnet_v1 se_inception_resnet_v2": f"{_CLASSIC} scale",
    "inception_resnet_v2": f"{_CLASSIC} attention scale",
    "resnet_20 resnet_56 resnet_110": "dropout width",
    "resnext_50 resnext_101": f"{_CLASSIC} attention groups group_width",
    "se_resnext_50": f"{_CLASSIC} groups group_width",
    "shufflenet_v1": f"{_CLASSIC} groups",
    "dncnn fdncnn ffdnet": "depth width norm block attention scale activation",
    "ircnn": "width norm networks",
    "drunet": "channels blocks",
    "residual_unet": (
        "channels blocks unshuffle block noise_map offset attention scale norm activation stages"
    ),
    "guided_unet refined_unet": "channels blocks unshuffle block",
    "dscmr": f"first_encoder second_encoder hidden embedding dropout {_STYLE} stages",
    "svm wide_svm": "C gamma",
    "lda": "shrinkage",
    "gaussian": "pooling",
    "forest spectral_angle": "",
}
OPTIONS: Mapping[str, tuple[str, ...]] = {
    name: tuple(options.split()) for names, options in _TABLE.items() for name in names.split()
}
"""Of every model of this package, networks and others."""

SEE_SINGLE_PIXELS: Collection[str] = frozenset(("cnn1d", "inception_1d", "spectralformer"))
"""Networks of this package for one spectrum, whose window is 1."""


def require_options(name: str, options: Mapping[str, Any]) -> None:
    """Refuse options that a model of this package does not have, and values that they cannot have.

    What hangs on channels, windows or several options together, and models of others, are judged
    when a model is built.

    Raises:
        UnknownNameError: no norm, activation or attention of a name.
        ConfigError: names the first option, value, stage, block or encoder that there is not.
    """
    if name in CLASSICAL_MODELS:
        require_settings(name, options)
        return
    if name not in OPTIONS:
        return
    known = OPTIONS[name]
    for key in options:
        if key not in known:
            raise unknown_option(name, key, known)
    require_values(name, options, known)
    require_words(name, options, known)


def require_settings(name: str, options: Mapping[str, Any]) -> None:
    """Refuse settings that a classical model does not have, or not by itself.

    Args:
        name: of the model.
        options: by name; none at all are searched, or are the usual ones.

    Raises:
        ConfigError: they are not all of its settings, or no positive numbers.
    """
    known = OPTIONS[name]
    sound = all(_is_number(value) and value > 0 for value in options.values())
    if options and (set(options) != set(known) or not sound):
        raise ConfigError(
            "model.options",
            f"{dict(options)} with {name}",
            f"positive numbers for {' and '.join(sorted(known))}" if known else "no options",
            "leave them out to have them searched" if known else "",
        )


def unknown_option(name: str, key: str, known: Collection[str]) -> ConfigError:
    """What is said of an option that a model does not have.

    Args:
        name: of the model.
        key: the option.
        known: those that it has.
    """
    expected = f"one of {', '.join(known)}" if known else "no options"
    hint = did_you_mean(key, known, most=1)
    return ConfigError(f"model.options.{key}", f"unknown option of {name}", expected, hint)


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
