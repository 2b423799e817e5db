"""The page of a denoiser's training."""

from __future__ import annotations

from ...reports.denoising.content import (
    denoiser_heading,
    denoiser_remarks,
    denoiser_score_table,
    denoiser_training_table,
)
from ...reports.document import Document, Remarks, Section
from ...reports.pictures import curves_section, photograph
from ...runs.pages import PageFacts, picture_of
from .definition import PICTURE


def page(facts: PageFacts) -> Document:
    """See `runs.task.Task.page`."""
    metrics = facts.metrics
    means = "Means over the validation images, at each level of noise."
    scores = denoiser_score_table(metrics, means)
    png = picture_of(facts.run, PICTURE)
    caption = "Validation images: clean, with the noise of the level named, and denoised."
    alt = f"A grid of images. {caption}"
    pictures = [] if png is None else [photograph(png, alt, caption, "denoised")]
    return Document(
        f"{denoiser_heading(metrics)}, seed {metrics['seed']}",
        f"Training of a denoiser · {metrics['parameters']:,} parameters",
        [
            Section("", [Remarks(denoiser_remarks(metrics))]),
            *([Section("Scores", [scores])] if scores.rows else []),
            *([Section("Before and after", pictures)] if pictures else []),
            *curves_section(facts.history, metrics["epoch"]),
            Section(
                "What was learnt", [denoiser_training_table(metrics, "Images, noise and network.")]
            ),
        ],
    )
