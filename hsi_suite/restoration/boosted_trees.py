"""Boosted decision trees in a file of numbers: a chance from a few measurements, without pickle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BoostedTrees:
    """Trees of one depth D, whose values are summed to the logarithm of the odds.

    A node k of a tree has the children 2k + 1 and 2k + 2; a measurement above the threshold goes to
    the second. Branches that end early go on to leaves of equal values.

    Attributes:
        features: which measurement each node looks at, trees × (2^D − 1).
        thresholds: of the nodes, of the same shape.
        leaves: values of the leaves, trees × 2^D.
        start: logarithm of the odds before all trees.
    """

    features: NDArray[np.int64]
    thresholds: Numbers
    leaves: Numbers
    start: float

    def chance(self, numbers: Numbers) -> float:
        """The chance of what the trees were fitted to tell, 0 to 1.

        Args:
            numbers: the measurements.
        """
        trees = np.arange(len(self.features))
        node = np.zeros(len(self.features), np.int64)
        inner = self.features.shape[1]
        while node[0] < inner:
            above = numbers[self.features[trees, node]] > self.thresholds[trees, node]
            node = 2 * node + 1 + above
        score = self.start + float(self.leaves[trees, node - inner].sum())
        return float(1 / (1 + np.exp(-score)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a file keeps of them."""
        return {
            "features": self.features.astype(np.uint8),
            "thresholds": self.thresholds.astype(np.float32),
            "leaves": self.leaves.astype(np.float32),
            "start": np.array(self.start, np.float32),
        }


def from_scikit_learn(model: Any) -> BoostedTrees:
    """The trees of a fitted `GradientBoostingClassifier` of two classes.

    Thresholds are rounded to float32, as that library's own measurements are.
    """
    depth = model.max_depth
    rate = model.learning_rate
    trees = [_as_heap(each.tree_, depth) for each in model.estimators_[:, 0]]
    features, thresholds, leaves = (np.stack(parts) for parts in zip(*trees, strict=True))
    prior = model.init_.class_prior_
    start = float(np.log(prior[1] / prior[0]))
    return BoostedTrees(features, thresholds, rate * leaves, start)


def _as_heap(tree: Any, depth: int) -> tuple[NDArray[np.int64], Numbers, Numbers]:
    inner = 2**depth - 1
    features, thresholds = np.zeros(inner, np.int64), np.full(inner, np.inf)
    leaves = np.zeros(inner + 1)
    waiting = [(0, 0)]
    while waiting:
        place, node = waiting.pop()
        ended = tree.children_left[node] < 0
        if place >= inner:
            leaves[place - inner] = tree.value[node, 0, 0]
            continue
        if not ended:
            features[place], thresholds[place] = tree.feature[node], tree.threshold[node]
        left, right = (
            (node, node) if ended else (tree.children_left[node], tree.children_right[node])
        )
        waiting += [(2 * place + 1, int(left)), (2 * place + 2, int(right))]
    return features, thresholds, leaves


def write_trees(path: Path, fits: dict[str, BoostedTrees]) -> None:
    """Several of them in one file, by name."""
    arrays = {
        f"{name}.{part}": values
        for name, trees in fits.items()
        for part, values in trees.arrays().items()
    }
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def read_trees(path: Path, name: str) -> BoostedTrees:
    """One of the file's, by its name; nothing in it is executed."""
    with np.load(path, allow_pickle=False) as file:
        parts = {part: file[f"{name}.{part}"] for part in ("features", "thresholds", "leaves")}
        start = float(file[f"{name}.start"])
    return BoostedTrees(
        parts["features"].astype(np.int64),
        parts["thresholds"].astype(np.float64),
        parts["leaves"].astype(np.float64),
        start,
    )
