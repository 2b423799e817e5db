"""Keys of a configuration that nothing reads, by what another key beside them says.

Those that stand in files are let be: a file may say `extends` and change the kind, and one that a
run has written holds every key. Who names such a key in a command means something by it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from .config import apply_settings, section_of
from .errors import ConfigError, Note


@dataclass(frozen=True)
class ReadWith:
    """Marks a key in its annotation: it is read where another key beside it has such a value.

    Attributes:
        key: the other key of the same section.
        values: that it has one of; none: any but null.
        by_model: whether the configuration that ships with a model says the other key. Several
            models often get the same settings: where they leave that key alone, it is only said.
    """

    key: str
    values: tuple[str, ...] = ()
    by_model: bool = False

    def fits(self, value: object) -> bool:
        """Whether the key is read beside this value of the other."""
        return value in self.values if self.values else value is not None

    def wanted(self, above: str) -> str:
        """What the other key should say, in words."""
        other = f"{above}{self.key}"
        return f"{other}={' or '.join(self.values)}" if self.values else f"{other} beside it"


def read_with(schema: type[BaseModel], key: str) -> ReadWith | None:
    """The mark of a key of a section; None of one that is always read."""
    marks = (each for each in schema.model_fields[key].metadata if isinstance(each, ReadWith))
    return next(marks, None)


def refuse_unread_settings(config: BaseModel, settings: Sequence[str]) -> None:
    """Refuse settings of a configuration whose keys nothing reads.

    Args:
        config: with them.
        settings: "a.b=c" texts, as of `--set`.

    Raises:
        ConfigError: the first such key.

    Warns:
        Note: a key that only the configuration of this model leaves unread.
    """
    if settings:
        refuse_unread(type(config), config.model_dump(), apply_settings({}, settings))


def refuse_unread(
    schema: type[BaseModel], given: Mapping[str, Any], named: Mapping[str, Any], above: str = ""
) -> None:
    """Refuse keys that a command names and nothing reads.

    Args:
        schema: of the configuration, or of a section of it.
        given: the whole tree of it.
        named: what of it the command has named; null leaves a key as it is.
        above: the keys above the section, each with a dot behind it.

    Raises:
        ConfigError: the first such key.
    """
    for key, value in named.items():
        field = schema.model_fields.get(key)
        if field is None or value is None:
            continue
        inner, section = section_of(field.annotation), given.get(key)
        if inner is not None and isinstance(value, Mapping) and isinstance(section, Mapping):
            refuse_unread(inner, section, value, f"{above}{key}.")
        mark = read_with(schema, key)
        if mark is None:
            continue
        beside = given.get(mark.key, _default(schema, mark.key))
        if mark.fits(beside):
            continue
        place, wanted = f"{above}{key}", mark.wanted(above)
        found = f"{value!r} with {above}{mark.key}={'null' if beside is None else beside}"
        if mark.by_model and mark.key not in named:
            text = f"{place}: {found}, and nothing reads it there, unlike with {wanted}"
            warnings.warn(text, Note, stacklevel=3)
            continue
        raise ConfigError(place, found, wanted, "leave it out: nothing reads it there")


def _default(schema: type[BaseModel], key: str) -> object:
    default = schema.model_fields[key].default
    return None if default is PydanticUndefined else default
