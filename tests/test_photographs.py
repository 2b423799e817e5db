import io
import struct
import zlib
from contextlib import nullcontext

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, PngImagePlugin

from hsi_suite.data.formats.deep_png import decode_deep_png, encode_deep_png
from hsi_suite.data.formats.geotiff_tags import geotiff_tags, read_geotiff
from hsi_suite.data.images import read_image
from hsi_suite.data.photograph_endings import WRITTEN_ENDINGS
from hsi_suite.data.photograph_stacks import open_stack
from hsi_suite.data.photograph_writer import _HOLDS, check_writable, write_photograph
from hsi_suite.data.photographs import (
    Photograph,
    PhotographHeader,
    is_photograph,
    read_header,
    read_photograph,
)
from hsi_suite.data.readers import open_cube
from hsi_suite.data.scene import Georeference
from hsi_suite.errors import ExistingOutputError, InputFileError, OutputError

RNG = np.random.default_rng(0)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def drawn(dtype, channels):
    shape = (13, 21) if channels == 1 else (13, 21, channels)
    if np.issubdtype(dtype, np.floating):
        return RNG.random(shape).astype(dtype)
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def turned(orientation):
    tags = Image.Exif()
    tags[274] = orientation
    tags[271] = "Camera maker"
    return tags.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize("notes", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("ending", "dtype"),
    [
        (".png", np.uint8),
        (".png", np.uint16),
        (".tif", np.uint8),
        (".tif", np.uint16),
        (".tif", np.float32),
    ],
)
def test_what_is_written_is_read_again(tmp_path, ending, dtype, channels, alpha, notes):
    path = tmp_path / f"image{ending}"
    made = Photograph(
        drawn(dtype, channels),
        drawn(dtype, 1) if alpha else None,
        PROFILE,
        turned(6) if notes else None,
        (72.0, 144.0),
    )
    write_photograph(path, made)
    found = read_photograph(path)
    assert found.values.dtype == dtype and np.array_equal(found.values, made.values)
    assert (found.alpha is not None) == alpha
    if alpha:
        assert np.array_equal(found.alpha, made.alpha)
    assert found.icc_profile == PROFILE
    assert found.orientation == (6 if notes else 1)
    header = read_header(path)
    assert (header.lines, header.samples, header.channels) == (13, 21, channels)
    assert header.dtype == dtype and header.alpha == alpha
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    if ending == ".png":
        with Image.open(path) as image:
            assert image.getexif().get(271) == ("Camera maker" if notes else None)
            assert image.info["dpi"] == pytest.approx((72, 144), abs=0.1)
    else:
        with tifffile.TiffFile(path) as file:
            assert file.pages[0].tags.valueof("XResolution")[0] == 72


def test_jpeg_keeps_profile_and_notes(tmp_path):
    smooth = np.repeat(np.linspace(0, 255, 32).astype(np.uint8)[:, None], 24, 1)
    made = Photograph(np.dstack([smooth] * 3), None, PROFILE, turned(8), (300.0, 300.0))
    path = tmp_path / "image.jpg"
    write_photograph(path, made)
    found = read_photograph(path)
    assert np.abs(found.values.astype(int) - made.values).max() <= 4
    assert (found.icc_profile, found.orientation, found.dpi) == (PROFILE, 8, (300, 300))


def test_bmp_holds_the_values(tmp_path):
    path = tmp_path / "image.bmp"
    made = Photograph(drawn(np.uint8, 3), None, PROFILE, None, (72.0, 72.0))
    write_photograph(path, made)
    assert np.array_equal(read_photograph(path).values, made.values)


def test_palettes_become_colours(tmp_path):
    image = Image.fromarray(drawn(np.uint8, 3)).quantize(16)
    image.save(tmp_path / "palette.png")
    found = read_photograph(tmp_path / "palette.png")
    assert np.array_equal(found.values, np.asarray(image.convert("RGB")))
    assert found.alpha is None
    image.save(tmp_path / "clear.png", transparency=3)
    found = read_photograph(tmp_path / "clear.png")
    assert read_header(tmp_path / "clear.png").alpha
    assert np.array_equal(found.alpha == 0, np.asarray(image) == 3)


def test_black_and_white_becomes_grey(tmp_path):
    bits = drawn(np.uint8, 1) > 127
    Image.fromarray(bits).save(tmp_path / "bits.png")
    Image.fromarray(bits).save(tmp_path / "bits.tif")
    for name in ("bits.png", "bits.tif"):
        found = read_photograph(tmp_path / name)
        assert np.array_equal(found.values, bits * np.uint8(255))
        assert read_header(tmp_path / name).channels == 1


