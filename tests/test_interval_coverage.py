import numpy as np
import pytest
from benchmark_scripts import loaded


@pytest.fixture(scope="module")
def coverage():
    with loaded("interval_coverage") as module:
        yield module


@pytest.fixture(scope="module")
def planted():
    with loaded("planted_sources") as module:
        yield module


def test_the_true_moments_are_those_of_the_draws(coverage):
    for runs in (coverage.normal_runs(), coverage.skewed_runs(), coverage.logit_runs()):
        values = runs.draw(np.random.default_rng(1), 40_000, 10)
        assert values.mean() == pytest.approx(runs.mean, rel=1e-3)
        assert values.std() == pytest.approx(runs.std, rel=1e-2)


def test_intervals_of_normal_runs_hold_what_they_promise(coverage):
    normal = coverage.normal_runs()
    for n in coverage.NUMBERS:
        for measure in (coverage.t_coverage, coverage.std_coverage):
            found = measure(normal, n, 20_000, 0)
            assert found.share == pytest.approx(0.95, abs=0.02)
            assert found.error < 0.005


def test_what_the_notes_warn_of_is_so(coverage):
    skewed, normal = coverage.skewed_runs(), coverage.normal_runs()
    assert coverage.std_coverage(skewed, 10, 20_000, 0).share < 0.75
    assert coverage.std_coverage(coverage.logit_runs(), 10, 20_000, 0).share > 0.93
    assert coverage.bca_coverage(normal, 5, 1000, 0).share < 0.9


def test_the_table_is_printed_and_seeded(coverage, capsys):
    texts = []
    for _ in range(2):
        coverage.main(["--trials", "2000", "--bootstrap-trials", "100"])
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert "| t of the mean, normal " in texts[0] and "n = 20" in texts[0]


@pytest.mark.parametrize("name", ["they add up, one much larger", "they interact"])
def test_shares_of_variance_hold_what_was_planted_as_often_as_they_say(planted, name):
    """Each source is drawn anew at each anchor; of the same draws 90 % or 100 % would hold."""
    shares, rest = planted.coverage(*planted.MIXED[name], runs=5, anchors=2, trials=500)
    # Two in a hundred, and three standard errors of 500 trials.
    for held in (*shares, rest):
        assert 0.90 < held < 0.99
