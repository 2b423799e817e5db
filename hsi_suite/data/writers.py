"""Maps and layers written in the format that the file's ending names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..atomic import atomic_file
from ..errors import OutputError, ShapeError
from ..map_endings import MAP_ENDINGS
from .formats.array_choice import size_text
from .formats.envi_writer import classification_fields, header_and_values, write_envi
from .formats.map_styles import side_names
from .formats.tiff_writer import write_layers_tiff, write_map_tiff
from .scene import Georeference

LAYER_ENDINGS = (".tif", ".tiff", ".hdr", ".npy")


def files_of_map(path: Path) -> list[Path]:
    """All files that `write_label_map` writes: an ENVI map is a pair, a TIFF one has sides."""
    sides = side_names(path.name) if path.suffix.lower() in (".tif", ".tiff") else ()
    return [*header_and_values(path), *(path.with_name(name) for name in sides)]


def write_label_map(
    path: Path | str,
    labels: NDArray[np.integer],
    class_names: Sequence[str],
    colours: NDArray[np.uint8],
    georeference: Georeference | None = None,
    valid: NDArray[np.bool_] | None = None,
) -> None:
    """Write a label map as GeoTIFF (.tif), ENVI classification (.hdr), NPY or palette PNG.

    .tif and .hdr hold names, colours and the georeference; .png holds the colours; .npy the
    labels alone.

    Args:
        path: where to; its ending chooses the format.
        labels: lines × samples, 0 = unclassified.
        class_names: names of the labels from 1 on.
        colours: RGB of the labels from 0 on, (classes + 1) × 3, as `class_colours` gives them.
        georeference: None when unknown.
        valid: False where the pixel holds no data and is written as 0; None: all do.

    Raises:
        OutputError: unknown ending, a place that cannot be written, or a format that cannot hold
            so many classes or this georeference.
        ShapeError: the parts do not fit each other.
    """
    path = _checked_target(Path(path), MAP_ENDINGS)
    _check_map(path, labels, class_names, colours, valid)
    stored: NDArray[Any] = labels.astype(np.uint8 if len(class_names) <= 255 else np.uint16)
    if valid is not None:
        stored[~valid] = 0
    ending = path.suffix.lower()
    if ending in {".tif", ".tiff"}:
        write_map_tiff(path, stored, class_names, colours, georeference)
    elif ending == ".hdr":
        fields = classification_fields(class_names, colours)
        write_envi(path, stored[:, :, None], fields, georeference)
    elif ending == ".npy":
        write_npy(path, stored)
    else:
        _write_png(path, stored, colours)


def write_layers(
    path: Path | str,
    layers: NDArray[np.floating[Any]],
    band_names: Sequence[str],
    georeference: Georeference | None = None,
    nodata: float | None = None,
    *,
    double: bool = False,
) -> None:
    """Write layers such as probabilities as GeoTIFF (.tif), ENVI (.hdr) or NPY.

    Args:
        path: where to; its ending chooses the format.
        layers: lines × samples × layers; NaN where a pixel holds no data.
        band_names: one for each layer.
        georeference: None when unknown.
        nodata: written in the place of NaN and named in the file; None: NaN itself.
        double: store float64 instead of float32.

    Raises:
        OutputError: unknown ending, a place that cannot be written, or a format that cannot hold
            this georeference.
        ShapeError: the parts do not fit each other.
    """
    path = _checked_target(Path(path), LAYER_ENDINGS)
    if layers.ndim != 3 or layers.shape[2] != len(band_names) or layers.size == 0:
        raise ShapeError(
            path,
            f"layers of {size_text(layers.shape)} with {len(band_names)} names",
            "lines × samples × layers and a name for each layer",
        )
    kind = np.float64 if double else np.float32
    stored: NDArray[np.floating[Any]] = layers.astype(kind, copy=False)
    missing = np.isnan(stored)
    marker = nodata if nodata is not None else (math.nan if missing.any() else None)
    if nodata is not None and missing.any():
        stored = np.where(missing, stored.dtype.type(nodata), stored)
    ending = path.suffix.lower()
    if ending in {".tif", ".tiff"}:
        write_layers_tiff(path, stored, band_names, georeference, marker)
    elif ending == ".hdr":
        fields: dict[str, object] = {"band names": tuple(band_names)}
        if marker is not None:
            fields["data ignore value"] = f"{marker:.17g}"
        write_envi(path, stored, fields, georeference)
    else:
        write_npy(path, stored)


def _checked_target(path: Path, endings: tuple[str, ...]) -> Path:
    if path.is_dir():
        raise OutputError(path, "this is a folder", "a file name", f"end it in {endings[0]}")
    if path.suffix.lower() not in endings:
        found = f"the ending {path.suffix!r}" if path.suffix else "no ending"
        raise OutputError(path, f"{found} names no known format", f"one of {', '.join(endings)}")
    return path


def _check_map(
    path: Path,
    labels: NDArray[np.integer],
    class_names: Sequence[str],
    colours: NDArray[np.uint8],
    valid: NDArray[np.bool_] | None,
) -> None:
    if labels.ndim != 2 or labels.size == 0 or (valid is not None and valid.shape != labels.shape):
        raise ShapeError(
            path, f"labels of {size_text(labels.shape)}", "lines × samples, as `valid`"
        )
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0 or highest > len(class_names):
        raise ShapeError(
            path, f"labels from {lowest} to {highest}", f"0 to {len(class_names)}, the class names"
        )
    if colours.shape != (len(class_names) + 1, 3):
        raise ShapeError(
            path,
            f"colours of {size_text(colours.shape)}",
            f"{len(class_names) + 1} × 3: unlabelled and {len(class_names)} classes",
        )
    if len(class_names) > np.iinfo(np.uint16).max:
        raise OutputError(path, f"{len(class_names)} classes", "at most 65535")


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """Write an array as NPY, whole or not at all.

    Raises:
        OutputError: the place cannot be written.
    """
    values = np.ascontiguousarray(array)
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        # NumPy's own writing overlooks that the last bytes find no room on a full disk.
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(values))
        file.write(values.data)


def _write_png(path: Path, labels: NDArray[np.unsignedinteger], colours: NDArray[np.uint8]) -> None:
    if labels.dtype != np.uint8:
        raise OutputError(path, "more than 255 classes", "at most 255 in a PNG", "write .tif")
    image = Image.fromarray(np.ascontiguousarray(labels))
    image.putpalette(colours.tobytes())
    with atomic_file(path) as temporary:
        image.save(temporary, format="PNG")
