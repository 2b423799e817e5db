"""The keys of a batch: a grid of runs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..config import Section
from .training import Seed

_Names = Annotated[list[str], Field(min_length=1)]
Split = Literal["random", "disjoint"]


def _random_only() -> list[Split]:
    return ["random"]


class BatchConfig(Section):
    """Every combination of data set, model, split and seed.

    Attributes:
        name: how the batch's folder is called; null takes the file's name.
        datasets: registered data sets.
        models: registered models; each starts from its shipped configuration for the data set.
        splits: kinds of split.
        seeds: base seeds, one run each.
        runs: instead of `seeds`: the seeds 0 … runs − 1.
        set: keys that all runs share, over the shipped configurations.
    """

    task: Literal["batch"] = "batch"
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] | None = None
    datasets: _Names
    models: _Names = Field(default_factory=lambda: ["hybridsn"])
    splits: Annotated[list[Split], Field(min_length=1)] = Field(default_factory=_random_only)
    seeds: Annotated[list[Seed], Field(min_length=1)] | None = None
    runs: Annotated[int, Field(ge=1, le=100_000)] | None = None
    set: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _seeds_or_runs(self) -> BatchConfig:
        if (self.seeds is None) == (self.runs is None):
            raise ValueError("either seeds (a list) or runs (a number)")
        for name in ("datasets", "models", "splits", "seeds"):
            values = getattr(self, name) or []
            if len(set(values)) < len(values):
                raise ValueError(f"no value twice in {name}")
        return self

    @model_validator(mode="after")
    def _grid_alone_decides(self) -> BatchConfig:
        for section, key in (
            ("data", "dataset"),
            ("model", "name"),
            ("split", "kind"),
            ("seeds", "base"),
        ):
            inside = self.set.get(section, {})
            if not isinstance(inside, dict):
                raise ValueError(f"a mapping of keys in set.{section}")
            if key in inside:
                raise ValueError(f"no set.{section}.{key}: the batch itself decides that")
        return self

    @property
    def base_seeds(self) -> list[int]:
        """The base seed of each repetition."""
        return self.seeds if self.seeds is not None else list(range(self.runs or 0))
