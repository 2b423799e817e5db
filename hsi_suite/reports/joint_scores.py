"""What the terminal tells of several runs that answer together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..metrics.measures import measure
from .content import count, enumerate_names, percent


def joint_lines(result: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Which items were scored and which were left out, and the scores beside those of each run.

    Args:
        result: what `Task.evaluate_together` returned, of a task that is scored by classes.
        names: the scores to tell, the most important one first.
    """
    test, alone = result["test"], result["alone"]
    what = "images" if "num_images" in test else "pixels"
    number = count(test[f"num_{what}"])
    lines = [f"{len(result['runs'])} runs together, {number} test {what} that all of them tested"]
    if result["left_out"]:
        lines.append(_left_out(result, what))
    absent = [row["name"] for row in test["per_class"] if not row["support"]]
    if absent:
        lines.append(f"no {what[:-1]} that all of them tested is of {enumerate_names(absent)}")
    width = max(18, *(len(measure(name).title) for name in names))
    for name in names:
        kind, own = measure(name), [row.get(name) for row in alone]
        line = f"{kind.title:{width}} {kind.with_unit(test[name])}"
        known = [value for value in own if value is not None]
        if len(known) == len(alone) > 1:
            line += f"   alone {kind.text(min(known))} to {kind.with_unit(max(known))}"
        lines.append(line)
    return lines


def closeness_line(result: Mapping[str, Any]) -> str:
    """How near the scored pixels of a scene are to those that the runs learnt from."""
    nearest = result["nearest_learnt"]
    if nearest is None:
        return "no run learnt from a scene of these pixels"
    memory = "so memory of the neighbourhood is scored, too"
    if share := result["inside_windows"]:
        return f"{percent(share)} % of them lie in the window of a pixel that was learnt, {memory}"
    if share := result["within_one_pixel"]:
        return f"{percent(share)} % of them lie beside a pixel that was learnt, {memory}"
    return f"the nearest pixel that a run learnt from is {nearest} pixels away, outside its window"


def _left_out(result: Mapping[str, Any], what: str) -> str:
    """How many items do not count, and why where that is known."""
    line = f"{count(result['left_out'])} {what} that some of the runs did not test are left out"
    learnt = result.get("left_out_learnt")
    return line if learnt is None else f"{line}: {count(learnt)} of them another run learnt from"
