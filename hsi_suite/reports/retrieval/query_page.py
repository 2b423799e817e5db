"""The page of a search: what was looked for, where it was found, and how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from ...printable import plain
from ..drawing import data_uri, to_png
from ..page import Picture, chart, render_page
from ..verdict import Remark


@dataclass(frozen=True)
class RetrievalQueryReport:
    """What the page of a search is made of.

    Attributes:
        title: headline of the page.
        lead: one line below it.
        remarks: what the reader must know first; warnings are marked.
        score_map: `score_map_figure`.
        sheet: `contact_sheet_figure`.
        spectra: `query_spectra_figure`, where the gallery has spectra.
        spectra_words: how the two spectra of it were brought to one level.
        space: `common_space_figure`.
        space_words: how much of the space it shows.
        columns: headings of the table of matches.
        matches: its rows.
        query: rows of what was looked for and what was made of it.
        gallery: rows of what was searched, and of the run.
        command: the command line that makes the search again.
    """

    title: str
    lead: str
    remarks: Sequence[Remark]
    score_map: Figure
    sheet: Figure
    spectra: Figure | None
    spectra_words: str
    space: Figure
    space_words: str
    columns: Sequence[str]
    matches: Sequence[Sequence[str]]
    query: Sequence[tuple[str, str]]
    gallery: Sequence[tuple[str, str]]
    command: str


def retrieval_query_report(content: RetrievalQueryReport) -> str:
    """The page as HTML text: no script, nothing loaded, readable in light, dark and print."""
    sheet = (
        "The best matches, best first, each in its surroundings; the frame is what was compared."
    )
    score_map = (
        "Left: the gallery with its best matches, the first nine numbered. Right: cosine "
        "similarity of every pixel to the query; the lowest 2 % share one colour."
    )
    spectra: Picture | None = None
    if content.spectra is not None:
        spectra = chart(content.spectra, content.spectra_words, content.spectra_words)
    values = {
        "title": plain(content.title),
        "lead": plain(content.lead),
        "remarks": content.remarks,
        "score_map": _picture(content.score_map, score_map),
        "sheet": _picture(content.sheet, sheet),
        "spectra": spectra,
        "space": chart(content.space, content.space_words, content.space_words),
        "columns": [plain(name) for name in content.columns],
        "matches": [[plain(cell) for cell in row] for row in content.matches],
        "query": [(plain(name), plain(value)) for name, value in content.query],
        "gallery": [(plain(name), plain(value)) for name, value in content.gallery],
        "command": content.command.strip(),
    }
    return render_page("retrieval_query.html", values)


def _picture(figure: Figure, words: str) -> Picture:
    uri = data_uri(to_png(figure), "png")
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return Picture(uri, uri, width, height, words, words)
