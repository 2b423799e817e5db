"""What a search found, made into numbers for people: places, maps, tiles, projections."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...data.formats.georeferencing import is_geographic, simple_epsg
from ...data.scene import Georeference
from ...printable import plain
from ...reports.retrieval.query_figures import CommonSpace, Tile, similarity_text
from ...reports.retrieval.score_map import ScaleBar
from .gallery_index import GalleryIndex
from .gallery_pictures import surroundings, tile_reach
from .query_items import QueryItem
from .search import Matches

_POINTS = 3000
_BAR_SHARE = 0.25


@dataclass(frozen=True)
class Match:
    """One item found.

    Attributes:
        rank: from 1 on.
        line: from 0.
        sample: from 0.
        score: cosine similarity to the query.
        x: of the pixel's middle, in units of the gallery's reference system; None without one.
        y: as x.
        label: name of the class in the gallery's label map; None where it has none.
    """

    rank: int
    line: int
    sample: int
    score: float
    x: float | None
    y: float | None
    label: str | None


def described_matches(index: GalleryIndex, matches: Matches) -> list[Match]:
    """Where the matches lie and what is known of them."""
    found = []
    place, names = index.header.place, index.header.class_names
    for rank, (item, score) in enumerate(zip(matches.items, matches.scores, strict=True), 1):
        line, sample = (int(value) for value in index.positions[item])
        x, y = (None, None) if place is None else _on_map(place, line, sample)
        label = None
        if index.labels is not None:
            number = int(index.labels[item])
            label = names[number - 1] if number else "unlabelled"
        found.append(Match(rank, line, sample, float(score), x, y, label))
    return found


def score_map(
    index: GalleryIndex, scores: NDArray[np.float32]
) -> tuple[NDArray[np.float32], Georeference | None]:
    """The similarity of every item as a raster, one pixel for each step of the gallery.

    Returns:
        Lines × samples, NaN where there is no item, and where it lies.
    """
    header, step = index.header, index.header.step
    size = (-(-header.lines // step), -(-header.samples // step))
    raster = np.full(size, np.nan, np.float32)
    lines, samples = np.asarray(index.positions).T
    raster[lines // step, samples // step] = scores
    place = header.place
    if place is None or step == 1:
        return raster, place
    a, b, c, d, e, f = place.transform
    # An item is the middle of its pixel, which is `step` pixels of the gallery wide.
    off = 0.5 - step / 2
    moved = (a * step, b * step, c + (a + b) * off, d * step, e * step, f + (d + e) * off)
    return raster, Georeference(place.crs, moved)


def scale_bar(index: GalleryIndex) -> ScaleBar:
    """A round length of about a quarter of the gallery's width, in metres where they are known."""
    header, place = index.header, index.header.place
    epsg = None if place is None else simple_epsg(place.crs)
    if place is None or epsg is None or is_geographic(epsg):
        length = _round(header.samples * _BAR_SHARE)
        return ScaleBar(length, f"{length:g} pixels")
    metres = math.hypot(place.transform[0], place.transform[3])
    length = _round(header.samples * _BAR_SHARE * metres)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    return ScaleBar(length / metres, text)


def tiles(index: GalleryIndex, query: QueryItem, matches: Sequence[Match]) -> list[Tile]:
    """The surroundings of the query, where it has such, and of each match."""
    window = index.header.window
    reach = tile_reach(window)
    box = (reach - window // 2 - 0.5,) * 2 + (window,) * 2
    made = []
    if query.patch is not None:
        # The query may be of another window than the gallery.
        middle = query.patch.shape[0] // 2 - window // 2 - 0.5
        made.append(Tile(query.patch, (middle, middle, window, window), "the query"))
    for match in matches:
        place = f"line {match.line}, sample {match.sample}"
        caption = f"{match.rank}: {similarity_text(match.score)}\n{place}"
        if match.label is not None:
            name = plain(match.label)
            caption += f"\n{name if len(name) <= 22 else name[:21] + '…'}"
        image = surroundings(index.picture, match.line, match.sample, reach)
        made.append(Tile(image, box, caption))
    return made


def common_space(
    index: GalleryIndex, query: QueryItem, matches: Matches, scores: NDArray[np.float32]
) -> CommonSpace:
    """Rows spread over the gallery, the matches and the query, on the rows' principal axes."""
    step = math.ceil(index.header.items / _POINTS)
    rows = np.asarray(index.embeddings[::step], np.float64)
    mean = rows.mean(0)
    variances, axes = np.linalg.eigh(np.cov(rows.T) if len(rows) > 1 else np.eye(rows.shape[1]))
    # The sign of an axis is a matter of rounding: the largest part is made positive.
    plane = axes[:, ::-1][:, :2]
    plane = plane * np.sign(plane[np.abs(plane).argmax(0), np.arange(plane.shape[1])])
    total = float(variances.sum())
    share = float(variances[::-1][:2].sum()) / total if total > 0 else 1.0
    return CommonSpace(
        points=(rows - mean) @ plane,
        labels=None if index.labels is None else np.asarray(index.labels[::step]),
        class_names=index.header.class_names,
        scores=scores[::step],
        matches=(np.asarray(index.embeddings[matches.items], np.float64) - mean) @ plane,
        query=(query.row.astype(np.float64) - mean) @ plane,
        share=share,
    )


def matched_spectra(
    index: GalleryIndex, query: QueryItem, matches: Matches
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The query's spectrum at the level of the matches' mean, and their spectra.

    Returns:
        Bands (empty where the query has none in these bands), and matches × bands; None where the
        gallery has no spectra.
    """
    if index.spectra is None:
        return None
    spectra = np.asarray(index.spectra[matches.items], np.float64)
    values = query.spectrum
    if query.left_out is not None:
        there = (np.asarray(index.positions) == np.array(query.left_out)).all(1)
        values = np.asarray(index.spectra[int(there.argmax())], np.float64)
    if values is None or values.shape != (index.header.bands,):
        return np.empty(0), spectra
    known = ~np.isnan(values)
    squares = float(np.square(values[known]).sum())
    if query.left_out is None and squares > 0:
        values = values * float(values[known] @ spectra.mean(0)[known]) / squares
    return values, spectra


def _on_map(place: Georeference, line: int, sample: int) -> tuple[float, float]:
    a, b, c, d, e, f = place.transform
    column, row = sample + 0.5, line + 0.5
    return a * column + b * row + c, d * column + e * row + f


def _round(length: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is no longer; at least 1."""
    power = 10.0 ** math.floor(math.log10(max(length, 1.0)))
    return max(part * power for part in (1, 2, 5) if part * power <= max(length, 1.0))
