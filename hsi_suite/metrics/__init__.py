"""Pure functions from predictions to scores, and what each score is called.

>>> import hsi_suite as hsi
>>> hsi.metrics.overall_accuracy([1, 1, 2, 2], [1, 1, 2, 1])
0.75
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .areas import area_estimates
    from .measure import Measure
    from .measures import measure
    from .of_labels import average_accuracy, class_scores, cohen_kappa, overall_accuracy
    from .probabilities import probability_scores
    from .restoration import (
        mean_peak_signal_noise_ratio,
        mean_structural_similarity,
        peak_signal_noise_ratio,
        spectral_angle,
        structural_similarity,
    )
    from .retrieval import retrieval_scores

_PUBLIC = {
    "area_estimates": "areas",
    "overall_accuracy": "of_labels",
    "average_accuracy": "of_labels",
    "cohen_kappa": "of_labels",
    "class_scores": "of_labels",
    "probability_scores": "probabilities",
    "peak_signal_noise_ratio": "restoration",
    "structural_similarity": "restoration",
    "mean_peak_signal_noise_ratio": "restoration",
    "mean_structural_similarity": "restoration",
    "spectral_angle": "restoration",
    "retrieval_scores": "retrieval",
    "Measure": "measure",
    "measure": "measures",
}
__all__ = [
    "Measure",
    "area_estimates",
    "average_accuracy",
    "class_scores",
    "cohen_kappa",
    "mean_peak_signal_noise_ratio",
    "mean_structural_similarity",
    "measure",
    "overall_accuracy",
    "peak_signal_noise_ratio",
    "probability_scores",
    "retrieval_scores",
    "spectral_angle",
    "structural_similarity",
]


def __dir__() -> list[str]:
    return list(__all__)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
