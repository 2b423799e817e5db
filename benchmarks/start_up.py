"""How long the command and the import take, warm."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from .group import Group, Say, Table
from .load import watched
from .workload import Workload

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import hsi_suite": [sys.executable, "-c", "import hsi_suite"],
    "hsi --help": [str(Path(sysconfig.get_path("scripts")) / "hsi"), "--help"],
}
_ROUNDS = 7
# What the project promises, in seconds.
_LIMITS = {"import hsi_suite": 0.5, "hsi --help": 0.3}


def time_start_up(workload: Workload, say: Say) -> Table:
    """Wall-clock seconds of each command, in turns, after one round that is not counted."""
    say("Start-up")
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with watched() as load:
        for number in range(_ROUNDS + 1):
            for name, command in COMMANDS.items():
                started = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                if number:
                    found[name].append(time.perf_counter() - started)
    return {
        "title": "Start-up, warm, seconds",
        "note": f"Rounds: {_ROUNDS}.",
        "head": ["", "min / median / max", "promised"],
        "rows": [
            [f"`{name}`", seconds, f"< {_LIMITS[name]}" if name in _LIMITS else ""]
            for name, seconds in found.items()
        ],
        "load": load,
    }


GROUP = Group(title="Start-up", parts=(time_start_up,))
