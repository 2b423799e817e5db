"""The figures of a finished run as one flat row, whatever its task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...metrics.summary import OVERALL, flatten_scores

Figures = dict[str, float | None]
_PSNR, _SSIM, _MAP = "peak_signal_noise_ratio", "structural_similarity", "mean_average_precision"
_SCORED_BY_CLASS = ("classification", "image_classification")


def figures(metrics: Mapping[str, Any]) -> Figures:
    """A run's test figures side by side.

    Args:
        metrics: the content of metrics.json.

    Returns:
        Of classifiers overall_accuracy, average_accuracy, cohen_kappa and recall/NAME,
        precision/NAME and f1/NAME of every class; of denoisers peak_signal_noise_ratio/σ (dB) and
        structural_similarity/σ on the validation images; of other tasks whatever numbers stand
        under "test", their keys joined by "/".
    """
    if metrics["task"] in _SCORED_BY_CLASS:
        return _scores(metrics["test"])
    if metrics["task"] == "denoising":
        by_sigma = metrics["validation"].items()
        return {
            f"{name}/{sigma}": scores[name] for name in (_PSNR, _SSIM) for sigma, scores in by_sigma
        }
    return _flattened(metrics["test"])


def baseline_figures(metrics: Mapping[str, Any]) -> dict[str, Figures]:
    """The figures of the baselines on the same test part, in the form of `figures`."""
    flat = _scores if metrics["task"] in _SCORED_BY_CLASS else _flattened
    return {name: flat(scores) for name, scores in sorted(metrics.get("baselines", {}).items())}


def headline(task: str, metrics: Mapping[str, Any]) -> list[str]:
    """The names of the figures that are told first, the most important one at the front.

    Args:
        task: of the run.
        metrics: the content of metrics.json.
    """
    if task in _SCORED_BY_CLASS:
        extra = ["top_5_accuracy"] if "top_5_accuracy" in metrics["test"] else []
        return [*OVERALL, *extra]
    names = figures(metrics)
    if task == "denoising":
        ratios = [name for name in names if name.startswith(_PSNR)]
        # The middle one of the noise levels speaks for a denoiser.
        middle = ratios[len(ratios) // 2 : len(ratios) // 2 + 1]
        return [*middle, *(name for name in ratios if name not in middle)]
    precision = [name for name in names if name.rpartition("/")[2] == _MAP]
    return precision or list(names)[:3]


def variant(metrics: Mapping[str, Any]) -> str:
    """What a run differs by from runs of the same model on the same data: split, noise, pair."""
    if metrics["task"] == "denoising":
        noise = metrics["noise"]
        low, high = (f"{sigma:g}" for sigma in noise["sigma"])
        return f"{noise['kind']} {low}" if low == high else f"{noise['kind']} {low}-{high}"
    pair = ":".join(metrics.get("pair", ()))
    return " ".join(filter(None, (pair, metrics.get("split", {}).get("kind", ""))))


def variant_words(task: str, variant: str) -> str:
    """A variant as it stands in a sentence: "random split", "gaussian 0-55 noise"."""
    if not variant:
        return ""
    return f"{variant} noise" if task == "denoising" else f"{variant} split"


def part_sizes(metrics: Mapping[str, Any]) -> tuple[int, int] | None:
    """Items that were learnt from and tested on; None where a run does not say."""
    if metrics["task"] == "denoising":
        sizes = metrics["train_images"], metrics["validation_images"]
    else:
        split = metrics.get("split", {})
        sizes = split.get("train"), split.get("test")
    train, test = sizes
    whole = isinstance(train, int) and isinstance(test, int)
    return (train, test) if whole and train > 0 and test > 0 else None


def _scores(scores: Mapping[str, Any]) -> Figures:
    extra = {key: scores[key] for key in ("top_5_accuracy",) if key in scores}
    flat = flatten_scores(scores)
    overall = {name: flat.pop(name) for name in OVERALL}
    return {**overall, **extra, **flat}


def _flattened(tree: Mapping[str, Any], above: str = "") -> Figures:
    flat: Figures = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flattened(value, f"{above}{key}/")
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            flat[f"{above}{key}"] = value
    return flat
