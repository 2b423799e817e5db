"""A figure knows its name, unit, digits, limits and direction; other packages can add some."""

import json
import warnings

import numpy as np
import pytest
from offered_samples import Point, offering

from hsi_suite.metrics import measures as module
from hsi_suite.metrics.classification import scores
from hsi_suite.metrics.measure import Measure, share
from hsi_suite.metrics.measures import MEASURES, measure, of_classifiers, of_denoisers, same_scores
from hsi_suite.metrics.summary import flatten_scores


def test_figures_are_written_alike_everywhere():
    assert measure("overall_accuracy").with_unit(0.91234) == "91.23 %"
    assert measure("cohen_kappa").with_unit(0.91234) == "91.23"
    assert measure("cohen_kappa").heading == "Cohen's κ × 100"
    assert measure("structural_similarity/15").with_unit(0.91234) == "0.9123"
    assert measure("15/peak_signal_noise_ratio").with_unit(31.456) == "31.46 dB"
    assert measure("peak_signal_noise_ratio").size_with_points(0.5) == "0.50 dB"
    assert measure("recall/corn").size_with_points(0.0312) == "3.12 points"
    assert measure("recall/corn").difference_text(-0.0312) == "−3.12 points"
    assert measure("spectral_angle").text(1.23456) == "1.235"
    assert measure("recall").text(None) == measure("recall").text(float("nan")) == "–"


@pytest.mark.parametrize(
    ("key", "heading"),
    [
        ("overall_accuracy", "overall accuracy, %"),
        ("peak_signal_noise_ratio/25", "PSNR, σ 25, dB"),
        ("peak_signal_noise_ratio/sigma_25", "PSNR, σ 25, dB"),
        ("peak_signal_noise_ratio/iso_3200", "PSNR, ISO 3200, dB"),
        ("peak_signal_noise_ratio/quality_40", "PSNR, JPEG quality 40, dB"),
        ("recall/recall/at_5", "recall, recall, at 5, %"),
        ("a_to_b/mean_average_precision_at_10", "mean average precision at 10, a to b, %"),
        ("something_else", "something else"),
    ],
)
def test_keys_are_understood(key, heading):
    assert measure(key).heading == heading and measure(key).name == key


def test_rounding_never_claims_perfection():
    assert measure("overall_accuracy").text(0.99996) == "99.99"
    assert measure("structural_similarity").text(0.99999) == "0.9999"
    assert measure("overall_accuracy").text(1.0) == "100.00"
    assert measure("f1").size_text(1e-7) == "< 0.01"


def test_direction_and_limits():
    assert measure("spectral_angle").gain(1.0) == -1.0
    assert measure("f1/corn").gain(1.0) == 1.0
    shares = {name for name in MEASURES if MEASURES[name].is_share}
    assert {"overall_accuracy", "recall", "mean_average_precision"} <= shares
    assert not shares & {"cohen_kappa", "structural_similarity", "peak_signal_noise_ratio"}


@pytest.fixture
def others():
    with offering(module, MEASURES) as offer:
        yield offer


ERRORS = share("error_rate", "error rate", "ER", higher_is_better=False,
               of_counts=lambda counts: 1 - counts.hits.sum() / counts.support.sum())  # fmt: skip
CLOSE = Measure("closeness", "closeness", of_images=lambda clean, image: 1 / len(image))


def test_figures_of_another_package_are_computed_beside_ours(others):
    others(Point("error_rate", ERRORS), Point("closeness", CLOSE))
    assert [each.name for each in of_classifiers()][-1] == "error_rate"
    assert [each.name for each in of_denoisers()][-1] == "closeness"
    row = scores(np.array([[3, 1], [0, 4]])).to_dict(["road", "tree"])
    assert row["error_rate"] == pytest.approx(1 / 8) and row["overall_accuracy"] == 7 / 8
    assert list(flatten_scores(json.loads(json.dumps(row))))[3] == "error_rate"


def test_a_broken_package_is_left_out_with_a_warning(others):
    others(Point("broken", None), Point("closeness", CLOSE))
    with pytest.warns(UserWarning, match="score broken of broken_package:THING is left out"):
        assert measure("closeness").digits == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measure("closeness").name == "closeness"


def test_a_figure_that_rounds_to_nothing_has_no_sign():
    assert measure("cohen_kappa").text(-1e-6) == measure("cohen_kappa").text(0.0) == "0.00"
    assert measure("cohen_kappa").text(-0.02) == "-2.00"


def test_scores_are_the_same_where_only_later_measures_are_added():
    stored = {"recall": 0.5, "per_class": [1, 2]}
    assert same_scores(stored | {"f1": 0.2}, stored) and same_scores({"a": stored}, {"a": stored})
    for other in ({"recall": 0.4}, {"recall": 0.5}, stored | {"unknown": 1}):
        assert not same_scores(other, stored)
