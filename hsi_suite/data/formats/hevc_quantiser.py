"""How coarsely a HEIC is quantised: what the slice header of HEVC says.

ITU-T H.265, 7.3.2 (parameter sets) and 7.3.6 (slice header). Only what stands before the quantiser
in a picture of its own is read; other slices say nothing here.
"""

from __future__ import annotations

from .bit_fields import BitFields, without_escapes

#: The coarsest parameter.
COARSEST = 51

_SEQUENCE_SET, _PICTURE_SET = 33, 34
# Slices of pictures that need no others and restart the order.
_OWN_PICTURES = (19, 20)
_MIDDLE = 26
_FULL_COLOUR = 3
# A header lies in these first bytes of a unit.
_HEADER = 512


def hevc_quantiser(configuration: bytes, content: bytes) -> int | None:
    """The quantisation parameter of the first slice, 0 (finest) to 51; None where none is found.

    Args:
        configuration: the `hvcC` box (ISO/IEC 14496-15, 8.3.3.1).
        content: the coded picture, or its beginning: units with their sizes before them.

    Raises:
        IndexError: a header is cut off.
    """
    sets = _parameter_sets(configuration)
    if not {_SEQUENCE_SET, _PICTURE_SET} <= sets.keys():
        return None
    adapted, colour, separate = _of_sequence(BitFields(sets[_SEQUENCE_SET]))
    size_bytes, place = (configuration[21] & 3) + 1, 0
    while place + size_bytes < len(content):
        size = int.from_bytes(content[place : place + size_bytes], "big")
        place += size_bytes
        kind = content[place] >> 1 & 63
        if kind in _OWN_PICTURES:
            unit = without_escapes(content[place + 2 : place + min(size, _HEADER)])
            picture = BitFields(sets[_PICTURE_SET])
            return _of_slice(BitFields(unit), picture, adapted, colour, separate)
        place += size
    return None


def _parameter_sets(configuration: bytes) -> dict[int, bytes]:
    """Content of the first unit of each kind."""
    sets: dict[int, bytes] = {}
    place = 23
    for _ in range(configuration[22]):
        kind = configuration[place] & 63
        count = int.from_bytes(configuration[place + 1 : place + 3], "big")
        place += 3
        for _ in range(count):
            if place + 2 > len(configuration):
                raise IndexError("a configuration that is cut off")
            size = int.from_bytes(configuration[place : place + 2], "big")
            if kind not in sets:
                sets[kind] = without_escapes(configuration[place + 4 : place + 2 + size])
            place += 2 + size
    return sets


def _of_sequence(bits: BitFields) -> tuple[bool, bool, bool]:
    """Whether offsets adapt to the picture, whether there is colour, and in planes of its own."""
    bits.skip(4)
    layers = bits.number(3)
    bits.skip(1)
    _pass_profile(bits, layers)
    bits.counted()
    form = bits.counted()
    separate = form == _FULL_COLOUR and bits.flag()
    _pass(bits, 2)  # sides
    if bits.flag():
        _pass(bits, 4)  # what is cut off
    _pass(bits, 3)  # bits of luma, colour and order
    _pass(bits, 3 * (layers + 1 if bits.flag() else 1))
    _pass(bits, 6)  # sizes of blocks
    if bits.flag() and bits.flag():
        _pass_scaling(bits)
    bits.skip(1)
    return bits.flag(), form > 0 and not separate, separate


def _pass(bits: BitFields, numbers: int) -> None:
    for _ in range(numbers):
        bits.counted()


def _pass_profile(bits: BitFields, layers: int) -> None:
    bits.skip(88 + 8)
    told = [(bits.flag(), bits.flag()) for _ in range(layers)]
    if layers:
        bits.skip(2 * (8 - layers))
    for profile, level in told:
        bits.skip(88 * profile + 8 * level)


def _pass_scaling(bits: BitFields) -> None:
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.flag():
                bits.counted()
            else:
                _pass(bits, min(64, 1 << 4 + 2 * size) + (size > 1))


def _of_slice(
    bits: BitFields, picture: BitFields, adapted: bool, colour: bool, separate: bool
) -> int | None:
    _pass(picture, 2)
    picture.skip(1)
    output_told, further = picture.flag(), picture.number(3)
    picture.skip(2)
    _pass(picture, 2)
    middle = _MIDDLE + picture.signed()

    first = bits.flag()
    bits.skip(1)
    bits.counted()
    if not first:
        return None
    bits.skip(further)
    bits.counted()  # kind of slice: all of such a picture's are of one
    bits.skip(output_told + 2 * separate)
    if adapted:
        bits.skip(2 if colour else 1)
    return middle + bits.signed()
