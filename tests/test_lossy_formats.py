"""The table of what is made of WebP, AVIF and HEIC: `benchmarks/lossy_formats.py`."""

import re

import numpy as np
import pytest
from benchmark_scripts import loaded
from skimage.metrics import peak_signal_noise_ratio

from hsi_suite.data.drawings import draw_kind


@pytest.fixture
def lossy_formats():
    with loaded("lossy_formats") as module:
        yield module


def test_a_line_says_what_was_chosen_and_gained(lossy_formats, tmp_path, monkeypatch):
    picture = draw_kind("shapes", 64, np.random.default_rng(0))
    monkeypatch.setitem(lossy_formats.QUALITIES, "WebP", (50, 100))
    pairs = {"drawn": [(np.asarray(picture), np.asarray(picture))]}
    coarse, fine = lossy_formats.lines(pairs, ["WebP"])
    both = "80 % jpeg_denoiser and 20 % colour_denoiser"
    assert coarse.startswith("drawn") and coarse.endswith(f"{both} 1")
    chosen, network = (float(each) for each in re.findall(r"([+-]\d+\.\d+) \(", coarse))
    assert chosen != 0 and network != 0
    assert "+0.00 (+0.00)" in fine and fine.endswith("left 1") and " 0–0 " in fine
    before = np.asarray(lossy_formats.written(pairs["drawn"][0][0], "WebP", 50, tmp_path).values)
    expected = peak_signal_noise_ratio(pairs["drawn"][0][0], before)
    assert f"{expected:.2f}" in coarse
