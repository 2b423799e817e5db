"""What a split gives away, for anybody's classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import checked
from ..data.data_arrays import as_labels
from ..data.leakage import LeakageAudit
from ..data.leakage import audit as audit_split
from ..data.splits import Split
from ..errors import ConfigError, SplitError
from ..metrics.measures import measure
from ..models.classical import nearest_position
from ..shown import Rows, Shown
from .arrays import as_polygons
from .splits import check_split, masks


@dataclass(frozen=True, repr=False)
class Audit(Shown):
    """A split's audit.

    Attributes:
        leakage: distances and windows.
        position_accuracy: share of the test pixels whose class a nearest neighbour on the
            position alone gets right, which sees no spectrum.
    """

    leakage: LeakageAudit
    position_accuracy: float

    def shown(self) -> tuple[str, Rows]:
        """What the split gives away, in words."""
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
        return f"Audit of a split, windows of {seen.window} × {seen.window}", rows


@checked
def audit(
    labels: ArrayLike,
    split: Split | ArrayLike,
    test: ArrayLike | None = None,
    *,
    validation: ArrayLike | None = None,
    window: int = 1,
    polygons: ArrayLike | None = None,
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
    if isinstance(split, Split):
        if test is not None or validation is not None:
            raise ConfigError("test", "a mask beside a split", "a split alone, or masks")
        split = check_split(split, truth)
        if not len(split.test) or not len(split.train):
            raise SplitError("split", "no training or no test pixels", "both")
    elif test is None:
        raise ConfigError("test", "none beside a training mask", "the mask of the test pixels")
    else:
        split = masks(truth, split, test, validation)
    side = np.concatenate([split.train, split.validation])
    flat = truth.reshape(-1)
    guessed = nearest_position(side, flat[side], split.test, truth.shape[1])
    right = float((guessed == flat[split.test]).mean())
    drawn = None if polygons is None else as_polygons(polygons, truth.shape)
    return Audit(audit_split(split, window=window, polygons=drawn), right)
