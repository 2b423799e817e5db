"""A searchable gallery on disk: rows of the common space, where they come from, and a picture.

An index is one folder. `index.json` says what it is; beside it lie NumPy arrays that are mapped
into memory, never unpickled: `embeddings.npy` (items × dimensions, rows of length 1),
`positions.npy` (items × line and sample), `picture.npy` (lines × samples × 3), `labels.npy` where
the gallery has labels and `spectra.npy` (items × bands) where it has spectra.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.formats.reading_guard import reading
from ...data.scene import Georeference
from ...errors import InputFileError
from ...guard import parsing
from ...models.stored_model import header_from
from ...scratch import sweep
from ...user_files import read_json
from .retriever import Side
from .search_request import AN_INDEX, require_index

FORMAT = "hsi_suite retrieval index 1"
EMBEDDINGS, POSITIONS, PICTURE = "embeddings.npy", "positions.npy", "picture.npy"
LABELS, SPECTRA = "labels.npy", "spectra.npy"
_AGAIN = "make the index again"


@dataclass(frozen=True)
class IndexHeader:
    """What an index is.

    Attributes:
        run: place of the run that made it, resolved.
        model: SHA-256 of the run's model file.
        side: which of the run's modalities the gallery was seen in.
        modality: its name.
        window: side of its windows in pixels; 1 for spectra.
        name: of the gallery.
        provenance: what the gallery was read from, with SHA-256 by file name.
        lines: of the gallery.
        samples: of the gallery.
        bands: of the gallery.
        step: every so manieth line and sample is an item.
        items: number of items.
        missing: pixels of the grid that hold no data and are no items.
        dimensions: of the common space.
        wavelengths: of the gallery's bands in nm; None when unknown.
        georeference: crs, transform and map_info; None when unknown.
        class_names: of its labels from 1 on; empty where it has none.
        synthetic: whether it was generated.
        identity: what the index was made of and how, to recognise the same call.
        versions: of the software that made it.
        unverified: files of the run's and the gallery's data that no published checksum vouches
            for.
    """

    run: str
    model: str
    side: Side
    modality: str
    window: int
    name: str
    provenance: dict[str, Any]
    lines: int
    samples: int
    bands: int
    step: int
    items: int
    missing: int
    dimensions: int
    wavelengths: list[float] | None
    georeference: dict[str, Any] | None
    class_names: list[str]
    synthetic: bool
    identity: dict[str, Any]
    versions: dict[str, str]
    unverified: list[str] = field(default_factory=list)

    @property
    def place(self) -> Georeference | None:
        """The georeference as an object."""
        if self.georeference is None:
            return None
        info = self.georeference["map_info"]
        a, b, c, d, e, f = map(float, self.georeference["transform"])
        crs = self.georeference["crs"]
        return Georeference(crs, (a, b, c, d, e, f), None if info is None else tuple(info))


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


def read_header(path: Path) -> IndexHeader:
    """What the index in a folder is, without its arrays.

    Raises:
        InputFileError: there is no index, or one of another format version.
    """
    place = require_index(path)
    content = read_json(place, AN_INDEX, _AGAIN)
    kind = content.get("format")
    if kind != FORMAT:
        found = f"is of the format {kind!r}" if kind is not None else "names no format"
        raise InputFileError(place, found, f"{FORMAT!r}", _AGAIN)
    with parsing(place, AN_INDEX, _AGAIN, found="is damaged"):
        return _header(content)


def _header(content: Mapping[str, Any]) -> IndexHeader:
    header = header_from(IndexHeader, {k: v for k, v in content.items() if k != "format"})
    counts = ("lines", "samples", "bands", "step", "dimensions", "window")
    for name in (*counts, "items", "missing"):
        value = getattr(header, name)
        if type(value) is not int or value < (1 if name in counts else 0):
            raise ValueError(f"{name} = {value!r}")
    if header.wavelengths is not None and len(header.wavelengths) != header.bands:
        raise ValueError("wavelengths")
    assert header.place is None or header.place.transform
    return header


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
