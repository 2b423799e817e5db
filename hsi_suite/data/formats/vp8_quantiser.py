"""How coarsely a lossy WebP is quantised: what the frame header of VP8 says (RFC 6386, 9.2–9.6)."""

from __future__ import annotations

import struct

#: The coarsest index.
COARSEST = 127

_START = b"\x9d\x01\x2a"
# Frame tag, start code and the two sides stand before what is coded.
_BEFORE = 10
_SEGMENTS, _PROBABILITIES = 4, 3
_LEVEL_BITS, _QUANTISER_BITS, _DELTAS = 6, 7, 8


def vp8_quantiser(content: bytes) -> int | None:
    """The index of luma's quantiser, 0 (finest) to 127; None where no lossy frame is found.

    Of a picture whose parts are quantised differently, that of the coarsest part, which libwebp
    makes depend on the quality alone; what others get depends on the picture.

    Args:
        content: a WebP file, or the beginning of one.

    Raises:
        IndexError: its header is cut off.
    """
    frame = _frame(content)
    if frame is None or frame[3:6] != _START:
        return None
    coded = _CodedBits(frame[_BEFORE:])
    coded.number(2)  # colour space, clamping
    changes = _segments(coded)
    coded.number(1 + 6 + 3)  # loop filter: kind, level, sharpness
    if coded.number(1) and coded.number(1):
        for _ in range(_DELTAS):
            coded.optional(_LEVEL_BITS)
    coded.number(2)  # partitions
    base = coded.number(_QUANTISER_BITS)
    if changes is None:
        return base
    absolute, values = changes
    return min(max(max(values) + (0 if absolute else base), 0), COARSEST)


def _frame(content: bytes) -> bytes | None:
    """The chunk of a lossy frame."""
    place = 12
    while place + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, place)
        if kind == b"VP8 ":
            return content[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
    return None


def _segments(coded: _CodedBits) -> tuple[bool, list[int]] | None:
    """Quantisers of the parts, and whether they replace that of the frame; None where alike."""
    if not coded.number(1):
        return None
    mapped, told = coded.number(1), coded.number(1)
    found = None
    if told:
        absolute = bool(coded.number(1))
        found = absolute, [coded.optional(_QUANTISER_BITS) for _ in range(_SEGMENTS)]
        for _ in range(_SEGMENTS):
            coded.optional(_LEVEL_BITS)
    if mapped:
        for _ in range(_PROBABILITIES):
            if coded.number(1):
                coded.number(8)
    return found


class _CodedBits:
    """VP8's arithmetic decoder (RFC 6386, 7.3), for bits that are as likely 0 as 1."""

    def __init__(self, content: bytes) -> None:
        self._rest = iter(content)
        self._value = self._byte() << 8 | self._byte()
        self._range, self._shifted = 255, 0

    def _byte(self) -> int:
        byte = next(self._rest, None)
        if byte is None:
            raise IndexError("the header is cut off")
        return byte

    def _bit(self) -> int:
        split = (self._range + 1) >> 1
        bit = int(self._value >= split << 8)
        if bit:
            self._range -= split
            self._value -= split << 8
        else:
            self._range = split
        while self._range < 128:
            self._value <<= 1
            self._range <<= 1
            self._shifted += 1
            if self._shifted == 8:
                self._shifted = 0
                self._value |= self._byte()
        return bit

    def number(self, bits: int) -> int:
        """The next bits as a whole number."""
        value = 0
        for _ in range(bits):
            value = value << 1 | self._bit()
        return value

    def optional(self, bits: int) -> int:
        """A number with its sign behind it, where a flag says that there is one; else 0."""
        if not self.number(1):
            return 0
        value = self.number(bits)
        return -value if self.number(1) else value
