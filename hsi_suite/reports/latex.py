"""A table of a document as LaTeX, for a paper: booktabs, nothing that its fonts lack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..printable import shortened
from .document import Cell, Table

_LONGEST = 60
_LONGEST_CAPTION = 1500
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
    "→": r"$\rightarrow$",
    "↔": r"$\leftrightarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "‰": r"\textperthousand{}",
    "μ": r"$\mu$",
    "λ": r"$\lambda$",
    "…": r"\ldots{}",
    "κ": r"$\kappa$",
    "σ": r"$\sigma$",
    "°": r"$^{\circ}$",
    "𝑛": "$n$",
    "𝑝": "$p$",
    "𝑡": "$t$",
}
_LIGATURES = re.compile(r"([-',])(?=\1)")
_FOREIGN = re.compile(r"[^\x20-\x7e\u00a1-\u017f]")


def latex_escaped(text: object, longest: int = _LONGEST) -> str:
    """Text that LaTeX prints as it is, of bounded length; what its fonts lack as its code point."""
    # Two of these in a row would make another sign.
    return _LIGATURES.sub(r"\1{}", "".join(map(_letter, shortened(text, longest))))


def _letter(character: str) -> str:
    if character in _MARKS:
        return _MARKS[character]
    if _FOREIGN.match(character):
        return f"{{[}}U+{ord(character):04X}{{]}}"
    return character


def latex_table(table: Table) -> str:
    """A table with its caption, whatever names hold as text.

    Letters of mathematics (𝑛, 𝑝, 𝑡) are set as such.
    """
    columns = table.columns
    lines = [
        "% Needs \\usepackage{booktabs}, \\usepackage[T1]{fontenc} and \\usepackage{textcomp}.",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{latex_escaped(table.caption, _LONGEST_CAPTION)}}}",
        f"\\begin{{tabular}}{{{''.join('r' if each.number else 'l' for each in columns)}}}",
        "\\toprule",
        f"{' & '.join(latex_escaped(each.head) for each in columns)} \\\\",
        *_rows(table),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _rows(table: Table) -> Iterator[str]:
    for number, row in enumerate(table.cells):
        style = table.row_style(number)
        if style == "group" or number == 0:
            yield "\\midrule"
        if style == "group":
            span = f"\\multicolumn{{{len(table.columns)}}}{{l}}"
            yield f"{span}{{\\emph{{{latex_escaped(row[0].text)}}}}} \\\\"
        else:
            yield f"{_line(row, style)} \\\\"


def _line(row: Sequence[Cell], style: str) -> str:
    cells = " & ".join(map(_cell, row))
    return f"\\quad {cells}" if style == "baseline" else cells


def _cell(cell: Cell) -> str:
    text = latex_escaped(f"{cell.text} ({cell.note})" if cell.note else cell.text)
    return f"\\textbf{{{text}}}" if cell.style == "strong" else text
