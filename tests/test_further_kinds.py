"""AVIF, JPEG 2000 and Netpbm's files: every bit is read, and what is not read is refused."""

import io

import imagecodecs
import numpy as np
import pytest
from photograph_samples import drawn, notes, said
from PIL import Image, ImageCms, features

from hsi_suite.data.formats.avif_files import is_avif
from hsi_suite.data.formats.image_notes import exif_dpi
from hsi_suite.data.formats.png_colours import colour_chunks
from hsi_suite.data.photograph_losses import lost_notes
from hsi_suite.data.photograph_writer import check_writable, write_photograph
from hsi_suite.data.photographs import Photograph, PhotographHeader, read_header, read_photograph
from hsi_suite.errors import InputFileError, OutputError

COLOUR = drawn(shape=(40, 44))
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow does not read AVIF")


def deep(bits, channels=3, seed=0):
    values = np.random.default_rng(seed).integers(0, 2**bits, (40, 44, channels))
    values = values.astype(np.uint16 if bits > 8 else np.uint8)
    return values[..., 0] if channels == 1 else values


def check(path, values, white):
    header, photograph = read_header(path), read_photograph(path)
    assert header == photograph.header and header.white == white
    found = photograph.values
    if photograph.alpha is not None:
        found = np.dstack([found, photograph.alpha])
    assert found.dtype == values.dtype and np.array_equal(found, values)
    return photograph


@pytest.mark.parametrize("ending", ["jp2", "j2k"])
@pytest.mark.parametrize(("bits", "channels"), [(8, 3), (8, 1), (12, 3), (16, 1), (16, 3), (16, 4)])
def test_jpeg2000_of_every_depth(tmp_path, ending, bits, channels):
    values = deep(bits, channels)
    coded = imagecodecs.jpeg2k_encode(
        values, level=0, reversible=True, codecformat=ending, bitspersample=bits
    )
    (tmp_path / f"a.{ending}").write_bytes(coded)
    check(tmp_path / f"a.{ending}", values, 2**bits - 1)


def test_few_bits_of_jpeg2000_reach_white(tmp_path):
    values = deep(4)
    coded = imagecodecs.jpeg2k_encode(values, level=0, reversible=True, bitspersample=4)
    (tmp_path / "a.jp2").write_bytes(coded)
    check(tmp_path / "a.jp2", values * np.uint8(17), 255)


def with_box(coded, kind, content):
    """A box more at the end of the header boxes of a JP2 file."""
    place = coded.index(b"jp2h") - 4
    size = int.from_bytes(coded[place : place + 4], "big")
    box = (len(content) + 8).to_bytes(4, "big") + kind + content
    header = (size + len(box)).to_bytes(4, "big") + coded[place + 4 : place + size] + box
    return coded[:place] + header + coded[place + size :]


@pytest.mark.parametrize("bits", [8, 12])
def test_profiles_of_jpeg2000_are_kept_and_coordinates_named_as_lost(tmp_path, bits):
    values = deep(bits)
    coded = imagecodecs.jpeg2k_encode(values, level=0, reversible=True, bitspersample=bits)
    (tmp_path / "a.jp2").write_bytes(with_box(coded, b"colr", b"\2\0\0" + ICC))
    photograph = check(tmp_path / "a.jp2", values, 2**bits - 1)
    assert photograph.icc_profile == ICC and photograph.remark == ""
    place = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03") + b"II*\0"
    box = (len(place) + 8).to_bytes(4, "big") + b"uuid" + place
    where = coded.index(b"jp2h") - 4
    (tmp_path / "b.jp2").write_bytes(coded[:where] + box + coded[where:])
    assert "coordinates are not read" in read_photograph(tmp_path / "b.jp2").remark


def test_what_is_not_read_of_jpeg2000_is_refused(tmp_path):
    coded = bytearray(imagecodecs.jpeg2k_encode(deep(12), level=0, reversible=True))
    place = coded.index(b"\xff\x4f\xff\x51") + 42
    for content in (11 | 0x80, 7):
        coded[place] = content
        (tmp_path / "a.jp2").write_bytes(coded)
        with pytest.raises(InputFileError, match=r"differ, have a sign"):
            read_header(tmp_path / "a.jp2")
    whole = imagecodecs.jpeg2k_encode(deep(12), level=0, reversible=True)
    (tmp_path / "cut.jp2").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputFileError, match="undamaged"):
        read_photograph(tmp_path / "cut.jp2")


