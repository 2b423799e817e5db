"""What products of runs must say whose data no published checksum vouches for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..engine.observer import Observer
from ..reports.content import unverified_text
from .folder import open_run


def told_unverified(runs: Sequence[str | Path], observer: Observer) -> tuple[str, ...]:
    """The unverified files that finished runs learnt from; the observer hears of them in a line.

    Args:
        runs: their folders.
        observer: hears of it.

    Raises:
        RunError: one of them is no run, or damaged.
    """
    metrics = [open_run(run).metrics for run in runs]
    names = {str(name) for each in metrics for name in each.get("unverified") or ()}
    if names:
        observer.message(unverified_text(sorted(names)))
    return tuple(sorted(names))
