"""Jobs by worker processes on this machine, one or several at a time."""

from __future__ import annotations

import os
import selectors
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..errors import Stopped
from .jobs import Ending, Job, JobObserver, ending, relay
from .observer import stop_requests
from .worker_process import WorkerProcess

_LOOK_SECONDS = 0.25
_SAVING_SECONDS = 30.0


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass
class _Work:
    job: Job
    attempts: int = 0


@dataclass
class ProcessExecutor:
    """Runs jobs in worker processes of this machine.

    A worker takes one job after the other, as starting one costs seconds; one that breaks down
    takes only its present job with it, which is begun again in a new worker.

    Attributes:
        module: the module that worker processes run, see `worker_loop.serve`.
        processes: most of them at a time.
        retries: how often a job is begun again whose process broke down.
        devices: the machine's CUDA devices, as `visible_devices` names them. Jobs that may take any
            take the one with the fewest at work.
    """

    module: str
    processes: int = 1
    retries: int = 1
    devices: Sequence[str] = ()
    _busy: dict[WorkerProcess, _Work] = field(default_factory=dict, init=False)
    _idle: list[WorkerProcess] = field(default_factory=list, init=False)
    _stopping: bool = field(default=False, init=False)

    def carry_out(
        self, jobs: Sequence[Job], observer: JobObserver, report: Callable[[Ending], None]
    ) -> None:
        """See `Executor`."""
        if len(self.devices) > 1 and any(job.spread for job in jobs):
            observer.message(f"{len(self.devices)} CUDA devices: the runs are spread over them")
        waiting = deque(_Work(job) for job in jobs)
        with stop_requests() as stop, selectors.DefaultSelector() as selector:
            try:
                while (waiting or self._busy) and not stop.pending:
                    self._fill(waiting, selector, observer)
                    self._listen(waiting, selector, observer, report)
                if stop.pending:
                    self._wind_up(waiting, selector, observer, report)
            finally:
                for process in (*self._busy, *self._idle):
                    process.close()
                self._busy, self._idle = {}, []

    def _fill(
        self, waiting: deque[_Work], selector: selectors.BaseSelector, observer: JobObserver
    ) -> None:
        while waiting and len(self._busy) < self.processes:
            work = waiting.popleft()
            process = self._worker(work.job)
            selector.register(process, selectors.EVENT_READ)
            self._busy[process] = work
            process.give(work.job.order)
            observer.job_started(work.job.name)

    def _worker(self, job: Job) -> WorkerProcess:
        device = self._freest_device() if job.spread else None
        if self._idle and not job.alone and device is None:
            return self._idle.pop()
        if self._idle:
            self._idle.pop().close(_LOOK_SECONDS)
        return WorkerProcess(self.module, device)

    def _freest_device(self) -> str | None:
        """The device with the fewest jobs, the first of equals; None where there is no choice."""
        if len(self.devices) < 2:
            return None
        taken = Counter(process.device for process in self._busy)
        return min(self.devices, key=lambda device: taken[device])

    def _listen(
        self,
        waiting: deque[_Work],
        selector: selectors.BaseSelector,
        observer: JobObserver,
        report: Callable[[Ending], None],
    ) -> None:
        for key, _ in selector.select(_LOOK_SECONDS):
            process = key.fileobj
            assert isinstance(process, WorkerProcess)
            work = self._busy[process]
            events = process.read(0)
            if events is None:
                self._release(process, selector, reuse=False)
                self._broken(process, work, waiting, observer, report)
                continue
            for event in events:
                relay(work.job.name, event, observer)
                end = ending(work.job, event)
                if end is not None:
                    self._release(process, selector, reuse=not work.job.alone)
                    observer.job_ended(work.job.name, end.error)
                    report(end)
                elif event["event"] == "stopped":
                    # Somebody has asked the worker itself to stop; the job goes on in another.
                    self._release(process, selector, reuse=False)
                    process.close()
                    waiting.appendleft(work)

    def _release(
        self, process: WorkerProcess, selector: selectors.BaseSelector, *, reuse: bool
    ) -> None:
        selector.unregister(process)
        del self._busy[process]
        # One that sees a single device is not what the next job wants.
        if reuse and process.device is None:
            self._idle.append(process)

    def _broken(
        self,
        process: WorkerProcess,
        work: _Work,
        waiting: deque[_Work],
        observer: JobObserver,
        report: Callable[[Ending], None],
    ) -> None:
        why = process.breakdown()
        process.close()
        if self._stopping:
            # The stop has ended it: no failure.
            return
        work.attempts += 1
        if work.attempts <= self.retries:
            observer.message(f"{work.job.name}: {why}; it goes on in a new one")
            waiting.append(work)
            return
        observer.job_ended(work.job.name, why)
        report(Ending(work.job, error=why))

    def _wind_up(
        self,
        waiting: deque[_Work],
        selector: selectors.BaseSelector,
        observer: JobObserver,
        report: Callable[[Ending], None],
    ) -> None:
        """Let trainings save their state, then raise `Stopped`."""
        observer.message("stopping: runs in work save their state")
        for process in self._busy:
            process.stop()
        self._stopping = True
        deadline = time.monotonic() + _SAVING_SECONDS
        while self._busy and time.monotonic() < deadline:
            self._listen(waiting, selector, observer, report)
        raise Stopped
