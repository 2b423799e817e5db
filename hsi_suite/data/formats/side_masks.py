"""The mask that GDAL keeps in a file of its own beside a raster: NAME.tif.msk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...errors import InputFileError
from .array_axes import ArrayRequest
from .array_choice import size_text
from .cube_file import CubeFile
from .line_masks import BothMasks, SourceMask
from .tiff_files import open_tiff


def with_side_mask(file: CubeFile) -> CubeFile:
    """An open file with the masks that lie beside its files; itself where there are none.

    Raises:
        InputFileError: a mask cannot be read, or is of another size.
    """
    try:
        for mask in dict.fromkeys(Path(f"{path}.msk") for path in file.files):
            if mask.is_file():
                file = _with_mask(file, mask)
    except BaseException:
        file.close()
        raise
    return file


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
