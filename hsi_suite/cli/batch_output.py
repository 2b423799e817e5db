"""What `hsi batch` and `hsi train --runs` print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .output import print_json
from .terminal import say

if TYPE_CHECKING:
    from ..runs.batches.files import Batch


def print_batch(batch: Batch, as_json: bool) -> None:
    """A batch's figures and verdicts and where its files lie; fails when a run failed."""
    from ..errors import RunError
    from ..reports.batches.summary_tables import summary_blocks
    from ..reports.terminal import print_blocks
    from ..runs.batches.files import RUNS_CSV, SUMMARY
    from ..runs.folder import REPORT

    summary = batch.summary
    if as_json:
        print_json({"batch": str(batch.path), **summary})
    else:
        print_blocks(summary_blocks(summary))
        for words, name in (("runs", RUNS_CSV), ("summary", SUMMARY), ("report", REPORT)):
            say(f"{words:8} {batch.path / name}")
    if batch.failures:
        first = next(iter(batch.failures.items()))
        raise RunError(
            batch.path, f"{len(batch.failures)} runs failed, the first: {first[0]}: {first[1]}"
        )
