"""Whether a launcher has started this process together with others; known without torch."""

from __future__ import annotations

import os


def launched_processes() -> int:
    """How many processes the launcher (torchrun) has started; 1 without one."""
    size = os.environ.get("WORLD_SIZE", "")
    return int(size) if size.isdecimal() and "RANK" in os.environ else 1
