"""Test scores of several classifications of one scene that answer together.

Each run has a split of its own. What counts are the pixels that every run tested: no model has
learnt from any of them, and each is as far from what a run learnt as that run's split keeps it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...config import validate
from ...data.leakage import FAR, nearest_training_distance
from ...data.pixel_spectra import PixelSpectra
from ...data.readers import SceneFile
from ...data.scene import Scene
from ...data.scene_stack import lines_of
from ...data.splits import Split, load_split
from ...engine.devices import computing
from ...engine.observer import Observer
from ...errors import RunError
from ...metrics.classification import scores
from ...metrics.confusion import Confusion
from ...metrics.measures import of_classifiers
from ...metrics.probabilities import JudgedProbabilities
from ...runs.folder import CONFIG, Run
from ...runs.machine import available_threads, on_device
from ...schemas.classification import ClassificationConfig
from .classifier import Classifier
from .ensemble import load_ensemble
from .many_scenes import gap_of
from .run_evaluation import check_data, check_split, split_files
from .scene_loading import close_scene, load_prepared_scene
from .training_memory import MemoryLimit

Places = NDArray[np.int64]


@dataclass(frozen=True)
class _Member:
    """A run with its models, their splits and the scene that they divide.

    Its pixels are numbered as those of the scenes below each other, without the lines between
    them, whose number depends on a run's window and guard.

    Attributes:
        run: the run.
        config: its configuration.
        scene: its scene.
        classifiers: one, or one of each spatial fold.
        splits: that of each.
    """

    run: Run
    config: ClassificationConfig
    scene: Scene | SceneFile
    classifiers: tuple[Classifier, ...]
    splits: tuple[Split, ...]

    @cached_property
    def _lines(self) -> Places:
        """Those of the scene that lie in a scene of the user's."""
        parts = lines_of(self.scene) or ((0, self.scene.lines),)
        return np.concatenate([np.arange(*part) for part in parts])

    @cached_property
    def labels(self) -> NDArray[np.integer]:
        """Labels, lines × samples, without the lines between scenes."""
        assert self.scene.labels is not None
        return self.scene.labels[self._lines]

    def numbers(self, pixels: Places) -> Places:
        """The numbers of pixels of the scene."""
        lines, samples = np.divmod(pixels, self.scene.samples)
        return np.searchsorted(self._lines, lines) * self.scene.samples + samples

    def pixels(self, numbers: Places) -> Places:
        """The pixels of the scene with these numbers."""
        lines, samples = np.divmod(numbers, self.scene.samples)
        return self._lines[lines] * self.scene.samples + samples

    @property
    def labels_learnt(self) -> set[int]:
        """The label values that its models can answer."""
        return {label for each in self.classifiers for label in each.header.labels}

    @cached_property
    def tested(self) -> Places:
        """The pixels that it tested, by numbers in rising order."""
        return np.sort(self.numbers(np.concatenate([split.test for split in self.splits])))

    @cached_property
    def learnt(self) -> Places:
        """The pixels that it learnt from, by training or validation, and did not test."""
        sides = [part for split in self.splits for part in (split.train, split.validation)]
        return np.setdiff1d(self.numbers(np.concatenate(sides)), self.tested)


