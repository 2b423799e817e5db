"""Headers of files as dataclasses, every field of its declared type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as fields_of
from typing import Any, TypeVar

from pydantic import TypeAdapter

HeaderType = TypeVar("HeaderType")


def header_from(kind: type[HeaderType], fields: Mapping[str, Any]) -> HeaderType:
    """A dataclass from the fields of a header, every one of its declared type.

    Raises:
        TypeError: a field is unknown.
        ValueError: a field is missing or of another type.
    """
    unknown = set(fields) - {field.name for field in fields_of(kind)}  # type: ignore[arg-type]
    if unknown:
        raise TypeError(f"unknown field {min(unknown)!r}")
    # Lists of JSON become tuples; bytes of names that are no UTF-8 pass, as they would not in JSON.
    header = TypeAdapter(kind).validate_python(dict(fields))
    for name, given in fields.items():
        if not _as_given(given, getattr(header, name)):
            raise ValueError(f"{name} is {given!r}, no number")
    return header


def _as_given(given: Any, taken: Any) -> bool:
    """Whether no text was taken for a number."""
    if isinstance(taken, list | tuple) and isinstance(given, list | tuple):
        return all(map(_as_given, given, taken))
    return not isinstance(given, str) or isinstance(taken, str)
