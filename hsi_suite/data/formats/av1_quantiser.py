"""How coarsely an AVIF is quantised: what the frame header of AV1 says.

AV1 Bitstream & Decoding Process Specification, 5.5 (sequence header), 5.9 (frame header). Only what
stands before the quantiser in a picture of its own is read; other frames say nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .bit_fields import BitFields, bits_for

#: The coarsest index.
COARSEST = 255

_SEQUENCE, _FRAME_HEADER, _FRAME = 1, 3, 6
_KEY_FRAME = 0
# A sequence leaves a choice to each of its frames.
_CHOSEN = 2
# Superresolution: eighths of a side that its coded one is smaller by begin at 9 / 8.
_EIGHTHS, _LEAST_EIGHTHS = 8, 9
_WIDEST_TILE, _LARGEST_TILE, _MOST_TILES = 4096, 4096 * 2304, 64


@dataclass(frozen=True)
class _Sequence:
    """What a sequence header says of the headers of its frames."""

    plain: bool
    side_bits: tuple[int, int]
    sides: tuple[int, int]
    id_bits: int
    large_blocks: bool
    screen_tools: int
    whole_motion: int
    order_bits: int
    smaller: bool


def av1_quantiser(content: bytes) -> int | None:
    """The base index of the quantiser, 0 (finest) to 255; None where no such frame is found.

    Args:
        content: the coded picture, or its beginning.

    Raises:
        IndexError: its header is cut off.
    """
    sequence = None
    for kind, unit in _units(content):
        if kind == _SEQUENCE:
            sequence = _sequence(BitFields(unit))
        elif kind in (_FRAME_HEADER, _FRAME):
            return None if sequence is None else _of_frame(BitFields(unit), sequence)
    return None


def _units(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each unit; the last one may be cut off."""
    place = 0
    while place < len(content):
        head = content[place]
        place += 2 if head & 4 else 1
        size = len(content) - place
        if head & 2:
            size, place = _leb128(content, place)
        yield head >> 3 & 15, content[place : place + size]
        place += size


def _leb128(content: bytes, place: int) -> tuple[int, int]:
    """A number in pieces of seven bits, lowest first, and where the next begins."""
    value = 0
    for number in range(8):
        byte = content[place + number]
        value |= (byte & 127) << 7 * number
        if byte < 128:
            return value, place + number + 1
    raise IndexError("a number without an end")


def _sequence(bits: BitFields) -> _Sequence | None:
    bits.skip(3 + 1)  # profile, still picture
    plain = bits.flag()
    if plain:
        bits.skip(5)  # level
    elif not _pass_operating_points(bits):
        return None
    side_bits = bits.number(4) + 1, bits.number(4) + 1
    samples, lines = (bits.number(each) + 1 for each in side_bits)
    id_bits = 0
    if not plain and bits.flag():
        id_bits = bits.number(4) + 2
        id_bits += bits.number(3) + 1
    large_blocks = bits.flag()
    bits.skip(2)  # filters within a frame
    screen_tools, whole_motion, order_bits = _CHOSEN, _CHOSEN, 0
    if not plain:
        bits.skip(4)  # ways to predict one frame from others
        ordered = bits.flag()
        bits.skip(2 * ordered)
        screen_tools = _CHOSEN if bits.flag() else bits.number(1)
        if screen_tools:
            whole_motion = _CHOSEN if bits.flag() else bits.number(1)
        order_bits = bits.number(3) + 1 if ordered else 0
    smaller = bits.flag()
    return _Sequence(
        plain, side_bits, (lines, samples), id_bits, large_blocks, screen_tools, whole_motion,
        order_bits, smaller,
    )  # fmt: skip


def _pass_operating_points(bits: BitFields) -> bool:
    """Whether the first frame is all: there is no timing, and there are no finer layers."""
    timed = bits.flag()
    if timed:
        return False
    delayed = bits.flag()
    if bits.number(5):
        return False
    bits.skip(12)
    if bits.number(5) > 7:
        bits.skip(1)
    if delayed and bits.flag():
        bits.skip(4)
    return True


def _of_frame(bits: BitFields, sequence: _Sequence) -> int | None:
    if not sequence.plain:
        shown_again = bits.flag()
        key, shown = bits.number(2) == _KEY_FRAME, bits.flag()
        if shown_again or not key or not shown:
            return None
    fixed_chances = bits.flag()
    tools = bits.number(1) if sequence.screen_tools == _CHOSEN else sequence.screen_tools
    if tools and sequence.whole_motion == _CHOSEN:
        bits.skip(1)
    bits.skip(sequence.id_bits)
    own_size = not sequence.plain and bits.flag()
    bits.skip(sequence.order_bits)
    lines, samples = sequence.sides
    if own_size:
        samples, lines = (bits.number(each) + 1 for each in sequence.side_bits)
    coded = samples
    if sequence.smaller and bits.flag():
        eighths = bits.number(3) + _LEAST_EIGHTHS
        coded = (samples * _EIGHTHS + eighths // 2) // eighths
    if bits.flag():  # shown in another size
        bits.skip(32)
    if tools and coded == samples:
        bits.skip(1)  # parts may be copied
    if not sequence.plain and not fixed_chances:
        bits.skip(1)
    if not _pass_tiles(bits, lines, coded, large_blocks=sequence.large_blocks):
        return None
    return bits.number(8)


def _pass_tiles(bits: BitFields, lines: int, samples: int, *, large_blocks: bool) -> bool:
    """Whether the frame is cut into tiles of one size, which is what is read here."""
    block = 128 if large_blocks else 64
    down, across = -(-lines // block), -(-samples // block)
    least_columns = bits_for(across, _WIDEST_TILE // block)
    least = max(least_columns, bits_for(down * across, _LARGEST_TILE // block**2))
    if not bits.flag():
        return False
    columns = _raised(bits, least_columns, bits_for(min(across, _MOST_TILES)))
    rows = _raised(bits, max(least - columns, 0), bits_for(min(down, _MOST_TILES)))
    if columns + rows:
        bits.skip(columns + rows + 2)
    return True


def _raised(bits: BitFields, least: int, most: int) -> int:
    while least < most and bits.flag():
        least += 1
    return least
