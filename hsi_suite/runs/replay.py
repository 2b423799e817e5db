"""`hsi replay`: do runs, done again from their folders alone, give the same bits?"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..atomic import make_folder, temporary_folder, write_json, write_text
from ..engine.launched import launched_processes
from ..engine.observer import Observer, interruptible
from ..environment import compare_environments, describe_environment
from ..errors import ConfigError, HsiSuiteError, OutputError, RunError, Stopped
from ..shown import Rows, Shown
from . import launch
from .finished_runs import finished_runs, report_unverified
from .folder import CONFIG, ENVIRONMENT, Run
from .identity import run_identity
from .own_network import copy_network

if TYPE_CHECKING:
    from .run_differences import Compared

# Which runs are sampled does not depend on anything but their names and their number.
_SAMPLE_SEED = 0


@dataclass(frozen=True)
class ReplayedRun:
    """A run and its replay.

    Attributes:
        name: of its folder.
        compared: weights, predictions and metrics; empty where the replay was not possible.
        environment: what differs between the recorded environment and this one, a line each.
        problem: why it could not be replayed; None where it could.
    """

    name: str
    compared: tuple[Compared, ...]
    environment: tuple[str, ...]
    problem: str | None = None

    @property
    def identical(self) -> bool:
        """Whether everything is equal to the last bit."""
        return self.problem is None and all(each.identical for each in self.compared)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "run": self.name,
            "identical": self.identical,
            "compared": [each.to_dict() for each in self.compared],
            "environment": list(self.environment),
            "problem": self.problem,
        }


@dataclass(frozen=True, repr=False)
class Replay(Shown):
    """Runs and their replays.

    Attributes:
        runs: those that were replayed, or could not be.
        unfinished: names of runs that had not finished and were passed over.
        finished: how many there were to choose from.
    """

    runs: tuple[ReplayedRun, ...]
    unfinished: tuple[str, ...]
    finished: int

    def shown(self) -> tuple[str, Rows]:
        """How each replay ended."""
        rows = [
            (run.name, run.problem or ("identical" if run.identical else "differs"))
            for run in self.runs
        ]
        rows += [(name, "not finished, passed over") for name in self.unfinished]
        return f"Replay: {self.identical} of {len(self.runs)} runs identical to the last bit", rows

    @property
    def identical(self) -> int:
        """How many gave the same bits."""
        return sum(run.identical for run in self.runs)

    @property
    def status(self) -> int:
        """0: all identical; 1: some differ; 2: some could not be replayed."""
        if any(run.problem is not None for run in self.runs):
            return 2
        return int(self.identical < len(self.runs))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "replayed": len(self.runs),
            "identical": self.identical,
            "finished": self.finished,
            "unfinished": list(self.unfinished),
            "runs": [run.to_dict() for run in self.runs],
        }


def replay(
    path: str | Path,
    *,
    sample: int | None = None,
    memory_limit: float | None = None,
    device: str | None = None,
    observer: Observer | None = None,
) -> Replay:
    """Carry out finished runs once more and compare weights, predictions and scores.

    The replays are made in a temporary folder and removed; the runs' own folders are only read.

    Args:
        path: folder of a run, or of a batch.
        sample: how many runs of a batch to replay, chosen by a fixed seed; None for all.
        memory_limit: bytes for classifications of scenes; as of `launch.start`.
        device: in the place of the runs' own; bits then differ where the kind of device does.
        observer: reports progress.

    Raises:
        RunError: there is no finished run.
        ConfigError: fewer than one run is to be sampled, or several processes were launched.
        Stopped: a stop was asked for; nothing is left of the replay.
    """
    observer = observer or Observer()
    if sample is not None and sample < 1:
        raise ConfigError("--sample", str(sample), "at least one run")
    if launched_processes() > 1:
        raise ConfigError("hsi replay", f"{launched_processes()} processes", "one, not torchrun")
    finished, unfinished = finished_runs(path)
    chosen = _sampled(finished, sample)
    replayed = []
    with interruptible() as stop:
        for number, run in enumerate(chosen, 1):
            observer.message(f"replay {number} of {len(chosen)}: {run.path.name}")
            report_unverified([run.path], observer)
            replayed.append(_replay(run, memory_limit, device, observer))
            if stop.pending:
                # A library has turned the interrupt into an error of its own.
                raise KeyboardInterrupt
    return Replay(tuple(replayed), tuple(run.path.name for run in unfinished), len(finished))


def _sampled(runs: Sequence[Run], number: int | None) -> list[Run]:
    if number is None or number >= len(runs):
        return list(runs)
    chosen = random.Random(_SAMPLE_SEED).sample(range(len(runs)), number)
    return [runs[place] for place in sorted(chosen)]


def _replay(
    run: Run, memory_limit: float | None, device: str | None, observer: Observer
) -> ReplayedRun:
    # Here and below, so that what is replayed is said before torch is loaded.
    from .run_differences import compare_metrics, compare_predictions, compare_weights

    with temporary_folder("hsi-replay-") as temporary:
        folder = temporary / run.path.name
        try:
            again = _carried_out(run, folder, memory_limit, device, observer)
            compared = (
                compare_weights(run, again),
                compare_predictions(run, again),
                compare_metrics(run, again),
            )
            return ReplayedRun(
                run.path.name, compared, tuple(_environment_differences(run, device))
            )
        except Stopped:
            raise Stopped("nothing of the replay is left, and the runs are as they were") from None
        except OutputError as error:
            # In the temporary folder: the run's own files are only read.
            problem = f"{temporary}: {error.found}; set TMPDIR to a place with free space"
            return ReplayedRun(run.path.name, (), (), problem)
        except HsiSuiteError as error:
            problem = str(error).replace(str(folder), str(run.path))
            return ReplayedRun(run.path.name, (), (), problem)


def _carried_out(
    run: Run, folder: Path, memory_limit: float | None, device: str | None, observer: Observer
) -> Run:
    """The run done again in a new folder from its configuration.

    The recorded environment goes with it, so that other data are noticed before the training.
    """
    write_json(make_folder(folder) / ENVIRONMENT, run.environment)
    write_text(folder / CONFIG, run.config_text)
    copy_network(run, folder)
    try:
        return launch.resume(folder, _Quiet(observer), memory_limit, device)
    except RunError as error:
        if error.subject != str(folder):
            raise
        raise _changed(run) from error


def _changed(run: Run) -> RunError:
    """Why the identity of a run is another now: its data, or its configuration."""
    then = run.environment
    data, processes = dict(then.get("data", {})), then.get("processes", 1)
    data |= then.get("networks", {})
    if processes != 1:
        data["processes"] = str(processes)
    names = ", ".join(then.get("data", {}))
    if run_identity(run.config, data) == then.get("identity"):
        return RunError(run.path, f"the data have changed since this run ({names})")
    return RunError(
        run.path / CONFIG, "not what the run was made with", f"identity {then.get('identity')}"
    )


def _environment_differences(run: Run, named: str | None) -> list[str]:
    from ..engine.devices import resolve_device
    from .precisions import used_precisions

    then = run.environment
    config = run.config
    device = resolve_device(named or str(config.get("device")))
    now = describe_environment(str(device), int(config.get("threads") or 1))
    now |= {"processes": 1, "precision": used_precisions(config, device)}
    # Data and identity are compared when the run is done again.
    # A replay is made alone.
    now |= {"together": 1} if "together" in then else {}
    compared = ("data", "identity", *(["networks"] if "networks" in then else []))
    now |= {name: then.get(name) for name in compared}
    return compare_environments(
        {name: now[name] for name in ("processes", "precision")} | then, now
    )


class _Quiet(Observer):
    """Passes bars and epochs on, but not what speaks of folders that will be gone."""

    def __init__(self, observer: Observer) -> None:
        self._told = observer

    def begin(self, what: str, total: int, done: int = 0) -> None:
        self._told.begin(what, total, done)

    def advance(self, steps: int = 1, **values: float) -> None:
        self._told.advance(steps, **values)

    def end(self) -> None:
        self._told.end()

    def epoch(self, row: Mapping[str, float], seconds: float) -> None:
        self._told.epoch(row, seconds)
