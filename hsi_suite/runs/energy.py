"""What energy the processors take, where the machine tells it.

Linux has the counters of Intel's and AMD's processors (RAPL) in /sys/class/powercap. They count
whole packages, whatever runs on them, and most systems let root alone read them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_POWERCAP = Path("/sys/class/powercap")
# A counter begins anew after minutes at the earliest (262 kJ at 400 W: eleven).
_LOOKING_SECONDS = 60.0


@dataclass
class _Package:
    """One processor's counter.

    Attributes:
        counter: file with its microjoules.
        largest: what it counts to before it begins anew.
        last: what it showed last.
        joules: that have come together since the first look.
    """

    counter: Path
    largest: int
    last: int
    joules: float = 0.0

    def look(self) -> None:
        now = int(self.counter.read_text())
        # A counter goes from 0 to its largest value, which is one step before 0 again.
        self.joules += (now - self.last) % (self.largest + 1) / 1e6
        self.last = now


class EnergyMeter:
    """Adds up the counters of all packages."""

    def __init__(self, packages: list[_Package]) -> None:
        self._packages = packages
        self._guard = threading.Lock()

    @property
    def joules(self) -> float | None:
        """What the processors have taken since the begin; None where nothing tells it."""
        with self._guard:
            try:
                for package in self._packages:
                    package.look()
            except (OSError, ValueError):
                self._packages = []
            return sum(package.joules for package in self._packages) if self._packages else None


@contextmanager
def energy_metered(folder: Path = _POWERCAP) -> Iterator[EnergyMeter]:
    """Count from here on, and look often enough for counters that begin anew.

    Args:
        folder: where the system has its counters.
    """
    packages = _packages(folder)
    meter, ended = EnergyMeter(packages), threading.Event()

    def look() -> None:
        while not ended.wait(_LOOKING_SECONDS) and meter.joules is not None:
            pass

    if packages:
        threading.Thread(target=look, name="energy", daemon=True).start()
    try:
        yield meter
    finally:
        ended.set()


def _packages(folder: Path) -> list[_Package]:
    """The packages' counters; none where one of them cannot be read, as a part would mislead."""
    try:
        # Their parts (cores, memory) are zones within, intel-rapl:0:0; psys is the whole board.
        zones = [zone for zone in sorted(folder.glob("intel-rapl:*")) if zone.name.count(":") == 1]
        return [
            _Package(
                zone / "energy_uj",
                int((zone / "max_energy_range_uj").read_text()),
                int((zone / "energy_uj").read_text()),
            )
            for zone in zones
            if (zone / "name").read_text().startswith("package")
        ]
    except (OSError, ValueError):
        return []
