"""How much of a map each class covers, as mapped and as its test pixels correct it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...atomic import write_json, write_text
from ...data.pixel_areas import line_areas
from ...data.scene import SceneOf
from ...data.scene_stack import parts_of
from ...json_text import undefined_as_none
from ...metrics.areas import AreaEstimates, area_estimates
from ...metrics.confusion import Confusion
from ...reports.content import count, enumerate_names, percent
from ...runs.folder import csv_text

NO_SQUARE_METRES = "The scene's coordinates give no areas in m²: areas are pixels."
_METHOD = (
    "Olofsson et al. 2014, Remote Sensing of Environment 148, 42-57, equations 1 to 11; "
    "intervals of 95 %"
)
# So much of a map counts as all of it.
_ALL = 0.99


@dataclass(frozen=True)
class MappedAreas:
    """What a map gives each label, from 0 (no data) on.

    Attributes:
        pixels: number of pixels.
        square_metres: area in m²; None where the reference system does not give it.
    """

    pixels: NDArray[np.int64]
    square_metres: NDArray[np.float64] | None

    @classmethod
    def of(
        cls,
        strips: Iterable[NDArray[np.integer[Any]]],
        classes: int,
        line_areas: NDArray[np.float64] | None,
    ) -> MappedAreas:
        """Count a map.

        Args:
            strips: its lines, some at a time.
            classes: number of classes.
            line_areas: area of a pixel of each line in m², see `data.pixel_areas.line_areas`.
        """
        pixels = np.zeros(classes + 1, np.int64)
        areas = np.zeros(classes + 1)
        alike = line_areas is None or not np.ptp(line_areas)
        first = 0
        for strip in strips:
            pixels += np.bincount(strip.reshape(-1), minlength=classes + 1)
            if line_areas is not None and not alike:
                for line, area in zip(strip, line_areas[first : first + len(strip)], strict=True):
                    areas += area * np.bincount(line, minlength=classes + 1)
            first += len(strip)
        if line_areas is None:
            return cls(pixels, None)
        return cls(pixels, line_areas[0] * pixels if alike else areas)

    @classmethod
    def of_scene(cls, scene: SceneOf[Any], labels: NDArray[np.integer[Any]]) -> MappedAreas:
        """Count the map of a scene, or of several below each other; pixels where one has no areas.

        Args:
            scene: what is mapped.
            labels: its map, lines × samples.
        """
        classes = len(scene.class_names)
        found = [
            cls.of([labels[part.place]], classes, line_areas(part.georeference, part.lines))
            for part in parts_of(scene)
        ]
        areas = [each.square_metres for each in found if each.square_metres is not None]
        pixels: NDArray[np.int64] = np.sum([each.pixels for each in found], axis=0)
        return cls(pixels, np.sum(areas, axis=0) if len(areas) == len(found) else None)


@dataclass(frozen=True)
class TestSample:
    """The test pixels of a run.

    Attributes:
        labels: the label of each class of the confusion.
        counts: truth against map.
        kind: of the split.
        labelled: number of labelled pixels that the split divided; None where they are not of
            the map alone.
    """

    labels: tuple[int, ...]
    counts: Confusion
    kind: str
    labelled: int | None

    @classmethod
    def of(cls, metrics: Mapping[str, Any]) -> TestSample:
        """That of a run's metrics.json."""
        split = metrics.get("split") or {}
        # Folds test every pixel once: training pixels are the same ones.
        names = ("test",) if split.get("folds") else ("train", "validation", "test")
        parts = (split.get(part) for part in names)
        return cls(
            tuple(int(entry["label"]) for entry in metrics["classes"]),
            Confusion.from_plain(metrics["test"]["confusion_matrix"]),
            str(split.get("kind") or ""),
            sum(int(part or 0) for part in parts),
        )


def run_areas(
    scene: SceneOf[Any], labels: NDArray[np.integer[Any]], metrics: Mapping[str, Any]
) -> dict[str, Any]:
    """The areas of a run's map, as areas.json holds them.

    Args:
        scene: that the run classified.
        labels: its map, lines × samples.
        metrics: the content of its metrics.json.
    """
    mapped = MappedAreas.of_scene(scene, labels)
    remarks = [NO_SQUARE_METRES] if mapped.square_metres is None else []
    return area_table(mapped, scene.class_names, TestSample.of(metrics), remarks)


