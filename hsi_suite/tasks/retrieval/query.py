"""Searches in an index: by a measured spectrum, a patch, or a pixel of the gallery."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...checksums import hash_file
from ...engine.devices import computing, resolve_device
from ...engine.observer import Observer
from ...errors import RunError
from ...memory import DEFAULT_MEMORY_LIMIT
from ...reports.content import unverified_text
from ...runs.machine import available_threads
from .gallery_index import EMBEDDINGS, GalleryIndex, open_index
from .index import finished_retriever
from .index_header import check_search, model_of
from .query_items import QueryItem, patch_query, pixel_query, spectrum_query
from .query_results import Match, described_matches
from .retriever import Retriever
from .search import Matches, best_matches, similarities
from .search_request import Query
from .sides import SIDES

DEFAULT_TOP = 20
_MOST_NAMES = 8


@dataclass(frozen=True, eq=False)
class QueryResult:
    """What a search found.

    Attributes:
        index: what was searched.
        query: what was looked for.
        matches: the best items, described.
        found: the same as places in the gallery.
        scores: of every item.
        apart: least distance of two matches in pixels, less one.
        threshold: similarity to the best item that 95 % of the validation's queries of known
            classes reach; None where it is not known.
        warnings: what would mislead the user if it were not said.
        remarks: what was made of the query and the search.
        written: files that were written.
    """

    index: GalleryIndex
    query: QueryItem
    matches: list[Match]
    found: Matches
    scores: NDArray[np.float32]
    apart: int
    threshold: float | None
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]
    written: tuple[Path, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """The result in plain types."""
        query = self.query
        return {
            "index": str(self.index.path),
            "gallery": self.index.header.name,
            "synthetic": self.index.header.synthetic,
            "unverified": self.index.header.unverified,
            "query": query.title,
            "query_modality": query.modality,
            "gallery_modality": self.index.header.modality,
            "taken_for": query.taken_for,
            "apart": self.apart,
            "threshold": self.threshold,
            "warnings": list(self.warnings),
            "remarks": list(self.remarks),
            "matches": [asdict(match) for match in self.matches],
            "written": [str(path) for path in self.written],
        }


def query_index(
    path: str | Path,
    query: Query,
    *,
    top: int | None = None,
    apart: int | None = None,
    run: str | Path | None = None,
    memory_limit: float = DEFAULT_MEMORY_LIMIT,
    device: str = "auto",
    threads: int | None = None,
    observer: Observer | None = None,
) -> QueryResult:
    """Search an index.

    Args:
        path: the index's folder.
        query: what is looked for.
        top: number of matches; None for 20, or all of a smaller gallery.
        apart: matches lie more than so many pixels from each other; None for half the window of
            the gallery's modality.
        run: where the run that made the index lies now; None for where it lay then.
        memory_limit: bytes for the whole process, which a picture must keep within.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        observer: reports progress.

    Raises:
        InputFileError: the index or the query cannot be read.
        RunError: the run is gone, or has changed since the index was made.
        ConfigError: the query is none, or not of the run's modalities.
        ShapeError: more matches are wanted than there are items.
    """
    observer, threads = observer or Observer(), threads or available_threads()
    query.check()
    index = open_index(path)
    header = index.header
    check_search(header, query, top)
    where = resolve_device(device)
    with computing(where, threads, deterministic=True):
        retriever = _same_run(index, run, where)
        item = _item(index, query, retriever, observer, memory_limit)
        apart = header.window // 2 if apart is None else apart
        scores = similarities(index.embeddings, item.row, index.path / EMBEDDINGS)
    found = best_matches(
        scores,
        np.asarray(index.positions),
        top or min(DEFAULT_TOP, header.items),
        apart=apart,
        left_out=item.left_out,
    )
    threshold = _threshold(retriever, item, index)
    best = float(found.scores[0]) if len(found.scores) else None
    matches = described_matches(index, found)
    return QueryResult(
        index,
        item,
        matches,
        found,
        scores,
        apart,
        threshold,
        _warnings(best, threshold, index),
        (
            *_labels(matches),
            *item.remarks,
            *_remarks(item, index, found, top, apart, threshold),
        ),
    )


def _same_run(index: GalleryIndex, run: str | Path | None, device: torch.device) -> Retriever:
    """The retriever that made the index.

    Raises:
        RunError: it is gone or another one.
    """
    model = model_of(index.header, run)
    if hash_file(model) != index.header.model:
        raise RunError(
            model.parent,
            "its model is not the one that made the index",
            f"SHA-256 {index.header.model[:12]}…",
            "make the index again with this run",
        )
    return finished_retriever(model.parent, device)


def _item(
    index: GalleryIndex,
    query: Query,
    retriever: Retriever,
    observer: Observer,
    memory_limit: float,
) -> QueryItem:
    if query.spectrum is not None:
        return spectrum_query(
            retriever, query.spectrum, name=query.name, units=query.units, scale=query.scale
        )
    if query.patch is not None:
        return patch_query(
            retriever, query.patch, query.at, observer, memory_limit, resample=query.resample
        )
    assert query.pixel is not None
    return pixel_query(index, *query.pixel)


def _threshold(retriever: Retriever, item: QueryItem, index: GalleryIndex) -> float | None:
    if item.side == index.header.side:
        return None
    direction = retriever.header.directions[SIDES.index(item.side)]
    return (retriever.header.thresholds or {}).get(direction)


def _warnings(best: float | None, threshold: float | None, index: GalleryIndex) -> tuple[str, ...]:
    warnings = []
    if best is not None and threshold is not None and best < threshold:
        warnings.append(
            f"the best similarity, {best:.3f}, is below {threshold:.3f}, which 95 % of the "
            "validation's queries of known classes reach: either the gallery holds nothing like "
            "the query, or the run has never learnt anything like it"
        )
    if index.header.synthetic:
        warnings.append("the run or the gallery is of synthetic data")
    if index.header.unverified:
        warnings.append(unverified_text(index.header.unverified).removesuffix("."))
    return tuple(warnings)


def _labels(matches: list[Match]) -> list[str]:
    """Which labels the matches bear, where the gallery has labels."""
    names = Counter(match.label for match in matches if match.label is not None)
    if not names:
        return []
    counted = ", ".join(f"{count} {name}" for name, count in names.most_common(_MOST_NAMES))
    rest = len(names) - _MOST_NAMES
    more = f" and {rest} other labels" if rest > 0 else ""
    return [f"labels of the {len(matches)} best matches: {counted}{more}"]


def _remarks(
    item: QueryItem,
    index: GalleryIndex,
    found: Matches,
    top: int | None,
    apart: int,
    threshold: float | None,
) -> list[str]:
    remarks = []
    if item.taken_for is not None:
        remarks.append(f"of the classes it learnt, the run takes the query for {item.taken_for}")
    if apart:
        remarks.append(
            f"of items within {apart} pixels of each other only the best counts as a match"
        )
    if top is not None and len(found.items) < top:
        remarks.append(
            f"{len(found.items)} of {top} matches are shown: no more lie so far apart; "
            "lower --apart for more"
        )
    if threshold is None and item.side != index.header.side:
        remarks.append(
            "the run has no validation, so it is unknown which similarity is low: an unknown "
            "material may look like a known one"
        )
    return remarks
