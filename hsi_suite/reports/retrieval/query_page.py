"""The page of a search: what was looked for, where it was found, and how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from ..document import Document, Listing, Remark, Remarks, Section, Table, pairs
from ..pictures import chart, raster


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
        matches: the table of matches.
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
    matches: Table
    query: Sequence[tuple[str, str]]
    gallery: Sequence[tuple[str, str]]
    command: str


def retrieval_query_page(content: RetrievalQueryReport) -> Document:
    """The page of a search."""
    sheet = (
        "The best matches, best first, each in its surroundings; the frame is what was compared."
    )
    score_map = (
        "Left: the gallery with its best matches, the first nine numbered. Right: cosine "
        "similarity of every pixel to the query; the lowest 2 % share one colour."
    )
    words = content.spectra_words
    spectra = [] if content.spectra is None else [chart(content.spectra, words, words)]
    space = chart(content.space, content.space_words, content.space_words)
    return Document(
        content.title,
        content.lead,
        [
            Section("", [Remarks(content.remarks)]),
            Section("Where it is", [raster(content.score_map, score_map, score_map)]),
            Section("Best matches", [raster(content.sheet, sheet, sheet), content.matches]),
            *([Section("Spectra", spectra)] if spectra else []),
            Section("The common space", [space]),
            Section(
                "What was done",
                [
                    pairs("The query.", content.query),
                    pairs("The gallery and the run.", content.gallery),
                    Listing("", content.command.strip()),
                ],
            ),
        ],
    )
