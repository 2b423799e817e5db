"""A small variant of every classic family learns scikit-learn's digits.

`python -m benchmarks.digits_families [NETWORK...]` trains each on one thread and prints a table:
validation and test accuracy after the last epoch, parameters, seconds. 1,797 digits of 8 × 8,
shown at `size`; a fifth each is for validation (of what is left) and for the test.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hsi_suite.pipelines import training

from hsi_suite.engine.observer import Observer
from hsi_suite.runs import Run

# Without batch norm a network needs small steps at first, which Adam takes by itself.
_ADAM = {"name": "adam", "learning_rate": 1e-3}
_SGD = {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 5e-4}


@dataclass(frozen=True)
class Variant:
    """A family's small variant and how it is trained.

    Attributes:
        family: as papers call it.
        options: of the network.
        epochs: passes over 1,149 digits.
        size: side of the images in pixels.
        optimizer: keys of `train.optimizer`.
    """

    family: str
    options: Mapping[str, Any]
    epochs: int = 12
    size: int = 16
    optimizer: Mapping[str, Any] = field(default_factory=lambda: _SGD)


VARIANTS: dict[str, Variant] = {
    "alexnet": Variant("AlexNet", {"width": 0.25}, epochs=20, optimizer=_ADAM),
}


def train(network: str, variant: Variant, output: str) -> Run:
    """The finished run of a variant."""
    settings = [
        f"model.options={json.dumps(variant.options)}",
        f"data.size={variant.size}",
        "split.validation=0.2",
        f"train.epochs={variant.epochs}",
        "train.batch_size=32",
        "train.selection=last",
        f"train.optimizer={json.dumps(variant.optimizer)}",
    ]
    config = training.configure(dataset="digits", model=network, threads=1, settings=settings)
    return training.start(config, output, Observer())


def main(names: Sequence[str]) -> None:
    """Train the named networks, or all, and print the table row by row."""
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; known: {', '.join(VARIANTS)}")
    print("| family | network | size | epochs | parameters | validation % | test % | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for name in names or VARIANTS:
        variant = VARIANTS[name]
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            run = train(name, variant, folder)
            seconds = time.monotonic() - started
            options = ", ".join(f"{key} {value}" for key, value in variant.options.items())
            accuracies = [run.metrics[part]["overall_accuracy"] for part in ("validation", "test")]
        validation, test = (f"{100 * accuracy:.1f}" for accuracy in accuracies)
        print(
            f"| {variant.family} | {name}, {options} | {variant.size} | {variant.epochs} "
            f"| {run.metrics['parameters']:,} | {validation} | {test} | {seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
