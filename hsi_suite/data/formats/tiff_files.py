"""Cubes in TIFF and GeoTIFF files."""

from __future__ import annotations

import json
import math
import shlex
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from ...errors import InputFileError
from .array_axes import AXES_OPTION, ArrayRequest, CubeAxes, bands_at, cube_axes
from .array_choice import check_cube, size_text
from .cube_file import CubeFile, LineSource
from .gdal_metadata import GdalMetadata
from .geotiff_tags import read_geotiff
from .line_masks import BothMasks, SourceMask, WithoutAlpha
from .raw_lines import AxisOrder, RawLines
from .reading_guard import reading
from .tiff_directories import check_tiff_directories
from .tiff_lines import DecodedLines, can_decode, stored_type

_WHAT = "a TIFF file"
_GDAL_NODATA = 42113
# Kinds of extra samples that are transparency: associated with the colours, and not.
_ALPHA = (1, 2)
_NOTHING_SAID = ArrayRequest()
# Axes along which every picture stands for itself, by tifffile's letters: time, depth, angle,
# phase, tile, exposure, event, mosaic.
PAGE_AXES = "TZAPRLVM"
_RAW_ORDERS: dict[int, AxisOrder] = {0: "BLS", 1: "LBS", 2: "LSB"}


@dataclass(frozen=True)
class _Layout:
    """Shape of the cube and which axis of the stored array (0, 1 or 2) its bands are.

    `axes` says so where the file does not.
    """

    shape: tuple[int, int, int]
    band_axis: Literal[0, 1, 2]
    axes: CubeAxes | None = None
    remarks: tuple[str, ...] = ()


def open_tiff(
    path: Path, request: ArrayRequest = _NOTHING_SAID, *, masked: bool = True
) -> CubeFile:
    """The cube of a TIFF file; lines are read as asked for.

    Bands may be samples of the pixels (interleaved or planar) or pages. Where a stack says
    nothing about its axes, see `_guess_band_axis`. What the file calls transparency is no band
    but a mask.

    Args:
        path: the file.
        request: the order of the axes of a stack, where the user says it.
        masked: whether the file's masks and transparency count.

    Raises:
        InputFileError: the file is damaged, holds images of several sizes or no cube.
    """
    with reading(path, _WHAT):
        check_tiff_directories(path)
    with reading(path, _WHAT), tifffile.TiffFile(path) as tiff:
        _check_directories(path)
        number, series = _only_series(path, tiff)
        layout = _layout(path, series, request)
        page = series.keyframe
        check_cube(path, layout.shape, stored_type(series.dtype))
        alpha = masked and _has_alpha(page, layout.shape[2])
        bands = layout.shape[2] - alpha
        metadata = GdalMetadata.of(page)
        cube = CubeFile(
            path,
            "TIFF",
            layout.shape,
            files=(path,),
            wavelengths=metadata.wavelengths(bands),
            georeference=read_geotiff(path, page),
            nodata=_nodata(page),
            band_names=metadata.band_names(bands),
            kept_fields=metadata.scaling(bands) | metadata.marks(bands),
            fwhm=metadata.widths(bands),
            class_names=metadata.class_names(),
            colours=_colours(page),
            source=_line_source(path, series, number, layout),
            axes=layout.axes,
            remarks=(
                *layout.remarks,
                *metadata.remarks(bands),
                *metadata.incomplete(path, bands),
            ),
        )
        return _masked(cube, tiff, alpha) if masked else cube


def _has_alpha(page: tifffile.TiffPage, bands: int) -> bool:
    kinds = [int(kind) for kind in page.extrasamples]
    return bands == page.samplesperpixel > 1 and bool(kinds) and kinds[-1] in _ALPHA


def _masked(file: CubeFile, tiff: tifffile.TiffFile, alpha: bool) -> CubeFile:
    """An open file with the masks that lie inside it."""
    bands = file.shape[2]
    if alpha:
        remark = f"the file calls band {bands} transparency: it masks pixels and is left out"
        file = replace(
            file,
            shape=(*file.shape[:2], bands - 1),
            source=WithoutAlpha(file.source, bands - 1),
            mask=SourceMask(file.source, bands - 1),
            remarks=(*file.remarks, f"{remark}; if it is data, give --nodata nan"),
        )
    for number, series in enumerate(tiff.series):
        key = series.keyframe
        size = (key.imagelength, key.imagewidth)
        if key.is_mask and not key.is_reduced and size == file.shape[:2]:
            mask = SourceMask(DecodedLines(file.path, (*size, 1), 0, number))
            file = replace(file, mask=mask if file.mask is None else BothMasks(file.mask, mask))
    return file


def _check_directories(path: Path) -> None:
    """Refuse a file whose chain of pages is cut: the library would read the pages before it."""
    with path.open("rb") as file:
        order = "<" if file.read(2) == b"II" else ">"
        big = struct.unpack(order + "H", file.read(2))[0] == 43
        link, counter, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
        file.seek(8 if big else 4)
        (place,) = _unpack(file, order + link)
        seen: set[int] = set()
        while place and place not in seen:
            seen.add(place)
            file.seek(place)
            (count,) = _unpack(file, order + counter)
            file.seek(count * entry, 1)
            (place,) = _unpack(file, order + link)


def _unpack(file: BinaryIO, layout: str) -> tuple[int, ...]:
    content = file.read(struct.calcsize(layout))
    if len(content) < struct.calcsize(layout):
        raise EOFError("the file ends inside its list of pages")
    return struct.unpack(layout, content)


