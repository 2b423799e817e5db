"""How long every command takes to its help, and to its first line of output, warm."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click
import numpy as np
from PIL import Image

from hsi_suite.cli import cli

from .group import Group, Say, Table
from .load import watched
from .workload import Workload

_HSI = str(Path(sysconfig.get_path("scripts")) / "hsi")
# Commands that do not train load what they compute with before they speak: seconds each.
_ROUNDS, _LONG_ROUNDS = 7, 3
# What the project promises, in seconds.
_IMPORT, _HELP, _TRAINING = 0.5, 0.3, 0.5
# Every command that trains, and one of each other kind; RUN is a finished run.
TRAININGS = (
    "train --dataset synthetic",
    "train --dataset synthetic --model svm",
    "train --dataset synthetic --runs 2",
    "train --dataset digits",
    "train --config smoke/denoising",
    "train --config retrieval/synthetic_spectrum_rgb",
    "train --resume RUN",
    "batch batch/smoke",
    "replay RUN",
)
OTHERS = (
    "train --dataset synthetik",
    "evaluate RUN",
    "predict RUN --scene cube.hdr -o map.tif --overwrite",
    "denoise photograph.png -o clean.png --overwrite",
    "detect cube.hdr --anomaly rx -o found.tif --overwrite",
    "audit labels.tif --split RUN/split.npz -o audit.html --overwrite",
    "report RUN",
    "compare RUN RUN2",
    "data list",
    "models list",
    "config list",
    "doctor",
)


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
    """Wall-clock seconds from the begin of a command that trains to its first output."""
    say("First lines")
    promised = {f"hsi {line}": _TRAINING for line in TRAININGS}
    return _first_lines("First line of a training", TRAININGS, promised, _ROUNDS)


def time_other_commands(workload: Workload, say: Say) -> Table:
    """The same of the other commands."""
    say("First lines of other commands")
    return _first_lines("First line of other commands", OTHERS, {}, _LONG_ROUNDS)


def seconds_of(command: Sequence[str], folder: Path) -> float:
    """How long a command takes to its end."""
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - started


def seconds_to_first_output(command: Sequence[str], folder: Path) -> float:
    """How long a command takes to say anything; it is ended then.

    Raises:
        RuntimeError: it ends without a word.
    """
    started = time.perf_counter()
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
        seconds = time.perf_counter() - started
        said = any(os.read(key.fd, 1) for key, _ in ready)
        process.kill()
    if not said:
        raise RuntimeError(f"{' '.join(command)}: ended without a word")
    return seconds


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


def _first_lines(
    title: str, lines: Sequence[str], promised: Mapping[str, float], rounds: int
) -> Table:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runs = _samples(folder)
        commands = {
            f"hsi {line}": [_HSI, *(_named(word, runs) for word in line.split())] for line in lines
        }
        return _table(title, commands, folder, seconds_to_first_output, promised, rounds)


def _samples(folder: Path) -> tuple[Path, Path]:
    """Two finished runs, after a scene and a photograph were put into the folder."""

    def hsi(*words: str) -> None:
        subprocess.run([_HSI, *words], cwd=folder, check=True, capture_output=True)

    hsi("data", "export", "synthetic_small", "-o", "cube.hdr", "--labels-output", "labels.tif")
    noise = np.random.default_rng(0).normal(120, 15, (64, 64, 3)).clip(0, 255)
    Image.fromarray(noise.astype(np.uint8)).save(folder / "photograph.png")
    for seed in ("0", "1"):
        hsi("train", "--dataset", "synthetic_small", "--model", "lda", "--seed", seed)
    first, second = sorted(path.relative_to(folder) for path in folder.glob("runs/*_lda_*"))
    return first, second


def _named(word: str, runs: tuple[Path, Path]) -> str:
    return word.replace("RUN2", str(runs[1])).replace("RUN", str(runs[0]))


GROUP = Group(title="Start-up", parts=(time_start_up, time_first_lines, time_other_commands))
