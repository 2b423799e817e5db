"""Every pair of models and baselines of a batch, with what tells the two apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...metrics.measures import measure
from ...printable import UNDEFINED, plain
from ..document import Block, Cell, Column, Fold, Paragraph, Section, Table, pairs
from .content import BatchReport, Contest, contender_name
from .values import difference_interval_text, name_text, notes_table, p_text, sentence_text


def comparisons(report: BatchReport) -> Section | None:
    """A table for each data set and variant; None where nothing was compared."""
    blocks: list[Block] = []
    for contest in report.contests:
        if contest.comparisons:
            blocks.append(_comparison_table(contest, contest.comparisons))
            blocks.append(_in_words(contest))
    if not blocks:
        return None
    words = Paragraph(
        "Differences are first minus second. Runs that share their splits are compared split by "
        "split (corrected resampled t test of Nadeau and Bengio; Wilcoxon), others by Welch's t "
        "test and by Mann and Whitney's. p of the t test is corrected for the number of "
        f"comparisons (Holm); below {report.significance:.2g} it tells the two apart. How often "
        "the first is higher: on shared splits the share of improved pairs (Clopper and Pearson), "
        "else the probability of improvement (Agarwal et al., NeurIPS 2021; interval of Newcombe)."
    )
    return Section("Is one better than the other?", [words, *blocks])


def _in_words(contest: Contest) -> Fold:
    entries = contest.comparisons
    verdicts = [(_pair(entry, contest), sentence_text(entry["verdict"])) for entry in entries]
    tables = [pairs("The verdicts.", verdicts)]
    notes = [(plain(n), _pair(entry, contest)) for entry in entries for n in entry["notes"]]
    if notes:
        caption = "What has to be known to read the comparisons rightly."
        tables.append(notes_table(caption, notes))
    return Fold(f"{contest.title}: the comparisons in words", tables)


def _pair(entry: Mapping[str, Any], contest: Contest) -> str:
    first, second = (contender_name(entry[side], contest) for side in ("first", "second"))
    return f"{first} − {second}"


def _comparison_table(contest: Contest, entries: Sequence[Mapping[str, Any]]) -> Table:
    heads = [Column("pair", number=False), Column("n"), Column("difference, interval")]
    heads += [Column(title) for title in ("p, Holm", "p, t test", "p, rank test", "effect size",
                                          "first is higher", "runs to tell")]  # fmt: skip
    metrics = ", ".join(dict.fromkeys(measure(entry["metric"]).title for entry in entries))
    rows = [_row(entry, contest) for entry in entries]
    return Table(f"{contest.title}: {name_text(metrics)}.", heads, rows, sortable=True)


def _row(entry: Mapping[str, Any], contest: Contest) -> list[Cell]:
    key, rank = entry["metric"], entry["rank_test"] or {}
    effect, needed = entry["effect_size"]["value"], entry["runs_to_tell"]
    return [
        Cell(_pair(entry, contest)),
        Cell(" / ".join(str(number) for number in dict.fromkeys(entry["n"]))),
        Cell(
            measure(key).difference_text(entry["difference"]),
            entry["difference"],
            note=difference_interval_text(key, entry),
        ),
        Cell(p_text(entry["holm_p"]), entry["holm_p"]),
        Cell(p_text(entry["t_test"]["p"]), entry["t_test"]["p"]),
        Cell(p_text(rank.get("p")), rank.get("p")),
        Cell(UNDEFINED if effect is None else f"{effect:.2f}".replace("-", "−"), effect),
        # Batches of earlier versions have the share of improved pairs under the second name too.
        _improvement_cell(
            entry.get("share_of_improved_pairs") or entry["probability_of_improvement"]
        ),
        Cell(UNDEFINED if needed is None else str(needed), needed),
    ]


def _improvement_cell(entry: Mapping[str, Any] | None) -> Cell:
    if entry is None or entry.get("value") is None:
        return Cell(UNDEFINED)
    note = ""
    if entry.get("low") is not None and entry.get("high") is not None:
        note = f"{100 * entry['low']:.0f} … {100 * entry['high']:.0f}"
    return Cell(f"{100 * entry['value']:.0f} %", entry["value"], note)
