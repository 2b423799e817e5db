"""The report of a batch in words, Markdown and LaTeX."""

import json
import re
from types import SimpleNamespace

import pytest
from batch_samples import (
    Sample,
    compared,
    hostile_batch,
    make_batch,
    report_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi_suite.atomic import write_json
from hsi_suite.metrics.largest_source import runs_to_tell
from hsi_suite.metrics.measures import MEASURES, measure
from hsi_suite.reports.batches.content import Contest, GroupFacts, contender_name
from hsi_suite.reports.batches.paper_table import paper_table
from hsi_suite.reports.batches.sections import variance_section
from hsi_suite.reports.batches.verdict import batch_verdict
from hsi_suite.reports.document import Remarks
from hsi_suite.reports.latex import latex_escaped, latex_table
from hsi_suite.reports.markdown import escaped
from hsi_suite.runs.batches.summary import _question


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return hostile_batch(tmp_path_factory.mktemp("hostile") / "batch_0123abcd")


def test_hostile_names_are_text_in_markdown(hostile):
    markdown = pytest.importorskip("markdown_it")
    source = (hostile / "report.md").read_text("utf-8")
    parser = markdown.MarkdownIt("commonmark").enable("table").enable("strikethrough")
    kinds = {token.type for token in parser.parse(source)}
    inner = {child.type for token in parser.parse(source) for child in token.children or ()}
    assert "table_open" in kinds
    assert not {"html_block", "link_open"} & kinds
    assert not {"html_inline", "link_open", "image", "code_inline", "em_open"} & inner
    assert not {"\x07", "\x1b", "\u202e"} & set(source)
    rendered = parser.render(source)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in rendered
    assert "<script" not in rendered
    for line in source.splitlines():
        assert not re.search(r"(?<!\\)https?://|www\.", line)


def test_hostile_names_are_text_in_latex(hostile):
    source = (hostile / "table.tex").read_text("utf-8")
    body = "\n".join(line for line in source.splitlines() if not line.startswith("%"))
    assert r"\input" not in body
    assert r"\textbackslash{}input" in body
    known = {"begin", "end", "centering", "caption", "pm", "toprule", "midrule", "bottomrule",
             "multicolumn", "emph", "quad", "textbf", "times", "kappa", "ldots"}  # fmt: skip
    commands = set(re.findall(r"\\([a-zA-Z]+)", body))
    assert all(name in known or name.startswith("text") for name in commands)
    bare = re.sub(r"\\[{}$&#%_]", "", body)
    assert bare.count("{") == bare.count("}")
    assert "%" not in bare
    assert "#" not in bare
    assert max(map(len, source.splitlines())) < 2000


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_name_is_one_balanced_line_of_latex(name):
    text = re.sub(r"\\[{}$&#%_]", "", latex_escaped(name))
    assert text.count("{") == text.count("}")
    assert not set("%#&_~^\n") & set(text.replace("$^{\\circ}$", ""))
    assert text.isascii() or all("\u00a1" <= c <= "\u017f" for c in text if not c.isascii())


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
@settings(max_examples=80, deadline=None)
def test_any_name_is_plain_text_in_markdown(name):
    markdown = pytest.importorskip("markdown_it")
    name = " ".join(name.split())
    parser = markdown.MarkdownIt("commonmark")
    tokens = parser.parse(escaped(name))
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    shown = "".join(child.content for token in tokens for child in token.children or ())
    assert shown == name


def test_latex_is_bold_only_where_the_test_tells_the_best_from_all_others(tmp_path):
    far = {"hybridsn": (0.99, 0.9), "svm": (0.6, 0.4)}
    near = {"hybridsn": (0.801, 0.801), "svm": (0.8, 0.8)}
    texts = {}
    for name, models in (("far", far), ("near", near)):
        make_batch(tmp_path / name, Sample(models=models, kinds=("random",)))
        summary = json.loads((tmp_path / name / "summary.json").read_text())
        for entry in summary["groups"]:
            entry["baselines"] = {}
        write_json(tmp_path / name / "summary.json", summary)
        texts[name] = latex_table(paper_table(report_of(tmp_path / name)))
    assert texts["far"].count(r"\textbf") == 1
    bold = next(line for line in texts["far"].splitlines() if r"\textbf" in line)
    assert bold.startswith("hybridsn & 5 & \\textbf{")
    assert r"\textbf" not in texts["near"]
    assert "No mean is bold" in texts["near"]
    assert all("$n$ = 5 runs" in text and r"\toprule" in text for text in texts.values())
    make_batch(tmp_path / "untested", Sample(models=far, kinds=("random",)))
    # Its baselines were compared with nothing: the best may not be the best.
    assert r"\textbf" not in latex_table(paper_table(report_of(tmp_path / "untested")))


def test_a_batch_that_takes_one_training_apart_names_its_largest_source_if_it_can_be_told(tmp_path):
    models = {"hybridsn": (0.9, 0.6)}
    make_batch(tmp_path / "b", Sample(runs=3, models=models, kinds=("random",), vary=True))
    report = report_of(tmp_path / "b")
    sources = report.summary["variance"][0]["sources"]
    first, second = sorted(sources, key=lambda name: -sources[name]["std"])[:2]
    words = batch_verdict(report)[0].text
    assert f"spreads it most is {first} ({100 * sources[first]['std']:.2f}), more than" in words
    assert words.index(f"more than {second}") > words.index(first)
    sources[second] = {**sources[first], "variance": sources[first]["variance"] / 1.5}
    words = batch_verdict(report)[0].text
    assert f"cannot be told: {first} " in words and "most is" not in words
    needed = runs_to_tell(1.5, 2, 0.95)
    assert f"about {needed} runs of each would tell" in words
    blocks = variance_section(report).blocks
    said = " ".join(
        remark.text for block in blocks if isinstance(block, Remarks) for remark in block.remarks
    )
    assert "Split: which of the labelled items train" in said and "cannot be told" in said
    sources[second] = sources[first]
    assert "no usual number of runs" in batch_verdict(report)[0].text


def test_runs_repeated_on_other_threads_are_no_rivals(tmp_path):
    folder = make_batch(
        tmp_path / "b", Sample(runs=2, models={"hybridsn": (0.9, 0.6)}, kinds=("random",))
    )
    summary = json.loads((folder / "summary.json").read_text())
    again = dict(summary["groups"][0])
    again["name"] += ", 2 threads"
    summary["groups"].append(again)
    write_json(folder / "summary.json", summary)
    report = report_of(folder)
    assert "leads" not in batch_verdict(report)[0].text
    assert "hybridsn, 2 threads & 2" in latex_table(paper_table(report))


def test_comparisons_see_differences_from_the_side_of_the_leader(tmp_path):
    """The leader stands second in the comparison: its lead is still positive."""
    folder = tmp_path / "b"
    models = {"svm": (0.6, 0.6), "hybridsn": (0.95, 0.6)}
    make_batch(folder, Sample(models=models, kinds=("random",)))
    summary = json.loads((folder / "summary.json").read_text())
    values = {
        entry["name"]: [0.6 + 0.35 * k + 0.001 * i for i in range(5)]
        for k, entry in enumerate(summary["groups"])
    }
    values[summary["groups"][1]["name"]][0] += 0.002
    summary["comparisons"] = compared(summary["groups"], values)
    assert summary["comparisons"][0]["difference"] < 0
    write_json(folder / "summary.json", summary)
    assert "Better than svm by 35.04 points" in batch_verdict(report_of(folder))[1].text


def test_figures_are_written_in_the_units_of_their_metric():
    assert measure("overall_accuracy").text(0.99996) == "99.99"
    assert measure("peak_signal_noise_ratio/25").text(30.4567) == "30.46"
    assert measure("recall/corn").text(None) == "–"
    assert measure("peak_signal_noise_ratio/25").heading == "PSNR, σ 25, dB"
    words = measure("spectrum_to_rgb/mean_average_precision").heading
    assert words == "mean average precision, spectrum to rgb, %"
    assert measure("something_else").heading == "something else"
    assert measure("overall_accuracy").difference_text(-0.0123) == "−1.23 points"
    assert measure("overall_accuracy").difference_text(0.00001) == "+< 0.01 points"
    assert measure("overall_accuracy").size_text(0.0) == "0.00"


def test_latex_has_the_letters_that_names_and_units_of_scores_use():
    used = "".join(
        each.heading + each.short_heading for each in map(MEASURES.__getitem__, MEASURES)
    )
    for letter in {*used, *"‰→↔≤≥μλ±−×°"}:
        assert "U+" not in latex_escaped(letter), letter


def contest_of(*names):
    """A contest of groups of one model, as far as their names are asked for."""
    groups = [GroupFacts({"name": name, "model": "dncnn"}, ()) for name in names]
    return Contest("train400", groups, ()), list(names)


def test_configurations_of_one_model_are_named_by_what_they_are():
    contest, names = contest_of(
        "dncnn on train400 (blocks/dncnn_se)", "dncnn on train400 (blocks/dncnn_plain)"
    )
    assert [contender_name(name, contest) for name in names] == [
        "blocks/dncnn_se",
        "blocks/dncnn_plain",
    ]
    # Where a name says something else, too, it stands whole; a single one is its model.
    contest, names = contest_of("dncnn on train400 (a)", "dncnn on train400, σ 15 (a)")
    assert [contender_name(name, contest) for name in names] == names
    contest, names = contest_of("dncnn on train400 (a)", "dncnn on train400 (a), threads 2")
    assert [contender_name(name, contest) for name in names] == ["dncnn", "dncnn, threads 2"]


def test_a_batch_of_configurations_asks_which_of_them_is_best():
    def asked(*groups):
        keys = ("dataset", "variant", "model")
        cells = SimpleNamespace(cells=[SimpleNamespace(sources={}, numerics=[])])
        return _question(cells, [dict(zip(keys, group, strict=True)) for group in groups])

    assert asked(*[("a", "disjoint", "hybridsn")] * 2, *[("b", "", "dncnn")] * 2) == (
        "Which of 4 configurations is best on a and b, and can the runs tell them apart?"
    )
    assert asked(("a", "random", "svm"), ("a", "random", "lda")).startswith("Which of svm and lda")
    assert asked(("a", "random", "svm"), ("a", "disjoint", "svm")).startswith("How much do the")
