"""Label maps brought to the grid of their scene by the coordinates of both."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from .formats.array_choice import size_text
from .formats.georeferencing import Affine, same_system
from .formats.label_values import LabelFile
from .formats.reprojection import reprojected
from .holding_pixels import holding_pixels
from .scene import Georeference

# Corner coordinates are rounded when they are written; what is further off is another grid.
_TOLERANCE = 0.1
_BY_PIXEL = "labels without coordinates (.npy, .png) are taken pixel by pixel"
Labels = NDArray[np.int32]
# Left, bottom, right, top.
Bounds = tuple[float, float, float, float]


def align_labels(
    path: Path,
    truth: LabelFile,
    georeference: Georeference | None,
    shape: tuple[int, int],
    *,
    warp: bool | None = False,
    remedy: str = "",
) -> LabelFile:
    """A label map on the grid of its scene.

    Where both have coordinates these decide: labels that lie whole pixels off are moved, what
    lies outside the scene is cut off, and what they do not reach is unlabelled. Otherwise they
    must have the scene's size.

    Args:
        path: of the label map, for messages.
        truth: as it was read.
        georeference: of the scene; None when unknown.
        shape: lines and samples of the scene.
        warp: resample a map on another grid or in another reference system, nearest neighbour;
            None: never, and the caller has no option for it.
        remedy: what to do where the sizes differ, in words.

    Returns:
        `truth` itself where nothing is to do, else with labels on the scene's grid and a remark.

    Raises:
        InputFileError: the map lies on another grid and is not to be warped, has no label in the
            scene, or has another size without coordinates; warping needs rasterio, which is not
            installed, or reference systems, which are not known.
    """
    own = truth.georeference
    if georeference is None or own is None or georeference.counts_pixels or own.counts_pixels:
        _check_size(path, truth.labels.shape, shape, remedy)
        return truth
    same = same_system(georeference.crs, own.crs)
    offset = None if same is False else whole_offset(georeference.transform, own.transform, shape)
    if offset == (0, 0) and truth.labels.shape == shape:
        return truth
    if offset is not None:
        labels = _moved(truth.labels, offset, shape)
    elif warp:
        labels = _warped(path, truth.labels, own, georeference, shape)
    else:
        apart = _apart(_bounds(own.transform, truth.labels.shape), own, georeference, shape, same)
        _refuse(path, same, own, georeference, apart=apart, option=warp is not None)
    used, given = int(np.count_nonzero(labels)), int(np.count_nonzero(truth.labels))
    if given and not used:
        raise InputFileError(
            path, "by its coordinates no labelled pixel lies in the scene", "", _BY_PIXEL
        )
    digest = hashlib.sha256(labels.tobytes()).hexdigest()
    remark = (
        f"resampled to the scene's grid: {given:,} labelled pixels became {used:,}"
        if offset is None
        else f"placed by its coordinates ({_words(offset)}): {used:,} labelled pixels are used, "
        f"{given - used:,} lie outside the scene"
    )
    return replace(
        truth,
        labels=labels,
        georeference=georeference,
        remarks=(*truth.remarks, f"{path.name}: {remark}"),
        # Runs that took the same file pixel by pixel learnt from other labels.
        placement={f"{path.name} on the scene's grid": digest},
    )


def whole_offset(scene: Affine, labels: Affine, shape: tuple[int, int]) -> tuple[int, int] | None:
    """Line and sample of the label map at which the scene begins; None where the grids differ.

    Args:
        scene: transform of the scene.
        labels: transform of the label map.
        shape: lines and samples of the scene, on all of which the grids must agree.
    """
    a, b, c, d, e, f = labels
    determinant = a * e - b * d
    if determinant == 0 or not math.isfinite(determinant):
        return None
    found: list[tuple[float, float]] = []
    for line, sample in ((0, 0), (0, shape[1]), (shape[0], 0), shape):
        x = scene[0] * sample + scene[1] * line + scene[2] - c
        y = scene[3] * sample + scene[4] * line + scene[5] - f
        found.append(((a * y - d * x) / determinant - line, (e * x - b * y) / determinant - sample))
    if not all(math.isfinite(value) for pair in found for value in pair):
        return None
    whole = round(found[0][0]), round(found[0][1])
    apart = max(abs(pair[n] - whole[n]) for pair in found for n in (0, 1))
    return whole if apart <= _TOLERANCE else None


def _apart(
    labels: Bounds,
    own: Georeference,
    scene: Georeference,
    shape: tuple[int, int],
    same: bool | None,
) -> bool:
    """Whether labels and scene certainly have no point in common."""
    found = _in_system(labels, own.crs, scene.crs) if same is False else labels
    around = _bounds(scene.transform, shape)
    if found is None or not all(map(math.isfinite, (*found, *around))):
        return False
    left, bottom, right, top = around
    return found[0] >= right or found[2] <= left or found[1] >= top or found[3] <= bottom


def _bounds(transform: Affine, size: tuple[int, ...]) -> Bounds:
    """Left, bottom, right and top of the rectangle around a raster."""
    a, b, c, d, e, f = transform
    corners = [(line, sample) for line in (0, size[0]) for sample in (0, size[1])]
    xs = [a * sample + b * line + c for line, sample in corners]
    ys = [d * sample + e * line + f for line, sample in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _in_system(bounds: Bounds, own: str | None, scene: str | None) -> Bounds | None:
    """Bounds in another reference system; None where that is unknown."""
    try:
        from rasterio.env import Env
        from rasterio.errors import CRSError, RasterioError
        from rasterio.warp import transform_bounds
    except ImportError:
        return None
    try:
        with Env():
            found: Bounds = transform_bounds(own, scene, *bounds)
    except (CRSError, RasterioError, ValueError):
        return None
    return found


def _check_size(path: Path, found: tuple[int, ...], shape: tuple[int, int], remedy: str) -> None:
    if found == shape:
        return
    turned = " (turned by 90 degrees?)" if found[::-1] == shape else ""
    raise InputFileError(
        path,
        f"a label map of {size_text(found)} pixels{turned}",
        f"{shape[0]} lines × {shape[1]} samples as in the scene",
        remedy,
    )


def _moved(labels: Labels, offset: tuple[int, int], shape: tuple[int, int]) -> Labels:
    """The part of a label map from `offset` on, 0 where there is none."""
    placed = np.zeros(shape, labels.dtype)
    starts = [max(0, -at) for at in offset]
    ends = [
        min(wanted, given - at)
        for wanted, given, at in zip(shape, labels.shape, offset, strict=True)
    ]
    if all(start < end for start, end in zip(starts, ends, strict=True)):
        target = tuple(slice(start, end) for start, end in zip(starts, ends, strict=True))
        source = tuple(
            slice(start + at, end + at) for start, end, at in zip(starts, ends, offset, strict=True)
        )
        placed[target] = labels[source]
    return placed


def _words(offset: tuple[int, int]) -> str:
    lines, samples = offset
    if offset == (0, 0):
        return "the same first pixel"
    return f"the scene begins at its line {lines}, sample {samples}"


def _warped(
    path: Path, labels: Labels, own: Georeference, scene: Georeference, shape: tuple[int, int]
) -> Labels:
    """The labels in which the centres of the scene's pixels lie; 0 outside of the map.

    GDAL's own warping places pixels to some hundredths of their size only.
    """
    if not own.crs or not scene.crs:
        raise InputFileError(
            path, "the labels or the scene do not name their reference system", "", _BY_PIXEL
        )
    try:
        from rasterio.errors import CRSError
    except ImportError:
        raise InputFileError(
            path, "warping needs rasterio, which is not installed", "", "install hsi-suite[geo]"
        ) from None
    a, b, c, d, e, f = scene.transform
    warped = np.zeros(shape, labels.dtype)
    samples = np.arange(shape[1]) + 0.5
    same = same_system(scene.crs, own.crs)
    try:
        for line in range(shape[0]):
            x, y = a * samples + b * (line + 0.5) + c, d * samples + e * (line + 0.5) + f
            places = np.stack([x, y])
            if not same:
                places = reprojected(places, scene.crs, own.crs)
            warped[line] = _held(labels, own, places)
    except CRSError as error:
        raise InputFileError(path, f"cannot be warped ({error})", "", _BY_PIXEL) from error
    return warped


def _held(labels: Labels, own: Georeference, places: NDArray[np.float64]) -> Labels:
    """The labels of the pixels in which places (x and y in turn) lie; 0 where none does."""
    inside, lines, samples = holding_pixels(own, (labels.shape[0], labels.shape[1]), places)
    held = np.zeros(len(inside), labels.dtype)
    held[inside] = labels[lines, samples]
    return held


def _refuse(
    path: Path,
    same: bool | None,
    own: Georeference,
    scene: Georeference,
    *,
    apart: bool,
    option: bool,
) -> NoReturn:
    if same is False:
        found = f"lies in {_short(own.crs)}, the scene in {_short(scene.crs)}"
    elif same is None:
        found = "lies on another grid, and a reference system is missing"
    elif not _same_pixels(own.transform, scene.transform):
        found = "has pixels of another size or direction than the scene's"
    else:
        found = "lies a part of a pixel off the scene's grid"
    if apart:
        raise InputFileError(
            path, f"{found}, and they do not overlap", "labels of the scene's place", _BY_PIXEL
        )
    # Without both reference systems nothing can be warped.
    warping = "give --warp-labels to take the nearest labels; " if own.crs and scene.crs else ""
    if not option:
        warping = "bring it to the scene's grid (gdalwarp -r near); "
    raise InputFileError(path, found, "", f"{warping}{_BY_PIXEL}")


def _same_pixels(first: Affine, second: Affine) -> bool:
    return all(math.isclose(first[n], second[n], rel_tol=1e-3, abs_tol=1e-12) for n in (0, 1, 3, 4))


def _short(crs: str | None) -> str:
    """A reference system as a message names it: its code or the first name in its WKT."""
    text = str(crs)
    return text.split('"')[1] if text.count('"') > 1 else text[:40]
