"""The benchmark of print behind JPEG: what it draws, and that what is sent gains."""

import importlib
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from hsi_suite.tasks.denoising.weights import load_weights

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def prints():
    """The package by its path: it is not installed."""
    if "benchmarks" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "benchmarks", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
        )
        sys.modules["benchmarks"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["benchmarks"])
    return importlib.import_module("benchmarks.print_pictures")


def test_drawings_become_black_on_white_hard_and_small(prints):
    drawing = np.full((64, 64, 3), (250, 240, 200), np.uint8)
    drawing[10:30, 10:30] = (20, 10, 60)
    drawing[30:34, 10:30] = 130
    black = prints.in_black_and_white(drawing)
    assert (black[0, 0] == 255).all() and (black[20, 20] == 0).all()
    assert 0 < black[31, 20, 0] < 255 and (black == black[..., :1]).all()
    dark = prints.in_black_and_white(255 - drawing)
    assert (dark[0, 0] == 0).all() and (dark[20, 20] == 255).all()
    assert set(np.unique(prints.hard(black))) == {0, 255}
    assert prints.small(black).shape == (45, 45, 3)
    screen = prints.dithered(np.full_like(drawing, 128))
    assert set(np.unique(screen)) == {0, 255} and 0.45 < (screen > 0).mean() < 0.55
    plain = prints.in_black_and_white(np.full_like(drawing, 200))
    assert (plain == 255).all()


def test_only_print_that_gains_is_mended(prints):
    pages = prints.pictures(1, 21)["pages"]
    page = prints.in_black_and_white(pages[0])
    screen = prints.dithered(np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (256, 3)))
    network = load_weights("jpeg_denoiser", torch.device("cpu"))
    sent, others = prints.gains(network, [page, screen], 75, left=False)
    assert len(sent) == len(others) == 1 and sent[0] > 0.5 and others == [0.0]
    _, others = prints.gains(network, [screen], 75, left=True)
    assert others[0] < -1
