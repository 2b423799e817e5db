"""What is searched: a cube, a picture without spectra, or a registered scene, read by lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.band_order import with_selection
from ...data.band_selection import GOOD
from ...data.catalogue import load_dataset
from ...data.formats.cube_file import CubeFile, WholeArray
from ...data.formats.drawn_features import DrawnOptions
from ...data.learnt_bands import scene_with_learnt_bands, with_learnt_bands
from ...data.map_labels import refuse_drawing
from ...data.modalities import Modality
from ...data.photograph_endings import PHOTOGRAPH_ENDINGS
from ...data.photographs import read_header, read_photograph
from ...data.readers import (
    LabelFile,
    hash_file,
    open_cube,
    scene_remarks,
    survey_missing,
)
from ...data.scene import Georeference, Scene, nearest_bands
from ...data.scene_labels import LabelChoice
from ...engine.observer import Observer
from ...errors import ConfigError, InputFileError, ShapeError
from ...user_files import resolved
from ..scenes.scene_checks import check_values
from .gallery_choice import check_gallery

_TIFF = (".tif", ".tiff")
# Pictures are held once more while they are decoded, and again where they have transparency.
_DECODING = 2


@dataclass(frozen=True)
class Gallery:
    """A scene whose pixels are searched; see `Scene` for the attributes of the same name.

    Attributes:
        name: how the scene is called.
        shape: lines, samples, and the bands that are looked at.
        wavelengths: None when unknown.
        georeference: None when unknown.
        class_names: () where there are no labels.
        synthetic: whether it was generated.
        shown: 0-based bands shown as red, green and blue.
        identity: what distinguishes it from another one without reading it whole; JSON.
        provenance: what it was read from; JSON.
        files: the files it was read from, whose checksums are still to be computed.
        read: gives lines first … last − 1 as a scene of their own.
        reading_bytes: about the memory that reading so many lines takes.
        unverified: files of a registered scene that no published checksum vouches for.
        band_numbers: the number in the file, from 0, of each band; () where they are all.
    """

    name: str
    shape: tuple[int, int, int]
    wavelengths: NDArray[np.float64] | None
    georeference: Georeference | None
    class_names: tuple[str, ...]
    synthetic: bool
    shown: tuple[int, int, int]
    identity: list[Any]
    provenance: dict[str, Any]
    files: tuple[Path, ...]
    read: Callable[[int, int], Scene]
    reading_bytes: Callable[[int], int]
    unverified: tuple[str, ...] = ()
    band_numbers: Sequence[int] = ()

    def checksums(self) -> dict[str, str]:
        """SHA-256 of what it was read from, by file name."""
        return self.provenance.get("files") or {path.name: hash_file(path) for path in self.files}


def scene_gallery(scene: Scene) -> Gallery:
    """A scene that is in memory."""

    def read(first_line: int, last_line: int) -> Scene:
        rows = slice(first_line, last_line)
        return replace(
            scene,
            cube=scene.cube[rows],
            labels=None if scene.labels is None else scene.labels[rows],
            valid=None if scene.valid is None else scene.valid[rows],
            companions={name: layer[rows] for name, layer in scene.companions.items()},
        )

    return Gallery(
        name=scene.name,
        shape=(scene.lines, scene.samples, scene.bands),
        wavelengths=scene.wavelengths,
        georeference=scene.georeference,
        class_names=scene.class_names,
        synthetic=scene.synthetic,
        shown=scene.false_colour,
        identity=[scene.name, dict(scene.checksums)],
        provenance={"dataset": scene.name, "files": dict(scene.checksums)},
        files=(),
        read=read,
        reading_bytes=lambda _: int(scene.cube.nbytes),
        unverified=scene.unverified,
        band_numbers=range(scene.bands) if scene.selection is None else scene.selection.bands,
    )


def file_gallery(
    file: CubeFile, truth: LabelFile | None, modality: Modality, observer: Observer
) -> Gallery:
    """An open file, read when lines of it are asked for; it must stay open.

    Args:
        file: a cube or a picture.
        truth: its label map, of the same size; None where there is none.
        modality: how its pixels will be seen.
        observer: reports which bands are left out.
    """
    bands, alpha = _bands(modality, file, observer)
    companion = modality.companion if bands == 1 else None
    names = () if truth is None else _class_names(truth)
    files = (*file.files, *(truth.files if truth else ()))

    def read(first_line: int, last_line: int) -> Scene:
        values = file.read(first_line, last_line)
        cube = values[..., :bands]
        valid = file.valid(cube, first_line)
        if alpha:
            opaque = values[..., bands] > 0
            valid = opaque if valid is None else valid & opaque
        scene = Scene(
            file.path.stem,
            cube,
            labels=None if truth is None else truth.labels[first_line:last_line],
            class_names=names,
            wavelengths=file.wavelengths,
            companions={} if companion is None else {companion: cube[..., 0]},
            valid=valid,
        )
        check_values(scene, file.path)
        return scene

    picture = bands <= 4 and file.wavelengths is None
    shown = file.default_bands or nearest_bands(file.wavelengths, bands)
    copies = _DECODING if file.format == "picture" else 1
    states = [(path, path.stat()) for path in files]
    return Gallery(
        name=file.path.stem,
        shape=(*file.shape[:2], bands),
        wavelengths=file.wavelengths,
        georeference=file.georeference,
        class_names=names,
        synthetic=False,
        shown=((0, 1, 2) if bands >= 3 else (0, 0, 0)) if picture else shown,
        identity=[
            *([str(resolved(path)), state.st_size, state.st_mtime_ns] for path, state in states),
            str(file.nodata),
            None if file.axes is None else [*file.axes.names, *file.axes.sizes],
            *([truth.first_value, dict(truth.placement)] if truth and truth.remarks else []),
        ],
        provenance={"scene": str(resolved(file.path)), "nodata": str(file.nodata)},
        files=files,
        read=read,
        reading_bytes=lambda rows: copies * file.reading_bytes(rows),
        band_numbers=file.band_numbers,
    )


def _class_names(truth: LabelFile) -> tuple[str, ...]:
    named = truth.class_names or ()
    highest, lower = int(truth.labels.max()), 1 - truth.first_value
    return named + tuple(f"class {label - lower}" for label in range(len(named) + 1, highest + 1))


@contextmanager
def open_gallery(
    modality: Modality,
    *,
    scene: str | None,
    dataset: str | None,
    labels: str | None = None,
    variable: str | None = None,
    axes: str | None = None,
    shape: Sequence[int] | None = None,
    nodata: float | None = None,
    unlabelled: float | None = None,
    warp_labels: bool = False,
    drawing: DrawnOptions | None = None,
    resample: bool = False,
    observer: Observer,
) -> Iterator[Gallery]:
    """What a command names to be searched or looked at.

    Args:
        modality: how its pixels will be seen.
        scene: a file: a cube, or a picture (PNG, JPEG, TIFF, BMP); None for a data set.
        dataset: a registered scene; None for a file.
        labels: a label map of the file's scene.
        variable: the cube's name inside the file.
        axes: order of its axes where the file does not say, see `data.readers.open_cube`.
        shape: lines and samples of a matrix of spectra.
        nodata: the value that marks missing pixels.
        unlabelled: the value of unlabelled pixels in the label map; None: 0.
        warp_labels: bring labels on another grid to the scene's.
        drawing: how drawn labels are read.
        resample: make the bands that the run learnt of those of another sensor.
        observer: reports how the file was read.

    Raises:
        ConfigError: not exactly one of scene and data set.
        InputFileError: a file cannot be read, or its label map lies elsewhere or has another size.
        ShapeError: its bands are not at the wavelengths that were learnt.
    """
    of_file = (labels, variable, axes, shape, nodata, unlabelled)
    check_gallery(scene, dataset, of_file, resample=resample)
    if drawing is not None:
        refuse_drawing(labels, drawing)
    learnt = modality.known_bands
    if resample and learnt is None:
        raise ConfigError("--resample", f"pixels seen as {modality.kind}", "spectra, pca or hsi")
    if dataset is not None:
        loaded = load_dataset(dataset, on_message=observer.message)
        if learnt is not None:
            loaded = scene_with_learnt_bands(loaded, learnt, observer)
        check_wavelengths(modality, loaded.name, loaded.wavelengths)
        yield scene_gallery(loaded)
        return
    with _open(Path(str(scene)), variable, axes, shape, nodata) as opened:
        if learnt is None:
            file = with_selection(opened, GOOD)
        else:
            file = with_learnt_bands(opened, learnt, observer, resample=resample)
        summary = survey_missing(file).summary()
        for remark in (*scene_remarks(file), *([summary] if summary else [])):
            observer.message(f"{file.path.name}: {remark}")
        file = replace(file, complete=True)
        check_wavelengths(modality, file.path.name, file.wavelengths)
        truth = None
        if labels is not None:
            choice = LabelChoice(
                labels, None, None, unlabelled, warp_labels, drawing or DrawnOptions()
            )
            truth = choice.on_grid(file)
            for remark in truth.remarks if truth else ():
                observer.message(remark)
        yield file_gallery(file, truth, modality, observer)


def check_wavelengths(
    modality: Modality, name: str, wavelengths: NDArray[np.float64] | None
) -> None:
    """Refuse bands at other wavelengths than those that were learnt.

    Raises:
        ShapeError: they are.
    """
    learnt = modality.wavelengths
    if learnt is None or wavelengths is None or len(learnt) != len(wavelengths):
        return
    apart = float(np.abs(learnt - wavelengths).max())
    # Tables of one sensor differ by a few nm between flights; a whole band is another band.
    if apart > max(5.0, float(np.median(np.abs(np.diff(learnt))))):
        raise ShapeError(
            name,
            f"bands up to {apart:.0f} nm away from those the run learnt",
            "the same bands",
            "search a scene of the same sensor and bands",
        )


def _open(
    path: Path,
    variable: str | None,
    axes: str | None,
    shape: Sequence[int] | None,
    nodata: float | None,
) -> CubeFile:
    ending = path.suffix.lower()
    if ending not in PHOTOGRAPH_ENDINGS or ending in _TIFF:
        return open_cube(path, variable=variable, axes=axes, shape=shape, nodata=nodata)
    if variable is not None or axes is not None or shape is not None:
        raise InputFileError(path, "is a picture, which holds no named arrays", "no variable")
    header = read_header(path)
    shape = (header.lines, header.samples, header.channels + header.alpha)

    def load() -> NDArray[Any]:
        photograph = read_photograph(path)
        parts = [photograph.values.reshape(*shape[:2], header.channels)]
        if photograph.alpha is not None:
            parts.append(photograph.alpha[..., None])
        return np.concatenate(parts, axis=2)

    source = WholeArray(path, shape, header.dtype, load)
    return CubeFile(path, "picture", shape, source, (path,), nodata=nodata)


def _bands(modality: Modality, file: CubeFile, observer: Observer) -> tuple[int, bool]:
    """How many of a file's bands are looked at, and whether the next one is transparency."""
    bands, wanted = file.shape[2], modality.channels
    image = modality.kind in ("rgb", "panchromatic", "companion")
    if not image or file.wavelengths is not None or bands != wanted + 1:
        return bands, False
    if file.format == "picture" or _says_alpha(file.path):
        return wanted, True
    observer.message(
        f"{file.path.name}: the last of its {bands} bands is left out (infrared, most likely)"
    )
    return wanted, False


def _says_alpha(path: Path) -> bool:
    try:
        return path.suffix.lower() in _TIFF and read_header(path).alpha
    except InputFileError:
        return False