def test_planar_and_lzw_tiffs(tmp_path):
    values = drawn(np.uint16, 3)
    planes = np.ascontiguousarray(np.moveaxis(values, 2, 0))
    tifffile.imwrite(tmp_path / "planar.tif", planes, photometric="rgb", planarconfig="separate")
    assert np.array_equal(read_photograph(tmp_path / "planar.tif").values, values)
    eight = drawn(np.uint8, 3)
    Image.fromarray(eight).save(tmp_path / "lzw.tif", compression="tiff_lzw")
    assert np.array_equal(read_photograph(tmp_path / "lzw.tif").values, eight)


def test_an_independent_reading_of_deep_colours():
    values = drawn(np.uint16, 3)
    stream = io.BytesIO()
    encode_deep_png(stream, values, icc_profile=None, exif=None, dots_per_metre=None)
    content = stream.getvalue()
    start = content.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", content[start - 8 : start - 4])
    chunks = [content[start : start + length]]
    rest = content[start + length + 4 :]
    while rest[4:8] == b"IDAT":
        (length,) = struct.unpack(">I", rest[:4])
        chunks.append(rest[8 : 8 + length])
        rest = rest[12 + length :]
    raw = np.frombuffer(zlib.decompress(b"".join(chunks)), np.uint8).reshape(13, -1)
    assert (raw[:, 0] == 2).all()
    lines = np.cumsum(raw[:, 1:], axis=0, dtype=np.uint8)
    assert np.array_equal(lines.view(">u2").reshape(values.shape), values)
    assert np.array_equal(decode_deep_png(stream), values)


