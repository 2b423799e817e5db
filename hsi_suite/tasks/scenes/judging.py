"""A classifier's probabilities on the test pixels, judged by their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.patches import WindowSampler
from ...engine.observer import Observer
from ...metrics.probabilities import JudgedProbabilities
from ...schemas.classification import ClassificationConfig
from .calibrating import no_calibration
from .classifier import Classifier
from .evaluation import part_wanted
from .preparation import Prepared


@dataclass
class _Judge:
    """Takes what a classifier says of some pixels, and keeps a few numbers of each.

    Attributes:
        classifier: says it.
        truth: class index of every pixel of the scene.
        final: of its probabilities.
        before: of those without its calibration.
    """

    classifier: Classifier
    truth: NDArray[np.int64]
    final: list[JudgedProbabilities] = field(default_factory=list)
    before: list[JudgedProbabilities] = field(default_factory=list)

    def __call__(self, pixels: NDArray[np.int64], rows: NDArray[np.floating]) -> None:
        truth = self.truth[pixels]
        self.final.append(JudgedProbabilities.of(self.classifier.calibrated(rows), truth))
        if self.classifier.header.calibration is not None:
            before = self.classifier.uncalibrated(rows)
            self.before.append(JudgedProbabilities.of(before, truth))


@dataclass(frozen=True)
class Judgement:
    """A classifier on its test pixels.

    Attributes:
        classes: index of each test pixel's class, in the order of the split.
        calibration: that of its probabilities, as metrics.json has it.
        final: its probabilities; None where it has none.
        before: those without its calibration; None where it has none.
    """

    classes: NDArray[np.int32]
    calibration: dict[str, Any]
    final: JudgedProbabilities | None
    before: JudgedProbabilities | None

    @property
    def scores(self) -> dict[str, float]:
        """Those of its probabilities, by measure; empty where it has none."""
        return {} if self.final is None else self.final.scores()

    @property
    def facts(self) -> dict[str, Any]:
        """The rest about them, as metrics.json has it under "probabilities"."""
        facts: dict[str, Any] = {"calibration": self.calibration}
        if self.final is not None:
            facts |= {"reliability": self.final.reliability(), "kept": self.final.kept()}
        if self.before is not None:
            facts["uncalibrated"] = {
                **self.before.scores(), "reliability": self.before.reliability()
            }  # fmt: skip
        return facts


def pooled(judgements: Sequence[Judgement]) -> Judgement:
    """The classifiers of all folds on the test pixels of each, as one."""
    if len(judgements) == 1:
        return judgements[0]
    kept = [each.calibration for each in judgements]
    methods = [each["method"] for each in kept]
    fitted = [each for each in kept if each["method"] != "none"]
    calibration = kept[0]
    if fitted:
        calibration = {
            "method": methods[0] if len(set(methods)) == 1 else "several",
            "asked": fitted[0]["asked"],
            "methods": methods,
            "pixels": sum(each["pixels"] for each in fitted),
            "held_out": fitted[0]["held_out"],
        }
    final, before = (
        [getattr(each, name) for each in judgements if getattr(each, name) is not None]
        for name in ("final", "before")
    )
    whole = len(final) == len(judgements)
    # Where a fold has no calibration its probabilities are the same before and after.
    if before and whole:
        before = [each.before or each.final for each in judgements if each.final is not None]
    return Judgement(
        np.concatenate([each.classes for each in judgements]),
        calibration,
        JudgedProbabilities.joined(final) if whole else None,
        JudgedProbabilities.joined(before) if whole and before else None,
    )


def judge_test(
    classifier: Classifier,
    reduced: WindowSampler,
    prepared: Prepared,
    config: ClassificationConfig,
    observer: Observer,
) -> Judgement:
    """Classify the test pixels, alone: the same call gives the same bits.

    Args:
        classifier: as saved.
        reduced: the scene, see `Classifier.reduced`.
        prepared: the scene and its split.
        config: of the run.
        observer: reports progress.
    """
    test = prepared.split.test
    judge = _Judge(classifier, prepared.classes) if classifier.has_probabilities else None
    classes = classifier.class_map(
        reduced,
        part_wanted(prepared, test),
        batch_size=config.evaluation.batch_size,
        precision=config.evaluation.precision,
        observer=observer,
        judge=judge,
    )
    return Judgement(
        classes.reshape(-1)[test],
        _calibration(classifier, config, prepared),
        JudgedProbabilities.joined(judge.final) if judge and judge.final else None,
        JudgedProbabilities.joined(judge.before) if judge and judge.before else None,
    )


def _calibration(
    classifier: Classifier, config: ClassificationConfig, prepared: Prepared
) -> dict[str, Any]:
    kept = classifier.header.calibration
    if kept is None:
        why = no_calibration(classifier, config, len(prepared.split.validation))
        return {"method": "none", "why": why}
    # The lines of an isotonic regression stand in the model alone.
    return {name: value for name, value in kept.items() if name not in ("steps", "levels")}
