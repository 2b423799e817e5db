import numpy as np
import pytest

from hsi_suite.data.noise_cases import CASES, TYPICAL_SIGMA, add_noise_case
from hsi_suite.errors import ConfigError

CLEAN = np.random.default_rng(0).uniform(0.2, 1.2, (60, 80, 30)).astype(np.float32)
SIGMA = TYPICAL_SIGMA / 100


def added(case, seed=1):
    return add_noise_case(CLEAN, case, SIGMA, np.random.default_rng(seed)) - CLEAN


@pytest.mark.parametrize("case", CASES)
def test_a_case_follows_from_its_seed(case):
    before = CLEAN.copy()
    assert np.array_equal(added(case), added(case))
    assert not np.array_equal(added(case), added(case, seed=2))
    assert np.array_equal(CLEAN, before)


def test_each_band_has_a_strength_of_its_own():
    spread = added("case1").std((0, 1)) / SIGMA
    assert 0.2 < spread.min() < 0.7 and 1.3 < spread.max() < 1.8
    assert abs(spread.mean() - 1) < 0.2


def test_stripes_strike_columns_of_a_third_of_the_bands():
    offsets = np.median(added("case2"), 0)
    struck = np.abs(offsets) > 8 * SIGMA
    bands = struck.any(0)
    assert bands.sum() == 10
    assert (struck.mean(0)[bands] > 0.02).all() and (struck.mean(0)[bands] < 0.25).all()
    assert np.abs(offsets).max() < 0.25 * np.ptp(CLEAN) + SIGMA
    assert np.abs(offsets).max() > 0.2 * np.ptp(CLEAN)


def test_dead_lines_are_zero_columns_of_a_third_of_the_bands():
    cube = add_noise_case(CLEAN, "case3", SIGMA, np.random.default_rng(1))
    dead = (cube == 0).all(0)
    assert dead.any(0).sum() == 10 and np.array_equal((cube == 0).any(0), dead)
    assert 0.05 < dead.mean(0)[dead.any(0)].mean() < 0.15


def test_impulses_go_to_both_ends_of_a_third_of_the_bands():
    cube = add_noise_case(CLEAN, "case4", SIGMA, np.random.default_rng(1))
    ends = (cube == CLEAN.min()) | (cube == CLEAN.max())
    share = ends.mean((0, 1))
    assert (share > 0.05).sum() == 10
    assert share[share > 0.05].min() > 0.08 and share.max() < 0.72
    assert abs((cube == CLEAN.max()).sum() / ends.sum() - 0.5) < 0.02


def test_the_last_case_has_all_and_a_single_band_can_be_struck():
    cube = add_noise_case(CLEAN, "case5", SIGMA, np.random.default_rng(1))
    assert (cube == 0).all(0).any() and (cube == CLEAN.max()).sum() > 1000
    one = add_noise_case(CLEAN[..., :1], "case5", SIGMA, np.random.default_rng(1))
    assert one.shape == (60, 80, 1) and (one == 0).all(0).any()


def test_what_cannot_be_is_refused():
    generator = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="case1, case2"):
        add_noise_case(CLEAN, "case6", SIGMA, generator)
    with pytest.raises(ConfigError, match="0 or more"):
        add_noise_case(CLEAN, "case1", -1.0, generator)
