"""The table of JPEGs that were written twice: `benchmarks/jpeg_twice.py`."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage import data as samples
from skimage.metrics import peak_signal_noise_ratio

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def jpeg_twice(monkeypatch):
    """The script as a module: it is not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.jpeg_twice as module

    return module


def test_a_line_says_in_how_many_it_was_found_and_what_is_gained(jpeg_twice, monkeypatch):
    monkeypatch.setattr(jpeg_twice, "QUALITIES", ((75, 95),))
    picture = np.ascontiguousarray(samples.astronaut()[:256, :256])
    line, taken = jpeg_twice.lines({"faces": [(picture, picture)]})
    found, mean, least = re.fullmatch(
        r"faces +75 → 95 +\d +(\d) of 1 .*\([+-][\d.]+\) +([+-][\d.]+) \(([+-][\d.]+)\).*", line
    ).groups()
    assert found == "1" and mean == least and float(mean) > 0.5 and "jpeg_denoiser" in line
    clean, values = jpeg_twice.written_twice((picture, picture), (75, 95), 0)
    assert clean.shape == values.shape == (253, 251, 3)
    assert f" {peak_signal_noise_ratio(clean, values):.2f} " in line
    assert re.fullmatch(r"one corner \d+ ms, all \d+ ms a picture", taken)


def test_a_folder_without_pairs_is_said_in_one_line(jpeg_twice, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["jpeg_twice", str(tmp_path)])
    with pytest.raises(SystemExit) as caught:
        jpeg_twice.main()
    assert isinstance(caught.value.code, str) and len(caught.value.code.splitlines()) == 1
