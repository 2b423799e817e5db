"""The coded pictures of a HEIF file (HEIC, AVIF): ISO/IEC 23008-12 and 14496-12, 8.11."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .iso_boxes import boxes_in, boxes_of

# Where an item's bytes lie: in the file, or in the description itself.
_IN_FILE, _IN_DESCRIPTION = 0, 1
# Bytes of a configuration, and of what is coded, that are looked at; tiles that are asked.
_LARGEST, _MOST = 2**16, 32
# Bytes of a description, and entries of its lists, that pictures stay below.
_LONGEST, _ENTRIES = 2**22, 2**14


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
    """What the main picture consists of: itself, or tiles of those that it is put together of.

    Of many tiles some are taken, as far from each other as they lie. Pictures beside it, such as
    previews and transparency, are left out.

    Raises:
        IndexError: the description is cut off, or longer than that of a picture.
    """
    described = next((content[4:] for kind, content in boxes_in(path) if kind == b"meta"), b"")
    boxes = dict(boxes_of(described if len(described) <= _LONGEST else b""))
    if not {b"pitm", b"iinf", b"iloc", b"iprp"} <= boxes.keys():
        return []
    main = _main(boxes[b"pitm"])
    tiles = _tiles(boxes.get(b"iref", b""), main) or [main]
    kinds, places = _kinds(boxes[b"iinf"]), _places(boxes[b"iloc"])
    configurations = _configurations(boxes[b"iprp"])
    return [
        CodedItem(
            kinds.get(item, b""),
            configurations.get(item, b"")[:_LARGEST],
            _beginning(path, boxes.get(b"idat", b""), *places[item]),
        )
        for item in tiles[:: -(-len(tiles) // _MOST)]
        if item in places
    ]


class _Numbers:
    """Reads numbers of some bytes, one after the other."""

    def __init__(self, content: bytes, place: int = 0) -> None:
        self._content, self._place = content, place

    def __call__(self, size: int) -> int:
        first = self._place
        self.skip(size)
        return int.from_bytes(self._content[first : self._place], "big")

    def entries(self, size: int) -> range:
        """As many turns as the next number says."""
        count = self(size)
        if count > _ENTRIES:
            raise IndexError("a list that is too long")
        return range(count)

    def skip(self, size: int) -> None:
        """Pass over bytes."""
        self._place += size
        if self._place > len(self._content):
            raise IndexError("a description that is cut off")


def _main(content: bytes) -> int:
    read = _Numbers(content, 4)
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
        read = _Numbers(entry)
        if kind == b"dimg" and read(size) == main:
            return [read(size) for _ in read.entries(2)]
    return []


def _places(content: bytes) -> dict[int, tuple[int, int, int]]:
    """Of each item: where its bytes lie, the first of them, and how many there are."""
    version, read = content[0], _Numbers(content, 4)
    sizes = read(2)
    offset, length, base = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index = sizes & 15 if version else 0
    places = {}
    for _ in read.entries(4 if version == 2 else 2):
        item = read(4 if version == 2 else 2)
        way = read(2) & 15 if version else _IN_FILE
        read(2)
        begin = read(base)
        if extents := read(2):
            read(index)
            places[item] = (way, begin + read(offset), read(length))
            read.skip((extents - 1) * (index + offset + length))
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
    wide, read = content[3] & 1, _Numbers(content, 4)
    for _ in read.entries(4):
        item = read(4 if content[0] else 2)
        yield item, [read(1 + wide) & (0x7FFF if wide else 0x7F) for _ in range(read(1))]


def _beginning(path: Path, description: bytes, way: int, first: int, size: int) -> bytes:
    # A length of 0 is all that there is.
    size = min(size or _LARGEST, _LARGEST)
    if way == _IN_DESCRIPTION:
        return description[first : first + size]
    if way != _IN_FILE:
        return b""
    if first >= path.stat().st_size:
        return b""
    with path.open("rb") as file:
        file.seek(first)
        return file.read(size)
