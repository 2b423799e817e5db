"""Headers of video coders and HEIF files, written field by field."""

import struct


class CodedBits:
    """The arithmetic coder of VP8 for bits that are as likely 0 as 1 (RFC 6386, 7.3)."""

    def __init__(self):
        self.bytes = bytearray()
        self.range, self.bottom, self.count = 255, 0, 24

    def number(self, value, bits):
        for place in reversed(range(bits)):
            self._bit(value >> place & 1)
        return self

    def optional(self, value, bits):
        self.number(value != 0, 1)
        if value:
            self.number(abs(value), bits).number(value < 0, 1)
        return self

    def _bit(self, bit):
        split = 1 + ((self.range - 1) * 128 >> 8)
        if bit:
            self.bottom += split
            self.range -= split
        else:
            self.range = split
        while self.range < 128:
            self.range <<= 1
            if self.bottom & 1 << 31:
                place = len(self.bytes) - 1
                while self.bytes[place] == 255:
                    self.bytes[place] = 0
                    place -= 1
                self.bytes[place] += 1
            self.bottom = self.bottom << 1 & 0xFFFFFFFF
            self.count -= 1
            if not self.count:
                self.bytes.append(self.bottom >> 24)
                self.bottom &= (1 << 24) - 1
                self.count = 8

    def finished(self):
        return bytes(self.number(0, 32).bytes)


def webp(base, segments=None, *, absolute=True, mapped=True, deltas=False, before=b""):
    """A WebP that ends after its frame header; `segments` are four quantisers, or changes."""
    coded = CodedBits().number(0, 2).number(segments is not None, 1)
    if segments is not None:
        coded.number(mapped, 1).number(1, 1).number(absolute, 1)
        for value in segments:
            coded.optional(value, 7)
        for value in (0, 5, -3, 0):
            coded.optional(value, 6)
        for value in (200, None, 17) if mapped else ():
            coded.number(value is not None, 1)
            if value is not None:
                coded.number(value, 8)
    coded.number(0, 1).number(31, 6).number(3, 3).number(deltas, 1)
    if deltas:
        coded.number(1, 1)
        for value in (2, 0, -2, -2, 4, 0, 0, -12):
            coded.optional(value, 6)
    coded.number(1, 2).number(base, 7)
    frame = b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", 64, 48) + coded.finished()
    body = b"WEBP" + before + chunk(b"VP8 ", frame)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunk(kind, content):
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


