"""From the keys of a batch to the runs it consists of, and what each run is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

from ...engine.devices import resolve_device
from ...errors import ConfigError
from ...models.network_file import shown_name
from ...schemas.batch import BatchConfig, ResolvedConfig
from ..announcement import source_name
from ..chance import absent, fixed, with_base_seed, with_source
from ..identity import run_identity
from ..machine import available_threads
from ..task import Config
from ..tasks import task_named
from .trainings import configured_trainings

# Apart enough for as many runs as a batch may have.
_NEW_SEEDS = 1_000_000


@dataclass(frozen=True)
class Member:
    """One run of a batch.

    Attributes:
        what: in words, unique in the batch.
        config: everything that defines it.
        seed: its base seed.
        source: what varies in the runs it was added for: all, a source of chance, or numerics.
        varied_seed: the seed that the source is taken from; None where that is `seed`.
    """

    what: str
    config: Config
    seed: int
    source: str = "all"
    varied_seed: int | None = None


@dataclass(frozen=True)
class Cell:
    """One training with everything that is repeated of it.

    Attributes:
        name: in words, unique in the batch.
        config: as configured, with the first base seed; threads and device may be open.
        plain: its runs with the base seeds in turn.
        sources: by source of chance, for each anchor the runs in which it alone varies.
        missing: sources that this training does not have, and why.
        numerics: by thread count or device, the runs of `plain` under it.
    """

    name: str
    config: Config
    plain: Sequence[Member]
    sources: Mapping[str, Sequence[Sequence[Member]]] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    numerics: Mapping[str, Sequence[Member]] = field(default_factory=dict)

    @property
    def members(self) -> Iterator[Member]:
        """Its runs; those that serve several ends come several times."""
        yield from self.plain
        for anchors in self.sources.values():
            for members in anchors:
                yield from members
        for members in self.numerics.values():
            yield from members


@dataclass(frozen=True)
class Design:
    """Everything that a batch carries out.

    Attributes:
        cells: in the order of the batch's keys.
        anchors: base seeds at which all sources but one are held.
        resolved: what was decided for this machine.
    """

    cells: Sequence[Cell]
    anchors: Sequence[int]
    resolved: ResolvedConfig

    @property
    def members(self) -> list[Member]:
        """Every run once, in the order in which they are carried out."""
        unique = {member.what: member for cell in self.cells for member in cell.members}
        return list(unique.values())

    @property
    def spread(self) -> set[str]:
        """The runs, in words, that may compute on any CUDA device: nobody has named a number."""
        return {
            member.what
            for cell in self.cells
            for member in cell.members
            if member.config.device == "cuda"
            or (cell.config.device == "auto" and member.config.device.startswith("cuda"))
        }

    @property
    def identity(self) -> str:
        """Eight digits, the same for any seeds and sources: a batch can grow in its folder."""
        trees: list[dict[str, Any]] = []
        for cell in self.cells:
            tree = cell.config.model_dump(mode="json")
            tree["seeds"].pop("base")
            if tree not in trees:
                trees.append(tree)
        return run_identity({"members": trees}, {})


def expand(config: BatchConfig, beside: Path | None = None) -> Design:
    """The runs of a batch.

    Args:
        config: the batch.
        beside: folder of its file, where configurations of its own may lie.

    Raises:
        ConfigError: a run is not configured right, or a source of chance exists in no training.
    """
    configs = dict(_configurations(config, beside))
    resolved = config.resolved or ResolvedConfig(
        threads=available_threads(), device=str(resolve_device("auto"))
    )
    cells = [_cell(name, each, config, resolved) for name, each in configs.items()]
    for source in config.vary:
        reasons = [cell.missing.get(source) for cell in cells]
        if all(reasons):
            raise ConfigError(f"vary: {source}", reasons[0] or "", "a source that there is")
    return Design(cells, config.base_seeds[: config.anchors], resolved)


def _configurations(config: BatchConfig, beside: Path | None) -> Iterator[tuple[str, Config]]:
    """Each training by a name of its own, with the first base seed."""
    found = configured_trainings(config, beside)
    labels = Counter(label(each) for _, each in found)
    for given, each in found:
        name = label(each)
        yield (name if labels[name] == 1 else f"{name} ({given})"), each


def _cell(name: str, config: Config, batch: BatchConfig, resolved: ResolvedConfig) -> Cell:
    settled = config.model_copy(
        update={
            "threads": config.threads or resolved.threads,
            "device": resolved.device if config.device == "auto" else config.device,
        }
    )
    wanted: list[str] = [source for source in batch.vary if source != "all"]
    for source in wanted:
        if (key := fixed(config, source)) is not None:
            raise ConfigError(f"vary: {source}", f"{key} is set for {name}", f"no {key}")
    new_data = "data" in wanted
    plain = [
        Member(f"{name}, seed {seed}", with_base_seed(settled, seed, new_data=new_data), seed)
        for seed in batch.base_seeds
    ]
    reasons = {source: absent(config, source) for source in wanted}
    missing = {source: why for source, why in reasons.items() if why is not None}
    sources = {
        source: [_varied(name, anchor, source, plain) for anchor in plain[: batch.anchors]]
        for source in wanted
        if source not in missing
    }
    return Cell(name, config, plain, sources, missing, _numerics(name, plain, batch))


def _varied(name: str, anchor: Member, source: str, plain: Sequence[Member]) -> list[Member]:
    """The plain run at an anchor, and as many more as there are, with new seeds for the source.

    Seeds that no other run has, so that anchors and plain runs are independent draws; the same
    ones when a batch grows.
    """
    taken = {other.seed for other in plain}
    place = next(number for number, other in enumerate(plain, 1) if other.seed == anchor.seed)
    new = (seed for seed in count(_NEW_SEEDS * place + 1) if seed not in taken)
    return [
        anchor,
        *(
            Member(
                f"{name}, seed {anchor.seed}, {source} of seed {seed}",
                with_source(anchor.config, source, seed),
                anchor.seed,
                source,
                seed,
            )
            for seed in islice(new, len(plain) - 1)
        ),
    ]


def _numerics(
    name: str, plain: Sequence[Member], batch: BatchConfig
) -> dict[str, Sequence[Member]]:
    runs: dict[str, Sequence[Member]] = {}
    for entry in batch.numerics:
        key = "device" if isinstance(entry, str) else "threads"
        own = getattr(plain[0].config, key)
        if own == entry or (own, entry) == ("cuda:0", "cuda"):
            continue
        words = entry if isinstance(entry, str) else f"{entry} thread{'s' * (entry > 1)}"
        runs[words] = [
            Member(
                f"{name}, seed {member.seed}, {words}",
                member.config.model_copy(update={key: entry}),
                member.seed,
                "numerics",
            )
            for member in plain
        ]
    if batch.numerics and not runs:
        raise ConfigError(
            "numerics", "nothing but what the runs have anyway", "another thread count or device"
        )
    return runs


def label(config: Config) -> str:
    """A training in words, its seeds left out."""
    pair = getattr(config.data, "pair", "")
    kind = getattr(getattr(config, "split", None), "kind", "")
    words = f"{kind} split" if pair else task_named(config.task).variant_words(kind)
    variant = " ".join(filter(None, (pair, words if kind else "")))
    what = f"{shown_name(config.model.name)} on {source_name(config)}"
    return f"{what}, {variant}" if variant else what
