"""What a batch says as a whole: its question, its verdict in a sentence, its warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...metrics.measures import measure
from ...printable import plain
from ..content import enumerate_names, unverified_text
from ..document import Remark
from .answers import answers, best_simpler, ranked, significant_over_all
from .content import BatchReport, Contest, GroupFacts, contender_name
from .sources import largest_source_words
from .values import name_text, runs_text

_MOST_NAMED = 4
_FEW_RUNS = 5
_LONGEST_QUESTION = 400


def unverified_of(summary: Mapping[str, Any]) -> list[Remark]:
    """The warning that runs of a batch are of unverified data, where some are."""
    names = {name for group in summary["groups"] for name in group.get("unverified") or ()}
    remarks = [Remark(unverified_text(sorted(names)), warning=True)] if names else []
    for group in summary["groups"]:
        if group.get("diverged"):
            text = f"The training diverged in {group['diverged']} runs of {plain(group['name'])}."
            remarks.append(Remark(text, warning=True))
    return remarks


def question(report: BatchReport) -> str:
    """What the batch asks."""
    return plain(report.summary["question"])[:_LONGEST_QUESTION]


def lead(report: BatchReport) -> str:
    """How large the batch is, in one line."""
    number = sum(facts.group["n"] for facts in report.groups)
    words = f"{name_text(report.summary['name'])} · {runs_text(number)}"
    if len(report.groups) > 1:
        words += f" in {len(report.groups)} groups"
    if report.summary["variance"]:
        words += ", and those that vary one source of chance alone"
    failed = len(report.summary["failures"])
    return words + (f" · {failed} failed" if failed else "")


def sentence(report: BatchReport) -> str:
    """The verdict in one sentence: who leads where, or how far runs of one model lie apart."""
    placed = [(contest, order) for contest in report.contests if (order := ranked(contest))]
    orders = [order for _, order in placed]
    if not orders:
        return "No run has a score to show."
    fought = [(contest, order) for contest, order in placed if len(order) > 1]
    text = _leaders(fought, report) if fought else _spread(orders) + _largest_sources(report)
    matched, widest = _matched(report)
    if not matched:
        return f"{text}."
    where = "" if len(orders) == 1 else f" in {matched} of {len(orders)} settings"
    return f"{text}. A simpler method does {widest}{where}."


def _leaders(fought: Sequence[tuple[Contest, Sequence[GroupFacts]]], report: BatchReport) -> str:
    number = len(fought)
    places = {1: "", 2: " in both settings"}.get(number, f" in all {number} settings")
    leaders = [_leader(contest, order[0]) for contest, order in fought]
    if len(set(leaders)) > 1:
        counted = [f"{model} in {leaders.count(model)}" for model in sorted(set(leaders))]
        words = f"The lead changes with the setting: {enumerate_names(counted)} of {number}"
    else:
        words = f"{leaders[0]} leads{places}"
    clear = sum(significant_over_all(order[0], order[1:], report) for _, order in fought)
    return f"{words}; {_lead_words(clear, number)}"


def _leader(contest: Contest, first: GroupFacts) -> str:
    """Its model, or which of several configurations of one model it is."""
    alone = sum(facts.model == first.model for facts in contest.rivals) == 1
    return first.model if alone else contender_name(first.group["name"], contest)


def _lead_words(clear: int, fought: int) -> str:
    if clear == fought:
        where = "" if fought == 1 else " in each"
        return f"the lead over every other model is significant{where}"
    if clear == 0:
        return "the lead over every other model is not significant"
    return f"the lead over every other model is significant in {clear} of {fought}"


def _matched(report: BatchReport) -> tuple[int, str]:
    """In how many settings a simpler method reaches what the best model does, and how well."""
    gaps = []
    for contest in report.contests:
        order, simpler = ranked(contest), best_simpler(contest)
        if order and simpler:
            kind = measure(contest.headline)
            gap = kind.gain(simpler[1] - order[0].entry["mean"])
            if gap >= 0:
                gaps.append((gap, kind.size_with_points(gap)))
    if not gaps:
        return 0, ""
    _, widest = max(gaps)
    return len(gaps), "as well" if max(gaps)[0] == 0 else f"better, by up to {widest}"


def _spread(orders: Sequence[Sequence[GroupFacts]]) -> str:
    known = [order[0] for order in orders if order[0].entry["std"] is not None]
    if not known:
        return "One run each: nothing can be said about how much the scores vary"

    def gap(facts: GroupFacts) -> float:
        return float(facts.entry["max"] - facts.entry["min"])

    widest = max(known, key=gap)
    kind = measure(widest.headline)
    apart = f"{measure(widest.headline).size_text(gap(widest))} {kind.points}".strip()
    where = f" ({widest.name})" if len(known) > 1 else ""
    return f"With other seeds alone, {kind.title} differs by up to {apart} between runs{where}"


def _largest_sources(report: BatchReport) -> str:
    """What alone spreads the scores most, where a single training was taken apart."""
    entries = [e for e in report.summary["variance"] if e["scale"] == "identity"]
    if not entries or len({entry["name"] for entry in entries}) > 1:
        return ""
    words = largest_source_words(entries[0], report.summary["level"])
    return f"; {words}" if words else ""


def warnings(report: BatchReport) -> list[Remark]:
    """What else has to be known, the most important first."""
    return [
        *unverified_of(report.summary),
        *_random_against_disjoint(report),
        *_variance(report),
        *_small(report),
        *_failures(report.summary["failures"]),
    ]


def batch_verdict(report: BatchReport) -> list[Remark]:
    """Everything at the head of the page as statements, for the terminal and for Markdown."""
    clear = [remark for answer in answers(report) for remark in answer.as_remarks()]
    return [Remark(sentence(report)), *clear, *warnings(report)]


def _random_against_disjoint(report: BatchReport) -> list[Remark]:
    """How much of a random split's score is left away from the training pixels."""
    apart = {
        (facts.group["dataset"], facts.model): facts
        for facts in report.groups
        if facts.group["variant"] == "disjoint" and facts.entry["mean"] is not None
    }
    steps: dict[tuple[str, str], list[str]] = {}
    for facts in report.groups:
        other = apart.get((facts.group["dataset"], facts.model))
        if facts.random_split and other is not None and facts.entry["mean"] is not None:
            key = facts.headline
            here = measure(key).text(facts.entry["mean"])
            there = measure(key).with_unit(other.entry["mean"])
            words = f"{facts.model} {here} → {there}"
            place = (name_text(facts.group["dataset"]), measure(key).heading.partition(",")[0])
            steps.setdefault(place, []).append(words)
    return [
        Remark(
            f"From the random split of {dataset} to the one with a guard, {metric}: "
            f"{enumerate_names(words)}."
        )
        for (dataset, metric), words in steps.items()
    ]


