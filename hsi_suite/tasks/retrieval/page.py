"""The page of a training for retrieval, at the end of a training and again by `hsi report`."""

from __future__ import annotations

from ...atomic import write_text
from ...config import validate
from ...reports.retrieval.content import retrieval_remarks
from ...reports.retrieval.page import RetrievalReport, retrieval_report
from ...reports.verdict import Remark
from ...runs.folder import CONFIG, REPORT, Run
from ...schemas.retrieval import RetrievalConfig
from ..shared.run_pages import PageFacts, picture_of

PROJECTION = "projection.png"


def write_page(run: Run, facts: PageFacts | None = None) -> list[Remark]:
    """Write the page; return what it says first.

    Args:
        run: its folder, with its pictures.
        facts: what is not in the folder yet; None for a finished run.
    """
    if facts is None:
        facts = PageFacts.of(run, validate(RetrievalConfig, run.config, run.path / CONFIG))
    content = RetrievalReport(**facts.common(), projection=picture_of(run, PROJECTION))
    write_text(run.path / REPORT, retrieval_report(content))
    return retrieval_remarks(facts.metrics)
