"""Many runs and their summary: `hsi batch` and `hsi train --runs N`."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ...atomic import make_folder, temporary_folder, write_json, write_text
from ...config import Tree, dump_yaml, load_tree, validate
from ...engine.dask_executor import DaskExecutor, TlsFiles
from ...engine.devices import resolve_device
from ...engine.distributed import launched_processes
from ...engine.executors import ProcessExecutor, processors
from ...engine.jobs import Ending, Executor, Job, JobObserver
from ...errors import ConfigError, InputFileError, RunError, Stopped
from ...json_text import undefined_as_none
from ...runs.folder import Run, RunInUseError, csv_text, locked, tidy
from ...runs.task import Config
from ...schemas.batch import BatchConfig, Jobs
from ...user_files import read_json
from .design import Design, Member, expand, own_file, source_name
from .files import read_summary
from .report import write_batch_report
from .summary import run_rows, summarise_batch
from .worker import order

RUNS_CSV = "runs.csv"
SUMMARY = "summary.json"
BATCH = "batch.yaml"
CONFIGS = "configs"
FINISHED = "finished.json"
TRACEBACKS = "tracebacks.txt"
_WORKER = "hsi_suite.pipelines.batches.worker"


@dataclass(frozen=True)
class Batch:
    """A finished batch.

    Attributes:
        path: its folder.
        runs: its runs that finished.
        failures: what stopped the others, by description.
    """

    path: Path
    runs: list[Run]
    failures: dict[str, str]

    @property
    def summary(self) -> dict[str, Any]:
        """The content of summary.json."""
        return read_summary(self.path)


def run_batch(
    name: str,
    output: str | Path,
    observer: JobObserver | None = None,
    *,
    runs: int | None = None,
    jobs: Jobs | None = None,
    scheduler: str | None = None,
    tls: TlsFiles | None = None,
) -> Batch:
    """Carry out the batch of a named or given configuration; finished runs are kept.

    Args:
        name: of a shipped configuration, or a file.
        output: where the batch's folder is made.
        observer: hears of the progress.
        runs: the seeds 0 … runs − 1 instead of those that the configuration names.
        jobs: runs at a time, instead of what the configuration says.
        scheduler: address of a dask scheduler, or local.
        tls: certificates for a scheduler with TLS.

    Raises:
        ConfigError: the batch or one of its runs is not configured right; nothing is begun.
        RunError: not a single run finished, or another process carries the batch out.
        Stopped: a stop was asked for; the same command goes on.
    """
    tree = load_tree(name)
    if runs is not None:
        tree |= {"runs": runs, "seeds": None}
    config = validate(BatchConfig, tree, name)
    if config.name is None:
        config = config.model_copy(update={"name": _file_name(Path(name).stem)})
    plan = _plan(config, Path(name).parent, output)
    if scheduler is None:
        _check_devices(plan)
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
    """
    first = config.seeds.base
    if first + runs > 2**63:
        raise ConfigError("--seed", f"{first} with {runs} runs", "seeds below 2^63")
    parts = [source_name(config), config.model.name]
    kind = getattr(getattr(config, "split", None), "kind", None)
    parts += [] if kind is None else [kind]
    stem = _file_name("_".join(parts))
    batch = BatchConfig(
        name=stem, configs=[f"{CONFIGS}/{stem}.yaml"], seeds=list(range(first, first + runs))
    )
    with temporary_folder("hsi-batch-") as folder:
        write_text(folder / CONFIGS / f"{stem}.yaml", dump_yaml(config))
        plan = _plan(batch, folder, output)
    if scheduler is None:
        _check_devices(plan)
    return _carry_out(plan, observer or JobObserver(), jobs, scheduler, tls)


@dataclass(frozen=True)
class _Plan:
    """A batch ready to be carried out.

    Attributes:
        folder: the batch's folder, in full; not made yet.
        config: as the folder's batch.yaml will have it.
        design: its runs.
        copies: configurations that do not ship with the package, by the name of their copy.
    """

    folder: Path
    config: BatchConfig
    design: Design
    copies: Mapping[str, Tree]


