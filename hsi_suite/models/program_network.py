"""Networks that a program registers or hands over: which other processes can have them, and how.

A class is told apart by its source, so that a changed one is not taken for the one of a finished
run. Another process has it where it can import the class's module; that of a program itself
(`__main__`, a notebook) nobody can import.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import CodeType
from typing import Any

from torch import nn

from ..errors import ConfigError
from .registry import entered, is_model, program_class, register

_REMEDY = "put the class into a file of its own and name it FILE.py:{}"


def source_digest(network: type[nn.Module]) -> str:
    """SHA-256 of a class's source; of its compiled methods where a session keeps no source."""
    digest = hashlib.sha256()
    for each in network.__mro__:
        # What others wrote is told by the versions in the run's environment.
        if each.__module__ == network.__module__:
            digest.update(_source(each))
    return digest.hexdigest()


def program_checksums(name: str) -> dict[str, str]:
    """The checksum of a network of this program, by its name; empty for others."""
    network = program_class(name)
    return {} if network is None else {f"network {name}": source_digest(network)}


def program_remarks(name: str) -> list[str]:
    """A line that says what a run of such a network lacks."""
    network = program_class(name)
    if network is None:
        return []
    where = "in this program alone" if _place(network) is None else f"in {network.__module__}"
    return [
        f"the network {name} is a class {where}: other processes open this run only where they "
        f"register it too; for one that stands by itself {_remedy(network)}"
    ]


def order_of(name: str) -> dict[str, str] | None:
    """How a worker gets a network of this program; None for others.

    Raises:
        ConfigError: it cannot.
    """
    network = program_class(name)
    if network is None:
        return None
    place = _place(network)
    if place is None:
        raise ConfigError(
            "model",
            f"{name} is a class of this program alone",
            "a network that the processes of a batch can import",
            _remedy(network),
        )
    return {
        "name": name,
        "module": network.__module__,
        "class": network.__qualname__,
        "path": str(place),
    }


def take_over(order: Mapping[str, Any]) -> None:
    """Import the network that `order_of` describes, and enter it where its module does not."""
    if is_model(order["name"]):
        return
    if order["path"] not in sys.path:
        sys.path.append(order["path"])
    network = getattr(importlib.import_module(order["module"]), order["class"])
    if not is_model(order["name"]) and entered(network) != order["name"]:
        register(order["name"])(network)


def _remedy(network: type[nn.Module]) -> str:
    return _REMEDY.format(network.__name__)


def _place(network: type[nn.Module]) -> Path | None:
    """The folder from which the class's module can be imported; None where it cannot be."""
    module = sys.modules.get(network.__module__)
    file = getattr(module, "__file__", None)
    if network.__module__ == "__main__" or file is None or "." in network.__qualname__:
        return None
    depth = network.__module__.count(".") + (Path(file).stem == "__init__")
    return Path(file).absolute().parents[depth]


def _source(network: type[nn.Module]) -> bytes:
    try:
        return inspect.getsource(network).encode()
    except (OSError, TypeError):
        members = sorted(vars(network).items())
        return b"".join(_method(name, member) for name, member in members)


def _method(name: str, member: Any) -> bytes:
    if not inspect.isfunction(member):
        return b"" if name.startswith("__") else f"{name}={member!r}".encode()
    try:
        return inspect.getsource(member).encode()
    except (OSError, TypeError):
        return name.encode() + _compiled(member.__code__)


def _compiled(code: CodeType) -> bytes:
    inner = [
        _compiled(each) if isinstance(each, CodeType) else repr(each).encode()
        for each in code.co_consts
    ]
    return b"".join([code.co_code, repr(code.co_names).encode(), *inner])
