"""What is handed to public functions, checked: names first, then types, with an error of ours."""

from __future__ import annotations

import inspect
import os
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from .errors import ConfigError
from .printable import shortened
from .registry import did_you_mean

P = ParamSpec("P")
R = TypeVar("R")

_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "True or False",
    type(None): "None",
    Path: "a path",
    os.PathLike: "a path",
}
# NumPy's scalars are as good as Python's; True is no number.
_KINDS: dict[Any, tuple[type, ...]] = {
    bool: (bool, np.bool_),
    int: (int, np.integer),
    float: (int, float, np.integer, np.floating),
}
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator of a public function: misspelt names and values of wrong types are errors of ours.

    Names are compared with the signature, values with its annotations as far as these are of
    plain types; arrays are left to the function.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        check_types(function, _bound(signature, function.__qualname__, args, kwargs))
        return function(*args, **kwargs)

    return call


def checked_names(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator of an estimator's constructor: names alone, as values are looked at in `fit`."""
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        _bound(signature, function.__qualname__, args, kwargs)
        return function(*args, **kwargs)

    return call


def check_types(function: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """Refuse values that are not of the types that a function's annotations name, and empty texts.

    Raises:
        ConfigError: one is not.
    """
    hints = _hints(inspect.unwrap(function))
    for name, value in values.items():
        if isinstance(value, str) and not value.strip() and name in hints:
            # As a path it would be the folder that one is in.
            raise ConfigError(name, "an empty text", _words(hints[name]))
        if name in hints and not _fits(value, hints[name]):
            found = f"{shortened(repr(value))} ({type(value).__name__})"
            raise ConfigError(name, found, _words(hints[name]))


@cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return typing.get_type_hints(function)


def _bound(
    signature: inspect.Signature, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    name = name.removesuffix(".__init__")
    known = [key for key in signature.parameters if key not in ("self", "cls")]
    takes_any = any(p.kind is _VARIABLE[1] for p in signature.parameters.values())
    for key in kwargs:
        if key not in known and not takes_any:
            hint = did_you_mean(key, known)
            if "settings" in known:
                keys = 'Keys of the configuration go into settings={"section.key": value}'
                hint = f"{hint} {keys}".strip()
            raise ConfigError(
                f"{name}()", f"no parameter {key!r}", f"one of {', '.join(known)}", hint
            )
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise ConfigError(f"{name}()", str(error), f"{name}({', '.join(known)})") from None
    return {
        key: value
        for key, value in bound.arguments.items()
        if signature.parameters[key].kind not in _VARIABLE
    }


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type; types that cannot be looked at here fit everything."""
    if hint is Any:
        return True
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is typing.Literal:
        return any(type(value) is type(part) and value == part for part in parts)
    if origin is type:
        return isinstance(value, type) and issubclass(value, parts[0])
    if origin in (Sequence, list, tuple):
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence | np.ndarray):
            return False
        inner = parts[0] if parts else Any
        return all(_fits(each, inner) for each in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(_fits(key, parts[0]) for key in value)
    if hint is float and isinstance(value, int) and abs(value) > sys.float_info.max:
        return False
    if hint in _KINDS:
        return isinstance(value, _KINDS[hint]) and (hint is bool or not isinstance(value, bool))
    if origin is Callable:
        return callable(value)
    if origin is os.PathLike:
        return isinstance(value, os.PathLike)
    if isinstance(hint, type) and not getattr(hint, "_is_protocol", False):
        return isinstance(value, hint)
    return True


def _words(hint: Any) -> str:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        words = dict.fromkeys(_words(part) for part in parts if part is not type(None))
        return " or ".join([*words, *(["None"] if type(None) in parts else [])])
    if origin is typing.Literal:
        return " or ".join(map(repr, parts))
    if origin in (Sequence, list, tuple):
        return f"a list ({_words(parts[0])} each)" if parts else "a list"
    if origin is Mapping:
        return "a mapping"
    if origin is Callable:
        return "a function"
    if origin is type:
        return f"a class, a kind of {parts[0].__name__}"
    known = _WORDS.get(hint) or _WORDS.get(origin)
    return known or (f"a {hint.__name__}" if isinstance(hint, type) else "an array")
