"""What happens on a worker of a dask.distributed cluster; imported only where there is one."""

from __future__ import annotations

from typing import Any

from distributed import WorkerPlugin, get_worker

from .jobs import Event, Job
from .worker_process import WorkerProcess

_LOOK_SECONDS = 0.5


class WorkerProcesses(WorkerPlugin):
    """Keeps processes that have done a job for the next one, as starting one costs seconds.

    Args:
        module: the module that they run, see `worker_loop.serve`.
    """

    name = "hsi-worker-processes"

    def __init__(self, module: str) -> None:
        self._module = module
        self._idle: list[WorkerProcess] = []

    def take(self, alone: bool) -> WorkerProcess:
        """A process that is free; a new one for a job that wants to be alone."""
        while self._idle and not alone:
            process = self._idle.pop()
            if process.alive:
                return process
            process.close()
        return WorkerProcess(self._module)

    def give_back(self, process: WorkerProcess) -> None:
        """Keep a process for the next job."""
        self._idle.append(process)

    def teardown(self, worker: Any) -> None:
        """Let the processes go, with the worker or when another batch brings its own."""
        while self._idle:
            self._idle.pop().close()


def carry_out_job(job: Job, topic: str) -> Event:
    """See a job through in a process.

    Args:
        job: what is to be done.
        topic: under which its progress is sent to whoever began the batch.

    Returns:
        The last event: finished, failed, stopped, or broken; the last two with the reason why.
    """
    worker: Any = get_worker()
    processes: WorkerProcesses = worker.plugins[WorkerProcesses.name]
    process = processes.take(job.alone)
    worker.log_event(topic, {"event": "started", "job": job.name})
    try:
        event = _watch(process, job, worker, topic)
    except BaseException:
        process.close()
        raise
    finally:
        worker.log_event(topic, {"event": "ended", "job": job.name})
    if event["event"] in ("finished", "failed") and not job.alone:
        processes.give_back(process)
    else:
        process.close()
    return event


def _watch(process: WorkerProcess, job: Job, worker: Any, topic: str) -> Event:
    key = worker.get_current_task()
    wanted = True
    process.give(job.order)
    while True:
        if wanted and not _wanted(worker, key):
            wanted = False
            process.stop()
        events = process.read(_LOOK_SECONDS)
        if events is None:
            return {"event": "broken", "why": process.breakdown()}
        for event in events:
            if event["event"] in ("finished", "failed", "stopped"):
                return {"why": "it was asked to stop", **event}
            worker.log_event(topic, {**event, "job": job.name})


def _wanted(worker: Any, key: Any) -> bool:
    """Whether somebody still waits for a task; not when its batch was stopped or killed."""
    task = worker.state.tasks.get(key)
    return task is not None and task.state == "executing"
