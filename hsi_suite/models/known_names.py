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

_NETWORKS = """
hybridsn hybridsn_se hybridsn_inception hybridsn_residual hybridsn_se_residual hybridsn_separable
cnn2d cnn3d m3d_cnn ssrn cnn1d inception_1d spectralformer

alexnet zfnet vgg_11 vgg_13 vgg_16 vgg_19 network_in_network googlenet bn_inception inception_v3
inception_v4 inception_resnet_v1 inception_resnet_v2 resnet_20 resnet_56 resnet_110 resnet_18
resnet_34 resnet_50 resnet_101 resnet_152 preactivation_resnet_18 preactivation_resnet_34
preactivation_resnet_50 preactivation_resnet_101 preactivation_resnet_152 resnext_50 resnext_101
se_resnet_50 se_resnet_101 se_resnext_50 se_bn_inception se_inception_resnet_v2 mobilenet_v1
mobilenet_v2 shufflenet_v1

dncnn fdncnn ffdnet ircnn drunet residual_unet guided_unet refined_unet

dscmr
"""
NETWORKS = frozenset(_NETWORKS.split())
"""Networks of this package, of all tasks."""

CLASSICAL_MODELS = frozenset(("svm", "wide_svm", "forest", "lda", "gaussian", "spectral_angle"))
"""Classifiers without a network."""


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
    known = NETWORKS | CLASSICAL_MODELS | set(also)
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
