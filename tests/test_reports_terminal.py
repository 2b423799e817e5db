"""Tables in narrow terminals: whatever gives way, it is no number."""

import io
import re

import pytest
from batch_samples import Sample, make_batch
from metrics_samples import sample_metrics
from rich.console import Console

from hsi_suite.reports.batches.terminal_tables import further_table, headline_table, runs_tables
from hsi_suite.reports.classification import classification_blocks
from hsi_suite.reports.terminal import terminal
from hsi_suite.runs.batches.files import read_summary

NAMES = ("Buildings-Grass-Trees-Drives", "Wo", "Stone-Steel-Towers of the north")


def printed(what, width):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(terminal(what))
    return console.file.getvalue()


def numbers(text):
    return set(re.findall(r"\d+(?:[.,]\d+)*", text))


@pytest.mark.parametrize("width", [80, 72, 60, 50, 40, 30])
def test_no_digit_of_a_run_is_cut(width):
    summary = classification_blocks(sample_metrics(names=NAMES))
    text = printed(summary, width)
    assert numbers(text) == numbers(printed(summary, 200))
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [80, 60, 40])
def test_no_digit_of_a_batch_is_cut(tmp_path, width):
    models = {"hybridsn_inception": (0.985, 0.7), "svm": (0.83, 0.66)}
    folder = make_batch(tmp_path / "b", Sample(runs=3, vary=True, models=models))
    groups = read_summary(folder)["groups"]
    metrics = groups[0]["headline"]
    for table in (
        headline_table(groups, metrics[0], 0.95),
        further_table(groups, metrics[1:4]),
        *runs_tables(groups[0]["test"], groups[0]["name"]),
    ):
        assert numbers(printed([table], width)) == numbers(printed([table], 250))


def test_wide_terminals_see_a_table():
    text = printed(classification_blocks(sample_metrics(names=NAMES)), 80)
    assert "Stone-Steel-Towers of the" in text
    assert re.search(r"precision +recall +F1", text)
