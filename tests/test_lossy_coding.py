"""What WebP, AVIF and HEIC files say of their quantiser."""

import io
import struct

import numpy as np
import pytest
from coder_headers import Fields, av1, box, chunk, escaped, heif, hevc, webp
from PIL import Image, features
from skimage import data as samples

from hsi_suite.data.formats.av1_quantiser import av1_quantiser
from hsi_suite.data.formats.bit_fields import BitFields, bits_for, without_escapes
from hsi_suite.data.formats.heif_items import coded_items
from hsi_suite.data.formats.hevc_quantiser import hevc_quantiser
from hsi_suite.data.formats.lossy_coding import lossy_coding
from hsi_suite.data.formats.vp8_quantiser import vp8_quantiser
from hsi_suite.data.photographs import read_photograph

PICTURE = samples.astronaut()[:96, 100:228]
avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow does not write AVIF")


def saved(path, kind, picture=PICTURE, **options):
    Image.fromarray(picture).save(path, kind, **options)
    return path


def index_of(path):
    coding = lossy_coding(path)
    return None if coding is None else coding.index


def of_bytes(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    return index_of(tmp_path / "file")


@pytest.mark.parametrize("base", [0, 1, 36, 127])
@pytest.mark.parametrize("deltas", [False, True])
@pytest.mark.parametrize("mapped", [False, True])
def test_webp_says_its_quantiser_and_that_of_its_coarsest_part(base, deltas, mapped):
    how = {"deltas": deltas, "mapped": mapped}
    assert vp8_quantiser(webp(base, **how)) == base
    assert vp8_quantiser(webp(base, (90, 80, 77, 100), **how)) == 100
    changed = vp8_quantiser(webp(base, (-5, -20, -30, -7), absolute=False, **how))
    assert changed == max(base - 5, 0)
    # Other chunks stand before the frame, of even and odd sizes.
    before = chunk(b"VP8X", bytes(10)) + chunk(b"ICCP", bytes(501))
    assert vp8_quantiser(webp(base, before=before, **how)) == base


def test_webp_of_pillow(tmp_path):
    alpha = np.dstack([PICTURE, PICTURE[..., 0]])
    for picture in (PICTURE, alpha):
        found = [
            index_of(saved(tmp_path / "a", "WEBP", picture, quality=quality))
            for quality in range(0, 101, 10)
        ]
        assert found[0] > 100 and found[-1] == 0
        assert found == sorted(found, reverse=True) and len(set(found)) == len(found)
    assert str(lossy_coding(saved(tmp_path / "a", "WEBP", quality=100))).startswith("WebP with")


def test_what_is_not_lossy_says_nothing(tmp_path):
    assert index_of(saved(tmp_path / "a", "WEBP", lossless=True)) is None
    assert index_of(saved(tmp_path / "a", "PNG")) is None
    assert index_of(saved(tmp_path / "a", "JPEG")) is None
    for content in (b"", b"RIFF", b"\0\0\0\x18ftypmif1", b"\0\0\0\x18ftypavif" + bytes(64)):
        assert of_bytes(tmp_path, content) is None


@avif
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_avif_says_what_its_encoder_was_told(tmp_path, mode):
    picture = np.asarray(Image.fromarray(PICTURE).convert(mode))
    # libaom's levels 0 to 63 and the indices that it makes of them.
    for level, index in ((0, 0), (10, 40), (20, 80), (30, 120), (40, 160), (63, 255)):
        how = {"end-usage": "q", "cq-level": str(level)}
        path = saved(tmp_path / "a", "AVIF", picture, quality=50, speed=9, advanced=how)
        # Pillow writes what it takes for lossless otherwise.
        assert index_of(path) == index and lossy_coding(path).kind == "AVIF"


@avif
@pytest.mark.parametrize("how", [{}, {"tile_rows": 2, "tile_cols": 1}, {"subsampling": "4:4:4"}])
@pytest.mark.parametrize("shape", [(64, 64), (300, 1100), (40, 4500)])
def test_avif_of_many_sizes_and_tiles(tmp_path, shape, how):
    picture = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    advanced = {"end-usage": "q", "cq-level": "25"}
    path = saved(tmp_path / "a", "AVIF", picture, quality=50, speed=10, advanced=advanced, **how)
    assert index_of(path) == 100


@pytest.mark.parametrize("layers", [0, 2])
@pytest.mark.parametrize("colour", [0, 1, 3, "separate"])
@pytest.mark.parametrize("scaling", [False, True])
@pytest.mark.parametrize(("adapted", "further"), [(True, 0), (False, 2)])
def test_heic_says_its_quantiser(layers, colour, scaling, adapted, further):
    how = {"layers": layers, "colour": colour, "scaling": scaling, "adapted": adapted}
    for middle, change in ((0, 0), (-4, 0), (3, -9), (0, 25)):
        configuration, content = hevc(middle, change, further=further, **how)
        assert hevc_quantiser(configuration, content) == 26 + middle + change


def test_heic_of_its_library(tmp_path):
    heif_library = pytest.importorskip("pillow_heif")
    for parameter in (10, 22, 35):
        image = heif_library.from_pillow(Image.fromarray(PICTURE))
        image.save(tmp_path / "a", enc_params={"x265:qp": str(parameter)})
        # x265 gives a picture that others may be predicted from 3 less.
        assert index_of(tmp_path / "a") == parameter - 3
        assert read_photograph(tmp_path / "a").coding.kind == "HEIC"


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_tiles_count_and_previews_do_not(tmp_path, wide, inside):
    def item(change):
        return (b"hvc1", *hevc(0, change))

    items = {1: item(4), 2: item(6), 3: item(5), 9: item(25), 20: (b"grid", b"", bytes(8))}
    references = [(b"thmb", 9, [20]), (b"dimg", 20, [1, 2, 3])]
    content = heif(items, 20, references, wide=wide, inside=inside)
    assert of_bytes(tmp_path, content) == 31
    assert [each.kind for each in coded_items(tmp_path / "file")] == [b"hvc1"] * 3
    assert of_bytes(tmp_path, heif(items, 2, references, wide=wide, inside=inside)) == 32


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"delay": True},
        {"ids": True},
        {"order": 7},
        {"tools": 0},
        {"tools": 1},
        {"tools": 1, "whole": 1},
        {"fixed": False},
        {"other_size": True},
        {"eighths": 8},
        # 73 samples become 65, in two columns of blocks.
        {"eighths": 9, "sides": (73, 48), "tiles": "0"},
        {"eighths": 16, "sides": (128, 48)},
        # Two columns at least, and their numbers.
        {"sides": (4097, 64), "tiles": "0000"},
        {"sides": (300, 48), "own": (5000, 64), "tiles": "0000"},
        {"sides": (300, 120), "tiles": "10" + "1" + "0000"},
        {"sides": (300, 120), "large": True, "tiles": "0"},
    ],
    ids=str,
)
def test_avif_of_headers_that_encoders_of_pictures_do_not_write(how):
    assert [av1_quantiser(av1(index, **how)) for index in (0, 90, 255)] == [0, 90, 255]


