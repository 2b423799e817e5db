import math

import pytest
from metrics_samples import NAMES, part, sample_metrics

from hsi_suite.palette import class_colours
from hsi_suite.printable import plain
from hsi_suite.reports.classification import (
    audit_rows,
    class_table,
    heading,
    score_table,
    split_rows,
)
from hsi_suite.reports.content import enumerate_names, percent
from hsi_suite.reports.verdict import verdict
from hsi_suite.tasks.scenes.page import classification_page


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.98532, "98.53"),
        (1.0, "100.00"),
        (0.999999, "99.99"),
        (0.0, "0.00"),
        (-0.02, "-2.00"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_percent_rounds_but_never_up_to_perfection(share, text):
    assert percent(share) == text


def test_plain_removes_what_terminals_act_on():
    assert plain("a\x1b[31mred\n\tb\u202e") == r"a\x1b[31mred b\u202e"


def test_names_in_a_sentence():
    assert enumerate_names(["a"]) == "a"
    assert enumerate_names(["a", "b"]) == "a and b"
    assert enumerate_names(["a, b", "c", "d"]) == "a, b; c and d"
    assert enumerate_names("abcdefghij", most=4) == "a, b, c and 7 more"


def test_scores_stand_beside_the_baselines_with_position_first():
    table = score_table(sample_metrics(), "")
    rows = [[cell.text for cell in row] for row in table.cells]
    assert list(zip([row[0] for row in rows], table.styles, strict=True)) == [
        ("hybridsn", "own"),
        ("position only, 1-NN", "baseline"),
        ("RBF-SVM on spectra", "baseline"),
        ("hybridsn, training part", "other"),
    ]
    assert rows[0][1] == "1,200"
    assert rows[3][2:] == ["100.00"] * 3


def test_classes_bear_the_colour_of_their_label():
    rows = class_table(sample_metrics(), "", None, baselines=True).cells
    assert [row[0].text for row in rows] == list(NAMES)
    expected = "#" + bytes(class_colours(5)[3]).hex()
    assert rows[1][0].colour == expected
    assert [cell.text for cell in rows[1][1:3]] == ["100", "400"]
    assert len(rows[1]) == 6 + 2


def test_split_rows_name_what_is_missing():
    metrics = sample_metrics("disjoint")
    metrics["split"] |= {
        "layout": "stripes of 20 lines",
        "dropped": {"Oats": "too small"},
        "train_only": {"Corn": "one parcel"},
        "lost": {"Woods": 1200, "Wheat": 0},
    }
    rows = dict(split_rows(metrics))
    assert rows["class left out"] == "Oats: too small"
    assert rows["learned, not tested"] == "Corn: one parcel"
    assert rows["lost to the guard"] == "1,200 pixels (Woods 1,200)"
    assert "validation pixels" not in rows


def test_audit_rows_state_window_and_shares():
    rows = dict(audit_rows(sample_metrics()))
    assert rows["window"] == "25 × 25 pixels"
    assert rows["test pixels inside a training window"] == "99.96 %"
    assert rows["distance to the nearest training pixel"] == "1 … 9, median 1.5 px"


def _warnings(metrics):
    return " ".join(remark.text for remark in verdict(metrics) if remark.warning)


def _words(metrics):
    return " ".join(remark.text for remark in verdict(metrics))


def test_a_random_split_that_position_solves_is_called_memory():
    metrics = sample_metrics(accuracy=0.98, position=0.97)
    assert "measures mostly memory of the neighbourhood" in _warnings(metrics)
    assert "99.9 % of the test pixels lie inside the 25 × 25 window" in _warnings(metrics)


def test_a_model_well_above_position_is_not_warned_about():
    metrics = sample_metrics(accuracy=0.98, position=0.6)
    assert "neighbourhood" not in _words(metrics)
    assert "points less than hybridsn" in _words(metrics)


def test_a_model_that_has_not_learnt_its_own_pixels_is_called_so():
    metrics = sample_metrics(accuracy=0.3, position=0.97)
    metrics["train"] = metrics["test"] | {"overall_accuracy": 0.31}
    text = _warnings(metrics)
    assert "reaches only 31.00 % on its own training pixels" in text
    assert "memory of the neighbourhood" not in text


def test_a_model_that_is_fitted_at_once_has_nothing_left_to_learn():
    metrics = sample_metrics(accuracy=0.87, position=0.996, epoch=0)
    metrics["train"] = part(("Corn", "Woods", "Wheat"), 100, 0.93)
    text = _warnings(metrics)
    assert "not learnt" not in text and "memory of the neighbourhood" in text


def test_position_nearly_as_good_on_a_disjoint_split_is_worded_for_it():
    text = _warnings(sample_metrics("disjoint", accuracy=0.7, position=0.7))
    assert "where a pixel lies tells its class" in text
    assert "random" not in text


def test_a_disjoint_split_says_what_it_keeps_apart_and_what_it_costs():
    metrics = sample_metrics("disjoint", accuracy=0.9, position=0.5)
    metrics["split"] |= {"dropped": {"Oats": "too small"}, "lost": {"Corn": 70, "Woods": 5}}
    text = _words(metrics)
    assert "No test pixel lies inside a training window." in text
    assert "more than 12 pixels from every test pixel" in text
    assert "leaves out 1 of 4 classes: Oats" in _warnings(metrics)
    assert "75 labelled pixels are lost to the guard" in text


def test_a_window_of_one_pixel_needs_no_remark_on_windows():
    metrics = sample_metrics()
    metrics["leakage"] |= {"window": 1, "test_inside_training_window": 0.0}
    assert "window" not in _words(metrics)


def test_a_better_baseline_is_a_warning():
    text = _warnings(sample_metrics(accuracy=0.7, position=0.5))
    assert "a simpler method does" in text
    assert "--model wide_svm" in text


@pytest.mark.parametrize(
    ("own", "other", "words"),
    [
        (0.66, 0.99, "33.0 points more than hybridsn: a simpler method does far better here"),
        (0.80, 0.83, "a simpler method does better here"),
        (0.80, 0.80, "the same as hybridsn: a simpler method does as well here"),
        (0.80, 0.803, "a simpler method does as well here"),
    ],
)
def test_words_on_a_better_baseline_follow_the_size(own, other, words):
    metrics = sample_metrics(accuracy=0.7, position=0.1)
    metrics["test"]["overall_accuracy"] = own
    for name in set(metrics["baselines"]) - {"position"}:
        metrics["baselines"][name]["overall_accuracy"] = other
    assert words in _warnings(metrics)


@pytest.mark.parametrize(
    ("alone", "own", "words"),
    [(0.87, 0.66, "far better than"), (0.72, 0.66, "class better than"), (0.66, 0.66, "as well")],
)
def test_words_on_position_follow_the_size(alone, own, words):
    metrics = sample_metrics(kind="disjoint", position=0.5)
    metrics["train"]["overall_accuracy"] = 1.0
    metrics["test"]["overall_accuracy"] = own
    metrics["baselines"]["position"]["overall_accuracy"] = alone
    text = _warnings(metrics)
    assert words in text
    assert ("about as well" in text) == (alone == own)


def test_unverified_data_are_told_first_and_in_every_heading():
    metrics = sample_metrics() | {"unverified": ["Pavia.mat"]}
    first = verdict(metrics)[0]
    assert first.warning
    assert first.text.startswith("UNVERIFIED data")
    assert "Pavia.mat" in first.text
    assert "(UNVERIFIED data)" in heading(metrics)
    assert "UNVERIFIED" not in heading(sample_metrics())


def test_absent_and_unanswered_classes_are_named():
    test = part(NAMES, 400, 0.98)
    test |= {"absent": ["Wheat"], "never_predicted": ["Corn"]}
    text = _warnings(sample_metrics(test=test))
    assert "No test pixel belongs to Wheat" in text
    assert "never answers Corn" in text


def test_undefined_kappa_is_said():
    test = part(NAMES, 400, 0.98) | {"cohen_kappa": None}
    assert "κ is undefined" in _warnings(sample_metrics(test=test))


def test_synthetic_scenes_are_called_so():
    assert "(a synthetic scene)" in _words(sample_metrics(synthetic=True))
    assert "synthetic" not in _words(sample_metrics())


def test_runs_without_baselines_have_a_verdict():
    metrics = sample_metrics()
    del metrics["baselines"]
    assert "baseline" not in _words(metrics)
    assert len(score_table(metrics, "").rows) == 2


def test_dropout_at_test_time_is_reported():
    spread = {"mean": 0.9, "std": 0.01, "n": 10, "min": 0.88, "max": 0.92}
    text = _words(sample_metrics(dropout_at_test={"overall_accuracy": spread}))
    assert "10 evaluations of the same weights give overall accuracies from 88.00 to 92.00" in text


@pytest.mark.parametrize(
    ("others", "words"),
    [((), ""), (("svm",), "The baseline was trained"), (("svm", "cnn1d"), "The baselines were")],
)
def test_the_caption_of_scores_speaks_of_the_baselines_that_are_there(others, words):
    metrics = sample_metrics() | {"seed": 0}
    position = metrics["baselines"]["position"]
    metrics["baselines"] = dict.fromkeys(("position", *others), position)
    document = classification_page(metrics, (), None, ())
    caption = document.sections[1].blocks[0].caption
    assert caption.startswith("Scores over the classes")
    assert words in caption and ("trained" in caption) == bool(others)
    # The title says it all: below it stands what it does not say.
    assert metrics["dataset"] in document.title and metrics["dataset"] not in document.lead
