"""What an index says of itself (`index.json`), read without what computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...data.scene import Georeference
from ...errors import ConfigError, InputFileError, RunError, ShapeError
from ...guard import parsing
from ...models.stored_header import header_from
from ...runs.folder import MODEL
from ...user_files import read_json
from .search_request import AN_INDEX, Query, require_index
from .sides import Side

FORMAT = "hsi_suite retrieval index 1"
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


def check_search(header: IndexHeader, query: Query, top: int | None) -> None:
    """Refuse a search that cannot be made in an index.

    Args:
        header: of the index.
        query: what is looked for.
        top: number of matches; None for the usual one.

    Raises:
        ConfigError: a pixel outside the gallery.
        ShapeError: more matches than there are items.
    """
    if top is not None and not 1 <= top <= header.items:
        raise ShapeError("--top", f"{top}", f"1 to {header.items:,}, the items of the gallery")
    if query.pixel is None:
        return
    line, sample = query.pixel
    if not (0 <= line < header.lines and 0 <= sample < header.samples):
        raise ConfigError(
            "--pixel",
            f"line {line}, sample {sample}",
            f"0 to {header.lines - 1}, 0 to {header.samples - 1}: lines and samples from 0",
        )


def model_of(header: IndexHeader, run: str | Path | None) -> Path:
    """The model file of the run that made an index, or lies elsewhere now.

    Raises:
        RunError: it is not there.
    """
    place = Path(run if run is not None else header.run)
    if not (place / MODEL).is_file():
        raise RunError(
            place,
            "the run that made the index is not there",
            f"{MODEL} of SHA-256 {header.model[:12]}…",
            "say where it is with --run, or make the index again",
        )
    return place / MODEL
