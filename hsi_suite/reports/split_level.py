"""Whether a split is disjoint, by one rule: for the audits of others and for the runs of hsi."""

from __future__ import annotations

from dataclasses import dataclass

from ..metrics.position import NEAR_CHANCE, position_skill
from .content import Metrics, count, percent

LEAKS, PARTLY, DISJOINT = "leaks", "partly disjoint", "disjoint"
IDENTICAL = 0.01
# Of the way from naming the commonest class to 100 %: how far position alone may come.
_MOST = 0.75
#: What makes a split one of the three, as it stands beside every verdict.
RULE = (
    "A split leaks where a pixel is in both training and test, where position alone comes 75 % or "
    "more of the way from naming always the commonest test class to 100 %, or where 1 % or "
    "more of the test spectra stand in training as well. It is disjoint where none of this holds, "
    "position alone comes less than 25 % of the way, and no test pixel has a training pixel inside "
    "its window or on its ground in another scene. All others are partly disjoint."
)


@dataclass(frozen=True)
class Seen:
    """What a split lets slip.

    Attributes:
        skill: of position alone, see `metrics.position`.
        window: side of the window that the classifier sees.
        inside: share of the test pixels with a training pixel inside their window.
        shared: pixels in both training and test.
        identical: share of the test spectra that stand in training as well.
        ground: of several scenes, share of the test pixels on the ground of training in another.
    """

    skill: float
    window: int
    inside: float
    shared: int = 0
    identical: float = 0.0
    ground: float = 0.0


def split_level(seen: Seen) -> tuple[str, list[str]]:
    """Which of the three a split is, and the reasons."""
    way = f"position alone comes {percent(max(seen.skill, 0.0), 0)} % of the way to 100 %"
    reasons = []
    if seen.shared:
        pixels = "pixel is" if seen.shared == 1 else "pixels are"
        reasons.append(f"{count(seen.shared)} {pixels} both in training and in the test")
    if seen.skill >= _MOST:
        reasons.append(way)
    if seen.identical >= IDENTICAL:
        share = percent(seen.identical)
        reasons.append(f"{share} % of the test spectra stand in training as well")
    if reasons:
        return LEAKS, reasons
    window = f"have a training pixel in their {seen.window} × {seen.window} window"
    if seen.inside > 0:
        reasons.append(f"{percent(seen.inside)} % of the test pixels {window}")
    if seen.ground > 0:
        share = percent(seen.ground)
        reasons.append(f"{share} % of the test pixels lie where another scene was trained on")
    if seen.skill >= NEAR_CHANCE:
        reasons.append(way)
    if reasons:
        return PARTLY, reasons
    least = percent(NEAR_CHANCE, 0)
    return DISJOINT, [f"none of the test pixels {window}", f"{way}, less than {least} %"]


def run_level(metrics: Metrics) -> tuple[str, list[str]] | None:
    """The same of the split of a run; None where its metrics do not tell.

    Args:
        metrics: the content of its metrics.json.
    """
    position = (metrics.get("baselines") or {}).get("position")
    leakage, test = metrics.get("leakage") or {}, metrics.get("test") or {}
    supports = [entry.get("support") or 0 for entry in test.get("per_class") or ()]
    known = {"window", "test_inside_training_window"}
    if not position or not known <= set(leakage) or not sum(supports):
        return None
    skill = position_skill(position["overall_accuracy"], max(supports) / sum(supports))
    inside = leakage["test_inside_training_window"]
    identical, ground = (leakage.get(k) or 0.0 for k in ("identical_spectra", "on_training_ground"))
    return split_level(Seen(skill, leakage["window"], inside, identical=identical, ground=ground))
