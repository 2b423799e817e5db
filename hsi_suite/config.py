"""From YAML files and `--set` to frozen, validated configurations.

A configuration is found by name (`classification/hybridsn_indian_pines`) or by path. A file may
say `extends: NAME` and then holds only what differs. Unknown keys are errors that name the
nearest known key.
"""

from __future__ import annotations

import copy
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from .errors import ConfigError
from .guard import reason_of
from .registry import did_you_mean, nearest_names
from .user_files import is_there, read_text

Tree = dict[str, Any]
_LONGEST_CHAIN = 20
_MOST_VALUES = 1_000_000
Config = TypeVar("Config", bound=BaseModel)
# Where pydantic's words are those of programmers.
_WANTED = {
    "model_type": "keys and their values",
    "dict_type": "keys and their values",
    "list_type": "a list",
    "string_type": "text; in quotes, where it looks like a number",
    "int_type": "a whole number, without quotes",
    "int_from_float": "a whole number",
    "float_type": "a number, without quotes",
    "bool_type": "true or false",
    "invalid_key": "a key that is text",
}


class Section(BaseModel):
    """A part of a configuration: frozen, finite, no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _Loader(yaml.SafeLoader):
    """Safe YAML that reads 1e-3 as a number and refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d[\d_]*\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+0123456789."),
)


def parse_yaml(text: str, source: object) -> Any:
    """The value of a YAML text.

    Raises:
        ConfigError: it is not YAML.
    """
    try:
        tree = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{source}, line {mark.line + 1}" if mark else source
        raise ConfigError(where, f"not valid YAML ({error.problem})") from error
    except RecursionError as error:
        raise ConfigError(source, "not valid YAML (nested too deeply)") from error
    except Exception as error:  # PyYAML lets ValueError, TypeError, AttributeError … through
        raise ConfigError(source, f"not valid YAML ({reason_of(error)})") from error
    if _endless(tree):
        raise ConfigError(source, "its aliases stand for more than a configuration can hold")
    return tree


def _endless(tree: Any) -> bool:
    """Whether aliases make a tree that walks would not come to the end of."""
    waiting, seen = [tree], 0
    while waiting:
        value = waiting.pop()
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list):
            waiting.extend(inner)
            seen += len(value)
        if seen > _MOST_VALUES:
            return True
    return False


def config_names() -> list[str]:
    """Names of the configurations that ship with the package, sorted."""
    root = resources.files("hsi_suite.configs")
    return sorted(
        f"{folder.name}/{entry.name.removesuffix('.yaml')}"
        for folder in root.iterdir()
        if folder.is_dir()
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    )


@cache
def _shipped_tree(name: str) -> Any:
    text = (resources.files("hsi_suite.configs") / f"{name}.yaml").read_text("utf-8")
    return parse_yaml(text, name)


def _own_text(name: str) -> str:
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"} and not is_there(path):
        hint = did_you_mean(name, config_names(), "`hsi config list` shows them all")
        raise ConfigError(name, "no configuration of this name", "a shipped name or a file", hint)
    return read_text(path, "a YAML file", kind=ConfigError)


def load_tree(name: str, _above: tuple[str, ...] = ()) -> Tree:
    """The tree of a named or given file, its `extends` chain merged.

    Raises:
        ConfigError: no such configuration, not YAML, not a mapping, or a circle of `extends`.
    """
    if name in _above or len(_above) > _LONGEST_CHAIN:
        raise ConfigError(name, f"extends itself through {' -> '.join(_above)}")
    if name in config_names():
        tree = copy.deepcopy(_shipped_tree(name))
    else:
        tree = parse_yaml(_own_text(name), name)
    if not isinstance(tree, dict):
        raise ConfigError(name, f"holds {_kind(tree)}", "a mapping of keys to values")
    parent = tree.pop("extends", None)
    if parent is None:
        return tree
    if not isinstance(parent, str):
        raise ConfigError(f"{name}: extends", f"{parent!r}", "the name of a configuration")
    if parent not in config_names() and is_there(beside := Path(name).parent / parent):
        parent = str(beside)
    return merge(load_tree(parent, (*_above, name)), tree)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> Tree:
    """`base` with the values of `over` put in, mapping by mapping."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            value = merge(old, value)
        result[key] = value
    return result


def apply_settings(tree: Mapping[str, Any], settings: Iterable[str]) -> Tree:
    """`tree` with settings of the form a.b=c put in; the values are YAML.

    A mapping is merged into what is there; an empty one, a.b={}, clears it.

    Raises:
        ConfigError: a setting has no "=" or no key.
    """
    result = dict(tree)
    for setting in settings:
        key, equals, text = setting.partition("=")
        names = key.strip().split(".")
        if not equals or not all(names):
            raise ConfigError("--set", f"{setting!r}", "key=value with dots between the keys")
        value = parse_yaml(text, f"--set {key}")
        if value == {}:
            result = _put(result, names, None)
        result = _put(result, names, value)
    return result


def _put(tree: Mapping[str, Any], names: list[str], value: Any) -> Tree:
    for name in reversed(names):
        value = {name: value}
    return merge(tree, value)


def validate(schema: type[Config], tree: Mapping[str, Any], source: object) -> Config:
    """`tree` as a validated configuration.

    Raises:
        ConfigError: a key is unknown or missing or a value does not fit; names the first.
    """
    try:
        return schema.model_validate(dict(tree))
    except ValidationError as error:
        raise _first_wrong(schema, error.errors(include_url=False), source) from None


def _first_wrong(
    schema: type[BaseModel], errors: Sequence[ErrorDetails], source: object
) -> ConfigError:
    first = errors[0]
    # A misspelt key is the cause of a missing one: report that first.
    for candidate in errors:
        if candidate["type"] == "extra_forbidden":
            return _unknown_key(schema, candidate["loc"], source)
    place, wanted = first["loc"], _wanted(first)
    if _has_choices(schema, place[:-1]):
        # Its last part is what pydantic calls one of the kinds that the value may be of.
        place = place[:-1]
        alike = [each for each in errors if each["loc"][:-1] == place]
        wanted = " or ".join(dict.fromkeys(map(_wanted, alike)))
    key = ".".join(map(str, place))
    where = f"{source}: {key}" if key else str(source)
    if first["type"] == "missing":
        return ConfigError(where, "is missing", "a value for it")
    together = first["type"] == "value_error" and _is_section(schema, first["loc"])
    found = "the keys do not fit together" if together else repr(first["input"])
    return ConfigError(where, found, wanted, _meant(first))


def _wanted(error: ErrorDetails) -> str:
    """What was expected, in words of this package's."""
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return _WANTED.get(error["type"]) or _length_wanted(error) or message


