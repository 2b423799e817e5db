"""How much of the processors other programs take while something is timed."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

#: Processors that others may take on average before figures are not to be quoted.
TOLERATED = 0.25
_IDLE_SECONDS = 2.0
Load = dict[str, float | None]


@contextmanager
def watched() -> Iterator[Load]:
    """Watch a block whose processes have all ended when it ends.

    Yields:
        A dictionary that afterwards holds `seconds`, and in processors, on average: `own`, what
        this process and its children took; `others`, what other programs took; `stolen`, what
        the host of a virtual machine took from it. The last two are None where the system does
        not say (all but Linux).
    """
    load: Load = {}
    started, before, own = time.monotonic(), _system_seconds(), _own_seconds()
    yield load
    seconds, after = time.monotonic() - started, _system_seconds()
    taken = _own_seconds() - own
    load |= {"seconds": seconds, "own": taken / seconds, "others": None, "stolen": None}
    if before is not None and after is not None:
        load["others"] = max(0.0, after[0] - before[0] - taken) / seconds
        load["stolen"] = (after[1] - before[1]) / seconds


def idle_load() -> Load:
    """What other programs take while nothing is timed."""
    with watched() as load:
        time.sleep(_IDLE_SECONDS)
    return load


def too_busy(load: Mapping[str, float | None]) -> bool:
    """Whether figures that were taken under this load are not to be quoted."""
    return (load["others"] or 0) + (load["stolen"] or 0) > TOLERATED


def _own_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _system_seconds() -> tuple[float, float] | None:
    """Seconds since the start that all processors were busy, and that the host took."""
    path = Path("/proc/stat")
    if not path.exists():
        return None
    # proc(5): user, nice, system, idle, iowait, irq, softirq, steal
    fields = [int(field) for field in path.read_text().split("\n", 1)[0].split()[1:9]]
    ticks = os.sysconf("SC_CLK_TCK")
    return (sum(fields[:3]) + fields[5] + fields[6]) / ticks, fields[7] / ticks