def _only_series(path: Path, tiff: tifffile.TiffFile) -> tuple[int, tifffile.TiffPageSeries]:
    # Overviews and masks, which GDAL appends, are not the image.
    found = [
        (number, series)
        for number, series in enumerate(tiff.series)
        if not (series.keyframe.is_reduced or series.keyframe.is_mask)
    ]
    if len(found) != 1:
        sizes = ", ".join(size_text(series.shape) for _, series in found[:10])
        raise InputFileError(
            path, f"holds {len(found)} images ({sizes})", "one image or a stack of equal ones"
        )
    return found[0]


def _layout(path: Path, series: tifffile.TiffPageSeries, request: ArrayRequest) -> _Layout:
    sizes = [
        (axis, size) for axis, size in zip(series.axes, series.shape, strict=True) if size != 1
    ]
    axes = "".join(axis for axis, _ in sizes)
    shape = tuple(size for _, size in sizes)
    if len(shape) < 3:
        return _small_layout(path, series)
    if len(shape) > 3:
        raise InputFileError(
            path, f"an array of {size_text(series.shape)}", "one with lines, samples and bands"
        )
    given: CubeAxes | None = None
    remarks: tuple[str, ...] = ()
    if request.axes is not None or request.shape is not None:
        given = cube_axes(path, shape, request)
        if given.names.index("y") > given.names.index("x"):
            raise InputFileError(path, f"{AXES_OPTION} {','.join(given.names)}", "y before x")
        band_axis = given.names.index("band")
    elif axes_are_known(series) and axes.count("Y") == 1 == axes.count("X"):
        band_axis = next(at for at, axis in enumerate(axes) if axis not in "YX")
        if axes.index("Y") > axes.index("X"):
            raise InputFileError(path, f"axes {axes}", "lines (Y) before samples (X)")
        remarks = _axis_remarks(axes[band_axis], shape[band_axis])
    else:
        band_axis = _guess_band_axis(path, shape)
        given = CubeAxes(bands_at(band_axis), shape)
    lines, samples = (size for at, size in enumerate(shape) if at != band_axis)
    return _Layout((lines, samples, shape[band_axis]), (0, 1, 2)[band_axis], given, remarks)


def _axis_remarks(axis: str, size: int) -> tuple[str, ...]:
    """What is guessed where the file does not call the axis of the bands channel or lambda."""
    if axis in "CSE":
        return ()
    name = tifffile.TIFF.AXES_NAMES.get(axis, "")
    what = f"pages along the axis {axis} ({name})" if axis in PAGE_AXES else "pages of no axis"
    return (
        f"{size} {what} are taken for bands; hsi denoise --stack pages takes them for pictures",
    )


def _small_layout(path: Path, series: tifffile.TiffPageSeries) -> _Layout:
    """One band, one line or one sample: the page's own tags say which."""
    page = series.keyframe
    bands = page.samplesperpixel if page.samplesperpixel > 1 else len(series)
    shape = (page.imagelength, page.imagewidth, bands)
    if math.prod(shape) != math.prod(series.shape):
        raise InputFileError(
            path, f"an array of {size_text(series.shape)}", "one with lines, samples and bands"
        )
    interleaved = page.samplesperpixel > 1 and page.planarconfig == 1
    return _Layout(shape, 2 if interleaved else 0)


def axes_are_known(series: tifffile.TiffPageSeries) -> bool:
    """Whether the axes are the file's word; NumPy arrays saved by tifffile may carry none."""
    if series.kind != "shaped" or "S" in series.axes:
        return True
    description = series.keyframe.shaped_description or ""
    return description.startswith("{") and "axes" in json.loads(description)


def _guess_band_axis(path: Path, shape: tuple[int, ...]) -> int:
    """The axis of the bands in a three-dimensional array saved without names of its axes.

    Of two equal axes and another one, the other: the scene is square. Otherwise the first or the
    last when it is the shortest of all, as scenes have more lines and samples than bands.

    Raises:
        InputFileError: neither rule decides.
    """
    first, middle, last = shape
    if first == middle != last or last < min(first, middle):
        return 2
    if middle == last != first or first < min(middle, last):
        return 0
    raise InputFileError(
        path,
        f"a stack of {size_text(shape)} that does not say which axis holds the bands",
        "named axes",
        f"give {AXES_OPTION} y,x,band or {AXES_OPTION} band,y,x",
    )


def _line_source(
    path: Path, series: tifffile.TiffPageSeries, number: int, layout: _Layout
) -> LineSource:
    page = series.keyframe
    if series.dataoffset is not None:
        dtype = np.dtype(page.parent.byteorder + series.dtype.char)
        return RawLines(
            path,
            offset=series.dataoffset,
            dtype=dtype,
            shape=layout.shape,
            order=_RAW_ORDERS[layout.band_axis],
        )
    if layout.band_axis == 1:
        raise InputFileError(path, "bands between lines and samples", "bands first or last")
    if not can_decode(page):
        name = tifffile.COMPRESSION(page.compression).name
        raise InputFileError(
            path,
            f"a compression that cannot be read here ({name})",
            "a common one, such as deflate, LZW or ZSTD",
            f"convert it: gdal_translate -co COMPRESS=DEFLATE {shlex.quote(str(path))} NEW.tif",
        )
    return DecodedLines(path, layout.shape, layout.band_axis, number)


def _nodata(page: tifffile.TiffPage) -> float | None:
    text = page.tags.valueof(_GDAL_NODATA, "")
    try:
        return float(str(text).strip("\0 "))
    except ValueError:
        return None


def _colours(page: tifffile.TiffPage) -> NDArray[np.uint8] | None:
    if page.colormap is None:
        return None
    return (np.asarray(page.colormap) >> 8).astype(np.uint8).T
