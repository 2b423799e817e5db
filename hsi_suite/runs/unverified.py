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
    # What is not finished is refused by whoever asks it for figures or a model.
    finished = [run for run in map(open_run, runs) if run.finished]
    names = {str(name) for run in finished for name in run.metrics.get("unverified") or ()}
    if names:
        observer.message(unverified_text(sorted(names)))
    return tuple(sorted(names))
