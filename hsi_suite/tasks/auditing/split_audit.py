"""The audit of a split: all that is counted and measured, in plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.identical_spectra import identical_spectra
from ...data.leakage import LeakageAudit, audit, nearest_training_distance
from ...data.pixel_spectra import PixelSpectra
from ...data.polygons import polygons_of
from ...data.split_parts import SplitParts
from ...errors import ShapeError
from ...metrics.area_scores import LEVEL, AreaScore, LeftOut, area_scores, jackknife
from ...models.position_baseline import nearest_position
from ...reports.auditing.verdict import audit_verdict

_WINDOWS = (1, 3, 5, 7, 9, 11, 15, 19, 25, 33)
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# A range of distances with fewer test pixels than these stands in no comparison.
_ENOUGH, _ENOUGH_SHARE = 30, 0.02
AREAS = "areas of one label that touch"
Map = NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class AuditInput:
    """What is audited.

    Attributes:
        labels: lines × samples, 0 = unlabelled.
        parts: of the split.
        window: side of the window that the classifier sees, odd; 1 for single spectra.
        class_names: of the labels from 1 on.
        polygons: lines × samples, the polygon of each pixel, 0 for none; None: `AREAS`.
        polygons_are: what these are, in words.
        predictions: lines × samples, the label that a classifier gives each pixel, 0 for none.
        spectra: of all pixels; None where no cube is given.
        names: what the labels, split, predictions and cube are called, for people.
    """

    labels: Map
    parts: SplitParts
    window: int = 1
    class_names: tuple[str, ...] | None = None
    polygons: Map | None = None
    polygons_are: str = AREAS
    predictions: Map | None = None
    spectra: PixelSpectra | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SplitAudit:
    """An audit and the maps that its page shows.

    Attributes:
        facts: everything in plain values, as JSON holds it.
        leakage: distances, windows and polygons.
        position_accuracy: of the nearest neighbour on the position alone.
        labels: lines × samples.
        parts: of the split.
        guessed: what position alone says of the test pixels, in their order.
        predictions: what the classifier says of every pixel; None where none is given.
    """

    facts: Mapping[str, Any]
    leakage: LeakageAudit
    position_accuracy: float
    labels: Map
    parts: SplitParts
    guessed: Map
    predictions: Map | None


def audit_split(given: AuditInput) -> SplitAudit:
    """Audit a split.

    Raises:
        ShapeError: the window is even, or maps differ in size.
    """
    labels, parts = given.labels, given.parts
    polygons = polygons_of(labels, given.polygons)
    leakage = audit(parts.split, window=given.window, polygons=polygons)
    tested = _Tested.of(given, polygons)
    guessed = nearest_position(
        parts.side, labels.ravel()[parts.side], parts.split.test, labels.shape[1]
    )
    answers = {"position": tested.indices(guessed)}
    position = tested.scores(answers["position"])
    facts: dict[str, Any] = {
        "names": dict(given.names),
        "shape": [int(size) for size in labels.shape],
        "pixels": _pixels(given),
        "classes": _classes(given),
        "level": LEVEL,
        "areas": {"are": given.polygons_are, "in_test": int((np.bincount(tested.areas) > 0).sum())},
        "commonest_class": _commonest(labels, parts),
        "position": _plain(position.scores()),
        "leakage": leakage.to_dict(),
        "distance_quantiles": _quantiles(tested.distances),
        "windows": _windows(tested.distances, given.window),
    }
    if given.predictions is not None:
        _check_size(given.predictions, labels)
        mapped = given.predictions.ravel()[parts.split.test]
        answers["map"] = tested.indices(mapped)
        scores = tested.scores(answers["map"])
        facts["map"] = {
            **_plain(scores.scores()),
            "minus_position": _plain(scores.minus(position)),
            **tested.gaps(mapped, answers["map"]),
        }
    facts["by_distance"] = tested.by_distance(answers)
    facts["near_and_far"] = tested.near_and_far(answers, facts["by_distance"])
    if given.spectra is not None:
        found = identical_spectra(given.spectra, labels, parts.side, parts.split.test)
        facts["identical_spectra"] = found.to_dict()
    facts["verdict"] = audit_verdict(facts)
    accuracy = facts["position"]["overall_accuracy"]["value"]
    return SplitAudit(facts, leakage, accuracy, labels, parts, guessed, given.predictions)


def _check_size(predictions: Map, labels: Map) -> None:
    if predictions.shape != labels.shape:
        raise ShapeError("predictions", f"{predictions.shape}", f"{labels.shape}, as the labels")


@dataclass(frozen=True, eq=False)
class _Tested:
    """The test pixels: their class indices, areas and distances to training."""

    classes: NDArray[np.int64]
    truth: NDArray[np.int64]
    areas: Map
    distances: NDArray[np.int64]

    @classmethod
    def of(cls, given: AuditInput, polygons: Map) -> _Tested:
        split = given.parts.split
        classes = np.asarray(split.classes, np.int64)
        truth = _indices(classes, given.labels.ravel()[split.test])
        areas = polygons.ravel()[split.test]
        return cls(classes, truth, areas, nearest_training_distance(split))

    def indices(self, answers: Map) -> NDArray[np.int64]:
        """Class indices of labels; one more for those that the ground truth does not have."""
        return _indices(self.classes, answers)

    def scores(self, answers: Map, which: NDArray[np.bool_] | None = None) -> LeftOut:
        """Scores of answers for all test pixels, or for some."""
        chosen = slice(None) if which is None else which
        return area_scores(
            self.truth[chosen], answers[chosen], self.areas[chosen], len(self.classes) + 1
        )

    def gaps(self, labels: Map, answers: Map) -> dict[str, int]:
        """Test pixels without an answer, and with one that is no class of the ground truth.

        Both count as wrong. Also how many would be right if classes were numbered from 0.
        """
        none = labels == 0
        shifted = self.indices(labels.astype(np.int64) + 1) == self.truth
        return {
            "none": int(none.sum()),
            "unknown": int((~none & (answers == len(self.classes))).sum()),
            "right_from_0": int(shifted.sum()),
        }

    def by_distance(self, answers: Mapping[str, Map]) -> list[dict[str, Any]]:
        """The accuracy of answers at 0, 1, 2, 3 to 4, 5 to 8 … pixels from training."""
        rows = []
        first, last = 0, 0
        while first <= int(self.distances.max()):
            inside = (self.distances >= first) & (self.distances <= last)
            if inside.any():
                row: dict[str, Any] = {"from": first, "to": last, "pixels": int(inside.sum())}
                for name, given in answers.items():
                    score = self.scores(given, inside).scores()["overall_accuracy"]
                    row[name] = score.to_dict()
                rows.append(row)
            first, last = last + 1, max(1, 2 * last)
        return rows

    def near_and_far(
        self, answers: Mapping[str, Map], rows: list[dict[str, Any]]
    ) -> dict[str, Any] | None:
        """By how much answers are righter in the nearest range of distances than in the farthest.

        None where fewer than two ranges hold pixels enough.
        """
        enough = max(_ENOUGH, _ENOUGH_SHARE * len(self.truth))
        wide = [row for row in rows if row["pixels"] >= enough]
        if len(wide) < 2:
            return None
        ranges = [[row["from"], row["to"]] for row in (wide[0], wide[-1])]
        inside = [(self.distances >= a) & (self.distances <= b) for a, b in ranges]
        found: dict[str, Any] = {"near": ranges[0], "far": ranges[1]}
        for name, given in answers.items():
            right = given == self.truth
            found[name] = self._difference(right, *inside).to_dict()
        return found

    def _difference(
        self, right: NDArray[np.bool_], near: NDArray[np.bool_], far: NDArray[np.bool_]
    ) -> AreaScore:
        names, area = np.unique(self.areas, return_inverse=True)
        shares = []
        for inside in (near, far):
            pixels = np.bincount(area, inside, len(names))
            hits = np.bincount(area, inside & right, len(names))
            with np.errstate(invalid="ignore", divide="ignore"):
                shares.append((hits.sum() - hits) / (pixels.sum() - pixels))
        value = float(right[near].mean() - right[far].mean())
        return AreaScore(value, jackknife(value, shares[0] - shares[1]))


def _indices(classes: NDArray[np.int64], labels: Map) -> NDArray[np.int64]:
    """The place of each label among the classes; their number for a label that is none."""
    table = np.full(max(int(labels.max()), int(classes.max())) + 1, len(classes), np.int64)
    table[classes] = np.arange(len(classes))
    return table[labels]


def _pixels(given: AuditInput) -> dict[str, Any]:
    split, labelled = given.parts.split, int(np.count_nonzero(given.labels))
    used = np.zeros(given.labels.size, bool)
    used[given.parts.side] = used[split.test] = True
    return {
        "labelled": labelled,
        "train": len(split.train),
        "validation": len(split.validation),
        "test": len(split.test),
        "shared": given.parts.shared,
        "in_no_part": labelled - int(used.sum()),
        "unlabelled": dict(given.parts.unlabelled),
        "differing": dict(given.parts.differing),
    }


def _classes(given: AuditInput) -> list[dict[str, Any]]:
    flat, split, names = given.labels.ravel(), given.parts.split, given.class_names or ()
    size = max(split.classes) + 1
    train = np.bincount(flat[given.parts.side], minlength=size)
    test = np.bincount(flat[split.test], minlength=size)
    return [
        {
            "label": label,
            "name": names[label - 1] if label <= len(names) else f"class {label}",
            "train": int(train[label]),
            "test": int(test[label]),
        }
        for label in split.classes
    ]


def _commonest(labels: Map, parts: SplitParts) -> dict[str, Any]:
    """The class with the most test pixels, and their share: what no knowledge at all scores."""
    tested = np.bincount(labels.ravel()[parts.split.test])
    label = int(tested.argmax())
    return {"label": label, "overall_accuracy": int(tested[label]) / int(tested.sum())}


def _plain(scores: Mapping[str, AreaScore]) -> dict[str, Any]:
    return {name: score.to_dict() for name, score in scores.items()}


def _quantiles(distances: NDArray[np.int64]) -> list[list[float]]:
    found = np.quantile(distances, _QUANTILES, method="inverted_cdf")
    return [[share, int(value)] for share, value in zip(_QUANTILES, found, strict=True)]


def _windows(distances: NDArray[np.int64], asked: int) -> list[list[float]]:
    """Shares of test windows with a training pixel inside, and overlapping one of training."""
    return [
        [
            window,
            float((distances <= window // 2).mean()),
            float((distances <= window // 2 * 2).mean()),
        ]
        for window in sorted({*_WINDOWS, asked})
    ]
