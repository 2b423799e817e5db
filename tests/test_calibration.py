import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, logit, softmax
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from test_classical import blobs

from hsi_suite.data.block_folds import block_cells, deal_cells
from hsi_suite.models.calibration import (
    METHODS,
    Calibration,
    choose_calibration,
    fit_calibration,
    log_probabilities,
)
from hsi_suite.models.classical import CLASSICAL


def boasting(pixels=4000, classes=4, seed=0, factor=3.0):
    """Scores three times as sure as the classes drawn from them."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(0, 2, (pixels, classes))
    truth = np.array([rng.choice(classes, p=row) for row in softmax(honest, axis=1)])
    return factor * honest, truth


def surprise(probabilities, truth):
    return -np.log(probabilities[np.arange(len(truth)), truth]).mean()


def test_the_temperature_is_that_of_the_least_loss_and_finds_what_was_planted():
    scores, truth = boasting()
    fitted = fit_calibration("temperature", scores, truth)
    assert fitted.temperature == pytest.approx(3, rel=0.08)
    expected = minimize_scalar(
        lambda t: -log_softmax(scores / t, axis=1)[np.arange(len(truth)), truth].mean(),
        bounds=(0.1, 20), method="bounded",
    ).x  # fmt: skip
    assert fitted.temperature == pytest.approx(expected, rel=0.01)
    np.testing.assert_allclose(
        fitted.apply(scores), softmax(scores / fitted.temperature, axis=1), atol=1e-6
    )


def test_the_logistic_function_is_that_of_a_logistic_regression():
    scores, truth = boasting()
    fitted = fit_calibration("sigmoid", scores, truth)
    shares = softmax(scores / fitted.temperature, axis=1)
    hits = np.eye(4)[truth].ravel()
    regression = LogisticRegression(C=np.inf).fit(logit(shares).reshape(-1, 1), hits)
    assert fitted.slope == pytest.approx(regression.coef_[0, 0], rel=0.02)
    assert fitted.intercept == pytest.approx(regression.intercept_[0], abs=0.02)
    bent = expit(fitted.slope * logit(shares) + fitted.intercept)
    np.testing.assert_allclose(fitted.apply(scores), bent / bent.sum(1, keepdims=True), atol=1e-6)


def test_the_isotonic_regression_is_that_of_scikit_learn():
    scores, truth = boasting(600)
    fitted = fit_calibration("isotonic", scores, truth)
    shares = softmax(scores / fitted.temperature, axis=1)
    hits = np.eye(4)[truth].ravel()
    regression = IsotonicRegression(y_min=1 / 2402, y_max=1 - 1 / 2402, out_of_bounds="clip")
    levels = regression.fit(shares.ravel(), hits).predict(shares.ravel()).reshape(shares.shape)
    bent = 0.99 * levels + 0.01 * shares
    np.testing.assert_allclose(fitted.apply(scores), bent / bent.sum(1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_no_class_changes_and_rows_are_probabilities(method):
    scores, truth = boasting()
    scores[:5] = 0
    scores[5:9, 1:3] = scores[5:9].max()
    scores[9, [0, 2]] = -np.inf
    scores[10] = [-1e5, 0, 1e5, 1e5 + 1e-6]
    learnt = scores[11:]
    fitted = fit_calibration(method, learnt, truth[11:])
    found = fitted.apply(scores)
    assert np.array_equal(found.argmax(1), scores.argmax(1)) and found.dtype == np.float32
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)
    assert (found >= 0).all() and not found[9, [0, 2]].any()
    assert surprise(found[11:], truth[11:]) < 0.8 * surprise(softmax(learnt, axis=1), truth[11:])
    again = Calibration.from_dict({**fitted.to_dict(), "pixels": 3})
    assert again == fitted and np.array_equal(again.apply(scores), found)


@pytest.mark.parametrize("method", METHODS)
def test_few_pixels_all_of_them_right_do_not_make_certainties(method):
    scores = 5 * np.eye(3)[np.arange(30) % 3]
    found = fit_calibration(method, scores, np.arange(30) % 3).apply(scores)
    assert 0.9 < found.max() < 0.999 and (found > 0).all()


def test_classes_that_a_fold_does_not_know_take_no_part():
    scores, truth = boasting()
    wider = np.concatenate([scores, np.full((len(scores), 1), -np.inf)], 1)
    for method in METHODS:
        one, other = fit_calibration(method, scores, truth), fit_calibration(method, wider, truth)
        np.testing.assert_allclose(other.apply(wider)[:, :4], one.apply(scores), atol=1e-4)


def test_the_method_is_chosen_by_the_likelihood_of_folds_left_out():
    scores, truth = boasting(1500)
    folds = np.arange(1500) % 3
    method, losses = choose_calibration(scores, truth, folds)
    for name in METHODS:
        parts = [
            len(truth[folds == k]) * surprise(
                fit_calibration(name, scores[folds != k], truth[folds != k]).apply(
                    scores[folds == k]
                ),
                truth[folds == k],
            )
            for k in range(3)
        ]  # fmt: skip
        assert losses[name] == pytest.approx(sum(parts) / 1500, rel=1e-5)
    assert method == min(METHODS, key=losses.__getitem__)
    # What no temperature can mend: the largest probability says nothing below a threshold.
    kinked = np.where(scores > 0, scores, 0.05 * scores)
    assert choose_calibration(kinked, truth, folds)[0] != "temperature"
    assert choose_calibration(scores, truth, 0 * folds) == ("temperature", {})


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"method": "magic", "temperature": 1}, {"method": "temperature", "temperature": 0},
        {"method": "temperature", "temperature": float("nan")},
        {"method": "sigmoid", "temperature": 1, "slope": -1},
        {"method": "isotonic", "temperature": 1},
        {"method": "isotonic", "temperature": 1, "steps": [0, 1], "levels": [1, 0]},
        {"method": "isotonic", "temperature": 1, "steps": [0, 1], "levels": [0, 2]},
        {"method": "isotonic", "temperature": 1, "steps": [0, 1], "levels": [0]},
        {"method": "isotonic", "temperature": 1, "steps": 3, "levels": [0]},
        {"method": "temperature", "temperature": "warm"},
    ],
)  # fmt: skip
def test_damaged_calibrations_are_refused(fields):
    with pytest.raises(ValueError):
        Calibration.from_dict(fields)


@pytest.mark.parametrize("name", list(CLASSICAL))
@pytest.mark.parametrize("classes", [2, 3])
def test_the_largest_score_is_that_of_the_predicted_class(name, classes):
    spectra, truth = blobs(count=90)
    known = truth < classes
    rng = np.random.default_rng(5)
    model = CLASSICAL[name](None, 0)
    model.fit(spectra[known] + rng.normal(0, 3, spectra[known].shape), truth[known] + 1)
    others = rng.normal(1, 4, (700, 8))
    scores = model.scores(others, 5)
    assert scores.shape == (700, 5) and scores.dtype == np.float64
    assert np.array_equal(scores.argmax(1), model.predict(others))
    outside = [0, *range(classes + 1, 5)]
    assert np.isneginf(scores[:, outside]).all() and np.isfinite(scores[:, 1 : classes + 1]).all()
    np.testing.assert_allclose(model.shares_of(scores), model.shares(others, 5), atol=1e-5)


def test_the_coupling_of_a_support_vector_machine_by_hand():
    spectra, truth = blobs(count=90)
    model = CLASSICAL["svm"](None, 0)
    model.fit(spectra, truth)
    others = np.random.default_rng(5).normal(1, 2, (50, 8))
    pairs = expit(2 * model._fitted.decision_function(others))
    r01, r02, r12 = pairs.T
    expected = 1 / np.stack(
        [1 / r01 + 1 / r02 - 1, 1 / (1 - r01) + 1 / r12 - 1, 1 / (1 - r02) + 1 / (1 - r12) - 1], 1
    )
    found = np.exp(model.scores(others, 3))
    agree = expected.argmax(1) == model.predict(others)
    assert agree.mean() > 0.9
    np.testing.assert_allclose(found[agree], expected[agree], rtol=1e-6)


def test_logarithms_of_probabilities_that_vanish_are_finite():
    rows = np.array([[1.0, 0.0]], np.float32)
    assert np.isfinite(log_probabilities(rows)).all() and log_probabilities(rows)[0, 0] == 0


def test_blocks_stay_whole_and_classes_are_spread_over_the_folds():
    pixels = np.arange(40 * 50)
    classes = np.where(pixels % 50 < 25, 0, 1)
    cells = block_cells(pixels, 50, 8)
    place = [(line // 8, sample // 8) for line, sample in zip(*divmod(pixels, 50), strict=True)]
    assert len(set(zip(cells.tolist(), place, strict=True))) == len(set(place)) == cells.max() + 1
    folds = deal_cells(cells, classes, 5)
    assert np.array_equal(folds, deal_cells(cells, classes, 5))
    assert all(len(set(folds[cells == cell])) == 1 for cell in range(cells.max() + 1))
    for each in (0, 1):
        counts = np.bincount(folds[classes == each], minlength=5)
        assert counts.min() > 0.6 * counts.mean()
    assert set(deal_cells(np.zeros(9, int), np.arange(9) % 2, 5)) == {0}
