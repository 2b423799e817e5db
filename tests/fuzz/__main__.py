"""`python -m tests.fuzz`: see `--help`."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent
# As in conftest.py: the installed package is tested, with the samples beside the tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path[:] = [p for p in sys.path if p and Path(p).resolve() != _TESTS.parent]
sys.path.insert(0, str(_TESTS))

import torch  # noqa: E402

from fuzz.harness import run_for, table  # noqa: E402
from fuzz.kinds import all_kinds  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (5)")
    parser.add_argument("--seed", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--only", default="", help="kinds whose name contains this")
    parser.add_argument("--keep", type=Path, help="folder for the files that ended badly")
    options = parser.parse_args()
    torch.set_num_threads(1)
    kinds = [kind for kind in all_kinds() if options.only in kind.name]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        outcomes = run_for(kinds, Path(folder), 60 * options.minutes, options.seed, options.keep)
    for name, outcome in outcomes.items():
        for ending, seed, text in outcome.faults:
            print(f"\n== {name}, seed {seed}: {ending}\n{text}")
    print(table(outcomes))
    sys.exit(any(outcome.faults for outcome in outcomes.values()))


main()
