"""What a split gives away, for anybody's classifier."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import checked
from ..data.data_arrays import as_labels, ordered_layer, plain_array
from ..data.leakage import LeakageAudit
from ..data.pixel_spectra import PixelSpectra
from ..data.readers import open_cube
from ..data.scene import Georeference, Scene
from ..data.scene_labels import BareGrid, LabelChoice, LabelGrid
from ..data.split_parts import SplitParts, checked_parts, parts_of_split
from ..data.split_pixels import GivenPart, SplitReading, given_part
from ..data.splits import Split
from ..errors import ConfigError, ShapeError, SplitError
from ..metrics.measures import measure
from ..reports.auditing.verdict import score_text
from ..shown import Rows, Shown
from ..tasks.auditing.inputs import MapChoice, SplitChoice, read_polygons
from ..tasks.auditing.output import write_audit
from ..tasks.auditing.split_audit import AREAS, AuditInput, SplitAudit, audit_split
from .arrays import as_cube, as_mask, as_polygons
from .splits import check_split

FileLike = str | os.PathLike[str]


@dataclass(frozen=True, repr=False)
class Audit(Shown):
    """A split's audit.

    Attributes:
        leakage: distances, windows and polygons.
        position_accuracy: share of the test pixels whose class a nearest neighbour on the
            position alone gets right, which sees no spectrum.
        facts: everything that was found, as `hsi audit --json` prints it: scores with intervals,
            distances, classes, verdict.
    """

    leakage: LeakageAudit
    position_accuracy: float
    facts: Mapping[str, Any]
    _found: SplitAudit = field(compare=False)

    @property
    def level(self) -> str:
        """The verdict in a word or two: "leaks", "partly disjoint" or "disjoint"."""
        return str(self.facts["verdict"]["level"])

    @property
    def verdict(self) -> list[str]:
        """The verdict in sentences."""
        return [each["text"] for each in self.facts["verdict"]["statements"]]

    def save(self, page: FileLike, *, overwrite: bool = False) -> tuple[Path, Path]:
        """Write a page (HTML), and the facts as JSON beside it.

        Args:
            page: a name that ends in .html.
            overwrite: whether finished files may be replaced.

        Returns:
            Both paths.

        Raises:
            OutputError: it is no name of a page, a file is there, or the place cannot be written.
        """
        return write_audit(self._found, Path(page), overwrite=overwrite)

    def shown(self) -> tuple[str, Rows]:
        """What the split gives away, in words."""
        seen, share, facts = self.leakage, measure("overall_accuracy"), self.facts
        alone = score_text("overall_accuracy", facts["position"]["overall_accuracy"])
        rows = [
            ("training and validation pixels", f"{seen.n_training:,}"),
            ("test pixels", f"{seen.n_test:,}"),
            ("nearest neighbour on the position alone", alone),
        ]
        if "map" in facts:
            ahead = facts["map"]["minus_position"]["overall_accuracy"]["value"]
            mapped = score_text("overall_accuracy", facts["map"]["overall_accuracy"])
            rows += [("the map", mapped), ("… above position", share.difference_text(ahead))]
        polygons = facts["leakage"]["polygons"]
        within = share.with_unit(polygons["test_in_training_polygons"])
        rows += [
            (
                f"test pixels inside training windows of {seen.window} × {seen.window}",
                share.with_unit(seen.test_inside_training_window),
            ),
            ("test windows overlapping one", share.with_unit(seen.windows_overlapping)),
            ("test pixels within 1 pixel of training", share.with_unit(seen.within_one_pixel)),
            (
                "distance to the nearest training pixel",
                f"{seen.min_distance} … {seen.max_distance}, median {seen.median_distance or 0:g}",
            ),
            ("polygons on both sides", f"{polygons['divided']:,} of {polygons['polygons']:,}"),
            ("test pixels in polygons of training", within),
            ("verdict", self.verdict[0]),
        ]
        return f"Audit of a split, windows of {seen.window} × {seen.window}", rows


@checked
def audit(
    labels: ArrayLike | FileLike,
    train: Split | ArrayLike | FileLike | None = None,
    test: ArrayLike | FileLike | None = None,
    *,
    split: Split | FileLike | None = None,
    validation: ArrayLike | FileLike | None = None,
    window: int = 1,
    predictions: ArrayLike | FileLike | None = None,
    polygons: ArrayLike | FileLike | None = None,
    cube: Any = None,
    class_names: Sequence[str] | None = None,
) -> Audit:
    """How much of the test a split shows to training, and what a map is worth on it.

    Everything may be an array or a file, as of `hsi audit`. A split may be faulty: pixels in
    training and test, label maps and files with pixels that have no label or another one in the
    ground truth are counted and told.

    Args:
        labels: lines × samples, 0 = unlabelled; or a file of them.
        train: of the training part a mask, a label map, flat indices or N × 2 of line and sample;
            or a whole split: of `hsi_suite.splits`, or a file or run folder where `test` is None.
        test: the same of the test pixels.
        split: a whole split by its own name, in place of `train`.
        validation: as `test`; validation pixels count as training.
        window: side of the window that the classifier sees, odd; 1 for single spectra.
        predictions: lines × samples, the label that any classifier gives each pixel, 0 for none.
        polygons: lines × samples, the number of the polygon that each pixel lies in, 0 for none;
            None: areas of one label that touch. Pixels of one polygon are right or wrong together,
            so that intervals come from leaving out whole ones.
        cube: lines × samples × bands: test spectra that stand in training as well are counted.
        class_names: of the labels from 1 on.

    Raises:
        ShapeError: maps of another size, or an even window.
        SplitError: no labelled training or test pixel, or a single class.
        InputFileError: a file cannot be read or is of another scene.
    """
    if (train is None) == (split is None):
        raise ConfigError("train", "not one of both", "train (with test), or split")
    truth, place, names = _labels(labels, cube)
    size = (truth.shape[0], truth.shape[1])
    parts = _parts(truth, train if split is None else split, test, validation, place)
    answers = None
    if predictions is not None:
        answers = (
            MapChoice(str(predictions)).read(size, place).labels
            if _is_file(predictions)
            else _answers(predictions, size)
        )
    drawn = None
    if polygons is not None:
        drawn = (
            read_polygons(str(polygons), size, place, LabelChoice(None).drawing)
            if _is_file(polygons)
            else as_polygons(polygons, size)
        )
    with _spectra(cube, size) as spectra:
        found = audit_split(
            AuditInput(
                truth,
                parts,
                window,
                tuple(class_names) if class_names is not None else names,
                drawn,
                AREAS if drawn is None else "polygons",
                answers,
                spectra,
                {key: _called(each) for key, each in (("labels", labels), ("map", predictions),
                 ("cube", cube), ("split", train if split is None else split)) if _is_file(each)},
            )
        )  # fmt: skip
    return Audit(found.leakage, found.position_accuracy, found.facts, found)


def _is_file(given: Any) -> bool:
    return isinstance(given, str | os.PathLike)


def _called(given: Any) -> str:
    return str(Path(given))


def _labels(
    labels: Any, cube: Any
) -> tuple[NDArray[np.integer], Georeference | None, tuple[str, ...] | None]:
    """The label map, its place and the names of its classes."""
    if not _is_file(labels):
        return as_labels(labels), None, None
    choice = LabelChoice(labels)
    if _is_file(cube):
        with open_cube(cube) as opened:
            truth = choice.read(opened)
            place = opened.georeference
    elif isinstance(cube, Scene):
        grid: LabelGrid = BareGrid(cube.cube.shape[:2], cube.georeference)
        truth, place = choice.read(grid), cube.georeference
    else:
        truth = choice.read_alone()
        place = truth.georeference if truth else None
    assert truth is not None
    return truth.labels, place, truth.class_names


def _parts(
    labels: NDArray[np.integer],
    train: Any,
    test: Any,
    validation: Any,
    place: Georeference | None,
) -> SplitParts:
    if isinstance(train, Split) or (_is_file(train) and test is None):
        if test is not None or validation is not None:
            raise ConfigError("test", "a mask beside a split", "a split alone, or masks")
        if isinstance(train, Split):
            return parts_of_split(check_split(train, labels), labels)
        return SplitChoice(os.fspath(train)).read(labels, place, LabelChoice(None).drawing)
    if test is None:
        raise ConfigError("test", "none beside a training mask", "the mask of the test pixels")
    given = {"train": train, "test": test}
    if validation is not None:
        given["validation"] = validation
    if any(map(_is_file, given.values())):
        if not all(map(_is_file, given.values())):
            raise ConfigError("train, test", "files beside arrays", "all files, or all arrays")
        files = ",".join(map(os.fspath, given.values()))
        return SplitChoice(files).read(labels, place, LabelChoice(None).drawing)
    parts = {name: _part(labels, name, array) for name, array in given.items()}
    pixels = {name: part.pixels for name, part in parts.items()}
    differing = {name: part.differing for name, part in parts.items() if part.differing}
    return checked_parts(labels, pixels, differing, "split", "file")


def _part(labels: NDArray[np.integer], name: str, array: Any) -> GivenPart:
    """One part of a split from a mask, a label map or a list of pixels."""
    values = plain_array(ordered_layer(array, name), name)
    listed = values.dtype.kind in "iu" and (values.ndim == 1 or 2 in values.shape)
    if values.shape != labels.shape and not listed:
        values = as_mask(values, (labels.shape[0], labels.shape[1]), name)
    if isinstance(values, np.ma.MaskedArray):
        values = values.filled(0)
    if values.dtype.kind == "b":
        values = values & (labels > 0)  # what a mask covers beside the labels is nobody's fault
    part = given_part(Path(name), name, values, labels, SplitReading())
    if part.listed and not labels.ravel()[part.pixels].all():
        raise SplitError(name, "indices of unlabelled pixels", "flat indices of labelled ones")
    return part


def _answers(predictions: Any, size: tuple[int, int]) -> NDArray[np.integer]:
    found = plain_array(ordered_layer(predictions, "predictions"), "predictions")
    if found.shape != size:
        raise ShapeError("predictions", f"shape {found.shape}", f"{size}, as the labels")
    return as_labels(found, size, "predictions")


@contextmanager
def _spectra(cube: Any, size: tuple[int, int]) -> Iterator[PixelSpectra | None]:
    """The spectra of all pixels; a file stays open inside the block."""
    if cube is None:
        yield None
    elif _is_file(cube):
        with open_cube(cube) as opened:
            _check_size(opened.shape, size)
            yield PixelSpectra(opened)
    else:
        values = as_cube(cube).values
        _check_size(values.shape, size)
        yield PixelSpectra(values)


def _check_size(shape: Sequence[int], size: tuple[int, int]) -> None:
    if tuple(shape[:2]) != size:
        raise ShapeError("cube", f"{tuple(shape[:2])} pixels", f"{size}, as the labels")
