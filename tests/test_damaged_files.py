"""Damaged files of every format: a correct full read or one clear line, nothing else."""

import os
import time

import file_samples as samples
import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from PIL import Image

from hsi_suite.data.images import read_image
from hsi_suite.data.photograph_stacks import open_stack
from hsi_suite.data.photographs import read_photograph
from hsi_suite.data.readers import open_cube, read_class_names, read_labels
from hsi_suite.errors import InputFileError


def _npz(path, labels):
    with path.open("wb") as file:  # given a name, NumPy would add an ending
        np.savez_compressed(file, gt=labels)


FRACTIONS = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9)
LABEL_WRITERS = {
    "mat v4": lambda p, a: scipy.io.savemat(p, {"gt": a.astype(float)}, format="4"),
    "mat v5": lambda p, a: scipy.io.savemat(p, {"gt": a}),
    "mat v7": lambda p, a: scipy.io.savemat(p, {"gt": a}, do_compression=True),
    "mat v7.3": lambda p, a: samples.write_matlab73(p, gt=a),
    "npy": lambda p, a: p.write_bytes(samples.npy_bytes(a)),
    "npz": _npz,
    "tif": lambda p, a: tifffile.imwrite(p, a),
    "tif packed": lambda p, a: tifffile.imwrite(p, a, compression="zlib"),
    "png": lambda p, a: Image.fromarray(a).save(p, format="PNG"),
}


def cuts(size: int) -> list[int]:
    return sorted({1, 7, *(int(size * part) for part in FRACTIONS), size - 8, size - 1})


def assert_right_or_refused(read, expected, capfd):
    try:
        found = read()
    except InputFileError as error:
        assert "\n" not in str(error) and len(str(error)) < 900
    else:
        np.testing.assert_array_equal(found, expected)
    assert capfd.readouterr() == ("", "")


def read_cube(path):
    with open_cube(path) as file:
        return file.read()


@pytest.mark.parametrize("kind", samples.CUBE_WRITERS)
def test_cut_cubes(kind, tmp_path, capfd):
    name, write = samples.CUBE_WRITERS[kind]
    cube = samples.make_cube()
    write(tmp_path / name, cube)
    for path in [item for item in tmp_path.iterdir() if item.is_file()]:
        whole = path.read_bytes()
        for size in cuts(len(whole)):
            path.write_bytes(whole[:size])
            assert_right_or_refused(lambda: read_cube(tmp_path / name), cube, capfd)
        path.write_bytes(whole)


@pytest.mark.parametrize("kind", LABEL_WRITERS)
def test_cut_label_maps(kind, tmp_path, capfd):
    path, labels = tmp_path / "gt", samples.make_labels()
    LABEL_WRITERS[kind](path, labels)
    np.testing.assert_array_equal(read_labels(path).labels, labels)
    whole = path.read_bytes()
    for size in cuts(len(whole)):
        path.write_bytes(whole[:size])
        assert_right_or_refused(lambda: read_labels(path).labels, labels, capfd)


@pytest.mark.parametrize("kind", [*samples.CUBE_WRITERS, *LABEL_WRITERS])
def test_scrambled_bytes_never_escape_as_other_errors(kind, tmp_path, capfd):
    # Values may change unnoticed where a format has no checksum; crashes and noise may not.
    cube = kind in samples.CUBE_WRITERS
    name, write = samples.CUBE_WRITERS[kind] if cube else ("gt", LABEL_WRITERS[kind])
    path = tmp_path / name
    write(path, samples.make_cube() if cube else samples.make_labels())
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(40):
        scrambled = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 600), 3):
            scrambled[place] = int(rng.integers(256))
        path.write_bytes(scrambled)
        try:
            read_cube(path) if cube else read_labels(path)
        except InputFileError as error:
            assert "\n" not in str(error)
        assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("read", [open_cube, read_labels, read_class_names])
def test_what_is_no_file_of_any_format(read, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "noise").write_bytes(np.random.default_rng(1).bytes(5000))
    for path in (tmp_path / "missing", tmp_path / "empty", tmp_path / "noise", tmp_path):
        with pytest.raises(InputFileError) as error:
            read(path)
        assert str(path) in str(error.value) and "\n" not in str(error.value)
    if read is not read_class_names:
        (tmp_path / "text").write_text("1 2 3\n4 5 6\n")
        with pytest.raises(InputFileError, match=r"text, of no known format.*numpy\.loadtxt"):
            read(tmp_path / "text")


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"II*\0", b"MM\0+",
                                   b"\x93NUMPY\x01\x00", b"\x89HDF\r\n\x1a\n", b"ENVI\n",
                                   b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM",
                                   b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"])  # fmt: skip
def test_noise_behind_the_right_first_bytes(start, tmp_path, capfd):
    path = tmp_path / "a"
    for seed in range(10):
        path.write_bytes(start + np.random.default_rng(seed).bytes(3000))
        for read in (open_cube, read_labels):
            with pytest.raises(InputFileError):
                read(path)
    assert capfd.readouterr() == ("", "")


