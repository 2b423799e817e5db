"""Pictures in many kinds of files, made on the spot, for tests."""

import struct

import numpy as np
import tifffile
from PIL import Image, PngImagePlugin

XMP = "<x:xmpmeta xmlns:x='adobe:ns:meta/'>é</x:xmpmeta>".encode()
# A title and a caption, as agencies note them.
IPTC = b"\x1c\x02\x05\0\x05Title\x1c\x02\x78\0\x08" + "Légende".encode()


def app13(iptc):
    """A JPEG's segment of Photoshop's blocks, in which they stand behind another one."""
    other = b"8BIM\x04\x25\x04name\0\0\0\0\x03abc\0"
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + bytes(len(iptc) % 2)
    content = b"Photoshop 3.0\0" + other + block
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content


def notes(orientation=1):
    """EXIF with notes of the camera, the place and the picture."""
    tags = Image.Exif()
    tags[274], tags[271], tags[270] = orientation, "Maker", "what it shows"
    tags.get_ifd(34665).update({33434: 0.01, 36867: "2020:01:02 03:04:05"})
    tags.get_ifd(34853).update({1: "N", 2: (47.0, 3.0, 2.5)})
    return tags.tobytes().removeprefix(b"Exif\0\0")


def said(exif):
    """What EXIF says, but for the places of its parts."""
    tags = Image.Exif()
    tags.load(exif)
    parts = {code: dict(tags.get_ifd(code)) for code in (34665, 34853)}
    return {code: value for code, value in tags.items() if code not in parts} | parts


def animate(path, values, **options):
    """An animation of an image and its negative."""
    frames = [Image.fromarray(values), Image.fromarray(255 - values)]
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)


def ink_profile():
    """An ICC profile of inks: lightness falls with all of them, magenta alone has a colour."""
    nodes = []
    for number in range(16):
        inks = [(number >> place) & 1 for place in (3, 2, 1, 0)]
        nodes += [round(255 * (1 - sum(inks) / 4)), 128 + 60 * inks[1], 128]
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0])
    table += struct.pack(">9i", *(65536 * (k % 4 == 0) for k in range(9)))
    table += ramp * 4 + bytes(nodes) + ramp * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"inks\0" + bytes(78)
    parts = {b"A2B0": table, b"wtpt": white, b"desc": text, b"cprt": b"text\0\0\0\0none\0"}
    place, listed, body = 128 + 4 + 12 * len(parts), b"", b""
    for name, part in parts.items():
        part += bytes(-len(part) % 4)
        listed += struct.pack(">4sII", name, place + len(body), len(part))
        body += part
    head = bytearray(128)
    head[8:12] = b"\2\x40\0\0"
    head[12:24] = b"prtrCMYKLab "
    head[36:40] = b"acsp"
    head[68:80] = struct.pack(">3i", 63190, 65536, 54061)
    content = bytes(head) + struct.pack(">I", len(parts)) + listed + body
    return struct.pack(">I", len(content)) + content[4:]


def write_raw(path, mosaic, orientation=1):
    """A DNG of a Bayer mosaic of 16 bits."""
    colours = (324, -154, -50, -97, 188, 4, 6, -20, 106)
    tifffile.imwrite(
        path, mosaic, photometric=32803, metadata=None, software=False, byteorder="<",
        extratags=[
            (50706, "B", 4, bytes([1, 4, 0, 0]), True), (50708, "s", 0, "Camera of tests", True),
            (271, "s", 0, "Maker", True), (272, "s", 0, "Camera", True),
            (33421, "H", 2, (2, 2), True), (33422, "B", 4, bytes([0, 1, 1, 2]), True),
            (50710, "B", 3, bytes([0, 1, 2]), True), (50711, "H", 1, 1, True),
            (50717, "I", 1, 65535, True), (50778, "H", 1, 21, True),
            (50721, "2i", 9, tuple(n for c in colours for n in (c, 100)), True),
            (50728, "2I", 3, (1, 2, 1, 1, 7, 10), True), (274, "H", 1, orientation, True),
        ],
    )  # fmt: skip
    return path


def with_xmp():
    """What Pillow's writer of PNG files takes for a packet."""
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return info


def drawn(channels=3, shape=(26, 34), seed=0):
    """A smooth picture of 8 bits."""
    lines, samples = np.mgrid[: shape[0], : shape[1]]
    waves = [np.sin((lines * (k + 1) + samples * (4 - k)) / 17 + seed + k) for k in range(channels)]
    values = np.rint(127.5 + 120 * np.stack(waves, -1)).astype(np.uint8)
    return values[..., 0] if channels == 1 else values
