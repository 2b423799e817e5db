"""Finished runs and many of them from Python: what `hsi evaluate`, `batch` and `replay` do."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ..arguments import checked
from ..atomic import temporary_folder
from ..engine.dask_executor import tls_files
from ..errors import ConfigError
from ..pipelines.reproducibility import run_batch
from ..runs.batches.files import Batch
from ..runs.evaluation import evaluate as evaluate_run
from ..runs.evaluation import evaluate_together as evaluate_runs_together
from ..runs.replay import Replay
from ..runs.replay import replay as replay_runs
from .arguments import Place, RunLike, as_json, folder_of
from .evaluation import Evaluation, JointEvaluation, evaluation_of, joint_evaluation_of
from .progress import job_progress, progress


@checked
def evaluate(
    run: RunLike,
    *,
    dropout_at_test: bool = False,
    memory_limit: float | None = None,
    device: str | None = None,
    verbose: bool | int = 1,
) -> Evaluation:
    """A run's test figures, computed again from its saved model and split.

    Of a denoiser those of its validation images.

    Args:
        run: a finished run, or its folder.
        dropout_at_test: also show what leaving dropout on would do.
        memory_limit: bytes within which a scene of your own is read.
        device: auto, cpu, cuda or cuda:N in the place of the one that the run was made with.
        verbose: 0 reports no progress.

    Raises:
        RunError: the run is unfinished or damaged.
        ChecksumError: the data are not those of the run.
    """
    return evaluation_of(
        evaluate_run(
            folder_of(run),
            dropout_at_test=dropout_at_test,
            memory_limit=memory_limit,
            device=device,
            observer=progress(verbose),
        )
    )


@checked
def evaluate_together(
    runs: Sequence[RunLike],
    *,
    memory_limit: float | None = None,
    device: str | None = None,
    verbose: bool | int = 1,
) -> JointEvaluation:
    """The test figures of several runs that answer together, by the mean of their probabilities.

    What counts is what all of them tested: none of the runs has learnt from it.

    Args:
        runs: finished runs of classifiers, or their folders: of one scene, or of the same images.
        memory_limit: bytes within which a scene of your own is read.
        device: auto, cpu, cuda or cuda:N in the place of those that the runs were made with.
        verbose: 0 reports no progress.

    Raises:
        RunError: a run is unfinished, damaged or given twice, its data have changed, or the runs
            do not have the same scene or images, labels and classes, or nothing in common that
            all of them tested.
    """
    return joint_evaluation_of(
        evaluate_runs_together(
            [folder_of(run) for run in runs],
            memory_limit=memory_limit,
            device=device,
            observer=progress(verbose),
        )
    )


@checked
def batch(
    config: Place | Mapping[str, Any],
    *,
    runs: int | None = None,
    jobs: int | Literal["auto"] | None = None,
    together: int | None = None,
    scheduler: str | None = None,
    tls_ca_file: str | None = None,
    tls_cert: str | None = None,
    tls_key: str | None = None,
    output: Place = "runs",
    verbose: bool | int = 1,
) -> Batch:
    """Carry out many runs and sum them up: how much they vary, why, and which model is better.

    Each run has a process of its own. Finished runs are never redone: the same call goes on.

    Args:
        config: a shipped batch ("batch/smoke"), a file, or its keys:
            {"datasets": ["synthetic"], "models": ["svm", "hybridsn"], "runs": 5}.
        runs: the seeds 0 … runs − 1 instead of those of the configuration.
        jobs: runs at a time on this machine; auto: processors divided by threads.
        together: seeds of one configuration that are trained at once; None as `config` says.
        scheduler: address of a dask scheduler that shares out the runs, or local.
        tls_ca_file: authority of a scheduler tls://HOST:PORT.
        tls_cert: your certificate for it.
        tls_key: the key of your certificate.
        output: where the batch's folder is made.
        verbose: 0 reports no progress.

    Returns:
        `runs` (those that finished), `failures`, `summary`, `path`.

    Raises:
        ConfigError: the batch or one of its runs is not configured right; nothing is begun.
        RunError: not a single run finished, or another process carries the batch out.
        Stopped: Ctrl-C; the same call goes on.
    """
    options: dict[str, Any] = {
        "runs": runs, "jobs": jobs, "together": together, "scheduler": scheduler,
        "tls": tls_files(tls_ca_file, tls_cert, tls_key),
    }  # fmt: skip
    observer = job_progress(verbose)
    if not isinstance(config, Mapping):
        return run_batch(os.fspath(config), Path(output), observer, **options)
    # Files that its keys name are looked for from the folder of the program, as with a file there.
    with temporary_folder("hsi-batch-") as folder:
        path = folder / "batch.yaml"
        path.write_text(as_json("config", {"name": "batch", **config}), "utf-8")
        try:
            return run_batch(str(path), Path(output), observer, **options)
        except ConfigError as error:
            subject = error.subject.replace(f"{path}: ", "").replace(str(path), "config")
            raise ConfigError(subject, error.found, error.expected, error.remedy) from None


@checked
def replay(
    run: RunLike | Batch,
    *,
    sample: int | None = None,
    memory_limit: float | None = None,
    device: str | None = None,
    verbose: bool | int = 1,
) -> Replay:
    """Carry out finished runs once more and compare weights, predictions and figures bit by bit.

    The runs' own folders are only read.

    Args:
        run: a run or its folder, or a batch or its folder.
        sample: how many runs of a batch to replay, chosen by a fixed seed; None for all.
        memory_limit: bytes for classifications of scenes; None takes 2e9.
        device: in the place of the runs' own; bits then differ where the kind of device does.
        verbose: 0 reports no progress.

    Raises:
        RunError: there is no finished run.
        ConfigError: fewer than one run is to be sampled.
        Stopped: Ctrl-C; nothing is left of the replay.
    """
    return replay_runs(
        run.path if isinstance(run, Batch) else folder_of(run),
        sample=sample,
        memory_limit=memory_limit,
        device=device,
        observer=progress(verbose),
    )
