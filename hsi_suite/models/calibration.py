"""Scores of classes made into probabilities that mean what they say, fitted on held-out pixels.

Every method here leaves the order of a pixel's classes as it is, so that no map changes: one
monotone function serves all classes, and the results are divided by their sum. All begin with a
temperature (Guo et al., ICML 2017), which the other two bend further: a logistic function of the
log-odds (after Platt, Advances in Large Margin Classifiers, 1999) or an isotonic regression (after
Zadrozny and Elkan, KDD 2002; one for all classes as in Zhang, Kailkhura, Han, ICML 2020).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax

from ..metrics.probabilities import JudgedProbabilities
from .spectrum_classifier import led_by

Floats = NDArray[np.float64]
Method = Literal["temperature", "sigmoid", "isotonic"]
METHODS: tuple[Method, ...] = get_args(Method)

_TEMPERATURES = (1e-4, 1e6)
_LARGEST_ODDS = 40.0
# Of an isotonic regression's result, how much is the probability before it: its steps are level,
# which would make classes equal that were not.
_BEFORE = 0.01
_MOST_STEPS = 10_000


@dataclass(frozen=True)
class Calibration:
    """From scores to probabilities.

    Attributes:
        method: see the module.
        temperature: what scores are divided by before their softmax.
        slope: of the log-odds of each class; sigmoid only, positive.
        intercept: added to them.
        steps: probabilities where the isotonic regression is given, rising; between them it is a
            straight line.
        levels: what it gives there.
    """

    method: Method
    temperature: float
    slope: float = 1.0
    intercept: float = 0.0
    steps: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        numbers = (self.temperature, self.slope, self.intercept, *self.steps, *self.levels)
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError("a calibration of numbers that are not finite")
        if self.method not in METHODS or self.temperature <= 0 or self.slope <= 0:
            raise ValueError("a calibration that does not rise")
        if len(self.steps) != len(self.levels) or len(self.steps) > _MOST_STEPS:
            raise ValueError("steps and levels of a calibration do not fit")
        if self.method == "isotonic" and not self.steps:
            raise ValueError("an isotonic calibration without steps")
        for rising in (self.steps, self.levels):
            if any(b < a for a, b in pairwise(rising)):
                raise ValueError("a calibration that does not rise")
        if any(not 0 <= value <= 1 for value in (*self.steps, *self.levels)):
            raise ValueError("a calibration beyond 0 to 1")

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Calibration:
        """From the plain values of `to_dict`, others beside them.

        Raises:
            ValueError: they do not make one.
        """
        try:
            return cls(
                fields["method"],
                float(fields["temperature"]),
                float(fields.get("slope", 1.0)),
                float(fields.get("intercept", 0.0)),
                tuple(map(float, fields.get("steps", ()))),
                tuple(map(float, fields.get("levels", ()))),
            )
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"no calibration: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, of its method alone."""
        every = asdict(self)
        own = {"sigmoid": ("slope", "intercept"), "isotonic": ("steps", "levels")}
        names = ("method", "temperature", *own.get(self.method, ()))
        return {
            name: list(every[name]) if isinstance(every[name], tuple) else every[name]
            for name in names
        }

    def apply(self, scores: NDArray[np.floating]) -> NDArray[np.float32]:
        """Probabilities, N × classes, whose largest is that of the largest score.

        Args:
            scores: N × classes, log-probabilities but for a factor and a number for each row; −∞
                makes a probability of 0.
        """
        logs = log_softmax(scores.astype(np.float64) / self.temperature, axis=1)
        shares = np.exp(logs)
        if self.method == "sigmoid":
            shares = np.where(
                np.isneginf(logs), 0, expit(self.slope * _log_odds(logs) + self.intercept)
            )
        elif self.method == "isotonic":
            level = np.interp(shares, self.steps, self.levels)
            shares = np.where(np.isneginf(logs), 0, (1 - _BEFORE) * level + _BEFORE * shares)
        shares = (shares / shares.sum(1, keepdims=True)).astype(np.float32)
        return led_by(shares, scores.argmax(1))


