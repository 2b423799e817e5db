"""Damage files of every kind and see that each is read, or refused in one clear line."""

import argparse
import os
import sys
import tempfile
import time
from itertools import islice, takewhile
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent
# As in conftest.py: the installed package is tested, with the samples beside the tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path[:] = [p for p in sys.path if p and Path(p).resolve() != _TESTS.parent]
sys.path.insert(0, str(_TESTS))

import torch  # noqa: E402

from fuzz.harness import prepare, rounds, run, table  # noqa: E402
from fuzz.kinds import all_kinds  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (5)")
    parser.add_argument("--count", type=int, help="so many mutations, however long they take")
    parser.add_argument("--seed", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--only", default="", help="kinds whose name contains this")
    parser.add_argument("--keep", type=Path, help="folder for the files that ended badly")
    options = parser.parse_args()
    torch.set_num_threads(1)
    kinds = [kind for kind in all_kinds() if options.only in kind.name]
    if not kinds:
        parser.error(f"no kind is called {options.only}")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        wholes = prepare(kinds, Path(folder))
        started, turns = time.monotonic(), rounds(kinds, options.seed)
        if options.count is not None:
            turns = islice(turns, options.count)
        else:
            deadline = started + 60 * options.minutes
            turns = takewhile(lambda _: time.monotonic() < deadline, turns)
        outcomes = run(turns, wholes, options.keep)
        seconds = time.monotonic() - started
    for name, outcome in outcomes.items():
        for ending, seed, text in outcome.faults:
            print(f"\n== {name}, seed {seed}: {ending}\n{text}")
    print(table(outcomes))
    tried = sum(sum(outcome.counts.values()) for outcome in outcomes.values())
    print(f"{tried:,} mutations in {seconds:.0f} s, {tried / seconds:.1f} a second")
    sys.exit(any(outcome.faults for outcome in outcomes.values()))


main()
