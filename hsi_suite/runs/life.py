"""The life of a run, the same for every task: identity, folder, lock, environment, log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from ..atomic import write_json
from ..commands import command
from ..config import dump_yaml, validate
from ..engine.distributed import ALONE, Team
from ..engine.launched import launched_processes
from ..engine.observer import Observer
from ..environment import compare_environments, describe_environment
from ..errors import RunError, Stopped
from ..models.program_network import program_remarks
from ..schemas.training import MachineConfig
from .folder import (
    CHECKPOINT,
    CONFIG,
    ENVIRONMENT,
    LOG,
    TOGETHER,
    Run,
    locked,
    prepare_run,
    run_name,
    tidy,
)
from .identity import run_identity
from .log import LogObserver
from .own_network import keep_network, network_checksums
from .precisions import precision_remarks, used_precisions
from .task import Job


def carry_out(
    job: Job,
    output: Path,
    folder: Path | None,
    observer: Observer,
    team: Team,
    begun_on: str | None = None,
) -> Run:
    """Do a job in the folder of its run, unless that is finished already.

    Args:
        job: what is to be done.
        output: where run folders are made.
        folder: the run's folder itself when it is continued; it may have been renamed.
        observer: reports progress.
        team: the processes that share the work. The first alone has the folder; the others come
            back when it is done.
        begun_on: the device in the run's own configuration, where it goes on with another; the
            run stays the same one.

    Raises:
        RunError: another process has the run, it was begun with other data, or several
            processes were launched for what one does alone.
        Stopped: a stop was asked for; the text says how to go on.
    """
    if team.size == 1 and launched_processes() > 1:
        raise RunError(
            "torchrun",
            f"{launched_processes()} processes",
            "one: several can share only a single run of hsi train",
            "leave torchrun out",
        )
    if not team.first:
        return _assist(team, job)
    with begun(job, output, folder, observer, team, begun_on) as (run, log):
        if log is None:
            return run
        try:
            job.work(run, log)
        except (Stopped, KeyboardInterrupt):
            raise Stopped(f"go on with: {command('train', '--resume', run.path)}") from None
        for name in (CHECKPOINT, TOGETHER):
            (run.path / name).unlink(missing_ok=True)
    team.wait()
    # A fresh object: the old one may have cached what the work has since written.
    return Run(run.path)


@contextmanager
def begun(
    job: Job,
    output: Path,
    folder: Path | None,
    observer: Observer,
    team: Team = ALONE,
    begun_on: str | None = None,
) -> Iterator[tuple[Run, Observer | None]]:
    """The folder of a job's run: made or found again, locked, described; and its log.

    The log is None where the run is finished already.

    Args:
        job: as of `carry_out`; so are the others.
        output: see there.
        folder: see there.
        observer: see there.
        team: see there.
        begun_on: see there.

    Raises:
        RunError: as of `carry_out`.
    """
    config, checksums = job.config, job.checksums
    networks = network_checksums(config)
    processes = team.size if folder is None else _processes(Run(folder), team.size)
    moved = begun_on not in (None, config.device)
    own = config.model_copy(update={"device": begun_on}) if moved else config
    parts = {**checksums, **networks}
    identity = _identity(own, parts, processes)
    name = run_name(*job.names, config.seeds.base, identity)
    if folder is not None:
        output, name = folder.parent, folder.name
    run = prepare_run(output, name, dump_yaml(config))
    with locked(run):
        tidy(run)
        if run.finished:
            observer.message(f"{run.path} is finished already; nothing to do")
            _begin(team, run, todo=False)
            yield run, None
            return
        _check_file(run, own, identity, parts, processes)
        _describe(run, config, identity, (checksums, networks), observer, team)
        keep_network(run, config)
        _begin(team, run, todo=True)
        log = LogObserver(run.path / LOG, observer)
        if moved:
            log.message(
                f"begun on {begun_on}, going on with {config.device}: rounding differs, and so "
                "do the last digits"
            )
        precisions_said = precision_remarks(config.model_dump(), torch.device(config.device))
        opening = (*job.opening, *program_remarks(config.model.name), *precisions_said)
        for line in opening:
            log.message(line)
        yield run, log


def _identity(config: MachineConfig, checksums: Mapping[str, str], processes: int) -> str:
    # Sums over several processes' shares differ in the last bits, as those of threads do.
    parts = dict(checksums) | ({"processes": str(processes)} if processes > 1 else {})
    return run_identity(config.model_dump(mode="json"), parts)


def _check_file(
    run: Run, config: MachineConfig, identity: str, checksums: Mapping[str, str], processes: int
) -> None:
    """Refuse to go on where the configuration in the folder is another now."""
    written = validate(type(config), run.config, run.path / CONFIG)
    if _identity(written, checksums, processes) != identity:
        raise RunError(
            run.path / CONFIG,
            "has changed since this run began",
            f"the configuration of run {identity}",
            "bring it back, or remove the folder to begin anew",
        )


def _processes(run: Run, now: int) -> int:
    """By how many processes a run was begun; it may be continued by another number."""
    if not (run.path / ENVIRONMENT).exists():
        return now
    number = run.environment.get("processes", 1)
    return number if isinstance(number, int) else now


def _begin(team: Team, run: Run, *, todo: bool) -> None:
    team.tell(json.dumps([str(run.path), todo]).encode())


def _assist(team: Team, job: Job) -> Run:
    """What the others do while the first process carries out a run."""
    path, todo = json.loads(team.tell(None) or b"")
    if todo:
        job.assist(Run(Path(path)))
        team.wait()
    return Run(Path(path))


def _describe(
    run: Run,
    config: MachineConfig,
    identity: str,
    checksums: tuple[Mapping[str, str], Mapping[str, str]],
    observer: Observer,
    team: Team,
) -> None:
    """Write what the run runs on, or compare it with what an interrupted run wrote."""
    facts = describe_environment(config.device, config.threads or 1)
    data, networks = map(dict, checksums)
    facts |= {"identity": identity, "data": data, "processes": team.size}
    facts |= {"networks": networks} if networks else {}
    facts |= {"precision": used_precisions(config.model_dump(), torch.device(config.device))}
    if not (run.path / ENVIRONMENT).exists():
        write_json(run.path / ENVIRONMENT, facts)
        return
    # Apart from what the run keeps of its files, as this one may be written below.
    then = Run(run.path).environment
    if then.get("identity") != identity:
        raise RunError(
            run.path,
            "the data or the configuration have changed since this run began",
            f"identity {then.get('identity')}, found {identity}",
            "start a new run",
        )
    if "together" in then and not (run.path / CHECKPOINT).exists():
        # Nothing is left of what was trained with others.
        then = {key: value for key, value in then.items() if key != "together"}
        write_json(run.path / ENVIRONMENT, then)
    facts |= {"together": then["together"]} if "together" in then else {}
    absent = {"processes": 1, "precision": facts["precision"]}
    for line in compare_environments(absent | then, facts):
        observer.message(f"not the same environment as when this run began: {line}")
