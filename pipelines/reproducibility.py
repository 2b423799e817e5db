"""How much do scores vary, and is A better than B: many runs, carried out and summed up.

From a batch to its report. That a finished run can be repeated bit by bit is shown by
`runs.replay`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import yaml

from ..atomic import make_folder, write_json, write_text
from ..config import dump_yaml
from ..engine.dask_executor import DaskExecutor, TlsFiles
from ..engine.executors import ProcessExecutor, processors
from ..engine.jobs import Ending, Executor, Job, JobObserver
from ..engine.visible_devices import visible_devices
from ..errors import RunError, Stopped
from ..json_text import undefined_as_none
from ..models.program_network import order_of
from ..runs.batches.design import Member
from ..runs.batches.files import BATCH, RUNS_CSV, SUMMARY, Batch
from ..runs.batches.plan import Plan, check_devices, planned, planned_repeats
from ..runs.batches.progress import Progress
from ..runs.batches.report import write_batch_report
from ..runs.batches.summary import run_rows, summarise_batch
from ..runs.batches.worker import joint_order, order
from ..runs.folder import Run, csv_text, locked
from ..runs.task import Config
from ..runs.tasks import check_together, task_named
from ..schemas.batch import Jobs

_WORKER = "hsi_suite.runs.batches.worker"


def run_batch(
    name: str,
    output: str | Path,
    observer: JobObserver | None = None,
    *,
    runs: int | None = None,
    jobs: Jobs | None = None,
    together: int | None = None,
    scheduler: str | None = None,
    tls: TlsFiles | None = None,
) -> Batch:
    """Carry out the batch of a named or given configuration; finished runs are kept.

    Args:
        name: of a shipped configuration, or a file.
        output: where the batch's folder is made.
        observer: reports progress.
        runs: the seeds 0 … runs − 1 instead of those that the configuration names.
        jobs: runs at a time, instead of what the configuration says.
        together: seeds that are trained at once, likewise.
        scheduler: address of a dask scheduler, or local.
        tls: certificates for a scheduler with TLS.

    Raises:
        ConfigError: the batch or one of its runs is not configured right; nothing is begun.
        RunError: not a single run finished, or another process carries the batch out.
        Stopped: a stop was asked for; the same command goes on.
    """
    plan = planned(name, runs, output)
    if together is not None:
        config = plan.config.model_copy(update={"together": together})
        plan = replace(plan, config=config)
    return _carry_out(plan, observer or JobObserver(), jobs, scheduler, tls)


def repeat(
    config: Config,
    runs: int,
    output: str | Path,
    observer: JobObserver | None = None,
    *,
    jobs: Jobs | None = None,
    scheduler: str | None = None,
    tls: TlsFiles | None = None,
) -> Batch:
    """The same configuration with `runs` consecutive base seeds.

    Raises:
        ConfigError: there are not so many seeds.
        HsiSuiteError: as of `run_batch`.
    """
    plan = planned_repeats(config, runs, output)
    return _carry_out(plan, observer or JobObserver(), jobs, scheduler, tls)


def _carry_out(
    plan: Plan,
    observer: JobObserver,
    jobs: Jobs | None,
    scheduler: str | None,
    tls: TlsFiles | None,
) -> Batch:
    if scheduler is None:
        # A cluster's workers look for themselves.
        check_devices(plan)
    members = plan.design.members
    if plan.config.together > 1:
        for cell in plan.design.cells:
            check_together(task_named(cell.config.task))
    for member in members:
        # Before anything is written: what no worker can have.
        order_of(member.config.model.name)
    folder = make_folder(plan.folder)
    with locked(Run(folder)):
        for name, tree in plan.copies.items():
            write_text(folder / name, yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))
        write_text(folder / BATCH, dump_yaml(plan.config))
        progress = Progress(folder, members)
        waiting = [member for member in members if member.what not in progress.runs]
        joint = _joint_jobs(plan, folder, progress.runs)
        observer.begin_jobs(len(members) + len(joint), len(members) - len(waiting))
        try:
            if joint:
                _executor(plan, jobs, scheduler, tls).carry_out(joint, observer, _refused)
            _executor(plan, jobs, scheduler, tls).carry_out(
                [_job(member, folder, plan) for member in waiting], observer, progress.add
            )
        except Stopped:
            raise Stopped(
                f"{len(progress.runs)} of {len(members)} runs are finished; "
                "the same command goes on"
            ) from None
        finally:
            observer.end_jobs()
        return _conclude(plan, progress)


def _executor(
    plan: Plan, jobs: Jobs | None, scheduler: str | None, tls: TlsFiles | None
) -> Executor:
    asked = plan.config.jobs if jobs is None else jobs
    devices = visible_devices() if plan.design.spread else []
    wanted = _at_a_time(plan, len(devices)) if asked == "auto" else asked
    if scheduler is not None:
        return DaskExecutor(_WORKER, scheduler, wanted, plan.config.retries, tls)
    return ProcessExecutor(_WORKER, wanted, plan.config.retries, devices)


def _at_a_time(plan: Plan, devices: int) -> int:
    """How many runs of `jobs: auto`: processors / threads, and one for each device of theirs."""
    members = plan.design.members
    threads = max(member.config.threads or 1 for member in members)
    several = max(1, processors() // threads)
    if all(member.config.device.startswith("cuda") for member in members):
        return min(several, max(1, devices))
    return several


def _job(member: Member, folder: Path, plan: Plan) -> Job:
    return Job(
        member.what,
        order(member.config, folder),
        # Memory of a CUDA device comes back with the end of a process alone.
        alone=member.config.device != "cpu",
        spread=member.what in plan.design.spread,
    )


def _joint_jobs(plan: Plan, folder: Path, finished: Collection[str]) -> list[Job]:
    """The trainings of several seeds at once, of which the runs then take what they have learnt.

    Which seeds they are does not depend on what is finished, so that a batch goes on as it was.
    """
    number, jobs = plan.config.together, []
    for cell in plan.design.cells:
        for first in range(0, len(cell.plain), number):
            group = cell.plain[first : first + number]
            waiting = [member for member in group if member.what not in finished]
            if len(waiting) > 1 and number > 1:
                seeds = ", ".join(str(member.seed) for member in waiting)
                job = _job(waiting[0], folder, plan)
                order = joint_order([member.config for member in waiting], folder)
                jobs.append(replace(job, name=f"{cell.name}, seeds {seeds}", order=order))
    return jobs


def _refused(end: Ending) -> None:
    if end.error is not None:
        raise RunError(end.job.name, end.error)


def _conclude(plan: Plan, progress: Progress) -> Batch:
    """Write what the runs say together, in the order of the design."""
    folder, config = plan.folder, plan.config
    runs, failures = progress.in_order(plan.design.members)
    if not runs:
        raise RunError(folder, "no run finished", "at least one", next(iter(failures.values())))
    assert config.name is not None
    summary = summarise_batch(config.name, plan.design, runs, failures, config.level)
    write_text(folder / RUNS_CSV, csv_text(run_rows(plan.design, runs)))
    write_json(folder / SUMMARY, undefined_as_none(summary))
    write_batch_report(folder)
    return Batch(folder, list(runs.values()), failures)
