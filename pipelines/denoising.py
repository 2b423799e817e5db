"""`hsi train` for denoisers: images, noise, training, validation, what is written."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ..atomic import write_json
from ..config import Tree, apply_settings, dump_yaml, load_tree, merge, validate
from ..data.images import ImageSet
from ..engine.devices import computing, resolve_device
from ..engine.observer import Observer
from ..engine.trainer import Trainer
from ..environment import compare_environments, describe_environment
from ..errors import ConfigError, RunError, Stopped
from ..registry import nearest_names
from ..runs import (
    CHECKPOINT,
    ENVIRONMENT,
    LOG,
    MODEL,
    Run,
    locked,
    open_run,
    prepare_run,
    run_identity,
    run_name,
)
from ..schemas.denoising import DenoisingConfig
from ..seeding import SeedStreams
from .denoiser import Denoiser, DenoiserHeader, load_denoiser, untrained_denoiser
from .denoising_preparation import load_training_images, training_task
from .denoising_results import write_denoising_results
from .denoising_task import ImageDenoising
from .log import LogObserver
from .machine import available_threads

# What a user may name directly, and the key of the configuration that it sets.
_OPTIONS = {
    "images": ("data", "images"),
    "folder": ("data", "folder"),
    "model": ("model", "name"),
    "epochs": ("train", "epochs"),
    "seed": ("seeds", "base"),
    "device": ("device",),
    "threads": ("threads",),
}


def denoising_config(
    *,
    config: str = "denoising/default_denoiser",
    options: Mapping[str, Any] | None = None,
    settings: Sequence[str] = (),
) -> DenoisingConfig:
    """The configuration of a denoiser's training: a named one, options, then settings.

    Args:
        config: name or path of a configuration.
        options: images, folder, model, epochs, seed, device, threads; None leaves a key alone.
        settings: "a.b=c" texts, as of `--set`.

    Raises:
        ConfigError: a key or value is wrong.
    """
    tree: Tree = {}
    for name, value in (options or {}).items():
        if value is None:
            continue
        if name not in _OPTIONS:
            near = nearest_names(name, _OPTIONS)
            hint = f"did you mean {' or '.join(near)}?" if near else ""
            known = ", ".join(_OPTIONS)
            raise ConfigError(name, "no option of a denoiser's training", f"one of {known}", hint)
        for key in reversed(_OPTIONS[name]):
            value = {key: value}
        tree = merge(tree, value)
    if tree.get("data", {}).keys() == {"images"} or tree.get("data", {}).keys() == {"folder"}:
        # Naming one source replaces the one in the configuration.
        tree["data"] = {"images": None, "folder": None, **tree["data"]}
    given = apply_settings(merge(load_tree(config), tree), settings)
    return validate(DenoisingConfig, given, config)


def train(
    config: DenoisingConfig,
    output: str | Path = "runs",
    observer: Observer | None = None,
    folder: Path | None = None,
) -> Run:
    """Train one denoiser; return its run.

    A finished run of the same identity is returned as it is; an unfinished one is continued.

    Args:
        config: see `denoising_config`.
        output: where run folders are made.
        observer: hears of the progress.
        folder: the run's folder itself, when it is continued.

    Raises:
        HsiSuiteError: of any kind, before anything is written where that is possible.
        Stopped: a stop was asked for; the run can be continued.
    """
    observer = observer or Observer()
    config = config.model_copy(
        update={
            "device": str(resolve_device(config.device)),
            "threads": config.threads or available_threads(),
        }
    )
    with computing(torch.device(config.device), config.threads or 1, config.deterministic):
        images = load_training_images(config)
        seeds = _seeds(config)
        denoiser = _untrained(config, images, seeds)
        task = training_task(config, images, seeds)
        checksums = {images.name: images.sha256}
        identity = run_identity(config.model_dump(mode="json"), checksums)
        name = run_name(
            images.name, config.model.name, _noise_name(config), config.seeds.base, identity
        )
        if folder is not None:
            output, name = folder.parent, folder.name
        run = prepare_run(Path(output), name, dump_yaml(config))
        with locked(run):
            if run.finished:
                observer.message(f"{run.path} is finished already; nothing to do")
                return run
            _describe(run, config, identity, checksums, observer)
            log = LogObserver(run.path / LOG, observer)
            try:
                _carry_out(run, config, denoiser, task, log)
            except Stopped:
                raise Stopped(f"go on with: hsi train --resume {run.path}") from None
    return Run(run.path)


def resume(path: str | Path, observer: Observer | None = None) -> Run:
    """Continue the run in a folder from its own configuration.

    Raises:
        RunError: it is no run folder, or its images have changed.
    """
    run = open_run(path)
    config = validate(DenoisingConfig, run.config, run.path / "config.yaml")
    return train(config, observer=observer, folder=run.path)


def _seeds(config: DenoisingConfig) -> SeedStreams:
    fixed = config.seeds.model_dump(exclude={"base"}, exclude_none=True)
    return SeedStreams(config.seeds.base, fixed)


def _untrained(config: DenoisingConfig, images: ImageSet, seeds: SeedStreams) -> Denoiser:
    low, high = config.noise.sigma
    header = DenoiserHeader(
        model=config.model.name,
        options=dict(config.model.options),
        in_channels=1 if config.data.colour == "grey" else 3,
        noise=config.noise.kind,
        sigma=(low, high),
        dataset=images.name,
    )
    return untrained_denoiser(header, torch.device(config.device), seeds.torch("init"))


def _noise_name(config: DenoisingConfig) -> str:
    low, high = (f"{level:g}" for level in config.noise.sigma)
    kind = config.noise.kind.replace("_", "-")
    return f"{kind}-{low}" if low == high else f"{kind}-{low}-{high}"


def _describe(
    run: Run,
    config: DenoisingConfig,
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
            "the images or the configuration have changed since this run began",
            f"identity {then.get('identity')}, found {identity}",
            "start a new run",
        )
    for line in compare_environments(then, facts):
        observer.message(f"not the same environment as when this run began: {line}")


def _carry_out(
    run: Run,
    config: DenoisingConfig,
    denoiser: Denoiser,
    task: ImageDenoising,
    observer: Observer,
) -> None:
    started = time.monotonic()
    device = torch.device(config.device)
    trainer = Trainer(
        denoiser.network, task, config.train, task.seeds, device, run.path / CHECKPOINT, observer
    )
    training = trainer.fit()
    denoiser.save(run.path / MODEL)
    # Results come from the file that `hsi denoise` will read, not from what is in memory.
    saved = load_denoiser(run.path / MODEL, device)
    write_denoising_results(run, config, saved, task, training, time.monotonic() - started)
    (run.path / CHECKPOINT).unlink(missing_ok=True)
