"""How far a classifier's probabilities can be trusted, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..metrics.measures import measure
from ..metrics.probabilities import PROBABILITY_SCORES
from ..printable import plain
from .content import Metrics, count, percent
from .document import Block, Column, Remark, Remarks, Section, Table
from .pictures import chart
from .probability_figures import kept_figure, reliability_figure

# A difference of confidence and accuracy that a reader has to know of.
_FAR = 0.1
_EQUAL = 0.005
_METHODS = {
    "temperature": "one temperature",
    "sigmoid": "a temperature and a logistic function of the log-odds",
    "isotonic": "a temperature and an isotonic regression",
    "several": "one of three methods in each fold",
}


def probability_blocks(metrics: Metrics) -> list[Block]:
    """Scores of the probabilities and what is gained by keeping the surest; [] of older runs.

    Args:
        metrics: the content of a run's metrics.json.
    """
    facts = metrics.get("probabilities")
    if not facts:
        return []
    remarks = Remarks(_remarks(metrics, facts))
    if "kept" not in facts:
        return [remarks]
    return [_scores(metrics, facts), _kept(facts), remarks]


def probability_section(metrics: Metrics) -> list[Section]:
    """The same with the reliability diagram and the curve of what is kept."""
    blocks = probability_blocks(metrics)
    facts = metrics.get("probabilities") or {}
    if "kept" not in facts:
        return [Section("Probabilities", blocks)] if blocks else []
    before = (facts.get("uncalibrated") or {}).get("reliability")
    words = "calibrated" if before else "as the model gives them"
    caption = (
        "Reliability diagram: accuracy of the test pixels by their largest probability, in 15 "
        "bins; on the dashed line probabilities mean what they say."
    )
    diagram = chart(
        reliability_figure(facts["reliability"], before, words),
        f"{caption} {_listed(facts['reliability'])}",
        caption,
        [_bins(facts["reliability"])],
        name="reliability",
    )
    said = "Accuracy of the surest test pixels by the share of them that is kept."
    curve = [(row[0], row[1]) for row in facts["kept"]["curve"]]
    kept = chart(kept_figure(curve), said, said, name="accuracy_of_the_surest")
    return [Section("Probabilities", [*blocks, diagram, kept])]


def _scores(metrics: Metrics, facts: Mapping[str, Any]) -> Table:
    heads = [Column("probabilities", number=False)]
    heads += [Column(measure=measure(name)) for name in PROBABILITY_SCORES]
    before, test = facts.get("uncalibrated"), metrics["test"]
    name = plain(metrics["model"])
    rows = [
        (
            f"{name}, calibrated" if before else name,
            *(test.get(each) for each in PROBABILITY_SCORES),
        )
    ]
    styles = ["own"]
    if before:
        rows.append((f"{name}, without", *(before.get(each) for each in PROBABILITY_SCORES)))
        styles.append("other")
    return Table("Probabilities of the test pixels; less is better.", heads, rows, styles)


def _kept(facts: Mapping[str, Any]) -> Table:
    heads = [Column("kept, surest first", number=False), Column("accuracy, %")]
    heads.append(Column("least probability"))
    rows = [
        (f"{100 * share:.0f} %", percent(accuracy), f"{least:.3f}")
        for share, accuracy, least in facts["kept"]["accuracy"]
    ]
    caption = (
        "What is gained where the least sure pixels get no class. Area under the curve of risk "
        f"and coverage: {facts['kept']['area']:.4f}."
    )
    return Table(caption, heads, rows)


def _remarks(metrics: Metrics, facts: Mapping[str, Any]) -> list[Remark]:
    kept = facts["calibration"]
    if kept["method"] == "none":
        what = (
            "its probabilities are not calibrated"
            if "kept" in facts
            else "it gives classes without probabilities"
        )
        remarks = [Remark(f"{plain(metrics['model'])}: {what}: {plain(kept.get('why', ''))}.")]
    else:
        remarks = [Remark(_fitted(kept))]
    return remarks + (_trust(metrics, facts["reliability"]) if "kept" in facts else [])


def _fitted(kept: Mapping[str, Any]) -> str:
    text = (
        f"The probabilities are calibrated by {_METHODS[kept['method']]}, fitted on "
        f"{count(kept['pixels'])} {plain(kept['held_out'])}; no class is changed by it"
    )
    losses = kept.get("held_out_losses") or {}
    if losses:
        each = ", ".join(f"{name} {losses[name]:.3f}" for name in _METHODS if name in losses)
        text += f". Chosen by negative log-likelihood over {kept['folds']} folds: {each}"
    return f"{text}."


def _trust(metrics: Metrics, reliability: Sequence[Mapping[str, Any]]) -> list[Remark]:
    total = sum(row["pixels"] for row in reliability)
    claimed = sum(row["pixels"] * (row["confidence"] or 0) for row in reliability) / total
    right = metrics["test"]["overall_accuracy"]
    text = (
        f"On the test pixels the largest probability is {percent(claimed)} % on average, and "
        f"{percent(right)} % are right"
    )
    if abs(claimed - right) < _EQUAL:
        return [Remark(f"{text}.")]
    words = "claims too much" if claimed > right else "is too careful"
    return [Remark(f"{text}: it {words}.", abs(claimed - right) > _FAR)]


def _bins(reliability: Sequence[Mapping[str, Any]]) -> Table:
    heads = [Column("largest probability", number=False), Column("pixels")]
    heads += [Column("mean of it, %"), Column("accuracy, %")]
    rows = [
        (
            f"{row['from']:.3f} to {row['to']:.3f}",
            row["pixels"],
            percent(row["confidence"]),
            percent(row["accuracy"]),
        )
        for row in reliability
        if row["pixels"]
    ]
    return Table("Test pixels by their largest probability.", heads, rows, style="dense")


def _listed(reliability: Sequence[Mapping[str, Any]]) -> str:
    full = [row for row in reliability if row["pixels"]]
    ends = (full[0], full[-1])
    return "; ".join(
        f"{percent(row['accuracy'])} % right at {percent(row['confidence'])} %" for row in ends
    )
