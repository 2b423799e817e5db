"""The table of what is made of WebP, AVIF and HEIC: `benchmarks/lossy_formats.py`."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from hsi_suite.data.drawings import draw_kind

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "lossy_formats.py"


@pytest.fixture
def lossy_formats():
    """The script as a module: it is not installed."""
    spec = importlib.util.spec_from_file_location("lossy_formats", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["lossy_formats"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["lossy_formats"]


def test_a_line_says_what_was_chosen_and_gained(lossy_formats, tmp_path, monkeypatch):
    picture = draw_kind("shapes", 64, np.random.default_rng(0))
    monkeypatch.setitem(lossy_formats.QUALITIES, "WebP", (50, 100))
    pairs = {"drawn": [(np.asarray(picture), np.asarray(picture))]}
    coarse, fine = lossy_formats.lines(pairs, ["WebP"])
    assert coarse.startswith("drawn") and coarse.endswith("jpeg_denoiser and colour_denoiser 1")
    chosen, network = (float(each) for each in re.findall(r"([+-]\d+\.\d+) \(", coarse))
    assert chosen != 0 and network != 0
    assert "+0.00 (+0.00)" in fine and fine.endswith("left 1") and " 0–0 " in fine
    before = np.asarray(lossy_formats.written(pairs["drawn"][0][0], "WebP", 50, tmp_path).values)
    expected = peak_signal_noise_ratio(pairs["drawn"][0][0], before)
    assert f"{expected:.2f}" in coarse
