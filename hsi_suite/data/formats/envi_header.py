"""The text of ENVI headers, to and from fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import InputFileError
from ...user_files import read_bytes


class HeaderList(tuple[str, ...]):
    """The items of a list in braces.

    Attributes:
        text: what stands between the braces, lines kept; it says more than the items where these
            hold commas.
    """

    text: str

    def __new__(cls, text: str) -> HeaderList:
        """The items of `text`; a comma after the last one is no further item."""
        items = [item.strip() for item in text.split(",")]
        made = super().__new__(cls, items[:-1] if not items[-1] else items)
        made.text = text
        return made


HeaderValue = str | tuple[str, ...]
# What GDAL calls the scale and the offset of a band.
GAINS, OFFSETS = "data gain values", "data offset values"
# Text that happens to stand in braces.
_TEXTS = {"description", "coordinate system string"}
# Fields that a line in braces can hardly begin with, unless a brace before is not closed.
_KNOWN_FIELDS = {
    "band names", "bands", "bbl", "byte order", "class lookup", "class names", "classes",
    "coordinate system string", "data ignore value", "data type", "default bands", "file type",
    "fwhm", "header offset", "interleave", "lines", "map info", "projection info", "samples",
    "sensor type", "spectra names", "wavelength", "wavelength units", GAINS, OFFSETS,
}  # fmt: skip
_FIELD = re.compile(r"[^={}]+=")


def parse_envi_header(path: Path) -> dict[str, HeaderValue]:
    """The fields of an ENVI header by their names in lower case; lists as `HeaderList`.

    Unlike the spectral package's reader this one takes Latin-1 (a "µm" of older software) as well
    as UTF-8 on every system, is silent about capital letters, and passes over text behind a
    closing brace, as GDAL does. Of a field that stands there twice the last one counts, as in GDAL.

    Raises:
        InputFileError: this is no ENVI header, it was cut, or a list in it has no end.
    """
    content = read_bytes(path, "an ENVI header")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = text.splitlines()
    if "\0" in text or not lines or not lines[0].strip().startswith("ENVI"):
        raise InputFileError(path, "the first line is not 'ENVI'", "an ENVI header")
    fields: dict[str, HeaderValue] = {}
    number = 1
    while number < len(lines):
        name, equals, value = lines[number].partition("=")
        name, value = " ".join(name.split()).lower(), value.strip()
        number += 1
        if name.startswith(";"):
            continue
        if not equals:
            # A file that was cut: what it lost may be the byte order, which would be assumed.
            if name and number == len(lines) and not text.endswith(("\n", "\r", "}")):
                raise InputFileError(path, f"ends inside a line ({name[:30]!r})", "a whole header")
            continue
        if not value.startswith("{"):
            fields[name] = value
            continue
        found = _braces(value, lines, number)
        if found is None:
            raise InputFileError(path, f"the list {name!r} has no end", "a closing brace")
        content_of, number = found
        if swallowed := _swallowed_field(content_of, name):
            raise InputFileError(
                path, f"the list {name!r} has no end before {swallowed!r}", "a closing brace"
            )
        fields[name] = content_of.strip() if name in _TEXTS else HeaderList(content_of)
    return fields


def _swallowed_field(content: str, name: str) -> str:
    """The field that begins inside a list whose brace does not close before it; "" for none."""
    if name in _TEXTS and content.count("{") == content.count("}"):
        return ""
    for line in content.splitlines()[1:]:
        field, equals, value = line.partition("=")
        field = " ".join(field.split()).lower()
        if equals and (field in _KNOWN_FIELDS or value.lstrip().startswith("{")):
            return field
    return ""


def _braces(value: str, lines: Sequence[str], number: int) -> tuple[str, int] | None:
    """What stands in the braces that `value` opens, and the number of the line behind them.

    The brace that closes is the one that balances; where none does before the next field (a lone
    brace in an item), the first at the end of a line. None when there is neither.

    Args:
        value: what follows the equals sign, from the opening brace on.
        lines: of the header.
        number: of the line after that of `value`.
    """
    parts, depth = [value], 0
    first_end: tuple[str, int] | None = None
    while True:
        line = parts[-1]
        for place, character in enumerate(line):
            depth += (character == "{") - (character == "}")
            if depth == 0:
                parts[-1] = line[:place]
                return "\n".join(parts)[1:], number
        if first_end is None and line.endswith("}"):
            first_end = "\n".join(parts)[1:-1], number
        while number < len(lines) and lines[number].lstrip().startswith(";"):
            number += 1
        if number == len(lines) or (first_end and _FIELD.match(lines[number])):
            return first_end
        parts.append(lines[number].strip())
        number += 1


def format_envi_header(fields: Mapping[str, object]) -> str:
    """The text of an ENVI header; sequences become lists in braces.

    Commas and braces inside list items, which the format cannot hold, become semicolons and
    round brackets.
    """
    lines = ["ENVI"]
    for name, value in fields.items():
        if name == "coordinate system string":
            lines.append(f"{name} = {{{' '.join(str(value).split())}}}")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            lines.append(f"{name} = {{{', '.join(_item(item) for item in value)}}}")
        else:
            lines.append(f"{name} = {value}")
    return "\n".join(lines) + "\n"


_FORBIDDEN = str.maketrans({",": ";", "{": "(", "}": ")"})


def _item(item: object) -> str:
    return " ".join(str(item).translate(_FORBIDDEN).split())
