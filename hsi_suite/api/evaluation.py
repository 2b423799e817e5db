"""What an evaluation found, as an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..metrics.measures import measure
from ..runs.folder import open_run
from ..runs.tasks import task_named
from ..shown import Rows, Shown


@dataclass(frozen=True, repr=False)
class Evaluation(Shown):
    """A run's figures, computed again.

    Attributes:
        run: its folder.
        task: what it was trained for.
        scores: the figures of the test part, of a denoiser of the validation, as in metrics.json.
        stored: the same as metrics.json has them.
        equal: whether they are equal to the last digit.
        moved: the run's device and this one, where they differ; None where they do not.
        dropout_at_test: what leaving dropout on does, by figure; None where it was not asked for.
        unverified: files of the data that nobody vouches for.
    """

    run: Path
    task: str
    scores: Mapping[str, Any]
    stored: Mapping[str, Any]
    equal: bool
    moved: tuple[str, str] | None
    dropout_at_test: Mapping[str, Any] | None
    unverified: tuple[str, ...]

    def shown(self) -> tuple[str, Rows]:
        """The figures that are told first, and whether they are the stored ones."""
        task, metrics = task_named(self.task), open_run(self.run).metrics
        figures = task.scores({**metrics, task.scored: self.scores})
        rows = [
            (measure(name).title, measure(name).with_unit(figures[name]))
            for name in task.headline(metrics)
        ]
        rows += [("unverified", ", ".join(self.unverified))] if self.unverified else []
        said = "equal to the stored figures" if self.equal else "not equal to the stored figures"
        return f"Evaluation of {self.run.name}: {said}", rows


def evaluation_of(found: Mapping[str, Any]) -> Evaluation:
    """From what `runs.evaluation.evaluate` returns."""
    moved = found["moved"]
    return Evaluation(
        run=Path(found["run"]),
        task=found["task"],
        scores=found[task_named(found["task"]).scored],
        stored=found["stored"],
        equal=found["equal"],
        moved=None if moved is None else (moved[0], moved[1]),
        dropout_at_test=found.get("dropout_at_test"),
        unverified=tuple(found.get("unverified", ())),
    )


@dataclass(frozen=True, repr=False)
class JointEvaluation(Shown):
    """Figures of several runs that answer together, on what all of them tested.

    Attributes:
        runs: their folders.
        task: what they were trained for.
        scores: the figures of the mean of their probabilities, as metrics.json has those of a run.
        alone: those over all classes of each run on the same pixels or images, in order.
        left_out: pixels or images that some runs tested and others did not.
        facts: of scenes `left_out_learnt` (pixels left out that another run learnt from),
            `nearest_learnt` (distance in pixels from a scored pixel to the nearest one that a run
            learnt from; None in other scenes), `inside_windows` and `within_one_pixel` (share of
            scored pixels inside the window of such a pixel, and beside one) and `probabilities`,
            as metrics.json has them.
        unverified: files of the data that nobody vouches for.
    """

    runs: tuple[Path, ...]
    task: str
    scores: Mapping[str, Any]
    alone: tuple[Mapping[str, Any], ...]
    left_out: int
    facts: Mapping[str, Any]
    unverified: tuple[str, ...]

    def shown(self) -> tuple[str, Rows]:
        """The figures over all classes, and what counts."""
        rows = [
            (measure(name).title, measure(name).with_unit(self.scores[name]))
            for name in self.alone[0]
        ]
        rows += [("left out", f"{self.left_out:,}, which some of the runs did not test")]
        rows += [("unverified", ", ".join(self.unverified))] if self.unverified else []
        return f"Evaluation of {len(self.runs)} runs together", rows


def joint_evaluation_of(found: Mapping[str, Any]) -> JointEvaluation:
    """From what `runs.evaluation.evaluate_together` returns."""
    facts = (
        "left_out_learnt",
        "nearest_learnt",
        "inside_windows",
        "within_one_pixel",
        "probabilities",
    )
    return JointEvaluation(
        runs=tuple(map(Path, found["runs"])),
        task=found["task"],
        scores=found[task_named(found["task"]).scored],
        alone=tuple({k: v for k, v in row.items() if k != "run"} for row in found["alone"]),
        left_out=found["left_out"],
        facts={name: found[name] for name in facts if name in found},
        unverified=tuple(found.get("unverified", ())),
    )
