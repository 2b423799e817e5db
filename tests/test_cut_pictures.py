import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from hsi_suite.data.images import read_image
from hsi_suite.data.photographs import read_photograph
from hsi_suite.data.readers import open_cube, read_labels
from hsi_suite.errors import InputFileError

VALUES = np.random.default_rng(0).integers(0, 255, (48, 40, 3)).astype(np.uint8)


def claiming(lines, content):
    """A PNG, JPEG or BMP whose header says another number of lines."""
    changed = bytearray(content)
    if content.startswith(b"\x89PNG"):
        changed[20:24] = struct.pack(">I", lines)
        changed[29:33] = struct.pack(">I", zlib.crc32(changed[12:29]))
    elif content.startswith(b"BM"):
        changed[22:26] = struct.pack("<i", lines)
    else:
        at = max(content.find(b"\xff\xc0"), content.find(b"\xff\xc2"))
        changed[at + 5 : at + 7] = struct.pack(">H", lines)
    return bytes(changed)


def chunk(kind, held):
    check = struct.pack(">I", zlib.crc32(kind + held))
    return struct.pack(">I", len(held)) + kind + held + check


def saved(kind, values=VALUES, **options):
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, kind, **options)
    return stream.getvalue()


PICTURES = {
    "rgb.png": saved("PNG"),
    "grey.png": saved("PNG", VALUES[..., 0]),
    "deep.png": saved("PNG", VALUES[..., 0].astype(np.uint16) * 250),
    "palette.png": saved("PNG", VALUES[..., 0] // 8 * 8),
    "plain.jpg": saved("JPEG", quality=90),
    "progressive.jpg": saved("JPEG", progressive=True),
    "exif.jpg": saved("JPEG", exif=b"Exif\0\0" + b"\xff\xd9" * 9),
    "plain.bmp": saved("BMP"),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("read", [read_photograph, lambda path: read_image(path, "rgb")])
def test_pictures_with_fewer_lines_than_their_header_says_are_refused(name, read, tmp_path):
    path = tmp_path / name
    path.write_bytes(PICTURES[name])
    read(path)
    path.write_bytes(claiming(112, PICTURES[name]))
    with pytest.raises(InputFileError):
        read(path)


def test_label_pictures_with_fewer_lines_than_their_header_says_are_refused(tmp_path):
    path = tmp_path / "labels.png"
    path.write_bytes(claiming(49, PICTURES["grey.png"]))
    with pytest.raises(InputFileError, match="bytes of pixels"):
        read_labels(path)


@pytest.mark.parametrize("name", [name for name in PICTURES if name.endswith("jpg")])
def test_jpegs_that_were_cut_and_closed_again_are_refused(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(PICTURES[name][: len(PICTURES[name]) * 3 // 4] + b"\xff\xd9")
    with pytest.raises(InputFileError, match="before the last line"):
        read_photograph(path)


@pytest.mark.parametrize("samples", [1, 3, 21])
@pytest.mark.parametrize("bits", [1, 8])
def test_interlaced_pngs_are_whole(samples, bits, tmp_path):
    # Every pass that has pixels, of lines with a byte for their filter, as PNG's standard has it.
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
              (1, 0, 2, 1)]  # fmt: skip
    data = b"".join(
        (b"\0" + b"\x55" * -(-len(range(first, samples, step)) * bits // 8))
        * len(range(line, 13, down))
        for line, first, down, step in passes
        if len(range(first, samples, step))
    )
    path = tmp_path / "interlaced.png"
    for content, whole in ((data, True), (data[:-1], False)):
        chunks = [
            (b"IHDR", struct.pack(">IIBBBBB", samples, 13, bits, 0, 0, 0, 1)),
            (b"IDAT", zlib.compress(content)),
            (b"IEND", b""),
        ]
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks))
        if whole:
            assert read_photograph(path).values.shape == (13, samples)
        else:
            with pytest.raises(InputFileError):
                read_photograph(path)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("read", [read_photograph, lambda path: open_cube(path).read()])
def test_tiff_strips_that_have_a_place_and_no_size_are_refused(compression, read, tmp_path):
    path = tmp_path / "hole.tif"
    tifffile.imwrite(path, VALUES, photometric="rgb", rowsperstrip=16, compression=compression)
    read(path)
    with tifffile.TiffFile(path) as file:
        tag = file.pages.first.tags["StripByteCounts"]
        place, size = tag.valueoffset, {3: 2, 4: 4}[tag.dtype]
    content = bytearray(path.read_bytes())
    content[place + size : place + 2 * size] = bytes(size)
    path.write_bytes(content)
    with pytest.raises(InputFileError):
        read(path)
