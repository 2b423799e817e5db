"""`python -m benchmarks.interval_coverage`: how often intervals hold what they are to hold.

Runs are drawn from distributions whose mean and standard deviation are known; counted is how
many of the intervals that the library gives contain them. Nothing is timed.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsi_suite.metrics.statistics import bca_limits, std_factors, t_factor

LEVEL = 0.95
NUMBERS = (5, 10, 20)
#: Median accuracy of the skewed runs, and the standard deviation of its logit.
_MEDIAN, _SPREAD = 0.99, 1.0
_RESAMPLES = 999
_CHUNK = 250

Sample = NDArray[np.float64]


@dataclass(frozen=True)
class Runs:
    """A distribution of one run's figure.

    Attributes:
        name: for the table.
        draw: S × n runs from a generator.
        mean: the true one.
        std: the true one.
    """

    name: str
    draw: Callable[[np.random.Generator, int, int], Sample]
    mean: float
    std: float


@dataclass(frozen=True)
class Coverage:
    """One cell of the table.

    Attributes:
        share: of the intervals that hold the true value.
        trials: how many were drawn.
    """

    share: float
    trials: int

    @property
    def error(self) -> float:
        """Standard error of the share by the number of trials."""
        return math.sqrt(self.share * (1 - self.share) / self.trials)


def normal_runs() -> Runs:
    """Accuracies far from their ceiling: normal around 0.9, standard deviation 0.01."""

    def draw(chance: np.random.Generator, trials: int, n: int) -> Sample:
        return chance.normal(0.9, 0.01, (trials, n))

    return Runs("normal", draw, 0.9, 0.01)


def skewed_runs() -> Runs:
    """Accuracies near their ceiling: their logit is normal, their median 0.99."""
    centre = math.log(_MEDIAN / (1 - _MEDIAN))

    def accuracy(logit: Sample) -> Sample:
        values: Sample = 1 / (1 + np.exp(-logit))
        return values

    def draw(chance: np.random.Generator, trials: int, n: int) -> Sample:
        return accuracy(chance.normal(centre, _SPREAD, (trials, n)))

    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    weights = weights / weights.sum()
    values = accuracy(centre + _SPREAD * nodes)
    mean = float(weights @ values)
    return Runs("near the ceiling", draw, mean, math.sqrt(float(weights @ (values - mean) ** 2)))


def logit_runs() -> Runs:
    """The same accuracies on the logit scale."""
    centre = math.log(_MEDIAN / (1 - _MEDIAN))
    accuracies = skewed_runs()

    def draw(chance: np.random.Generator, trials: int, n: int) -> Sample:
        values = accuracies.draw(chance, trials, n)
        logits: Sample = np.log(values / (1 - values))
        return logits

    return Runs("near the ceiling, logit scale", draw, centre, _SPREAD)


def t_coverage(runs: Runs, n: int, trials: int, seed: int) -> Coverage:
    """Of the t interval of the mean."""
    values = runs.draw(np.random.default_rng(seed), trials, n)
    half = t_factor(n, LEVEL) * values.std(1, ddof=1)
    return Coverage(float(np.mean(np.abs(values.mean(1) - runs.mean) <= half)), trials)


def std_coverage(runs: Runs, n: int, trials: int, seed: int) -> Coverage:
    """Of the chi-square interval of the standard deviation."""
    values = runs.draw(np.random.default_rng(seed), trials, n)
    low, high = (factor * values.std(1, ddof=1) for factor in std_factors(n - 1, LEVEL))
    return Coverage(float(np.mean((low <= runs.std) & (runs.std <= high))), trials)


def bca_coverage(runs: Runs, n: int, trials: int, seed: int) -> Coverage:
    """Of the BCa bootstrap interval of the mean, which the library gives from 20 runs on."""
    chance, held = np.random.default_rng(seed), 0
    for start in range(0, trials, _CHUNK):
        values = runs.draw(chance, min(_CHUNK, trials - start), n)
        low, high = bca_limits(values, LEVEL, _RESAMPLES)
        held += int(np.sum((low <= runs.mean) & (runs.mean <= high)))
    return Coverage(held / trials, trials)


def rows(trials: int, bootstrap_trials: int, seed: int) -> list[tuple[str, list[Coverage]]]:
    """The table: a name, and the coverage for each number of runs."""
    normal, skewed, logits = normal_runs(), skewed_runs(), logit_runs()
    cases = [
        ("t of the mean", t_coverage, (normal, skewed, logits), trials),
        ("BCa of the mean", bca_coverage, (normal, skewed), bootstrap_trials),
        ("chi-square of the deviation", std_coverage, (normal, skewed, logits), trials),
    ]
    return [
        (f"{interval}, {runs.name}", [measure(runs, n, number, seed) for n in NUMBERS])
        for interval, measure, kinds, number in cases
        for runs in kinds
    ]


def table(found: list[tuple[str, list[Coverage]]]) -> str:
    """The coverages in percent with their Monte Carlo errors."""
    width = max(len(name) for name, _ in found)
    head = " | ".join(f"{f'n = {n}':>12}" for n in NUMBERS)
    lines = [f"| {'nominal 95 %':{width}} | {head} |"]
    lines.append(f"| {'-' * width} | " + " | ".join("-" * 11 + ":" for _ in NUMBERS) + " |")
    for name, cells in found:
        texts = [f"{100 * c.share:.1f} ± {100 * c.error:.2f}" for c in cells]
        lines.append(f"| {name:{width}} | " + " | ".join(f"{t:>12}" for t in texts) + " |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interval_coverage")
    parser.add_argument("--trials", type=int, default=100_000, help="of t and chi-square")
    parser.add_argument("--bootstrap-trials", type=int, default=4_000, help="of BCa")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    print(table(rows(options.trials, options.bootstrap_trials, options.seed)))
    print(
        f"\nSimulated, seed {options.seed}; ± is the standard error by the number of trials: "
        f"{options.trials:,} of t and chi-square, {options.bootstrap_trials:,} of BCa with "
        f"{_RESAMPLES} resamples.\nNear the ceiling: accuracies whose logit is normal, median "
        f"{_MEDIAN}, standard deviation of the logit {_SPREAD:g}."
    )


if __name__ == "__main__":
    main()
