"""Tables of denoisers' scores for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ...metrics.measures import measure
from ...printable import UNDEFINED, plain
from ..content import Metrics
from ..tables import new_table, remarks_grid, spaced
from .training_content import (
    denoiser_heading,
    denoiser_measures,
    denoiser_remarks,
    denoiser_rows,
    denoiser_score_rows,
)

# More columns than these have no room for two figures each.
_WIDE = 3


def denoiser_summary(metrics: Metrics) -> Group:
    """Everything about a denoiser's training, the remarks last: nearest to the prompt.

    Args:
        metrics: the content of a run's metrics.json.
    """
    scores = new_table(denoiser_heading(metrics))
    scores.add_column("validation")
    for each in denoiser_measures(metrics):
        scores.add_column(each.short_heading, justify="right", no_wrap=True)
    for row in denoiser_score_rows(metrics):
        scores.add_row(*map(Text, row))
    training = new_table("training", show_header=False)
    training.add_column(style="dim", max_width=30)
    training.add_column(max_width=46)
    for name, value in denoiser_rows(metrics):
        training.add_row(Text(name), Text(value))
    tables = [spaced(scores)] if scores.row_count else []
    return Group(*tables, spaced(training), remarks_grid(denoiser_remarks(metrics)))


def denoiser_scores_table(scores: Mapping[str, Any]) -> Group:
    """PSNR and SSIM of each method at each σ, the published ones last.

    Args:
        scores: as `evaluate_weights` returns them.
    """
    luma = ", of the luma of images in colour" if scores["luma"] else ""
    figures = "PSNR in dB / SSIM" if len(scores["sigmas"]) <= _WIDE else "PSNR in dB"
    title = f"{plain(scores['data'])}, {scores['images']} images: mean {figures}{luma}"
    parts: list[RenderableType] = [
        Text(title, style="bold"),
        _table(scores["sigmas"], scores["methods"]),
    ]
    if scores["luma"]:
        parts.append(Text("the same images in colour: red, green and blue together", style="bold"))
        parts.append(_table(scores["sigmas"], scores["colour_methods"]))
    sources = sorted({row["source"] for row in scores["methods"] if "source" in row})
    notes = [Text(f"published: {source}", style="dim") for source in sources]
    notes += [
        Text(_least(row), style="dim") for row in scores["methods"] if row["kind"] == "weights"
    ]
    return Group(*parts, *notes)


def _table(values: Sequence[float], methods: Sequence[Mapping[str, Any]]) -> Table:
    sigmas = [f"{sigma:g}" for sigma in values]
    table = Table(
        box=box.SIMPLE_HEAD,
        header_style="dim",
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("")
    for sigma in sigmas:
        table.add_column(f"σ {sigma}", justify="right", no_wrap=True)
    for row in methods:
        style = {"weights": "bold", "published": "dim"}.get(row["kind"], "")
        cells = [_cell(row["scores"].get(sigma), len(sigmas) <= _WIDE) for sigma in sigmas]
        table.add_row(Text(plain(row["method"])), *cells, style=style)
    return table


def _least(row: Mapping[str, Any]) -> str:
    gain, sigma = min((each["smallest_gain"], sigma) for sigma, each in row["scores"].items())
    return f"{plain(row['method'])}: the least that an image gains is {gain:+.2f} dB, at σ {sigma}"


def _cell(scores: Mapping[str, float] | None, similarity: bool) -> str:
    if scores is None:
        return UNDEFINED
    names = ["peak_signal_noise_ratio", *(["structural_similarity"] if similarity else [])]
    return " / ".join(measure(name).text(scores[name]) for name in names if name in scores)
