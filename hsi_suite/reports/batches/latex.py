"""The table of a batch for a paper: LaTeX with booktabs, bold only where a test supports it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ...metrics.measures import measure
from ...printable import plain
from ..content import UNVERIFIED
from .answers import duels_of, tells
from .content import BatchReport, Contest, compared_baseline, contest_rows, entry_of
from .values import Entry, level_text, spread_text

_LONGEST = 60
_MARKS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    # After the end of a row these would be read as its options.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "±": r"$\pm$",
    "−": "$-$",
    "–": "--",
    "×": r"$\times$",
    "…": r"\ldots{}",
    "κ": r"$\kappa$",
    "σ": r"$\sigma$",
    "°": r"$^{\circ}$",
}
_LIGATURES = re.compile(r"([-',])(?=\1)")
_FOREIGN = re.compile(r"[^\x20-\x7e\u00a1-\u017f]")


def latex_escaped(text: object) -> str:
    """Text that LaTeX prints as it is, of bounded length; what its fonts lack as its code point."""
    words = plain(text)
    if len(words) > _LONGEST:
        words = words[: _LONGEST - 1].rstrip() + "…"
    # Two of these in a row would make another sign.
    return _LIGATURES.sub(r"\1{}", "".join(map(_letter, words)))


def _letter(character: str) -> str:
    if character in _MARKS:
        return _MARKS[character]
    if _FOREIGN.match(character):
        return f"{{[}}U+{ord(character):04X}{{]}}"
    return character


def latex_table(report: BatchReport) -> str:
    """The figures of all groups and their baselines.

    A mean is bold where it is the best of its data set and variant and the corrected test tells
    it from every other one there, baselines included.
    """
    keys = list(dict.fromkeys(key for f in report.groups for key in f.group["headline"]))
    bold = {place: _told_best(contest, report) for place, contest in enumerate(report.contests)}
    heads = " & ".join(["Model", "$n$", *(latex_escaped(measure(key).heading) for key in keys)])
    lines = [
        "% Needs \\usepackage{booktabs}, \\usepackage[T1]{fontenc} and \\usepackage{textcomp}.",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{_caption(report, any(bold.values()))}}}",
        f"\\begin{{tabular}}{{lr{'c' * len(keys)}}}",
        "\\toprule",
        f"{heads} \\\\",
    ]
    for place, contest in enumerate(report.contests):
        span = f"\\multicolumn{{{len(keys) + 2}}}{{l}}{{\\emph{{{latex_escaped(contest.title)}}}}}"
        lines += ["\\midrule", f"{span} \\\\", *_rows(contest, keys, bold[place])]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", "\\end{table}"]) + "\n"


def _rows(contest: Contest, keys: list[str], best: str | None) -> Iterator[str]:
    for name, kind, figures, facts in contest_rows(contest):
        own = facts.group["name"] if kind == "model" else None
        cells = []
        for key in keys:
            text = latex_escaped(spread_text(key, entry_of(figures, key)))
            marked = best is not None and own == best and key == contest.headline
            cells.append(f"\\textbf{{{text}}}" if marked else text)
        count = entry_of(figures, contest.headline)["n"]
        words = latex_escaped(name) if kind == "model" else f"\\quad {latex_escaped(name)}"
        yield " & ".join([words, str(count), *cells]) + " \\\\"


def _told_best(contest: Contest, report: BatchReport) -> str | None:
    """The group that is told from all others on the headline metric; None if there is none."""
    known = [facts for facts in contest.rivals if facts.entry["mean"] is not None]
    if not known:
        return None
    best = max(known, key=lambda facts: measure(contest.headline).gain(facts.entry["mean"]))
    duels = duels_of(best, contest)
    rivals = {facts.group["name"] for facts in contest.rivals} - {best.group["name"]}
    if not duels or not rivals <= set(duels):
        return None
    told = all(tells(duel, report) for duel in duels.values())
    return str(best.group["name"]) if told and _above_baselines(best.baselines, contest) else None


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
    runs = f"$n = {counts[0]}$" if len(counts) == 1 else f"$n = {counts[0]}$ to ${counts[-1]}$"
    text = f"Mean $\\pm$ standard deviation over {runs} runs"
    if any(facts.group["synthetic"] for facts in report.groups):
        text += "; synthetic scenes are marked"
    if names := sorted({n for facts in report.groups for n in facts.group.get("unverified") or ()}):
        text += f"; {latex_escaped(UNVERIFIED)} data ({latex_escaped(', '.join(names))})"
    level = latex_escaped(f"{report.significance:.2g}")
    if some_bold:
        text += (
            ". Bold: better than every other row of its block by a two-sided $t$ test (corrected "
            "for resampled splits where runs share them, else Welch's), Holm-corrected "
            f"$p < {level}$"
        )
    else:
        text += (
            ". No mean is bold: at this $n$ no test tells one from all other rows of its block "
            f"(Holm-corrected $p < {level}$)"
        )
    if any(contest.random_split for contest in report.contests):
        text += (
            ". Random splits put test pixels beside training pixels: read them with the "
            "position-only row, which sees no spectrum"
        )
    return f"{text}. Intervals at {latex_escaped(level_text(report.level))} are in the report."
