"""`python -m benchmarks.calibration`: do probabilities mean what they say, before and after?

Trains models on a random and on a guarded split and prints, for the test pixels, negative
log-likelihood and expected calibration error without and with the calibration of
`train.calibration`. Nothing is timed, nothing is kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np
import torch

from hsi_suite.engine.devices import computing
from hsi_suite.engine.observer import Observer
from hsi_suite.models.classical import CLASSICAL
from hsi_suite.tasks.scenes.calibrating import calibrate
from hsi_suite.tasks.scenes.configuration import classification_config, resolve
from hsi_suite.tasks.scenes.fitting import fit, reduced_scene, untrained
from hsi_suite.tasks.scenes.judging import judge_test
from hsi_suite.tasks.scenes.preparation import prepare

QUICK = ("lda", "gaussian", "svm", "forest", "spectral_angle", "cnn1d")
#: What makes HybridSN quick: a small window and few epochs. Its own are 25 and 100.
SMALL = {"hybridsn": ("model.window=11", "train.epochs=15")}
_SCORES = ("negative_log_likelihood", "expected_calibration_error")


def judged(
    model: str, split: str, seed: int, options: argparse.Namespace
) -> tuple[float, dict[str, float], dict[str, float], str]:
    """Overall accuracy, scores before and after, and the method of one training."""
    settings = [*options.set]
    if split == "disjoint":
        settings.append(f"split.guard={options.guard}")
    if model not in CLASSICAL:
        settings.append(f"split.validation={options.validation}")
        settings += SMALL.get(model, ()) if options.small else ()
    config = resolve(
        classification_config(
            dataset=options.dataset, model=model, split=split, seed=seed, threads=options.threads,
            settings=settings,
        )
    )  # fmt: skip
    with (
        closing(prepare(config, Observer())) as prepared,
        computing(torch.device(config.device), options.threads, config.deterministic),
    ):
        classifier = untrained(config, prepared)
        reduced = reduced_scene(classifier, prepared)
        fit(classifier, config, prepared, None, Observer(), reduced=reduced)
        calibrate(classifier, config, prepared, reduced)
        found = judge_test(classifier, reduced, prepared, config, Observer())
        accuracy = float((found.classes == prepared.classes[prepared.split.test]).mean())
    before: dict[str, Any] = found.facts.get("uncalibrated", found.scores)
    return accuracy, before, found.scores, str(found.facts["calibration"]["method"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="indian_pines")
    parser.add_argument("--models", default=",".join(QUICK))
    parser.add_argument("--splits", default="random,disjoint")
    parser.add_argument("--guard", type=int, default=12, help="of the disjoint split, in pixels")
    parser.add_argument("--seeds", default="3,4,5")
    parser.add_argument("--validation", type=float, default=0.2, help="share, of networks")
    parser.add_argument("--small", action="store_true", help="a small window for hybridsn")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    print(f"{options.dataset}, means of seeds {options.seeds}; ECE in %, over 15 bins")
    heads = ("OA %", "NLL", "calibrated", "ECE", "calibrated")
    print(f"{'model':16}{'split':10}" + "".join(f"{head:>11}" for head in heads) + "  methods")
    for model in options.models.split(","):
        for split in options.splits.split(","):
            rows = [judged(model, split, seed, options) for seed in seeds]
            values = [100 * np.mean([row[0] for row in rows])]
            for score, factor in zip(_SCORES, (1, 100), strict=True):
                values += [factor * np.mean([row[k][score] for row in rows]) for k in (1, 2)]
            shown = "".join(
                f"{value:11.{digits}f}"
                for value, digits in zip(values, (1, 3, 3, 1, 1), strict=True)
            )
            methods = ", ".join(row[3] for row in rows)
            print(f"{model:16}{split:10}{shown}  {methods}", flush=True)


if __name__ == "__main__":
    main()
