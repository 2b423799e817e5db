"""Values of options as configurations give them, checked against what a layer says it takes.

What an option is stands in the annotation of its parameter; how large it may be in `LIMITS`, by
its name, which means the same in every block.
"""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from .errors import ConfigError
from .printable import shortened
from .registry import did_you_mean


@dataclass(frozen=True)
class Limits:
    """The least and the greatest value of a number.

    Attributes:
        least: may be taken, unless `above`.
        most: may be taken, unless `below`.
        above: whether the number has to be above the least.
        below: whether it has to be below the most.
    """

    least: float
    most: float
    above: bool = False
    below: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number lies between them."""
        enough = value > self.least if self.above else value >= self.least
        return enough and (value < self.most if self.below else value <= self.most)

    def words(self, kind: type) -> str:
        """The two as they stand in a message, for whole numbers (int) or others (float)."""
        if self.above and kind is int:
            return f"{self.least + 1:.0f} to {self.most:.0f}"
        if self.above:
            return f"above {self.least:g} and at most {self.most:g}"
        return f"{self.least:g} to {'below ' if self.below else ''}{self.most:g}"


_CHANNELS = Limits(1, 65536)
_SHARE = Limits(0, 1, above=True)
LIMITS: Mapping[str, Limits] = {
    "kernel_size": Limits(1, 1023),
    "stride": Limits(1, 255),
    "dilation": Limits(1, 255),
    "groups": _CHANNELS,
    "first_groups": _CHANNELS,
    "width": _CHANNELS,
    "inner": _CHANNELS,
    # Of a module with a stride some branches have none.
    "widths": Limits(0, _CHANNELS.most),
    "convolutions": Limits(1, 2),
    "expansion": Limits(0, 64, above=True),
    "scale": _SHARE,
    "reduction": Limits(1, 1024),
    "minimum": Limits(1, 1024),
    "eps": _SHARE,
    "momentum": _SHARE,
    "size": Limits(1, 1023),
    "alpha": Limits(0, 1000),
    "beta": Limits(0, 100),
    "k": Limits(0, 1000, above=True),
    "negative_slope": Limits(0, 1),
}
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
# What is no option: where a layer stands settles it. In place, an activation would change what a
# shortcut adds.
SETTLED: Collection[str] = ("self", "in_channels", "out_channels", "channels", "dim", "inplace")
# Words that a layer of torch takes and looks at when it computes.
_WORDS: Mapping[str, Collection[str]] = {"approximate": ("none", "tanh")}


def check_values(
    subject: str,
    factory: Callable[..., Any],
    options: Mapping[str, Any],
    limits: Mapping[str, Limits] = LIMITS,
    settled: Collection[str] = SETTLED,
) -> None:
    """Refuse unknown options, and values that an option cannot have, whatever the channels.

    Of layers within layers only what they are is looked at, not their own options.

    Args:
        subject: what the options are of, for messages: "model.options.block".
        factory: that they are for: a function or class of ours or torch's.
        options: by name.
        limits: of numbers, by the names of options.
        settled: parameters of the factory that are no options.

    Raises:
        ConfigError: an unknown option, a value of another type, or out of its limits.
    """
    hints = {name: hint for name, hint in hints_of(factory).items() if name not in settled}
    check_hinted(subject, hints, options, limits)


def check_hinted(
    subject: str,
    hints: Mapping[str, Any],
    options: Mapping[str, Any],
    limits: Mapping[str, Limits] = LIMITS,
) -> None:
    """The same for what takes options of some types, by their names.

    Raises:
        ConfigError: as of `check_values`.
    """
    for name, value in options.items():
        if name not in hints:
            known = f"one of {', '.join(hints)}" if hints else "no options"
            hint = did_you_mean(str(name), hints, most=1)
            raise ConfigError(f"{subject}.{name}", "unknown option", known, hint)
        check_value(f"{subject}.{name}", value, hints[name], limits.get(name))
        if name in _WORDS and value not in _WORDS[name]:
            raise ConfigError(f"{subject}.{name}", _shown(value), " or ".join(_WORDS[name]))


def check_value(subject: str, value: Any, hint: Any, limits: Limits | None = None) -> None:
    """Refuse a value that is not of a type or not within limits; unknown types take everything.

    Raises:
        ConfigError: it is not.
    """
    if not _fits(value, hint, limits):
        raise ConfigError(subject, _shown(value), _words(hint, limits))


def is_choice(hint: Any) -> bool:
    """Whether an annotation is that of a layer within a layer: a name, options, a factory."""
    parts = _parts(hint)
    mapped = any(typing.get_origin(part) is Mapping or part is Mapping for part in parts)
    return mapped and str in parts


@cache
def hints_of(factory: Callable[..., Any]) -> Mapping[str, Any]:
    """Types of the options; of what takes `**style: Unpack[Style]` those of its keys too."""
    while isinstance(factory, partial):
        factory = factory.func
    made: Any = factory.__init__ if inspect.isclass(factory) else factory
    hints = typing.get_type_hints(made) if inspect.isroutine(made) else {}
    found: dict[str, Any] = {}
    for name, parameter in inspect.signature(made).parameters.items():
        hint = hints.get(name, parameter.annotation)
        if parameter.kind is parameter.VAR_KEYWORD and typing.get_origin(hint) is typing.Unpack:
            found |= typing.get_type_hints(typing.get_args(hint)[0])
        elif parameter.kind in _NAMED:
            found[name] = hint
    return {name: _plain(hint) for name, hint in found.items()}


def _plain(hint: Any) -> Any:
    """A type without the marks of keys that must be there."""
    if typing.get_origin(hint) in (typing.Required, typing.NotRequired):
        return typing.get_args(hint)[0]
    return hint


def _parts(hint: Any) -> tuple[Any, ...]:
    joined = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if joined else (hint,)


def _fits(value: Any, hint: Any, limits: Limits | None) -> bool:
    return any(_fits_one(value, part, limits) for part in _parts(hint))


def _fits_one(value: Any, hint: Any, limits: Limits | None) -> bool:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is type(None) or hint is None:
        return value is None
    if hint is bool or hint is str:
        return isinstance(value, hint)
    if hint is int or hint is float:
        return _is_number(value, hint) and (limits is None or limits.holds(value))
    if origin is typing.Literal:
        return any(type(value) is type(part) and value == part for part in parts)
    if origin in (tuple, Sequence):
        if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
            return False
        kinds = parts if _has_length(hint) else parts[:1] * len(value)
        return len(kinds) == len(value) and all(map(_fits, value, kinds, [limits] * len(value)))
    if origin is Mapping or hint is Mapping:
        return isinstance(value, Mapping)
    if origin is Callable or hint is Callable:
        return callable(value)
    return True


def _has_length(hint: Any) -> bool:
    """Whether an annotation of several values says how many."""
    return typing.get_origin(hint) is tuple and typing.get_args(hint)[-1] is not Ellipsis


def _is_number(value: Any, kind: type) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) if kind is int else math.isfinite(value)


def _words(hint: Any, limits: Limits | None) -> str:
    words = []
    for part in _parts(hint):
        origin, inner = typing.get_origin(part), typing.get_args(part)
        if part is bool:
            words.append("true or false")
        elif part is str:
            words.append("a name" if is_choice(hint) else "a text")
        elif part is int:
            words.append(f"a whole number{_bounds(limits, int)}")
        elif part is float:
            words.append(f"a number{_bounds(limits, float)}")
        elif origin is typing.Literal:
            words.append(" or ".join(map(str, inner)))
        elif origin in (tuple, Sequence):
            many = f"a list of {len(inner)}" if _has_length(part) else "a list of"
            several = f"{many} whole numbers{_bounds(limits, int)}"
            words.append(several if len(_parts(hint)) == 1 else "one for each axis")
        elif origin is Mapping or part is Mapping:
            words.append("options with a key `name`" if is_choice(hint) else "a mapping")
        elif part is type(None):
            words.append("null")
    return " or ".join(dict.fromkeys(words))


def _bounds(limits: Limits | None, kind: type) -> str:
    return "" if limits is None else f", {limits.words(kind)}"


def _shown(value: Any) -> str:
    return shortened(repr(value))
