import io

import pytest
from metrics_samples import NAMES, sample_metrics
from rich.console import Console

from hsi_suite.metrics.summary import summarise
from hsi_suite.reports.batches.terminal_tables import runs_tables
from hsi_suite.reports.batches.values import spread_text
from hsi_suite.reports.classification import classification_blocks
from hsi_suite.reports.terminal import terminal

LONG = "A class name that is much longer than any column of the table ought to be [bold]"


def printed(blocks, width=80, colours=False):
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=colours).print(terminal(blocks))
    return stream.getvalue()


def test_summary_fits_80_columns_and_says_the_numbers():
    metrics = sample_metrics("disjoint", names=(*NAMES, LONG))
    metrics["split"]["dropped"] = {LONG: "no layout leaves 5 of its 20 pixels on each side"}
    text = printed(classification_blocks(metrics))
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    for score in (metrics["test"], *metrics["baselines"].values()):
        assert f"{100 * score['overall_accuracy']:.2f}" in text
    assert "position only, 1-NN" in text


def test_colour_goes_to_terminals_only():
    assert "\x1b[" in printed(classification_blocks(sample_metrics()), colours=True)


def test_names_are_not_markup():
    text = printed(classification_blocks(sample_metrics(names=("[red]x", "[/]", ":smile:"))))
    assert "[red]x" in text
    assert "[/]" in text
    assert ":smile:" in text


def test_runs_table_states_n_mean_and_deviation():
    rows = [{"overall_accuracy": v, "recall/Corn": None} for v in (0.8, 0.9, 1.0)]
    text = printed(runs_tables(summarise(rows), "hybridsn on meadows"))
    assert "n = 3" in text
    assert "90.00 ± 10.00" in text
    assert "80.00" in text
    line = next(line for line in text.splitlines() if "recall, Corn" in line)
    assert line.split()[2:] == ["–", "–", "–", "0"]


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"mean": None, "std": None}, "–"),
        ({"mean": 0.5, "std": None}, "50.00"),
        ({"mean": 0.5, "std": 0.0}, "50.00 ± 0.00"),
    ],
)
def test_spread(entry, text):
    assert spread_text("recall", entry) == text
