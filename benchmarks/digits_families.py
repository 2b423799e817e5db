"""A small variant of every classic family learns scikit-learn's digits.

`python -m benchmarks.digits_families [NETWORK...]` trains each on one thread and prints a table:
validation and test accuracy after the last epoch, parameters, seconds. 1,797 digits of 8 × 8,
shown at 16 × 16; a fifth each is for validation (of what is left) and for the test.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hsi_suite.engine.observer import Observer
from hsi_suite.runs import launch
from hsi_suite.runs.folder import Run

#: Side of the images that the networks see.
SIZE = 16
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
        batch_size: digits per step.
        optimizer: keys of `train.optimizer`.
    """

    family: str
    options: Mapping[str, Any]
    epochs: int = 10
    batch_size: int = 64
    optimizer: Mapping[str, Any] = field(default_factory=lambda: _SGD)


_QUARTER, _EIGHTH = {"width": 0.25}, {"width": 0.125}
VARIANTS: dict[str, Variant] = {
    "alexnet": Variant("AlexNet", _QUARTER, 20, 32, _ADAM),
    "zfnet": Variant("ZFNet", _QUARTER, 12, 32, _ADAM),
    "vgg_11": Variant("VGG", _QUARTER, 12, 32, _ADAM),
    "network_in_network": Variant(
        "Network in Network", {"width": 0.5, "dropout": 0.1}, 15, 32, _ADAM
    ),
    "googlenet": Variant("GoogLeNet", _QUARTER, 12, 32, _ADAM),
    "bn_inception": Variant("BN-Inception", _EIGHTH),
    "inception_v3": Variant("Inception v3", _EIGHTH),
    "inception_v4": Variant("Inception v4", _EIGHTH, 16, 32),
    "inception_resnet_v1": Variant("Inception-ResNet v1", _EIGHTH),
    "inception_resnet_v2": Variant("Inception-ResNet v2", _EIGHTH),
    "resnet_18": Variant("ResNet", _QUARTER, 12, 32),
    "preactivation_resnet_18": Variant("ResNet, pre-activation", _QUARTER, 12, 32),
    "resnext_50": Variant("ResNeXt", _QUARTER),
    "se_resnet_50": Variant("SE-ResNet", _QUARTER),
    "se_resnext_50": Variant("SE-ResNeXt", _QUARTER),
    "se_bn_inception": Variant("SE-BN-Inception", _QUARTER),
    "se_inception_resnet_v2": Variant("SE-Inception-ResNet v2", _EIGHTH),
    "mobilenet_v1": Variant("MobileNet v1", _QUARTER, 20, 32),
    "mobilenet_v2": Variant("MobileNet v2", {"width": 0.35}, 20, 32),
    "shufflenet_v1": Variant("ShuffleNet v1", {"width": 0.5}, 20, 32),
}


def train(network: str, variant: Variant, output: str) -> Run:
    """The finished run of a variant."""
    settings = [
        f"model.options={json.dumps(variant.options)}",
        f"data.size={SIZE}",
        "split.validation=0.2",
        f"train.epochs={variant.epochs}",
        f"train.batch_size={variant.batch_size}",
        "train.selection=last",
        f"train.optimizer={json.dumps(variant.optimizer)}",
    ]
    config = launch.configure(dataset="digits", model=network, threads=1, settings=settings)
    return launch.start(config, output, Observer())


def main(names: Sequence[str]) -> None:
    """Train the named networks, or all, and print the table row by row."""
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; known: {', '.join(VARIANTS)}")
    print("| family | network | epochs | parameters | validation % | test % | seconds |")
    print("|---|---|---|---|---|---|---|")
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
            f"| {variant.family} | {name}, {options} | {variant.epochs} "
            f"| {run.metrics['parameters']:,} | {validation} | {test} | {seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
