"""What may be taken of the memory: one rule for files that are read whole, one for the rest.

Readers ask `require_room` before they take memory for what a header declares. A command's
`--memory-limit` bounds it, and always what the machine has left.
"""

from __future__ import annotations

import math
import resource
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ConfigError, InputFileError

if TYPE_CHECKING:
    import numpy as np

# Nobody's memory is short of this; limits are meant for what is large.
_TRIFLE = 16e6
_MEMINFO, _STATM = Path("/proc/meminfo"), Path("/proc/self/statm")
_limits: list[float] = []

DEFAULT_MEMORY_LIMIT = 2e9
"""Bytes that a process may take where nothing else is asked for."""

PROGRAM_BYTES = 500e6
"""What Python, torch and the other libraries take of a limit (measured: 0.41 to 0.47 GB)."""
PLAIN_PROGRAM_BYTES = 250e6
"""The same without torch (measured: 0.22 to 0.24 GB)."""
BARE_PROGRAM_BYTES = 110e6
"""The same without what draws (measured: 0.08 to 0.10 GB)."""


def keep_within(limit: float) -> Callable[[], None]:
    """Bound what files may take until the returned function is called.

    Args:
        limit: bytes for the whole process.
    """
    _limits.append(limit)
    return lambda: _limits.remove(limit)


def require_room(path: Path, needed: float) -> None:
    """Refuse a file before memory is taken for it.

    Args:
        path: the file.
        needed: bytes that reading it takes, copies on the way included.

    Raises:
        InputFileError: that is more than the limit, or than the machine has left.
    """
    if needed <= _TRIFLE:
        return
    left = free_memory()
    program = _program_bytes()
    if _limits and needed + program > min(_limits):
        raise InputFileError(
            path,
            f"takes about {memory_text(needed)} beside {memory_text(program)} for the program "
            "itself",
            f"at most the memory limit, {memory_text(min(_limits))}",
            "raise --memory-limit if it is really so large",
        )
    if left is not None and needed > left:
        raise InputFileError(
            path,
            f"takes about {memory_text(needed)} of memory",
            f"at most the {memory_text(left)} that this machine has left",
            "cut the file, or use a machine with more memory",
        )


def _program_bytes() -> float:
    """What the program takes with the libraries that it has loaded: the large ones tell."""
    if "torch" in sys.modules:
        return PROGRAM_BYTES
    return PLAIN_PROGRAM_BYTES if "matplotlib" in sys.modules else BARE_PROGRAM_BYTES


def check_limit(limit: float, needed: float, what: str, remedy: str = "raise it") -> None:
    """Refuse what does not keep within a limit.

    Args:
        limit: bytes for the whole process.
        needed: bytes that it takes, the program itself included.
        what: what takes them.
        remedy: what the user can do.

    Raises:
        ConfigError: it takes more.
    """
    if needed > limit:
        wanted = f"at least {memory_text(needed)} for {what}"
        raise ConfigError("--memory-limit", memory_text(limit), wanted, remedy)


def bytes_of(shape: Iterable[int], dtype: np.dtype[Any], copies: float = 1) -> float:
    """Bytes of an array; a float, as damaged headers declare more than integers of C hold."""
    return float(math.prod(shape)) * dtype.itemsize * copies


def free_memory() -> float | None:
    """Bytes that the machine, and the limits of this process, leave; None where nothing says."""
    left = [_available(), _address_space()]
    return min((size for size in left if size is not None), default=None)


def _available() -> float | None:
    try:
        lines = _MEMINFO.read_text("ascii").splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return 1024.0 * int(sizes[0]) if sizes else None


def _address_space() -> float | None:
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        return None
    try:
        used = int(_STATM.read_text("ascii").split()[0]) * resource.getpagesize()
    except OSError:
        used = 0
    return max(0.0, float(soft - used))


def memory_text(size: float) -> str:
    """An amount of memory in bytes as one reads it, rounded up: "560 MB" or "2.50 GB"."""
    size = max(size, 0)
    if size < 995e6:
        return f"{math.ceil(size / 1e6 - 1e-6)} MB"
    return f"{math.ceil(size / 1e7 - 1e-6) / 100:.2f} GB"
