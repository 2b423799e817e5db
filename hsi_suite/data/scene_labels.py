"""The labels of a scene: one label map or several, on its grid, with a name for every label."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InputFileError
from ..user_files import refuse_repeated
from .file_list import listed_files
from .formats.array_axes import AXES_OPTION
from .formats.cube_file import CubeFile
from .formats.label_files import read_class_names, read_labels
from .formats.label_values import LabelFile
from .joined_labels import join_labels
from .label_alignment import align_labels


@dataclass(frozen=True)
class LabelChoice:
    """What a caller says of the labels of a scene; see `readers.read_scene`."""

    labels: Path | str | None
    variable: str | None
    class_names: Path | str | None
    unlabelled: float | None
    warp: bool

    def read(self, file: CubeFile) -> LabelFile | None:
        """The label map on the grid of the open scene, with a name for every label."""
        if self.labels is None:
            return None
        files = listed_files(self.labels)
        variables = (self.variable or "").split(",")
        paths = [path for path in files for _ in variables]
        shape = (file.shape[0], file.shape[1])
        refuse_repeated(files, "different label maps, to be joined")
        truths = []
        for path, variable in zip(paths, variables * len(files), strict=True):
            truth = read_labels(path, variable=variable.strip() or None, unlabelled=self.unlabelled)
            orders = file.axes.fitting(*truth.labels.shape) if file.axes is not None else []
            hint = f"if the cube's axes are in another order: {AXES_OPTION} {' or '.join(orders)}"
            truths.append(
                align_labels(
                    path,
                    truth,
                    file.georeference,
                    shape,
                    warp=self.warp,
                    remedy=hint if orders else "",
                )
            )
        truth = join_labels(paths, truths)
        return replace(truth, class_names=_class_names(paths[0], truth, self.class_names))


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
