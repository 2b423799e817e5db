"""The names of models, known without loading any: what is none of them can be refused at once.

`tests/test_models.py` holds the lists against the models themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import entry_points

from ..errors import ConfigError
from ..registry import did_you_mean, listed
from .network_file import is_network_file

_WINDOWS = """
hybridsn hybridsn_se hybridsn_inception hybridsn_residual hybridsn_se_residual hybridsn_separable
cnn2d cnn3d m3d_cnn ssrn cnn1d inception_1d spectralformer
"""
_CLASSIC = """
alexnet zfnet vgg_11 vgg_13 vgg_16 vgg_19 network_in_network googlenet bn_inception inception_v3
inception_v4 inception_resnet_v1 inception_resnet_v2 resnet_20 resnet_56 resnet_110 resnet_18
resnet_34 resnet_50 resnet_101 resnet_152 preactivation_resnet_18 preactivation_resnet_34
preactivation_resnet_50 preactivation_resnet_101 preactivation_resnet_152 resnext_50 resnext_101
se_resnet_50 se_resnet_101 se_resnext_50 se_bn_inception se_inception_resnet_v2 mobilenet_v1
mobilenet_v2 shufflenet_v1
"""
_DENOISERS = "dncnn fdncnn ffdnet ircnn drunet residual_unet guided_unet refined_unet"
_PURPOSES = {
    "classification": _WINDOWS + _CLASSIC,
    "denoising": _DENOISERS,
    "retrieval": "dscmr",
}
NETWORKS = {name: purpose for purpose, names in _PURPOSES.items() for name in names.split()}
"""Networks of this package, and what each is for."""

CLASSIC_NETWORKS = frozenset(_CLASSIC.split())
"""Those of `backbones.classic`, which classify images and windows."""

CLASSICAL_MODELS = frozenset(("svm", "wide_svm", "forest", "lda", "gaussian", "spectral_angle"))
"""Classifiers without a network."""

# What each task of this package takes.
_MODELS_OF = {
    "classification": (*(_WINDOWS + _CLASSIC).split(), *CLASSICAL_MODELS),
    "image_classification": tuple((_WINDOWS + _CLASSIC).split()),
    "denoising": tuple(_DENOISERS.split()),
    "retrieval": ("dscmr",),
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
    known = {*NETWORKS, *CLASSICAL_MODELS, *also}
    if name in known or is_network_file(name) or entry_points(group="hsi_suite.tasks"):
        return
    # What a program has registered is known where it has loaded the models.
    registry = sys.modules.get(f"{__package__}.registry")
    if registry is not None and registry.is_model(name):
        return
    known |= entry_points(group="hsi_suite.models").names
    if name not in known:
        hint = did_you_mean(name, sorted(known), "`hsi models list` describes them")
        raise ConfigError(subject, f"unknown model {name!r}", listed(known), hint)


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