def area_table(
    mapped: MappedAreas,
    class_names: Sequence[str],
    sample: TestSample | None,
    remarks: Sequence[str] = (),
) -> dict[str, Any]:
    """Areas of the classes as areas.json holds them; None where something is not known.

    Args:
        mapped: of the map.
        class_names: label k has name k − 1.
        sample: the test pixels that judge the map; None where there are none.
        remarks: what a reader should know beside what the numbers themselves say.
    """
    found = (np.flatnonzero(mapped.pixels[1:]) + 1).tolist()
    labels = list(dict.fromkeys([*(() if sample is None else sample.labels), *found]))
    names = [class_names[label - 1] for label in labels]
    unit = "pixels" if mapped.square_metres is None else "m2"
    areas = mapped.pixels if mapped.square_metres is None else mapped.square_metres
    table: dict[str, Any] = {
        "unit": unit,
        "map_area": float(areas[1:].sum()),
        "classes": [
            {
                "label": label,
                "name": name,
                "mapped_pixels": int(mapped.pixels[label]),
                "mapped_area": float(areas[label]),
            }
            for label, name in zip(labels, names, strict=True)
        ],
        "remarks": list(remarks),
    }
    if sample is None:
        return table
    # Classes that are mapped and were not learnt by this run cannot be: rows of no counts.
    counts = sample.counts
    widened = Confusion(len(labels), counts.truth, counts.predicted, counts.counts)
    estimates = area_estimates(widened, areas[labels])
    for index, row in enumerate(table["classes"]):
        row |= _estimated(estimates, index)
    table["method"] = _METHOD
    table["overall_accuracy"] = estimates.overall
    table["overall_accuracy_standard_error"] = estimates.overall_error
    table["remarks"] = [
        _condition(sample, int(mapped.pixels[1:].sum())),
        *remarks,
        *_limits(estimates, names, float(areas[1:].sum())),
    ]
    plain: dict[str, Any] = undefined_as_none(table)
    return plain


def write_areas(table: Mapping[str, Any], classes: Path, whole: Path) -> None:
    """Write areas, see `area_table`: the rows of the classes as CSV, and everything as JSON."""
    write_text(classes, csv_text(table["classes"]))
    write_json(whole, table)


def _estimated(estimates: AreaEstimates, index: int) -> dict[str, Any]:
    low, high = estimates.interval(index)
    return {
        "test_pixels": int(estimates.tested[index]),
        "adjusted_area": float(estimates.adjusted[index]),
        "standard_error": float(estimates.adjusted_error[index]),
        "low": low,
        "high": high,
        "users_accuracy": float(estimates.users[index]),
        "users_accuracy_standard_error": float(estimates.users_error[index]),
        "producers_accuracy": float(estimates.producers[index]),
        "producers_accuracy_standard_error": float(estimates.producers_error[index]),
    }


def _condition(sample: TestSample, pixels: int) -> str:
    """What the estimates ask of the test pixels, and how far these are from it."""
    needed = (
        "Adjusted areas and their intervals need test pixels drawn at random from the whole map."
    )
    covered = ""
    if sample.labelled is not None:
        share = sample.labelled / pixels if pixels else 0.0
        if sample.kind == "random" and share >= _ALL:
            return f"{needed} These were, but for the pixels that trained."
        covered = f" Labels cover {percent(min(share, 1.0))} % of the map."
    if sample.kind == "random":
        return (
            f"{needed} These were drawn from labelled pixels alone, mostly where classes are "
            f"clear.{covered} Expect accuracies that are too high, areas that are corrected too "
            "little, and intervals that are too narrow."
        )
    if sample.kind == "spatial_folds":
        return (
            f"{needed} These are the labelled pixels, each tested by a model that learnt "
            f"elsewhere.{covered} Expect intervals that are too narrow, as neighbours repeat "
            "each other."
        )
    return (
        f"{needed} These are whole areas of a {sample.kind or 'given'} split, where neighbours "
        f"repeat each other.{covered} Expect intervals that are too narrow, by much where test "
        "areas are few, and areas biased towards what these areas hold."
    )


def _limits(estimates: AreaEstimates, names: Sequence[str], total: float) -> list[str]:
    remarks = []
    if estimates.untested:
        share = percent(float(estimates.mapped[list(estimates.untested)].sum()) / total)
        remarks.append(
            f"No test pixel was mapped as {_named(names, estimates.untested)}: what these areas "
            f"hold is unknown, and the estimates are of the rest of the map ({share} % left out)."
        )
    if estimates.once_tested:
        remarks.append(
            f"A single test pixel was mapped as {_named(names, estimates.once_tested)}: there are "
            "no standard errors of areas."
        )
    unmapped = tuple(np.flatnonzero(estimates.mapped == 0).tolist())
    if unmapped:
        remarks.append(
            f"Never mapped: {_named(names, unmapped)}. Their adjusted areas come from test pixels "
            "mapped as other classes."
        )
    if estimates.overall_error == 0:
        remarks.append(
            f"Not one of {count(int(estimates.tested.sum()))} test pixels is mapped wrong: "
            "standard errors of 0 say that no error was seen, not that there is none."
        )
    return remarks


def _named(names: Sequence[str], indices: Sequence[int]) -> str:
    return enumerate_names([names[index] for index in indices])
