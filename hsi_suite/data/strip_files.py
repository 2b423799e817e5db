"""Rasters that are written strip by strip, in the format that their file's ending names.

The file has its final size from the start and its values lie uncompressed behind one another, so
that a strip is a write at its place, and what was written before an interruption stays good.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import OutputError
from .formats.envi_writer import classification_fields, describe_envi
from .formats.map_styles import side_names, write_map_sides
from .formats.tiff_writer import start_cube_tiff, start_map_tiff
from .scene import Georeference


@dataclass(frozen=True)
class StripFile:
    """A raster of which some lines have been written.

    Attributes:
        names: names of its files inside their folder; the last one holds the values.
        shape: lines, samples, bands.
        dtype: type of the values as stored, as NumPy's text.
        offset: where the values start, in bytes.
        by_line: whether a line is stored band after band, instead of pixel after pixel.
    """

    names: tuple[str, ...]
    shape: tuple[int, int, int]
    dtype: str
    offset: int
    by_line: bool

    def write(self, folder: Path, first_line: int, strip: NDArray[Any]) -> None:
        """Write lines × samples × bands from a line on, down to the disk.

        Raises:
            OutputError: there is no space, or the file is gone.
        """
        _, samples, bands = self.shape
        stored = np.dtype(self.dtype)
        values = strip.transpose(0, 2, 1) if self.by_line else strip
        path = folder / self.names[-1]
        try:
            with path.open("r+b") as file:
                file.seek(self.offset + first_line * samples * bands * stored.itemsize)
                file.write(np.ascontiguousarray(values, dtype=stored).data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _unwritable(path, error) from error

    def read(self, folder: Path, first_line: int, last_line: int) -> NDArray[Any]:
        """What was written of some lines, lines × samples × bands.

        Args:
            folder: where the file is.
            first_line: the first line.
            last_line: the line after the last one.

        Raises:
            OutputError: the file is gone or cut.
        """
        _, samples, bands = self.shape
        stored, lines = np.dtype(self.dtype), last_line - first_line
        path = folder / self.names[-1]
        try:
            with path.open("rb") as file:
                file.seek(self.offset + first_line * samples * bands * stored.itemsize)
                data = file.read(lines * samples * bands * stored.itemsize)
            values = np.frombuffer(data, stored).reshape(
                (lines, bands, samples) if self.by_line else (lines, samples, bands)
            )
        except (OSError, ValueError) as error:
            raise OutputError(
                path, "cannot be read again", "what was written", "remove it and begin anew"
            ) from error
        return values.transpose(0, 2, 1) if self.by_line else values


def start_map(
    folder: Path,
    target: Path,
    shape: tuple[int, int],
    class_names: Sequence[str],
    colours: NDArray[np.uint8],
    georeference: Georeference | None,
    remark: str | None = None,
) -> StripFile:
    """A label map, all 0, as `data.writers.write_label_map` would write it uncompressed.

    Args:
        folder: where the file is made, under the target's name.
        target: .tif, .hdr or .npy, where it will lie; for messages.
        shape: lines, samples.
        class_names: names of the labels from 1 on.
        colours: RGB of the labels from 0 on, (classes + 1) × 3.
        georeference: None when unknown.
        remark: what .tif and .hdr say of the file beside that.

    Raises:
        OutputError: the file cannot be written, or its format cannot hold the georeference.
    """
    file = folder / target.name
    dtype = np.dtype("u1" if len(class_names) <= 255 else "<u2")
    ending = target.suffix.lower()
    size = (*shape, 1)
    try:
        if ending == ".hdr":
            fields = _described(remark) | classification_fields(class_names, colours)
            return _start_envi(file, target, size, dtype, fields, georeference)
        if ending == ".npy":
            return _start_npy(file, shape, size, dtype)
        place = start_map_tiff(
            file, target, shape, dtype, class_names, colours, georeference, remark
        )
        write_map_sides(file, class_names, colours)
    except OSError as error:
        raise _unwritable(target, error) from error
    return StripFile((*side_names(file.name), file.name), size, dtype.str, place, by_line=False)


def start_layers(
    folder: Path,
    target: Path,
    shape: tuple[int, int, int],
    band_names: Sequence[str],
    georeference: Georeference | None,
    remark: str | None = None,
) -> StripFile:
    """Layers of float32 with NaN where there is no data, all 0; see `start_map`.

    Args:
        folder: where the file is made, under the target's name.
        target: .tif, .hdr or .npy, where it will lie; for messages.
        shape: lines, samples, layers.
        band_names: one for each layer.
        georeference: None when unknown.
        remark: what .tif and .hdr say of the file beside that.

    Raises:
        OutputError: the file cannot be written, or its format cannot hold the georeference.
    """
    file = folder / target.name
    dtype = np.dtype("<f4")
    ending = target.suffix.lower()
    try:
        if ending == ".hdr":
            layer_fields: dict[str, object] = _described(remark) | {
                "band names": tuple(band_names),
                "data ignore value": "nan",
            }
            return _start_envi(file, target, shape, dtype, layer_fields, georeference)
        if ending == ".npy":
            return _start_npy(file, shape, shape, dtype)
        place = start_cube_tiff(
            file,
            target,
            shape,
            dtype,
            band_names,
            None,
            georeference,
            math.nan,
            remark=remark,
        )
    except OSError as error:
        raise _unwritable(target, error) from error
    return StripFile((file.name,), shape, dtype.str, place, by_line=False)


def _described(remark: str | None) -> dict[str, object]:
    return {} if remark is None else {"description": (remark,)}


def _start_envi(
    file: Path,
    target: Path,
    shape: tuple[int, int, int],
    dtype: np.dtype[Any],
    fields: dict[str, object],
    georeference: Georeference | None,
) -> StripFile:
    text = describe_envi(target, shape, dtype, "bil", fields, georeference)
    file.write_text(text, encoding="utf-8", newline="\n")
    values = file.with_suffix(".img")
    with values.open("wb") as data:
        data.truncate(math.prod(shape) * dtype.itemsize)
    return StripFile((file.name, values.name), shape, dtype.str, 0, by_line=True)


def _start_npy(
    file: Path, shape: tuple[int, ...], size: tuple[int, int, int], dtype: np.dtype[Any]
) -> StripFile:
    with file.open("wb") as data:
        header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(data, header)
        offset = data.tell()
        data.truncate(offset + math.prod(shape) * dtype.itemsize)
    return StripFile((file.name,), size, dtype.str, offset, by_line=False)


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        path, f"cannot be written ({error.strerror})", "a writable place with free space"
    )