@pytest.mark.parametrize("how", [{"kind": 1}, {"kind": 2}, {"shown": False}], ids=str)
def test_avif_frames_that_are_no_picture_say_nothing(how):
    assert av1_quantiser(av1(90, **how)) is None


def test_layers_that_are_refined_further_say_nothing():
    assert av1_quantiser(av1(90)) == 90 and av1_quantiser(av1(90, points=2)) is None


def described(places, tiles=(1,), before=b""):
    """A HEIF file of one picture at places that are told; another is put together of tiles."""
    full = bytes(4)
    entry = box(b"infe", b"\2\0\0\0\0\1\0\0hvc1\0")
    parts = [
        box(b"pitm", full, struct.pack(">H", 2)),
        box(b"iinf", full, struct.pack(">H", 1), entry),
        box(b"iloc", places),
        box(b"iref", full, box(b"dimg", struct.pack(f">HH{len(tiles)}H", 2, len(tiles), *tiles))),
        box(b"iprp"),
    ]
    return box(b"ftyp", b"mif1\0\0\0\0mif1heic") + before + box(b"meta", full, *parts)


def place_of(first, size=100, bytes_=15):
    sizes = struct.pack(">HHHHH", bytes_ << 12 | 4 << 8, 1, 1, 0, 1)
    return bytes(4) + sizes + first.to_bytes(bytes_, "big") + struct.pack(">I", size)


@pytest.mark.parametrize("power", [31, 62, 63, 64, 110])
def test_places_and_sizes_beyond_every_file_say_nothing(tmp_path, power):
    assert of_bytes(tmp_path, described(place_of(2**power))) is None
    assert coded_items(tmp_path / "file")[0].content == b""
    if power < 65:
        huge = struct.pack(">I4sQ", 1, b"free", 2**power - 1)
        assert of_bytes(tmp_path, described(place_of(0), before=huge)) is None