def test_strips_that_are_not_there(tmp_path):
    # An image that claims more lines than it has strips must not end in whatever memory holds.
    path, labels = tmp_path / "gt.tif", samples.make_labels()
    tifffile.imwrite(path, labels, compression="zlib", rowsperstrip=7, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags["ImageLength"].overwrite(30)
    with pytest.raises(InputFileError, match="ends before its image"):
        read_labels(path)


@pytest.mark.parametrize("pages", [1, 3])
def test_a_picture_of_millions_of_strips_that_are_not_there_is_refused_at_once(tmp_path, pages):
    path = tmp_path / "a.tif"
    values = np.ones((pages, 12, 15), np.float32).squeeze()
    options = {"compression": "zlib", "rowsperstrip": 2, "metadata": None}
    tifffile.imwrite(path, values, photometric="minisblack", **options)
    with tifffile.TiffFile(path, mode="r+") as file:
        for page in file.pages:
            page.tags["ImageLength"].overwrite(2**24)
    started = time.monotonic()
    with pytest.raises(InputFileError, match="6 of 8388608 strips"):
        if pages == 1:
            read_photograph(path)
        else:
            with open_stack(path) as stack:
                stack.read(1)
    assert time.monotonic() - started < 3


def test_pickles_are_never_loaded(tmp_path):
    array = np.array([[[print]]], dtype=object)
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    np.savez(tmp_path / "a.npz", a=array)
    for name in ("a.npy", "a.npz"):
        for read in (open_cube, read_labels):
            with pytest.raises(InputFileError):
                read(tmp_path / name)


@pytest.mark.parametrize("kind", ["f2", "<f4", ">f4", "<f8"])
def test_signalling_nans_become_plain_ones_without_a_warning(kind, tmp_path, recwarn):
    """Bits that other types' missing values and damage leave, at which arithmetic would warn."""
    cube = samples.make_cube("float32").astype(kind) / 8
    size = cube.dtype.itemsize
    bits = cube.view(cube.dtype.str.replace("f", "u"))
    # An exponent of ones alone, and a fraction that says neither infinity nor quiet.
    bits[2, 3, 1] = {2: 0x7C01, 4: 0x7F800001, 8: 0x7FF0000000000001}[size]
    np.save(tmp_path / "cube.npy", cube)
    with open_cube(tmp_path / "cube.npy") as file:
        values = file.read()
    assert np.isnan(values[2, 3, 1]) and np.isnan(values).sum() == 1
    values.astype(np.float64), values.astype(np.float32)
    assert not recwarn.list
    np.testing.assert_array_equal(np.delete(values.ravel(), 136), np.delete(cube.ravel(), 136))


@pytest.mark.filterwarnings("error")
def test_a_signalling_nan_is_no_label(tmp_path):
    labels = samples.make_labels().astype("f4")
    labels.view("u4")[2, 3] = 0x7F800001
    np.save(tmp_path / "gt.npy", labels)
    with pytest.raises(InputFileError, match="the value nan as a label"):
        read_labels(tmp_path / "gt.npy")


def test_a_damaged_jpeg_in_a_tiff_is_refused_without_a_word_of_the_library(tmp_path, capfd):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.full((16, 16, 3), 90, np.uint8), compression="jpeg")
    with tifffile.TiffFile(path) as file:
        place = file.pages.first.dataoffsets[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + b"\0" * 4 + whole[place + 4 :])
    with pytest.raises(InputFileError):
        read_photograph(path)
    assert capfd.readouterr() == ("", "")


def test_an_image_of_many_pixels_is_read_without_a_warning(tmp_path, monkeypatch, recwarn):
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert read_image(tmp_path / "a.png").shape == (30, 40)
    assert not recwarn.list


@pytest.mark.parametrize("name", ["a.h5", "a.npy", "a.hdr", "a.tif"])
def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path, name):
    cube = np.random.default_rng(0).integers(1, 30000, (40, 30, 20)).astype("i2")
    path = tmp_path / name
    if name == "a.h5":
        with h5py.File(path, "w") as file:
            file["cube"] = cube
    elif name == "a.npy":
        np.save(path, cube)
    elif name == "a.hdr":
        samples.write_envi(path, cube)
    else:
        tifffile.imwrite(path, cube, photometric="minisblack", planarconfig="contig")
    with open_cube(path) as file:
        np.testing.assert_array_equal(file.read(0, 2), cube[:2])
        data = file.files[-1]
        os.truncate(data, data.stat().st_size // 2)
        with pytest.raises(InputFileError, match="became shorter while it was read"):
            file.read()


@pytest.mark.parametrize("kind", ["external", "virtual"])
def test_hdf5_values_of_other_files_are_never_read(tmp_path, kind):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(120)) * 4)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        if kind == "external":
            outside = [(str(secret), 0, 480)]
            file.create_dataset("cube", (4, 5, 6), "f4", external=outside)
            file.create_dataset("map", (4, 5), "u1", external=outside)
        else:
            for name, shape in (("cube", (4, 5, 6)), ("map", (4, 5))):
                layout = h5py.VirtualLayout(shape, "f4")
                layout[...] = h5py.VirtualSource("secret", "x", shape)
                file.create_virtual_dataset(name, layout, fillvalue=7)
    with pytest.raises(InputFileError, match=r"lie in another file \(.*secret\)"):
        open_cube(tmp_path / "a.h5")
    with pytest.raises(InputFileError, match=r"lie in another file"):
        read_labels(tmp_path / "a.h5")
