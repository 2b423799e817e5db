"""The page of a training for retrieval, at the end of a training and again by `hsi report`."""

from __future__ import annotations

from ...reports.retrieval.content import retrieval_remarks
from ...reports.retrieval.page import RetrievalReport, retrieval_report
from ...reports.verdict import Remark
from ...runs.folder import Run
from ...schemas.retrieval import RetrievalConfig
from ..shared.run_pages import PageFacts, picture_of, write_run_page

PROJECTION = "projection.png"


def write_page(run: Run, facts: PageFacts | None = None) -> list[Remark]:
    """See `write_run_page`."""
    return write_run_page(run, RetrievalConfig, _page, retrieval_remarks, facts)


def _page(facts: PageFacts) -> str:
    projection = picture_of(facts.run, PROJECTION)
    return retrieval_report(RetrievalReport(**facts.common(), projection=projection))
