"""The spread of a batch's runs, taken apart by source of chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...metrics.measures import measure
from ...metrics.variance import Scale, variance_shares
from ..folder import Run
from ..scores import headline, part_sizes, run_scores, variant
from ..task import Scores
from .design import Cell, Design, Member

Runs = Mapping[str, Run]
_NUMERICS = "numerics"


def variance_entries(design: Design, runs: Runs, level: float) -> list[dict[str, Any]]:
    """The variance shares of every training of which sources were varied, by metric and scale.

    Runs that differ by threads or device alone stand beside the sources as "numerics"; they are
    no part of what varies in plain repetition, so the remainder leaves them out.
    """
    return [
        entry
        for cell in design.cells
        if cell.sources or cell.numerics
        for entry in _cell_entries(cell, design, runs, level)
    ]


def _cell_entries(cell: Cell, design: Design, runs: Runs, level: float) -> list[dict[str, Any]]:
    done = [runs[member.what] for member in cell.plain if member.what in runs]
    if not done:
        return []
    first = done[0].metrics
    rows = {
        member.what: run_scores(runs[member.what].metrics)
        for member in cell.members
        if member.what in runs
    }
    entries = []
    for metric in headline(first):
        scales: list[Scale] = ["identity"]
        if measure(metric).is_share:
            scales.append("logit")
        for scale in scales:
            shares = _shares(cell, rows, metric, scale, _count(first, metric), level)
            if shares["scale"] != scale:
                # The scores have no logit; the entry before says all there is.
                continue
            shares["notes"] += _cell_notes(cell, rows)
            entries.append(
                {
                    "name": cell.name,
                    "dataset": first["dataset"],
                    "model": first["model"],
                    "variant": variant(first),
                    "metric": metric,
                    "anchors": list(design.anchors),
                    **shares,
                }
            )
    return entries


def _count(metrics: Mapping[str, Any], metric: str) -> int | None:
    sizes = part_sizes(metrics)
    return sizes[1] if sizes is not None and measure(metric).counted else None


def _shares(
    cell: Cell,
    rows: Mapping[str, Scores],
    metric: str,
    scale: Scale,
    count: int | None,
    level: float,
) -> dict[str, Any]:
    def values(members: Sequence[Member]) -> list[float | None]:
        return [rows[m.what].get(metric) for m in members if m.what in rows]

    def shares(groups: Mapping[str, list[list[float | None]]]) -> dict[str, Any]:
        return variance_shares(
            groups,
            values(cell.plain),
            scale=scale,
            count=count,
            ceiling=measure(metric).ceiling,
            level=level,
        ).to_dict()

    found = shares(_by_source(cell, values))
    if not cell.sources:
        found |= dict.fromkeys(("remainder", "remainder_share", "remainder_share_interval"))
    if cell.numerics:
        alone = shares({_NUMERICS: [values(same) for same in _same_seeds(cell)]})
        found["sources"] = {**found["sources"], **alone["sources"]}
    return found


def _by_source(
    cell: Cell, values: Callable[[Sequence[Member]], list[float | None]]
) -> dict[str, list[list[float | None]]]:
    return {source: [values(m) for m in anchors] for source, anchors in cell.sources.items()}


def _same_seeds(cell: Cell) -> list[list[Member]]:
    """For each base seed its runs by the batch's own threads and device and by all others."""
    return [list(members) for members in zip(cell.plain, *cell.numerics.values(), strict=True)]


def _cell_notes(cell: Cell, rows: Mapping[str, Scores]) -> list[str]:
    notes = [f"{source} is not varied: {why}" for source, why in cell.missing.items()]
    groups = {source: list(anchors) for source, anchors in cell.sources.items()}
    if cell.numerics:
        groups[_NUMERICS] = list(_same_seeds(cell))
        settings = ", ".join(cell.numerics)
        notes.append(
            f"numerics: the same seeds with {settings} beside the runs' own; no part of the total, "
            "and not counted in the remainder"
        )
    for source, anchors in groups.items():
        done = [[rows[m.what] for m in members if m.what in rows] for members in anchors]
        if any(len(each) > 1 for each in done) and all(
            row == each[0] for each in done for row in each
        ):
            notes.append(
                f"{source}: its runs agree in every single score, so it changes nothing that is "
                "measured here"
            )
    return notes
