"""What a PNG says of its colours is kept, or its loss is said."""

import struct
from pathlib import Path

import numpy as np
import pytest
from photograph_samples import drawn
from PIL import Image, ImageCms

from hsi_suite.data.formats.png_colours import colour_chunks, with_chunks
from hsi_suite.data.photograph_losses import lost_notes
from hsi_suite.data.photograph_writer import write_photograph
from hsi_suite.data.photographs import Photograph, read_photograph

COLOUR = drawn(shape=(20, 24))
GAMMA = (b"gAMA", struct.pack(">I", 100_000))
SRGB_GAMMA = (b"gAMA", struct.pack(">I", 45_450))
SRGB_PLACES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
PLACES = (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
HDR = [(b"cICP", bytes([9, 16, 0, 1])), (b"mDCV", bytes(24)), (b"cLLI", bytes(8))]
SRGB = (b"sRGB", b"\0")


def png(path, chunks, values=COLOUR):
    write_photograph(path, Photograph(values))
    path.write_bytes(with_chunks(path.read_bytes(), chunks))


@pytest.mark.parametrize("values", [COLOUR, COLOUR[..., 0], COLOUR.astype(np.uint16) * 257])
@pytest.mark.parametrize("chunks", [[GAMMA, PLACES], HDR, [SRGB]])
def test_chunks_are_kept(tmp_path, chunks, values):
    png(tmp_path / "a.png", chunks, values)
    photograph = read_photograph(tmp_path / "a.png")
    assert np.array_equal(photograph.values, values)
    write_photograph(tmp_path / "b.png", photograph)
    assert dict(colour_chunks(tmp_path / "b.png")) == dict(chunks)
    with Image.open(tmp_path / "b.png") as image:
        image.load()
        assert image.info.get("gamma") == (1.0 if GAMMA in chunks else None)
    assert np.array_equal(read_photograph(tmp_path / "b.png").values, values)


def test_the_command_keeps_them_or_says_so(hsi, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    png(tmp_path / "a.png", [GAMMA, PLACES], drawn(shape=(40, 44)))
    command = ("denoise", "a.png", "--model", "default_denoiser", "--sigma", "3")
    status, _, err = hsi(*command)
    assert status == 0 and "cannot be kept" not in err
    assert dict(colour_chunks(tmp_path / "a_denoised.png")) == dict([GAMMA, PLACES])
    status, _, err = hsi(*command, "-o", "b.jpg")
    assert status == 0
    assert "a.png: its gamma and primaries cannot be kept in a .jpg file" in err


@pytest.mark.parametrize(
    ("chunks", "profile", "lost"),
    [
        ([], False, False),
        ([SRGB, GAMMA], False, False),
        ([SRGB_GAMMA, (b"cHRM", struct.pack(">8I", *SRGB_PLACES))], False, False),
        ([GAMMA], False, True),
        ([GAMMA, PLACES], True, False),
        ([PLACES], False, True),
        (HDR, True, True),
        ([(b"cICP", bytes([1, 13, 0, 1]))], False, False),
    ],
)
def test_what_sets_colours_apart_from_srgb_is_named_where_it_is_lost(chunks, profile, lost):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() if profile else None
    photograph = Photograph(COLOUR, icc_profile=icc, colours=tuple(chunks))
    for name in ("a.jpg", "a.tif", "a.webp"):
        assert ("gamma and primaries" in lost_notes(photograph, Path(name))) == lost
    assert lost_notes(photograph, Path("a.png")) == ()


def test_a_profile_takes_the_place_of_srgb(tmp_path):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    both = Photograph(COLOUR, icc_profile=icc, colours=(SRGB, GAMMA))
    write_photograph(tmp_path / "a.png", both)
    assert colour_chunks(tmp_path / "a.png") == (GAMMA,)
    assert read_photograph(tmp_path / "a.png").icc_profile == icc


def test_damaged_chunks_and_other_files_say_nothing(tmp_path):
    png(tmp_path / "a.png", [GAMMA, PLACES])
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[content.index(b"gAMA") + 8] ^= 1  # its check no longer fits
    (tmp_path / "a.png").write_bytes(content)
    assert colour_chunks(tmp_path / "a.png") == (PLACES,)
    png(tmp_path / "b.png", [(b"gAMA", b"\0\0\1")])
    assert colour_chunks(tmp_path / "b.png") == ()
    (tmp_path / "c.png").write_bytes(content[: content.index(b"cHRM") + 6])
    assert colour_chunks(tmp_path / "c.png") == ()
    Image.fromarray(COLOUR).save(tmp_path / "d.jpg")
    assert colour_chunks(tmp_path / "d.jpg") == ()
