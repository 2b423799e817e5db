"""Every kind of picture that people bring: what is read of it, what is kept, what is refused."""

import io
import sys

import imagecodecs
import numpy as np
import pytest
import tifffile
from photograph_samples import (
    IPTC,
    XMP,
    animate,
    app13,
    drawn,
    ink_profile,
    notes,
    said,
    with_xmp,
    write_raw,
)
from PIL import Image, ImageCms, IptcImagePlugin, JpegImagePlugin, PngImagePlugin

from hsi_suite.data.formats.other_colours import rgb_of_lab
from hsi_suite.data.photograph_losses import lost_notes, lost_text
from hsi_suite.data.photograph_writer import write_photograph
from hsi_suite.data.photographs import Photograph, is_photograph, read_header, read_photograph
from hsi_suite.errors import InputFileError, OutputError

RNG = np.random.default_rng(0)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
COLOUR, GREY = drawn(), drawn(1)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("lossless", [False, True])
def test_webp_pictures(tmp_path, lossless, alpha):
    values = np.dstack([COLOUR, GREY]) if alpha else COLOUR
    path = tmp_path / "a.webp"
    Image.fromarray(values).save(path, lossless=lossless, exact=True, quality=90)
    header, found = read_header(path), read_photograph(path)
    assert (header.channels, header.alpha, header.dtype) == (3, alpha, np.uint8)
    assert (found.alpha is not None) == alpha
    far = np.abs(found.values.astype(int) - COLOUR)
    assert far.max() == 0 if lossless else far.mean() < 6
    if alpha:
        assert np.array_equal(found.alpha, GREY)


def test_a_single_frame_of_a_gif_is_a_picture(tmp_path):
    image = Image.fromarray(COLOUR).quantize(64)
    image.save(tmp_path / "a.gif")
    shown = np.asarray(Image.open(tmp_path / "a.gif").convert("RGB"))
    assert np.array_equal(read_photograph(tmp_path / "a.gif").values, shown)
    image.save(tmp_path / "b.gif", transparency=5)
    found = read_photograph(tmp_path / "b.gif")
    assert read_header(tmp_path / "b.gif").alpha
    assert np.array_equal(found.alpha == 0, np.asarray(image) == 5)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_animations_are_refused_not_cut_to_a_frame(tmp_path, name):
    animate(tmp_path / name, COLOUR)
    with pytest.raises(InputFileError, match=r"holds 2 images; expected one\. Save the frame"):
        read_header(tmp_path / name)


def test_the_content_counts_and_not_the_name(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "a.png", "JPEG", quality=80)
    found = read_photograph(tmp_path / "a.png")
    assert found.jpeg is not None and found.values.shape == COLOUR.shape