@avif
@pytest.mark.parametrize(("bits", "channels"), [(8, 3), (8, 1), (10, 1), (10, 3), (10, 4), (12, 3)])
def test_avif_of_every_depth(tmp_path, bits, channels):
    values = deep(bits, channels)
    coded = imagecodecs.avif_encode(values, bitspersample=bits, level=100)
    (tmp_path / "a.avif").write_bytes(coded)
    check(tmp_path / "a.avif", values, 2**bits - 1)


@avif
def test_notes_of_avif_are_kept(tmp_path):
    exif = b"Exif\0\0" + notes(orientation=6)
    image = Image.fromarray(COLOUR)
    image.save(tmp_path / "a.avif", exif=exif, xmp=b"<x/>", icc_profile=ICC, quality=90)
    photograph = read_photograph(tmp_path / "a.avif")
    assert photograph.icc_profile == ICC and photograph.xmp == b"<x/>"
    assert photograph.orientation == 6 and said(photograph.exif)[271] == "Maker"
    assert photograph.values.shape == COLOUR.shape  # not turned
    difference = photograph.values.astype(float) - COLOUR
    assert np.sqrt(np.mean(difference**2)) < 12


@avif
def test_code_points_of_avif_become_those_of_a_png(tmp_path):
    coded = imagecodecs.avif_encode(deep(8), level=100)
    place = coded.index(b"nclx") + 4
    wide = coded[:place] + bytes([0, 9, 0, 16]) + coded[place + 4 :]
    (tmp_path / "a.avif").write_bytes(wide)
    photograph = read_photograph(tmp_path / "a.avif")
    write_photograph(tmp_path / "a.png", photograph)
    assert colour_chunks(tmp_path / "a.png") == ((b"cICP", bytes([9, 16, 0, 1])),)
    plain = coded[:place] + bytes([0, 1, 0, 13]) + coded[place + 4 :]
    (tmp_path / "b.avif").write_bytes(plain)
    assert read_photograph(tmp_path / "b.avif").colours == ()


@avif
def test_animations_and_damaged_avif_are_refused(tmp_path):
    frames = [Image.fromarray(COLOUR), Image.fromarray(255 - COLOUR)]
    frames[0].save(tmp_path / "film.avif", save_all=True, append_images=frames[1:])
    with pytest.raises(InputFileError, match="holds 2 images"):
        read_header(tmp_path / "film.avif")
    buffer = io.BytesIO()
    frames[0].save(buffer, "AVIF")
    for name, share in (("a.avif", 0.5), ("b.avif", 0.95), ("c.avif", 0.05)):
        content = buffer.getvalue()
        (tmp_path / name).write_bytes(content[: int(len(content) * share)])
        with pytest.raises(InputFileError):
            read_photograph(tmp_path / name)


def test_an_avif_by_a_brand_it_is_compatible_with(tmp_path):
    head = (28).to_bytes(4, "big") + b"ftypmif1\0\0\0\0mif1avif"
    (tmp_path / "a.heic").write_bytes(head + bytes(20))
    assert is_avif(tmp_path / "a.heic")
    (tmp_path / "b.heic").write_bytes(head.replace(b"avif", b"heic") + bytes(20))
    assert not is_avif(tmp_path / "b.heic")


def text_of(values):
    return "\n".join(" ".join(map(str, line)) for line in values.reshape(len(values), -1)).encode()


def netpbm(kind, values, most, comment=b"# a comment\n"):
    lines, samples = values.shape[:2]
    head = b"%s\n%s%d %d\n" % (kind, comment, samples, lines) + (b"%d\n" % most if most else b"")
    if kind in (b"P2", b"P3"):
        return head + text_of(values) + b"\n# the end\n"
    return head + values.astype(f">u{values.dtype.itemsize}").tobytes()


@pytest.mark.parametrize("most", [255, 1000, 4095, 65535])
@pytest.mark.parametrize("kind", [b"P2", b"P3", b"P5", b"P6"])
def test_netpbm_of_every_depth(tmp_path, kind, most):
    shape = (40, 44) if kind in (b"P2", b"P5") else (40, 44, 3)
    values = np.random.default_rng(0).integers(0, most + 1, shape)
    values = values.astype(np.uint8 if most == 255 else np.uint16)
    (tmp_path / "a.pnm").write_bytes(netpbm(kind, values, most))
    check(tmp_path / "a.pnm", values, most)


