"""`hsi batch`: what it takes, what it shows while runs are in work, what it prints."""

import json

import pytest
from batch_samples import make_denoising_batch
from click.testing import CliRunner
from rich.console import Console

from hsi_suite.api.batch_progress import TerminalJobObserver
from hsi_suite.cli.batch import batch
from hsi_suite.cli.output import print_batch
from hsi_suite.errors import RunError
from hsi_suite.runs.batches.files import Batch

pytestmark = pytest.mark.stand_in_pictures

LONG = "hybridsn on synthetic, random split, seed 0, dropout of seed 3"


@pytest.fixture
def carried_out(monkeypatch):
    """What `run_batch` was asked for."""
    asked = {}

    def run_batch(name, output, observer, **options):
        asked.update(name=name, output=output, **options)
        raise RunError("x", "not in this test")

    monkeypatch.setattr("hsi_suite.pipelines.reproducibility.run_batch", run_batch)
    return asked


def test_options_reach_the_pipeline(carried_out):
    CliRunner().invoke(batch, ["batch/smoke", "--jobs", "3", "--runs", "4", "--output", "there"])
    assert carried_out == {
        "name": "batch/smoke",
        "output": "there",
        "jobs": 3,
        "runs": 4,
        "together": None,
        "scheduler": None,
        "tls": None,
    }
    CliRunner().invoke(
        batch, ["batch/retrieval", "--jobs", "auto", "--scheduler", "local", "--together", "5"]
    )
    assert carried_out["together"] == 5
    assert (carried_out["jobs"], carried_out["scheduler"]) == ("auto", "local")


@pytest.mark.parametrize("value", ["0", "-1", "1025", "many", "1.5", ""])
def test_a_number_of_jobs_that_is_none_is_refused(carried_out, value):
    result = CliRunner().invoke(batch, ["batch/smoke", "--jobs", value])
    assert result.exit_code == 2
    assert "neither a number from 1 to 1024 nor auto" in result.output
    assert not carried_out


def observer(terminal):
    watching = TerminalJobObserver()
    watching._console = Console(
        force_terminal=terminal, width=80, record=True, highlight=False, quiet=False
    )
    return watching


def story(watching):
    watching.begin_jobs(3, 1)
    watching.job_started(LONG)
    watching.job_advanced(LONG, "training", 1, 2, {"train_loss": 0.25})
    if watching._bars is not None:
        watching._bars.refresh()
    watching.message(f"{LONG}: the scene is empty")
    watching.message("another: the scene is empty")
    watching.job_ended(LONG, None)
    watching.job_started("b")
    watching.job_ended("b", "it broke")
    watching.end_jobs()
    return watching._console.export_text()


def test_without_a_terminal_runs_are_lines(capsys):
    lines = story(observer(False)).splitlines()
    assert lines[0] == "1 of 3 runs are finished already"
    assert lines[1] == f"[1 of 3] begun: {LONG}"
    assert lines[3].startswith(f"[2 of 3] finished: {LONG} (")
    assert lines[-1] == "failed: b: it broke"
    # What several runs say in the same words stands there once.
    assert sum("the scene is empty" in line for line in lines) == 1


def test_in_a_terminal_there_is_a_bar_for_the_whole_and_one_for_each_run(capsys):
    text = story(observer(True))
    capsys.readouterr()
    assert "1 of 3 runs" in text and "3 of 3 runs" in text
    assert "hybridsn o…seed 0, dropout of seed 3" in text and "loss 0.25" in text
    assert "begun" not in text


def test_failures_are_printed_and_end_with_an_error(tmp_path, capsys):
    make_denoising_batch(tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_text())
    summary["failures"] = {"a run": "it broke"}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(RunError, match="1 runs failed, the first: a run: it broke"):
        print_batch(Batch(tmp_path, [], {"a run": "it broke"}), as_json=False)
    assert "failed: a run: it broke" in capsys.readouterr().out
    with pytest.raises(RunError):
        print_batch(Batch(tmp_path, [], {"a run": "it broke"}), as_json=True)
    assert json.loads(capsys.readouterr().out) == {"batch": str(tmp_path), **summary}
