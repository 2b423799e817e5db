"""SIGHUP, SIGTERM and Ctrl-C ask every command to stop; it says how to go on."""

import importlib
import os
import signal
import sys
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hsi_suite.engine.observer import interruptible, stop_requests
from hsi_suite.errors import RunError
from hsi_suite.runs import evaluation as run_evaluation
from hsi_suite.runs import folder

STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", STOPS)
def test_the_first_signal_is_a_request_and_the_second_interrupts(number):
    before = [signal.getsignal(each) for each in STOPS]
    with pytest.raises(KeyboardInterrupt), stop_requests() as stop:
        assert not stop.pending
        os.kill(os.getpid(), number)
        assert stop.pending
        os.kill(os.getpid(), number)
    assert [signal.getsignal(each) for each in STOPS] == before


@pytest.mark.parametrize("number", STOPS)
def test_outside_a_training_a_signal_interrupts(number):
    before = [signal.getsignal(each) for each in STOPS]
    with pytest.raises(KeyboardInterrupt), interruptible():
        os.kill(os.getpid(), number)
    assert [signal.getsignal(each) for each in STOPS] == before


@pytest.mark.parametrize("context", [stop_requests, interruptible])
def test_nohup_is_respected(context):
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with context() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
        assert not stop.pending
    finally:
        signal.signal(signal.SIGHUP, old)


def finished_folder(path, task):
    """What commands take for a finished run before they read it."""
    path.mkdir()
    (path / folder.CONFIG).write_text(f"task: {task}\n")
    for name in (folder.MODEL, folder.METRICS):
        (path / name).touch()


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize(
    ("arguments", "place", "words"),
    [
        (["evaluate", "run"], "runs.evaluation:evaluate", "begins anew"),
        (["replay", "run"], "runs.replay:replay", "begins anew"),
        (["denoise", "a.png"], "tasks.denoising.photographs.image_denoising:denoise_images",
         "makes the others (with --overwrite"),
        (["predict", "r", "--scene", "s", "-o", "m.tif"], "tasks.scenes.prediction:predict",
         "goes on"),
        (["retrieve", "index", "pairs", "--scene", "s", "-o", "i"],
         "tasks.retrieval.index:index_gallery", "goes on"),
        (["batch", "batch/smoke"], "pipelines.reproducibility:run_batch", "goes on"),
        (["train", "--dataset", "synthetic"], "runs.launch:configure", "goes on"),
    ],
)  # fmt: skip
def test_every_command_says_how_to_go_on(
    hsi, monkeypatch, tmp_path, number, arguments, place, words
):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((9, 8), np.uint8)).save("a.png")
    Path("s").touch()
    for run, task in {"r": "classification", "run": "classification", "pairs": "retrieval"}.items():
        finished_folder(Path(run), task)
    module, _, name = place.partition(":")
    loaded = importlib.import_module(f"hsi_suite.{module}")
    assert callable(getattr(loaded, name))
    monkeypatch.setattr(loaded, name, lambda *_, **__: os.kill(os.getpid(), number))
    status, _, err = hsi(*arguments)
    assert status == 130
    assert err.strip().splitlines()[-1].startswith("stopped; ") and words in err
    # What it was about to do was said before.
    lines = [line for line in err.splitlines() if line and not line.startswith("hsi ")]
    assert len(lines) == 1


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize("kind", [RunError, RuntimeError])
def test_an_interrupt_that_a_library_turned_into_an_error_is_one(
    hsi, monkeypatch, tmp_path, number, kind
):
    def evaluate(*_, **__):
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt:
            raise kind("model.safetensors", "cannot be read") from None

    finished_folder(tmp_path / "run", "classification")
    monkeypatch.setattr(run_evaluation, "evaluate", evaluate)
    status, _, err = hsi("evaluate", str(tmp_path / "run"))
    assert status == 130 and err.strip().splitlines()[-1].startswith("stopped; ")


def test_an_interrupt_that_python_drops_comes_again_without_a_word(capfd):
    class Held:
        pass

    def stop(_):
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(0.001)  # in the callback of a weak reference, where exceptions are dropped

    held = Held()
    watch = weakref.ref(held, stop)
    with pytest.raises(KeyboardInterrupt), interruptible():
        del held
        for _ in range(1000):
            time.sleep(0.01)
    assert watch() is None and capfd.readouterr() == ("", "")
    # Whatever else is dropped is said as ever.
    dropped = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", dropped.append)
        with interruptible():
            held = Held()
            watch = weakref.ref(held, lambda _: 1 / 0)
            del held
    assert len(dropped) == 1
