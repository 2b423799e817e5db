"""Names of files and classes may hold anything; what is shown of them is one safe line."""

import csv
import io
import json
import os

import numpy as np
import pytest

from hsi_suite.atomic import write_json, write_text
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import InputFileError
from hsi_suite.json_text import json_text
from hsi_suite.printable import clipped, plain, safe_json, safe_line
from hsi_suite.runs.folder import csv_text
from hsi_suite.runs.log import LogObserver
from hsi_suite.user_files import read_json

TITLE = "a\x1b]0;title\x07\nb\u202e.npy"
BYTES = "sc\udcffne.npy"


def test_nothing_that_a_terminal_acts_on_is_left():
    every = "".join(map(chr, range(0x3000))) + "\ud800\udcff\u2066\ufeff"
    assert plain(every).isprintable() and safe_line(every).isprintable()
    assert plain(TITLE) == r"a\x1b]0;title\x07 b\u202e.npy"
    assert safe_line(TITLE) == r"a\x1b]0;title\x07\nb\u202e.npy"
    assert plain(BYTES) == safe_line(BYTES) == r"sc\xffne.npy"
    assert safe_line("  κ  ±") == "  κ  ±" and plain("  κ  ±") == "κ ±"


def test_json_loses_nothing_and_holds_nothing_raw(tmp_path):
    value = {"name": TITLE + BYTES + "\x9b\u2028é"}
    text = safe_json(json_text(value, "it"))
    assert json.loads(text) == value and "é" in text
    assert text.replace("\n", "").isprintable()
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json", "it") == value


def test_errors_and_logs_are_clean(tmp_path):
    error = InputFileError(TITLE, f"holds {TITLE}", "one\nline", f"look at {BYTES}")
    assert str(error).isprintable() and r"\x1b]0;" in str(error)
    log = LogObserver(tmp_path / "log.txt", Observer())
    log.message(TITLE)
    text = (tmp_path / "log.txt").read_text()
    assert text.count("\n") == 1 and text.strip().isprintable()


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1"])
def test_cells_that_a_spreadsheet_would_run_are_text(name):
    text = csv_text([{"run": name, "-x": -0.5, "n": 3, "none": None}, {"run": "plain-name"}])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["run"] == "'" + safe_line(name) and rows[1]["run"] == "plain-name"
    assert (rows[0]["'-x"], rows[0]["n"], rows[0]["none"]) == ("-0.5", "3", "")
    assert not any(cell[:1] in "=+@\t\r" for row in rows for cell in row.values() if cell)


def test_a_byte_that_is_no_utf8_stays_readable(tmp_path):
    write_text(tmp_path / "a.html", f"<p>{BYTES}</p>")
    assert (tmp_path / "a.html").read_text("utf-8") == "<p>sc\\udcffne.npy</p>"


@pytest.mark.parametrize("name", [b"sc\xffne.npy", TITLE.encode()])
def test_scenes_of_any_name_are_trained_and_reported(name, tmp_path, monkeypatch, hsi):
    scene = os.fsdecode(name)
    monkeypatch.chdir(tmp_path)
    labels = np.repeat(np.repeat([[1, 2]], 8, 1), 16, 0).astype(np.uint8)
    cube = np.random.default_rng(0).normal(size=(16, 16, 5)) + 3 * labels[..., None]
    for place, values in ((scene, cube.astype(np.float32)), ("gt.npy", labels)):
        with (tmp_path / place).open("wb") as file:
            np.save(file, values)
    train = ("train", "--scene", scene, "--labels", "gt.npy", "--model", "svm")
    status, out, err = hsi(*train, "--set", "evaluation.baselines=[]")
    assert status == 0, err
    (run,) = (tmp_path / "runs").iterdir()
    for command in (["report", run], ["evaluate", run], ["compare", run], ["report", run.parent]):
        status, more, errors = hsi(*command)
        assert status in (0, 2)
        out, err = out + more, err + errors
    for text in (out, err, (run / "log.txt").read_text(), (run / "report.html").read_text()):
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
    status, text, _ = hsi("train", "--resume", run)
    assert status == 2 or text


@pytest.mark.parametrize(
    "place",
    [
        "https://example.org/" + "a/very/long/way/" * 20 + "scene.mat",
        "/data/" + "folder/" * 50 + "cube.hdr",
        "C:\\" + "folder\\" * 50 + "cube.hdr",
        "'a name with blanks " + "and more " * 30 + "x.tif'",
        "`hsi denoise '/data/my scenes/" + "long/" * 60 + "cube.hdr' --repair`",
        "x" * 200 + ".tif",
    ],
)
@pytest.mark.parametrize("words", [(0, 100), (100, 100), (100, 0), (50, 0), (0, 0), (3, 90)])
def test_what_is_left_out_of_a_message_is_whole_words_and_no_place(place, words):
    before, after = ("word " * number for number in words)
    text = " ".join(f"{before} {place} {after}".split())
    cut = clipped(text)
    assert place in cut
    assert len(cut) <= 310 + len(place)
    assert all(each in {"word", "…"} for each in cut.replace(place, "").split())
    assert ("…" in cut.replace(place, "")) is (sum(words) > 60)
    error = InputFileError("file", text, text, f"fetch {place}")
    assert error.brief().count(place) == 3 and text in str(error)


def test_a_message_of_many_places_is_cut_too():
    text = " ".join(f"/data/folder/of/scenes/cube_{number}.hdr" for number in range(500))
    assert len(clipped(text)) < 600
    assert set(clipped(text).split()) - {"…"} <= set(text.split())
    assert len(clipped("x" * 50_000)) < 320 and len(clipped("/" * 50_000)) < 320


def test_a_path_that_the_system_refuses_is_shown_whole(hsi, tmp_path):
    name = str(tmp_path / ("n" * 250) / ("m" * 300))
    status, _, err = hsi("report", name)
    assert status == 2 and name in err
