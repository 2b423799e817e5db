"""The text of ENVI headers, to and from fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import InputFileError

HeaderValue = str | tuple[str, ...]
# What GDAL calls the scale and the offset of a band.
GAINS, OFFSETS = "data gain values", "data offset values"


def parse_envi_header(path: Path) -> dict[str, HeaderValue]:
    """The fields of an ENVI header by their names in lower case; lists as tuples.

    Unlike the spectral package's reader this one takes Latin-1 (a "µm" of older software) as well
    as UTF-8 on every system, and is silent about capital letters.

    Raises:
        InputFileError: this is no ENVI header, or a list in it has no end.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputFileError(path, f"cannot be read ({error.strerror})") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = iter(text.splitlines())
    if "\0" in text or not next(lines, "").strip().startswith("ENVI"):
        raise InputFileError(path, "the first line is not 'ENVI'", "an ENVI header")
    fields: dict[str, HeaderValue] = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals or line.startswith(";"):
            continue
        value = value.strip()
        if value.startswith("{"):
            while not value.endswith("}"):
                following = next(lines, None)
                if following is None:
                    raise InputFileError(
                        path, f"the list {name.strip()!r} has no end", "a closing brace"
                    )
                if not following.startswith(";"):
                    value += "\n" + following.strip()
            fields[name.strip().lower()] = _split(name.strip().lower(), value[1:-1])
        else:
            fields[name.strip().lower()] = value
    return fields


def _split(name: str, content: str) -> HeaderValue:
    # These two are text that happens to stand in braces.
    if name in {"description", "coordinate system string"}:
        return content.strip()
    items = tuple(item.strip() for item in content.split(","))
    return items[:-1] if items and not items[-1] else items


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
