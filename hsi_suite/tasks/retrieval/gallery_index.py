"""A searchable gallery on disk: rows of the common space, where they come from, and a picture.

An index is one folder. `index.json` says what it is; beside it lie NumPy arrays that are mapped
into memory, never unpickled: `embeddings.npy` (items × dimensions, rows of length 1),
`positions.npy` (items × line and sample), `picture.npy` (lines × samples × 3), `labels.npy` where
the gallery has labels and `spectra.npy` (items × bands) where it has spectra.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.formats.reading_guard import reading
from ...errors import InputFileError
from ...scratch import sweep
from .index_header import IndexHeader, read_header
from .search_request import AN_INDEX

EMBEDDINGS, POSITIONS, PICTURE = "embeddings.npy", "positions.npy", "picture.npy"
LABELS, SPECTRA = "labels.npy", "spectra.npy"
_AGAIN = "make the index again"


@dataclass(frozen=True, eq=False)
class GalleryIndex:
    """An index with its arrays, which lie on disk and are read where they are looked at.

    Attributes:
        path: its folder.
        header: what it is.
        embeddings: items × dimensions, float32, rows of length 1.
        positions: items × 2, line and sample, counted from 0, in the order of lines.
        picture: lines × samples × 3, uint8: the gallery in colours.
        labels: of each item, 0 = unlabelled; None where the gallery has none.
        spectra: items × bands, in the gallery's type; None where it is a picture.
    """

    path: Path
    header: IndexHeader
    embeddings: NDArray[np.float32]
    positions: NDArray[np.int32]
    picture: NDArray[np.uint8]
    labels: NDArray[np.uint16] | None
    spectra: NDArray[Any] | None


def open_index(path: Path | str) -> GalleryIndex:
    """The index in a folder.

    Raises:
        InputFileError: it is none, of another format version, empty, unfinished or damaged.
    """
    path = Path(path)
    header = read_header(path)
    if header.items < 1:
        raise InputFileError(path, "the gallery has no items", "at least one", _AGAIN)
    count = header.items
    labels = spectra = None
    if header.class_names:
        labels = _array(path / LABELS, (count,), "u2")
    if (path / SPECTRA).is_file():
        spectra = _array(path / SPECTRA, (count, header.bands), None)
    index = GalleryIndex(
        path,
        header,
        _array(path / EMBEDDINGS, (count, header.dimensions), "f4"),
        _array(path / POSITIONS, (count, 2), "i4"),
        _array(path / PICTURE, (header.lines, header.samples, 3), "u1"),
        labels,
        spectra,
    )
    low, high = index.positions.min(0), index.positions.max(0)
    if (low < 0).any() or (high >= (header.lines, header.samples)).any():
        raise InputFileError(path / POSITIONS, "names pixels outside the gallery", AN_INDEX, _AGAIN)
    if labels is not None and int(labels.max()) > len(header.class_names):
        raise InputFileError(path / LABELS, "holds labels without a name", AN_INDEX, _AGAIN)
    return index


def tidy_index(path: Path) -> None:
    """Remove what belongs to the making of a finished index and not to it."""
    sweep(path)
    (path / "progress.json").unlink(missing_ok=True)


def _array(path: Path, shape: tuple[int, ...], dtype: str | None) -> NDArray[Any]:
    if not path.is_file():
        raise InputFileError(path, "is missing", AN_INDEX, _AGAIN)
    with reading(path, "an array of an index"):
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    fitting = array.dtype.kind in "iuf" if dtype is None else array.dtype == np.dtype(dtype)
    if array.shape != shape or not fitting:
        found = " × ".join(map(str, array.shape))
        wanted = " × ".join(map(str, shape))
        raise InputFileError(
            path, f"holds {found} {array.dtype}", f"{wanted} {dtype or 'numbers'}", _AGAIN
        )
    return array
