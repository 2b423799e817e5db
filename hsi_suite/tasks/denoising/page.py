"""The page of a denoiser's training, at the end of a training and again by `hsi report`."""

from __future__ import annotations

from ...reports.denoising.training_content import denoiser_remarks
from ...reports.denoising.training_page import DenoiserReport, denoiser_report
from ...reports.verdict import Remark
from ...runs.folder import Run
from ...schemas.denoising import DenoisingConfig
from ..shared.run_pages import PageFacts, picture_of, write_run_page
from .definition import PICTURE


def write_page(run: Run, facts: PageFacts | None = None) -> list[Remark]:
    """See `write_run_page`."""
    return write_run_page(run, DenoisingConfig, _page, denoiser_remarks, facts)


def _page(facts: PageFacts) -> str:
    pictures = picture_of(facts.run, PICTURE)
    return denoiser_report(DenoiserReport(**facts.common(), pictures=pictures))
