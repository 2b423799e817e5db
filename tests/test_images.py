import numpy as np
import pytest
from PIL import Image

from hsi_suite.data.images import IMAGE_SETS, load_images, read_folder, read_image
from hsi_suite.errors import InputFileError

GREY = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
RGB = np.stack([GREY, GREY // 2, 255 - GREY], axis=2)


def save(path, values, **options):
    Image.fromarray(values).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_lossless_images_come_back_as_they_were(tmp_path, suffix):
    assert np.array_equal(read_image(save(tmp_path / f"a.{suffix}", GREY)), GREY)
    assert np.array_equal(read_image(save(tmp_path / f"b.{suffix}", RGB), "rgb"), RGB)


def test_colour_is_turned_into_luma_and_grey_into_colour(tmp_path):
    luma = read_image(save(tmp_path / "rgb.png", RGB))
    expected = RGB @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luma - expected).max() <= 1
    grey = read_image(save(tmp_path / "grey.png", GREY), "rgb")
    assert np.array_equal(grey, np.repeat(GREY[..., None], 3, axis=2))


def test_palette_and_transparent_images_are_read(tmp_path):
    Image.fromarray(RGB).quantize(256).save(tmp_path / "palette.png")
    assert np.abs(read_image(tmp_path / "palette.png", "rgb").astype(int) - RGB).mean() < 8
    save(tmp_path / "alpha.png", np.dstack([RGB, GREY]))
    assert np.array_equal(read_image(tmp_path / "alpha.png", "rgb"), RGB)


def test_sixteen_bits_are_rounded_to_eight(tmp_path):
    deep = np.array([[0, 128, 129, 257, 65535]], np.uint16)
    assert read_image(save(tmp_path / "deep.png", deep)).tolist() == [[0, 0, 1, 1, 255]]


def broken_files(folder):
    whole = save(folder / "whole.png", RGB).read_bytes()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (folder / "header.png").write_bytes(whole[:40])
    (folder / "empty.png").write_bytes(b"")
    (folder / "noise.png").write_bytes(np.random.default_rng(0).bytes(500))
    (folder / "text.jpg").write_text("not an image")
    save(folder / "float.tif", np.zeros((4, 4), np.float32))
    return ["truncated.png", "header.png", "empty.png", "noise.png", "text.jpg", "float.tif"]


def test_files_that_are_no_images_are_named_in_one_line(tmp_path):
    for name in broken_files(tmp_path):
        with pytest.raises(InputFileError) as caught:
            read_image(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputFileError, match="no such file"):
        read_image(tmp_path / "absent.png")


def test_decompression_bombs_are_refused(tmp_path, monkeypatch):
    path = save(tmp_path / "large.png", GREY)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(InputFileError, match="far more pixels"):
        read_image(path)


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    save(tmp_path / "b.png", RGB)
    save(tmp_path / "a.PNG", GREY)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "c.png").mkdir()
    save(tmp_path / ".half written.png", GREY)
    found = read_folder(tmp_path)
    assert found.names == ("a.PNG", "b.png")
    assert len(found) == 2
    assert np.array_equal(found.images[0], GREY)
    again = read_folder(tmp_path)
    assert again.sha256 == found.sha256
    save(tmp_path / "b.png", 255 - RGB)
    assert read_folder(tmp_path).sha256 != found.sha256


def test_folders_without_images_are_refused(tmp_path):
    with pytest.raises(InputFileError, match="holds no images"):
        read_folder(tmp_path)
    with pytest.raises(InputFileError, match="no such folder"):
        read_folder(tmp_path / "absent")
    (tmp_path / "bad.png").write_bytes(b"")
    with pytest.raises(InputFileError, match=r"bad\.png"):
        read_folder(tmp_path)


@pytest.mark.data
@pytest.mark.parametrize("name", ["train400", "set12"])
def test_real_sets(data_dir, name):
    found = load_images(name)
    assert len(found) == IMAGE_SETS[name].count
    assert found.sha256 == IMAGE_SETS[name].sha256
    assert all(image.dtype == np.uint8 and image.ndim == 2 for image in found.images)
