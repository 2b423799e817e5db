"""A batch ready to be carried out: checked, with its folder's name; nothing is written yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...atomic import temporary_folder, write_text
from ...config import Tree, dump_yaml, load_tree, validate
from ...engine.devices import resolve_device
from ...engine.launched import launched_processes
from ...errors import ConfigError, RunError
from ...models.network_file import shown_name
from ...schemas.batch import MOST_RUNS, BatchConfig
from ..announcement import source_name
from ..precisions import require_precisions
from ..task import Config
from .configuration import batch_config, folder_stem
from .design import Design, expand
from .files import BATCH
from .trainings import own_file

_CONFIGS = "configs"


@dataclass(frozen=True)
class Plan:
    """A batch ready to be carried out.

    Attributes:
        folder: the batch's folder, in full; not made yet.
        config: as the folder's batch.yaml will have it.
        design: its runs.
        copies: configurations that do not ship with the package, by the name of their copy.
    """

    folder: Path
    config: BatchConfig
    design: Design
    copies: Mapping[str, Tree]


def planned(name: str, runs: int | None, output: str | Path) -> Plan:
    """The plan of a named or given configuration.

    Args:
        name: of a shipped configuration, or a file.
        runs: the seeds 0 … runs − 1 instead of those that the configuration names.
        output: where the batch's folder is made.

    Raises:
        ConfigError: the batch or one of its runs is not configured right.
        RunError: torchrun has started several processes.
    """
    return _plan(batch_config(name, runs), Path(name).parent, output)


def planned_repeats(config: Config, runs: int, output: str | Path) -> Plan:
    """The plan of `runs` consecutive base seeds of one configuration.

    Raises:
        ConfigError: there are not so many seeds, or more runs than a batch has.
        RunError: torchrun has started several processes.
    """
    first = config.seeds.base
    if runs > MOST_RUNS:
        raise ConfigError("--runs", f"{runs}", f"at most {MOST_RUNS}")
    if first + runs > 2**63:
        raise ConfigError("--seed", f"{first} with {runs} runs", "seeds below 2^63")
    parts = [source_name(config), shown_name(config.model.name)]
    kind = getattr(getattr(config, "split", None), "kind", None)
    parts += [] if kind is None else [kind]
    stem = folder_stem("_".join(parts))
    batch = BatchConfig(
        name=stem, configs=[f"{_CONFIGS}/{stem}.yaml"], seeds=list(range(first, first + runs))
    )
    with temporary_folder("hsi-batch-") as folder:
        write_text(folder / _CONFIGS / f"{stem}.yaml", dump_yaml(config))
        return _plan(batch, folder, output)


def _plan(config: BatchConfig, beside: Path, output: str | Path) -> Plan:
    if launched_processes() > 1:
        raise RunError(
            "torchrun", f"{launched_processes()} processes", "one", "leave torchrun out: --jobs"
        )
    design = expand(config, beside)
    folder = (Path(output) / f"{config.name}_{design.identity}").absolute()
    if (folder / BATCH).is_file():
        # What was decided when the batch was begun holds for the rest of it.
        begun = validate(BatchConfig, load_tree(str(folder / BATCH)), folder / BATCH).resolved
        design = expand(config.model_copy(update={"resolved": begun}), beside)
    copies, names = {}, []
    for each in config.configs or ():
        path = own_file(each, beside)
        names.append(each if path is None else f"{_CONFIGS}/{path.stem}.yaml")
        if path is not None:
            copies[names[-1]] = load_tree(str(path))
    if len(set(names)) < len(names):
        raise ConfigError("configs", "two files of the same name", "files of different names")
    update = {"configs": names or None, "resolved": design.resolved}
    return Plan(folder, config.model_copy(update=update), design, copies)


def check_devices(plan: Plan) -> None:
    """Refuse devices that this machine lacks, and what devices lack that it has.

    A cluster's workers look for themselves.
    """
    for member in plan.design.members:
        resolve_device(member.config.device)
        require_precisions(member.config)