def inks_of(values):
    """Full cyan, magenta and yellow of what a picture lacks, and some black."""
    return np.dstack([255 - values, GREY // 3])


def test_inks_without_a_profile(tmp_path):
    inks = inks_of(COLOUR)
    left = 255 - inks.astype(float)
    want = np.rint(left[..., :3] * left[..., 3:] / 255)
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.jpg", quality=100, subsampling=0)
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated", metadata=None)
    deep = inks.astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "b.tif", deep, photometric="separated", metadata=None)
    for name in ("a.jpg", "a.tif", "b.tif"):
        path = tmp_path / name
        found, header = read_photograph(path), read_header(path)
        assert is_photograph(path) and (header.channels, header.dtype) == (3, np.uint8)
        most = 3 if name == "a.jpg" else 0
        assert np.abs(found.values - want).max() <= most
        assert "inks (CMYK) become RGB of 8 bits, without a profile" in found.remark
    assert "of 8 bits" in found.remark


def test_inks_as_luma_and_chroma(tmp_path):
    inks = inks_of(COLOUR)
    content = imagecodecs.jpeg8_encode(
        255 - inks, level=100, colorspace="CMYK", outcolorspace="YCCK", subsampling="444"
    )
    (tmp_path / "a.jpg").write_bytes(content)
    left = 255 - inks.astype(float)
    far = np.abs(read_photograph(tmp_path / "a.jpg").values - left[..., :3] * left[..., 3:] / 255)
    assert far.mean() < 2


def test_inks_by_their_profile(tmp_path):
    profile, inks = ink_profile(), np.zeros((8, 9, 4), np.uint8)
    inks[:, 5:, 0], inks[4:, :, 1] = 255, 255
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.tif", icc_profile=profile)
    Image.fromarray(inks, "CMYK").save(
        tmp_path / "a.jpg", icc_profile=profile, quality=100, subsampling=0
    )
    for name in ("a.tif", "a.jpg"):
        found = read_photograph(tmp_path / name)
        assert "by its profile" in found.remark and found.icc_profile is None
        paper, cyan, magenta = (
            found.values[place].astype(int) for place in ((0, 0), (0, 8), (7, 0))
        )
        assert paper.min() > 250
        # By the plain rule cyan would be (0, 255, 255): this profile knows it as a grey.
        assert np.ptp(cyan) <= 4 and 150 < cyan.mean() < 200
        assert magenta[0] > magenta[1] + 60


def test_a_profile_of_other_colours_does_not_count_for_inks(tmp_path):
    Image.fromarray(inks_of(COLOUR), "CMYK").save(tmp_path / "a.tif", icc_profile=PROFILE)
    found = read_photograph(tmp_path / "a.tif")
    assert "without a profile" in found.remark and found.icc_profile is None


def test_lab_as_littlecms_has_it(tmp_path):
    lab = RNG.integers(0, 256, (16, 16, 3)).astype(np.uint8)
    lab[..., 1:] = 100 + lab[..., 1:] // 5
    change = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    signed = lab ^ np.array([0, 128, 128], np.uint8)
    want = np.asarray(ImageCms.applyTransform(Image.fromarray(signed, "LAB"), change)).astype(int)
    # Inside sRGB, where nothing is clipped and LittleCMS's table of nodes is near enough.
    kept = ((want > 30) & (want < 235)).all(2)
    assert kept.sum() > 100
    for name, values, kind in (("a.tif", signed, "cielab"), ("b.tif", lab, "icclab")):
        tifffile.imwrite(tmp_path / name, values, photometric=kind, metadata=None)
        found = read_photograph(tmp_path / name)
        far = np.abs(found.values - want)[kept]
        assert far.max() <= 6 and far.mean() < 0.5
        assert "CIE Lab" in found.remark and is_photograph(tmp_path / name)
    deep = lab.astype(np.uint16)
    deep = np.dstack([deep[..., :1] * 257, deep[..., 1:] * 256])
    far = np.abs(rgb_of_lab(deep, tifffile.PHOTOMETRIC.ICCLAB) / 257 - want)
    assert far[kept].max() <= 6 and far[kept].mean() < 0.5


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint32"])
def test_measured_whole_numbers_are_taken_as_floats(tmp_path, dtype):
    most = min(np.iinfo(dtype).max, 10**6)
    least = max(np.iinfo(dtype).min, -most)
    values = RNG.integers(least, most, (13, 21)).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, metadata=None)
    found = read_photograph(tmp_path / "a.tif")
    assert found.values.dtype == np.float32 and np.array_equal(found.values, values)
    assert f"({dtype})" in found.remark and "written as floats" in found.remark
    assert read_header(tmp_path / "a.tif").dtype == np.float32


def noted(path):
    """A picture with all notes that its kind of file holds, written by others."""
    image, exif = Image.fromarray(COLOUR), b"Exif\0\0" + notes(6)
    options = {"icc_profile": PROFILE, "exif": exif, "dpi": (300, 150)}
    if path.suffix == ".png":
        info = with_xmp()
        info.add_text("Comment", "ä note")
        info.add_text("Title", "Я", zip=True)
        info.add_text("Raw profile type iptc", f"\nIPTC profile\n {len(IPTC)}\n{IPTC.hex()}\n")
        image.save(path, pnginfo=info, **options)
    elif path.suffix == ".tif":
        tags = Image.Exif()
        tags.load(exif)
        tags[700], tags[33723] = XMP, IPTC
        image.save(path, **options | {"exif": tags})
    else:
        image.save(path, xmp=XMP, comment="ä note".encode(), extra=app13(IPTC), **options)
    return path


def holds(path, kind):
    """Whether a kind of notes has a place in a kind of file."""
    without = {"iptc": (".webp",), "comment": (".webp", ".tif")}
    return path.suffix not in without[kind]


