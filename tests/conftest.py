import gc
import os
import signal
import sys
from pathlib import Path

# Before torch starts its threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A child that may not keep its bytecode compiles torch and scikit-learn at every start: 8 s of 12.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import pytest
import torch

import hsi_suite  # noqa: F401  # sets what cuBLAS reads when CUDA starts

torch.set_num_threads(1)
# Who starts the suite in the background may have it ignored, and tests send it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# What a disk holds after a power cut no test can see, and a small run would wait for it 40 times:
# a fifth of a second. `test_atomic.py` shows what is flushed, and before what.
os.fsync = os.fstat  # type: ignore[assignment]  # refuses what is no open file


@pytest.fixture
def data_dir() -> Path:
    """The folder of real scenes and images; the test is skipped where there is none."""
    folder = os.environ.get("HSI_DATA_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("HSI_DATA_DIR names no folder of real data")
    return Path(folder)


@pytest.fixture(scope="module", autouse=True)
def pictures(request):
    """Pictures are drawn, unless a file of tests is marked to have stand-ins."""
    if not request.node.get_closest_marker("stand_in_pictures"):
        yield
        return
    from stand_in_pictures import undrawn

    with undrawn():
        yield


@pytest.fixture
def drawn_pictures(monkeypatch):
    """Pictures are drawn in this test, whatever the mark of its file."""
    from stand_in_pictures import draw_again

    draw_again(monkeypatch)


@pytest.fixture
def hsi(monkeypatch, capfd):
    """Run `hsi` in this process; gives exit status, standard output and standard error."""
    from hsi_suite.cli import main

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["hsi", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capfd.readouterr()
        return caught.value.code, out, err

    return call


def pytest_collection_finish() -> None:
    # By now all is imported. Looking through torch and the tests themselves for garbage, again and
    # again, takes a tenth of the time of a training.
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Files with long tests first, so that none is left for one worker at the end.
    long = {item.path for item in items if "slow" in item.keywords}
    items.sort(key=lambda item: item.path not in long)
    if torch.cuda.is_available():
        return
    skip = pytest.mark.skip(reason="no CUDA device")
    for item in items:
        if "cuda" in item.keywords:
            item.add_marker(skip)
