"""`python -m benchmarks.planted_sources`: are sources of chance told apart as they were planted?

Scores are drawn with sources of known size, alone and together as a batch runs them, and judged as
its report does: how often a largest source is named, rightly and wrongly, and how often the
intervals of the shares hold the truth. Nothing is timed.
"""

from __future__ import annotations

import argparse
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from hsi_suite.metrics.largest_source import largest_source
from hsi_suite.metrics.variance import VarianceShares, variance_shares

LEVEL = 0.95
RUNS = (5, 10, 20)
#: Standard deviations of five sources, the first the largest where one is.
PLANTED = {
    "all equal": (1.0, 1.0, 1.0, 1.0, 1.0),
    "two equal, the others small": (1.0, 1.0, 0.1, 0.1, 0.1),
    "one 1.5 times the others": (1.5, 1.0, 1.0, 1.0, 1.0),
    "one 2 times the others": (2.0, 1.0, 1.0, 1.0, 1.0),
}
#: Standard deviations of four sources, and that of the interaction of each two of them.
MIXED = {
    "they add up": ((1.0, 1.0, 1.0, 1.0), 0.0),
    "they add up, one much larger": ((3.0, 0.3, 0.3, 0.3), 0.0),
    "they interact": ((0.5, 0.5, 0.5, 0.5), 0.6),
    "nothing but interactions": ((0.0, 0.0, 0.0, 0.0), 1.0),
}


def planted_batch(
    deviations: tuple[float, ...],
    pairs: float,
    runs: int,
    anchors: int,
    rng: np.random.Generator,
) -> VarianceShares:
    """What a batch of planted sources finds, see `runs.batches.design`.

    Args:
        deviations: of the sources' own effects.
        pairs: standard deviation of the interaction of each two of them.
        runs: that vary all sources, and that vary one of them at an anchor.
        anchors: the first so many runs.
        rng: source of chance.
    """
    number, seeds = len(deviations), runs + anchors * (runs - 1)
    own = rng.normal(0, 1, (number, seeds)) * np.array(deviations)[:, None]
    among = combinations(range(number), 2) if pairs else ()
    both = {pair: rng.normal(0, pairs, (seeds, seeds)) for pair in among}

    def scores(drawn: NDArray[np.int64]) -> list[float]:
        """Of runs whose sources have these seeds, runs × sources."""
        found = sum(own[source, drawn[:, source]] for source in range(number))
        for (one, other), effect in both.items():
            found = found + effect[drawn[:, one], drawn[:, other]]
        return list(map(float, found))

    groups: dict[str, list[list[float]]] = {}
    for source in range(number):
        for anchor in range(anchors):
            drawn = np.full((runs, number), anchor)
            drawn[1:, source] = runs + anchor * (runs - 1) + np.arange(runs - 1)
            groups.setdefault(str(source), []).append(scores(drawn))
    together = np.repeat(np.arange(runs)[:, None], number, 1)
    return variance_shares(groups, scores(together), level=LEVEL)


def share_named(
    deviations: tuple[float, ...], runs: int, anchors: int, trials: int
) -> tuple[float, float]:
    """Shares of the trials in which the largest source is named, and in which another one is."""
    rng = np.random.default_rng([runs, anchors, *(round(100 * each) for each in deviations)])
    largest = max(deviations)
    alone = deviations.count(largest) == 1
    right = wrong = 0
    for _ in range(trials):
        batch = planted_batch(deviations, 0.0, runs, anchors, rng)
        sources = {
            name: (each.variance, each.degrees_of_freedom)
            for name, each in batch.sources.items()
            if each.variance is not None
        }
        found = largest_source(sources, LEVEL)
        if found is not None and found.told:
            hit = alone and deviations[int(found.name)] == largest
            right, wrong = right + hit, wrong + (not hit)
    return right / trials, wrong / trials


def coverage(
    deviations: tuple[float, ...], pairs: float, runs: int, anchors: int, trials: int
) -> tuple[list[float], float]:
    """How often the intervals hold the truth: of the share of each source, and of the remainder."""
    rng = np.random.default_rng([runs, anchors, round(100 * pairs), round(100 * deviations[0])])
    number = len(deviations)
    alone = np.square(deviations) + (number - 1) * pairs**2
    total = np.square(deviations).sum() + number * (number - 1) / 2 * pairs**2
    truth, remainder = alone / total, 1 - alone.sum() / total
    held, rest = np.zeros(number), 0
    for _ in range(trials):
        batch = planted_batch(deviations, pairs, runs, anchors, rng)
        for place, each in enumerate(batch.sources.values()):
            assert each.share_interval is not None
            held[place] += each.share_interval.low <= truth[place] <= each.share_interval.high
        ends = batch.remainder_share_interval
        assert ends is not None
        rest += ends.low <= remainder <= ends.high
    return list(held / trials), rest / trials


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4000)
    parser.add_argument("--anchors", type=int, default=2)
    options = parser.parse_args()
    print(f"largest source named, in % of {options.trials:,} trials, {options.anchors} anchors")
    print(f"{'planted':32}" + "".join(f"{f'n = {n}: right':>16}{'wrong':>8}" for n in RUNS))
    for name, deviations in PLANTED.items():
        found = (share_named(deviations, n, options.anchors, options.trials) for n in RUNS)
        print(f"{name:32}" + "".join(f"{100 * r:16.1f}{100 * w:8.1f}" for r, w in found))
    print(f"\n{100 * LEVEL:g} % intervals that hold the truth, in %: of shares, of the remainder")
    print(f"{'planted':32}" + "".join(f"{f'n = {n}: shares':>22}{'rem.':>7}" for n in RUNS))
    for name, (deviations, pairs) in MIXED.items():
        line = f"{name:32}"
        for n in RUNS:
            shares, rest = coverage(deviations, pairs, n, options.anchors, options.trials)
            span = f"{100 * min(shares):.1f} to {100 * max(shares):.1f}"
            line += f"{span:>22}{100 * rest:7.1f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
