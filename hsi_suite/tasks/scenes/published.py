"""Accuracies that papers report for the same data, model and share of training pixels."""

from __future__ import annotations

from typing import Any

from ...runs.task import Metrics
from ...schemas.classification import ClassificationConfig

_SOURCE = "Roy et al., IEEE GRSL 2020 (arXiv 1902.06701), table II"
_SETTING = "random split, 30 % for training"
_METRICS = ("overall_accuracy", "cohen_kappa", "average_accuracy")
# Percent: mean and standard deviation of overall accuracy, Cohen's kappa, average accuracy.
_ROY_30 = {
    "indian_pines": {
        "SVM": ((85.30, 2.8), (83.10, 3.2), (79.03, 2.7)),
        "2D-CNN": ((89.48, 0.2), (87.96, 0.5), (86.14, 0.8)),
        "3D-CNN": ((91.10, 0.4), (89.98, 0.5), (91.58, 0.2)),
        "M3D-CNN": ((95.32, 0.1), (94.70, 0.2), (96.41, 0.7)),
        "SSRN": ((99.19, 0.3), (99.07, 0.3), (98.93, 0.6)),
        "HybridSN": ((99.75, 0.1), (99.71, 0.1), (99.63, 0.2)),
    },
    "pavia_university": {
        "SVM": ((94.34, 0.2), (92.50, 0.7), (92.98, 0.4)),
        "2D-CNN": ((97.86, 0.2), (97.16, 0.5), (96.55, 0.0)),
        "3D-CNN": ((96.53, 0.1), (95.51, 0.2), (97.57, 1.3)),
        "M3D-CNN": ((95.76, 0.2), (94.50, 0.2), (95.08, 1.2)),
        "SSRN": ((99.90, 0.0), (99.87, 0.0), (99.91, 0.0)),
        "HybridSN": ((99.98, 0.0), (99.98, 0.0), (99.97, 0.0)),
    },
    "salinas": {
        "SVM": ((92.95, 0.3), (92.11, 0.2), (94.60, 2.3)),
        "2D-CNN": ((97.38, 0.0), (97.08, 0.1), (98.84, 0.1)),
        "3D-CNN": ((93.96, 0.2), (93.32, 0.5), (97.01, 0.6)),
        "M3D-CNN": ((94.79, 0.3), (94.20, 0.2), (96.25, 0.6)),
        "SSRN": ((99.98, 0.1), (99.97, 0.1), (99.97, 0.0)),
        "HybridSN": ((100.0, 0.0), (100.0, 0.0), (100.0, 0.0)),
    },
}


def published_scores(metrics: Metrics, config: ClassificationConfig) -> list[dict[str, Any]] | None:
    """Published scores that may stand beside a run's, as fractions; None when there are none.

    Only for random splits of 30 %, since scores of another protocol do not compare, and for
    verified data, since those of others are of the true data.
    """
    dataset = metrics["dataset"]
    random_30 = config.split.kind == "random" and config.split.train == 0.3
    if not random_30 or metrics.get("unverified") or dataset not in _ROY_30:
        return None
    rows = []
    for method, scores in _ROY_30[dataset].items():
        row: dict[str, Any] = {"method": method, "setting": _SETTING, "source": _SOURCE}
        for name, (mean, deviation) in zip(_METRICS, scores, strict=True):
            row |= {name: mean / 100, f"{name}_std": deviation / 100}
        rows.append(row)
    return rows
