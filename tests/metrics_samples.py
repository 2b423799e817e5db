"""The content of a metrics.json, made without training anything."""

import numpy as np

from hsi_suite.data.leakage import LeakageAudit
from hsi_suite.metrics.classification import confusion_matrix, scores

NAMES = ("Corn", "Woods", "Wheat")


def part(names, pixels, accuracy, seed=0):
    """Scores of predictions right with a given probability, plain as in metrics.json."""
    generator = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(names)), pixels)
    others = (truth + generator.integers(1, len(names), truth.size)) % len(names)
    predicted = np.where(generator.random(truth.size) < accuracy, truth, others)
    return scores(confusion_matrix(truth, predicted, len(names))).to_dict(names)


def sample_metrics(kind="random", names=NAMES, accuracy=0.98, position=0.99, **changes):
    """Metrics of a run on a random or a disjoint split."""
    inside, guard = (0.9996, 0) if kind == "random" else (0.0, 12)
    metrics = {
        "task": "classification",
        "dataset": "meadows",
        "synthetic": False,
        "model": "hybridsn",
        "window": 25,
        "epoch": 3,
        "parameters": 5122176,
        "classes": [{"label": 2 * k + 1, "name": name} for k, name in enumerate(names)],
        "train": part(names, 100, 1.0),
        "test": part(names, 400, accuracy),
        "baselines": {
            "svm": part(names, 400, 0.8, seed=1),
            "position": part(names, 400, position, seed=2),
        },
        "split": {
            "kind": kind,
            "train": 100 * len(names),
            "validation": 0,
            "test": 400 * len(names),
            "guard": guard,
            "layout": "",
            "dropped": {},
            "train_only": {},
            "lost": {},
        },
        "leakage": LeakageAudit(
            window=25,
            n_training=100 * len(names),
            n_test=400 * len(names),
            test_inside_training_window=inside,
            windows_overlapping=1.0,
            within_one_pixel=0.75,
            min_distance=guard + 1,
            median_distance=guard + 1.5,
            max_distance=guard + 9,
            histogram=(*([0] * (guard + 1)), 900, 200, 0, 0, 0, 0, 0, 0, 100),
        ).to_dict(),
    }
    return {**metrics, **changes}
