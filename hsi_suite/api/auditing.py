"""What a split gives away, for anybody's classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.leakage import LeakageAudit
from ..data.leakage import audit as audit_split
from ..data.splits import Split
from ..metrics.measures import measure
from ..models.classical import nearest_position
from .arrays import as_labels, as_polygons
from .splits import masks


@dataclass(frozen=True)
class Audit:
    """A split's audit.

    Attributes:
        leakage: distances and windows.
        position_accuracy: share of the test pixels whose class a nearest neighbour on the
            position alone gets right, which sees no spectrum.
    """

    leakage: LeakageAudit
    position_accuracy: float

    def __str__(self) -> str:
        """The audit in a few lines."""
        seen, share = self.leakage, measure("overall_accuracy")
        rows = [
            ("training and validation pixels", f"{seen.n_training:,}"),
            ("test pixels", f"{seen.n_test:,}"),
            ("nearest neighbour on the position alone", share.with_unit(self.position_accuracy)),
            (
                f"test pixels inside a {seen.window} × {seen.window} training window",
                share.with_unit(seen.test_inside_training_window),
            ),
            ("test windows overlapping one", share.with_unit(seen.windows_overlapping)),
            ("test pixels within 1 pixel of training", share.with_unit(seen.within_one_pixel)),
            (
                "distance to the nearest training pixel",
                f"{seen.min_distance} … {seen.max_distance}, median {seen.median_distance:g}",
            ),
        ]
        if seen.polygons is not None:
            found = seen.polygons
            within = share.with_unit(found.test_in_training_polygons)
            rows += [
                ("polygons on both sides", f"{found.divided:,} of {found.polygons:,}"),
                ("test pixels in polygons of training", within),
            ]
        return "\n".join(f"{name:48} {value}" for name, value in rows)


def audit(
    labels: Any,
    split: Any,
    test: Any = None,
    *,
    validation: Any = None,
    window: int = 1,
    polygons: Any = None,
) -> Audit:
    """How much of the test a split shows to training.

    Args:
        labels: lines × samples, 0 = unlabelled.
        split: of `hsi_suite.splits`, or the mask of the training pixels.
        test: the mask of the test pixels, beside that of training.
        validation: the mask of the validation pixels; they count as training.
        window: side of the window that the classifier sees, odd; 1 for single spectra.
        polygons: lines × samples, the number of the polygon that each pixel lies in, 0 for none:
            then the audit also says how many of them the split divides.

    Raises:
        ShapeError: masks of another size, or an even window.
        SplitError: an empty part, or pixels in two parts.
    """
    truth = as_labels(labels)
    if not isinstance(split, Split):
        split = masks(truth, split, test, validation)
    side = np.concatenate([split.train, split.validation])
    flat = truth.reshape(-1)
    guessed = nearest_position(side, flat[side], split.test, truth.shape[1])
    right = float((guessed == flat[split.test]).mean())
    drawn = None if polygons is None else as_polygons(polygons)
    return Audit(audit_split(split, window=window, polygons=drawn), right)
