"""The keys of a batch: which runs, what varies between them, how they are carried out."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from ..config import Section
from .training import Seed

_Names = Annotated[list[str], Field(min_length=1)]
Split = Literal["random", "disjoint", "polygons", "spatial_folds"]
Source = Literal["all", "split", "init", "order", "dropout", "augment", "data"]
Threads = Annotated[int, Field(ge=1, le=1024)]


def _a_device(value: str) -> str:
    if re.fullmatch(r"cpu|cuda(:\d+)?", value) is None:
        raise ValueError("cpu, cuda or cuda:N")
    return value


def _a_folder(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value) is None:
        raise ValueError("letters, digits, '.', '_' and '-', a letter or digit first")
    return value


Device = Annotated[str, AfterValidator(_a_device)]
Jobs = Annotated[int, Field(ge=1, le=1024)] | Literal["auto"]

MOST_RUNS = 100_000
"""Of one configuration."""

_GRID = (("data", "dataset"), ("model", "name"), ("split", "kind"))


class ResolvedConfig(Section):
    """What was decided by the machine on which the batch was begun.

    hsi writes it, so that any machine and any number of jobs go on with the same.

    Attributes:
        threads: of runs whose configuration names none.
        device: of runs whose configuration says auto.
    """

    threads: Threads
    device: str


class BatchConfig(Section):
    """Every combination of data set, model and split, or every configuration; each with N seeds.

    Attributes:
        name: how the batch's folder is called; null takes the file's name.
        datasets: registered data sets.
        models: registered models; each starts from its shipped configuration for the data set.
        splits: kinds of split.
        configs: instead of `datasets`, `models` and `splits`: configurations of any task, by name
            or file (also one beside the batch's own file).
        seeds: base seeds, one run each.
        runs: instead of `seeds`: the seeds 0 … runs − 1.
        set: keys that all runs share, over the shipped configurations.
        overrides: further keys for those runs that are of a data set, model, kind of split or
            configuration of the batch, by its name; where several fit, in that order.
        vary: sources of chance. `all` is plain repetition, every stream of random numbers from
            the run's own base seed. Each further one is varied alone: its stream comes from as
            many new seeds while all others stay at an anchor. `data` is the seed of a
            synthetic scene, or the noise of a denoiser's training.
        anchors: at how many of the base seeds the other streams are held.
        numerics: every run again with the same seeds, but another number of threads or another
            device.
        dropout_at_test: also classify with dropout left on, a known mistake, and sum up what it
            does to the spread.
        level: coverage of the intervals.
        threads: CPU threads of each run, part of its identity; null takes those of the machine
            where the batch is begun.
        together: seeds of one configuration that are trained at once, by one process, before the
            runs are carried out one by one. It pays where networks are small for their device, and
            changes the last digits; of retrieval and image_classification. Of the plain runs alone,
            not of those of a source or of numerics.
        jobs: runs at a time on this machine; auto: processors divided by threads, of runs on CUDA
            devices one for each device. Such runs are spread over the devices, where they name no
            number (device: auto or cuda).
        retries: how often a run is begun again whose process broke down.
        resolved: written by hsi into the batch.yaml of the batch's folder.
    """

    task: Literal["batch"] = "batch"
    name: Annotated[str, AfterValidator(_a_folder)] | None = None
    datasets: _Names | None = None
    models: _Names | None = None
    splits: Annotated[list[Split], Field(min_length=1)] | None = None
    configs: _Names | None = None
    seeds: Annotated[list[Seed], Field(min_length=1)] | None = None
    runs: Annotated[int, Field(ge=1, le=MOST_RUNS)] | None = None
    set: dict[str, Any] = Field(default_factory=dict)
    overrides: dict[str, dict[str, Any]] = Field(default_factory=dict)
    vary: Annotated[list[Source], Field(min_length=1)] = Field(default=["all"])
    anchors: Annotated[int, Field(ge=1)] = 2
    numerics: list[Threads | Device] = Field(default_factory=list)
    dropout_at_test: bool = False
    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    threads: Threads | None = None
    together: Annotated[int, Field(ge=1, le=1024)] = 1
    jobs: Jobs = 1
    retries: Annotated[int, Field(ge=0, le=100)] = 1
    resolved: ResolvedConfig | None = None

    @model_validator(mode="after")
    def _one_kind_of_list(self) -> BatchConfig:
        grid = {name: getattr(self, name) for name in ("datasets", "models", "splits")}
        named = [name for name, values in grid.items() if values is not None]
        if (self.configs is not None) == bool(named):
            raise ValueError("either datasets (with models and splits) or configs")
        if named and self.datasets is None:
            raise ValueError(f"datasets beside {' and '.join(named)}")
        if (self.seeds is None) == (self.runs is None):
            raise ValueError("one of seeds (a list) and runs (a number)")
        for name in ("datasets", "models", "splits", "configs", "seeds", "vary", "numerics"):
            values = getattr(self, name) or []
            if len(set(values)) < len(values):
                raise ValueError(f"no value twice in {name}")
        return self

    @model_validator(mode="after")
    def _batch_alone_decides(self) -> BatchConfig:
        decided = [("seeds", "base"), *(() if self.configs else _GRID)]
        streams = [("seeds", name) for name in self.vary]
        for where, tree in (("set", self.set), *self.overrides.items()):
            for section, key in (*decided, *streams, ("evaluation", "dropout_at_test")):
                inside = tree.get(section, {})
                if not isinstance(inside, dict):
                    raise ValueError(f"a mapping of keys in {where}.{section}")
                if key in inside:
                    raise ValueError(f"no {where}.{section}.{key}: the batch itself decides that")
            if self.threads is not None and "threads" in tree:
                raise ValueError("threads in one place: the batch's own key, set or overrides")
        return self

    @model_validator(mode="after")
    def _overrides_have_runs(self) -> BatchConfig:
        lists = (self.datasets, self.models, self.splits, self.configs)
        known = {name for names in lists for name in names or ()}
        for name in self.overrides:
            if name not in known:
                raise ValueError(f"overrides of what is in the batch; {name} is not")
        return self

    @model_validator(mode="after")
    def _variation_has_room(self) -> BatchConfig:
        if "all" not in self.vary:
            raise ValueError("all in vary: the shares are shares of its variance")
        if len(self.vary) > 1 and len(self.base_seeds) < max(2, self.anchors):
            raise ValueError(
                f"at least {max(2, self.anchors)} seeds to vary one source at "
                f"{self.anchors} anchors"
            )
        return self

    @property
    def base_seeds(self) -> list[int]:
        """The base seed of each repetition."""
        return self.seeds if self.seeds is not None else list(range(self.runs or 0))
