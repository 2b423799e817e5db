"""Which runs of a batch are finished, so that none is ever redone."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...atomic import write_json
from ...engine.jobs import Ending
from ...errors import InputFileError
from ...user_files import read_json
from ..folder import Run, RunInUseError, locked, tidy
from .design import Member

FINISHED = "finished.json"
TRACEBACKS = "tracebacks.txt"


class Progress:
    """Which runs of a batch are finished, in memory and beside them on disk."""

    def __init__(self, folder: Path, members: Sequence[Member]) -> None:
        self._folder = folder
        self._keys = {member.what: _key(member) for member in members}
        self._finished: dict[str, str] = finished_table(folder / FINISHED)
        self.runs: dict[str, Run] = {}
        self.failures: dict[str, str] = {}
        for member in members:
            run = Run(folder / self._finished.get(self._keys[member.what], ""))
            # The user's files may have changed since: such runs look for themselves.
            if run.finished:
                _tidy(run)
            if run.finished and not _names_a_file(member.config.model_dump(mode="json")):
                self.runs[member.what] = run

    def in_order(self, members: Sequence[Member]) -> tuple[dict[str, Run], dict[str, str]]:
        """Finished runs and failures by description, in the order of the members."""
        words = [member.what for member in members]
        return (
            {what: self.runs[what] for what in words if what in self.runs},
            {what: self.failures[what] for what in words if what in self.failures},
        )

    def add(self, end: Ending) -> None:
        """Note how a run ended."""
        what = end.job.name
        if end.error is None:
            self.runs[what] = Run(self._folder / end.result)
            self._finished[self._keys[what]] = end.result
            write_json(self._folder / FINISHED, self._finished)
            return
        self.failures[what] = end.error.replace(f"{self._folder}/", "")
        if end.details:
            with (self._folder / TRACEBACKS).open("a", encoding="utf-8") as file:
                file.write(f"{what}\n{end.details}\n")


def _tidy(run: Run) -> None:
    with contextlib.suppress(RunInUseError), locked(run):
        tidy(run)


def _key(member: Member) -> str:
    text = json.dumps(member.config.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def finished_table(path: Path) -> dict[str, str]:
    """Folders of finished runs by key; without the file every run looks for itself."""
    try:
        value = read_json(path, "a table of finished runs")
    except InputFileError:
        return {}
    return {k: v for k, v in value.items() if isinstance(v, str)}


def _names_a_file(tree: Any) -> bool:
    if isinstance(tree, Mapping):
        return any(map(_names_a_file, tree.values()))
    if isinstance(tree, list):
        return any(map(_names_a_file, tree))
    try:
        return isinstance(tree, str) and Path(tree).exists()
    except OSError:
        # Too long for a name.
        return False
