"""The page of a classification of images, at the end of a training and again by `hsi report`."""

from __future__ import annotations

from ...atomic import write_text
from ...config import validate
from ...reports.images.content import image_remarks
from ...reports.images.page import ImageClassificationReport, image_classification_report
from ...reports.verdict import Remark
from ...runs.folder import CONFIG, REPORT, Run
from ...schemas.image_classification import ImageClassificationConfig
from ..shared.run_pages import PageFacts, picture_of

MISTAKES = "mistakes.png"


def write_page(run: Run, facts: PageFacts | None = None) -> list[Remark]:
    """Write the page; return what it says first.

    Args:
        run: its folder, with its pictures.
        facts: what is not in the folder yet; None for a finished run.
    """
    if facts is None:
        facts = PageFacts.of(
            run, validate(ImageClassificationConfig, run.config, run.path / CONFIG)
        )
    content = ImageClassificationReport(**facts.common(), mistakes=picture_of(run, MISTAKES))
    write_text(run.path / REPORT, image_classification_report(content))
    return image_remarks(facts.metrics)