def _variance(report: BatchReport) -> list[Remark]:
    remarks, seen = [], set()
    for entry in report.summary["variance"]:
        if entry["name"] in seen or entry["scale"] != "identity":
            continue
        seen.add(entry["name"])
        key = entry["metric"]
        known = {n: s["std"] for n, s in entry["sources"].items() if s["std"] is not None}
        order = sorted(known, key=lambda name: -known[name])[:_MOST_NAMED]
        if not order:
            continue
        unit = measure(key).points
        parts = [f"{plain(name)} {measure(key).size_text(known[name])}" for name in order]
        together = measure(key).size_text(entry["total_std"])
        remarks.append(
            Remark(
                f"What spreads {name_text(entry['model'])} on {name_text(entry['dataset'])}, each "
                f"source alone, standard deviation in {unit or 'its unit'}: "
                f"{enumerate_names(parts)}; all together {together}."
            )
        )
    return remarks


def _small(report: BatchReport) -> list[Remark]:
    alone = [facts.name for facts in report.groups if facts.entry["n"] == 1]
    few = [facts.name for facts in report.groups if 1 < facts.entry["n"] < _FEW_RUNS]
    remarks = []
    if alone:
        text = f"One run says nothing about the spread: {enumerate_names(alone, _MOST_NAMED)}."
        remarks.append(Remark(text, warning=True))
    if few:
        text = (
            f"Fewer than {_FEW_RUNS} runs: {enumerate_names(few, _MOST_NAMED)}. The intervals "
            "hold, but they are wide, and their width is itself uncertain."
        )
        remarks.append(Remark(text, warning=True))
    return remarks


def _failures(failures: Mapping[str, str]) -> list[Remark]:
    if not failures:
        return []
    listed = enumerate_names((name_text(what) for what in failures), _MOST_NAMED)
    counted = (
        "1 run failed and counts"
        if len(failures) == 1
        else f"{len(failures)} runs failed and count"
    )
    return [Remark(f"{counted} nowhere: {listed}. The reasons stand under “Runs”.", warning=True)]
