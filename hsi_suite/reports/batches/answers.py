"""The answer of a batch for each data set and variant: who leads, by how much, can one tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...metrics.measures import measure
from ..content import BESIDE, baseline_name, enumerate_names
from ..document import Card, Remark
from ..verdict import POSITION_MARGIN
from .content import BatchReport, Contest, GroupFacts, compared_baseline, contender_name
from .values import interval_text, level_text, runs_text


def answers(report: BatchReport) -> list[Card]:
    """One for each data set and variant that has scores."""
    return [_answer(contest, report) for contest in report.contests if ranked(contest)]


def ranked(contest: Contest) -> list[GroupFacts]:
    """The groups that have scores, the best mean first."""
    known = [facts for facts in contest.rivals if facts.entry["mean"] is not None]
    kind = measure(contest.headline)
    return sorted(known, key=lambda facts: -kind.gain(facts.entry["mean"]))


def duels_of(facts: GroupFacts, contest: Contest) -> dict[str, Mapping[str, Any]]:
    """Comparisons of a group by its opponent's name, differences seen from the group."""
    own, duels = facts.group["name"], {}
    for entry in contest.comparisons:
        if entry["metric"] != contest.headline:
            continue
        if entry["first"] == own:
            duels[entry["second"]] = entry
        elif entry["second"] == own:
            difference = entry["difference"]
            turned = None if difference is None else -difference
            duels[entry["first"]] = {**entry, "difference": turned}
    return duels


def is_significant(duel: Mapping[str, Any] | None, report: BatchReport) -> bool:
    """Whether a comparison finds the group it is seen from better, after correction."""
    if duel is None or duel["holm_p"] is None or duel["difference"] is None:
        return False
    better = measure(duel["metric"]).gain(duel["difference"]) > 0
    return bool(better and duel["holm_p"] < report.significance)


def significant_over_all(
    best: GroupFacts, others: Iterable[GroupFacts], report: BatchReport
) -> bool:
    """Whether the lead of a group over each of the others is significant."""
    contest = next(c for c in report.contests if best in c.groups)
    duels = duels_of(best, contest)
    return all(is_significant(duels.get(facts.group["name"]), report) for facts in others)


def _answer(contest: Contest, report: BatchReport) -> Card:
    order = ranked(contest)
    best, others = order[0], order[1:]
    key, entry = contest.headline, best.entry
    spread = runs_text(entry["n"])
    if entry["std"] is not None:
        ends = interval_text(key, entry)
        spread = f"{level_text(report.level)} interval {ends}, {spread}"
    return Card(
        title=contest.title,
        score=measure(key).with_unit(entry["mean"]),
        name=contender_name(best.group["name"], contest),
        note=f"{measure(key).title}, {spread}",
        text=_outcome(best, others, contest, report),
        remarks=[*_baselines(best, contest, report), *_position(best, contest)],
        significant=bool(others) and significant_over_all(best, others, report),
    )


def _outcome(
    best: GroupFacts, others: Sequence[GroupFacts], contest: Contest, report: BatchReport
) -> str:
    if not others:
        if best.entry["std"] is None:
            return ""
        apart = measure(contest.headline).size_text(best.entry["max"] - best.entry["min"])
        unit = measure(contest.headline).points
        return f"Single runs lie up to {f'{apart} {unit}'.strip()} apart."
    duels = duels_of(best, contest)
    beaten = [facts for facts in others if is_significant(duels.get(facts.group["name"]), report)]
    rest = [facts for facts in others if facts not in beaten]
    text = _better(beaten, duels, contest) if beaten else ""
    return f"{text} {_cannot_tell(rest, duels, contest, bool(beaten))}".strip() if rest else text


def _named(group: Sequence[GroupFacts], contest: Contest) -> str:
    return enumerate_names(contender_name(facts.group["name"], contest) for facts in group)


def _better(
    beaten: Sequence[GroupFacts], duels: Mapping[str, Mapping[str, Any]], contest: Contest
) -> str:
    fought = [duels[facts.group["name"]] for facts in beaten]
    by = measure(contest.headline).difference_text(min(duel["difference"] for duel in fought))
    worst = max(duel["holm_p"] for duel in fought)
    least = "at least " if len(beaten) > 1 else ""
    p = "p < 0.001" if worst < 0.001 else f"p = {worst:.3f}"
    return f"Better than {_named(beaten, contest)} by {least}{by.lstrip('+')} ({p}, Holm)."


def _cannot_tell(
    rest: Sequence[GroupFacts],
    duels: Mapping[str, Mapping[str, Any]],
    contest: Contest,
    also: bool,
) -> str:
    duel = duels.get(rest[0].group["name"])
    if duel is None or duel["difference"] is None:
        return f"There is no comparison with {_named(rest, contest)}."
    word = "also better" if also else "better"
    gap = measure(contest.headline).difference_text(duel["difference"])
    text = f"The runs cannot tell whether it is {word} than {_named(rest, contest)} ({gap}"
    needed = duel["runs_to_tell"]
    return f"{text}; about {needed} runs of each would)." if needed else f"{text})."


def best_simpler(contest: Contest) -> tuple[str, float] | None:
    """The baseline with the best mean beside any of the models, position alone set aside."""
    key = contest.headline
    means = [
        (name, float(scores[key]["mean"]))
        for facts in contest.groups
        for name, scores in facts.baselines.items()
        if name != "position" and scores.get(key) and scores[key]["mean"] is not None
    ]
    return max(means, key=lambda pair: measure(key).gain(pair[1])) if means else None


def _baselines(best: GroupFacts, contest: Contest, report: BatchReport) -> list[Remark]:
    found = best_simpler(contest)
    if found is None:
        return []
    name, mean = found
    kind = measure(contest.headline)
    reached = kind.with_unit(mean)
    text = f"Best simpler method, {baseline_name(name)}: {reached}"
    ahead = kind.gain(mean - best.entry["mean"])
    if ahead >= 0:
        words = f"better, by {kind.size_with_points(ahead)}" if ahead else "as well"
        return [Remark(f"{text}. It does {words}.", warning=True)]
    duels = duels_of(best, contest)
    own = f"{BESIDE}{best.group['name']}"
    known = [key for key in duels if compared_baseline(key) == name]
    duel = next((duels[key] for key in known if BESIDE not in key or key.endswith(own)), None)
    if duel is not None and not is_significant(duel, report):
        return [Remark(f"{text}. The runs cannot tell the two apart.", warning=True)]
    return [Remark(f"{text}.")]


def _position(best: GroupFacts, contest: Contest) -> list[Remark]:
    if not contest.random_split:
        return []
    entry = (best.baselines.get("position") or {}).get(contest.headline)
    if not entry or entry["mean"] is None:
        text = "Random split without a position-only baseline: nothing says how much is memory."
        return [Remark(text, warning=True)]
    alone = measure(contest.headline).with_unit(entry["mean"])
    if entry["mean"] < best.entry["mean"] - POSITION_MARGIN:
        return [Remark(f"Position alone, without spectra: {alone}.")]
    text = f"Position alone, without spectra: {alone}. This random split measures mostly memory."
    return [Remark(text, warning=True)]
