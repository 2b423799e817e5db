"""The scores of a finished run, asked of its task."""

from __future__ import annotations

from .task import Metrics, Scores
from .tasks import task_named


def run_scores(metrics: Metrics) -> Scores:
    """A run's scores side by side.

    Returns:
        Of classifiers overall_accuracy, average_accuracy, cohen_kappa and recall/NAME,
        precision/NAME and f1/NAME of every class; of denoisers peak_signal_noise_ratio/σ (dB) and
        structural_similarity/σ on the validation images; of other tasks whatever numbers stand
        under "test", their keys joined by "/".
    """
    return task_named(metrics["task"]).scores(metrics)


def baseline_scores(metrics: Metrics) -> dict[str, Scores]:
    """The scores of the baselines on the same test part, in the form of `run_scores`."""
    return task_named(metrics["task"]).baseline_scores(metrics)


def headline(metrics: Metrics) -> list[str]:
    """The names of the scores that are reported first, the most important one at the front."""
    return task_named(metrics["task"]).headline(metrics)


def variant(metrics: Metrics) -> str:
    """What a run differs by from runs of the same model on the same data: split, noise, pair."""
    return task_named(metrics["task"]).variant(metrics)


def variant_words(task: str, variant: str) -> str:
    """A variant as it stands in a sentence: "random split", "gaussian 0-55 noise"."""
    return task_named(task).variant_words(variant)


def part_sizes(metrics: Metrics) -> tuple[int, int] | None:
    """Items that were learnt from and tested on; None where a run does not say."""
    train, test = task_named(metrics["task"]).part_sizes(metrics)
    whole = isinstance(train, int) and isinstance(test, int)
    return (train, test) if whole and train > 0 and test > 0 else None
