"""The page of a denoiser's training."""

from __future__ import annotations

from dataclasses import dataclass

from ..page import Picture, RunPage, curves_chart, photograph, render_page
from .training_content import (
    denoiser_heading,
    denoiser_measures,
    denoiser_remarks,
    denoiser_rows,
    denoiser_score_rows,
)


@dataclass(frozen=True)
class DenoiserReport(RunPage):
    """What the page of a run is made of, beside what all pages are.

    Attributes:
        pictures: PNG of validation images before and after, at twice its size; None where there
            are none.
    """

    pictures: bytes | None


def denoiser_report(content: DenoiserReport) -> str:
    """The page as HTML text: no script, nothing loaded, readable in light, dark and print."""
    metrics = content.metrics
    values = {
        "title": f"{denoiser_heading(metrics)}, seed {metrics['seed']}",
        "lead": f"Training of a denoiser · {metrics['parameters']:,} parameters",
        "remarks": denoiser_remarks(metrics),
        "columns": [each.heading for each in denoiser_measures(metrics)],
        "scores": denoiser_score_rows(metrics),
        "pictures": _pictures(content.pictures),
        "curves": curves_chart(content.history, metrics["epoch"]),
        "rows": denoiser_rows(metrics),
        **content.common_values(),
    }
    return render_page("denoiser.html", values)


def _pictures(png: bytes | None) -> Picture | None:
    if png is None:
        return None
    caption = "Validation images: clean, with the noise of the level named, and denoised."
    return photograph(png, f"A grid of images. {caption}", caption)
