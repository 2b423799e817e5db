"""The figures as JSON for programs and as Markdown for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from hsi_suite.atomic import write_json, write_text

JSON, MARKDOWN = "bench.json", "bench.md"
Result = Mapping[str, Any]


def write_report(result: dict[str, Any], folder: Path) -> str:
    """Write both files; the Markdown text is returned too."""
    for comparison in result["comparisons"]:
        add_ratios(comparison)
    text = markdown(result)
    write_json(folder / JSON, result)
    write_text(folder / MARKDOWN, text)
    return text


def add_ratios(comparison: dict[str, Any]) -> None:
    """Give each side `faster_than`: round by round, a usual way's seconds over its own."""
    sides = comparison["sides"]
    for side in sides:
        side["faster_than"] = {
            usual["name"]: spread(
                [
                    theirs["seconds"] / own["seconds"]
                    for theirs, own in zip(usual["rounds"], side["rounds"], strict=True)
                ]
            )
            for usual in sides
            if usual["usual"] and usual is not side
        }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Smallest, middle and largest value."""
    return {"min": min(values), "median": median(values), "max": max(values)}


def markdown(result: Result) -> str:
    """The whole report."""
    parts = ["# hsi_suite against the usual way", *_setting(result)]
    for comparison in result["comparisons"]:
        body = _comparison_table(comparison, result["machine"])
        rounds = len(comparison["sides"][0]["rounds"])
        note = f"Rounds: {rounds}. {comparison['note']}"
        parts += [f"## {comparison['title']}", body, note]
    parts += ["## Start-up, warm, seconds", _start_up_table(result["start_up"])]
    return "\n\n".join(parts) + "\n"


def _setting(result: Result) -> list[str]:
    machine, work = result["machine"], result["workload"]
    rates, load = machine["matrix_multiply_gflops"], machine["load_average"]
    busy = load[0] > machine["processors"] - machine["threads"] or load[1] > machine["processors"]
    warning = "**Other programs were using these processors: the figures are not to be quoted.**"
    return [
        *([warning] if busy else []),
        f"{machine['cpu']}, {machine['threads']} of {machine['processors']} processors used; load "
        f"average {load[0]:.1f} before the run, {load[1]:.1f} after it; {machine['system']}, "
        f"Python {machine['python']}, torch {machine['torch']} ({machine['cpu_capability']}). "
        f"Matrix products reach {rates['float32']:.0f} GFLOP/s in float32, "
        f"{rates['bfloat16']:.0f} in bfloat16.",
        f"Flags: {' '.join(machine['flags']) or 'unknown'}.",
        f"Data set `{work['dataset']}`, {work['components']} components, window {work['window']}, "
        f"dropout {work['dropout']}. Sides are timed in turns, each in a process of "
        "its own. Cells with three figures: min / median / max over the rounds; a "
        "ratio is taken inside a round. Times are scaled up from the pixels that were timed. "
        "GFLOP/s: of the operations a side has to do, and as a share of matrix products in its "
        "precision.",
    ]


def _comparison_table(comparison: Result, machine: Mapping[str, Any]) -> str:
    sides = comparison["sides"]
    usual = [side["name"] for side in sides if side["usual"]]
    head = ["", "seconds", "pixels timed", *(f"× {name}" for name in usual)]
    head += ["peak MB", "GFLOP/s"]
    rows = []
    for side in sides:
        rounds = side["rounds"]
        rate = median(r["operations"] / r["timed"] for r in rounds) / 1e9
        rows.append(
            [
                side["name"],
                three(spread([r["seconds"] for r in rounds])),
                f"{rounds[0]['pixels']:,} of {rounds[0]['whole']:,}",
                *(_ratio(side, name) for name in usual),
                f"{max(r['peak_megabytes'] for r in rounds):.0f}",
                f"{rate:.0f} ({rate / machine['matrix_multiply_gflops'][side['precision']]:.0%})",
            ]
        )
    return table(head, rows)


def _ratio(side: Mapping[str, Any], usual: str) -> str:
    return three(side["faster_than"][usual]) if usual in side["faster_than"] else "1"


def _start_up_table(times: Mapping[str, Sequence[float]]) -> str:
    rows = [[f"`{name}`", three(spread(seconds))] for name, seconds in times.items()]
    return table(["", "seconds"], rows)


def three(values: Mapping[str, float]) -> str:
    """Min / median / max in three significant digits."""
    return " / ".join(_significant(values[key]) for key in ("min", "median", "max"))


def _significant(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns also line up as plain text; figures to the right."""
    widths = [max(len(line[i]) for line in (head, *rows)) for i in range(len(head))]
    widths = [max(3, width) for width in widths]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *rest]) + " |"

    rule = "| " + " | ".join(["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]) + " |"
    return "\n".join([line(head), rule, *map(line, rows)])
