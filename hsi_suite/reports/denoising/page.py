"""The page of a denoised cube: false colour before and after, noise of the bands, scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...metrics.measures import measure
from ...printable import plain
from ..drawing import ACCENT, SECOND, data_uri, house_style, to_png
from ..maps import Image, false_colour
from ..page import Picture, chart, render_page

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
        scores: figures by "noisy" and "denoised"; empty without a reference.
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


def denoising_report(content: DenoisingReport) -> str:
    """The page as HTML text: no script, nothing loaded, readable in light, dark and print."""
    values = {
        "title": plain(content.title),
        "lead": plain(content.lead),
        "remarks": [plain(remark) for remark in content.remarks],
        "picture": _before_after(content),
        "columns": [measure(key).heading for key in _SCORES],
        "scores": [_score_row(name, scores) for name, scores in content.scores.items()],
        "peak": _peak(content),
        "noise": _noise(content),
        "damage": [(plain(name), plain(value)) for name, value in content.damage],
        "method": [(plain(name), plain(value)) for name, value in content.method],
    }
    return render_page("denoising.html", values)


def before_after_figure(before: NDArray[np.floating], after: NDArray[np.floating]) -> Figure:
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
        figure = Figure(figsize=(2 * width + 0.2, height), dpi=_DPI, layout="constrained")
        panels = {"before": both[:, :samples], "after": both[:, samples:]}
        for axes, (name, image) in zip(figure.subplots(1, 2), panels.items(), strict=True):
            axes.imshow(image[::step, ::step], interpolation="nearest")
            axes.set_title(name)
            axes.set_axis_off()
    return figure


def band_noise_figure(
    sigma: NDArray[np.float64], wavelengths: NDArray[np.float64] | None = None
) -> Figure:
    """The noise of each band, dead bands marked.

    Args:
        sigma: one value for each band; NaN in dead ones.
        wavelengths: in nm; None draws over the bands' numbers.
    """
    place = np.arange(1, len(sigma) + 1) if wavelengths is None else wavelengths
    dead = np.isnan(sigma)
    with house_style():
        figure = Figure(figsize=(7.2, 3.0), layout="constrained")
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


def _before_after(content: DenoisingReport) -> Picture:
    numbers = ", ".join(map(str, content.bands))
    caption = f"Bands {numbers} as red, green and blue, stretched alike before and after."
    figure = before_after_figure(content.before, content.after)
    uri = data_uri(to_png(figure), "png")
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return Picture(uri, uri, width, height, f"False colour before and after. {caption}", caption)


def _noise(content: DenoisingReport) -> Picture:
    low, high = float(np.nanmin(content.sigma)), float(np.nanmax(content.sigma))
    caption = f"Standard deviation of the noise of each band: {low:.3g} to {high:.3g}."
    figure = band_noise_figure(content.sigma, content.wavelengths)
    return chart(figure, caption, caption)


def _peak(content: DenoisingReport) -> str:
    peaks = [scores["peak"] for scores in content.scores.values() if scores.get("peak") is not None]
    return f"{peaks[0]:.6g}" if peaks else ""


def _score_row(name: str, scores: Mapping[str, float | None]) -> tuple[str, ...]:
    return (plain(name), *(measure(key).text(scores.get(key)) for key in _SCORES))
