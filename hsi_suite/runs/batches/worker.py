"""A process that carries out runs of a batch: `python -m hsi_suite.runs.batches.worker`.

It is started by the executors of `engine` and takes its orders from them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ...atomic import temporary_folder
from ...engine.allocation import keep_large_blocks, release_free_blocks
from ...engine.observer import Observer
from ...engine.worker_loop import serve
from ...models.program_network import order_of, take_over
from ..folder import RunInUseError
from ..joint_training import train_together
from ..launch import configure, start
from ..task import Config

# A process whose batch was killed lets go of its run within moments.
_LOCK_SECONDS = 30.0
_PEAK_MEMORY = Path("/proc/self/clear_refs")


def order(config: Config, folder: Path) -> dict[str, Any]:
    """What a worker needs to carry out a run.

    Args:
        config: the run's configuration.
        folder: the batch's folder, in full.

    Raises:
        ConfigError: its network is a class that no other process can import.
    """
    return {
        "config": config.model_dump(mode="json"),
        "output": str(folder),
        "working_folder": str(Path.cwd()),
        "network": order_of(config.model.name),
    }


def joint_order(configs: Sequence[Config], folder: Path) -> dict[str, Any]:
    """What a worker needs to train several seeds at once.

    Args:
        configs: of their runs, which differ by the seeds alone.
        folder: as of `order`; errors too.
    """
    return order(configs[0], folder) | {
        "configs": [config.model_dump(mode="json") for config in configs]
    }


def carry_out(order: Mapping[str, Any], observer: Observer) -> str:
    """Do what an order says; returns the name of the run's folder, or "" of several.

    Raises:
        HsiSuiteError: the run cannot be carried out.
        Stopped: a stop was asked for; the run can be continued.
    """
    # The user's files may be named relative to where the batch was begun.
    os.chdir(order["working_folder"])
    if order.get("network"):
        take_over(order["network"])
    _forget_peak_memory()
    configs = [_configuration(tree) for tree in order.get("configs", [order["config"]])]
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            if "configs" in order:
                train_together(configs, order["output"], observer)
                return ""
            return start(configs[0], order["output"], observer).path.name
        except RunInUseError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.5)


def _configuration(tree: Mapping[str, Any]) -> Config:
    with temporary_folder("hsi-run-") as folder:
        path = folder / "run.yaml"
        path.write_text(yaml.safe_dump(dict(tree), allow_unicode=True), "utf-8")
        return configure(config=str(path))


def _forget_peak_memory() -> None:
    """Let a run's peak memory be its own, not that of the runs before it in this process."""
    release_free_blocks()
    try:
        _PEAK_MEMORY.write_text("5")
    except OSError:
        # Not this system's way: values of memory are then those of the whole process.
        return


if __name__ == "__main__":
    keep_large_blocks()
    serve(carry_out)