@pytest.mark.parametrize("target", [".png", ".jpg", ".tif", ".webp", "16.png", "16.tif"])
@pytest.mark.parametrize("source", [".png", ".jpg", ".tif", ".webp"])
def test_notes_go_from_every_kind_of_file_to_every_other(tmp_path, source, target):
    made = read_photograph(noted(tmp_path / f"a{source}"))
    deep = target.startswith("16")
    values = made.values.astype(np.uint16) * 257 if deep else made.values
    written = Photograph(**{**vars(made), "values": values})
    write_photograph(tmp_path / f"b{target}", written)
    found = read_photograph(tmp_path / f"b{target}")
    assert found.icc_profile == PROFILE and found.xmp == XMP and found.orientation == 6
    wanted, kept = said(notes(6)), said(found.exif)
    assert {code: kept.get(code) for code in wanted} == wanted
    if source != ".webp":  # Pillow has no place for it there
        assert found.dpi == pytest.approx((300, 150), abs=0.1)
    ends = [tmp_path / f"a{source}", tmp_path / f"b{target}"]
    assert found.iptc == (IPTC if all(holds(end, "iptc") for end in ends) else None)
    comment = dict(found.texts).get("Comment")
    assert comment == ("ä note" if all(holds(end, "comment") for end in ends) else None)
    lost = lost_notes(made, ends[1])
    assert ("IPTC notes" in lost) == (made.iptc is not None and found.iptc is None)
    assert ("texts" in lost) == (made.texts != found.texts)
    assert len(made.texts) == {".png": 2, ".jpg": 1}.get(source, 0)
    assert {"colour profile", "EXIF", "XMP"}.isdisjoint(lost)
    with Image.open(tmp_path / f"b{target}") as image:
        assert image.getexif().get_ifd(34665)[36867] == "2020:01:02 03:04:05"
        if found.iptc and ends[1].suffix != ".png":  # where Pillow does not look
            assert IptcImagePlugin.getiptcinfo(image)[2, 120] == "Légende".encode()


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize(("quality", "grey"), [(30, False), (83, False), (97, True)])
def test_a_jpeg_is_compressed_as_it_was(tmp_path, quality, subsampling, grey):
    image = Image.fromarray(GREY if grey else COLOUR)
    image.save(tmp_path / "a.jpg", quality=quality, subsampling=subsampling)
    read = read_photograph(tmp_path / "a.jpg")
    write_photograph(tmp_path / "b.jpg", read)
    write_photograph(tmp_path / "c.jpg", read, quality=60)
    opened = [Image.open(tmp_path / f"{name}.jpg") for name in "abc"]
    tables = [image.quantization for image in opened]
    assert tables[1] == tables[0] != tables[2]
    if not grey:
        assert {JpegImagePlugin.get_sampling(image) for image in opened} == {subsampling}
    again = read_photograph(tmp_path / "b.jpg").values.astype(int)
    assert np.abs(again - read.values).mean() < 2


def test_webp_is_lossless_unless_a_quality_is_named(tmp_path):
    made = Photograph(COLOUR, GREY)
    write_photograph(tmp_path / "a.webp", made)
    found = read_photograph(tmp_path / "a.webp")
    assert np.array_equal(found.values, COLOUR) and np.array_equal(found.alpha, GREY)
    write_photograph(tmp_path / "b.webp", made, quality=50)
    assert (tmp_path / "b.webp").stat().st_size < (tmp_path / "a.webp").stat().st_size
    with pytest.raises(OutputError, match=r"uint16.*\.tif"):
        write_photograph(tmp_path / "c.webp", Photograph(COLOUR.astype(np.uint16)))


def test_what_a_jpeg_has_no_room_for_is_left_out_and_named(tmp_path):
    exif = Image.Exif()
    exif[274], exif[270] = 8, "x" * 70_000
    long, much = exif.tobytes().removeprefix(b"Exif\0\0"), b"x" * 70_000
    made = Photograph(
        COLOUR, exif=long, xmp=much, iptc=b"\x1c" + much, texts=(("Comment", much.decode()),)
    )
    write_photograph(tmp_path / "a.jpg", made)
    found = read_photograph(tmp_path / "a.jpg")
    assert found.orientation == 8 and found.xmp is None and not found.iptc and not found.texts
    lost = lost_notes(made, tmp_path / "a.jpg")
    assert lost == ("EXIF", "XMP", "IPTC notes", "texts")
    assert lost_text(lost, tmp_path / "a.JPG").endswith(
        "notes and texts cannot be kept in a .jpg file"
    )
    assert lost_notes(found, tmp_path / "a.bmp") == ()
    profiled = Photograph(COLOUR, icc_profile=PROFILE)
    assert lost_notes(profiled, tmp_path / "a.bmp") == ("colour profile",)


def test_notes_behind_the_pixels_of_a_png(tmp_path):
    made = read_photograph(noted(tmp_path / "a.png"))
    for name, values in (("b.png", COLOUR), ("c.png", COLOUR.astype(np.uint16) * 257)):
        path = tmp_path / name
        write_photograph(path, Photograph(**{**vars(made), "values": values}))
        content = path.read_bytes()
        start, late = 8, b""
        while (kind := content[start + 4 : start + 8]) != b"IDAT":
            end = start + 12 + int.from_bytes(content[start : start + 4], "big")
            if kind in (b"iTXt", b"tEXt", b"zTXt"):
                late += content[start:end]
                content = content[:start] + content[end:]
            else:
                start = end
        path.write_bytes(content[:-12] + late + content[-12:])
        found = read_photograph(path)
        assert (found.xmp, found.iptc, found.texts) == (XMP, IPTC, made.texts)
        assert np.array_equal(found.values, values)


