"""JSON as this project writes it: no NaN, no infinity, equal values as equal bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from .errors import OutputError


def json_text(value: Any, subject: object, *, compact: bool = False) -> str:
    """A value as JSON with its keys sorted.

    Args:
        value: plain values; an undefined number is None.
        subject: the file or thing it is for, named where it cannot be written.
        compact: in one line of ASCII.

    Raises:
        OutputError: a number in it is NaN or infinite, which JSON cannot hold.
    """
    try:
        if compact:
            return json.dumps(value, sort_keys=True, allow_nan=False)
        return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        place = _not_finite(value)
        if place is None:
            raise
        raise OutputError(subject, f"{place} is not finite", "finite numbers") from error


def undefined_as_none(value: Any) -> Any:
    """Plain values with None in the place of every NaN and infinity."""
    if isinstance(value, Mapping):
        return {key: undefined_as_none(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [undefined_as_none(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _not_finite(value: Any, place: str = "") -> str | None:
    """The keys that lead to the first number that is not finite, with dots between them."""
    if isinstance(value, float) and not math.isfinite(value):
        return place or "the value"
    items: Any = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    found = (_not_finite(item, f"{place}.{key}".lstrip(".")) for key, item in items)
    return next((each for each in found if each is not None), None)
