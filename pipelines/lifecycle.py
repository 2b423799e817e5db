"""The life of a run, the same for every task: identity, folder, lock, environment, log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..atomic import write_json
from ..config import dump_yaml
from ..engine.observer import Observer
from ..environment import compare_environments, describe_environment
from ..errors import RunError, Stopped
from ..runs import ENVIRONMENT, LOG, Run, locked, prepare_run, run_identity, run_name
from ..schemas.training import MachineConfig
from .log import LogObserver

Work = Callable[[Run, Observer], None]


def carry_out(
    config: MachineConfig,
    *,
    names: tuple[str, str, str],
    checksums: Mapping[str, str],
    output: Path,
    folder: Path | None,
    observer: Observer,
    work: Work,
) -> Run:
    """Do the work of a run in its folder, unless it is finished already.

    Args:
        config: the resolved configuration.
        names: data set, model and variant, the parts of the folder's name.
        checksums: SHA-256 of the data, by file name.
        output: where run folders are made.
        folder: the run's folder itself when it is continued; it may have been renamed.
        observer: hears of the progress.
        work: does the work and writes the results, metrics.json last.

    Raises:
        RunError: another process has the run, or it was begun with other data.
        Stopped: a stop was asked for; the text says how to go on.
    """
    identity = run_identity(config.model_dump(mode="json"), checksums)
    name = run_name(*names, config.seeds.base, identity)
    if folder is not None:
        output, name = folder.parent, folder.name
    run = prepare_run(output, name, dump_yaml(config))
    with locked(run):
        if run.finished:
            observer.message(f"{run.path} is finished already; nothing to do")
            return run
        _describe(run, config, identity, checksums, observer)
        try:
            work(run, LogObserver(run.path / LOG, observer))
        except Stopped:
            raise Stopped(f"go on with: hsi train --resume {run.path}") from None
    # A fresh object: the old one may have cached what the work has since written.
    return Run(run.path)


def _describe(
    run: Run,
    config: MachineConfig,
    identity: str,
    checksums: Mapping[str, str],
    observer: Observer,
) -> None:
    """Write what the run runs on, or compare it with what an interrupted run wrote."""
    facts = describe_environment(config.device, config.threads or 1)
    facts |= {"identity": identity, "data": dict(checksums)}
    if not (run.path / ENVIRONMENT).exists():
        write_json(run.path / ENVIRONMENT, facts)
        return
    then = run.environment
    if then.get("identity") != identity:
        raise RunError(
            run.path,
            "the data or the configuration have changed since this run began",
            f"identity {then.get('identity')}, found {identity}",
            "start a new run",
        )
    for line in compare_environments(then, facts):
        observer.message(f"not the same environment as when this run began: {line}")