def test_of_many_tiles_some_are_looked_at(tmp_path):
    (tmp_path / "file").write_bytes(described(place_of(0), tiles=[1] * 9000) + bytes(2**17))
    assert 16 < len(coded_items(tmp_path / "file")) <= 32
    (tmp_path / "file").write_bytes(described(place_of(0), tiles=[1] * 31))
    assert len(coded_items(tmp_path / "file")) == 31


def test_extents_behind_the_first_are_passed_over(tmp_path):
    places = bytes(4) + struct.pack(">HH", 0x4400, 2)
    places += struct.pack(">HHH", 5, 0, 3) + bytes(3 * 8) + struct.pack(">HHHII", 1, 0, 1, 4, 4)
    (tmp_path / "file").write_bytes(described(places))
    assert [each.content for each in coded_items(tmp_path / "file")] == [b"ftyp"]


@pytest.mark.parametrize(
    "places",
    [
        b"\2\0\0\0\0\0" + struct.pack(">I", 2**20) + bytes(2**20),
        b"\0\0\0\0\0\0" + struct.pack(">HHHH", 20_000, 1, 0, 65_535) + bytes(2**18),
    ],
    ids=["32 bits", "16 bits"],
)
def test_lists_longer_than_those_of_pictures_are_not_followed(tmp_path, places):
    (tmp_path / "file").write_bytes(described(places))
    with pytest.raises(IndexError, match="too long"):
        coded_items(tmp_path / "file")
    assert lossy_coding(tmp_path / "file") is None


def test_configurations_that_are_cut_off_or_endless_say_nothing():
    _, content = hevc(0, 3)
    endless = b"\x21\0\1\xff\xff" + bytes(2000) + b"\x22\0\1\0\x10" + bytes(16)
    for units in (b"\1\x21\xff\xff", b"\2" + endless):
        with pytest.raises(IndexError):
            hevc_quantiser(bytes(22) + units, content)
    with pytest.raises(IndexError):
        BitFields(bytes(5) + b"\xff" * 20).counted()


def damaged(content, generator):
    """The content cut off anywhere, and with some bytes of its beginning changed."""
    for size in range(0, min(len(content), 700), 3):
        yield content[:size]
    for _ in range(300):
        changed = bytearray(content)
        for place in generator.integers(0, min(len(content), 700), 3):
            changed[place] = generator.integers(256)
        yield bytes(changed)


@pytest.mark.parametrize("kind", ["webp", "heic", "avif"])
def test_damaged_files_say_nothing_or_a_number(tmp_path, kind):
    configuration, content = hevc(0, 3, scaling=True, layers=1)
    if kind == "webp":
        whole = webp(40, (1, 2, 3, 4), deltas=True)
    elif kind == "heic":
        whole = heif({1: (b"hvc1", configuration, content)}, 1)
    elif features.check("avif"):
        whole = saved(tmp_path / "a", "AVIF", speed=10).read_bytes()
    else:
        pytest.skip("this Pillow does not write AVIF")
    for each in damaged(whole, np.random.default_rng(0)):
        found = of_bytes(tmp_path, each)
        assert found is None or 0 <= found <= 255


def test_numbers_of_bits():
    values = [0, 1, 2, 6, 7, 8, 254, 1000]
    fields = Fields().number(5, 3).counted(*values)
    for value in values:
        fields.signed(value).signed(-value)
    bits = BitFields(fields.bytes())
    assert bits.number(3) == 5 and [bits.counted() for _ in values] == values
    assert [(bits.signed(), bits.signed()) for _ in values] == [(v, -v) for v in values]
    with pytest.raises(IndexError):
        BitFields(b"\0\0").counted()
    assert [bits_for(most) for most in (0, 1, 2, 3, 4, 5, 64)] == [0, 0, 1, 2, 2, 3, 6]


def test_escapes_of_hevc_are_undone():
    generator = np.random.default_rng(0)
    for _ in range(50):
        content = generator.integers(0, 5, 40, dtype=np.uint8).tobytes()
        assert without_escapes(escaped(content)) == content


def test_a_photograph_knows_its_coding(tmp_path):
    coding = read_photograph(saved(tmp_path / "a", "WEBP", quality=60)).coding
    assert (coding.kind, coding.coarsest, coding.coarse) == ("WebP", 127, True)
    assert not read_photograph(saved(tmp_path / "a", "WEBP", quality=95)).coding.coarse
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, "PNG")
    (tmp_path / "b").write_bytes(buffer.getvalue())
    assert read_photograph(tmp_path / "b").coding is None
