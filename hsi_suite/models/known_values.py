"""What the options of networks take: types and limits, known without loading any.

`tests/test_known_values.py` holds them against the networks themselves, and the messages against
those of what builds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, Literal

from ..errors import ConfigError
from ..option_values import LIMITS, Limits, check_hinted, check_value
from .known_layers import Choice

OPTION_LIMITS: Mapping[str, Limits] = {
    **dict.fromkeys(("width", "group_width"), Limits(0, 65536, above=True)),
    **dict.fromkeys(("hidden", "embedding", "channels", "groups"), Limits(1, 65536)),
    **dict.fromkeys(("depth", "unshuffle", "reduction", "group"), Limits(1, 1024)),
    "blocks": Limits(0, 1024),
    **dict.fromkeys(("dropout", "auxiliary_dropout"), Limits(0, 1, below=True)),
    "scale": LIMITS["scale"],
}
"""Of numbers that networks take, by the names of options."""

_HINTS: Mapping[str, Any] = {
    **dict.fromkeys(("dropout", "auxiliary_dropout"), float),
    # A factor of all widths; denoisers of one width say it.
    "width": float,
    **dict.fromkeys(("reduction", "group", "groups", "group_width", "depth", "networks"), int),
    **dict.fromkeys(("blocks", "unshuffle", "hidden", "embedding"), int),
    **dict.fromkeys(("auxiliary", "five_by_five", "noise_map", "offset"), bool),
    **dict.fromkeys(("block", "attention", "norm", "activation"), Choice),
    "scale": float | None,
    "stages": Mapping[str, Mapping[str, Any]] | None,
    "channels": Sequence[int],
    **dict.fromkeys(("first_encoder", "second_encoder"), str),
    "gather": Literal["places", "weighted"],
    "stem": Literal["imagenet", "small"],
    "towers": Literal[1, 2],
    "pool_4": Literal[2, 3],
    "auxiliary_pooling": Literal["grid", "cells"],
}

# Networks whose width is a number of channels.
_OF_ONE_WIDTH = ("dncnn", "fdncnn", "ffdnet", "ircnn")
_ONE, _MANY = Limits(1, 65536), Limits(1, 10**9)
# What data settle, and examples and programs say.
_SETTLED: Mapping[str, tuple[Any, Limits]] = {
    **dict.fromkeys(("in_channels", "num_classes", "window"), (int, _ONE)),
    **dict.fromkeys(("first_shape", "second_shape"), (Sequence[int], _MANY)),
}


def require_settled(given: Mapping[str, Any]) -> None:
    """Refuse channels, classes, windows and shapes that no data have.

    Args:
        given: arguments of a network; others among them are passed over.

    Raises:
        ConfigError: a value of another type, or no positive number.
    """
    for key in (key for key in _SETTLED if key in given):
        # NumPy's whole numbers are as good.
        whole = isinstance(given[key], Integral) and not isinstance(given[key], bool)
        check_value(key, int(given[key]) if whole else given[key], *_SETTLED[key])


def option_hints(name: str, options: Sequence[str]) -> dict[str, Any]:
    """The types of options of a network, by their names."""
    whole = {"width": int} if name in _OF_ONE_WIDTH else {}
    return {key: whole.get(key, _HINTS[key]) for key in options}


def require_values(name: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse values that an option of a network cannot have, whatever its other options.

    Args:
        name: of a network of this package.
        given: some of its options.
        known: all of them.

    Raises:
        ConfigError: a value of another type or out of its limits, or a level of nothing.
    """
    check_hinted("model.options", option_hints(name, known), given, OPTION_LIMITS)
    if "channels" in known:
        require_levels(given.get("channels", [1]), given.get("blocks", 1))


def require_levels(channels: Sequence[int], blocks: int) -> None:
    """Refuse levels of a network that have nothing in them.

    Args:
        channels: of each level.
        blocks: of a level.

    Raises:
        ConfigError: there is no level, or none of something.
    """
    if not channels or min(*channels, blocks) < 1:
        raise ConfigError("model.options", "an empty level", "widths and counts of at least 1")
