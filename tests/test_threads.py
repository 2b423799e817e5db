"""Threads of one process: what they change for all of it is put back, and results are their own."""

import logging
import os
import threading
import time
import warnings
from contextlib import contextmanager

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image

import hsi_suite as hsi
from hsi_suite import kept_blocks
from hsi_suite.atomic import _within_umask
from hsi_suite.data import photographs
from hsi_suite.data.formats import reading_guard
from hsi_suite.engine.devices import computing
from hsi_suite.guard import parsing
from hsi_suite.kept_blocks import give_back, keeping_blocks, take_block
from hsi_suite.process_wide import own_filters, while_used
from hsi_suite.reports.drawing import house_style

CPU = torch.device("cpu")


def hesitating(call):
    """The same, and then time for other threads."""

    def slowly(*arguments):
        found = call(*arguments)
        time.sleep(0.001)
        return found

    return slowly


def at_once(*calls):
    """What calls return, each in a thread of its own that begins with the others."""
    found, ready = [None] * len(calls), threading.Barrier(len(calls))

    def work(place, call):
        ready.wait()
        try:
            found[place] = call()
        except Exception as error:
            found[place] = error

    threads = [threading.Thread(target=work, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = [each for each in found if isinstance(each, Exception)]
    assert not failed, failed
    return found


def overlapping(first, second):
    """Enter one, in another thread the second, leave the first, then the second.

    Where the second has to wait for the first it is entered after it.
    """
    entered, left = threading.Event(), threading.Event()

    def other():
        with second():
            entered.set()
            left.wait(10)

    thread = threading.Thread(target=other)
    with first():
        thread.start()
        entered.wait(0.2)
    left.set()
    thread.join()


def settings():
    switches = torch.backends.cudnn
    return {
        "threads": torch.get_num_threads(),
        "deterministic": torch.get_deterministic_debug_mode(),
        "filling": torch.utils.deterministic.fill_uninitialized_memory,
        "cudnn": (switches.benchmark, switches.deterministic, switches.allow_tf32),
        "products": torch.get_float32_matmul_precision(),
        "type": torch.get_default_dtype(),
        "draws": torch.get_rng_state().tolist(),
        "pictures": dict(mpl.rcParams),
        "filters": list(warnings.filters),
        "logs": [logging.getLogger(name).level for name in reading_guard._LOGGERS],
        "pixels": Image.MAX_IMAGE_PIXELS,
        "errors": os.fstat(2).st_ino,
        "gradients": torch.is_grad_enabled(),
    }


def changed(before):
    after = settings()
    return {name: after[name] for name in before if before[name] != after[name]}


def deterministic():
    return computing(CPU, 1, deterministic=True)


def loose():
    return computing(CPU, 2, deterministic=False)


def a_file():
    return parsing("a file", "a sound one")


@pytest.mark.parametrize(
    "setting",
    [
        deterministic,
        loose,
        house_style,
        reading_guard.quiet_libraries,
        reading_guard.muted_errors,
        photographs._any_size,
        a_file,
    ],
)
def test_what_two_threads_change_is_put_back(setting):
    with setting():
        # What the first call imports is not what it sets.
        pass
    before = settings()
    overlapping(setting, loose if setting is deterministic else setting)
    assert changed(before) == {}


def test_the_umask_is_put_back(monkeypatch):
    before = os.umask(0o027)
    monkeypatch.setattr(os, "umask", hesitating(os.umask))
    try:
        modes = at_once(*[lambda: {_within_umask(0o666) for _ in range(5)}] * 4)
    finally:
        left = os.umask(before)
    assert left == 0o027
    assert modes == [{0o640}] * 4


def test_threads_do_not_compute_at_once():
    order = []
    inside = threading.Event()

    def second():
        inside.wait()
        with computing(CPU, 1, deterministic=False):
            order.append("second in")

    thread = threading.Thread(target=second)
    thread.start()
    with computing(CPU, 1, deterministic=True), computing(CPU, 1, deterministic=True):
        inside.set()
        thread.join(0.2)
        order.append("first out")
    thread.join()
    assert order == ["first out", "second in"]


def test_two_threads_do_not_change_filters_of_warnings_at_once():
    before, inside = list(warnings.filters), threading.Event()

    def change():
        inside.wait(5)
        with own_filters():
            assert warnings.filters == before
            warnings.simplefilter("ignore")

    thread = threading.Thread(target=change)
    thread.start()
    with own_filters():
        warnings.simplefilter("error")
        with own_filters():
            inside.set()
            thread.join(0.2)
        assert thread.is_alive()
    thread.join()
    assert warnings.filters == before


def test_a_setting_lasts_until_nobody_needs_it():
    said = []

    @while_used
    @contextmanager
    def setting():
        said.append("set")
        yield
        said.append("restored")

    with setting():
        with setting():
            pass
        assert said == ["set"]
    assert said == ["set", "restored"]
    with pytest.raises(KeyError), setting():
        raise KeyError
    assert said == ["set", "restored"] * 2


def test_blocks_go_to_one_thread_each(monkeypatch):
    monkeypatch.setattr(kept_blocks, "bisect_left", hesitating(kept_blocks.bisect_left))
    guard, taken = threading.Lock(), set()

    def work(seed):
        sizes = np.random.default_rng(seed).choice([1_000, 2_000, 9_000], (10, 3)).tolist()
        with keeping_blocks():
            for several in sizes:
                blocks = [take_block(size) for size in several]
                assert all(map(lambda block, size: len(block) >= size, blocks, several))
                places = {block.data_ptr() for block in blocks}
                with guard:
                    assert len(places) == 3 and not places & taken
                    taken.update(places)
                with guard:
                    taken.difference_update(places)
                give_back(blocks)

    at_once(*[lambda seed=seed: work(seed) for seed in range(4)])


def test_two_trainings_and_predictions_at_once_are_those_of_one():
    scene = hsi.load_dataset("synthetic_small")
    cube, labels = scene.cube[:24, :24], scene.labels[:24, :24]

    def work():
        # Its dropout draws from torch's own state.
        many = {"train.batch_size": 8, "train.strategy": "patch"}
        classifier = hsi.SceneClassifier(window=9, epochs=1, settings=many, threads=1, verbose=0)
        return classifier.fit(cube, labels).predict_proba(cube)

    alone = work()
    before = settings()
    together = at_once(work, work)
    assert changed(before) == {}
    assert all(np.array_equal(each, alone) for each in together)
