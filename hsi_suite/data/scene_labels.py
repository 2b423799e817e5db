"""The labels of a scene: one label map or several, on its grid, with a name for every label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from ..user_files import refuse_repeated
from .class_name_file import read_class_names
from .drawn_geometry import SceneGrid
from .drawn_labels import drawn_labels
from .file_list import listed_files
from .formats.array_axes import AXES_OPTION, CubeAxes
from .formats.array_choice import LABELS_OPTION
from .formats.drawn_features import DrawnOptions
from .formats.drawn_formats import recognise_drawn
from .formats.label_files import read_labels
from .formats.label_values import LabelFile
from .joined_labels import join_labels
from .label_alignment import align_labels
from .map_labels import nothing_drawn
from .scene import Georeference


class LabelGrid(Protocol):
    """Where label maps are to lie: an open cube, or a grid alone."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lines and samples, and what follows."""

    @property
    def georeference(self) -> Georeference | None:
        """None when unknown."""

    @property
    def axes(self) -> CubeAxes | None:
        """How the cube's array was read; None where that was never in question."""


@dataclass(frozen=True)
class BareGrid:
    """The grid of a label map that stands alone; see `LabelGrid`."""

    shape: tuple[int, ...]
    georeference: Georeference | None = None
    axes: CubeAxes | None = None


@dataclass(frozen=True)
class LabelChoice:
    """What a caller says of the labels of a scene; see `readers.read_scene`."""

    labels: Path | str | None
    variable: str | None = None
    class_names: Path | str | None = None
    unlabelled: float | None = None
    warp: bool = False
    drawing: DrawnOptions = field(default_factory=DrawnOptions)

    def read(self, file: LabelGrid) -> LabelFile | None:
        """The label map on the grid of the open scene, with a name for every label."""
        truth = self.on_grid(file)
        if truth is None or self.labels is None:
            return truth
        path = listed_files(self.labels)[0]
        return replace(truth, class_names=_class_names(path, truth, self.class_names))

    def read_alone(self) -> LabelFile | None:
        """The same without a scene: the first label map gives the grid.

        Raises:
            InputFileError: as in `on_grid`, or labels are drawn, which need a scene's grid.
        """
        if self.labels is None:
            return None
        files = listed_files(self.labels)
        for path in files:
            if recognise_drawn(path) is not None:
                found = "drawn labels alone have no pixels"
                raise InputFileError(
                    path, found, "", "give the scene they are drawn on: --cube FILE"
                )
        variable = (self.variable or "").split(",")[0].strip()
        first = read_labels(files[0], variable=variable or None, unlabelled=self.unlabelled)
        return self.read(BareGrid(first.labels.shape, first.georeference))

    def on_grid(self, file: LabelGrid) -> LabelFile | None:
        """The label map on the grid of the open scene, with the names that its file has.

        Drawn labels of several files are numbered together.

        Raises:
            InputFileError: a file cannot be read, lies elsewhere, or its labels are not clear.
        """
        if self.labels is None:
            return None
        files = listed_files(self.labels)
        refuse_repeated(files, "different label maps, to be joined")
        drawn = [path for path in files if recognise_drawn(path) is not None]
        self._check_options(files, drawn)
        variables = (self.variable or "").split(",")
        paths = [path for path in files if path not in drawn for _ in variables]
        truths = [
            self._placed(path, name.strip() or None, file)
            for path, name in zip(paths, variables * len(files), strict=False)
        ]
        if drawn:
            grid = SceneGrid((file.shape[0], file.shape[1]), file.georeference)
            truths.insert(
                0, drawn_labels(drawn, grid, self.drawing, self.unlabelled, self._order())
            )
            paths.insert(0, drawn[0])
        return join_labels(paths, truths)

    def _order(self) -> tuple[str, ...]:
        """The names of the labels from 1 on, where the caller names them."""
        return () if self.class_names is None else read_class_names(self.class_names)

    def _check_options(self, files: Sequence[Path], drawn: Sequence[Path]) -> None:
        given = self.drawing.given()
        if given and not drawn:
            raise nothing_drawn(files[0], given[0])
        if drawn and self.variable is not None:
            found = f"{LABELS_OPTION} {self.variable} names a variable"
            raise InputFileError(drawn[0], found, "", "drawn labels have none: leave it out")

    def _placed(self, path: Path, variable: str | None, file: LabelGrid) -> LabelFile:
        truth = read_labels(path, variable=variable, unlabelled=self.unlabelled)
        orders = file.axes.fitting(*truth.labels.shape) if file.axes is not None else []
        hint = f"if the cube's axes are in another order: {AXES_OPTION} {' or '.join(orders)}"
        return align_labels(
            path,
            truth,
            file.georeference,
            (file.shape[0], file.shape[1]),
            warp=self.warp,
            remedy=hint if orders else "",
        )


def placed_where_valid(path: Path, truth: LabelFile, valid: NDArray[np.bool_]) -> LabelFile:
    """A label map without what lies over pixels that hold no data; those are counted.

    So it is where labels have coordinates: a map of the whole country knows nothing of this
    scene's clouds. Maps without coordinates stay as they are: who made them saw the pixels.

    Args:
        path: of the scene.
        truth: on its grid.
        valid: lines × samples of the scene.

    Raises:
        InputFileError: no labelled pixel holds data.
    """
    place = truth.georeference
    drawn = truth.features is not None
    if not drawn and (place is None or place.counts_pixels):
        return truth
    lost = (truth.labels > 0) & ~valid
    number = int(lost.sum())
    if not number:
        return truth
    if number == np.count_nonzero(truth.labels):
        said = f"none of the {number:,} labelled pixels holds data"
        hint = "give --nodata nan if what is taken for nodata is data"
        raise InputFileError(path, said, "labels where the scene has data", hint)
    words = f"{number:,} {'drawn' if drawn else 'labelled'} pixels hold no data and are unlabelled"
    return replace(
        truth,
        labels=np.where(lost, np.int32(0), truth.labels),
        features=None if truth.features is None else np.where(lost, np.int32(0), truth.features),
        remarks=(*truth.remarks, words),
    )


def _class_names(path: Path, truth: LabelFile, class_names: Path | str | None) -> tuple[str, ...]:
    """A name for every label of the map `path`, which has labels."""
    highest = int(truth.labels.max())
    if highest == 0:
        raise InputFileError(path, "every pixel is 0, unlabelled", "labels from 1 on")
    names = read_class_names(class_names) if class_names is not None else truth.class_names
    first = truth.first_value
    if names is None:
        return tuple(f"class {label}" for label in range(first, highest + first))
    if len(names) < highest:
        counted = "as many as the highest label" if first else "as there is a class 0"
        raise InputFileError(
            path if class_names is None else Path(class_names),
            f"{len(names)} class names",
            f"at least {highest}, {counted}",
        )
    return names
