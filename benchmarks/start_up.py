"""How long the command and the import take, warm."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from pathlib import Path

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import hsi_suite": [sys.executable, "-c", "import hsi_suite"],
    "hsi --help": [str(Path(sysconfig.get_path("scripts")) / "hsi"), "--help"],
}


def time_start_up(rounds: int) -> dict[str, list[float]]:
    """Wall-clock seconds of each command in each round, after one round that is not counted."""
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(rounds + 1):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            if number:
                found[name].append(time.perf_counter() - started)
    return found
