"""The contact sheet of `hsi denoise`: what it shows, and where it may go."""

import numpy as np
import pytest
import tifffile
from denoiser_samples import box_filter
from photograph_samples import drawn
from PIL import Image
from said_lines import beyond_first

from hsi_suite.errors import OutputError
from hsi_suite.reports.denoising.contact_sheet import MOST, contact_sheet, detail_of
from hsi_suite.tasks.denoising.photographs import image_denoising

RNG = np.random.default_rng(0)


@pytest.fixture
def run(hsi, monkeypatch, tmp_path):
    """`hsi denoise` in a folder of its own, with a network that takes no time."""
    monkeypatch.chdir(tmp_path)
    box_filter().save(tmp_path / "box.safetensors")

    def denoise(*arguments):
        return hsi("denoise", *arguments, "--weights", "box.safetensors", "--device", "cpu")

    return denoise


def noisy(shape=(150, 170), channels=3):
    clean = drawn(channels, shape)
    return np.clip(clean + RNG.normal(0, 20, clean.shape), 0, 255).astype(np.uint8)


def test_the_same_detail_before_and_after_at_twice_its_size(run, tmp_path):
    image = noisy()
    (tmp_path / "in").mkdir()
    Image.fromarray(image).save("in/a.png")
    Image.fromarray(noisy((40, 50), 1)).save("in/small.png")
    turned = Image.Exif()
    turned[274] = 6
    Image.fromarray(image).save("in/turned.png", exif=turned)
    tifffile.imwrite("in/zfloats.tif", (image[..., 0] * 30.0 - 2000).astype(np.float32))
    status, out, _ = run("in", "-o", "out", "--contact-sheet", "sheet.png", "--sigma", "auto")
    assert status == 0
    assert out.splitlines()[-1] == "sheet.png  before and after, 4 photographs"
    sheet = np.asarray(Image.open("sheet.png"))
    before, after = sheet[48:304, 24:280], sheet[48:304, 284:540]
    result = np.asarray(Image.open("out/a_denoised.png"))
    for part, whole in ((before, image), (after, result)):
        assert np.array_equal(part[::2, ::2], part[1::2, 1::2])
        assert np.array_equal(part[::2, ::2], whole[:128, :128])
    small = sheet[48:304, 24 + 544 :][:, :256]
    assert len(np.unique(small[:88].reshape(-1, 3), axis=0)) == 1  # 40 lines stand in the middle
    assert len(np.unique(small[88:168].reshape(-1, 3), axis=0)) > 50
    row = sheet[48:304, 24 + 2 * 544 :][:, :256]
    assert np.array_equal(row[::2, ::2], np.rot90(image, -1)[:128, :128])


def test_details_are_where_most_happens_and_on_the_scale_of_the_image():
    image = np.full((300, 300), 1000.0, np.float32)
    image[150:200, 140:230] = RNG.uniform(0, 2000, (50, 90))
    detail = detail_of(image, image * 0.5, 2000, 0)
    assert detail.before.shape == (128, 128, 3) and detail.before.std() > 20
    assert abs(float(detail.before.mean()) - 2 * float(detail.after.mean())) < 2
    shifted = detail_of(image - 1500, image - 1500, 2000, -1500)
    assert np.array_equal(shifted.before, detail.before)


def test_long_names_are_shortened_and_many_photographs_cut():
    detail = detail_of(noisy(), noisy(), 255)
    short = np.asarray(contact_sheet([(detail, "a.png", "σ 5.0 of 255")]))
    long = np.asarray(contact_sheet([(detail, "x/" * 40 + "b" * 200 + ".png", "σ 5.0 of 255")]))
    assert short.shape == long.shape and (long[:, -20:] == 255).all() and (short != long).any()
    many = contact_sheet([(detail, "a", "b")] * (MOST + 50))
    assert many.size[1] == contact_sheet([(detail, "a", "b")] * MOST).size[1] < 15_000


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("a.png", "--contact-sheet", "sheet.jpg"), "sheet.jpg: is no name of a contact sheet"),
        (("a.png", "--contact-sheet", "a.png"), "a.png: is an input or a result"),
        (("a.png", "--contact-sheet", "a_denoised.png"), "is an input or a result"),
        (("a.png", "--contact-sheet", "there.png"), "there.png: exists already"),
        (("cube.npy", "--contact-sheet", "b.png"), "--contact-sheet: given with cube.npy"),
        (("cut.png", "--contact-sheet", "b.png"), "cut.png: cannot be read"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(run, tmp_path, arguments, match):
    Image.fromarray(noisy()).save("a.png")
    Image.fromarray(noisy()).save("there.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:-70])
    np.save("cube.npy", np.zeros((8, 9, 12), np.float32))
    before = sorted(tmp_path.iterdir())
    status, out, err = run(*arguments)
    assert status == 2 and not out and match in err and len(beyond_first(err)) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_sheet_among_the_inputs_is_none_of_them(run, tmp_path):
    Image.fromarray(noisy()).save("a.png")
    assert run(".", "-o", "out", "--contact-sheet", "sheet.png")[0] == 0
    status, out, _ = run(".", "-o", "out", "--contact-sheet", "sheet.png", "--overwrite")
    assert status == 0 and out.splitlines()[-1].endswith("1 photograph")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a_denoised.png"]


def test_results_are_said_though_the_sheet_cannot_be_written(run, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OutputError("sheet.png", "cannot be written (No space left on device)")

    monkeypatch.setattr(image_denoising, "write_sheet", full)
    Image.fromarray(noisy()).save("a.png")
    status, out, err = run("a.png", "--contact-sheet", "sheet.png")
    assert status == 2 and out.startswith("a_denoised.png") and "sheet.png" not in out
    assert (tmp_path / "a_denoised.png").is_file()
    assert beyond_first(err) == ["error: sheet.png: cannot be written (No space left on device)"]
