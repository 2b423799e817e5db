"""`hsi_suite.train`: the options of `hsi train` as keyword arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..engine.observer import Observer
from ..runs import Run
from .classification import train as train_run
from .configuration import classification_config


def train(*, output: str | Path = "runs", observer: Observer | None = None, **options: Any) -> Run:
    """Train and evaluate a classifier; see `hsi train --help`.

    Args:
        output: where run folders are made.
        observer: hears of the progress; None keeps quiet.
        options: as of `pipelines.configuration.classification_config`, for example
            dataset="synthetic", split="disjoint", seed=1, baselines=["svm"],
            settings=["train.epochs=10"].

    Returns:
        The finished run: `run.metrics`, `run.history`, `run.label_map`, `run.path`.

    Raises:
        HsiSuiteError: something is wrong with the options, the data or the output.
    """
    return train_run(classification_config(**options), output, observer)
