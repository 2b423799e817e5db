"""What a page and a terminal say of a model that was chosen by folds: `--model auto`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..metrics.measures import measure
from ..printable import plain
from .content import Metrics, count, enumerate_names, percent
from .document import Block, Cell, Column, Paragraph, Remark, Remarks, Section, Table, Value

_SCORES = {
    "mean": "the mean of overall and average accuracy",
    "overall_accuracy": "overall accuracy",
    "average_accuracy": "average accuracy",
}
_HEADS = {"mean": "mean of OA and AA, %", **dict.fromkeys(list(_SCORES)[1:], "score, %")}
_FAR = 0.1


def chosen_score(scores: Metrics, kind: str) -> float | None:
    """The score that decided, of any pixels."""
    overall, average = scores["overall_accuracy"], scores["average_accuracy"]
    if kind == "mean":
        return None if average is None else (overall + average) / 2
    score: float | None = scores[kind]
    return score


def choice_remarks(metrics: Metrics) -> list[Remark]:
    """Which model was chosen, how sure that is, and what the folds promised."""
    choices = metrics.get("choices") or []
    if not choices:
        return []
    if len(choices) == 1:
        return _remarks(choices[0], metrics)
    times = Counter(plain(each["chosen"]) for each in choices)
    named = enumerate_names(f"{name} in {number}" for name, number in times.most_common())
    text = (
        f"The model of each of the {len(choices)} folds was chosen within its own training pixels: "
        f"{named}."
    )
    return [Remark(text)]


def choice_tables(metrics: Metrics, seconds: Mapping[str, float] | None = None) -> list[Table]:
    """The candidates of one choice, or the choice of each fold; [] without.

    Args:
        metrics: the content of metrics.json.
        seconds: that each candidate took; None leaves them out.
    """
    choices = metrics.get("choices") or []
    if len(choices) == 1:
        return [_candidates(choices[0], metrics, seconds or {})]
    return [_by_fold(metrics)] if choices else []


def choice_section(metrics: Metrics, cost: Metrics) -> list[Section]:
    """How the model was chosen, for the page; [] where it was named."""
    choices = metrics.get("choices") or []
    if not choices:
        return []
    seconds = _seconds(cost)
    blocks: list[Block] = [Remarks(choice_remarks(metrics))]
    blocks += choice_tables(metrics, seconds)
    if len(choices) == 1:
        blocks.append(_on_each_fold(choices[0]))
    if len(choices) > 1 and seconds:
        rows: list[list[Value]] = [[plain(name), value] for name, value in seconds.items()]
        heads = [Column("candidate", number=False), Column("seconds in all folds")]
        blocks.append(Table("What each candidate took.", heads, rows))
    blocks.append(Paragraph(_how(choices[0])))
    return [Section("How the model was chosen", blocks)]


def _remarks(choice: Metrics, metrics: Metrics) -> list[Remark]:
    kind, chosen = choice["score"], choice["chosen"]
    rows = {row["name"]: row for row in choice["candidates"] if row.get("score") is not None}
    own, tested = rows[chosen]["score"], chosen_score(metrics["test"], kind)
    text = (
        f"{plain(chosen)} was chosen of {count(len(choice['candidates']))} candidates: "
        f"{percent(own)} % in {_SCORES[kind]} on {choice['folds']} spatial folds of the training "
        f"pixels, {percent(tested)} % on the test."
    )
    others = {name: row for name, row in rows.items() if name != choice["best"]}
    tied = [name for name, row in others.items() if not row["behind"]["apart"]]
    best = "it" if choice["best"] == chosen else f"{plain(choice['best'])}, the best"
    if tied:
        text += f" Not told apart from {best}: {enumerate_names(tied)}."
    else:
        text += f" No other is level with {best}." if others else ""
    remarks = [Remark(text)]
    unused = [row for row in choice["candidates"] if row.get("score") is None]
    if unused:
        named = enumerate_names(row["name"] for row in unused)
        remarks.append(Remark(f"Could not be used: {named}.", warning=True))
    if choice["not_judged"]:
        named = enumerate_names(choice["not_judged"])
        remarks.append(
            Remark(
                "No fold could test these classes, whose training pixels lie in one place or too "
                f"near to each other; the choice says nothing of them: {named}.",
                warning=True,
            )
        )
    radius = choice["window"] // 2
    if choice["made_of"] == "blocks" and choice["guard"] < radius:
        text = (
            f"The folds are {choice['guard']} pixels apart, so that windows of {choice['window']} "
            "pixels reach pixels that were learnt, which flatters candidates with such windows."
        )
        remarks.append(Remark(text, warning=True))
    if tested is not None and own - tested > _FAR:
        apart = f"{100 * (own - tested):.1f}"
        text = f"The folds promised {apart} points more than the test gave."
        remarks.append(Remark(text, warning=True))
    return remarks


def _candidates(choice: Metrics, metrics: Metrics, seconds: Mapping[str, float]) -> Table:
    """Every candidate with its scores on the folds, the chosen one also with those of the test."""
    kind, number = choice["score"], choice["folds"]
    heads = [Column("candidate", number=False), Column(_HEADS[kind], short="score")]
    heads += [Column(measure=measure(name)) for name in ("overall_accuracy", "average_accuracy")]
    heads += [Column("behind the best, points", short="behind"), Column("told apart", number=False)]
    more = [Column("seconds")] if seconds else []
    rows: list[list[Value]] = []
    for row in choice["candidates"]:
        shown = _candidate(row, best=row["name"] == choice["best"])
        rows.append(shown + ([seconds.get(row["name"])] if seconds else []))
    test = metrics["test"]
    whole = chosen_score(test, kind)
    last: list[Value] = [f"{plain(choice['chosen'])}, test pixels", Cell(percent(whole), whole)]
    last += [test["overall_accuracy"], test["average_accuracy"], *[""] * (2 + len(more))]
    rows.append(last)
    styles = ["own" if row["name"] == choice["chosen"] else "model" for row in choice["candidates"]]
    caption = (
        f"The candidates on {number} folds of the training pixels, all scored together, in "
        f"percent. Behind the best in points, below it the {100 * choice['level']:.0f} % interval, "
        "from leaving out one fold at a time."
    )
    if seconds:
        caption += " Candidates that differ by their window alone share a fit and its seconds."
    return Table(caption, [*heads, *more], rows, [*styles, "other"])


def _candidate(row: Metrics, *, best: bool) -> list[Value]:
    """Name, scores, and how far behind the best."""
    if row.get("score") is None:
        return [
            Cell(plain(row["name"]), note=plain(row["why"])),
            None,
            None,
            None,
            None,
            "not used",
        ]
    behind, limits = row["behind"], ""
    if behind["low"] is not None:
        limits = " to ".join(
            f"{100 * behind[end]:.1f}".replace("-", "−") for end in ("low", "high")
        )
    return [
        plain(row["name"]),
        Cell(percent(row["score"]), row["score"]),
        row["overall_accuracy"],
        row["average_accuracy"],
        Cell(f"{100 * behind['value']:.1f}", behind["value"], limits),
        "" if best else ("yes" if behind["apart"] else "no"),
    ]


def _on_each_fold(choice: Metrics) -> Table:
    """The score of every candidate that could be used on each fold."""
    number = choice["folds"]
    heads = [Column("candidate", number=False)]
    heads += [Column(f"fold {each}") for each in range(1, number + 1)]
    rows: list[list[Value]] = [
        [plain(row["name"]), *(Cell(percent(each, 1), each) for each in row["by_fold"])]
        for row in choice["candidates"]
        if row.get("score") is not None
    ]
    return Table(f"The same on each fold: {_SCORES[choice['score']]} in percent.", heads, rows)


def _by_fold(metrics: Metrics) -> Table:
    """The choice within each fold beside what its test gave."""
    choices, folds = metrics["choices"], metrics.get("folds") or []
    kind = choices[0]["score"]
    heads = [Column("fold", number=False), Column("chosen", number=False)]
    heads += [Column("on folds of its training pixels", short="folds")]
    heads += [Column("on its test pixels", short="test"), Column("not told apart from the best")]
    rows: list[list[Value]] = []
    for number, choice in enumerate(choices):
        scored = {row["name"]: row for row in choice["candidates"] if row.get("score") is not None}
        own = scored[choice["chosen"]]["score"]
        test = chosen_score(folds[number]["test_scores"], kind) if number < len(folds) else None
        tied = sum(
            not row["behind"]["apart"] for name, row in scored.items() if name != choice["best"]
        )
        rows.append(
            [
                str(number + 1),
                plain(choice["chosen"]),
                Cell(percent(own), own),
                Cell(percent(test), test),
                tied,
            ]
        )
    return Table(f"The model of each fold, by {_SCORES[kind]} in percent.", heads, rows)


def _how(choice: Metrics) -> str:
    guard = choice["guard"]
    apart = f", {guard} pixels apart" if guard else ""
    rule = {
        "best": "The best is chosen; of equal ones the first of the list.",
        "first": "Chosen is the first of the list that is not told apart from the best: the list "
        "is in order of preference.",
    }[choice["rule"]]
    return (
        f"Each candidate was trained and tested on {choice['folds']} folds of the training pixels "
        f"({choice['made_of']}{apart}). No test pixel took part, neither its class nor its "
        f"spectrum. {rule} Then the chosen one was trained on all training pixels and calibrated. "
        "Told apart are models whose difference has an interval without 0; with so few folds, "
        "whose models share training pixels, it is rough, and each stands for itself. Candidates "
        "are what auto.candidates names; networks take minutes a fold on a processor and are tried "
        "where they are named."
    )


def _seconds(cost: Metrics) -> dict[str, float]:
    found: Any = cost.get("candidate_seconds")
    if not isinstance(found, Mapping):
        return {}
    return {str(k): float(v) for k, v in found.items() if isinstance(v, int | float)}
