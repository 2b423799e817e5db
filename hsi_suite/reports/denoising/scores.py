"""Scores of denoisers beside published ones, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...metrics.measures import measure
from ..document import Block, Column, Paragraph, Table, Value

# More columns than these have no room for two figures each.
_WIDE = 3
_STYLES = {"weights": "own", "published": "other"}


def denoiser_scores_blocks(scores: Mapping[str, Any]) -> list[Block]:
    """PSNR and SSIM of each method at each σ, the published ones last.

    Args:
        scores: as `evaluate_weights` returns them.
    """
    luma = ", of the luma of images in colour" if scores["luma"] else ""
    figures = "PSNR in dB / SSIM" if len(scores["sigmas"]) <= _WIDE else "PSNR in dB"
    title = f"{scores['data']}, {scores['images']} images: mean {figures}{luma}"
    blocks: list[Block] = [_table(title, scores["sigmas"], scores["methods"])]
    if scores["luma"]:
        title = "the same images in colour: red, green and blue together"
        blocks.append(_table(title, scores["sigmas"], scores["colour_methods"]))
    sources = sorted({row["source"] for row in scores["methods"] if "source" in row})
    notes = [f"published: {source}" for source in sources]
    notes += [_least(row) for row in scores["methods"] if row["kind"] == "weights"]
    return [*blocks, *(Paragraph(note, "soft") for note in notes)]


def _table(title: str, values: Sequence[float], methods: Sequence[Mapping[str, Any]]) -> Table:
    sigmas = [f"{sigma:g}" for sigma in values]
    heads = [Column("", number=False), *(Column(f"σ {sigma}") for sigma in sigmas)]
    rows: list[list[Value]] = [
        [row["method"], *(_cell(row["scores"].get(s), len(sigmas) <= _WIDE) for s in sigmas)]
        for row in methods
    ]
    return Table(title, heads, rows, [_STYLES.get(row["kind"], "") for row in methods])


def _least(row: Mapping[str, Any]) -> str:
    gain, sigma = min((each["smallest_gain"], sigma) for sigma, each in row["scores"].items())
    return f"{row['method']}: the least that an image gains is {gain:+.2f} dB, at σ {sigma}"


def _cell(scores: Mapping[str, float] | None, similarity: bool) -> str | None:
    if scores is None:
        return None
    names = ["peak_signal_noise_ratio", *(["structural_similarity"] if similarity else [])]
    return " / ".join(measure(name).text(scores[name]) for name in names if name in scores)
