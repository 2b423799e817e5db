"""What position alone tells of the classes, between naming always the commonest and 100 %."""

from __future__ import annotations

NEAR_CHANCE = 0.25
"""Position alone is near chance where it comes less than this far; see `position_skill`."""


def position_skill(accuracy: float, commonest: float) -> float:
    """How far position alone comes from naming always the commonest class to 100 %; at most 1.

    Args:
        accuracy: overall accuracy of a nearest neighbour on the position alone.
        commonest: share of the commonest class.
    """
    return 1.0 if commonest >= 1 else (accuracy - commonest) / (1 - commonest)
