"""What executors carry out, and who is notified."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .observer import Observer

Event = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One piece of work for a worker process.

    Attributes:
        name: unique among the jobs, for people.
        order: what the worker receives; plain values.
        alone: it takes a process to itself, which ends with it.
        spread: it may compute on any CUDA device of the machine, which it sees as the first.
    """

    name: str
    order: Mapping[str, Any]
    alone: bool = False
    spread: bool = False


@dataclass(frozen=True)
class Ending:
    """How a job ended.

    Attributes:
        job: which one.
        result: what the worker answered; plain values.
        error: in one line; None when it went well.
        details: a traceback, where the error is a defect.
    """

    job: Job
    result: Any = None
    error: str | None = None
    details: str = ""


class JobObserver(Observer):
    """Receives the progress of several jobs at a time, and reports nothing."""

    def begin_jobs(self, total: int, done: int) -> None:
        """There are `total` jobs, `done` of them finished before."""

    def job_started(self, name: str) -> None:
        """A worker has the job now; called again when another one takes it over."""

    def job_advanced(
        self, name: str, what: str, done: int, total: int, values: Mapping[str, float]
    ) -> None:
        """The job's present computation `what` has taken `done` of `total` steps."""

    def job_ended(self, name: str, error: str | None) -> None:
        """The job is over."""

    def end_jobs(self) -> None:
        """No job is in work any more."""


class Executor(Protocol):
    """Carries out jobs, some at a time; a job's result does not depend on how many."""

    def carry_out(
        self, jobs: Sequence[Job], observer: JobObserver, report: Callable[[Ending], None]
    ) -> None:
        """Do all jobs; each is reported once when it has ended, in any order.

        Raises:
            Stopped: a stop was asked for; jobs in work have saved what they could.
        """


def relay(name: str, event: Event, observer: JobObserver) -> None:
    """Pass on to the observer an event that a worker sent while it had the job `name`."""
    if event["event"] == "progress":
        observer.job_advanced(
            name, event["what"], event["done"], event["total"], event.get("values", {})
        )
    elif event["event"] == "message":
        observer.message(f"{name}: {event['text']}")


def ending(job: Job, event: Event) -> Ending | None:
    """The ending that an event means, if it means one; a stop is none."""
    if event["event"] == "finished":
        return Ending(job, result=event["result"])
    if event["event"] == "failed":
        return Ending(job, error=event["error"], details=event.get("details", ""))
    return None
