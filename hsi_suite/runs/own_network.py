"""A network of the user's own: part of a run's identity; its file is kept in the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..atomic import write_text
from ..errors import RunError
from ..models.network_file import checksum_of, is_network_file, parts_of, portable_name
from ..user_files import read_text
from .folder import Run
from .task import Config


def network_checksums(config: Config) -> dict[str, str]:
    """The checksum of its file or class, by its name; empty for other networks.

    Raises:
        RunError: the file is not there.
    """
    from ..models.program_network import program_checksums

    name = config.model.name
    if not is_network_file(name):
        return program_checksums(name)
    return {f"network {parts_of(name)[0].name}": checksum_of(name)}


def require_network(run: Run) -> None:
    """Refuse a run whose network was a class of a program that is not this one.

    Raises:
        RunError: says how such a run can be opened.
    """
    from ..models.registry import is_model

    model = run.config.get("model")
    name = model.get("name") if isinstance(model, Mapping) else None
    if not isinstance(name, str) or is_network_file(name) or is_model(name):
        return
    networks = run.environment.get("networks")
    if isinstance(networks, Mapping) and f"network {name}" in networks:
        raise RunError(
            run.path,
            f"its network {name} is a class of the program that trained it",
            "a program that registers it first",
            "or train with FILE.py:Class, whose runs any process opens",
        )


def keep_network(run: Run, config: Config) -> None:
    """Keep a copy beside the model, so that the run can be moved."""
    if is_network_file(config.model.name):
        path, _ = parts_of(config.model.name)
        copy = run.path / path.name
        if not copy.exists():
            write_text(copy, read_text(path, "a Python file"))


def copy_network(run: Run, folder: Path) -> None:
    """Take a run's copy into another folder, where it has one."""
    model = run.config.get("model")
    name = model.get("name") if isinstance(model, Mapping) else None
    if is_network_file(name):
        copy = run.path / parts_of(str(name))[0].name
        if copy.is_file():
            write_text(folder / copy.name, read_text(copy, "a Python file"))


def with_kept_network(config: Config, run: Run) -> Config:
    """A run's configuration with its own copy, where the file is not in its old place."""
    require_network(run)
    name = config.model.name
    if not is_network_file(name) or parts_of(name)[0].is_file():
        return config
    copy = run.path / portable_name(name)
    if not parts_of(str(copy))[0].is_file():
        return config
    return config.model_copy(update={"model": config.model.model_copy(update={"name": str(copy)})})
