import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from hsi_suite.errors import ShapeError
from hsi_suite.metrics.classification import confusion_matrix, scores


def test_confusion_matrix_counts_truth_by_prediction():
    truth = np.array([[0, 0, 1], [1, 1, 2]])
    predicted = np.array([[0, 1, 1], [1, 0, 2]])
    matrix = confusion_matrix(truth, predicted, 4)
    assert matrix.dtype == np.int64
    assert matrix.tolist() == [[1, 1, 0, 0], [1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]


def test_small_unsigned_indices_do_not_overflow():
    truth = np.full(3, 250, dtype=np.uint8)
    matrix = confusion_matrix(truth, truth, 251)
    assert matrix[250, 250] == 3
    assert matrix.sum() == 3


def test_kappa_computed_by_hand():
    # 100 pixels: p_o = (20 + 30 + 25) / 100 = 0.75. Rows 25, 40, 35; columns 30, 35, 35:
    # p_e = (25·30 + 40·35 + 35·35) / 10000 = 0.3375; kappa = 0.4125 / 0.6625 = 33 / 53.
    result = scores(np.array([[20, 3, 2], [2, 30, 8], [8, 2, 25]]))
    assert result.overall_accuracy == 0.75
    assert result.cohen_kappa == pytest.approx(33 / 53, abs=1e-15)
    assert result.average_accuracy == pytest.approx((20 / 25 + 30 / 40 + 25 / 35) / 3)
    assert result.precision == pytest.approx([20 / 30, 30 / 35, 25 / 35])
    assert result.recall == pytest.approx([0.8, 0.75, 25 / 35])
    assert result.f1 == pytest.approx([40 / 55, 60 / 75, 50 / 70])
    assert result.support.tolist() == [25, 40, 35]
    assert result.absent == result.never_predicted == ()


def test_absent_classes_are_left_out_of_average_accuracy_and_named():
    # Class 1 has no pixel (but is predicted once), class 3 is never predicted, class 4 is neither.
    matrix = np.zeros((5, 5), int)
    matrix[0, 0], matrix[0, 1], matrix[2, 2], matrix[3, 2] = 3, 1, 4, 2
    result = scores(matrix)
    assert result.absent == (1, 4)
    assert result.never_predicted == (3,)
    assert result.average_accuracy == pytest.approx((0.75 + 1.0 + 0.0) / 3)
    np.testing.assert_array_equal(np.isnan(result.recall), [0, 1, 0, 0, 1])
    np.testing.assert_array_equal(np.isnan(result.precision), [0, 0, 0, 1, 1])
    assert result.f1[1] == result.f1[3] == 0
    assert np.isnan(result.f1[4])
    plain = result.to_dict(["a", "b", "c", "d", "e"])
    assert plain["absent"] == ["b", "e"]
    assert plain["never_predicted"] == ["d"]
    assert plain["per_class"][3] == {
        "name": "d", "support": 2, "precision": None, "recall": 0.0, "f1": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize("count", [1, 7, 10**8])
def test_kappa_is_undefined_for_a_single_class(count):
    result = scores(np.diag([0, count, 0]))
    assert result.cohen_kappa is None
    assert result.overall_accuracy == result.average_accuracy == 1.0


def test_kappa_of_one_true_class_with_errors_is_zero():
    assert scores(np.array([[5, 3], [0, 0]])).cohen_kappa == 0.0


def test_plain_form_survives_strict_json():
    plain = scores(np.array([[3, 0], [0, 0]])).to_dict(["bare <soil>", "water"])
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["num_pixels"] == 3
    assert plain["confusion_matrix"] == [[3, 0], [0, 0]]


@st.composite
def _labels(draw, fewest=1):
    num_classes = draw(st.integers(fewest, 6))
    size = draw(st.integers(1, 60))
    index = st.integers(0, num_classes - 1)
    pairs = draw(st.lists(st.tuples(index, index), min_size=size, max_size=size))
    return num_classes, np.array(pairs)


@settings(max_examples=60, deadline=None)
@given(_labels(), st.randoms(use_true_random=False))
def test_scores_obey_their_bounds_and_do_not_depend_on_order_or_numbering(drawn, random):
    num_classes, pairs = drawn
    result = scores(confusion_matrix(pairs[:, 0], pairs[:, 1], num_classes))
    assert result.support.sum() == len(pairs)
    assert 0 <= result.overall_accuracy <= 1
    assert 0 <= result.average_accuracy <= 1
    if result.cohen_kappa is not None:
        assert -1 <= result.cohen_kappa <= result.overall_accuracy
    present = result.support > 0
    weighted = (result.recall[present] * result.support[present]).sum() / len(pairs)
    assert weighted == pytest.approx(result.overall_accuracy)

    order = list(range(len(pairs)))
    random.shuffle(order)
    renumbered = list(range(num_classes))
    random.shuffle(renumbered)
    moved = np.array(renumbered)[pairs[order]]
    other = scores(confusion_matrix(moved[:, 0], moved[:, 1], num_classes))
    assert other.overall_accuracy == result.overall_accuracy
    assert other.cohen_kappa == result.cohen_kappa
    assert other.average_accuracy == pytest.approx(result.average_accuracy)
    np.testing.assert_array_equal(other.recall[renumbered], result.recall)


@settings(max_examples=40, deadline=None)
@given(_labels(fewest=2))
def test_scores_agree_with_scikit_learn(drawn):
    num_classes, pairs = drawn
    truth, predicted = pairs.T
    labels = np.arange(num_classes)
    matrix = confusion_matrix(truth, predicted, num_classes)
    np.testing.assert_array_equal(
        matrix, sklearn_metrics.confusion_matrix(truth, predicted, labels=labels)
    )
    result = scores(matrix)
    precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=np.nan
    )
    np.testing.assert_array_equal(result.support, support)
    np.testing.assert_allclose(result.recall, recall)
    np.testing.assert_allclose(result.precision, precision)
    # scikit-learn calls F1 undefined only where a class neither occurs nor is predicted, too.
    np.testing.assert_allclose(result.f1, f1)
    assert result.overall_accuracy == pytest.approx(
        sklearn_metrics.accuracy_score(truth, predicted)
    )
    if result.cohen_kappa is not None:
        expected = sklearn_metrics.cohen_kappa_score(truth, predicted, labels=labels)
        assert result.cohen_kappa == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("truth", "predicted", "found"),
    [
        ([0, 1], [0, 1, 1], "shape (3,)"),
        ([0, 2], [0, 1], "class indices 0 … 2"),
        ([0, 1], [-1, 1], "class indices -1 … 1"),
        ([0.0, 1.0], [0, 1], "float64"),
    ],
)
def test_indices_that_do_not_fit_are_refused(truth, predicted, found):
    with pytest.raises(ShapeError) as caught:
        confusion_matrix(np.array(truth), np.array(predicted), 2)
    assert found in str(caught.value)


@pytest.mark.parametrize("matrix", [np.zeros((2, 3)), np.zeros((2, 2)), [[1, -1], [0, 1]]])
def test_matrices_that_count_nothing_are_refused(matrix):
    with pytest.raises(ShapeError):
        scores(np.array(matrix))


def test_names_must_match_the_classes():
    with pytest.raises(ShapeError):
        scores(np.eye(3, dtype=int)).to_dict(["a", "b"])
