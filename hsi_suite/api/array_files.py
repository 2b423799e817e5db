"""Arrays as files, so that runs of them can be evaluated, continued and replayed as any others.

They lie in the hidden folder `.arrays` where the runs are, each under the checksum of its content:
equal arrays are written once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..atomic import make_folder, write_text
from ..data.cube_writer import storable
from ..data.data_arrays import as_labels
from ..data.formats.envi_writer import write_envi
from ..data.scene import Georeference, Scene
from ..data.splits import Split, save_split
from ..data.writers import write_npy
from ..errors import ConfigError, ShapeError
from .arrays import Cube, as_cube

_FOLDER = ".arrays"
_DIGITS = 12


@dataclass(frozen=True)
class SceneArrays:
    """A scene in memory, checked.

    Attributes:
        cube: with what came along.
        labels: None without.
        class_names: empty where the labels have no names.
        georeference: None when unknown.
        name: for run folders.
    """

    cube: Cube
    labels: NDArray[np.integer] | None
    class_names: tuple[str, ...] = ()
    georeference: Georeference | None = None
    name: str = "array"


def scene_arrays(scene: Any, labels: Any = None, class_names: Sequence[str] = ()) -> SceneArrays:
    """A scene from a `Scene`, or from a cube and its labels.

    Raises:
        ShapeError: the arrays do not fit each other, or hold impossible values.
        ConfigError: fewer names than classes.
    """
    georeference, name = None, "array"
    if isinstance(scene, Scene):
        cube = as_cube(scene, scene.name)
        georeference, name = scene.georeference, scene.name
        if labels is None:
            labels, class_names = scene.labels, class_names or scene.class_names
    else:
        cube = as_cube(scene)
    truth = None if labels is None else as_labels(labels, cube.values.shape[:2])
    if truth is not None and cube.valid is not None and truth[~cube.valid].any():
        raise ShapeError("cube", "no data at labelled pixels", "numbers", "set their labels to 0")
    if truth is not None and class_names and len(class_names) < int(truth.max()):
        found = f"{len(class_names)} names, and labels up to {truth.max()}"
        raise ConfigError("names of classes", found, "one for every label from 1 on")
    return SceneArrays(cube, truth, tuple(class_names), georeference, name)


def scene_files(arrays: SceneArrays, output: str | Path, *, header: bool = False) -> dict[str, str]:
    """The options that name the files of a scene, which are written where they are not there.

    Args:
        arrays: the scene.
        output: where runs are made.
        header: whether the cube has a header in any case, which says how its axes lie.
    """
    values = _with_gaps(arrays.cube)
    parts: dict[str, Any] = {"wavelengths": arrays.cube.wavelengths, "place": arrays.georeference}
    folder = Path(output) / _FOLDER / _digest(values, arrays.labels, arrays.class_names, parts)
    stem = re.sub(r"[^A-Za-z0-9.-]+", "-", arrays.name).strip("-.") or "array"
    plain = arrays.cube.wavelengths is None and arrays.georeference is None and not header
    files = {"scene": folder / f"{stem}{'.npy' if plain else '.hdr'}"}
    if arrays.labels is not None:
        files["labels"] = folder / "labels.npy"
    if arrays.class_names:
        files["class_names"] = folder / "class_names.txt"
    make_folder(folder)
    if arrays.labels is not None and not files["labels"].exists():
        write_npy(files["labels"], arrays.labels)
    if arrays.class_names and not files["class_names"].exists():
        write_text(files["class_names"], "".join(f"{name}\n" for name in arrays.class_names))
    if not files["scene"].exists():
        _write_cube(files["scene"], values, arrays)
    # A header says how its axes lie; of a bare array it is known here.
    axes = {"axes": "y,x,band"} if plain else {}
    return {name: str(path) for name, path in files.items()} | axes


def kept_split(split: Split, output: str | Path) -> str:
    """The file of a split, written where it is not there."""
    parts = (split.train, split.validation, split.test)
    folder = make_folder(Path(output) / _FOLDER)
    path = folder / f"split_{_digest(*parts, split.shape)}.npz"
    if not path.exists():
        save_split(split, path)
    return str(path)


def _write_cube(path: Path, values: NDArray[Any], arrays: SceneArrays) -> None:
    if path.suffix == ".npy":
        write_npy(path, values)
        return
    fields: dict[str, object] = {}
    if arrays.cube.wavelengths is not None:
        fields["wavelength units"] = "Nanometers"
        fields["wavelength"] = tuple(f"{centre:.10g}" for centre in arrays.cube.wavelengths)
    kept = values.astype(storable(values.dtype, ".hdr"), copy=False)
    write_envi(path, kept, fields, arrays.georeference)


def _with_gaps(cube: Cube) -> NDArray[Any]:
    """The values in this machine's order of bytes, NaN where there is no data."""
    values = cube.values.astype(cube.values.dtype.newbyteorder("="), copy=False)
    if cube.valid is None:
        return values
    exact = values.dtype if values.dtype.kind == "f" else np.result_type(values.dtype, np.float32)
    values = values.astype(exact)
    values[~cube.valid] = np.nan
    return values


def _digest(*parts: Any) -> str:
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        elif isinstance(part, Mapping):
            digest.update(_digest(*part.values()).encode())
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()[:_DIGITS]
