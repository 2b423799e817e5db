"""Sources of chance in words: what each is, which one spreads most, and whether they interact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...metrics.largest_source import largest_source, runs_to_tell
from ...metrics.measures import measure
from ...metrics.verdicts import p_words
from ...printable import plain
from .values import level_text

# Runs on other threads or devices are no source that varies in plain repetition.
_NO_SOURCES = ("numerics",)
_MEANINGS = {
    "split": "which of the labelled items train and which test",
    "init": "the random numbers that the weights start from, or that trees and folds are drawn by",
    "order": "the order in which training meets the items",
    "dropout": "which features are dropped at each step of training",
    "augment": "how training items are turned, scaled and made noisy",
    "noise": "which noise is added to the clean training images",
    "data": "which scene the generator makes",
    "numerics": "how sums are rounded on other numbers of threads or another device, the seeds the "
    "same",
}


def meanings(entry: Mapping[str, Any]) -> list[str]:
    """What each source of an entry is, a sentence each."""
    known = ((name, _MEANINGS.get(name)) for name in entry["sources"])
    return [f"{plain(name)}: {meaning}" for name, meaning in known if meaning]


def remainder_words(entry: Mapping[str, Any]) -> str:
    """Whether the sources interact, by what they add up to; empty where that is not known.

    Args:
        entry: of `summary.json`, see `metrics.variance.VarianceShares.to_dict`.
    """
    rest, ends = entry.get("remainder_share"), entry.get("remainder_share_interval")
    if rest is None or ends is None:
        return ""
    low, high = 1 - ends["high"], 1 - ends["low"]
    added = (
        f"apart, the variances of the sources add up to {1 - rest:.2g} times that of all together "
        f"({level_text(entry['level'])} interval {low:.2g} to {high:.2g})"
    )
    if low > 1:
        return f"the sources interact: {added}, as each holds its interactions with the others"
    if high < 1:
        return f"something that was not varied alone spreads the runs, too: {added}"
    return f"{added}: whether they interact cannot be told"


def largest_source_words(entry: Mapping[str, Any], level: float) -> str:
    """Which source alone spreads the runs most, or that it cannot be told; empty without any.

    Args:
        entry: of `summary.json`, see `metrics.variance.VarianceShares.to_dict`.
        level: nominal coverage; 1 less the size of the test.
    """
    sources = {
        name: (source["variance"], source["degrees_of_freedom"])
        for name, source in entry["sources"].items()
        if source["variance"] is not None and name not in _NO_SOURCES
    }
    found = largest_source(sources, level)
    if found is None:
        return ""
    kind = measure(entry["metric"])

    def sized(name: str) -> str:
        return f"{plain(name)} ({kind.size_text(entry['sources'][name]['std'])})"

    unit = f", standard deviation in {kind.points}" if kind.points else ", standard deviation"
    if found.told:
        return (
            f"what alone spreads it most is {sized(found.name)}, more than {sized(found.second)} "
            f"and every other source{unit} (F test, {p_words(found.p_value)})"
        )
    text = (
        f"which source spreads it most cannot be told: {sized(found.name)} and "
        f"{sized(found.second)} come first{unit} (F test, {p_words(found.p_value)})"
    )
    first, second = (entry["sources"][name] for name in (found.name, found.second))
    runs = runs_to_tell(first["variance"] / second["variance"], first["anchors"], level)
    if runs is None:
        return f"{text}; if they differ no more than that, no usual number of runs would tell"
    return f"{text}; if they differ by that, about {runs:,} runs of each would tell"
