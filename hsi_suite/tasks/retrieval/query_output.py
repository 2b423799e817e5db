"""The folder of a search: score map, contact sheet, table and page."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...atomic import atomic_folder, write_json, write_text
from ...data.scene import Georeference
from ...data.writers import write_layers
from ...errors import FormatLimitError
from ...reports.document import Column, Remark, Table, Value
from ...reports.drawing import save_png
from ...reports.html import html_page
from ...reports.languages.speaking import speaking
from ...reports.retrieval.query_figures import (
    common_space_figure,
    contact_sheet_figure,
    query_spectra_figure,
    similarity_text,
)
from ...reports.retrieval.query_page import RetrievalQueryReport, retrieval_query_page
from ...reports.retrieval.score_map import score_map_figure
from ...runs.folder import csv_text
from .query import QueryResult
from .query_places import MAP_FORMATS, MAP_PICTURE, REPORT, SHEET, check_output
from .query_results import common_space, matched_spectra, scale_bar, score_map, tiles

_MOST_TILES = 50


def write_query(
    result: QueryResult, output: str | Path, command: Sequence[str], *, overwrite: bool = False
) -> QueryResult:
    """Write what a search found into a new folder, whole or not at all.

    Args:
        result: what was found.
        output: the folder.
        command: what makes the search again.
        overwrite: whether the results of another search may be replaced.

    Returns:
        The same result, which knows its files.

    Raises:
        OutputError: the folder exists already or cannot be written.
    """
    output = Path(output)
    check_output(output, overwrite=overwrite)
    index, header = result.index, result.index.header
    raster, place = score_map(index, result.scores)
    title = f"{result.query.title} in {header.name}"
    shown = result.matches[:_MOST_TILES]
    places = np.array([[match.line, match.sample] for match in result.matches]).reshape(-1, 2)
    picture = score_map_figure(
        raster, np.asarray(index.picture), places, scale_bar(index), title, header.step
    )
    sheet = contact_sheet_figure(tiles(index, result.query, shown), title)
    remarks = list(result.remarks)
    with atomic_folder(output, replace=overwrite) as folder:
        save_png(picture, folder / MAP_PICTURE)
        save_png(sheet, folder / SHEET)
        layer, words = _write_map(folder, raster, place)
        if words:
            remarks.append(words)
        write_text(folder / "matches.csv", csv_text([asdict(match) for match in result.matches]))
        said = replace(result, remarks=tuple(remarks))
        with speaking("search"):
            report = _report(said, picture, sheet, title, shlex.join(command))
            write_text(folder / REPORT, html_page(retrieval_query_page(report)))
        names = (MAP_PICTURE, layer, SHEET, "matches.csv", REPORT, "result.json")
        said = replace(said, written=tuple(output / name for name in names))
        write_json(folder / "result.json", said.to_json())
    return said


def _write_map(
    folder: Path, raster: NDArray[np.float32], place: Georeference | None
) -> tuple[str, str]:
    """Write the scores in the first format that can hold where they lie: its name, and why."""
    for name, words in MAP_FORMATS.items():
        try:
            write_layers(folder / name, raster[..., None], ["cosine similarity"], place)
        except FormatLimitError:
            continue
        return name, words
    raise AssertionError("an array holds everything")


def _report(
    result: QueryResult, picture: Figure, sheet: Figure, title: str, command: str
) -> RetrievalQueryReport:
    header, matches = result.index.header, result.matches
    best = similarity_text(matches[0].score) if matches else "none"
    space = common_space(result.index, result.query, result.found, result.scores)
    spectra, words = _spectra(result)
    remarks = [Remark(f"{text[0].upper()}{text[1:]}.", True) for text in result.warnings]
    remarks += [Remark(f"{text[0].upper()}{text[1:]}.") for text in result.remarks]
    return RetrievalQueryReport(
        title=f"Search: {title}",
        lead=f"{header.items:,} pixels searched · best similarity {best} · run {header.run}",
        remarks=remarks,
        score_map=picture,
        sheet=sheet,
        spectra=spectra,
        spectra_words=words,
        space=common_space_figure(space),
        space_words=(
            f"{len(space.points):,} of the gallery's {header.items:,} rows on their two main axes, "
            f"which show {100 * space.share:.0f} % of their variance: near in this picture is not "
            "always near in the common space."
        ),
        matches=match_table(
            result,
            "Lines and samples are counted from 0. Similarity is the cosine in the common space.",
        ),
        query=_query_rows(result),
        gallery=_gallery_rows(result),
        command=command,
    )


def _spectra(result: QueryResult) -> tuple[Figure | None, str]:
    found = matched_spectra(result.index, result.query, result.found)
    if found is None or not len(found[1]):
        return None, ""
    query, spectra = found
    centres = result.index.header.wavelengths
    places = np.arange(1.0, spectra.shape[1] + 1) if centres is None else np.array(centres)
    unit = "nm" if centres is not None else "band"
    words = (
        f"Mean spectrum of the {len(spectra)} best matches, with the least and most of each band"
    )
    if len(query):
        words += "; the query is scaled to their level, so that only the shapes compare"
    return query_spectra_figure(places, query, spectra, unit, len(spectra)), words + "."


def match_table(result: QueryResult, caption: str) -> Table:
    """The matches, best first, with coordinates and labels where the gallery has them."""
    mapped = result.index.header.georeference is not None
    labelled = result.index.labels is not None
    titles = ["rank", "similarity", "line", "sample"] + ["x", "y"] * mapped
    rows: list[list[Value]] = []
    for match in result.matches:
        row: list[Value] = [str(match.rank), similarity_text(match.score)]
        row += [str(match.line), str(match.sample)]
        row += [f"{match.x:.7g}", f"{match.y:.7g}"] if mapped else []
        rows.append([*row, str(match.label)] if labelled else row)
    heads = [Column(title) for title in titles]
    heads += [Column("label", number=False)] * labelled
    return Table(caption, heads, rows)


def _query_rows(result: QueryResult) -> list[tuple[str, str]]:
    known = result.threshold
    return [
        ("query", result.query.title),
        ("modality", result.query.modality),
        (
            "similarity that validation saw for known classes",
            "–" if known is None else f"{known:.3f}",
        ),
        ("least distance of matches, pixels", str(result.apart + 1)),
    ]


def _gallery_rows(result: QueryResult) -> list[tuple[str, str]]:
    header = result.index.header
    files = header.provenance.get("files", {})
    return [
        ("gallery", header.name),
        ("seen as", f"{header.modality}, window {header.window}"),
        ("size", f"{header.lines:,} lines × {header.samples:,} samples × {header.bands} bands"),
        ("items", f"{header.items:,}" + _every(header.step)),
        ("without data", f"{header.missing:,}"),
        *((f"SHA-256 of {name}", checksum) for name, checksum in files.items()),
        ("run", header.run),
        ("SHA-256 of its model", header.model),
        *((f"version of {name}", value) for name, value in header.versions.items()),
    ]


def _every(step: int) -> str:
    return "" if step == 1 else f", every {step}. line and sample"
