"""The mask that GDAL keeps in a file of its own beside a raster: NAME.tif.msk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from ...atomic import atomic_file
from ...errors import InputFileError
from .array_axes import ArrayRequest
from .array_choice import size_text
from .cube_file import CubeFile
from .line_masks import BothMasks, SourceMask
from .tiff_files import open_tiff

_GDAL_METADATA = 42112
_ONE_FOR_ALL_BANDS = '<GDALMetadata><Item name="INTERNAL_MASK_FLAGS_1">2</Item></GDALMetadata>'


def with_side_mask(file: CubeFile) -> CubeFile:
    """An open file with the masks that lie beside its files; itself where there are none.

    Raises:
        InputFileError: a mask cannot be read, or is of another size.
    """
    try:
        for mask in dict.fromkeys(map(side_mask_of, file.files)):
            if mask.is_file():
                file = _with_mask(file, mask)
    except BaseException:
        file.close()
        raise
    return file


def side_mask_of(raster: Path) -> Path:
    """Where the mask of a raster lies, by the file that holds its values."""
    return Path(f"{raster}.msk")


def write_side_mask(raster: Path, valid: NDArray[np.bool_]) -> Path:
    """Write the mask of a raster beside it, where GDAL and `with_side_mask` look for it.

    Args:
        raster: the file that holds the values.
        valid: lines × samples, False where there is no data.

    Raises:
        OutputError: the place cannot be written.
    """
    path = side_mask_of(raster)
    with atomic_file(path) as temporary:
        tifffile.imwrite(
            temporary,
            np.where(valid, 255, 0).astype(np.uint8),
            photometric="minisblack",
            compression="zlib",
            metadata=None,
            extratags=[(_GDAL_METADATA, 2, 0, _ONE_FOR_ALL_BANDS, True)],
        )
    return path


def _with_mask(file: CubeFile, path: Path) -> CubeFile:
    found = open_tiff(path, ArrayRequest(), masked=False)
    if found.shape[:2] != file.shape[:2]:
        found.close()
        raise InputFileError(
            path,
            f"a mask of {size_text(found.shape[:2])} pixels",
            f"{size_text(file.shape[:2])} as in {file.path.name}",
            "remove it if it belongs to another file",
        )
    mask = SourceMask(found.source)
    return replace(
        file,
        files=(*file.files, path),
        mask=mask if file.mask is None else BothMasks(file.mask, mask),
    )
