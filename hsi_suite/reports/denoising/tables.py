"""Tables of denoisers' scores for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..content import UNDEFINED, plain


def denoiser_scores_table(scores: Mapping[str, Any]) -> Group:
    """PSNR and SSIM of each method at each σ, the published ones last.

    Args:
        scores: as `evaluate_weights` returns them.
    """
    sigmas = [f"{sigma:g}" for sigma in scores["sigmas"]]
    title = f"{plain(scores['data'])}, {scores['images']} images: mean PSNR in dB / SSIM"
    table = Table(
        box=box.SIMPLE_HEAD,
        header_style="dim",
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("")
    for sigma in sigmas:
        table.add_column(f"σ {sigma}", justify="right", no_wrap=True)
    for row in scores["methods"]:
        style = {"weights": "bold", "published": "dim"}.get(row["kind"], "")
        cells = [_cell(row["scores"].get(sigma)) for sigma in sigmas]
        table.add_row(Text(plain(row["method"])), *cells, style=style)
    sources = sorted({row["source"] for row in scores["methods"] if "source" in row})
    notes = [Text(f"published: {source}", style="dim") for source in sources]
    return Group(Text(title, style="bold"), table, *notes)


def _cell(scores: Mapping[str, float] | None) -> str:
    if scores is None:
        return UNDEFINED
    text = f"{scores['peak_signal_noise_ratio']:.2f}"
    if "structural_similarity" in scores:
        text += f" / {scores['structural_similarity']:.4f}"
    return text