def damaged(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (64, 64, 3), np.uint8)).save(buffer, "PNG")
    png = buffer.getvalue()
    deep = io.BytesIO()
    encode_deep_png(deep, drawn(np.uint16, 3), icc_profile=None, exif=None, dots_per_metre=None)
    tiff = io.BytesIO()
    tifffile.imwrite(tiff, drawn(np.uint8, 3))
    return {
        "short.png": png[: len(png) // 2],
        "deep.png": deep.getvalue()[: len(deep.getvalue()) // 2],
        "short.tif": tiff.getvalue()[:-300],
        "head.tif": tiff.getvalue()[:20],
        "empty.png": b"",
        "random.jpg": RNG.bytes(500),
        "text.bmp": b"BM is how a bitmap begins",
        "magic.tif": b"II*\0" + RNG.bytes(60),
    }


@pytest.mark.parametrize(
    "name",
    [
        "short.png",
        "deep.png",
        "short.tif",
        "head.tif",
        "empty.png",
        "random.jpg",
        "text.bmp",
        "magic.tif",
    ],
)
def test_damaged_files_are_one_line(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(damaged(tmp_path)[name])
    with pytest.raises(InputFileError) as caught:
        read_photograph(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_values_many_images_and_bands_are_refused(tmp_path):
    values = drawn(np.float32, 1)
    values[3, 4] = np.nan
    tifffile.imwrite(tmp_path / "holes.tif", values)
    with pytest.raises(InputFileError, match=r"holds 1 value that is no number .* Fill them first"):
        read_photograph(tmp_path / "holes.tif")
    values[4:6, 4] = np.inf
    tifffile.imwrite(tmp_path / "holes.tif", values)
    with pytest.raises(InputFileError, match="holds 3 values that are no numbers"):
        read_photograph(tmp_path / "holes.tif")
    # What the remedy says fills them.
    values[~np.isfinite(values)] = np.nanmedian(values)
    tifffile.imwrite(tmp_path / "holes.tif", values)
    assert np.array_equal(read_photograph(tmp_path / "holes.tif").values, values)
    tifffile.imwrite(tmp_path / "many.tif", RNG.random((3, 8, 9)), photometric="minisblack")
    with pytest.raises(InputFileError, match="3 images"):
        read_header(tmp_path / "many.tif")
    tifffile.imwrite(
        tmp_path / "cube.tif", RNG.random((8, 9, 30)), photometric="minisblack",
        planarconfig="contig",
    )  # fmt: skip
    with pytest.raises(InputFileError, match="30 bands"):
        read_header(tmp_path / "cube.tif")
    frames = [Image.fromarray(drawn(np.uint8, 3)) for _ in range(2)]
    frames[0].save(tmp_path / "film.png", save_all=True, append_images=frames[1:])
    with pytest.raises(InputFileError, match="2 images"):
        read_header(tmp_path / "film.png")


def test_a_huge_declared_size_is_read_from_the_header_alone(tmp_path):
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG")
    content = bytearray(buffer.getvalue())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "bomb.png").write_bytes(content)
    header = read_header(tmp_path / "bomb.png")
    assert (header.lines, header.samples) == (60_000, 60_000)
    assert Image.MAX_IMAGE_PIXELS is not None


@pytest.mark.parametrize(
    ("name", "dtype", "alpha", "match"),
    [
        ("a.gif", np.uint8, False, "no image file"),
        ("a.jpg", np.uint16, False, "uint16"),
        ("a.jpg", np.uint8, True, "transparency.*png"),
        ("a.png", np.float32, False, r"float32.*\.tif"),
        ("a.jpg", np.uint8, False, "70,000 × 5 pixels"),
    ],
)
def test_what_a_file_cannot_hold(tmp_path, name, dtype, alpha, match):
    with pytest.raises(OutputError, match=match):
        check_writable(tmp_path / name, PhotographHeader(5, 70_000, 3, np.dtype(dtype), alpha))


def test_a_text_bomb_in_a_png_is_refused(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("bomb", "0" * 5_000_000, zip=True)
    Image.new("L", (8, 8)).save(tmp_path / "text.png", pnginfo=info)
    with pytest.raises(InputFileError, match="cannot be read"):
        read_photograph(tmp_path / "text.png")


def test_coordinates_stay_in_a_tiff(tmp_path):
    place = Georeference("EPSG:32632", (2.0, 0.0, 500000.0, 0.0, -2.0, 5200000.0))
    tags = geotiff_tags(tmp_path / "map.tif", place)
    values = drawn(np.uint8, 3)
    tifffile.imwrite(tmp_path / "map.tif", values, photometric="rgb", extratags=tags, metadata=None)
    assert read_header(tmp_path / "map.tif").georeferenced
    write_photograph(tmp_path / "copy.tif", read_photograph(tmp_path / "map.tif"))
    with tifffile.TiffFile(tmp_path / "copy.tif") as file:
        assert read_geotiff(tmp_path / "copy.tif", file.pages.first) == place
    assert np.array_equal(read_photograph(tmp_path / "copy.tif").values, values)


@pytest.mark.parametrize("compression", ["lzw", "zstd", "deflate", "lerc", "packbits", "lzma"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_tiffs_of_every_compression_are_read(tmp_path, dtype, compression):
    values = drawn(dtype, 3)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", compression=compression)
    assert np.array_equal(read_photograph(tmp_path / "a.tif").values, values)
    if dtype != np.float32:
        shares = np.rint(values / (np.iinfo(dtype).max / 255)).astype(np.uint8)
        assert np.array_equal(read_image(tmp_path / "a.tif", "rgb"), shares)


@pytest.mark.parametrize("bits", [2, 4, 10, 12, 14])
def test_bits_say_what_is_white(tmp_path, bits):
    rasterio = pytest.importorskip("rasterio")
    dtype = np.uint8 if bits < 8 else np.uint16
    values = RNG.integers(0, 2**bits, (13, 21), dtype)
    with rasterio.Env(), rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", width=21, height=13, count=1, dtype=dtype,
        nbits=bits, compress="lzw", crs="EPSG:32632", transform=rasterio.Affine(2, 0, 0, 0, -2, 0),
    ) as file:  # fmt: skip
        file.write(values[None])
    found = read_photograph(tmp_path / "a.tif")
    stretched = values * (255 // (2**bits - 1)) if bits < 8 else values
    assert found.values.dtype == dtype and np.array_equal(found.values, stretched)
    white = max(255, 2**bits - 1)
    assert found.header.white == read_header(tmp_path / "a.tif").white == white
    if bits > 8:
        write_photograph(tmp_path / "a.png", found)
        full = np.rint(values * (65535 / white)).astype(np.uint16)
        assert np.array_equal(read_photograph(tmp_path / "a.png").values, full)
    assert np.array_equal(
        read_image(tmp_path / "a.tif"), np.rint(values * (255 / (2**bits - 1))).astype(np.uint8)
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_may_be_zero(tmp_path, dtype):
    values = drawn(dtype, 1)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="miniswhite", compression="lzw")
    found = read_photograph(tmp_path / "a.tif")
    assert np.array_equal(found.values, np.iinfo(dtype).max - values)


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified", None])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("compression", [None, "lzw"])
def test_a_further_band_is_transparency_only_where_the_file_says_so(
    tmp_path, channels, kind, compression
):
    values = drawn(np.uint16, channels + 1)
    tifffile.imwrite(
        tmp_path / "a.tif", values, photometric="rgb" if channels == 3 else "minisblack",
        planarconfig="contig", extrasamples=[kind or "unspecified"], compression=compression,
        metadata=None,
    )  # fmt: skip
    if kind is None:
        with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as file:
            tag = file.pages.first.tags["ExtraSamples"]
            with (tmp_path / "a.tif").open("r+b") as raw:
                raw.seek(tag.offset)
                raw.write(struct.pack("<H", 65000))
    if kind in ("unassalpha", "assocalpha"):
        assert is_photograph(tmp_path / "a.tif")
        found = read_photograph(tmp_path / "a.tif")
        assert np.array_equal(found.alpha, values[..., -1]) and found.header.alpha
        assert np.array_equal(found.values, values[..., :-1].squeeze())
    else:
        assert not is_photograph(tmp_path / "a.tif")
        with pytest.raises(InputFileError, match=f"{channels + 1} bands"):
            read_header(tmp_path / "a.tif")


DAMAGED_TAGS = [
    ("ICC", (34675, "I", 1, 7, True)),
    ("ICC text", (34675, "s", 0, "profile", True)),
    ("orientation", (274, "s", 0, "up", True)),
    ("resolution", (282, "s", 0, "300 dpi", True)),
    ("coordinates", (33550, "s", 0, "one metre", True)),
    ("keys", (34735, "d", 4, (1.0, 1.0, 0.0, 0.0), True)),
]


@pytest.mark.parametrize("tag", [tag for _, tag in DAMAGED_TAGS], ids=[n for n, _ in DAMAGED_TAGS])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_tags_of_a_wrong_type_say_nothing_and_harm_nothing(tmp_path, tag, dtype):
    values = drawn(dtype, 1)
    tifffile.imwrite(
        tmp_path / "a.tif", values, photometric="minisblack", metadata=None, software=False,
        extratags=[tag],
    )  # fmt: skip
    found = read_photograph(tmp_path / "a.tif")
    assert found.icc_profile is None and found.orientation == 1
    for ending in (".tif",) if dtype == np.float32 else (".tif", ".png"):
        write_photograph(tmp_path / f"copy{ending}", found)
        assert np.array_equal(read_photograph(tmp_path / f"copy{ending}").values, values)


@pytest.mark.parametrize("name", ["ImageWidth", "ImageLength", "SamplesPerPixel", "Compression"])
@pytest.mark.parametrize(("place", "value"), [(4, 7), (2, 11)], ids=["seven of them", "floats"])
@pytest.mark.parametrize("big", [False, True])
def test_sizes_that_are_no_whole_number_are_one_line(tmp_path, name, place, value, big):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, drawn(np.uint8, 1), metadata=None, bigtiff=big)
    with tifffile.TiffFile(path) as file:
        start = file.pages.first.tags[name].offset
    content = bytearray(path.read_bytes())
    content[start + place] = value
    path.write_bytes(content)
    for read in (lambda path: nullcontext(read_photograph(path)), open_cube, open_stack):
        with pytest.raises(InputFileError, match=r"a\.tif.*not one whole number"), read(path):
            pass


def test_what_cannot_be_encoded_is_one_line(tmp_path):
    broken = Photograph(drawn(np.uint16, 1), icc_profile=7)
    for ending in (".tif", ".png"):
        with pytest.raises(OutputError, match="cannot be encoded"):
            write_photograph(tmp_path / f"a{ending}", broken)
    assert not list(tmp_path.iterdir())


def test_files_of_other_kinds_are_not_blamed_on_the_copy(tmp_path):
    Image.fromarray(drawn(np.uint8, 3)).save(tmp_path / "a.tga")
    (tmp_path / "a.mov").write_bytes(b"\0\0\0\x18ftypqt  " + bytes(64))
    for name in ("a.tga", "a.mov"):
        with pytest.raises(InputFileError) as caught:
            read_header(tmp_path / name)
        assert "again" not in str(caught.value)


def test_a_file_that_came_meanwhile_is_kept(tmp_path):
    photograph = Photograph(np.zeros((8, 9), np.uint8))
    (tmp_path / "own.png").write_text("mine")
    with pytest.raises(ExistingOutputError, match="exists already"):
        write_photograph(tmp_path / "own.png", photograph, overwrite=False)
    assert (tmp_path / "own.png").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["own.png"]
    write_photograph(tmp_path / "own.png", photograph)
    assert (tmp_path / "own.png").read_bytes()[:4] == b"\x89PNG"


def test_endings_that_are_known_without_the_writer_are_its_own():
    assert set(_HOLDS) == set(WRITTEN_ENDINGS)
