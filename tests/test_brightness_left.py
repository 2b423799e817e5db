"""`benchmarks.brightness_left`: what noise is left in dark and bright parts."""

import numpy as np
import pytest
from benchmark_scripts import loaded

SIDE = 256


@pytest.fixture(scope="module")
def script():
    with loaded("brightness_left") as module:
        yield module


def test_noise_is_measured_where_it_is_and_light_that_has_changed_is_none(script):
    rng = np.random.default_rng(0)
    bright = np.where(np.arange(SIDE) < SIDE // 2, 40.0, 170.0)
    clean = np.broadcast_to(bright[:, None, None], (SIDE, SIDE, 3))
    strength = np.where(bright < 100, 2.0, 5.0)[:, None, None]
    # The same in all three colours: luma has all of it, blue less luma none.
    left = 7 + strength * rng.normal(size=(SIDE, SIDE, 1)).repeat(3, 2)
    pixels, luma, blue = script.squares(left, clean)
    assert pixels[[0, 2, 3, 4, 6]].sum() == 0 and pixels[1] > 1000 < pixels[5]
    assert np.sqrt(luma[1] / pixels[1]) == pytest.approx(2, rel=0.05)
    assert np.sqrt(luma[5] / pixels[5]) == pytest.approx(5, rel=0.05)
    assert blue.sum() == pytest.approx(0, abs=1e-9)


def test_a_line_for_each_way_and_plane(script, monkeypatch):
    clean = np.full((64, 64, 3), 100.0)
    ways = {"noisy": lambda image: image, "nothing left": lambda image: clean}
    monkeypatch.setattr(script, "WAYS", ways)
    noisy = clean + np.random.default_rng(1).normal(0, 4, clean.shape)
    lines = list(script.table([(noisy, clean, 0)]))
    starts = ["noisy, luma", "noisy, blue less luma", "nothing left, luma"]
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=False))
    assert float(lines[0].split()[-4]) > 2 and lines[2].split()[-4] == "0.00"
