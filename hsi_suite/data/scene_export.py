"""Scenes in memory as files: the cube, and the labels beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..atomic import keeping
from ..errors import ConfigError, OutputError
from ..palette import class_colours
from ..user_files import resolved
from .cube_export import ExportedCube, export_open_cube
from .cube_writer import check_cube_target, files_of_cube
from .formats.cube_file import CubeFile
from .scene import Scene
from .writers import files_of_map, write_label_map


@dataclass(frozen=True)
class _LinesInMemory:
    """The lines of a cube in memory; a `LineSource`."""

    cube: NDArray[Any]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.cube.dtype

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        return self.cube[first_line:last_line]

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class _MaskInMemory:
    """Which pixels hold data; a `LineMask`."""

    valid: NDArray[np.bool_]

    def read_lines(self, first_line: int, last_line: int) -> NDArray[np.bool_]:
        return self.valid[first_line:last_line]

    def close(self) -> None:
        """Nothing is open."""


def export_scene(
    scene: Scene,
    output: Path | str,
    *,
    labels: Path | str | None = None,
    overwrite: bool = False,
    **options: Any,
) -> ExportedCube:
    """Write a scene as a cube in one file and its labels in another.

    Args:
        scene: the scene.
        output: of the cube, as in `cube_export.export_open_cube`.
        labels: where the labels go: .tif, .hdr (both with class names and colours), .npy or .png;
            None: they are left out.
        overwrite: whether files that are there may be replaced.
        options: the others of `cube_export.export_open_cube`.

    Raises:
        ConfigError: labels are asked for and the scene has none.
        OutputError: the labels would take a file of the cube, or as of `cube_export.export_cube`.
        InputFileError: as of `cube_export.export_cube`.
    """
    file = _as_file(scene)
    if labels is None:
        return export_open_cube(file, output, overwrite=overwrite, **options)
    if scene.labels is None:
        raise ConfigError("labels", f"{scene.name} has none", "a scene with labels")
    check_cube_target(Path(output), file)
    target = Path(labels)
    files = files_of_map(target)
    cube = files_of_cube(Path(output))
    if {resolved(each) for each in files} & {resolved(each) for each in cube}:
        raise OutputError(target, "a file of the cube too", "another name for the labels")
    with keeping([*files, *cube], overwrite=overwrite, together=True):
        colours = class_colours(len(scene.class_names))
        place = None if target.suffix.lower() == ".png" else scene.georeference
        write_label_map(target, scene.labels, scene.class_names, colours, place)
        exported = export_open_cube(file, output, overwrite=overwrite, **options)
    return replace(exported, written=(*exported.written, *files))


def _as_file(scene: Scene) -> CubeFile:
    return CubeFile(
        path=Path(scene.name),
        format="scene",
        shape=(scene.lines, scene.samples, scene.bands),
        source=_LinesInMemory(np.asarray(scene.cube)),
        files=(),
        wavelengths=scene.wavelengths,
        fwhm=scene.fwhm,
        georeference=scene.georeference,
        nodata=scene.nodata,
        default_bands=scene.false_colour,
        mask=None if scene.valid is None else _MaskInMemory(scene.valid),
        remarks=scene.remarks,
    )
