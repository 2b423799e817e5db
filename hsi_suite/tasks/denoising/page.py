"""The page of a denoiser's training, at the end of a training and again by `hsi report`."""

from __future__ import annotations

from ...atomic import write_text
from ...config import validate
from ...reports.denoising.training_content import denoiser_remarks
from ...reports.denoising.training_page import DenoiserReport, denoiser_report
from ...reports.verdict import Remark
from ...runs.folder import CONFIG, REPORT, Run
from ...schemas.denoising import DenoisingConfig
from ..shared.run_pages import PageFacts, picture_of

PICTURE = "denoised.png"


def write_page(run: Run, facts: PageFacts | None = None) -> list[Remark]:
    """Write the page; return what it says first.

    Args:
        run: its folder, with its pictures.
        facts: what is not in the folder yet; None for a finished run.
    """
    if facts is None:
        facts = PageFacts.of(run, validate(DenoisingConfig, run.config, run.path / CONFIG))
    content = DenoiserReport(**facts.common(), pictures=picture_of(run, PICTURE))
    write_text(run.path / REPORT, denoiser_report(content))
    return denoiser_remarks(facts.metrics)
