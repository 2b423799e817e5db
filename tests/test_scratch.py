"""Temporary files go with their process, or when the next one comes."""

import os
import signal
import time

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from safetensors.torch import load_file

from hsi_suite import atomic, scratch
from hsi_suite.atomic import atomic_file, atomic_folder, temporary_folder, write_text
from hsi_suite.data.photograph_writer import write_photograph
from hsi_suite.data.photographs import read_photograph
from hsi_suite.data.writers import write_label_map
from hsi_suite.engine.checkpoint import save_checkpoint
from hsi_suite.palette import class_colours
from hsi_suite.reports.drawing import save_png
from hsi_suite.runs.folder import CHECKPOINT, METRICS, Run, tidy
from hsi_suite.runs.model_file import write_model_file


@pytest.fixture
def child():
    """Start a function in a forked process that then waits; gives the process's number."""
    started = []

    def start(work):
        number = os.fork()
        if number == 0:
            with work():
                time.sleep(60)
            os._exit(1)
        started.append(number)
        return number

    yield start
    for number in started:
        try:
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
        except (ProcessLookupError, ChildProcessError):
            continue


def wait_for(folder, number):
    for _ in range(400):
        if len(list(folder.iterdir())) >= number:
            time.sleep(0.05)
            return
        time.sleep(0.02)
    pytest.fail("the child made nothing")


def end(number):
    os.kill(number, signal.SIGKILL)
    os.waitpid(number, 0)


@pytest.mark.parametrize(
    "work",
    [
        lambda folder: atomic_file(folder / "a.png"),
        lambda folder: atomic_file(folder / f"{'long' * 60}.png"),
        lambda folder: atomic_file(folder / f"{'длинно' * 18}.png"),
        lambda folder: atomic_file(folder / "new\nline \udce9.png"),
        lambda folder: atomic_folder(folder / "index.d"),
        lambda folder: temporary_folder("hsi-replay-", folder),
    ],
    ids=["file", "long name", "long words", "strange name", "folder", "temporary"],
)
def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(tmp_path, child, work):
    number = child(lambda: work(tmp_path))
    wait_for(tmp_path, 1)
    [left] = tmp_path.iterdir()
    scratch.sweep(tmp_path)
    assert left.exists()
    end(number)
    write_text(tmp_path / "b.txt", "b")
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]


def test_files_of_the_user_and_of_others_stay(tmp_path, monkeypatch):
    names = [".a.b", ".a.12345678.png", "hsi-tmp-notes.txt", ".x.hsi-tmp-short.png", "a.png"]
    for name in names:
        (tmp_path / name).write_text("mine")
    target = tmp_path / "elsewhere"
    target.write_text("kept")
    (tmp_path / ".l.hsi-tmp-abcdefgh.png").symlink_to(target)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    (tmp_path / ".o.hsi-tmp-abcdefgh.png").write_text("another user's")
    scratch.sweep(tmp_path)
    assert target.read_text() == "kept"
    assert len(list(tmp_path.iterdir())) == len(names) + 3


def test_a_full_folder_is_looked_through_once(tmp_path, monkeypatch):
    looked = []
    monkeypatch.setattr(scratch, "sweep", looked.append)
    for number in range(3):
        write_text(tmp_path / f"{number}.txt", "x")
    assert looked == [tmp_path]


def _tensors(path):
    write_model_file(path, {"a": torch.ones(3)}, {"b": 1})
    assert torch.equal(load_file(path)["a"], torch.ones(3))


COLOURS = class_colours(1)
WRITERS = {
    "map.tif": lambda path: write_label_map(path, np.ones((4, 5), np.uint8), ["a"], COLOURS),
    "map.hdr": lambda path: write_label_map(path, np.ones((4, 5), np.uint8), ["a"], COLOURS),
    "map.npy": lambda path: write_label_map(path, np.ones((4, 5), np.uint8), ["a"], COLOURS),
    "figure.png": lambda path: save_png(Figure(figsize=(1, 1)), path),
    "photo.png": lambda path: _photograph(path),
    "photo.tif": lambda path: _photograph(path),
    "c.pt": lambda path: save_checkpoint(path, {"a": torch.ones(3)}),
    "m.safetensors": _tensors,
}


def _photograph(path):
    source = path.with_name("source.png")
    Image.fromarray(np.full((9, 8), 7, np.uint8)).save(source)
    write_photograph(path, read_photograph(source))


@pytest.mark.parametrize("name", WRITERS)
def test_no_writer_loses_the_lock(tmp_path, monkeypatch, name):
    # A library that replaced the file would leave it without an owner.
    kept = []

    class Watched:
        def __init__(self, path):
            self.inner = scratch.scratch_file(path)

        def __enter__(self):
            self.path = self.inner.__enter__()
            self.number = self.path.stat().st_ino
            return self.path

        def __exit__(self, *problem):
            kept.append(self.number)
            return self.inner.__exit__(*problem)

    monkeypatch.setattr(atomic, "scratch_file", Watched)
    WRITERS[name](tmp_path / name)
    assert kept and {path.stat().st_ino for path in tmp_path.iterdir()} >= set(kept)


def test_a_finished_run_keeps_no_checkpoint_and_an_unfinished_one_does(tmp_path):
    for name in (CHECKPOINT, ".checkpoint.ab12_xyz.pt", ".map.ab12_xyz.png", "notes.txt"):
        (tmp_path / name).write_text("x")
    tidy(Run(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {CHECKPOINT, "notes.txt"}
    (tmp_path / METRICS).write_text("{}")
    tidy(Run(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {METRICS, "notes.txt"}