def evaluate_scenes_together(
    runs: Sequence[Run],
    observer: Observer,
    device: str | None = None,
    memory_limit: float | None = None,
) -> dict[str, Any]:
    """The test scores of classifications of one scene, by the mean of their probabilities.

    The pixels count that all of them tested. Of a run of spatial folds the model answers that was
    trained without the pixel.

    Args:
        runs: finished runs.
        observer: reports progress.
        device: auto, cpu, cuda or cuda:N in the place of each run's own.
        memory_limit: bytes within which a scene of the user's own is read, see `MemoryLimit`.

    Returns:
        "runs", "test", the scores, "probabilities", as a run has them (None where a run gives
        classes alone), "alone", the scores of each run on the same pixels, "left_out", how many
        pixels some runs tested and others did not, "left_out_learnt", how many of these another
        run learnt from, "nearest_learnt", the distance in pixels of the nearest pixel that a run
        learnt from to a scored one (None in other scenes), "inside_windows", the share of scored
        pixels inside the window of a pixel that a run learnt from, "within_one_pixel", that beside
        such a pixel, and "device".

    Raises:
        RunError: a run is unfinished or damaged, its data have changed, or the runs do not have
            the same scene, labels, classes and bands, or no test pixel in common.
    """
    with ExitStack() as stack:
        members = _members(runs, observer, device, memory_limit, stack)
        scored = _tested_by_all(members)
        labels = sorted({label for each in members for label in each.labels_learnt})
        names = [members[0].scene.class_names[label - 1] for label in labels]
        truth = np.searchsorted(labels, members[0].labels.reshape(-1)[scored])
        mean = np.zeros((len(scored), len(labels)), np.float32)
        alone = []
        for member in members:
            rows = _answers(member, scored, labels, observer)
            mean += rows / len(members)
            own = _scores(truth, rows, names)
            overall = {each.name: own[each.name] for each in of_classifiers()}
            alone.append({"run": str(member.run.path), **overall})
        test, judged = _scores(truth, mean, names), None
        if all(each.has_probabilities for member in members for each in member.classifiers):
            found = JudgedProbabilities.of(mean, truth)
            test |= found.scores()
            judged = {"reliability": found.reliability(), "kept": found.kept()}
        return {
            "runs": [str(run.path) for run in runs],
            "test": test,
            "probabilities": judged,
            "alone": alone,
            **_left_out(members, scored),
            **_closeness(members, scored),
            "device": members[-1].config.device,
        }


def _members(
    runs: Sequence[Run],
    observer: Observer,
    device: str | None,
    memory_limit: float | None,
    stack: ExitStack,
) -> list[_Member]:
    """The runs with their scenes, which are read once where they are the same.

    Raises:
        RunError: they cannot answer together.
    """
    own = [validate(ClassificationConfig, run.config, run.path / CONFIG) for run in runs]
    configs = [on_device(config, device or own[0].device) for config in own]
    # It refuses what `hsi predict` does: other classes, other bands, denoised or not.
    ensemble = load_ensemble(
        [run.path for run in runs], torch.device(configs[0].device), _threads(configs[0])
    )
    classifiers = iter(ensemble.classifiers)
    scenes: dict[str, Scene | SceneFile] = {}
    members: list[_Member] = []
    for run, config in zip(runs, configs, strict=True):
        key = _scene_key(config)
        if key not in scenes:
            scenes[key], _ = load_prepared_scene(config, observer, MemoryLimit.of(memory_limit))
            stack.callback(close_scene, scenes[key])
        scene = scenes[key]
        check_data(run, scene)
        assert scene.labels is not None
        models, splits = [], []
        for file in split_files(run):
            models.append(next(classifiers))
            splits.append(load_split(file))
            check_split(file, splits[-1], scene.labels, models[-1])
        members.append(_Member(run, config, scene, tuple(models), tuple(splits)))
        _check_same(members[0], members[-1])
    return members


def _scene_key(config: ClassificationConfig) -> str:
    """Equal for configurations that read a scene alike: of several scenes the gap counts, too."""
    gap = gap_of(config) if config.data.scenes else 0
    return json.dumps([config.data.model_dump(mode="json"), config.preprocess.denoise, gap])


def _check_same(first: _Member, other: _Member) -> None:
    """Refuse a run on another scene, or with other labels, than the first one's."""
    files, others = (sorted(each.scene.checksums.values()) for each in (first, other))
    if files != others:
        found = "was trained on another scene than the first run"
    elif not np.array_equal(first.labels, other.labels):
        found = "has other labels than the first run"
    elif first.scene.class_names != other.scene.class_names:
        found = "has other class names than the first run"
    else:
        return
    raise RunError(
        other.run.path,
        found,
        f"{first.scene.name}, as in {first.run.path}",
        "average runs of one scene",
    )