def test_few_levels_and_bits_reach_white(tmp_path):
    values = deep(4, 1)
    (tmp_path / "a.pgm").write_bytes(netpbm(b"P5", values, 15))
    check(tmp_path / "a.pgm", values * np.uint8(17), 255)
    bits = np.random.default_rng(0).integers(0, 2, (40, 43)).astype(np.uint8)
    packed = np.packbits(bits, axis=1)
    (tmp_path / "a.pbm").write_bytes(b"P4 43 40\n" + packed.tobytes())
    check(tmp_path / "a.pbm", 255 * (1 - bits), 255)
    joined = "\n".join("".join(map(str, line)) for line in bits)
    (tmp_path / "b.pbm").write_text(f"P1\n# as text\n43 40\n{joined}\n")
    check(tmp_path / "b.pbm", 255 * (1 - bits), 255)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pam(tmp_path, channels):
    values = deep(16, channels)
    head = f"P7\n# note\nWIDTH 44\nHEIGHT 40\nDEPTH {channels}\nMAXVAL 65535\nTUPLTYPE X\nENDHDR\n"
    (tmp_path / "a.pam").write_bytes(head.encode() + values.astype(">u2").tobytes())
    photograph = check(tmp_path / "a.pam", values, 65535)
    assert (photograph.alpha is not None) == (channels in (2, 4))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["Pf", "PF"])
def test_pfm(tmp_path, kind, order):
    shape = (40, 44) if kind == "Pf" else (40, 44, 3)
    values = np.random.default_rng(0).random(shape, np.float32)
    scale = -1.0 if order == "<" else 1.0
    head = f"{kind}\n44 40\n{scale}\n".encode()
    (tmp_path / "a.pfm").write_bytes(head + values[::-1].astype(f"{order}f4").tobytes())
    check(tmp_path / "a.pfm", values, 1)


def test_our_netpbm_is_pillows(tmp_path):
    for name, image in (
        ("a.ppm", Image.fromarray(COLOUR)),
        ("a.pgm", Image.fromarray(COLOUR[..., 0])),
    ):
        image.save(tmp_path / name)
        check(tmp_path / name, np.asarray(image), 255)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"P5\n44 40\n255\nxyz", "hold 3 of 1,760"),
        (b"P5\n44\n", "damaged Netpbm header"),
        (b"P5\n44 0\n255\n", "damaged Netpbm header"),
        (b"P5\n44 40\n70000\n", "damaged Netpbm header"),
        (b"P2\n2 1\n9\n3 10\n", "holds 10, more than its white, 9"),
        (b"P2\n2 1\n9\n3 x\n", "hold 1 of 2"),
        (b"P5\n2 1\n9\n\1\2P5\n2 1\n9\n\1\2", "several images"),
        (b"P7\nWIDTH 2\n", "damaged Netpbm header"),
        (b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 5\nMAXVAL 9\nENDHDR\n", "damaged Netpbm header"),
        (b"PF\n99999 99999\n-1\n", "GB"),
    ],
)
def test_damaged_netpbm_is_one_line(tmp_path, content, match):
    (tmp_path / "a.pnm").write_bytes(content)
    with pytest.raises(InputFileError, match=match):
        read_photograph(tmp_path / "a.pnm")


def test_bmp_of_every_kind(tmp_path):
    image = Image.fromarray(COLOUR)
    for name, other in (("a", image), ("b", image.convert("L")), ("c", image.quantize(16)),
                        ("d", image.convert("1"))):  # fmt: skip
        other.save(tmp_path / f"{name}.bmp")
        wanted = (
            other.convert("RGB")
            if other.mode == "P"
            else other.convert("L" if other.mode == "1" else other.mode)
        )
        check(tmp_path / f"{name}.bmp", np.asarray(wanted), 255)


