"""Jobs of a batch in the tests' own process, for tests of what a batch does with its runs.

Starting a worker costs seconds of imports. That workers do the same is shown where they are the
matter: `test_pipeline_batch.py`, `test_executors.py`, `kills.py`.
"""

import json

from hsi_suite.engine.jobs import Ending
from hsi_suite.errors import HsiSuiteError
from hsi_suite.pipelines import reproducibility
from hsi_suite.runs.batches import worker


class InlineExecutor:
    """Carries out what a worker would, one job after the other."""

    def carry_out(self, jobs, observer, report):
        for job in jobs:
            observer.job_started(job.name)
            # As a worker gets its order: through JSON.
            order = json.loads(json.dumps(job.order))
            try:
                end = Ending(job, result=worker.carry_out(order, observer))
            except HsiSuiteError as error:
                end = Ending(job, error=str(error))
            observer.job_ended(job.name, end.error)
            report(end)


def use_inline_jobs(monkeypatch):
    """Let batches start no processes."""
    monkeypatch.setattr(reproducibility, "_executor", lambda *_: InlineExecutor())
