"""The trainings that a batch names, configured: known, and refused, without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ...config import config_names
from ...engine.device_names import check_device_name
from ...errors import ConfigError
from ...models.known_names import require_purpose
from ...models.known_options import require_options
from ...schemas.batch import BatchConfig
from ..launch import configure
from ..task import Config
from ..tasks import task_for_data


def configured_trainings(config: BatchConfig, beside: Path | None) -> list[tuple[str, Config]]:
    """Each training with the first base seed, and how the batch calls it.

    Args:
        config: the batch.
        beside: folder of its file, where configurations of its own may lie.

    Raises:
        ConfigError: one of them is not configured right.
        DeviceError: a device has no such name.
    """
    settings = [f"{key}={_inline(value)}" for key, value in config.set.items()]
    settings.append(f"seeds.base={config.base_seeds[0]}")
    if config.threads is not None:
        settings.append(f"threads={config.threads}")
    if config.dropout_at_test:
        settings.append("evaluation.dropout_at_test=true")
    found: list[tuple[str, Config]] = []
    for given, options in _trainings(config, beside):
        own = [
            f"{key}={_inline(value)}"
            for name in (options.get("dataset"), options.get("model"), options.get("split"), given)
            for key, value in config.overrides.get(name or "", {}).items()
        ]
        try:
            each = configure(common=[*settings, *own], **options)
        except ConfigError as error:
            raise _dropout_refused(error) if config.dropout_at_test else error from None
        require_purpose(each.model.name, each.task)
        require_options(each.model.name, each.model.options)
        check_device_name(each.device)
        found.append((given, each))
    return found


def _dropout_refused(error: ConfigError) -> ConfigError:
    subject, _, key = error.subject.rpartition(": ")
    if key not in ("evaluation", "evaluation.dropout_at_test"):
        return error
    return ConfigError("dropout_at_test", f"true, with {subject}", "only classifiers of scenes")


def _trainings(config: BatchConfig, beside: Path | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in config.configs or ():
        path = own_file(name, beside)
        yield (name, {"config": name}) if path is None else (path.stem, {"config": str(path)})
    for dataset in config.datasets or ():
        divided = not task_for_data(dataset).splits
        if divided and config.splits is not None:
            raise ConfigError("splits", f"kinds of split, with {dataset}", "none: it is divided")
        for model in config.models or ["hybridsn"]:
            options = {"dataset": dataset, "model": model}
            if divided:
                yield f"{model} on {dataset}", options
                continue
            for split in config.splits or ["random"]:
                yield f"{model} on {dataset}, {split}", options | {"split": split}


def own_file(name: str, beside: Path | None) -> Path | None:
    """Where a configuration lies that does not ship with the package; None for one that does.

    Args:
        name: as the batch gives it.
        beside: folder of the batch's file.
    """
    if name in config_names():
        return None
    near = None if beside is None else beside / name
    return near if near is not None and near.exists() else Path(name)


def _inline(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1_000_000).removesuffix("...\n")
