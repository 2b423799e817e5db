"""The names of models, known without loading any: what is none of them can be refused at once.

`tests/test_models.py` holds the lists against the models themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points

from ..errors import ConfigError
from ..registry import did_you_mean, listed
from .known_facts import CLASSIC, DENOISERS, RETRIEVERS, SPECTRA, WINDOWS, Facts
from .network_file import is_network_file

_PURPOSES: Mapping[str, Mapping[str, Facts]] = {
    "classification": {**WINDOWS, **CLASSIC},
    "denoising": DENOISERS,
    "retrieval": RETRIEVERS,
}
NETWORKS = {name: purpose for purpose, facts in _PURPOSES.items() for name in facts}
"""Networks of this package, and what each is for."""

FACTS: Mapping[str, Facts] = {**WINDOWS, **CLASSIC, **DENOISERS, **RETRIEVERS, **SPECTRA}
"""What is said of every model of this package."""

CLASSIC_NETWORKS = frozenset(CLASSIC)
"""Those of `backbones.classic`, which classify images and windows."""

CLASSICAL_MODELS = frozenset(SPECTRA)
"""Classifiers without a network."""

TORCHVISION_NETWORKS = (
    *("alexnet", "vgg_11", "vgg_13", "vgg_16", "vgg_19", "googlenet", "inception_v3"),
    *("resnet_18", "resnet_34", "resnet_50", "resnet_101", "resnet_152"),
    *("resnext_50", "resnext_101", "mobilenet_v2"),
)
"""Classic networks that torchvision has weights of."""

# What each task of this package takes.
_MODELS_OF = {
    "classification": (*WINDOWS, *CLASSIC, *SPECTRA),
    "image_classification": (*WINDOWS, *CLASSIC),
    "denoising": tuple(DENOISERS),
    "retrieval": tuple(RETRIEVERS),
}


def require_model(subject: str, name: str, also: Iterable[str] = ()) -> None:
    """Refuse a name that is no model's; whether it is one for the task at hand is seen later.

    Networks of other packages and registered ones count; where other packages offer tasks, which
    may have models of their own, nothing is refused here.

    Args:
        subject: the option or key that names it.
        name: what was given, perhaps FILE.py:Class.
        also: words that stand for a model there.

    Raises:
        ConfigError: there is no such model.
    """
    if name in also or is_known(name) or entry_points(group="hsi_suite.tasks"):
        return
    known = {*known_models(), *also}
    hint = did_you_mean(name, sorted(known), "`hsi models list` describes them")
    raise ConfigError(subject, f"unknown model {name!r}", listed(known), hint)


def is_known(name: str) -> bool:
    """Whether a name is a model's, of whatever purpose, or FILE.py:Class."""
    if name in known_models() or is_network_file(name):
        return True
    # What a program has registered is known where it has loaded the models.
    registry = sys.modules.get(f"{__package__}.registry")
    return registry is not None and bool(registry.is_model(name))


def known_models() -> list[str]:
    """The models of this package, and those that other packages offer."""
    return list(dict.fromkeys([*FACTS, *entry_points(group="hsi_suite.models").names]))


def known_classifiers() -> list[str]:
    """The models of this package that classify pixels, and all that other packages offer."""
    ours = {*WINDOWS, *CLASSIC, *SPECTRA}
    return [name for name in known_models() if name in ours or name not in FACTS]


def require_purpose(name: str, task: str) -> None:
    """Refuse a model of this package that is for another task; others say so when they are built.

    Args:
        name: of the model.
        task: of the configuration. Images are classified by what classifies windows.

    Raises:
        ConfigError: the model is for something else.
    """
    models = _MODELS_OF.get(task)
    if models is None or name in models or name not in {*NETWORKS, *CLASSICAL_MODELS}:
        return
    purpose = NETWORKS.get(name, "single spectra")
    raise ConfigError("model.name", f"{name} is for {purpose}", listed(_networks(models)))


def require_torchvision(name: str) -> None:
    """Refuse a model of this package that torchvision has no weights of.

    Raises:
        ConfigError: it has none.
    """
    if name in CLASSIC_NETWORKS and name not in TORCHVISION_NETWORKS:
        known = ", ".join(TORCHVISION_NETWORKS)
        raise ConfigError(name, "not among torchvision's networks", f"one of {known}")


def _networks(models: Iterable[str]) -> list[str]:
    return [name for name in models if name in NETWORKS]


def require_layers(name: str) -> None:
    """Refuse a model without layers where a network is to be described.

    Raises:
        ConfigError: it is a classical one.
    """
    if name in CLASSICAL_MODELS:
        expected = f"a network: {listed(NETWORKS)}"
        raise ConfigError(name, "a classical model, which has no layers", expected)
