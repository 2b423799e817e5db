"""The shipped configurations with what their files say of themselves, and every key."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from markdown_text import code, escaped, table
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import hsi_suite.configs
from hsi_suite.config import config_names, section_of
from hsi_suite.runs.tasks import task_named, task_names
from hsi_suite.schemas.batch import BatchConfig
from hsi_suite.unread_keys import ReadWith

_FOLDER = Path(next(iter(hsi_suite.configs.__path__)))
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n        .*)*)", re.MULTILINE)


def configurations() -> str:
    """A table of names and the comment at the head of each file, or what it changes."""
    files = {name: _FOLDER / f"{name}.yaml" for name in config_names()}
    rows = [(code(name), escaped(head_of(path)) or _changes(path)) for name, path in files.items()]
    return table(("`--config`", "what its file says"), rows)


def head_of(path: Path) -> str:
    """The comment that a file begins with; empty where it begins with a key."""
    lines = path.read_text("utf-8").splitlines()
    end = next((place for place, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return " ".join(line.lstrip("# ") for line in lines[:end])


def _changes(path: Path) -> str:
    """What a file without words of its own sets."""
    tree = yaml.safe_load(path.read_text("utf-8"))
    base = tree.pop("extends", None)
    settings = ", ".join(code(f"{key}={value}") for key, value in _settings(tree))
    return f"{code(base)} with {settings}" if base else settings


def _settings(tree: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _settings(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def schemas() -> dict[str, type[BaseModel]]:
    """What configurations are checked against, by the title of its section."""
    return {
        **{f"Task {name}": task_named(name).schema for name in task_names()},
        "Batches": BatchConfig,
    }


def keys() -> str:
    """Every key of every kind of configuration: what it means, and its default."""
    return "\n".join(f"## {title}\n\n{_section(schema)}" for title, schema in schemas().items())


def _section(schema: type[BaseModel]) -> str:
    return "\n".join(
        f"`{key}`{_default(field)}\n: {escaped(said) or '–'}{_read(key, field)}\n"
        for key, field, said in every_key(schema)
    )


def every_key(schema: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo, str]]:
    """Every key with dots between its levels, its field, and what its section's docstring says."""
    said = {"task": "what the file is of."} | attributes_of(schema)
    for name, field in schema.model_fields.items():
        inner = section_of(field.annotation)
        if inner is None:
            yield f"{above}{name}", field, said.get(name, "")
        else:
            yield from every_key(inner, f"{above}{name}.")


def attributes_of(schema: type[BaseModel]) -> dict[str, str]:
    """What the docstrings of a section and of those it extends say of its keys."""
    return {
        name: " ".join(said.split())
        for each in reversed(schema.__mro__)
        if issubclass(each, BaseModel) and each.__doc__
        for name, said in _ATTRIBUTE.findall(inspect.cleandoc(each.__doc__))
    }


def _read(key: str, field: FieldInfo) -> str:
    """Beside which values of another key it is read, where it is not always."""
    above = key.rpartition(".")[0]
    marks = [mark for mark in field.metadata if isinstance(mark, ReadWith)]
    return "".join(f" Read with {code(mark.wanted(f'{above}.'))} alone." for mark in marks)


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return ", to be given"
    if value is None:
        return " = `null`"
    return f" = `{str(value).lower() if isinstance(value, bool) else value}`"
