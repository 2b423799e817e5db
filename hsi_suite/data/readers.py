"""The user's own files: cubes, label maps and whole scenes, whatever their format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from ..arguments import checked
from ..checksums import hash_file
from ..errors import ConfigError, InputFileError
from .band_order import with_selection
from .band_selection import GOOD, steps_back
from .class_name_file import read_class_names
from .formats.array_axes import AXES_OPTION, SHAPE_OPTION, ArrayRequest, parse_axes
from .formats.array_choice import SCENE_OPTION, check_cube
from .formats.cube_file import CubeFile
from .formats.drawn_features import DrawnKeywords, DrawnOptions
from .formats.envi_files import open_envi
from .formats.file_format import KNOWN_FORMATS, FileFormat, recognise_format
from .formats.label_files import read_labels, refuse_variable
from .formats.label_values import LabelFile
from .formats.matlab_files import open_matlab
from .formats.numpy_files import open_npy, open_npz
from .formats.other_formats import open_other
from .formats.products.registry import (
    open_tiff_product,
    open_xml_product,
    with_envi_product,
)
from .formats.side_masks import with_side_mask
from .formats.tiff_files import open_tiff
from .missing_data import (
    MissingSurvey,
    band_list,
    can_miss,
    check_labelled_pixels,
    filled,
)
from .missing_files import refuse_data_set
from .scene import Scene, SceneOf, nearest_bands
from .scene_labels import LabelChoice, placed_where_valid

__all__ = [
    "CubeFile",
    "LabelFile",
    "SceneFile",
    "hash_file",
    "open_cube",
    "open_scene",
    "read_class_names",
    "read_labels",
    "read_scene",
    "scene_remarks",
    "survey_missing",
]

_BLOCK_VALUES = 2**23


@dataclass(frozen=True)
class SceneFile(SceneOf[CubeFile]):
    """A scene whose cube stays in its open file, to be read by lines; see `SceneOf`."""


def open_cube(
    path: Path | str,
    *,
    variable: str | None = None,
    axes: str | None = None,
    shape: Sequence[int] | None = None,
    nodata: float | None = None,
) -> CubeFile:
    """Open a cube without reading its values. The format is recognised by content, not by name.

    Args:
        path: a MATLAB (v4 to v7.3), HDF5, NPY, NPZ, ENVI (header or data) or TIFF file, or the XML
            file with the metadata of a product (`formats.products`).
        variable: which of several arrays in a MATLAB, HDF5 or NPZ file is meant.
        axes: order of the array's axes where the file does not say, as "y,x,band" or
            "band,y,x"; of a matrix of spectra "band,pixel" or "pixel,band".
        shape: lines and samples of a matrix of spectra, bands × pixels or pixels × bands.
        nodata: value of missing data, instead of the one the file names; NaN: there is none, and
            neither masks nor transparency count.

    Raises:
        InputFileError: the file is missing, damaged, of no known format, or holds no or several
            arrays that could be meant.
        ConfigError: `axes` names no axes.
    """
    path = Path(path)
    refuse_data_set(path)
    kind = recognise_format(path)
    refuse_variable(path, kind, variable, SCENE_OPTION)
    request = ArrayRequest(variable, parse_axes(axes), _size(shape))
    masked = nodata is None or not np.isnan(nodata)
    plain = request.axes is not None or request.shape is not None
    if kind is FileFormat.PNG:
        raise InputFileError(path, "a PNG picture", f"a cube: {KNOWN_FORMATS}")
    if kind is FileFormat.MATLAB:
        file = open_matlab(path, request)
    elif kind is FileFormat.HDF5:
        # Here and elsewhere: the library for HDF5 takes 12 MB, and few scenes need it.
        from .formats.hdf5_files import open_hdf5
        from .formats.products.hdf5_registry import open_hdf5_product

        marked = nodata is None
        product = None if plain else open_hdf5_product(path, request, marked=marked)
        file = product or open_hdf5(path, request, marked=marked)
    elif kind is FileFormat.NPZ:
        file = open_npz(path, request)
    elif kind is FileFormat.NPY:
        file = open_npy(path, request)
    elif kind is FileFormat.TIFF:
        product = None if plain else open_tiff_product(path, request, masked=masked)
        file = product or open_tiff(path, request, masked=masked)
    elif kind is FileFormat.OTHER:
        file = open_other(path, request)
    elif kind is FileFormat.XML:
        _refuse_axes(path, request)
        file = open_xml_product(path, request, masked=masked)
    else:
        _refuse_axes(path, request)
        file = with_envi_product(open_envi(path))
    if masked and kind in (FileFormat.TIFF, FileFormat.ENVI_HEADER, FileFormat.ENVI_DATA):
        file = with_side_mask(file)
    if nodata is not None:
        file = replace(file, nodata=float(nodata) if masked else None)
    file = replace(file, opened_with=_options(variable, axes, shape, nodata))
    if file.axes is not None and (remark := file.axes.remark()):
        file = replace(file, remarks=(remark, *file.remarks))
    return file


def _options(
    variable: str | None, axes: str | None, shape: Sequence[int] | None, nodata: float | None
) -> tuple[str, ...]:
    """The options of a command that say the same."""
    size = None if shape is None else ",".join(map(str, shape))
    value = None if nodata is None else f"{nodata:.17g}"
    given = ((SCENE_OPTION, variable), (AXES_OPTION, axes), (SHAPE_OPTION, size))
    return tuple(
        word
        for option, said in (*given, ("--nodata", value))
        if said is not None
        for word in (option, said)
    )


def _size(shape: Sequence[int] | None) -> tuple[int, int] | None:
    if shape is None:
        return None
    if len(shape) != 2 or min(shape) < 1:
        raise ConfigError("--shape", f"{','.join(map(str, shape))}", "LINES,SAMPLES, as 100,120")
    return shape[0], shape[1]


def _refuse_axes(path: Path, request: ArrayRequest) -> None:
    if request.axes is not None or request.shape is not None:
        option = AXES_OPTION if request.axes is not None else "--shape"
        raise InputFileError(
            path, f"{option} is given", "", "the file says it by itself: leave it out"
        )


@checked
def read_scene(
    path: Path | str,
    *,
    labels: Path | str | None = None,
    variable: str | None = None,
    axes: str | None = None,
    shape: Sequence[int] | None = None,
    labels_variable: str | None = None,
    class_names: Path | str | None = None,
    unlabelled: float | None = None,
    warp_labels: bool = False,
    nodata: float | None = None,
    bands: str = GOOD,
    drop_water: bool = False,
    name: str | None = None,
    **drawing: Unpack[DrawnKeywords],
) -> Scene:
    """Read a cube whole, with its labels.

    A pixel is not valid where a mask of the file says so, or more than half of its bands are NaN,
    infinite or nodata; its values stay in the cube as they are. Fewer missing bands are filled
    from those beside them (see `missing_data.filled`).

    Args:
        path: the cube, as in `open_cube`.
        labels: a label map, as in `read_labels`, or labels as people draw them (GeoPackage,
            GeoJSON, Shapefile, KML, FlatGeobuf, a table of points, ENVI's regions of interest), or
            several with commas between them (of training and test, say), whose labels are joined.
        variable: which of several arrays is the cube.
        axes: as in `open_cube`.
        shape: as in `open_cube`.
        labels_variable: which of several arrays is the label map, or those to be joined.
        class_names: a text file with one class name a line, before those of the label map: from
            label 1 on, or from 0 on where 0 is a class of its own.
        unlabelled: the value of unlabelled pixels, as in `read_labels`.
        warp_labels: resample labels on another grid, as `align_labels` does.
        nodata: as in `open_cube`.
        bands: "good" (all but those that the file marks as bad), "all", or a list such as
            "1-50,60" or "400-1340nm", see `band_selection`. The scene's bands are these alone.
        drop_water: leave out the bands in which water vapour leaves hardly any light.
        name: what to call the scene; the file's name without its ending by default.
        drawing: labels_field, labels_layer, labels_buffer, labels_crs, all_touched: how drawn
            labels are read; see `DrawnOptions`.

    Raises:
        InputFileError: a file cannot be read as what it should be; the label map lies elsewhere or
            has another size; there are fewer class names than labels; a labelled pixel or a whole
            band is missing.
        ConfigError: the choice of bands does not suit the cube.
    """
    drawn = DrawnOptions.of(drawing)
    asked = LabelChoice(labels, labels_variable, class_names, unlabelled, warp_labels, drawn)
    with open_cube(path, variable=variable, axes=axes, shape=shape, nodata=nodata) as file:
        file = with_selection(file, bands, drop_water=drop_water)
        return scene_in_memory(file, asked, name or Path(path).stem)


def open_scene(
    path: Path | str,
    *,
    labels: Path | str | None = None,
    variable: str | None = None,
    axes: str | None = None,
    shape: Sequence[int] | None = None,
    labels_variable: str | None = None,
    class_names: Path | str | None = None,
    unlabelled: float | None = None,
    warp_labels: bool = False,
    nodata: float | None = None,
    bands: str = GOOD,
    drop_water: bool = False,
    name: str | None = None,
    **drawing: Unpack[DrawnKeywords],
) -> SceneFile:
    """A scene as `read_scene` gives it, but for its cube, whose file stays open.

    Where pixels can be missing, the cube is read once, by blocks of lines, to find them.

    Raises:
        InputFileError: as `read_scene`.
    """
    drawn = DrawnOptions.of(drawing)
    asked = LabelChoice(labels, labels_variable, class_names, unlabelled, warp_labels, drawn)
    file = open_cube(path, variable=variable, axes=axes, shape=shape, nodata=nodata)
    try:
        file = with_selection(file, bands, drop_water=drop_water)
        return scene_in_file(file, asked, name or Path(path).stem)
    except BaseException:
        file.close()
        raise


def scene_in_memory(file: CubeFile, asked: LabelChoice, name: str) -> Scene:
    """The scene of an open file as `read_scene` gives it.

    Args:
        file: with the bands that are wanted; not closed.
        asked: its labels.
        name: what to call it.

    Raises:
        InputFileError: as `read_scene`.
    """
    cube = file.read()
    check_cube(file.path, cube.shape, cube.dtype)
    described = _described(file, [(0, cube)], asked, name)
    cube = filled(cube, file.nodata, file.wavelengths)
    return Scene(**(vars(described) | {"cube": cube}))


def scene_in_file(file: CubeFile, asked: LabelChoice, name: str) -> SceneFile:
    """The scene of an open file as `open_scene` gives it; arguments as `scene_in_memory`.

    Raises:
        InputFileError: as `read_scene`.
    """
    return _described(file, _blocks(file), asked, name)


def _blocks(file: CubeFile) -> Iterator[tuple[int, NDArray[Any]]]:
    if file.mask is None and not can_miss(file.nodata, file.dtype):
        return
    lines, samples, bands = file.shape
    step = max(1, _BLOCK_VALUES // (samples * bands))
    for start in range(0, lines, step):
        yield start, file.read(start, min(start + step, lines))


def _described(
    file: CubeFile,
    blocks: Iterable[tuple[int, NDArray[Any]]],
    asked: LabelChoice,
    name: str,
) -> SceneFile:
    """The scene of an open file, all lines of which come in blocks where any can be missing."""
    path = file.path
    truth = asked.read(file)
    valid, survey = _surveyed(file, blocks)
    if truth is not None and valid is not None:
        truth = placed_where_valid(path, truth, valid)
        check_labelled_pixels(path, truth.labels, valid)
    files = [*file.files, *(truth.files if truth else ())]
    if truth is not None and asked.class_names is not None:
        files.append(Path(asked.class_names))
    return SceneFile(
        name=name,
        cube=replace(file, complete=True),
        labels=truth.labels if truth else None,
        class_names=(truth.class_names or ()) if truth else (),
        label_features=truth.features if truth else None,
        label_remarks=truth.remarks if truth else (),
        wavelengths=file.wavelengths,
        fwhm=file.fwhm,
        selection=file.selection,
        georeference=file.georeference or (truth.georeference if truth else None),
        valid=valid,
        nodata=file.nodata,
        false_colour=file.default_bands or nearest_bands(file.wavelengths, file.shape[2]),
        checksums=_checksums(files) | dict(truth.placement if truth else {}),
        remarks=(
            *scene_remarks(file),
            *filter(None, [survey.summary()]),
            *(truth.remarks if truth else ()),
        ),
    )


def _surveyed(
    file: CubeFile, blocks: Iterable[tuple[int, NDArray[Any]]]
) -> tuple[NDArray[np.bool_] | None, MissingSurvey]:
    """Where a file's pixels hold data, and what is missing of those that do."""
    survey = MissingSurvey()
    parts = []
    for start, block in blocks:
        valid = file.valid(block, start)
        survey.add(block, file.nodata, valid)
        parts.append(np.ones(block.shape[:2], bool) if valid is None else valid)
    if not parts:
        return None, survey
    file.require_data(survey)
    mask: NDArray[np.bool_] = np.concatenate(parts)
    return None if mask.all() else mask, survey


def survey_missing(file: CubeFile) -> MissingSurvey:
    """What is missing of an open cube, which is read once where anything can be.

    Args:
        file: not `complete`.

    Raises:
        InputFileError: no pixel holds data, or a band holds none.
    """
    survey = MissingSurvey()
    for start, block in _blocks(file):
        survey.add(block, file.nodata, file.valid(block, start))
    if survey.held or survey.empty is not None:
        file.require_data(survey)
    return survey


def scene_remarks(file: CubeFile) -> tuple[str, ...]:
    """What a user should know who classifies an open cube, a short line each."""
    remarks = list(file.remarks)
    turning = None if file.wavelengths is None else steps_back(file.wavelengths, file.band_numbers)
    if turning is not None:
        remarks.append(turning)
    if bad := [file.band_numbers[band] for band in file.bad_bands]:
        remarks.append(
            f"the header marks {len(bad)} of {file.shape[2]} bands as bad "
            f"({band_list(bad)}), and they are used all the same"
        )
    return tuple(remarks)


def _checksums(files: Iterable[Path]) -> dict[str, str]:
    """SHA-256 by file name, or by folder and name where two files share one."""
    sums: dict[str, str] = {}
    for path in dict.fromkeys(files):
        key = path.name if path.name not in sums else f"{path.parent.name}/{path.name}"
        sums[key] = hash_file(path)
    return sums