@pytest.mark.parametrize(
    "text", ["", "iptc", "\niptc\n 4\nxyz", "\niptc\n -9\n1c02", "\niptc\n 99\n3842494d0404"]
)
def test_damaged_notes_of_agencies_are_none(tmp_path, text):
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type 8bim", text)
    Image.fromarray(COLOUR).save(tmp_path / "a.png", pnginfo=info)
    assert read_photograph(tmp_path / "a.png").iptc is None


@pytest.mark.parametrize("exif", [b"II*\0\xff\xff\xff\xff", b"nothing", b"MM\0*\0\0\0\x08\0\x99"])
def test_damaged_notes_do_not_keep_a_picture_from_being_written(tmp_path, exif):
    for ending in (".tif", ".png", ".jpg", ".webp"):
        write_photograph(tmp_path / f"a{ending}", Photograph(COLOUR, exif=exif, dpi=(300, 300)))
        assert read_photograph(tmp_path / f"a{ending}").values.shape == COLOUR.shape


def test_pictures_of_telephones(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "a.heic"
    picture = heif.from_pillow(Image.fromarray(COLOUR))
    picture.save(path, exif=b"Exif\0\0" + notes(6), quality=90)
    found, header = read_photograph(path), read_header(path)
    # The decoder has turned it: the turn must not be done again.
    assert found.orientation == 1 and said(found.exif)[271] == "Maker"
    assert (header.lines, header.samples) == found.values.shape[:2] == (34, 26)
    assert np.abs(np.rot90(found.values).astype(int) - COLOUR).mean() < 8
    deep = (COLOUR.astype(np.uint16) * 257).tobytes()
    heif.encode("RGB;16", (34, 26), deep, tmp_path / "b.heic", quality=90)
    found = read_photograph(tmp_path / "b.heic")
    assert found.values.dtype == np.uint16 == read_header(tmp_path / "b.heic").dtype
    assert np.abs(found.values / 257 - COLOUR).mean() < 8


@pytest.mark.parametrize(("orientation", "shape"), [(1, (40, 64, 3)), (6, (64, 40, 3))])
def test_raw_files_are_developed(tmp_path, orientation, shape):
    pytest.importorskip("rawpy")
    ramp = np.broadcast_to(np.linspace(3000, 60000, 64), (40, 64)).astype(np.uint16)
    path = write_raw(tmp_path / "a.dng", ramp, orientation)
    found, header = read_photograph(path), read_header(path)
    assert found.values.shape == shape and found.values.dtype == np.uint16
    assert (header.lines, header.samples, header.channels) == shape
    assert "developed" in found.remark and found.orientation == 1 and is_photograph(path)
    assert said(found.exif)[272] == "Camera"
    upright = found.values if orientation == 1 else np.rot90(found.values)
    assert (np.diff(upright[20, ::8, 1].astype(int)) > 0).all()


@pytest.mark.parametrize(
    ("name", "package"), [("a.dng", "rawpy"), ("a.NEF", "rawpy"), ("a.heic", "pillow-heif")]
)
def test_what_needs_an_extra_names_it(tmp_path, monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, package.replace("-", "_"), None)
    (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    with pytest.raises(InputFileError, match=f"needs the package {package}.*photos"):
        read_header(tmp_path / name)


def test_what_libraw_says_is_text(tmp_path):
    pytest.importorskip("rawpy")
    (tmp_path / "a.nef").write_bytes(b"II*\0" + bytes(100))
    with pytest.raises(InputFileError, match=r"\(\w[^']*\)"):
        read_photograph(tmp_path / "a.nef")


@pytest.mark.parametrize("kind", ["webp", "gif", "heic", "dng"])
def test_half_a_file_is_one_line(tmp_path, kind):
    path, buffer = tmp_path / f"a.{kind}", io.BytesIO()
    if kind == "heic":
        heif = pytest.importorskip("pillow_heif")
        heif.from_pillow(Image.fromarray(COLOUR)).save(path)
    elif kind == "dng":
        pytest.importorskip("rawpy")
        write_raw(path, RNG.integers(0, 65535, (40, 64)).astype(np.uint16))
    else:
        Image.fromarray(RNG.integers(0, 256, (64, 64, 3), np.uint8)).save(buffer, kind)
        path.write_bytes(buffer.getvalue())
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(InputFileError) as caught:
        read_photograph(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
