"""Every score of the suite, and how any key of metrics.json is understood as one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from ..printable import shortened
from ..registry import Registry, enter_offered
from .measure import Measure, share
from .overall import average_accuracy, cohen_kappa, overall_accuracy
from .restoration import peak_signal_noise_ratio, structural_similarity

GROUP = "hsi_suite.measures"
"""The group of entry points under which other packages offer measures."""

MEASURES: Registry[Measure] = Registry("score")
for _each in (
    share("overall_accuracy", "overall accuracy", "OA", counted=True, of_counts=overall_accuracy),
    share("average_accuracy", "average accuracy", "AA", of_counts=average_accuracy),
    Measure(
        "cohen_kappa", "Cohen's κ × 100", "κ × 100", factor=100.0, digits=2, floor=-1.0,
        ceiling=1.0, of_counts=cohen_kappa,
    ),
    share("top_5_accuracy", "top-5 accuracy", "top 5", counted=True),
    Measure(
        "negative_log_likelihood", "negative log-likelihood", "NLL", digits=3, floor=0.0,
        higher_is_better=False,
    ),
    Measure(
        "brier_score", "Brier score", "Brier", digits=3, floor=0.0, ceiling=2.0,
        higher_is_better=False,
    ),
    share(
        "expected_calibration_error", "expected calibration error", "ECE", higher_is_better=False
    ),
    share("recall", "recall"),
    share("precision", "precision"),
    share("f1", "F1"),
    Measure(
        "peak_signal_noise_ratio", "PSNR", unit="dB", digits=2, of_images=peak_signal_noise_ratio
    ),
    Measure("peak_signal_noise_ratio_blocked", "PSNR-B", unit="dB", digits=2),
    Measure(
        "structural_similarity", "SSIM", floor=-1.0, ceiling=1.0, of_images=structural_similarity
    ),
    Measure("mean_peak_signal_noise_ratio", "MPSNR", unit="dB", digits=2),
    Measure("mean_structural_similarity", "MSSIM", floor=-1.0, ceiling=1.0),
    Measure(
        "spectral_angle", "spectral angle", "SAM", unit="°", digits=3, floor=0.0, ceiling=180.0,
        higher_is_better=False,
    ),
    share("mean_average_precision", "mean average precision", "mAP"),
    share("macro_average_precision", "macro average precision", "macro mAP"),
    share("normalised_discounted_cumulative_gain", "NDCG"),
):  # fmt: skip
    MEASURES.add(_each.name, _each)


def measure(key: str) -> Measure:
    """The measure that a key of metrics.json or of a batch's tables is of.

    Args:
        key: parts between slashes, one of them a measure's name, perhaps with a cut-off:
            "recall/corn", "peak_signal_noise_ratio/15", "a_to_b/mean_average_precision_at_10".

    Returns:
        The measure with all of that in its title; one without unit or limits where the key names
        none that is known.
    """
    _load_others()
    parts = key.split("/")
    for place, part in enumerate(parts):
        head, found, cut = part.rpartition("_at_")
        name = head if found and cut.isdigit() else part
        if name in MEASURES:
            known = MEASURES[name]
            title = known.title if name == part else f"{known.title} at {cut}"
            others = [_qualifier(each) for each in (*parts[:place], *parts[place + 1 :])]
            return replace(known, name=key, title=", ".join([title, *others]))
    return Measure(key, ", ".join(map(_qualifier, parts)))


def same_scores(found: Any, stored: Any) -> bool:
    """Whether scores are those stored, but for measures that there were not yet.

    Args:
        found: as computed now, of plain values.
        stored: as metrics.json has them.
    """
    if isinstance(found, Mapping) and isinstance(stored, Mapping):
        new = found.keys() - stored.keys()
        return (
            all(key in MEASURES for key in new)
            and stored.keys() <= found.keys()
            and all(same_scores(found[key], stored[key]) for key in stored)
        )
    return bool(found == stored)


def all_measures() -> list[Measure]:
    """Every measure, those of other packages among them."""
    _load_others()
    return [MEASURES[name] for name in MEASURES]


def of_classifiers() -> list[Measure]:
    """The scores over all classes that every classifier is given, in their order."""
    return [each for each in all_measures() if each.of_counts is not None]


def of_denoisers() -> list[Measure]:
    """The scores that every denoiser of images is given."""
    return [each for each in all_measures() if each.of_images is not None]


@cache
def _load_others() -> None:
    enter_offered(GROUP, "score", lambda _, theirs: MEASURES.add(theirs.name, theirs))


#: The words for levels of noise that name what they are; a number alone is a σ.
LEVEL_WORDS = {"sigma": "σ", "iso": "ISO", "quality": "JPEG quality", "factor": "factor"}


def _qualifier(part: str) -> str:
    if part.replace(".", "", 1).isdigit():
        return f"σ {part}"
    what, _, number = part.rpartition("_")
    if what in LEVEL_WORDS:
        return f"{LEVEL_WORDS[what]} {number}"
    return shortened(part.replace("_", " "))
