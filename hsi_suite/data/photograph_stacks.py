"""TIFF files of several pictures: frames in time, slices in depth, pages of a document."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from ..errors import InputFileError
from ..memory import bytes_of, require_room
from .formats.plain_tiff import PlainTiff, is_tiff, page_picture
from .formats.reading_guard import reading
from .formats.tiff_directories import check_segments, check_tiff_directories
from .formats.tiff_files import PAGE_AXES, axes_are_known
from .photographs import Photograph, PhotographHeader, divided, require_numbers

Stacking = Literal["auto", "pages", "bands"]
_WHAT = "a TIFF file of several pictures"
# Tags that say how pixels lie in the file, which the writer says anew, and links to other places.
_STRUCTURE = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 270, 273, 277, 278, 279, 282, 283),
    *(284, 288, 289, 292, 293, 296, 317, 318, 319, 320, 322, 323, 324, 325, 330, 332, 333, 334),
    *(338, 339, 347, 512, 513, 514, 515, 519, 520, 521, 529, 530, 531, 532, 32997, 34665, 34853),
    40965,
}
# A page as it is decoded, and in the type of the photograph.
_COPIES = 2
_PROFILE = 34675
_DOCUMENTS = (tifffile.PHOTOMETRIC.MINISWHITE, tifffile.PHOTOMETRIC.PALETTE)
_OME_TYPE = re.compile(rb'(<Pixels\b[^>]*\bType=")[^"]*')
_DESCRIPTION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 270, 282, 283, 296


@dataclass(frozen=True)
class StackKind:
    """What the pictures of a TIFF file are to each other.

    Attributes:
        pages: how many there are.
        axes: the file's own letters for the axes (T time, Z depth, C channel …), "" for none.
        separate: whether each picture stands for itself, so that they are no bands.
    """

    pages: int
    axes: str
    separate: bool


def stack_kind(path: Path) -> StackKind | None:
    """How a TIFF file's pictures belong together; None for one picture, and what is no TIFF.

    Raises:
        InputFileError: it is damaged.
    """
    if not path.is_file() or not is_tiff(path):
        return None
    with reading(path, _WHAT):
        check_tiff_directories(path)
    with reading(path, _WHAT), tifffile.TiffFile(path) as file:
        if file.pages.first.imagedepth > 1:
            return None
        series = _pictures(file)
        pages = sum(_planes(each) for each in series)
        if pages < 2:
            return None
        if len(series) > 1:
            return StackKind(pages, "", separate=True)
        [only] = series
        axes = "".join(a for a, n in zip(only.axes, only.shape, strict=True) if n > 1 or a in "YX")
        known = axes_are_known(only) and not set(axes) & set("IQ")
        page = only.keyframe
        # Bands are neither black on white nor numbers of colours nor of one bit.
        document = page.photometric in _DOCUMENTS or page.bitspersample == 1
        separate = "S" in axes or document or (known and bool(set(axes) & set(PAGE_AXES)))
        return StackKind(pages, axes if known else "", separate)


class Stack:
    """The pictures of an open TIFF file, one by one, in the order of their pages.

    Raises:
        InputFileError: a picture is of a kind that photographs cannot have.
    """

    def __init__(self, path: Path, file: tifffile.TiffFile) -> None:
        self.path = path
        self._file = file
        self._series = _pictures(file)
        pages = [page for page in file.pages if not _is_aside(page)]
        # ImageJ keeps large stacks as one page and the rest behind it.
        self._hidden = len(pages) == 1
        self._pages = [page.aspage() for page in pages]
        self.count = _planes(self._series[0]) if self._hidden else len(pages)
        self._kinds = [_kind(path, page) for page in self._pages]

    @property
    def header(self) -> PhotographHeader:
        """Of the largest picture; with transparency where any has some."""
        largest = max(self._kinds, key=lambda kind: kind.lines * kind.samples)
        alpha = any(kind.alpha for kind in self._kinds)
        return replace(_header_of(largest), alpha=alpha, pages=self.count)

    def read(self, index: int) -> Photograph:
        """Picture `index`; what belongs to the file stays with `StackWriter`."""
        place = 0 if self._hidden else index
        page, kind = self._pages[place], self._kinds[place]
        shape = (kind.lines, kind.samples, kind.channels + kind.alpha)
        require_room(self.path, bytes_of(shape, np.dtype(page.dtype), _COPIES))
        with reading(self.path, _WHAT):
            if not self._hidden:
                check_segments(page)
            values = self._hidden_values(index) if self._hidden else page.asarray()
            values = kind.converted(page, values)
        require_numbers(self.path, values, f"page {index + 1} ")
        plain = divided(values, None, None, None)
        return replace(plain, white=kind.white, remark=kind.remark)

    def _hidden_values(self, index: int) -> NDArray[Any]:
        series, page = self._series[0], self._pages[0]
        if series.dataoffset is None:
            raise InputFileError(self.path, "packs several pictures in one page", "a page for each")
        dtype = np.dtype(page.dtype).newbyteorder(self._file.byteorder)
        size = math.prod(page.shape)
        self._file.filehandle.seek(series.dataoffset + index * size * dtype.itemsize)
        values = np.frombuffer(self._file.filehandle.read(size * dtype.itemsize), dtype)
        return values.reshape(page.shape)

    def writer(self, path: Path) -> StackWriter:
        """What writes as many pictures with the notes of these into a new file."""
        return StackWriter(path, self._file, self._pages, self._kinds)


class StackWriter:
    """Pictures written with resolution, description and private tags of another file's pages.

    Args:
        path: the file to write.
        source: the other file, opened.
        pages: its pages, of which the last serves all that follow.
        kinds: what each is.
    """

    def __init__(
        self,
        path: Path,
        source: tifffile.TiffFile,
        pages: list[tifffile.TiffPage],
        kinds: list[PlainTiff],
    ) -> None:
        self._source, self._pages, self._kinds, self._written = source, pages, kinds, 0
        self._packed = not source.is_imagej  # ImageJ itself reads no compressed hyperstack
        self._writer = tifffile.TiffWriter(
            path, bigtiff=source.is_bigtiff, byteorder=source.byteorder
        )

    def write(self, photograph: Photograph) -> None:
        """Add a picture."""
        index = min(self._written, len(self._pages) - 1)
        page, kind = self._pages[index], self._kinds[index]
        first = index == self._written
        values, colours = photograph.values, photograph.values.ndim == 3
        options: dict[str, Any] = {}
        if photograph.alpha is not None:
            values = np.dstack([values, photograph.alpha])
            options["extrasamples"] = [int(page.extrasamples[-1])]
        if values.ndim == 3:
            options["planarconfig"] = "contig"
        if first and _DESCRIPTION in page.tags:
            options["description"] = self._description(page, kind)
        if (resolution := _resolution(page)) is not None:
            options |= {"resolution": resolution, "resolutionunit": _unit(page)}
        left = _STRUCTURE if kind.icc_profile is not None else {*_STRUCTURE, _PROFILE}
        tags = [] if not first else [t for t in page.tags if t.code not in left]
        self._writer.write(
            values,
            photometric="rgb" if colours else "minisblack",
            compression="zlib" if self._packed else None,
            extratags=[(t.code, int(t.dtype), t.count, self._raw(t), True) for t in tags],
            metadata=None,
            software=False,
            contiguous=False,
            **options,
        )
        self._written += 1

    def _description(self, page: tifffile.TiffPage, kind: PlainTiff) -> bytes:
        text = self._raw(page.tags[_DESCRIPTION]).rstrip(b"\0")
        changed = kind.dtype.kind == "f" and page.dtype is not None and page.dtype != kind.dtype
        return _OME_TYPE.sub(rb"\1float", text) if changed and self._source.is_ome else text

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()

    def _raw(self, tag: tifffile.TiffTag) -> bytes:
        handle = self._source.filehandle
        handle.seek(tag.valueoffset)
        content: bytes = handle.read(tag.valuebytecount)
        return content


@contextmanager
def open_stack(path: Path) -> Iterator[Stack]:
    """Open a TIFF file of several pictures.

    Raises:
        InputFileError: it is damaged, or a picture is of a kind that photographs cannot have.
    """
    with reading(path, _WHAT):
        check_tiff_directories(path)
        file = tifffile.TiffFile(path)
    with file:
        with reading(path, _WHAT):
            stack = Stack(path, file)
        yield stack


def _pictures(file: tifffile.TiffFile) -> list[tifffile.TiffPageSeries]:
    return [series for series in file.series if not _is_aside(series.keyframe)]


def _is_aside(page: Any) -> bool:
    """Whether a page is an overview or a mask of another one."""
    return bool(getattr(page, "is_reduced", False) or getattr(page, "is_mask", False))


def _planes(series: tifffile.TiffPageSeries) -> int:
    return math.prod(series.shape) // max(math.prod(series.keyframe.shape), 1)


def _kind(path: Path, page: tifffile.TiffPage) -> PlainTiff:
    """What a page is, or which page it is that cannot be one."""
    try:
        return page_picture(path, page)
    except InputFileError as error:
        raise InputFileError(
            path, f"page {page.index + 1} {error.found}", error.expected, error.remedy
        ) from None


def _header_of(kind: PlainTiff) -> PhotographHeader:
    return PhotographHeader(
        kind.lines, kind.samples, kind.channels, kind.dtype, kind.alpha, white=kind.white
    )


def _resolution(page: tifffile.TiffPage) -> tuple[Any, Any] | None:
    found = [page.tags.valueof(code) for code in (_X_RESOLUTION, _Y_RESOLUTION)]
    fine = all(isinstance(each, tuple) and len(each) == 2 and all(each) for each in found)
    return (found[0], found[1]) if fine else None


def _unit(page: tifffile.TiffPage) -> int:
    unit = page.tags.valueof(_RESOLUTION_UNIT, 2)
    return int(unit) if unit in (1, 2, 3) else 1
