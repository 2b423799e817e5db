"""`python -m benchmarks.planted_sources`: how often a largest source of chance is named rightly.

Sources of known standard deviations are varied alone, runs drawn around anchors, and judged as the
report of a batch does. Nothing is timed.
"""

from __future__ import annotations

import argparse

import numpy as np

from hsi_suite.metrics.largest_source import largest_source

LEVEL = 0.95
RUNS = (5, 10, 20)
#: Standard deviations of five sources, the first the largest where one is.
PLANTED = {
    "all equal": (1.0, 1.0, 1.0, 1.0, 1.0),
    "two equal, the others small": (1.0, 1.0, 0.1, 0.1, 0.1),
    "one 1.5 times the others": (1.5, 1.0, 1.0, 1.0, 1.0),
    "one 2 times the others": (2.0, 1.0, 1.0, 1.0, 1.0),
}


def share_named(
    deviations: tuple[float, ...], runs: int, anchors: int, trials: int
) -> tuple[float, float]:
    """Shares of the trials in which the largest source is named, and in which another one is."""
    rng = np.random.default_rng([runs, anchors, *(round(100 * each) for each in deviations)])
    drawn = rng.normal(0, 1, (trials, len(deviations), anchors, runs))
    variances = (drawn.var(axis=-1, ddof=1).mean(axis=-1)) * np.square(deviations)
    largest = max(deviations)
    alone = deviations.count(largest) == 1
    right = wrong = 0
    for row in variances:
        sources = {str(place): (float(v), anchors * (runs - 1)) for place, v in enumerate(row)}
        found = largest_source(sources, LEVEL)
        if found is not None and found.told:
            hit = alone and deviations[int(found.name)] == largest
            right, wrong = right + hit, wrong + (not hit)
    return right / trials, wrong / trials


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4000)
    parser.add_argument("--anchors", type=int, default=2)
    options = parser.parse_args()
    print(f"largest source named, in % of {options.trials:,} trials, {options.anchors} anchors")
    print(f"{'planted':32}" + "".join(f"{f'n = {n}: right':>16}{'wrong':>8}" for n in RUNS))
    for name, deviations in PLANTED.items():
        found = (share_named(deviations, n, options.anchors, options.trials) for n in RUNS)
        print(f"{name:32}" + "".join(f"{100 * r:16.1f}{100 * w:8.1f}" for r, w in found))


if __name__ == "__main__":
    main()
