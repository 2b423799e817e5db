"""A spatial cross-validation from its training to its results."""

from __future__ import annotations

import time

from ...engine.allocation import release_free_blocks
from ...engine.distributed import Team
from ...engine.observer import Observer
from ...runs.folder import Run
from ...schemas.classification import ClassificationConfig
from .fold_training import fit_folds, folded_outcome
from .preparation import Prepared


def work_on_folds(
    run: Run, config: ClassificationConfig, prepared: Prepared, observer: Observer, team: Team
) -> None:
    """Train a model for each fold, score all together and write the results into the run's folder.

    Args:
        run: begun.
        config: of the run.
        prepared: the scene with its folds.
        observer: reports progress.
        team: the processes that share the training.
    """
    started = time.monotonic()
    release_free_blocks()
    trainings = fit_folds(run, config, prepared, observer, team)
    trained = time.monotonic()
    folds = folded_outcome(run, config, prepared, trainings, observer)
    evaluated = time.monotonic()
    # Imported late: a training does without what draws.
    from .results import Costs, Outcome, write_results

    costs = Costs(
        training_seconds=trained - started,
        epoch_seconds=[],
        # Maps, tests and baselines go fold by fold.
        stages={"evaluation_seconds": evaluated - trained},
        candidate_seconds=folds.candidate_seconds,
    )
    write_results(run, config, prepared, Outcome.of_folds(folds), costs, observer)
