"""Lines of a compressed, tiled or scattered TIFF image: only the segments that hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ...errors import InputFileError
from ...memory import bytes_of, require_room
from .reading_guard import reading

_WHAT = "a TIFF file"


def can_decode(page: tifffile.TiffPage) -> bool:
    """Whether tifffile, with the codecs of imagecodecs, decodes a page of this compression."""
    try:
        if page.compression != 1:
            tifffile.TIFF.DECOMPRESSORS[page.compression]
        if page.predictor != 1:
            tifffile.TIFF.UNPREDICTORS[page.predictor]
    except KeyError:
        return False
    return True


def stored_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type that values are handed over in: single bits as bytes of 0 and 1."""
    return np.dtype(np.uint8) if dtype == np.bool_ else np.dtype(dtype)


class DecodedLines:
    """Lines decoded strip by strip or tile by tile.

    Args:
        path: the file.
        shape: lines, samples, bands.
        band_axis: 0 when bands are pages or planes, 2 when they are the samples of a pixel or
            the columns of a stack whose pages are lines.
        series_index: which of the file's series of pages holds the image.

    Raises:
        InputFileError: the file is shorter than its segments need.
    """

    def __init__(
        self, path: Path, shape: tuple[int, int, int], band_axis: int, series_index: int
    ) -> None:
        self._path = path
        self._shape = shape
        self._tiff = tifffile.TiffFile(path)
        series = self._tiff.series[series_index]
        self._pages = [page for page in series.pages if page is not None]
        self._key = series.keyframe
        self._dtype = np.dtype(stored_type(series.dtype)).newbyteorder("=")
        self._pages_are_lines = band_axis == 2 and self._key.samplesperpixel == 1 < shape[2]
        self._pages_are_bands = len(self._pages) > 1 and not self._pages_are_lines
        key = self._key
        self._height = key.tilelength if key.is_tiled else key.rowsperstrip
        self._across = -(-key.imagewidth // key.tilewidth) if key.is_tiled else 1
        self._down = -(-key.imagelength // self._height)
        width = key.tilewidth if key.is_tiled else key.imagewidth
        height = self._height if key.is_tiled else min(self._height, key.imagelength)
        together = key.samplesperpixel if key.planarconfig != 2 else 1
        self._segment_bytes = bytes_of((height, width, together), self._dtype)
        if not self._is_complete():
            self._tiff.close()
            raise InputFileError(
                path, "the file ends before its image does", "a complete TIFF file", "copy it again"
            )

    def _is_complete(self) -> bool:
        """Whether there are all pages and segments, each inside the file.

        Segments without data, as GDAL leaves them out, have neither a place nor a size.
        """
        lines, _, bands = self._shape
        pages = lines if self._pages_are_lines else bands if self._pages_are_bands else 1
        planes = self._key.samplesperpixel if self._key.planarconfig == 2 else 1
        size = self._path.stat().st_size
        return len(self._pages) == pages and all(
            len(page.dataoffsets) == len(page.databytecounts) == planes * self._across * self._down
            and all(
                start + count <= size and bool(count) == bool(start)
                for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)
            )
            for page in self._pages
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values in native byte order."""
        return self._dtype

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands."""
        _, samples, bands = self._shape
        with reading(self._path, _WHAT):
            out: NDArray[Any] = np.empty((last_line - first_line, samples, bands), self._dtype)
            if self._pages_are_lines:
                for index in range(first_line, last_line):
                    self._decode(self._pages[index], out[index - first_line][..., None], 0)
            elif self._pages_are_bands:
                for band, page in enumerate(self._pages):
                    self._decode(page, out[:, :, band : band + 1], first_line)
            else:
                self._decode(self._pages[0], out, first_line)
        return out

    def close(self) -> None:
        """Close the file."""
        self._tiff.close()

    def _decode(self, page: Any, out: NDArray[Any], first_row: int) -> None:
        """Fill `out` (rows × columns × samples) with the rows of `page` from `first_row` on."""
        last_row = first_row + out.shape[0]
        tables = self._key.jpegtables
        for index, (start, count) in enumerate(
            zip(page.dataoffsets, page.databytecounts, strict=True)
        ):
            top = index // self._across % self._down * self._height
            if top >= last_row or top + self._height <= first_row:
                continue
            # A strip is decoded whole, however few of its lines are wanted.
            require_room(self._path, self._segment_bytes)
            data = self._segment(start, count)
            block, place, _ = self._key.decode(data, index, jpegtables=tables)
            self._paste(out, block, place, first_row)

    def _segment(self, start: int, count: int) -> bytes | None:
        if count == 0:  # GDAL leaves out segments without data
            return None
        handle = self._tiff.filehandle
        handle.seek(start)
        data: bytes = handle.read(count)
        return data

    def _paste(
        self,
        out: NDArray[Any],
        block: NDArray[Any] | None,
        place: tuple[int, ...],
        first_row: int,
    ) -> None:
        """Copy what `out` needs of a decoded segment; a missing one is filled with nodata."""
        plane, _, top, left, _ = place
        key = self._key
        rows = slice(max(top - first_row, 0), min(top + self._height - first_row, out.shape[0]))
        width = min(key.tilewidth if key.is_tiled else key.imagewidth, out.shape[1] - left)
        bands = slice(plane, plane + 1) if key.planarconfig == 2 else slice(None)
        target = out[rows, left : left + width, bands]
        if block is None:
            target[...] = key.nodata
        else:
            skipped = max(first_row - top, 0)
            target[...] = block[0, skipped : skipped + target.shape[0], :width]
