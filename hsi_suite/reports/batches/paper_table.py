"""The table of a batch for a paper, bold only where a test supports it."""

from __future__ import annotations

from collections.abc import Mapping

from ...metrics.measures import measure
from ..content import UNVERIFIED, enumerate_names
from ..document import Cell, Column, Table, Value
from .answers import duels_of, is_significant
from .content import BatchReport, Contest, compared_baseline, contest_rows, entry_of
from .values import Entry, level_text, name_text, spread_text


def paper_table(report: BatchReport) -> Table:
    """The scores of all groups and their baselines.

    A mean is bold where it is the best of its data set and variant and the corrected test tells
    it from every other one there, baselines included.
    """
    keys = list(dict.fromkeys(key for f in report.groups for key in f.group["headline"]))
    rows: list[list[Value]] = []
    styles: list[str] = []
    best = [_clear_leader(contest, report) for contest in report.contests]
    for contest, leader in zip(report.contests, best, strict=True):
        rows.append([contest.title])
        styles.append("group")
        for name, kind, scores, facts in contest_rows(contest):
            own = kind == "model" and facts.group["name"] == leader
            row: list[Value] = [name, entry_of(scores, contest.headline)["n"]]
            for key in keys:
                text = spread_text(key, entry_of(scores, key))
                row.append(Cell(text, style="strong" if own and key == contest.headline else ""))
            rows.append(row)
            styles.append(kind)
    heads = [Column("Model", number=False), Column("𝑛")]
    heads += [Column(measure(key).heading) for key in keys]
    return Table(_caption(report, any(best)), heads, rows, styles)


def _clear_leader(contest: Contest, report: BatchReport) -> str | None:
    """The group that leads all others significantly on the headline metric, if any."""
    known = [facts for facts in contest.rivals if facts.entry["mean"] is not None]
    if not known:
        return None
    best = max(known, key=lambda facts: measure(contest.headline).gain(facts.entry["mean"]))
    duels = duels_of(best, contest)
    rivals = {facts.group["name"] for facts in contest.rivals} - {best.group["name"]}
    if not duels or not rivals <= set(duels):
        return None
    clear = all(is_significant(duel, report) for duel in duels.values())
    return str(best.group["name"]) if clear and _above_baselines(best.baselines, contest) else None


def _above_baselines(baselines: Mapping[str, Mapping[str, Entry]], contest: Contest) -> bool:
    """Whether every baseline was among what the best was compared with.

    A baseline without a test may be better than it looks.
    """
    compared = {
        compared_baseline(str(entry[side]))
        for entry in contest.comparisons
        for side in ("first", "second")
    }
    return all(name in compared for name in baselines)


def _caption(report: BatchReport, some_bold: bool) -> str:
    counts = sorted({facts.entry["n"] for facts in report.groups})
    runs = f"𝑛 = {counts[0]}" if len(counts) == 1 else f"𝑛 = {counts[0]} to {counts[-1]}"
    text = f"Mean ± standard deviation over {runs} runs"
    if any(facts.group["synthetic"] for facts in report.groups):
        text += "; synthetic scenes are marked"
    if names := sorted({n for facts in report.groups for n in facts.group.get("unverified") or ()}):
        text += f"; {UNVERIFIED} data ({enumerate_names(map(name_text, names))})"
    level = f"{report.significance:.2g}"
    if some_bold:
        text += (
            ". Bold: better than every other row of its block by a two-sided 𝑡 test (corrected "
            "for resampled splits where runs share them, else Welch's), Holm-corrected "
            f"𝑝 < {level}"
        )
    else:
        text += (
            ". No mean is bold: at this 𝑛 no test tells one from all other rows of its block "
            f"(Holm-corrected 𝑝 < {level})"
        )
    if any(contest.random_split for contest in report.contests):
        text += (
            ". Random splits put test pixels beside training pixels: read them with the "
            "position-only row, which sees no spectrum"
        )
    return f"{text}. Intervals at {level_text(report.level)} are in the report."
