"""A few damaged files of every kind; `python -m tests.fuzz --minutes N` tries more."""

import os
import signal
import time
from itertools import islice

import numpy as np
import pytest
from fuzz import harness
from fuzz.harness import Kind, prepare, rounds, run
from fuzz.kinds import all_kinds
from fuzz.readers import NOT_OF_USERS, entered, reader_functions

from hsi_suite.errors import InputFileError

SEED = 1


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """Every kind, its whole files, and the functions that were entered to read these."""
    # Drawing takes seconds, and every page is read without it too.
    kinds, functions = [kind for kind in all_kinds() if not kind.drawn], set()
    wholes = prepare(kinds, tmp_path_factory.mktemp("fuzz"), lambda: entered(functions))
    return kinds, wholes, functions


@pytest.mark.slow
def test_damaged_files_are_read_or_refused_in_one_line(ready):
    kinds, wholes, _ = ready
    said = []
    # A round reaches every kind, but for slow ones that have their turn in another.
    outcomes = run(islice(rounds(kinds, SEED), _in_a_round(kinds)), wholes, say=said.append)
    reached = {name for name, outcome in outcomes.items() if outcome.counts}
    assert {kind.name for kind in kinds if kind.every == 1} <= reached
    assert said == [], "\n".join(f[2] for o in outcomes.values() for f in o.faults)


def _in_a_round(kinds):
    turns = rounds(kinds, SEED)
    return sum(1 for _ in iter(lambda: next(turns)[1], SEED + 1))


def test_no_reader_is_without_a_kind(ready):
    _, _, functions = ready
    readers = set(reader_functions())
    assert readers - functions - set(NOT_OF_USERS) == set()
    assert set(NOT_OF_USERS) <= readers


# What a reader may not do, by how the harness calls it.
_FAULTS = {
    "traceback": lambda: 1 / 0,
    "crash": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "crash of another kind": lambda: os._exit(0),
    "noise": lambda: print("something"),
    "noise of numpy": lambda: np.float32(3e38) * np.float32(10),
    "message of many lines": lambda: _refuse("a\nb"),
    "message without a file": lambda: _refuse("it", "cannot be read"),
    "hang": lambda: time.sleep(60),
}


def _refuse(subject, found=""):
    raise InputFileError(subject, found)


def test_the_harness_sees_what_may_not_be(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "SECONDS_EACH", 2.0)

    def reader(fault):
        return lambda folder: (folder / "given").read_bytes() == bytes(99) or fault()

    kinds = [
        Kind(name, lambda folder: (folder / "given").write_bytes(bytes(99)), reader(fault))
        for name, fault in _FAULTS.items()
    ]
    wholes = prepare(kinds, tmp_path)
    outcomes = run(islice(rounds(kinds, 0), len(kinds)), wholes, say=lambda _: None)
    for name, outcome in outcomes.items():
        assert dict(outcome.counts) == {name.split()[0]: 1}
        assert len(outcome.faults) == 1
