"""The coded pictures of a HEIF file (HEIC, AVIF): ISO/IEC 23008-12 and 14496-12, 8.11."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .iso_boxes import boxes_in, boxes_of

# Where an item's bytes lie: in the file, or in the description itself.
_IN_FILE, _IN_DESCRIPTION = 0, 1
_LARGEST = 2**16
_Numbers = Callable[[int], int]


@dataclass(frozen=True)
class CodedItem:
    """One coded picture.

    Attributes:
        kind: of its coder, such as `hvc1` or `av01`.
        configuration: the property that describes the coder (`hvcC`, `av1C`), or empty.
        content: the first bytes of what is coded.
    """

    kind: bytes
    configuration: bytes
    content: bytes


def coded_items(path: Path) -> list[CodedItem]:
    """What the main picture consists of: itself, or the tiles that it is put together of.

    Pictures beside it, such as previews and transparency, are left out.

    Raises:
        IndexError: the description is cut off.
    """
    described = next((content[4:] for kind, content in boxes_in(path) if kind == b"meta"), b"")
    boxes = dict(boxes_of(described))
    if not {b"pitm", b"iinf", b"iloc", b"iprp"} <= boxes.keys():
        return []
    main = _main(boxes[b"pitm"])
    tiles = _tiles(boxes.get(b"iref", b""), main)
    kinds, places = _kinds(boxes[b"iinf"]), _places(boxes[b"iloc"])
    configurations = _configurations(boxes[b"iprp"])
    return [
        CodedItem(
            kinds.get(item, b""),
            configurations.get(item, b""),
            _beginning(path, boxes.get(b"idat", b""), *places[item]),
        )
        for item in tiles or [main]
        if item in places
    ]


def _numbers(content: bytes, place: int = 0) -> _Numbers:
    """Reads numbers of some bytes, one after the other."""
    rest = content[place:]

    def read(size: int) -> int:
        nonlocal rest
        if len(rest) < size:
            raise IndexError("a description that is cut off")
        value, rest = int.from_bytes(rest[:size], "big"), rest[size:]
        return value

    return read


def _main(content: bytes) -> int:
    read = _numbers(content, 4)
    return read(4 if content[0] else 2)


def _kinds(content: bytes) -> dict[int, bytes]:
    entries = content[8 if content[0] else 6 :]
    kinds = {}
    for kind, entry in boxes_of(entries):
        if kind == b"infe" and entry[0] >= 2:
            size = 2 if entry[0] == 2 else 4
            number = int.from_bytes(entry[4 : 4 + size], "big")
            kinds[number] = entry[6 + size : 10 + size]
    return kinds


def _tiles(content: bytes, main: int) -> list[int]:
    """The items that the main one is derived from."""
    if not content:
        return []
    size = 4 if content[0] else 2
    for kind, entry in boxes_of(content[4:]):
        read = _numbers(entry)
        if kind == b"dimg" and read(size) == main:
            return [read(size) for _ in range(read(2))]
    return []


def _places(content: bytes) -> dict[int, tuple[int, int, int]]:
    """Of each item: where its bytes lie, the first of them, and how many there are."""
    version, read = content[0], _numbers(content, 4)
    sizes = read(2)
    offset, length, base = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index = sizes & 15 if version else 0
    places = {}
    for _ in range(read(4 if version == 2 else 2)):
        item = read(4 if version == 2 else 2)
        way = read(2) & 15 if version else _IN_FILE
        read(2)
        begin, extents = read(base), []
        for _ in range(read(2)):
            read(index)
            extents.append((begin + read(offset), read(length)))
        if extents:
            places[item] = (way, *extents[0])
    return places


def _configurations(content: bytes) -> dict[int, bytes]:
    """Of each item the property that describes its coder."""
    boxes = dict(boxes_of(content))
    properties = list(boxes_of(boxes.get(b"ipco", b"")))
    found = {}
    for item, numbers in _associations(boxes.get(b"ipma", b"")):
        for number in numbers:
            if 0 < number <= len(properties) and properties[number - 1][0] in (b"hvcC", b"av1C"):
                found[item] = properties[number - 1][1]
    return found


def _associations(content: bytes) -> Iterator[tuple[int, list[int]]]:
    """Items, and the numbers of their properties, from 1."""
    if not content:
        return
    wide, read = content[3] & 1, _numbers(content, 4)
    for _ in range(read(4)):
        item = read(4 if content[0] else 2)
        yield item, [read(1 + wide) & (0x7FFF if wide else 0x7F) for _ in range(read(1))]


def _beginning(path: Path, description: bytes, way: int, first: int, size: int) -> bytes:
    # A length of 0 is all that there is.
    size = min(size or _LARGEST, _LARGEST)
    if way == _IN_DESCRIPTION:
        return description[first : first + size]
    if way != _IN_FILE:
        return b""
    with path.open("rb") as file:
        file.seek(first)
        return file.read(size)
