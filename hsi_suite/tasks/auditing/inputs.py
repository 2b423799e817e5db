"""The files of an audit: labels, split, a map of anybody's, polygons, a cube."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.drawn_geometry import SceneGrid
from ...data.drawn_labels import drawn_numbers
from ...data.file_list import listed_files
from ...data.formats.cube_file import CubeFile
from ...data.formats.drawn_features import DrawnOptions
from ...data.formats.drawn_formats import recognise_drawn
from ...data.formats.label_files import read_labels
from ...data.formats.label_values import LabelFile
from ...data.label_alignment import align_labels
from ...data.pixel_spectra import PixelSpectra
from ...data.readers import open_cube
from ...data.scene import Georeference
from ...data.scene_labels import LabelChoice
from ...data.split_names import PartNames
from ...data.split_parts import SplitParts, parts_of_files
from ...data.split_pixels import SplitReading
from ...runs.folder import LABEL_MAP, SPLIT
from .audit_places import run_file
from .split_audit import AREAS, AuditInput

Say = Callable[[str], None]


@dataclass(frozen=True)
class SplitChoice:
    """What a caller says of the files of a split.

    Attributes:
        files: the file, or two or three with commas between them: training, test, validation; or
            the folder of a run.
        names: of the arrays in them.
        matlab_indices: whether indices count from 1 down the columns, as in MATLAB.
        rest_is_test: whether the file holds the training part alone, and the others are tested.
    """

    files: str
    names: PartNames = field(default_factory=lambda: PartNames(options=True))
    matlab_indices: bool = False
    rest_is_test: bool = False

    def read(
        self, labels: NDArray[np.integer], place: Georeference | None, drawing: DrawnOptions
    ) -> SplitParts:
        """The parts, see `data.split_parts.parts_of_files`."""
        reading = SplitReading(place, drawing, self.names, self.matlab_indices)
        paths = listed_files(run_file(self.files, SPLIT))
        return parts_of_files(paths, labels, reading, rest_is_test=self.rest_is_test)


@dataclass(frozen=True)
class MapChoice:
    """What a caller says of the map of a classifier.

    Attributes:
        file: the map, or the folder of a run.
        variable: which of several arrays it is.
        unlabelled: its value where it has no label, 0 if None; with another, 0 is a class.
    """

    file: str
    variable: str | None = None
    unlabelled: float | None = None

    def read(self, shape: tuple[int, int], place: Georeference | None) -> LabelFile:
        """The map on the grid of the labels."""
        path = Path(run_file(self.file, LABEL_MAP))
        found = read_labels(path, variable=self.variable, unlabelled=self.unlabelled)
        return align_labels(path, found, place, shape, warp=None)


@dataclass(frozen=True)
class AuditFiles:
    """Everything that is read for an audit.

    Attributes:
        labels: the ground truth.
        split: the division of its pixels.
        window: side of the window that the classifier sees, odd.
        predictions: what a classifier says of every pixel.
        polygons: a map of numbers, or drawn polygons; None for those of drawn labels, else areas
            of one label.
        cube: the scene that drawn labels lie on, whose spectra are compared.
        cube_reading: keywords of `open_cube`.
    """

    labels: LabelChoice
    split: SplitChoice
    window: int = 1
    predictions: MapChoice | None = None
    polygons: str | None = None
    cube: str | None = None
    cube_reading: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def opened(self, say: Say) -> Iterator[AuditInput]:
        """What is audited; the cube stays open inside the block.

        Args:
            say: is told what a user should know of how files were read.

        Raises:
            HsiSuiteError: a file cannot be read, or does not fit the labels.
        """
        opening = nullcontext() if self.cube is None else open_cube(self.cube, **self.cube_reading)
        with opening as cube:
            yield self._read(cube, say)

    def _read(self, cube: CubeFile | None, say: Say) -> AuditInput:
        truth = self.labels.read_alone() if cube is None else self.labels.read(cube)
        assert truth is not None
        shape = (truth.labels.shape[0], truth.labels.shape[1])
        place = truth.georeference if cube is None else cube.georeference
        parts = self.split.read(truth.labels, place, self.labels.drawing)
        answers = None if self.predictions is None else self.predictions.read(shape, place)
        polygons: NDArray[np.integer] | None = truth.features
        words = "drawn polygons"
        if self.polygons is not None:
            polygons = read_polygons(self.polygons, shape, place, self.labels.drawing)
            words = f"polygons of {Path(self.polygons).name}"
        for remark in (*truth.remarks, *(answers.remarks if answers else ())):
            say(remark)
        names = {"labels": str(self.labels.labels), "split": self.split.files}
        names |= {"map": self.predictions.file} if self.predictions else {}
        names |= {"cube": self.cube} if self.cube else {}
        return AuditInput(
            truth.labels,
            parts,
            self.window,
            truth.class_names,
            polygons,
            AREAS if polygons is None else words,
            None if answers is None else answers.labels,
            None if cube is None else PixelSpectra(cube),
            names,
        )


def read_polygons(
    path: str, shape: tuple[int, int], place: Georeference | None, drawing: DrawnOptions
) -> NDArray[np.integer]:
    """The number of the polygon that each pixel lies in, 0 for none.

    Args:
        path: a map of numbers in any format of label maps, or drawn polygons.
        shape: lines and samples of the labels.
        place: of the labels; None when unknown.
        drawing: how drawn features are read.

    Raises:
        InputFileError: the file cannot be read or lies elsewhere.
    """
    file = Path(path)
    if recognise_drawn(file) is not None:
        # The field with the class is that of the labels.
        return drawn_numbers([file], SceneGrid(shape, place), replace(drawing, field=None))
    return align_labels(file, read_labels(file, unlabelled=0), place, shape, warp=None).labels
