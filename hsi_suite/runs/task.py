"""A task as one object: all that commands ask of classification, denoising or retrieval."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from ..errors import RunError
from ..schemas.run_metrics import RunMetrics
from ..schemas.training import MachineConfig
from .folder import MODEL, REPORT, Run

if TYPE_CHECKING:
    from ..engine.distributed import Team
    from ..engine.observer import Observer
    from ..engine.trainer import Trainer
    from ..reports.document import Block, Document
    from ..reports.paper.figure import PaperFigure
    from .pages import PageFacts

Metrics = Mapping[str, Any]
"""The content of metrics.json."""
Scores = dict[str, float | None]
Config = Any
"""A task's configuration: a `MachineConfig` with sections of the task's own."""


@dataclass(frozen=True)
class Job:
    """A training that is ready to begin: its data are loaded, its network is built.

    Attributes:
        config: of the run, with nothing left open.
        names: data set, model and variant, the parts of the folder's name.
        checksums: SHA-256 of the data, by file name.
        opening: what the log begins with: what is trained on what, and what to know of it.
        work: does the work in the run's folder and writes the results, metrics.json last.
        assist: what further processes do of the work; writes nothing.
        trainer: what trains the network in the run's folder, for trainings that are carried out
            together: the loss of its task is a function of model and batch, a tuple of tensors, and
            of the configuration but for the seeds. None where there is no such trainer.
    """

    config: Config
    names: tuple[str, str, str]
    checksums: Mapping[str, str]
    opening: Sequence[str]
    work: Callable[[Run, Observer], None]
    assist: Callable[[Run], object]
    trainer: Callable[[Run, Observer], Trainer] | None = None


class Recipe(Protocol):
    """The functions of a module that is a task's recipe, from a configuration to scores.

    Ours stand in `pipelines/`.
    """

    def resolve(self, config: Config) -> Config:
        """A configuration with everything filled in that depends on machine or other keys."""

    def prepare(
        self, config: Config, observer: Observer, team: Team, memory_limit: float | None
    ) -> AbstractContextManager[Job]:
        """Load what a resolved configuration names, and build what is to be trained.

        Raises:
            HsiSuiteError: of any kind; nothing has been written.
        """

    def evaluate(
        self,
        run: Run,
        observer: Observer,
        device: str | None,
        memory_limit: float | None,
        *,
        dropout_at_test: bool,
    ) -> dict[str, Any]:
        """A finished run's scores, computed again from its saved model.

        Args:
            run: the run.
            observer: reports progress.
            device: in the place of the run's own; None keeps that.
            memory_limit: bytes, where the task keeps within a limit.
            dropout_at_test: also with dropout left on, where the task can show that.

        Returns:
            "run", "task", the part named by `Task.scored`, "stored" (as metrics.json has it),
            "equal" and "device", where they were computed.

        Raises:
            RunError: the run is unfinished or damaged, or its data have changed.
        """


class Task(Protocol):
    """What a task adds to the machinery that every run shares.

    Attributes:
        name: the value of the key `task` in its configurations.
        schema: of its configurations.
        metrics_schema: of what its runs write into metrics.json.
        recipe: the module with the functions of `Recipe`; a task that has the methods does without.
        datasets: names of data sets that mean this task where no configuration is named.
        stand_in: the data set that stands for the user's where a configuration is shown that names
            none.
        by_content: keys whose files count by their checksums, not by name, in a run's identity,
            beside those of every task.
        splits: kinds of split that a batch can ask of its data sets; empty where they are divided
            already.
        limits_memory: whether its trainings keep within a limit of memory.
        trains_together: whether its jobs have a `trainer`, so that several seeds can be trained at
            once.
        shows_dropout: whether an evaluation can leave dropout on, to show what that does.
        memory_keys: what a user lowers where a training does not fit into memory.
        scored: the part whose scores count: "test", or "validation" where there is no other.
        maps: whether its runs leave a map of classes, each in a colour of its own.
        products: what of a run's folder is named when it is finished, as (word, file).
    """

    name: str
    schema: type[MachineConfig]
    metrics_schema: type[RunMetrics] = RunMetrics
    recipe: str
    datasets: Collection[str]
    limits_memory: bool
    stand_in: str | None = None
    by_content: Collection[tuple[str, ...]] = ()
    splits: Sequence[str] = ()
    trains_together: bool = False
    shows_dropout: bool = False
    memory_keys: str = "train.batch_size"
    scored: str = "test"
    maps: bool = False
    products: Sequence[tuple[str, str]] = (("model", MODEL), ("report", REPORT))

    def configure(
        self, config: str | None, options: Mapping[str, Any], settings: Sequence[str]
    ) -> Config:
        """The configuration that options describe; a function of the recipe unless overridden.

        A command says what it is about to do once it has this. Where torch is not needed for it,
        as for the tasks of this package, a method that does without the recipe answers at once.

        Args:
            config: name or path of the one it begins with; None for the task's own choice.
            options: by name; None leaves a key alone.
            settings: "a.b=c" texts, as of `--set`.

        Raises:
            ConfigError: a key or value is wrong.
        """
        return cast(Any, self._steps).configure(config, options, settings)

    def resolve(self, config: Config) -> Config:
        """See `Recipe`."""
        return self._steps.resolve(config)

    def prepare(
        self, config: Config, observer: Observer, team: Team, memory_limit: float | None
    ) -> AbstractContextManager[Job]:
        """See `Recipe`."""
        return self._steps.prepare(config, observer, team, memory_limit)

    def evaluate(
        self,
        run: Run,
        observer: Observer,
        device: str | None,
        memory_limit: float | None,
        *,
        dropout_at_test: bool,
    ) -> dict[str, Any]:
        """See `Recipe`."""
        return self._steps.evaluate(
            run, observer, device, memory_limit, dropout_at_test=dropout_at_test
        )

    def evaluate_together(
        self,
        runs: Sequence[Run],
        observer: Observer,
        device: str | None,
        memory_limit: float | None,
    ) -> dict[str, Any]:
        """The scores of several runs that answer together, on what all of them tested.

        Args:
            runs: finished ones of this task, all different.
            observer: reports progress.
            device: in the place of the runs' own; None keeps that.
            memory_limit: bytes, where the task keeps within a limit.

        Returns:
            "runs", the part named by `scored`, "alone" (the overall scores of each run on the same
            items), "left_out" (how many items some runs tested and others did not), "device" and
            what else the task says of it.

        Raises:
            RunError: answers of this task are not averaged, a run is unfinished or damaged, or
                the runs cannot answer together.
        """
        raise RunError(
            runs[0].path,
            f"is a run of {self.name}, given with {len(runs) - 1} more",
            "several runs of classifiers, whose probabilities are averaged",
            "give one run at a time",
        )

    @property
    def _steps(self) -> Recipe:
        return cast(Recipe, import_module(self.recipe))

    def absent_source(self, config: Config, source: str) -> str | None:
        """Why a training has no such source of chance (a stream of `seeds`, or "data").

        None where it has, or nobody knows before it begins.
        """

    def summary(self, metrics: Metrics) -> Sequence[Block]:
        """What the terminal shows of a finished run."""

    def compared(self, result: Mapping[str, Any]) -> list[str]:
        """Lines of what `evaluate` returned, beside the stored scores."""
        now, stored = (_flattened(result[part]) for part in (self.scored, "stored"))
        return [
            f"{name:32} {_number(now[name])}   stored {_number(stored.get(name))}" for name in now
        ]

    def told_together(self, result: Mapping[str, Any]) -> list[str]:
        """Lines of what `evaluate_together` returned."""
        return [f"{k:32} {_number(v)}" for k, v in _flattened(result[self.scored]).items()]

    def page(self, facts: PageFacts) -> Document:
        """The report of a run: its verdict in a section without title, then all else.

        How to do the run again is added to it.

        Raises:
            RunError: a picture in the run's folder is damaged.
        """

    def figures(self, facts: PageFacts, observer: Observer) -> list[PaperFigure]:
        """The figures of a finished run, each to become a file: those of its page, and others.

        Args:
            facts: of the run.
            observer: reports what is read for them.

        Raises:
            HsiSuiteError: data that they need are not there, or have changed.
        """
        from ..reports.paper.collected import document_figures

        return document_figures(self.page(facts))

    def published(self, run: Run) -> Sequence[Metrics] | None:
        """Scores from the literature of a run's data and protocol, as fractions.

        Each with "method", "setting" and "source", and metrics by name, with NAME_std; None where
        the task knows no literature at all.
        """
        return None

    def variant(self, metrics: Metrics) -> str:
        """What a run differs by from runs of the same model on the same data: its split."""
        kind: str = metrics.get("split", {}).get("kind", "")
        return kind

    def variant_words(self, variant: str) -> str:
        """A variant as it stands in a sentence: "random split"."""
        return f"{variant} split" if variant else ""

    def random_split(self, variant: str) -> bool:
        """Whether what is scored lies among what was learnt from, so place may give it away."""
        return False

    def scores(self, metrics: Metrics) -> Scores:
        """The scores of the scored part as one flat row: numbers, their keys joined by "/"."""
        return _flattened(metrics[self.scored])

    def baseline_scores(self, metrics: Metrics) -> dict[str, Scores]:
        """Those of the baselines, by their names."""
        return {name: _flattened(row) for name, row in sorted(metrics.get("baselines", {}).items())}

    def headline(self, metrics: Metrics) -> list[str]:
        """The names of the scores that are reported first, the most important one at the front."""
        return list(self.scores(metrics))[:3]

    def seen_images(self, run: Run) -> tuple[int, int] | None:
        """Channels and side of the square that a run's network classifies.

        None where a network of this task, or this one, sees something else.
        """
        return None

    def part_sizes(self, metrics: Metrics) -> tuple[Any, Any]:
        """Items that were learnt from and scored on, as metrics.json has them."""
        split = metrics.get("split", {})
        return split.get("train"), split.get("test")


def _flattened(tree: Metrics, above: str = "") -> Scores:
    flat: Scores = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flattened(value, f"{above}{key}/")
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            flat[f"{above}{key}"] = value
    return flat


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.6g}"
