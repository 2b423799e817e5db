"""The classifiers of single spectra by name.

They are kept as their training spectra and settings and fitted again when loaded: nothing is
pickled. Trainings of networks ask for their names alone, so that scikit-learn, 80 MB of memory, is
imported where one is built or fitted.
"""

from __future__ import annotations

from ..registry import Registry
from .closed_form import GaussianMaximumLikelihood, LinearDiscriminant, SpectralAngleMapper
from .random_forest import RandomForest
from .spectrum_classifier import SpectrumClassifier
from .support_vectors import SupportVectorMachine, WideSupportVectorMachine

CLASSICAL: Registry[type[SpectrumClassifier]] = Registry("classical model")
CLASSICAL.add("svm", SupportVectorMachine)
CLASSICAL.add("wide_svm", WideSupportVectorMachine)
CLASSICAL.add("forest", RandomForest)
CLASSICAL.add("lda", LinearDiscriminant)
CLASSICAL.add("gaussian", GaussianMaximumLikelihood)
CLASSICAL.add("spectral_angle", SpectralAngleMapper)


def keeps_kernels(name: str) -> bool:
    """Whether a model is a support vector machine, whose fit keeps a cache of kernels."""
    return name in CLASSICAL and issubclass(CLASSICAL[name], SupportVectorMachine)