def _tested_by_all(members: Sequence[_Member]) -> Places:
    """The pixels that all runs tested, by numbers in rising order.

    Raises:
        RunError: there are none.
    """
    common = reduce(np.intersect1d, [member.tested for member in members])
    if not len(common):
        raise RunError(
            members[-1].run.path,
            "has no test pixel in common with all the others",
            "runs that tested the same pixels",
            "train runs with one split: set seeds.split to the same number",
        )
    return common


def _answers(
    member: _Member, scored: Places, labels: Sequence[int], observer: Observer
) -> NDArray[np.float32]:
    """A run's probabilities at the scored pixels, by the model that did not learn from each.

    Returns:
        Pixels × labels; 0 for a class that the run does not know.
    """
    scene, config = member.scene, member.config
    rows = np.zeros((len(scored), len(labels)), np.float32)
    size = (scene.lines, scene.samples)
    where = torch.device(config.device)
    with computing(where, _threads(config), config.deterministic):
        for classifier, split in zip(member.classifiers, member.splits, strict=True):
            mine = np.intersect1d(member.pixels(scored), split.test)
            if not len(mine):
                continue
            wanted = np.zeros(size, bool)
            wanted.reshape(-1)[mine] = True
            columns = np.array([labels.index(label) for label in classifier.header.labels])

            def keep(
                pixels: Places,
                answers: NDArray[np.floating],
                classifier: Classifier = classifier,
                columns: Places = columns,
            ) -> None:
                places = np.searchsorted(scored, member.numbers(pixels))
                rows[np.ix_(places, columns)] = classifier.calibrated(answers)

            classifier.class_map(
                classifier.reduced(PixelSpectra(scene.cube), scene.valid, size),
                wanted,
                batch_size=config.evaluation.batch_size,
                precision=config.evaluation.precision,
                observer=observer,
                judge=keep,
            )
    return rows


def _scores(
    truth: NDArray[np.integer], rows: NDArray[np.float32], names: Sequence[str]
) -> dict[str, Any]:
    """Scores of the most probable classes, as metrics.json has them."""
    return scores(Confusion.of(truth, rows.argmax(1), len(names))).to_dict(names)


def _left_out(members: Sequence[_Member], scored: Places) -> dict[str, int]:
    """How many pixels that some tested do not count, and how many of these another learnt from."""
    tested = reduce(np.union1d, [member.tested for member in members])
    learnt = reduce(np.union1d, [member.learnt for member in members])
    out = np.setdiff1d(tested, scored)
    return {"left_out": len(out), "left_out_learnt": len(np.intersect1d(out, learnt))}


def _closeness(members: Sequence[_Member], scored: Places) -> dict[str, Any]:
    """How near the scored pixels are to what the models that answered for them learnt from."""
    nearest = np.full(len(scored), np.inf)
    inside = np.zeros(len(scored), bool)
    for member in members:
        pixels = member.pixels(scored)
        for classifier, split in zip(member.classifiers, member.splits, strict=True):
            mine = np.isin(pixels, split.test)
            if not mine.any():
                continue
            part = replace(split, test=pixels[mine])
            distances = nearest_training_distance(part, lines_of(member.scene)).astype(float)
            distances[distances == FAR] = np.inf
            nearest[mine] = np.minimum(nearest[mine], distances)
            inside[mine] |= distances <= classifier.header.reach // 2
    least = nearest.min()
    return {
        "nearest_learnt": int(least) if np.isfinite(least) else None,
        "inside_windows": float(inside.mean()),
        "within_one_pixel": float((nearest <= 1).mean()),
    }


def _threads(config: ClassificationConfig) -> int:
    return config.threads or available_threads()
