"""Descriptions of HEIF files as encoders of other pictures than ours write them."""

import struct

import pytest
from coder_headers import box

from hsi_suite.data.formats.heif_items import coded_items

FULL = bytes(4)


def described(places, associations=FULL, flags=0):
    """The description of a picture 1, which is the main one."""
    properties = box(b"hvcC", b"first"), *[box(b"ispe")] * 127, box(b"hvcC", b"far")
    parts = [
        box(b"pitm", FULL, struct.pack(">H", 1)),
        box(b"iinf", FULL, struct.pack(">H", 1), box(b"infe", b"\2\0\0\0\0\1\0\0hvc1\0")),
        box(b"iloc", places),
        box(
            b"iprp", box(b"ipco", *properties), box(b"ipma", bytes([0, 0, 0, flags]), associations)
        ),
    ]
    return box(b"ftyp", b"mif1\0\0\0\0mif1heic") + box(b"meta", FULL, *parts)


@pytest.mark.parametrize("base", [0, 3, 8])
@pytest.mark.parametrize("index", [0, 4])
def test_places_count_from_a_base_and_extents_have_numbers(tmp_path, base, index):
    """Item 5 in three extents stands before item 1."""
    sizes = struct.pack(">HH", 0x4400 | (4 if base else 0) << 4 | index, 2)
    number = bytes(index)

    def item(name, *extents):
        start = struct.pack(">I", base) if base else b""
        listed = [number + struct.pack(">II", first - base, size) for first, size in extents]
        return (
            struct.pack(">HHH", name, 0, 0)
            + start
            + struct.pack(">H", len(extents))
            + b"".join(listed)
        )

    places = b"\1\0\0\0" + sizes + item(5, (20, 1), (30, 1), (40, 1)) + item(1, (8, 4))
    (tmp_path / "file").write_bytes(described(places))
    assert [each.content for each in coded_items(tmp_path / "file")] == [b"mif1"]


@pytest.mark.parametrize("wide", [False, True])
def test_many_properties_have_wide_numbers(tmp_path, wide):
    number = struct.pack(">H", 0x8000 | 129) if wide else bytes([0x80 | 1])
    places = FULL + struct.pack(">HHHHH", 0x4400, 1, 1, 0, 1) + struct.pack(">II", 4, 4)
    owned = struct.pack(">IHB", 1, 1, 1) + number
    (tmp_path / "file").write_bytes(described(places, owned, int(wide)))
    (item,) = coded_items(tmp_path / "file")
    assert item.configuration == (b"far" if wide else b"first") and item.content == b"ftyp"
