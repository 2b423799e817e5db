"""The report of a denoised cube, and what was wrong with it in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....data.readers import CubeFile, open_cube
from ....data.scene import nearest_bands
from ....reports.content import enumerate_names
from ....reports.denoising.page import DenoisingReport
from ....restoration.cube import CubeRestoration
from ....restoration.cube_lines import line_blocks
from ....restoration.damage import Damage
from ....restoration.repairs import Repairs
from ....restoration.unexplained import Unexplained
from .cube_demonstration import CubeNoise
from .cube_scores import Scores, floats_of
from .mixed_noise import FEWEST_BANDS

# More pixels than this are not rare.
_RARE_SHARE = 0.05
# Shares of dead lines and of odd values that no sound sensor leaves: cases 3 and 5 of the
# literature have 3.5 % and 1 %, Indian Pines as published none and 0.34 %, where mode "robust"
# changes hardly anything (`docs/explanations/mixed_noise.md`).
_FAULTY_LINES, _FAULTY_VALUES = 0.01, 0.005


def damage_rows(damage: Damage, missing_values: int, repaired: bool) -> tuple[tuple[str, str], ...]:
    """What is wrong with a cube, as (what, how much) in words; bands are counted from 1."""
    done = "replaced" if repaired else "left as they are"
    dead = [band for band in damage.dead_bands if band not in damage.marked]
    empty = int((~damage.valid).sum())
    lines, samples = int(damage.dead_lines.sum()), int(damage.dead_samples.sum())
    return (
        ("bands marked as bad", _counted(damage.marked, done)),
        ("dead bands", _counted(dead, done)),
        ("dead lines of single bands", f"{lines:,}, {done}" if lines else "none"),
        ("dead columns of single bands", f"{samples:,}, {done}" if samples else "none"),
        ("missing values in all", f"{missing_values:,}, {done}" if missing_values else "none"),
        ("pixels without data", f"{empty:,} of {damage.valid.size:,}" if empty else "none"),
    )


def _counted(bands: Sequence[int], done: str) -> str:
    if not bands:
        return "none"
    return f"{len(bands)} ({enumerate_names((band + 1 for band in bands), 12)}), {done}"


def repairs_rows(repairs: Repairs | None) -> tuple[tuple[str, str], ...]:
    """What else was mended, as (what, how much) in words; nothing where there is nothing."""
    rows: list[tuple[str, str]] = []
    if repairs is None:
        return ()
    if repairs.stuck_values:
        bands = sum(len(values) > 0 for values in repairs.stuck.values)
        rows.append(("stuck values", f"{repairs.stuck_values:,} in {bands} bands, replaced"))
    for what, offsets in (("columns", repairs.columns), ("lines", repairs.lines)):
        if found := int((offsets != 0).sum()):
            most = np.abs(offsets).max()
            rows.append(
                (f"stripes, {what} of single bands", f"{found:,}, up to {most:.3g}, taken off")
            )
    return tuple(rows)


def unexplained_rows(unexplained: Unexplained, damage: Damage) -> tuple[tuple[str, str], ...]:
    """What noise does not explain, as (what, how much) in words; nothing where there is nothing."""
    rows = []
    valid = int(damage.valid.sum())
    if rare := unexplained.rare_pixels:
        common = rare > _RARE_SHARE * valid
        doubt = "; so many are hardly rare: is the noise stronger than σ says?" if common else ""
        rows.append(("pixels with rare signals, put back", f"{rare:,} of {valid:,}{doubt}"))
    if odd := unexplained.odd_values:
        if unexplained.odd_stay:
            may = "so few may be lines of one band; --repair removes them"
            rows.append(("single odd values, left as they are", f"{odd:,}; {may}"))
        else:
            rows.append(("single odd values, taken for faults and removed", f"{odd:,}"))
    return tuple(rows)


def non_local_share(shares: NDArray[np.float64] | None) -> str:
    """What share alike pixels have in the eigen-images, in words."""
    if shares is None:
        return "none, one by one"
    low, high = f"{shares.min():.2f}", f"{shares.max():.2f}"
    return low if low == high else f"{low} to {high}"


def clearly_faulty(damage: Damage, unexplained: Unexplained) -> bool:
    """Whether so many lines are dead, or values odd, that mode "robust" is worth a try."""
    live = damage.live_bands
    lines = max(mask[:, live].mean() for mask in (damage.dead_lines, damage.dead_samples))
    values = unexplained.odd_values / max(1, int(damage.valid.sum()) * len(live))
    return len(live) >= FEWEST_BANDS and bool(lines > _FAULTY_LINES or values > _FAULTY_VALUES)


def cube_report(
    restoration: CubeRestoration,
    file: CubeFile,
    target: Path,
    denoiser_name: str,
    scores: dict[str, Scores],
) -> DenoisingReport:
    """What the page of a denoised cube shows.

    Args:
        restoration: of the cube.
        file: the noisy cube.
        target: the denoised one, as it was written.
        denoiser_name: what the page calls it.
        scores: of "noisy" and "denoised" against a clean cube; empty without one.
    """
    damage, bands = restoration.damage, _shown_bands(file, restoration.damage)
    with open_cube(target) as written:
        before, after = (_picture(cube, bands, file.nodata, damage) for cube in (file, written))
    sigma = restoration.sigma[damage.live_bands]
    rows = damage_rows(damage, restoration.missing_values, restoration.repair)
    odd = (
        *repairs_rows(restoration.repairs),
        *unexplained_rows(restoration.unexplained, damage),
    )
    remarks = [f"{what}: {value}." for what, value in (*rows[:4], *odd) if value != "none"]
    size = " × ".join(map(str, file.shape))
    rank = "band by band" if restoration.rank is None else f"{restoration.rank} eigen-images"
    share = non_local_share(restoration.shares)
    shares = [] if restoration.rank is None else [("share of the non-local step", share)]
    return DenoisingReport(
        title=f"{file.path.name}, denoised",
        lead=f"{size} (lines × samples × bands), {file.dtype.name}, {file.format}",
        before=before,
        after=after,
        bands=(bands[0] + 1, bands[1] + 1, bands[2] + 1),
        sigma=restoration.sigma,
        wavelengths=file.wavelengths,
        damage=(*rows, *odd),
        method=(
            ("denoiser", denoiser_name),
            ("planes", rank),
            *shares,
            ("noise of the bands, σ", f"{sigma.min():.4g} to {sigma.max():.4g}, cube's units"),
            ("noise of the bands, median σ", f"{np.median(sigma):.4g}"),
        ),
        scores=scores,
        remarks=remarks,
    )


def added_noise_text(kind: CubeNoise, sigma: float, seed: int) -> str:
    """What a trial has done to the cube, in a sentence."""
    return f"A trial: noise was added to this cube ({kind}, σ {sigma:g}, seed {seed})."


def _shown_bands(file: CubeFile, damage: Damage) -> tuple[int, int, int]:
    """The bands of the picture, live ones in the place of dead ones."""
    wanted = file.default_bands or nearest_bands(file.wavelengths, file.shape[2])
    live = damage.live_bands
    red, green, blue = (int(live[np.abs(live - band).argmin()]) for band in wanted)
    return red, green, blue


def _picture(
    file: CubeFile, bands: tuple[int, int, int], nodata: float | None, damage: Damage
) -> NDArray[np.floating]:
    """Three bands of a cube, NaN where there is no data."""
    blocks = [file.read(first, last)[..., list(bands)] for first, last in line_blocks(file.shape)]
    picture = floats_of(np.concatenate(blocks), nodata)
    picture[~damage.valid] = np.nan
    return picture
