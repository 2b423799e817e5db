"""The tables and remarks of denoisers: of a training, and of weights compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...metrics.measure import Measure
from ...metrics.measures import LEVEL_WORDS, measure, of_denoisers
from ...printable import plain
from ..content import Metrics, count, unverified_mark
from ..document import Block, Column, Paragraph, Remark, Remarks, Table, Value, pairs
from ..verdict import SLOWER, first_remarks

_WHITE = 255  # of the scale on which σ counts
# More columns than these have no room for two scores each.
_WIDE = 3
_RATIO = "peak_signal_noise_ratio"
_WHITE_NOISE = ("gaussian", "poisson_gaussian")
_ARTEFACTS = ("jpeg", "upsampling", "mixture")
_STYLES = {"weights": "own", "published": "other"}


def denoiser_heading(metrics: Metrics) -> str:
    """Model and images in one line."""
    return f"{plain(metrics['model'])} on {plain(metrics['dataset'])}{unverified_mark(metrics)}"


def level_text(kind: str, level: str) -> str:
    """A level of the noise in words: σ on the scale 0 to 255, an ISO, a quality, or a factor.

    Args:
        kind: of the noise that was learnt.
        level: its name in metrics.json.
    """
    prefix, _, number = level.rpartition("_")
    unit = "ISO" if kind == "camera" else "σ"
    return f"{LEVEL_WORDS.get(prefix, unit)} {number}"


def in_order(levels: Iterable[str]) -> list[str]:
    """Levels by what they are and by size, whatever the order of metrics.json."""

    def place(level: str) -> tuple[str, float]:
        prefix, _, number = level.rpartition("_")
        return prefix, float(number)

    return sorted(levels, key=place)


def middle_level(levels: Iterable[str]) -> str:
    """The level that speaks for a denoiser, in the middle of them all."""
    names = in_order(levels)
    return names[len(names) // 2]


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
    kind = metrics["noise"]["kind"]
    # Of white noise everybody knows how far the noisy image is.
    given = [] if kind in _WHITE_NOISE else [measure(_RATIO)]
    heads = [
        Column("noise", number=False),
        *(Column(f"{each.title} before", measure=each) for each in given),
        *(Column(measure=each) for each in measures),
    ]
    rows: list[list[Value]] = [
        [
            level_text(kind, level),
            *(metrics["validation"][level].get(f"noisy_{each.name}") for each in given),
            *(metrics["validation"][level].get(each.name) for each in measures),
        ]
        for level in in_order(metrics["validation"])
    ]
    return Table(caption, heads, rows)


def denoiser_training_table(metrics: Metrics, caption: str) -> Table:
    """What was learnt from what."""
    noise = metrics["noise"]
    low, high = (f"{level:g}" for level in noise["sigma"])
    artefacts = noise.get("artefacts") or {}
    cameras, drawn = artefacts.get("camera"), artefacts.get("drawn")
    kinds = {
        "gaussian": f"white Gaussian noise of σ {low} to {high} (of 255)",
        "poisson_gaussian": f"noise of photons and of σ {low} to {high} (of 255)",
        "camera": "the noise of simulated cameras",
        "jpeg": "JPEG of clean photographs and of cameras" if cameras else "the blocks of JPEG",
        "upsampling": "resolution lost by making images smaller",
        "mixture": f"white Gaussian noise of σ {low} to {high}, JPEG, or lost resolution",
    }
    rows = [
        ("learnt from", f"{count(metrics['train_images'])} images, {plain(metrics['colour'])}"),
        ("validation", f"{count(metrics['validation_images'])} images set apart"),
        *([("drawn", f"{100 * drawn:g} % of the patches, by code")] if drawn else []),
        ("noise", kinds.get(noise["kind"], plain(noise["kind"]))),
        ("steps", f"{count(metrics['steps'])} in {count(metrics['epoch'])} epochs"),
        ("parameters", count(metrics["parameters"])),
        ("multiply-adds per pixel", f"{metrics['multiply_adds_per_pixel']:,.0f}"),
    ]
    return pairs(caption, rows)


def denoiser_remarks(metrics: Metrics) -> list[Remark]:
    """What the scores say, the most important first."""
    remarks = first_remarks(metrics)
    if not metrics["validation"]:
        text = "No image was set apart for validation: nothing says how good this denoiser is."
        return [*remarks, Remark(text, warning=True)]
    level = middle_level(metrics["validation"])
    kind = metrics["noise"]["kind"]
    scores = metrics["validation"][level]
    ratio, similarity = (
        measure(name).with_unit(scores[name])
        for name in ("peak_signal_noise_ratio", "structural_similarity")
    )
    images = metrics["validation_images"]
    worse = _worse_than_noisy(metrics)
    if worse:
        text = (
            f"At {', '.join(worse)} the validation images are no better denoised than noisy: "
            f"this denoiser has learnt nothing of use there. {SLOWER}"
        )
        remarks.append(Remark(text, warning=True))
    return [
        *remarks,
        Remark(
            f"{denoiser_heading(metrics)} reaches {ratio} and an SSIM of {similarity} at "
            f"{level_text(kind, level)}, in the mean over {count(images)} validation images."
        ),
        Remark(
            "The noise of these images was added by the same rule as in training: real noise of "
            "another kind is removed less well.",
            warning=kind == "camera",
        ),
    ]


def _worse_than_noisy(metrics: Metrics) -> list[str]:
    """The levels at which the images gain nothing."""
    kind = metrics["noise"]["kind"]
    return [
        level_text(kind, level)
        for level, scores in metrics["validation"].items()
        if scores[_RATIO] is not None and scores[_RATIO] <= _before(kind, level, scores)
    ]


def _before(kind: str, level: str, scores: Mapping[str, Any]) -> float:
    """The PSNR of the noisy images; of white noise, of which nothing is clipped, by its σ."""
    if kind == "gaussian":
        return 20 * math.log10(_WHITE / float(level)) if float(level) > 0 else -math.inf
    before = scores.get(f"noisy_{_RATIO}") if kind in _ARTEFACTS else None
    return -math.inf if before is None else float(before)


def _counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def denoiser_scores_blocks(scores: Mapping[str, Any]) -> list[Block]:
    """PSNR and SSIM of each method at each σ, the published ones last.

    Args:
        scores: as `evaluate_weights` returns them.
    """
    luma = ", of the luma of images in colour" if scores["luma"] else ""
    heading = "PSNR in dB / SSIM" if len(scores["sigmas"]) <= _WIDE else "PSNR in dB"
    title = f"{scores['data']}, {_counted(scores['images'], 'image')}: mean {heading}{luma}"
    blocks: list[Block] = [_table(title, scores["sigmas"], scores["methods"])]
    if scores["luma"]:
        title = "the same images in colour: red, green and blue together"
        blocks.append(_table(title, scores["sigmas"], scores["colour_methods"]))
    sources = sorted({row["source"] for row in scores["methods"] if "source" in row})
    notes = [f"published: {source}" for source in sources]
    notes += [_least(row) for row in scores["methods"] if row["kind"] == "weights"]
    return [*blocks, *(Paragraph(note, "soft") for note in notes)]


def artefact_scores_blocks(scores: Mapping[str, Any]) -> list[Block]:
    """The scores of images before and after, of JPEG and of lost resolution.

    Args:
        scores: as `evaluate_artefacts` returns them.
    """
    luma = ", of the luma of images in colour" if scores["luma"] else ""
    blocks: list[Block] = []
    for table in scores["tables"]:
        what = "JPEG" if table["kind"] == "jpeg" else "made smaller and larger again"
        title = f"{scores['data']}, {_counted(scores['images'], 'image')}, {what}: means{luma}"
        blocks.append(_artefact_table(title, table))
    rows = [row for table in scores["tables"] for row in table["methods"]]
    sources = sorted({row["source"] for row in rows if "source" in row})
    notes = [f"published: {source}" for source in sources]
    for table in scores["tables"]:
        level = "quality" if table["kind"] == "jpeg" else "factor"
        notes += [_least(row, level) for row in table["methods"] if row["kind"] == "weights"]
    return [*blocks, *(Paragraph(note, "soft") for note in notes)]


def photograph_scores_blocks(scores: Mapping[str, Any]) -> list[Block]:
    """PSNR and SSIM of each method on photographs as cameras write them.

    Args:
        scores: as `evaluate_pairs` returns them.
    """
    columns = scores["columns"]
    number = _counted(scores["images"], "photograph")
    title = f"{scores['data']}, {number}: mean PSNR in dB / SSIM"
    heads = [Column("", number=False), *(Column(name) for name in columns)]
    rows: list[list[Value]] = [
        [row["method"], *(_cell(row["scores"][name], True) for name in columns)]
        for row in scores["methods"]
    ]
    table = Table(title, heads, rows, [_STYLES.get(row["kind"], "") for row in scores["methods"]])
    notes = [
        f"{row['method']}: the least that a photograph gains is {score['smallest_gain']:+.2f} dB"
        f" ({name})"
        for row in scores["methods"]
        if row["kind"] == "weights"
        for name, score in row["scores"].items()
    ]
    return [table, *(Paragraph(note, "soft") for note in notes)]


def _artefact_table(title: str, table: Mapping[str, Any]) -> Table:
    methods = [row for row in table["methods"] if row["scores"].keys() & set(table["levels"])]
    first = methods[0]["scores"][table["levels"][0]]
    measures = [measure(name) for name in first]
    heads = [
        Column("quality" if table["kind"] == "jpeg" else "factor", number=False),
        Column("", number=False),
        *(Column(measure=each) for each in measures),
    ]
    rows: list[list[Value]] = []
    styles = []
    for level in table["levels"]:
        for row in methods:
            if level in row["scores"]:
                values = (row["scores"][level].get(each.name) for each in measures)
                rows.append([level, row["method"], *values])
                styles.append(_STYLES.get(row["kind"], ""))
    return Table(title, heads, rows, styles)


def _table(title: str, values: Sequence[float], methods: Sequence[Mapping[str, Any]]) -> Table:
    sigmas = [f"{sigma:g}" for sigma in values]
    heads = [Column("", number=False), *(Column(f"σ {sigma}") for sigma in sigmas)]
    rows: list[list[Value]] = [
        [row["method"], *(_cell(row["scores"].get(s), len(sigmas) <= _WIDE) for s in sigmas)]
        for row in methods
    ]
    return Table(title, heads, rows, [_STYLES.get(row["kind"], "") for row in methods])


def _least(row: Mapping[str, Any], level: str = "σ") -> str:
    gain, sigma = min((each["smallest_gain"], sigma) for sigma, each in row["scores"].items())
    return f"{row['method']}: the least that an image gains is {gain:+.2f} dB, at {level} {sigma}"


def _cell(scores: Mapping[str, float] | None, similarity: bool) -> str | None:
    if scores is None:
        return None
    names = ["peak_signal_noise_ratio", *(["structural_similarity"] if similarity else [])]
    return " / ".join(measure(name).text(scores[name]) for name in names if name in scores)
