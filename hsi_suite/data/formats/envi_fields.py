"""Values of ENVI header fields, with the slips of writers that ENVI, GDAL or SPy read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...errors import InputFileError
from .envi_header import HeaderValue

Fields = Mapping[str, HeaderValue]

# ENVI's "data type" numbers; 6 and 9 are complex and refused by name.
ENVI_TYPES = {
    1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 6: "c8", 9: "c16",
    12: "u2", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip
# More than any size of a file; Python refuses to read thousands.
_MOST_DIGITS = 15
_WHOLE = re.compile(r"\+?(\d+)(?:\.0*)?")
_BYTE_ORDERS = {
    "0": "<", "1": ">", "host (intel)": "<", "intel": "<", "little endian": "<",
    "little-endian": "<", "network (ieee)": ">", "ieee": ">", "big endian": ">", "big-endian": ">",
}  # fmt: skip
# What stands where there is no value.
_NOTHING = {"", "none", "null", "n/a", "na", "undefined", "<none>"}


def single_value(header: Path, fields: Fields, name: str) -> str:
    """The one value of a field, also in braces, without a remark behind it; "" where it is empty.

    Raises:
        InputFileError: the field is a list of several values.
    """
    value = fields.get(name, "")
    if not isinstance(value, str):
        if len(value) > 1:
            raise InputFileError(header, f"the field {name!r} has no single value", f"{name} = …")
        value = value[0] if value else ""
    return value.partition(";")[0].strip()


def required_value(header: Path, fields: Fields, name: str) -> str:
    """The one value of a field that cannot be done without.

    Raises:
        InputFileError: it is missing, empty or a list.
    """
    if name not in fields:
        raise InputFileError(header, f"the field {name!r} is missing", f"{name} = …")
    value = single_value(header, fields, name)
    if not value:
        raise InputFileError(header, f"the field {name!r} has no single value", f"{name} = …")
    return value


def whole_number(header: Path, fields: Fields, name: str, lowest: int) -> int:
    """The whole number of a required field; "5.0" and "+5" are 5.

    Raises:
        InputFileError: it is missing, no whole number or below `lowest`.
    """
    text = required_value(header, fields, name)
    if len(text) > _MOST_DIGITS:
        raise InputFileError(
            header, f"{name} of {len(text)} characters", f"at most {_MOST_DIGITS} digits"
        )
    match = _WHOLE.fullmatch(text) if text.isascii() else None
    if match is None or int(match.group(1)) < lowest:
        raise InputFileError(header, f"{name} = {text}", f"a whole number from {lowest} on")
    return int(match.group(1))


def header_offset(header: Path, fields: Fields) -> int:
    """Bytes before the values; 0 where the header says nothing.

    Raises:
        InputFileError: it is no whole number, or bytes lie between the lines or bands too.
    """
    for name in ("major frame offsets", "minor frame offsets"):
        if any(value != "0" for value in list_items(fields, name) if value):
            raise InputFileError(header, f"{name} other than 0", "values without gaps")
    if not single_value(header, fields, "header offset"):
        return 0
    return whole_number(header, fields, "header offset", 0)


def ignored_value(header: Path, fields: Fields) -> float | None:
    """The "data ignore value"; None where there is none. Equal values of the bands are one.

    Raises:
        InputFileError: it is no number, or bands have different ones.
    """
    name = "data ignore value"
    of_bands = tuple(dict.fromkeys(list_items(fields, name)))
    text = single_value(header, {name: of_bands}, name)
    if text.lower() in _NOTHING:
        return None
    try:
        return float(text)
    except ValueError:
        raise InputFileError(header, f"data ignore value = {text}", "a number") from None


def stored_type(header: Path, fields: Fields) -> tuple[np.dtype[np.generic], tuple[str, ...]]:
    """Type of the values, byte order included, and what was assumed of it, in words.

    Without a byte order ENVI takes the machine's; of those still made all are little-endian.

    Raises:
        InputFileError: the data type or the byte order is none of ENVI's.
    """
    code = whole_number(header, fields, "data type", 1)
    if code not in ENVI_TYPES:
        known = ", ".join(map(str, sorted(ENVI_TYPES)))
        raise InputFileError(header, f"data type = {code}", f"one of {known}")
    dtype = np.dtype(ENVI_TYPES[code])
    if dtype.itemsize == 1:
        return dtype, ()
    text = single_value(header, fields, "byte order")
    if len(text) > _MOST_DIGITS:
        raise InputFileError(
            header, f"byte order of {len(text)} characters", f"at most {_MOST_DIGITS} digits"
        )
    if not text:
        remark = f"{header.name} does not say the byte order: little-endian is taken"
        return dtype.newbyteorder("<"), (remark,)
    order = _BYTE_ORDERS.get(text.lower().removesuffix(".0"))
    if order is None:
        raise InputFileError(header, f"byte order = {text}", "0 (little-endian) or 1 (big-endian)")
    return dtype.newbyteorder("<" if order == "<" else ">"), ()


def list_items(fields: Fields, name: str) -> tuple[str, ...]:
    """The items of a list; one for a single value, none for a missing or empty field."""
    value = fields.get(name, ())
    return ((value,) if value else ()) if isinstance(value, str) else value


def has_items(fields: Fields, name: str, count: int) -> bool:
    """Whether a list has `count` items."""
    return len(list_items(fields, name)) == count


def numbers(items: tuple[str, ...]) -> list[float] | None:
    """The items as finite numbers; None where there are none or one is something else."""
    try:
        values = [float(item) for item in items]
    except ValueError:
        return None
    return values if values and all(map(math.isfinite, values)) else None
