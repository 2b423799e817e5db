"""The tables and remarks of denoisers: of a training, and of weights compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...metrics.measure import Measure
from ...metrics.measures import measure, of_denoisers
from ...printable import plain
from ..content import Metrics, count, unverified_mark
from ..document import Block, Column, Paragraph, Remark, Remarks, Table, Value, pairs
from ..verdict import SLOWER, first_remarks

_WHITE = 255  # of the scale on which σ counts
# More columns than these have no room for two scores each.
_WIDE = 3
_STYLES = {"weights": "own", "published": "other"}


def denoiser_heading(metrics: Metrics) -> str:
    """Model and images in one line."""
    return f"{plain(metrics['model'])} on {plain(metrics['dataset'])}{unverified_mark(metrics)}"


def level_name(metrics: Metrics) -> str:
    """What the levels of the noise are: σ on the scale 0 to 255, or the ISO of cameras."""
    return "ISO" if metrics["noise"]["kind"] == "camera" else "σ"


def denoiser_measures(metrics: Metrics) -> list[Measure]:
    """The scores that the validation images have, in the order of tables."""
    levels = list(metrics["validation"].values())
    return [each for each in of_denoisers() if any(each.name in scores for scores in levels)]


def denoiser_blocks(metrics: Metrics) -> list[Block]:
    """Everything about a training for the terminal, the remarks last: nearest to the prompt.

    Args:
        metrics: the content of a run's metrics.json.
    """
    scores = denoiser_score_table(metrics, denoiser_heading(metrics))
    return [
        *([scores] if scores.rows else []),
        denoiser_training_table(metrics, "training"),
        Remarks(denoiser_remarks(metrics)),
    ]


def denoiser_score_table(metrics: Metrics, caption: str) -> Table:
    """The scores at each level of the noise, means over the validation images."""
    measures = denoiser_measures(metrics)
    heads = [Column("noise", number=False), *(Column(measure=each) for each in measures)]
    rows: list[list[Value]] = [
        [f"{level_name(metrics)} {level}", *(scores.get(each.name) for each in measures)]
        for level, scores in metrics["validation"].items()
    ]
    return Table(caption, heads, rows)


def denoiser_training_table(metrics: Metrics, caption: str) -> Table:
    """What was learnt from what."""
    noise = metrics["noise"]
    low, high = (f"{level:g}" for level in noise["sigma"])
    kinds = {
        "gaussian": f"white Gaussian noise of σ {low} to {high} (of 255)",
        "poisson_gaussian": f"noise of photons and of σ {low} to {high} (of 255)",
        "camera": "the noise of simulated cameras",
    }
    rows = [
        ("learnt from", f"{count(metrics['train_images'])} images, {plain(metrics['colour'])}"),
        ("validation", f"{count(metrics['validation_images'])} images set apart"),
        ("noise", kinds.get(noise["kind"], plain(noise["kind"]))),
        ("steps", f"{count(metrics['steps'])} in {count(metrics['epoch'])} epochs"),
        ("parameters", count(metrics["parameters"])),
        ("multiply-adds per pixel", f"{metrics['multiply_adds_per_pixel']:,.0f}"),
    ]
    return pairs(caption, rows)


def denoiser_remarks(metrics: Metrics) -> list[Remark]:
    """What the scores say, the most important first."""
    remarks = first_remarks(metrics)
    levels = list(metrics["validation"])
    if not levels:
        text = "No image was set apart for validation: nothing says how good this denoiser is."
        return [*remarks, Remark(text, warning=True)]
    level = levels[len(levels) // 2]
    scores = metrics["validation"][level]
    ratio, similarity = (
        measure(name).with_unit(scores[name])
        for name in ("peak_signal_noise_ratio", "structural_similarity")
    )
    images = metrics["validation_images"]
    worse = _worse_than_noisy(metrics)
    if worse:
        text = (
            f"At σ {', '.join(worse)} the validation images are no better denoised than noisy: "
            f"this denoiser has learnt nothing of use there. {SLOWER}"
        )
        remarks.append(Remark(text, warning=True))
    return [
        *remarks,
        Remark(
            f"{denoiser_heading(metrics)} reaches {ratio} and an SSIM of {similarity} at "
            f"{level_name(metrics)} {level}, in the mean over {count(images)} validation images."
        ),
        Remark(
            "The noise of these images was added by the same rule as in training: real noise of "
            "another kind is removed less well.",
            warning=metrics["noise"]["kind"] == "camera",
        ),
    ]


def _worse_than_noisy(metrics: Metrics) -> list[str]:
    """The σ of white noise at which the images gain nothing; nothing is clipped of it."""
    if metrics["noise"]["kind"] != "gaussian":
        return []
    return [
        level
        for level, scores in metrics["validation"].items()
        if float(level) > 0
        and scores["peak_signal_noise_ratio"] is not None
        and scores["peak_signal_noise_ratio"] <= 20 * math.log10(_WHITE / float(level))
    ]


def denoiser_scores_blocks(scores: Mapping[str, Any]) -> list[Block]:
    """PSNR and SSIM of each method at each σ, the published ones last.

    Args:
        scores: as `evaluate_weights` returns them.
    """
    luma = ", of the luma of images in colour" if scores["luma"] else ""
    heading = "PSNR in dB / SSIM" if len(scores["sigmas"]) <= _WIDE else "PSNR in dB"
    title = f"{scores['data']}, {scores['images']} images: mean {heading}{luma}"
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
