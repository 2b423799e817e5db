"""Numbers of a few bits each, as the headers of video coders hold them."""

from __future__ import annotations

# Zeros before the first one of an Exp-Golomb code, at most.
_MOST_ZEROS = 32


class BitFields:
    """Reads numbers one after the other, highest bit first.

    A header that ends early raises IndexError.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def number(self, bits: int) -> int:
        """The next bits as a whole number."""
        value = 0
        for _ in range(bits):
            byte = self._content[self._place >> 3]
            value = value << 1 | byte >> (7 - (self._place & 7)) & 1
            self._place += 1
        return value

    def flag(self) -> bool:
        """The next bit."""
        return bool(self.number(1))

    def skip(self, bits: int) -> None:
        """Pass over bits, which need not be there."""
        self._place += bits

    def counted(self) -> int:
        """A whole number in Exp-Golomb code: as many zeros as bits follow its first one."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > _MOST_ZEROS:
                raise IndexError("a number that is too long")
        return (1 << zeros) - 1 + self.number(zeros)

    def signed(self) -> int:
        """One that may be negative: 0, 1, −1, 2, −2 in this order."""
        value = self.counted()
        return (value + 1) // 2 if value % 2 else -(value // 2)


def bits_for(most: int, unit: int = 1) -> int:
    """How often `unit` is to be doubled until it is no less than `most`."""
    doublings = 0
    while unit << doublings < most:
        doublings += 1
    return doublings


def without_escapes(content: bytes) -> bytes:
    """A unit of HEVC without the bytes 3 that keep two zeros and a small number apart."""
    kept = bytearray()
    zeros = 0
    for byte in content:
        if zeros >= 2 and byte == 3:
            zeros = 0
            continue
        zeros = zeros + 1 if byte == 0 else 0
        kept.append(byte)
    return bytes(kept)
