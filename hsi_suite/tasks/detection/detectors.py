"""Detectors in closed form: how much a pixel is like a target, or an anomaly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import spectral
from numpy.typing import NDArray
from spectral.algorithms.algorithms import GaussianStats

from ...errors import ConfigError

Values = NDArray[np.float64]
#: From spectra, N × bands, to scores, N; higher means more likely a detection.
Detector = Callable[[Values], Values]
TARGET_METHODS = ("ace", "cem", "matched-filter", "sam")
ANOMALY_METHODS = ("rx",)
# Of the mean variance: what is added to all directions where the bands depend on each other.
_RIDGE = 1e-6
_WORST_CONDITION = 1e12
# Spectra that are scored at a time.
_TOGETHER = 1024


@dataclass(frozen=True)
class Background:
    """Mean and covariance of the spectra of a scene.

    Attributes:
        mean: bands.
        covariance: bands × bands, divisor n − 1.
        number: of spectra.
        ridge: what was added to the variances, as the bands depended on each other; 0 for nothing.
    """

    mean: Values
    covariance: Values
    number: int
    ridge: float

    @classmethod
    def of(cls, blocks: Callable[[], Iterator[Values]], bands: int) -> Background:
        """The statistics of all spectra, read twice so that nothing is lost to cancellation.

        Args:
            blocks: gives the spectra block by block, N × bands, each time it is called.
            bands: number of bands.

        Raises:
            ConfigError: fewer spectra than two.
        """
        number, total = 0, np.zeros(bands)
        for block in blocks():
            number += len(block)
            total += block.sum(0)
            # Not held while the next is read.
            del block
        if number < 2:
            raise ConfigError("scene", f"{number} pixels with data", "two or more")
        mean, scatter = total / number, np.zeros((bands, bands))
        for block in blocks():
            centred = block - mean
            scatter += centred.T @ centred
            del block, centred
        covariance = scatter / (number - 1)
        ridge = 0.0
        if not np.linalg.cond(covariance) < _WORST_CONDITION:
            ridge = _RIDGE * float(np.trace(covariance)) / bands or 1.0
            covariance = covariance + ridge * np.eye(bands)
        return cls(mean, covariance, number, ridge)

    @property
    def statistics(self) -> GaussianStats:
        """The same as SPy's detectors take it."""
        return GaussianStats(mean=self.mean, cov=self.covariance, nsamples=self.number)

    @property
    def correlation(self) -> Values:
        """E[x xᵀ], about 0 instead of the mean."""
        share = (self.number - 1) / self.number
        return share * self.covariance + np.outer(self.mean, self.mean)


def detector(method: str, background: Background, target: Values | None = None) -> Detector:
    """The detector of a name; equal spectra have equal scores, wherever they stand.

    Args:
        method: of the spectral angle "sam", whose score is the cosine of the angle (Kruse et al.
            1993); "ace", the adaptive cosine estimator (Kraut, Scharf 1999); "cem", constrained
            energy minimisation (Harsanyi 1993), and "matched-filter", which give 1 at the target
            and 0 on average at the background; "rx", the squared Mahalanobis distance of Reed
            and Yu (1990).
        background: of the scene.
        target: bands, in the units of the scene; None for anomalies.

    Raises:
        ConfigError: no such method, or none for what is given.
    """
    score = _formula(method, background, target)

    def scored(spectra: Values) -> Values:
        scores = np.empty(len(spectra))
        for first in range(0, len(spectra), _TOGETHER):
            rows = spectra[first : first + _TOGETHER]
            # Products of matrices add their parts in another order where the last rows are few.
            lacking = _TOGETHER - len(rows)
            whole = np.pad(rows, ((0, lacking), (0, 0)), mode="edge") if lacking else rows
            scores[first : first + len(rows)] = score(whole)[: len(rows)]
        return scores

    return scored


def _formula(method: str, background: Background, target: Values | None) -> Detector:
    statistics = background.statistics
    if target is None:
        if method not in ANOMALY_METHODS:
            raise ConfigError("--anomaly", repr(method), f"one of {', '.join(ANOMALY_METHODS)}")
        return lambda x: np.asarray(spectral.rx(x, background=statistics)).reshape(-1)
    if method == "sam":
        return lambda x: np.cos(spectral.spectral_angles(x[None], target[None])[0, :, 0])
    if method in ("ace", "matched-filter"):
        function = spectral.ace if method == "ace" else spectral.matched_filter
        return lambda x: np.asarray(function(x, target, background=statistics)).reshape(-1)
    if method == "cem":
        towards = np.linalg.solve(background.correlation, target)
        weights = towards / (target @ towards)
        return lambda x: x @ weights
    raise ConfigError("--method", repr(method), f"one of {', '.join(TARGET_METHODS)}")