def _has_choices(schema: type[BaseModel], place: tuple[Any, ...]) -> bool:
    """Whether values at a place may be of several kinds, such as a number or a word."""
    section: type[BaseModel] | None = schema
    annotation: Any = None
    for name in place:
        if isinstance(name, str):
            field = section.model_fields.get(name) if section else None
            annotation = field.annotation if field else None
            section = section_of(annotation)
    return _of_kinds(annotation) > 1


def _of_kinds(annotation: Any) -> int:
    inner = [each for each in typing.get_args(annotation) if each is not type(None)]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType) and len(inner) > 1:
        return len(inner)
    return _of_kinds(inner[0]) if len(inner) == 1 else 1


def _length_wanted(error: ErrorDetails) -> str | None:
    """How many values a list should have; None of other errors."""
    limits = error.get("ctx", {})
    if error["type"] == "too_short":
        return f"a list of at least {limits['min_length']}"
    return f"a list of at most {limits['max_length']}" if error["type"] == "too_long" else None


def _meant(error: ErrorDetails) -> str:
    """The word that was meant, where one of a few was asked for."""
    if error["type"] != "literal_error" or not isinstance(error["input"], str):
        return ""
    return did_you_mean(error["input"], re.findall("'([^']+)'", error["ctx"]["expected"]))


def dump_yaml(config: BaseModel) -> str:
    """A configuration as YAML, every key written out, in the order of the schema."""
    return yaml.safe_dump(
        config.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100
    )


def _unknown_key(schema: type[BaseModel], loc: tuple[Any, ...], source: object) -> ConfigError:
    section = schema
    for name in loc[:-1]:
        field = section.model_fields.get(str(name))
        inner = section_of(field.annotation) if field else None
        if inner is None:
            break
        section = inner
    known = list(section.model_fields)
    name, above = str(loc[-1]), [str(part) for part in loc[:-1]]
    near = [".".join([*above, one]) for one in nearest_names(name, known)]
    if name not in known:
        # The same name in another section is what was meant more often than one alike.
        elsewhere = [key for key in dotted_keys(schema) if key.split(".")[-1] == name]
        near = elsewhere[:3] or near or nearest_names(name, dotted_keys(schema))
    hint = f"did you mean {' or '.join(near)}?" if near else ""
    where = ".".join(str(part) for part in loc)
    return ConfigError(f"{source}: {where}", "unknown key", f"one of {', '.join(known)}", hint)


def _is_section(schema: type[BaseModel], loc: tuple[Any, ...]) -> bool:
    """Whether a place in a configuration holds keys of ours, and no value."""
    section: type[BaseModel] | None = schema
    for name in loc:
        field = section.model_fields.get(str(name)) if section else None
        section = section_of(field.annotation) if field else None
    return section is not None


def dotted_keys(schema: type[BaseModel], above: str = "") -> list[str]:
    """Every key that `--set` can change, with dots between the levels."""
    keys: list[str] = []
    for name, field in schema.model_fields.items():
        inner = section_of(field.annotation)
        place = f"{above}{name}"
        keys += [place] if inner is None else dotted_keys(inner, f"{place}.")
    return keys


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The Section inside an annotation such as `Section | None`; None where there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        found = (section_of(part) for part in typing.get_args(annotation))
        return next((section for section in found if section), None)
    return None


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
