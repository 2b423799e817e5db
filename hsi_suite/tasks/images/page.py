"""The page of a classification of images, at the end of a training and again by `hsi report`."""

from __future__ import annotations

from ...reports.images.content import image_remarks
from ...reports.images.page import ImageClassificationReport, image_classification_report
from ...reports.verdict import Remark
from ...runs.folder import Run
from ...schemas.image_classification import ImageClassificationConfig
from ..shared.run_pages import PageFacts, picture_of, write_run_page

MISTAKES = "mistakes.png"


def write_page(run: Run, facts: PageFacts | None = None) -> list[Remark]:
    """See `write_run_page`."""
    return write_run_page(run, ImageClassificationConfig, _page, image_remarks, facts)


def _page(facts: PageFacts) -> str:
    mistakes = picture_of(facts.run, MISTAKES)
    return image_classification_report(
        ImageClassificationReport(**facts.common(), mistakes=mistakes)
    )