class Fields:
    """Bits of a header, highest first."""

    def __init__(self):
        self.bits = ""

    def number(self, value, bits):
        self.bits += format(value, f"0{bits}b") if bits else ""
        return self

    def counted(self, *values):
        for value in values:
            digits = format(value + 1, "b")
            self.bits += "0" * (len(digits) - 1) + digits
        return self

    def signed(self, value):
        return self.counted(2 * value - 1 if value > 0 else -2 * value)

    def bytes(self):
        padded = self.bits + "1"
        padded += "0" * (-len(padded) % 8)
        return int(padded, 2).to_bytes(len(padded) // 8, "big")


def escaped(content):
    """A unit of HEVC, in which no two zeros stand before a byte below 4."""
    kept = bytearray()
    for byte in content:
        if kept[-2:] == b"\0\0" and byte < 4:
            kept.append(3)
        kept.append(byte)
    return bytes(kept)


def hevc(middle, change, *, layers=0, scaling=False, colour=1, adapted=True, further=0):
    """An `hvcC` box and a picture whose first slice has the parameter 26 + middle + change.

    `colour` is none (0), as 1, 2 or 3 say, or in three separate planes.
    """
    separate = colour == "separate"
    form = 3 if separate else colour
    sequence = Fields().number(0, 4).number(layers, 3).number(1, 1).number(0, 96)
    for _ in range(layers):
        sequence.number(3, 2)
    sequence.number(0, 2 * (8 - layers) if layers else 0).number(0, 96 * layers)
    sequence.counted(0, form)
    if form == 3:
        sequence.number(separate, 1)
    sequence.counted(4000, 3000).number(1, 1).counted(0, 4, 0, 8).counted(2, 2, 4).number(1, 1)
    sequence.counted(*[4, 0, 0] * (layers + 1)).counted(0, 3, 0, 3, 1, 2).number(scaling, 1)
    if scaling:
        sequence.number(1, 1)
        for size in range(4):
            for matrix in range(2 if size == 3 else 6):
                sequence.number(matrix % 2, 1)
                if matrix % 2:
                    for value in range(min(64, 1 << 4 + 2 * size) + (size > 1)):
                        sequence.signed(value % 5 - 2)
                else:
                    sequence.counted(0)
    sequence.number(1, 1).number(adapted, 1)
    picture = Fields().counted(0, 0).number(0, 1).number(1, 1).number(further, 3).number(0, 2)
    picture.counted(0, 0).signed(middle)
    coded = Fields().number(2, 2).counted(0).number(0, further).counted(2).number(1, 1)
    coded.number(2, 2 * separate)
    coded.number(0, (2 if form and not separate else 1) if adapted else 0).signed(change).number(
        0, 400
    )
    sets = b"".join(
        bytes([kind]) + struct.pack(">HH", 1, len(unit) + 2) + bytes([kind << 1, 1]) + unit
        for kind, unit in ((33, escaped(sequence.bytes())), (34, escaped(picture.bytes())))
    )
    unit = b"\x26\x01" + escaped(coded.bytes())
    note = b"\x4e\x01\x05\x80"
    content = b"".join(struct.pack(">I", len(each)) + each for each in (note, unit))
    return bytes([1, *[0] * 20, 0xFF, 2]) + sets, content


def av1(
    index, *, points=1, sides=(64, 48), own=None, delay=False, ids=False, order=0, tools=None,
    whole=None, fixed=True, eighths=None, other_size=False, large=False, kind=0, shown=True,
    tiles="",
):  # fmt: skip
    """A picture whose quantiser has an index (AV1, 5.5 and 5.9); `tiles` are bits of their number.

    `tools` and `whole` are what the sequence says of tools for screens and of whole steps of
    motion; None leaves both to the frame, which uses them.
    """
    sequence = Fields().number(0, 6).number(delay, 1).number(points - 1, 5)
    for layers in reversed(range(points)):
        sequence.number((2 << layers) - 1 << 8 | 1, 12).number(9, 5).number(0, 1)
        if delay:
            sequence.number(0b10011, 5)
    sequence.number(12, 4).number(6, 4).number(sides[0] - 1, 13).number(sides[1] - 1, 7)
    sequence.number(ids, 1).number(0b0101_010, 7 * ids)
    sequence.number(large, 1).number(0, 2).number(0, 4).number(order > 0, 1).number(
        0, 2 * (order > 0)
    )
    for said in (tools, whole) if tools != 0 else (tools,):
        sequence.number(said is None, 1).number(said or 0, int(said is not None))
    sequence.number(max(order - 1, 0), 3 * (order > 0)).number(eighths is not None, 1)
    frame = Fields().number(0, 1).number(kind, 2).number(shown, 1).number(fixed, 1)
    if tools is None:
        frame.number(1, 1)
    if tools != 0 and whole is None:
        frame.number(1, 1)
    # Lengths of 7 and 3 bits, said above.
    frame.number(0, 10 * ids).number(own is not None, 1).number(1, order)
    if own is not None:
        frame.number(own[0] - 1, 13).number(own[1] - 1, 7)
    if eighths is not None:
        frame.number(eighths > 8, 1).number(eighths - 9, 3 * (eighths > 8))
    frame.number(other_size, 1).number(0xFFFF, 32 * other_size)
    if tools != 0 and eighths in (None, 8):
        frame.number(1, 1)
    frame.number(0, int(not fixed)).number(1, 1)
    frame.bits += tiles
    units = ((1, sequence.bytes()), (3, frame.number(index, 8).bytes()))
    return b"".join(bytes([kind << 3 | 2, len(unit)]) + unit for kind, unit in units)


def box(kind, *parts):
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + kind + content


def heif(items, main, references=(), *, wide=False, inside=False):
    """A HEIF file of items: number → (kind, configuration, content).

    `references` are (kind, from, to); `wide` takes the versions with 32 bits; `inside` keeps the
    contents in the description.
    """
    size = 4 if wide else 2

    def full(kind, *parts, version=None):
        chosen = int(wide) if version is None else version
        return box(kind, bytes([chosen, 0, 0, 0]), *parts)

    def number(value, bytes_=size):
        return value.to_bytes(bytes_, "big")

    def entry(item):
        kind = items[item][0]
        return full(b"infe", number(item), b"\0\0", kind, b"\0", version=3 if wide else 2)

    def described(first):
        places, place = [], first
        for item, (_, _, content) in items.items():
            way = number(int(inside), 2) if wide or inside else b""
            places.append(number(item) + way + number(0, 2) + number(1, 2))
            places[-1] += number(place, 4) + number(len(content), 4)
            place += len(content)
        version = 2 if wide else int(inside)
        parts = [
            full(b"pitm", number(main)),
            full(b"iinf", number(len(items)), *map(entry, items)),
            full(b"iloc", b"\x44\0", number(len(items)), *places, version=version),
            box(b"iprp", _properties(items, full, number)),
        ]
        parts += [
            full(
                b"iref",
                *(
                    box(kind, number(origin), number(len(to), 2), *map(number, to))
                    for kind, origin, to in references
                ),
            )
        ]
        if inside:
            parts.append(box(b"idat", data))
        return box(b"ftyp", b"mif1\0\0\0\0mif1avif") + full(b"meta", *parts, version=0)

    data = b"".join(content for _, _, content in items.values())
    if inside:
        return described(0)
    return described(len(described(0)) + 8) + box(b"mdat", data)


def _properties(items, full, number):
    kinds = {b"hvc1": b"hvcC", b"av01": b"av1C"}
    listed, owned = [box(b"ispe", bytes(12))], []
    for item, (kind, configuration, _) in items.items():
        own = [1]
        if kind in kinds:
            listed.append(box(kinds[kind], configuration))
            own.append(0x80 | len(listed))
        owned.append(number(item) + bytes([len(own), *own]))
    return box(b"ipco", *listed) + full(b"ipma", number(len(owned), 4), *owned)