def _plan(config: BatchConfig, beside: Path, output: str | Path) -> _Plan:
    """Check everything and give the batch its folder; nothing is written."""
    if launched_processes() > 1:
        raise RunError(
            "torchrun", f"{launched_processes()} processes", "one", "leave torchrun out: --jobs"
        )
    design = expand(config, beside)
    folder = (Path(output) / f"{config.name}_{design.identity}").absolute()
    if (folder / BATCH).is_file():
        # What was decided when the batch was begun holds for the rest of it.
        begun = validate(BatchConfig, load_tree(str(folder / BATCH)), folder / BATCH).resolved
        design = expand(config.model_copy(update={"resolved": begun}), beside)
    copies, names = {}, []
    for each in config.configs or ():
        path = own_file(each, beside)
        names.append(each if path is None else f"{CONFIGS}/{path.stem}.yaml")
        if path is not None:
            copies[names[-1]] = load_tree(str(path))
    if len(set(names)) < len(names):
        raise ConfigError("configs", "two files of the same name", "files of different names")
    update = {"configs": names or None, "resolved": design.resolved}
    return _Plan(folder, config.model_copy(update=update), design, copies)


def _check_devices(plan: _Plan) -> None:
    """Refuse devices that this machine lacks; a cluster's workers look for themselves."""
    for device in {member.config.device for member in plan.design.members}:
        resolve_device(device)


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).lstrip("._-") or "batch"


def _carry_out(
    plan: _Plan,
    observer: JobObserver,
    jobs: Jobs | None,
    scheduler: str | None,
    tls: TlsFiles | None,
) -> Batch:
    folder = make_folder(plan.folder)
    members = plan.design.members
    with locked(Run(folder)):
        for name, tree in plan.copies.items():
            write_text(folder / name, yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))
        write_text(folder / BATCH, dump_yaml(plan.config))
        progress = _Progress(folder, members)
        waiting = [member for member in members if member.what not in progress.runs]
        observer.begin_jobs(len(members), len(members) - len(waiting))
        try:
            _executor(plan, jobs, scheduler, tls).carry_out(
                [_job(member, folder) for member in waiting], observer, progress.add
            )
        except Stopped:
            raise Stopped(
                f"{len(progress.runs)} of {len(members)} runs are finished; "
                "the same command goes on"
            ) from None
        finally:
            observer.end_jobs()
        return _conclude(plan, progress, members)


def _executor(
    plan: _Plan, jobs: Jobs | None, scheduler: str | None, tls: TlsFiles | None
) -> Executor:
    threads = max(member.config.threads or 1 for member in plan.design.members)
    asked = plan.config.jobs if jobs is None else jobs
    wanted = max(1, processors() // threads) if asked == "auto" else asked
    if scheduler is not None:
        return DaskExecutor(_WORKER, scheduler, wanted, plan.config.retries, tls)
    return ProcessExecutor(_WORKER, wanted, plan.config.retries)


def _job(member: Member, folder: Path) -> Job:
    # Memory of a CUDA device comes back with the end of a process alone.
    return Job(member.what, order(member.config, folder), alone=member.config.device != "cpu")


class _Progress:
    """Which runs of a batch are finished, in memory and beside them on disk.

    Args:
        folder: the batch's folder.
        members: its runs.
    """

    def __init__(self, folder: Path, members: Sequence[Member]) -> None:
        self._folder = folder
        self._keys = {member.what: _key(member) for member in members}
        self._finished: dict[str, str] = _finished(folder / FINISHED)
        self.runs: dict[str, Run] = {}
        self.failures: dict[str, str] = {}
        for member in members:
            run = Run(folder / self._finished.get(self._keys[member.what], ""))
            # The user's files may have changed since: such runs look for themselves.
            if run.finished:
                _tidy(run)
            if run.finished and not _names_a_file(member.config.model_dump(mode="json")):
                self.runs[member.what] = run

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


def _finished(path: Path) -> dict[str, str]:
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


def _conclude(plan: _Plan, progress: _Progress, members: Sequence[Member]) -> Batch:
    """Write what the runs say together, in the order of the design."""
    folder = plan.folder
    words = [member.what for member in members]
    runs = {what: progress.runs[what] for what in words if what in progress.runs}
    failures = {what: progress.failures[what] for what in words if what in progress.failures}
    if not runs:
        raise RunError(folder, "no run finished", "at least one", next(iter(failures.values())))
    assert plan.config.name is not None
    write_text(folder / RUNS_CSV, csv_text(run_rows(plan.design, runs)))
    write_json(
        folder / SUMMARY,
        undefined_as_none(
            summarise_batch(plan.config.name, plan.design, runs, failures, plan.config.level)
        ),
    )
    write_batch_report(folder)
    return Batch(folder, list(runs.values()), failures)