def test_the_command_reads_them(hsi, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pgm").write_bytes(netpbm(b"P5", deep(12, 1), 4095))
    (tmp_path / "in" / "b.jp2").write_bytes(imagecodecs.jpeg2k_encode(COLOUR, level=0))
    options = ("--model", "default_denoiser", "--sigma", "3")
    status, _, err = hsi("denoise", "in", "-o", "out", *options)
    assert status == 0, err
    deep_result = read_photograph(tmp_path / "out" / "a_denoised.tif").values
    assert deep_result.dtype == np.uint16 and 3000 < deep_result.max() <= 4095
    assert read_photograph(tmp_path / "out" / "b_denoised.png").values.shape == COLOUR.shape


@pytest.mark.parametrize("ending", ["jp2", "pnm", "ppm"])
@pytest.mark.parametrize(("bits", "channels"), [(8, 1), (8, 3), (12, 1), (12, 3), (16, 1), (16, 3)])
def test_what_is_written_without_loss_is_read_again(tmp_path, ending, bits, channels):
    values = deep(bits, channels)
    path = tmp_path / f"a.{ending}"
    write_photograph(path, Photograph(values, white=2.0**bits - 1))
    wanted = np.repeat(values[..., None], 3, 2) if (ending, channels) == ("ppm", 1) else values
    check(path, wanted, 2**bits - 1)


def test_white_of_no_power_of_two(tmp_path):
    values = np.minimum(deep(12), 1000)
    for name, white in (("a.pnm", 1000), ("a.jp2", 65_535)):
        write_photograph(tmp_path / name, Photograph(values, white=1000))
        check(tmp_path / name, values, white)


@pytest.mark.parametrize("ending", ["jp2", "pnm", "bmp"])
def test_what_has_no_place_for_a_turn_is_turned_and_the_rest_is_named(tmp_path, ending):
    photograph = Photograph(COLOUR, icc_profile=ICC, exif=notes(orientation=6))
    path = tmp_path / f"a.{ending}"
    write_photograph(path, photograph)
    assert np.array_equal(read_photograph(path).values, np.rot90(COLOUR, -1))
    assert lost_notes(photograph, path) == ("colour profile", "EXIF")


@avif
def test_avif_keeps_notes_and_takes_a_quality(tmp_path):
    alpha = np.arange(COLOUR[..., 0].size).reshape(COLOUR.shape[:2]).astype(np.uint8)
    photograph = Photograph(
        COLOUR, alpha, ICC, notes(orientation=6), dpi=(300.0, 300.0), xmp=b"<x/>", iptc=b"x"
    )
    sizes = {}
    for quality in (None, 30):
        path = tmp_path / f"{quality}.avif"
        write_photograph(path, photograph, quality=quality)
        sizes[quality] = path.stat().st_size
    found = read_photograph(tmp_path / "None.avif")
    assert found.icc_profile == ICC and found.xmp == b"<x/>" and found.orientation == 6
    assert said(found.exif)[271] == "Maker" and exif_dpi(found.exif) == (300, 300)
    assert found.alpha is not None and sizes[30] < sizes[None]
    error = found.values.astype(float) - COLOUR
    assert np.sqrt(np.mean(error**2)) < 8
    assert lost_notes(photograph, path) == ("IPTC notes",)


@pytest.mark.parametrize(
    ("name", "dtype", "channels", "alpha", "match"),
    [
        ("a.pgm", np.uint8, 3, False, r"colours; expected a file ending \.ppm"),
        ("a.pnm", np.uint8, 3, True, "transparency"),
        ("a.jp2", np.float32, 3, False, "float32"),
        ("a.avif", np.uint16, 3, False, "uint16"),
    ],
)
def test_what_these_cannot_hold_is_refused(tmp_path, name, dtype, channels, alpha, match):
    with pytest.raises(OutputError, match=match):
        check_writable(tmp_path / name, PhotographHeader(5, 7, channels, np.dtype(dtype), alpha))


@pytest.mark.parametrize(
    ("kind", "ending"), [("jpeg2000", "jp2"), ("bmp", "bmp"), ("pnm", "pnm"), ("avif", "avif")]
)
def test_the_command_writes_them(hsi, monkeypatch, tmp_path, kind, ending):
    if kind == "avif" and not features.check("avif"):
        pytest.skip("this Pillow does not write AVIF")
    monkeypatch.chdir(tmp_path)
    Image.fromarray(COLOUR).save("a.png")
    options = ("--model", "default_denoiser", "--sigma", "3")
    assert hsi("denoise", "a.png", "--format", kind, *options)[0] == 0
    assert read_photograph(tmp_path / f"a_denoised.{ending}").values.shape == COLOUR.shape
    status, _, err = hsi("denoise", "a.png", "--format", kind, "-o", "b.png", *options)
    assert status == 2 and f"{kind} for b.png" in err
