"""How long every command takes to its help, to its first line of output, and to its end, warm."""

from __future__ import annotations

import os
import resource
import selectors
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click

from hsi_suite.cli import cli

from .group import Group, Say, Table
from .load import watched
from .start_up_commands import OTHERS, TRAININGS, WRONG, prepare, words
from .workload import Workload

_HSI = str(Path(sysconfig.get_path("scripts")) / "hsi")
# Commands that are carried out to their end take seconds each.
_ROUNDS, _LONG_ROUNDS = 7, 3
# What the project promises, in seconds.
_IMPORT, _HELP, _FIRST = 0.5, 0.3, 0.5
_MEASURED = ("first", "first_processor", "processor")


def time_start_up(workload: Workload, say: Say) -> Table:
    """Wall-clock seconds of imports and help, each from begin to end."""
    say("Start-up")
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import hsi_suite": [sys.executable, "-c", "import hsi_suite"],
        "hsi --help": [_HSI, "--help"],
    }
    for name in cli.list_commands(click.Context(cli)):
        commands[f"hsi {name} --help"] = [_HSI, name, "--help"]
    promised = {name: _HELP for name in commands if name.endswith("--help")}
    return _table(
        "Start-up", commands, Path.cwd(), seconds_of, promised | {"import hsi_suite": _IMPORT}
    )


def time_first_lines(workload: Workload, say: Say) -> Table:
    """Commands that train, to their first output."""
    say("First lines")
    return _first_lines("First line of a training", TRAININGS, _ROUNDS)


def time_other_commands(workload: Workload, say: Say) -> Table:
    """All others, to their end."""
    say("First lines of other commands")
    return _first_lines("First line of other commands", OTHERS, _LONG_ROUNDS, status=0)


def time_refusals(workload: Workload, say: Say) -> Table:
    """What is refused by its names alone."""
    say("Refusals")
    return _first_lines("Refusals by names alone", WRONG, _ROUNDS, status=2)


@dataclass(frozen=True)
class Course:
    """How long a command took.

    Attributes:
        first: seconds to its first output, by the clock.
        first_processor: seconds of processor time until then; None where the system does not say.
        processor: to its end, its own processes included; None where it was ended before.
    """

    first: float
    first_processor: float | None
    processor: float | None


def seconds_of(command: Sequence[str], folder: Path) -> float:
    """How long a command takes to its end."""
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - started


def course_of(command: Sequence[str], folder: Path, status: int | None = None) -> Course:
    """How long a command takes to say anything, and to its end if that is waited for.

    Args:
        command: its words.
        folder: where it is given.
        status: with which it has to end; None ends it after its first output.

    Raises:
        RuntimeError: it ends without a word, or otherwise.
    """
    started, before = time.perf_counter(), _children_seconds()
    with (
        subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
        selectors.DefaultSelector() as streams,
    ):
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            streams.register(stream, selectors.EVENT_READ)
        ready = streams.select()
        seconds, own = time.perf_counter() - started, _seconds_of_process(process.pid)
        said = any(os.read(key.fd, 1) for key, _ in ready)
        if status is None:
            process.kill()
        _, errors = process.communicate()
    if not said:
        raise RuntimeError(f"{' '.join(command)}: ended without a word")
    if status is None:
        return Course(seconds, own, None)
    if process.returncode != status:
        raise RuntimeError(f"{' '.join(command)}: ended with {process.returncode}: {errors!r}")
    return Course(seconds, own, _children_seconds() - before)


def _seconds_of_process(number: int) -> float | None:
    """Processor time of a process that runs or has not been waited for, in steps of 10 ms."""
    path = Path(f"/proc/{number}/stat")
    if not path.exists():
        return None
    # proc(5): the name may hold anything; user and system time are the 14th and 15th.
    fields = path.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _table(
    title: str,
    commands: Mapping[str, Sequence[str]],
    folder: Path,
    measure: Callable[[Sequence[str], Path], float],
    promised: Mapping[str, float],
    rounds: int = _ROUNDS,
) -> Table:
    """Commands in turns, after one round that is not counted."""
    found: dict[str, list[float]] = {name: [] for name in commands}
    with watched() as load:
        for number in range(rounds + 1):
            for name, command in commands.items():
                seconds = measure(command, folder)
                if number:
                    found[name].append(seconds)
    return {
        "title": f"{title}, warm, seconds",
        "note": f"Rounds: {rounds}.",
        "head": ["", "min / median / max", "promised"],
        "rows": [
            [f"`{name}`", seconds, f"< {promised[name]}" if name in promised else ""]
            for name, seconds in found.items()
        ],
        "load": load,
    }


def _first_lines(title: str, lines: Sequence[str], rounds: int, status: int | None = None) -> Table:
    """Commands in turns, after one round that is not counted."""
    found: dict[str, list[Course]] = {line: [] for line in lines}
    folder = Path(_samples().name)
    with watched() as load:
        for number in range(rounds + 1):
            for line, courses in found.items():
                course = course_of([_HSI, *words(line, folder)], folder, status)
                courses += [course] if number else []
    heads = ["first line", "processor time until then"]
    heads += [] if status is None else ["processor time to the end"]
    return {
        "title": f"{title}, warm, seconds",
        "note": f"Rounds: {rounds}. Cells: min / median / max. Promised: first lines < {_FIRST}.",
        "head": ["", *heads],
        "rows": [
            [f"`hsi {line}`", *(_cells(courses, key) for key in _MEASURED[: len(heads)])]
            for line, courses in found.items()
        ],
        "load": load,
    }


@cache
def _samples() -> tempfile.TemporaryDirectory[str]:
    """The files and runs that calls are given; the folder goes with the process."""
    folder = tempfile.TemporaryDirectory()
    prepare(Path(folder.name), _HSI)
    return folder


def _cells(courses: Sequence[Course], key: str) -> list[float] | str:
    values = [getattr(course, key) for course in courses]
    return "" if None in values else values


GROUP = Group(
    title="Start-up",
    parts=(time_start_up, time_first_lines, time_other_commands, time_refusals),
)
