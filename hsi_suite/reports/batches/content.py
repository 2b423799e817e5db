"""What the report of a batch is made from, and its groups sorted into comparable ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..content import BASELINE, BESIDE, baseline_name, ordered_baselines
from .values import Entry, name_text

if TYPE_CHECKING:
    from .maps import Votes

# A group's name that ends with the configuration that it is of, as `runs/batches/design.py` has it.
_CONFIGURED = re.compile(r"(.+) \(([^()]+)\)")

Group = Mapping[str, Any]


@dataclass(frozen=True)
class RunFacts:
    """What one run of a group has left, without anything that differs between equal runs.

    Attributes:
        name: of its folder.
        metrics: the content of metrics.json.
        scores: its flat scores by name, as in runs.csv; None where undefined.
        history: a row of values for each epoch.
        environment: the content of environment.json.
        config_text: its resolved configuration, YAML.
    """

    name: str
    metrics: Mapping[str, Any]
    scores: Mapping[str, float | None]
    history: Sequence[Mapping[str, Any]]
    environment: Mapping[str, Any]
    config_text: str


@dataclass(frozen=True)
class GroupFacts:
    """A group of the summary with its runs.

    Attributes:
        group: its entry in summary.json.
        runs: in the order of the entry.
        votes: what the runs' maps say about each pixel; None where there are none.
        published: scores from the literature of the same data and protocol, see
            `classification.published_table`; None where the task knows no literature.
        variant_words: what its runs differ by from others on the same data, as in a sentence.
        random_split: whether what is scored lies among what was learnt from, so that position
            alone may give the answer away.
        maps: whether each class has the colour it has in maps.
    """

    group: Group
    runs: Sequence[RunFacts]
    votes: Votes | None = None
    published: Sequence[Mapping[str, Any]] | None = None
    variant_words: str = ""
    random_split: bool = False
    maps: bool = False

    @property
    def name(self) -> str:
        """Its name on one line."""
        return name_text(self.group["name"])

    @property
    def model(self) -> str:
        """Its model's name on one line."""
        return name_text(self.group["model"])

    @property
    def headline(self) -> str:
        """The metric that is named first."""
        return str(self.group["headline"][0])

    @property
    def entry(self) -> Entry:
        """The description of the headline metric."""
        return entry_of(self.group["test"], self.headline)

    @property
    def baselines(self) -> dict[str, Mapping[str, Entry]]:
        """The scores of the baselines by name, position first."""
        return ordered_baselines(self.group)


@dataclass(frozen=True)
class Contest:
    """The groups on one data set and variant: what can be compared with each other.

    Attributes:
        title: data set and variant in words.
        groups: at least one.
        comparisons: entries of the summary about these groups.
    """

    title: str
    groups: Sequence[GroupFacts]
    comparisons: Sequence[Mapping[str, Any]]

    @property
    def headline(self) -> str:
        """The metric that is named first."""
        return self.groups[0].headline

    @property
    def rivals(self) -> list[GroupFacts]:
        """The groups without those that repeat another one on other threads or another device."""
        return [
            facts
            for facts in self.groups
            if not any(
                facts.model == other.model
                and str(facts.group["name"]).startswith(f"{other.group['name']}, ")
                for other in self.groups
            )
        ]

    @property
    def random_split(self) -> bool:
        """Whether position alone may give away what is scored."""
        return self.groups[0].random_split


@dataclass(frozen=True)
class BatchReport:
    """What the report of a batch is made of: nothing that depends on time, memory, host or paths.

    Attributes:
        summary: the content of summary.json.
        groups: its groups with their runs, in their order.
        batch_text: the resolved batch, YAML; empty for a run alone.
        commands: what does it again, with comments.
        maps_left_out: why groups show no maps, in sentences.
    """

    summary: Mapping[str, Any]
    groups: Sequence[GroupFacts]
    batch_text: str
    commands: str
    maps_left_out: Sequence[str] = field(default=())

    @cached_property
    def contests(self) -> list[Contest]:
        """The groups by data set and variant, in the order of the summary."""
        places: dict[tuple[str, str], list[GroupFacts]] = {}
        for facts in self.groups:
            places.setdefault(_place(facts.group), []).append(facts)
        return [
            Contest(
                title=_title(members[0]),
                groups=members,
                comparisons=[c for c in self.summary["comparisons"] if _place(c) == place],
            )
            for place, members in places.items()
        ]

    @property
    def level(self) -> float:
        """Nominal coverage of the intervals."""
        return float(self.summary["level"])

    @property
    def significance(self) -> float:
        """Below what a corrected p-value tells two models apart."""
        return 1 - self.level


def entry_of(scores: Mapping[str, Entry], metric: str) -> Entry:
    """The description of a metric, an empty one where no run has it."""
    empty = {"n": 0, "mean": None, "std": None, "min": None, "max": None, "interval": None}
    return scores.get(metric) or empty


def compared_baseline(name: str) -> str:
    """The baseline that a comparison names, without what others of its kind add."""
    return name.removeprefix(BASELINE).partition(BESIDE)[0]


def contender_name(name: str, contest: Contest) -> str:
    """What a comparison compares, in words: a group's model, or a baseline."""
    models = {facts.group["name"]: facts for facts in contest.groups}
    if name not in models:
        key = compared_baseline(name)
        words = baseline_name(key) + (", as baseline" if name.startswith(BASELINE) else "")
        beside = name.partition(BESIDE)[2]
        return f"{words}{BESIDE}{name_text(beside)}" if beside else words
    group = models[name]
    same = [facts for facts in contest.rivals if facts.model == group.model]
    if group in same and len(same) == 1:
        return group.model
    # What repeats a group on other threads or another device is distinguished by what it adds.
    for other in same if len(same) == 1 else []:
        return group.model + name_text(str(group.group["name"])[len(str(other.group["name"])) :])
    # Of several configurations of one model the title has said all but which they are.
    parts = [_CONFIGURED.fullmatch(facts.name) for facts in same]
    said = {found[1] if found else "" for found in parts}
    own = _CONFIGURED.fullmatch(group.name)
    return own[2] if own and said == {own[1]} else group.name


def contest_rows(contest: Contest) -> Iterator[tuple[str, str, Mapping[str, Entry], GroupFacts]]:
    """Name, kind ("model" or "baseline"), scores and group of everything measured on one place.

    Baselines of several models on the same splits are the same runs: they are named once.
    """
    for facts in contest.groups:
        yield contender_name(facts.group["name"], contest), "model", facts.group["test"], facts
    seen: list[tuple[str, Mapping[str, Entry]]] = []
    for facts in contest.groups:
        for key, scores in facts.baselines.items():
            if (key, scores) in seen:
                continue
            again = any(key == name for name, _ in seen)
            seen.append((key, scores))
            name = baseline_name(key) + (f" (splits of {facts.model})" if again else "")
            yield name, "baseline", scores, facts


def _place(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry["dataset"]), str(entry["variant"])


def _title(facts: GroupFacts) -> str:
    synthetic = " (synthetic scene)" if facts.group["synthetic"] else ""
    words = f", {name_text(facts.variant_words)}" if facts.variant_words else ""
    return f"{name_text(facts.group['dataset'])}{synthetic}{words}"
