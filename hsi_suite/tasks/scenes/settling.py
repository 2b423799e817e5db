"""What has to be settled before a model is trained: how, or which one it is."""

from __future__ import annotations

from pathlib import Path

from ...engine.distributed import Team
from ...engine.observer import Observer
from ...schemas.classification import ClassificationConfig
from .calibrating import check_calibration
from .choosing import Choice, check_choice, choose, chosen_alone
from .classifier import Classifier
from .fitting import plan, untrained
from .preparation import Prepared, with_guard, with_window
from .training_memory import MemoryLimit


def settled(
    config: ClassificationConfig, prepared: Prepared, team: Team, memory: MemoryLimit
) -> tuple[ClassificationConfig, Classifier | None]:
    """A configuration with its guard and strategy, and its model before training.

    The model is None where it is yet to be chosen. What cannot be is refused here, before there
    is a folder.

    Raises:
        ConfigError: see `check_calibration`, `untrained`, `plan`, `check_choice`.
    """
    if prepared.guards is not None:
        config = with_guard(config, prepared.guards)
    if config.auto is not None:
        chosen_alone(team)
        check_choice(config, prepared, memory)
        return config, None
    largest = prepared.largest
    check_calibration(config, largest)
    classifier = untrained(config, largest)
    planned = plan(classifier, config, largest, team.size)
    dense, trained = planned.dense_from is not None, len(largest.split.train)
    memory.check_training(classifier, config, prepared.scene, trained, dense)
    train = config.train.model_copy(update={"strategy": planned.strategy})
    return config.model_copy(update={"train": train}), classifier


def chosen(
    config: ClassificationConfig, prepared: Prepared, observer: Observer, record: Path
) -> tuple[ClassificationConfig, Prepared, Choice | None]:
    """What is trained: what was asked for, or the candidate that is chosen now.

    Args:
        config: of the run.
        prepared: scene and split.
        observer: reports progress.
        record: see `choose`.
    """
    if config.auto is None:
        return config, prepared, None
    choice = choose(config, prepared, observer, record)
    return choice.config, with_window(choice.prepared, choice.config), choice