def fit_calibration(method: Method, scores: Floats, truth: NDArray[np.integer]) -> Calibration:
    """A calibration of held-out pixels.

    Targets are drawn a little towards all classes (as Platt's), so that few pixels, all of them
    right, do not make certainties.

    Args:
        method: see the module.
        scores: N × classes as for `Calibration.apply`; that of the true class is finite.
        truth: index of the true class of each pixel, N.
    """
    temperature = _fit_temperature(scores, truth)
    if method == "temperature":
        return Calibration(method, temperature)
    logs = log_softmax(scores / temperature, axis=1)
    known = ~np.isneginf(logs)
    hits = np.zeros(logs.shape, bool)
    hits[np.arange(len(truth)), truth] = True
    if method == "sigmoid":
        slope, intercept = _fit_sigmoid(_log_odds(logs[known]), hits[known])
        return Calibration(method, temperature, slope, intercept)
    # Not at the top: scikit-learn is 80 MB of memory that a training can do without.
    from sklearn.isotonic import IsotonicRegression

    least = 1 / (known.sum() + 2)
    regression = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
    regression.fit(np.exp(logs[known]), hits[known].astype(np.float64))
    steps, levels = regression.X_thresholds_, regression.y_thresholds_
    kept = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), _MOST_STEPS)).astype(int))
    clipped = np.clip(steps[kept], 0, 1)
    return Calibration(
        method, temperature, steps=tuple(clipped.tolist()), levels=tuple(levels[kept].tolist())
    )


def choose_calibration(
    scores: Floats, truth: NDArray[np.integer], folds: NDArray[np.integer]
) -> tuple[Method, dict[str, float]]:
    """The method whose fits to other folds make the truth of a fold most likely.

    Args:
        scores: as for `fit_calibration`.
        truth: as well.
        folds: of each pixel.

    Returns:
        The method, the simplest of equal ones, and the mean negative log-likelihood of each.
    """
    numbers = np.unique(folds)
    if len(numbers) < 2:
        return "temperature", {}
    found: dict[str, float] = {}
    for method in METHODS:
        total = 0.0
        for number in numbers:
            held = folds == number
            fitted = fit_calibration(method, scores[~held], truth[~held])
            judged = JudgedProbabilities.of(fitted.apply(scores[held]), truth[held])
            total += float(judged.surprise.sum())
        found[method] = total / len(truth)
    return min(METHODS, key=lambda method: found[method]), found


def _fit_temperature(scores: Floats, truth: NDArray[np.integer]) -> float:
    from scipy.optimize import minimize_scalar

    known = ~np.isneginf(scores)
    spread = 1 / (len(truth) + 2)
    targets = known * (spread / known.sum(1, keepdims=True))
    targets[np.arange(len(truth)), truth] += 1 - spread

    def loss(exponent: float) -> float:
        logs = log_softmax(scores / math.exp(exponent), axis=1)
        return float(-np.where(known, targets * np.where(known, logs, 0), 0).sum() / len(truth))

    bounds = tuple(map(math.log, _TEMPERATURES))
    return math.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x)


def _fit_sigmoid(odds: Floats, hits: NDArray[np.bool_]) -> tuple[float, float]:
    from scipy.optimize import minimize

    number = int(hits.sum())
    right, wrong = (number + 1) / (number + 2), 1 / (len(hits) - number + 2)
    targets = np.where(hits, right, wrong)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope, intercept = np.exp(parameters[0]), parameters[1]
        value = slope * odds + intercept
        error = expit(value) - targets
        gradient = np.array([(error * slope * odds).mean(), error.mean()])
        return float((np.logaddexp(0, value) - targets * value).mean()), gradient

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-5, 5), (-40, 40)]).x
    return float(np.exp(found[0])), float(found[1])


def _log_odds(logs: Floats) -> Floats:
    """Log-odds, between ±40, of logarithms of probabilities."""
    with np.errstate(divide="ignore"):
        odds = logs - np.log(-np.expm1(logs))
    return np.clip(odds, -_LARGEST_ODDS, _LARGEST_ODDS)


def log_probabilities(probabilities: NDArray[np.floating]) -> Floats:
    """Logarithms of float32 probabilities; those that are too small for it count as the least."""
    return np.log(np.maximum(probabilities.astype(np.float64), float(np.finfo(np.float32).tiny)))
