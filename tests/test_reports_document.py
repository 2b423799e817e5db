"""One document in every form: safe, of any width, in the digits of its measures."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from test_reports_html import Page

import hsi_suite.reports
from hsi_suite.metrics.measures import measure
from hsi_suite.reports.document import (
    Card,
    Cards,
    Cell,
    Column,
    Document,
    Figure,
    Fold,
    Listing,
    Paragraph,
    Picture,
    Remark,
    Remarks,
    Section,
    Table,
    pairs,
)
from hsi_suite.reports.html import html_page
from hsi_suite.reports.latex import latex_table
from hsi_suite.reports.markdown import markdown
from hsi_suite.reports.terminal import terminal

HOSTILE = "<b>a</b> | [red]x[/] *y* \x1b[31m \u202e $z_1$ \\input{q} &"
DOT = "data:image/png;base64,AAAA"


def table(name="a name", sortable=False):
    heads = [
        Column("", number=False),
        Column("items"),
        Column(measure=measure("overall_accuracy")),
        Column(measure=measure("structural_similarity")),
    ]
    rows = [
        [name],
        [Cell(name, colour="#112233"), 1234567, 0.9999999, 0.99999],
        ["lower", None, 1.0, None],
        ["other", 3, Cell("71.00", 0.71, "70 … 72", "strong"), 0.5],
    ]
    return Table("a caption", heads, rows, ["group", "own", "baseline", "other"], sortable=sortable)


def document(name=HOSTILE):
    """Every block there is."""
    picture = Picture(DOT, DOT, 4, 4, f"alt {name}", name, True, ("classes", [("#112233", name)]))
    blocks = [
        Paragraph(name, "sentence"),
        Cards([Card(name, "98.00 %", name, "note", name, [Remark(name, True)], True)]),
        Remarks([Remark(name), Remark(name, True)]),
        table(name),
        Figure([picture], [table(name)]),
        pairs(name, [(name, name)]),
        Listing(name, f"{name}\n```"),
        Fold(name, [Paragraph(name), table(name, sortable=True)]),
    ]
    return Document(name, name, [Section("", blocks), Section(name, blocks)])


def printed(blocks, width=100):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(terminal(blocks))
    return console.file.getvalue()


def blocks_of(name=HOSTILE):
    return document(name).sections[0].blocks


def test_columns_write_values_in_the_digits_of_their_measure_and_never_round_to_perfection():
    cells = table().cells[1:]
    assert [cell.text for cell in cells[0]] == ["a name", "1,234,567", "99.99", "0.9999"]
    assert [cell.text for cell in cells[1]] == ["lower", "–", "100.00", "–"]
    assert cells[0][2].order == 0.9999999
    forms = html_page(document()), markdown(document()), printed(blocks_of(), 200)
    for text in (*forms, latex_table(table())):
        for value in ("99.99", "0.9999", "1,234,567", "100.00", "71.00", "70 … 72"):
            assert value in text.replace(r"\ldots{}", "…")


def test_heads_say_the_unit_and_are_short_where_room_is_scarce():
    column = table().columns[2]
    assert (column.head, column.short_head) == ("overall accuracy, %", "OA %")
    assert (Column("x", short="y").short_head, Column("x").short_head) == ("y", "x")


def test_whatever_names_hold_is_text_in_a_page():
    source = html_page(document())
    page = Page(source)
    assert page.open == []
    assert "<b>a</b> | [red]x[/]" in "".join(page.text)
    assert not {"\x1b", "\u202e"} & set(source)
    assert {tag for tag, _ in page.tags} & {"b", "a", "script"} == {"script"}
    assert all(attributes["alt"].startswith("alt") for attributes in page.of("img"))
    assert len(page.of("caption")) == len(page.of("table"))


def test_only_what_can_be_sorted_brings_a_script():
    still = Document("t", "l", [Section("", [table(), Fold("f", [table()])])])
    assert "script" not in html_page(still)
    assert "script-src" in html_page(document())


def test_whatever_names_hold_is_text_in_a_terminal():
    text = printed(blocks_of(), 300)
    assert "[red]x[/] *y* \\x1b[31m \\u202e" in text
    assert not {"\x1b", "\u202e"} & set(text)


def test_whatever_names_hold_is_text_in_markdown():
    commonmark = pytest.importorskip("markdown_it")
    source = markdown(document())
    assert not {"\x1b", "\u202e"} & set(source)
    parser = commonmark.MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(source)
    inner = {child.type for token in tokens for child in token.children or ()}
    assert not {"html_block", "link_open"} & {token.type for token in tokens}
    assert not {"html_inline", "em_open", "link_open", "code_inline"} & inner
    rows = [len(re.split(r"(?<!\\)\|", line)) for line in source.splitlines() if line[:2] == "| "]
    assert set(rows) == {4, 6}  # pairs and the table, whatever bars the name holds


def test_whatever_names_hold_is_text_in_latex():
    source = latex_table(table(HOSTILE))
    assert r"\textbar{} {[}red{]}x{[}/{]} {*}y{*}" in source
    assert r"\$z\_1\$ \textbackslash{}input\{q\} \&" in source
    assert not {"\x1b", "\u202e"} & set(source)
    rows = [line for line in source.splitlines() if line.endswith(r" \\") and "emph" not in line]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in rows} == {3}


def test_rows_are_told_apart_in_every_form():
    lines = latex_table(table()).splitlines()
    group = next(n for n, line in enumerate(lines) if r"\multicolumn{4}{l}{\emph{a name}}" in line)
    assert lines[group - 1] == r"\midrule"
    assert any(line.startswith(r"\quad lower &") for line in lines)
    assert any(r"\textbf{71.00 (70 \ldots{} 72)}" in line for line in lines)
    assert '<th scope="rowgroup" colspan="4">a name</th>' in html_page(document("a name"))
    assert "| a name |  |  |  |" in markdown(document("a name"))
    assert "**71.00 (70 … 72)**" in markdown(document("a name"))
    assert re.search(r"^ +  lower +–", printed([table()]), re.MULTILINE)


@pytest.mark.parametrize("width", [300, 80, 60, 40, 25, 12])
def test_no_number_is_cut_however_narrow_the_terminal(width):
    name = "quite a long name of something, with (brackets)"
    text = printed([table(name)], width)
    for value in ("1,234,567", "99.99", "0.9999", "71.00", "0.5000", "100.00"):
        assert value in text
    assert width < 25 or max(map(len, text.splitlines())) <= width
    assert "…" not in text.replace("70 … 72", "")


def test_a_name_without_blanks_is_broken_but_not_cut():
    name = "spectral_spatial.activation.of.many"
    text = printed([Table("", [Column("", number=False), Column("")], [[name, "1"]])], 25)
    assert name in re.sub(r"[^a-z_.]", "", text)
    assert len(text.splitlines()) > 3


def test_letters_of_double_width_have_the_room_they_take():
    text = printed([Table("", [Column("", number=False), Column("")], [["山の森林地帯", "1"]])], 40)
    assert "山の森林地帯   1" in text


def test_heads_give_way_before_names_do():
    heads = [Column("", number=False), Column("a rather long head of numbers")]
    text = printed([Table("", heads, [["a name of twenty one", "1"]])], 45)
    assert "a name of twenty one" in text
    assert "a rather long head of numbers" not in text


def test_every_figure_is_words_and_numbers_where_pictures_cannot_be():
    for text in (markdown(document("plain")), printed(blocks_of("plain"))):
        assert DOT not in text
        assert text.count("71.00") >= 3  # alone, of the figure, in the fold


def test_a_document_says_its_remarks_first():
    first = [Remark("a"), Remark("b", warning=True)]
    found = Document("t", "l", [Section("", [Remarks(first)]), Section("x", [Remarks([])])])
    assert found.remarks == first
    assert Document("t", "l", []).remarks == []


def test_content_names_no_task_and_no_form():
    """What differs between tasks is asked of the task, and only renderers write a form."""
    folder = Path(hsi_suite.reports.__file__).parent
    forms = {"html.py", "terminal.py", "markdown.py", "latex.py"}
    for path in folder.rglob("*.py"):
        source = path.read_text("utf-8")
        assert not re.search(r"""\[["']task["']\]|get\(["']task["']""", source), path
        if path.name not in forms:
            assert not re.search(
                r"</?(table|td|li|p|h2)\b|---:|\\\\text|import rich|from rich", source
            )
