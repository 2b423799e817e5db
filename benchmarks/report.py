"""The figures as Markdown for people: `python -m benchmarks.report RESULT.json... -o PAGE.md`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from hsi_suite.atomic import write_text

from .load import too_busy

FORMAT = "hsi_suite benchmark 2"
Result = Mapping[str, Any]
Entry = Mapping[str, Any]
_BUSY = (
    "**Other programs were using the processors during what is marked ⚠: those figures are not "
    "to be quoted.**"
)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("results", nargs="+", type=Path, help="JSON files of `make bench`")
    parser.add_argument("-o", "--output", type=Path, help="page to write; printed without")
    options = parser.parse_args(arguments)
    try:
        text = page([read_result(path) for path in options.results])
    except ValueError as error:
        sys.exit(f"benchmarks.report: {error}")
    print(text, end="") if options.output is None else write_text(options.output, text)


def read_result(path: Path) -> Result:
    """A result of `python -m benchmarks`.

    Raises:
        ValueError: the file is missing or holds something else.
    """
    try:
        result: Result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} cannot be read ({error})") from error
    if not isinstance(result, dict) or result.get("format") != FORMAT:
        raise ValueError(f"{path.name} holds no {FORMAT}: run `make bench` again")
    return result


def page(results: Sequence[Result]) -> str:
    """One page of several results, a chapter each."""
    parts = ["# hsi_suite against the usual way", _LEGEND]
    for result in results:
        parts += chapter(result)
    return "\n\n".join(parts) + "\n"


_LEGEND = (
    "Sides are timed in turns, each in a process of its own. Cells with three figures: min / "
    "median / max over the rounds; a ratio is taken inside a round. Times are scaled up from the "
    "pixels that were timed. Peak MB: largest resident memory of the process, preparing "
    "included. GFLOP/s: of the operations a side has to do, and as a share of what dense "
    "products reach in its precision."
)


def chapter(result: Result) -> list[str]:
    """The paragraphs and tables of one result."""
    machine = result["machine"]
    tables = [table for group in result["groups"] for table in group["tables"]]
    busy = too_busy(result["idle"]) or any(too_busy(table["load"]) for table in tables)
    parts = [f"## {machine['device_name'] or machine['cpu']}", *([_BUSY] if busy else [])]
    parts += [*_machine(machine), _course(result)]
    for group in result["groups"]:
        parts.append(f"### {group['title']}")
        for each in group["tables"]:
            parts += [f"#### {each['title']}", _table(each, machine), _remarks(each)]
    return parts


def _machine(machine: Entry) -> list[str]:
    rates, code = machine["matrix_multiply_gflops"], machine["code"]
    bf16 = ", ".join(machine["bf16_instructions"]) or "none"
    amx = "with" if any(flag.startswith("amx") for flag in machine["flags"]) else "without"
    commit = f"; commit {code['commit'][:10]}{', changed' if code['changed'] else ''}"
    return [
        f"{machine['cpu']}, {machine['threads']} of {machine['processors']} processors used, "
        f"{machine['memory_gigabytes']:.0f} GB of memory; {machine['system']}, Python "
        f"{machine['python']}, torch {machine['torch']} ({machine['cpu_capability']})"
        f"{commit if code else ''}. The fastest dense products reach {rates['float32']:,.0f} "
        f"GFLOP/s in float32, {rates['bfloat16']:,.0f} in bfloat16 "
        f"(instructions for it: {bf16}; {amx} AMX). That is the peak of this report: what the "
        "instructions could do at most is not computed, as neither the clock under load nor the "
        "number of multiplying units can be read from the system.",
        f"Flags: {' '.join(machine['flags']) or 'unknown'}.",
    ]


def _course(result: Result) -> str:
    work = result["workload"]
    return (
        f"Run of {result['started'][:10]}, {result['seconds'] / 60:.0f} minutes. Data set "
        f"`{work['dataset']}`, {work['components']} components, window {work['window']}, dropout "
        f"{work['dropout']}. {_taken('Before it', result['idle'])}"
    )


def _taken(when: str, load: Entry) -> str:
    if load["others"] is None:
        return f"{when} the load is unknown on this system."
    stolen = f", the host {load['stolen']:.2f}" if load["stolen"] >= 0.005 else ""
    mark = " ⚠" if too_busy(load) else ""
    return f"{when} other programs took {load['others']:.2f} processors{stolen}{mark}."


def _remarks(each: Entry) -> str:
    rounds = f"Rounds: {len(each['sides'][0]['rounds'])}. " if "sides" in each else ""
    return f"{rounds}{each['note']} {_taken('Meanwhile', each['load'])}"


def _table(each: Entry, machine: Entry) -> str:
    if "sides" not in each:
        return table(each["head"], [[_cell(cell) for cell in row] for row in each["rows"]])
    columns = [column for name in each["columns"] for column in COLUMNS[name](each, machine)]
    names = ["", *(side["name"] for side in each["sides"])]
    lines = [list(cells) for cells in zip(names, *columns, strict=True)]
    return table(lines[0], lines[1:])


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else three(value)


Column = list[str]


def _seconds(each: Entry, machine: Entry) -> list[Column]:
    return [["seconds", *(three([r["seconds"] for r in s["rounds"]]) for s in each["sides"])]]


def _timed(each: Entry, machine: Entry) -> list[Column]:
    first = [side["rounds"][0] for side in each["sides"]]
    return [["pixels timed", *(f"{r['pixels']:,} of {r['whole']:,}" for r in first)]]


def _ratios(each: Entry, machine: Entry) -> list[Column]:
    """How much faster than each usual way every side is."""
    columns = []
    for usual in (side for side in each["sides"] if side["usual"]):
        ratios = [
            [
                theirs["seconds"] / own["seconds"]
                for theirs, own in zip(usual["rounds"], side["rounds"], strict=True)
            ]
            for side in each["sides"]
        ]
        cells = [
            "1" if side is usual else three(values)
            for side, values in zip(each["sides"], ratios, strict=True)
        ]
        columns.append([f"× {usual['name']}", *cells])
    return columns


def _megapixels(each: Entry, machine: Entry) -> list[Column]:
    speeds = [[r["pixels"] / r["timed"] / 1e6 for r in s["rounds"]] for s in each["sides"]]
    return [["MP/s", *map(three, speeds)]]


def _memory(each: Entry, machine: Entry) -> list[Column]:
    columns = [["peak MB", *(_largest(side, "peak_megabytes") for side in each["sides"])]]
    if "device_megabytes" in each["sides"][0]["rounds"][0]:
        columns.append(
            ["GPU peak MB", *(_largest(side, "device_megabytes") for side in each["sides"])]
        )
    return columns


def _largest(side: Entry, name: str) -> str:
    return f"{max(reply[name] for reply in side['rounds']):.0f}"


def _rate(each: Entry, machine: Entry) -> list[Column]:
    cells = []
    for side in each["sides"]:
        rate = median(r["operations"] / r["timed"] for r in side["rounds"]) / 1e9
        share = rate / machine["matrix_multiply_gflops"][side["precision"]]
        cells.append(f"{rate:,.0f} ({share:.0%})")
    return [["GFLOP/s", *cells]]


def _agreement(each: Entry, machine: Entry) -> list[Column]:
    return [["agreement", *(_agreement_cell(side.get("agreement")) for side in each["sides"])]]


def _agreement_cell(found: Entry | None) -> str:
    if found is None:
        return ""
    if "equal_share" in found:
        return f"{found['equal_share']:.1%} of labels as {found['with']}"
    return f"within {found['largest_difference']:.1e} of {found['with']}"


def _psnr(each: Entry, machine: Entry) -> list[Column]:
    return [["PSNR, dB", *(f"{_figure(side, 'psnr'):.2f}" for side in each["sides"])]]


def _cpu(each: Entry, machine: Entry) -> list[Column]:
    seconds = [[r["figures"]["cpu_seconds"] for r in s["rounds"]] for s in each["sides"]]
    return [["CPU s", *map(three, seconds)]]


def _gain(each: Entry, machine: Entry) -> list[Column]:
    gained = [_figure(side, "gain") for side in each["sides"]]
    spent = [_figure(side, "cpu_seconds") for side in each["sides"]]
    pairs = zip(gained, spent, strict=True)
    return [
        ["gained, dB", *(f"{gain:.2f}" for gain in gained)],
        ["dB per CPU s", *(_significant(gain / seconds) for gain, seconds in pairs)],
    ]


def _figure(side: Entry, name: str) -> float:
    values: list[float] = [reply["figures"][name] for reply in side["rounds"]]
    return median(values)


#: Columns of a comparison by name; each gives head and cells of one column or more.
COLUMNS: dict[str, Callable[[Entry, Entry], list[Column]]] = {
    "seconds": _seconds,
    "timed": _timed,
    "ratios": _ratios,
    "megapixels": _megapixels,
    "memory": _memory,
    "rate": _rate,
    "agreement": _agreement,
    "psnr": _psnr,
    "cpu": _cpu,
    "gain": _gain,
}


def three(values: Sequence[float]) -> str:
    """Min / median / max in three significant digits."""
    return " / ".join(_significant(value) for value in (min(values), median(values), max(values)))


def _significant(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns also line up as plain text; figures to the right."""
    widths = [max(3, *(len(line[i]) for line in (head, *rows))) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *rest]) + " |"

    rule = "| " + " | ".join(["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]) + " |"
    return "\n".join([line(head), rule, *map(line, rows)])


if __name__ == "__main__":
    main()
