"""How images are denoised, whatever by: told without torch."""

from __future__ import annotations

from dataclasses import dataclass

from ...schemas.training import Precision


@dataclass(frozen=True)
class Restoration:
    """How images are denoised.

    Attributes:
        strength: share of the change that is made, 0 to 1.
        self_ensemble: average over the eight flips and rotations.
        precision: that the network computes in.
    """

    strength: float = 1.0
    self_ensemble: bool = False
    precision: Precision = "fp32"
