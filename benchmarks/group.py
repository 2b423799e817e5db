"""What a group of benchmarks is. A new one is a file with a `GROUP`, and its name in `NAMES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

from numpy.typing import NDArray

from .workload import Workload

#: The modules with groups, in the order of the report.
NAMES = (
    "start_up",
    "classification",
    "layer_costs",
    "denoising",
    "retrieval",
    "pixel_ways",
    "sweeps",
)

Say = Callable[[str], None]
Table = dict[str, Any]


@dataclass(frozen=True)
class Timing:
    """One round of one side.

    Attributes:
        seconds: scaled to the whole epoch, scene or photograph.
        timed: what was really timed, in seconds.
        pixels: pixels that were timed.
        whole: pixels of the whole.
        operations: floating-point operations of the network in what was timed; a backward pass is
            taken for two forward passes.
        figures: further results by name, for JSON.
        output: what came out, to be compared with that of other sides: whole numbers are labels,
            negative where there are none. None where there is nothing to compare.
    """

    seconds: float
    timed: float
    pixels: int
    whole: int
    operations: float
    figures: Mapping[str, Any] = field(default_factory=dict)
    output: NDArray[Any] | None = None


class Work(Protocol):
    """The timed work of a side."""

    def __call__(self, *, brief: bool) -> Timing:
        """Do it once; when asked to be brief, as little as warms everything up."""
        ...


#: Prepares once, from the workload and further settings, and returns the work.
Job = Callable[[Workload, Sequence[str]], Work]


@dataclass(frozen=True)
class Group:
    """Benchmarks that belong together.

    Attributes:
        title: heading in the report.
        parts: each measures one table of it: a comparison (see `interleaving.compare`), or
            `title`, `note`, `head` and `rows`.
        jobs: what its sides may name as `module:job`.
        full_only: left out of the short run.
        memory: bytes that have to be free.
    """

    title: str
    parts: tuple[Callable[[Workload, Say], Table], ...]
    jobs: Mapping[str, Job] = field(default_factory=dict)
    full_only: bool = False
    memory: float = 1e9


def load_group(name: str) -> Group:
    """The group of a module."""
    group = import_module(f"{__package__}.{name}").GROUP
    assert isinstance(group, Group)
    return group


def find_job(reference: str) -> Job:
    """The job that `module:job` names; only that module is imported."""
    module, _, name = reference.partition(":")
    return load_group(module).jobs[name]


def job_table(*jobs: Job) -> dict[str, Job]:
    """Jobs by their function's name."""
    return {job.__name__: job for job in jobs}
