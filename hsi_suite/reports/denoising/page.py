"""The page of a denoised cube: false colour before and after, noise of the bands, scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from ...metrics.measures import measure
from ..document import Column, Document, Figure, Remark, Remarks, Section, Table, Value, pairs
from ..drawing import ACCENT, SECOND, house_style
from ..maps import Image, false_colour
from ..pictures import chart, raster

_PANEL_INCHES = 3.6
_DPI = 150
_SCORES = ("mean_peak_signal_noise_ratio", "mean_structural_similarity", "spectral_angle")


@dataclass(frozen=True)
class DenoisingReport:
    """What the page of a denoised cube is made of.

    Attributes:
        title: headline of the page.
        lead: one line below it.
        before: three bands of the noisy cube, lines × samples × 3; not finite where missing.
        after: the same of the restored one.
        bands: 1-based numbers of the three bands.
        sigma: standard deviation of the noise of each band in the cube's units; NaN in dead bands.
        wavelengths: of the bands, in nm; None when unknown.
        damage: rows of what the cube is and what is wrong with it.
        method: rows of how it was denoised.
        scores: scores by "noisy" and "denoised"; empty without a reference.
        remarks: what the reader must know first.
    """

    title: str
    lead: str
    before: NDArray[np.floating]
    after: NDArray[np.floating]
    bands: tuple[int, int, int]
    sigma: NDArray[np.float64]
    wavelengths: NDArray[np.float64] | None
    damage: Sequence[tuple[str, str]]
    method: Sequence[tuple[str, str]]
    scores: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    remarks: Sequence[str] = ()


def denoising_page(content: DenoisingReport) -> Document:
    """The page of a denoised cube."""
    remarks = [Remark(text, warning=True) for text in content.remarks]
    damage = pairs("The cube and its damage.", content.damage)
    sections = [
        Section("Before and after", [_before_after(content)]),
        *([Section("Against the reference", [_scores(content.scores)])] if content.scores else []),
        Section("Noise", [_noise(content)]),
        Section(
            "What was done",
            [damage, pairs("The method.", content.method)],
        ),
    ]
    first = [Section("", [Remarks(remarks)])] if remarks else []
    return Document(content.title, content.lead, [*first, *sections])


def before_after_figure(before: NDArray[np.floating], after: NDArray[np.floating]) -> Drawing:
    """False colour before and after side by side, both stretched alike.

    Args:
        before: lines × samples × 3, not finite where there is no data.
        after: the same.
    """
    lines, samples = before.shape[:2]
    # One stretch for both, or the noise would be hidden by its own range.
    both: Image = false_colour(np.concatenate([before, after], axis=1), (0, 1, 2))
    step = math.ceil(max(lines, samples) / (_PANEL_INCHES * _DPI * 2))
    width = _PANEL_INCHES * min(1.0, 2 * samples / lines)
    with house_style():
        height = width * lines / samples + 0.3
        figure = Drawing(figsize=(2 * width + 0.2, height), dpi=_DPI, layout="constrained")
        panels = {"before": both[:, :samples], "after": both[:, samples:]}
        for axes, (name, image) in zip(figure.subplots(1, 2), panels.items(), strict=True):
            axes.imshow(image[::step, ::step], interpolation="nearest")
            axes.set_title(name)
            axes.set_axis_off()
    return figure


def band_noise_figure(
    sigma: NDArray[np.float64], wavelengths: NDArray[np.float64] | None = None
) -> Drawing:
    """The noise of each band, dead bands marked.

    Args:
        sigma: one value for each band; NaN in dead ones.
        wavelengths: in nm; None draws over the bands' numbers.
    """
    place = np.arange(1, len(sigma) + 1) if wavelengths is None else wavelengths
    dead = np.isnan(sigma)
    with house_style():
        figure = Drawing(figsize=(7.2, 3.0), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(place, sigma, ".", markersize=4, color=ACCENT, label="noise of a band")
        for number, centre in enumerate(place[dead]):
            label = "dead band" if number == 0 else None
            axes.axvline(centre, color=SECOND, linewidth=1, label=label)
        axes.set(
            xlabel="band" if wavelengths is None else "wavelength, nm",
            ylabel="σ, units of the cube",
        )
        axes.set_ylim(0, 1.1 * float(np.nanmax(sigma)))
        if dead.any():
            figure.legend(fontsize="small", loc="outside upper right", ncols=2)
    return figure


def _before_after(content: DenoisingReport) -> Figure:
    numbers = ", ".join(map(str, content.bands))
    caption = f"Bands {numbers} as red, green and blue, stretched alike before and after."
    drawing = before_after_figure(content.before, content.after)
    return raster(drawing, f"False colour before and after. {caption}", caption)


def _noise(content: DenoisingReport) -> Figure:
    low, high = float(np.nanmin(content.sigma)), float(np.nanmax(content.sigma))
    caption = f"Standard deviation of the noise of each band: {low:.3g} to {high:.3g}."
    return chart(band_noise_figure(content.sigma, content.wavelengths), caption, caption)


def _scores(scores: Mapping[str, Mapping[str, float | None]]) -> Table:
    peaks = [each["peak"] for each in scores.values() if each.get("peak") is not None]
    peak = f"{peaks[0]:.6g}" if peaks else ""
    caption = (
        "Means over the bands (PSNR, SSIM) or over the pixels (spectral angle). The peak of every "
        f"band is the largest value of the whole clean cube, {peak}."
    )
    heads = [Column("", number=False), *(Column(measure=measure(key)) for key in _SCORES)]
    rows: list[list[Value]] = [
        [name, *(each.get(key) for key in _SCORES)] for name, each in scores.items()
    ]
    return Table(caption, heads, rows, [""] * (len(rows) - 1) + ["own"])
