"""What a run says of itself in a terminal or a notebook, damaged or not."""

from __future__ import annotations

from ..errors import HsiSuiteError
from ..metrics.measures import measure
from .batches.files import whole_files
from .folder import Run
from .tasks import task_of


def run_rows(run: Run) -> list[tuple[str, str]]:
    """What was trained and its first figures, or what is wrong with it."""
    if not run.finished:
        return [("state", "not finished")]
    try:
        metrics, task = run.metrics, task_of(run)
        with whole_files(run.path):
            figures = task.scores(metrics)
            rows = [
                ("trained", f"{metrics['model']} on {metrics['dataset']}, seed {metrics['seed']}"),
                *(
                    (measure(k).title, measure(k).with_unit(figures[k]))
                    for k in task.headline(metrics)
                ),
            ]
    except HsiSuiteError as error:
        return [("state", error.brief())]
    unverified = metrics.get("unverified")
    return [*rows, ("unverified", ", ".join(unverified))] if unverified else rows
