import warnings

import file_samples as samples
import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi_suite.data.catalogue import load_dataset
from hsi_suite.data.readers import hash_file, open_cube
from hsi_suite.errors import InputFileError, ShapeError


@pytest.fixture(params=samples.CUBE_WRITERS)
def written(request, tmp_path):
    name, write = samples.CUBE_WRITERS[request.param]
    path = tmp_path / name
    cube = samples.make_cube()
    write(path, cube)
    return path, cube


def test_every_format_gives_the_cube_back(written, capfd):
    path, cube = written
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with open_cube(path) as file:
            assert file.shape == cube.shape
            assert file.dtype == cube.dtype and file.dtype.isnative
            whole = file.read()
    assert whole.dtype == cube.dtype and whole.dtype.isnative
    np.testing.assert_array_equal(whole, cube)
    assert capfd.readouterr() == ("", "")


def test_every_format_reads_any_lines(written):
    path, cube = written
    with open_cube(path) as file:
        for first, last in [(0, 1), (2, 5), (6, 7), (3, 3), (0, 7)]:
            np.testing.assert_array_equal(file.read(first, last), cube[first:last])
        for first, last in [(-1, 3), (4, 3), (0, 8)]:
            with pytest.raises(ShapeError, match="lines"):
                file.read(first, last)


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("order", [0, 1])
def test_envi_types(tmp_path, interleave, dtype, order):
    cube = samples.make_cube(dtype)
    samples.write_envi(tmp_path / "a.hdr", cube, interleave, order=order)
    with open_cube(tmp_path / "a.hdr") as file:
        assert file.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(file.read(1, 6), cube[1:6])


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6)),
    interleave=st.sampled_from(["bsq", "bil", "bip"]),
    data=st.data(),
)
def test_envi_lines_of_any_shape(tmp_path_factory, shape, interleave, data):
    path = tmp_path_factory.mktemp("envi") / "a.hdr"
    cube = samples.make_cube("int16", shape)
    samples.write_envi(path, cube, interleave)
    first = data.draw(st.integers(0, shape[0]))
    last = data.draw(st.integers(first, shape[0]))
    with open_cube(path) as file:
        np.testing.assert_array_equal(file.read(first, last), cube[first:last])


def test_blocks_smaller_than_the_cube_change_nothing(tmp_path, monkeypatch):
    cube = samples.make_cube()
    monkeypatch.setattr("hsi_suite.data.formats.raw_lines._BLOCK_BYTES", 100)
    for interleave in ("bsq", "bil"):
        samples.write_envi(tmp_path / "a.hdr", cube, interleave)
        with open_cube(tmp_path / "a.hdr") as file:
            np.testing.assert_array_equal(file.read(1, 7), cube[1:7])


def test_opening_14_gigabytes_reads_nothing_of_them(tmp_path):
    resource = pytest.importorskip("resource")
    lines, size = 10_000, 10_000 * 7_000 * 100 * 2
    header = np.lib.format.header_data_from_array_1_0(np.empty((0, 7_000, 100), "u2"))
    npy = tmp_path / "huge.npy"
    with npy.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {**header, "shape": (lines, 7_000, 100)})
        file.truncate(file.tell() + size)
    envi = tmp_path / "huge.hdr"
    samples.write_envi(envi, np.zeros((1, 7_000, 100), "u2"), "bil")
    envi.write_text(envi.read_text().replace("lines = 1\n", f"lines = {lines}\n"))
    with envi.with_suffix(".img").open("r+b") as file:
        file.truncate(size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in (npy, envi):
        with open_cube(path) as file:
            assert file.shape == (lines, 7_000, 100)
            assert not file.read(lines - 2, lines).any()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100 * 1024  # KiB


def test_hdf5_without_matlab_keeps_its_axes(tmp_path):
    cube = samples.make_cube("float32")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/cube"] = cube.astype(">f4")
    with open_cube(tmp_path / "a.h5") as file:
        assert (file.format, file.dtype) == ("HDF5", np.dtype("f4"))
        np.testing.assert_array_equal(file.read(2, 4), cube[2:4])


def test_big_endian_matlab(tmp_path):
    # A v5 file written by hand as on an old workstation: tag, flags, dimensions, name, values.
    cube = samples.make_cube("int16", (2, 3, 2))

    def element(kind, content):
        padded = content + bytes(-len(content) % 8)
        return kind.to_bytes(4, "big") + len(content).to_bytes(4, "big") + padded

    body = element(6, bytes([0, 0, 0, 10, 0, 0, 0, 0]))
    body += element(5, np.array(cube.shape, ">i4").tobytes())
    body += element(1, b"cube") + element(3, cube.astype(">i2").tobytes("F"))
    path = tmp_path / "a.mat"
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI" + element(14, body))
    with open_cube(path) as file:
        assert file.dtype.isnative
        np.testing.assert_array_equal(file.read(), cube)


def _several(path, kind):
    arrays = {"radiance": samples.make_cube(), "mask": samples.make_cube("uint8"), "n": np.eye(3)}
    if kind == "mat":
        scipy.io.savemat(path, arrays)
    elif kind == "npz":
        with path.open("wb") as file:
            np.savez(file, **arrays)
    else:
        samples.write_matlab73(path, **arrays)
    return arrays


@pytest.mark.parametrize("kind", ["mat", "npz", "v7.3"])
def test_several_cubes_must_be_chosen_from(tmp_path, kind):
    path = tmp_path / "many"
    arrays = _several(path, kind)
    with pytest.raises(InputFileError) as error:
        open_cube(path)
    text = str(error.value)
    assert "--scene-variable" in text and "\n" not in text
    assert "radiance (7 × 9 × 5 uint16)" in text and "mask (7 × 9 × 5 uint8)" in text
    with open_cube(path, variable="mask") as file:
        np.testing.assert_array_equal(file.read(), arrays["mask"])
    with pytest.raises(InputFileError, match=r"no variable 'cube'.*one of .*radiance"):
        open_cube(path, variable="cube")
    with pytest.raises(InputFileError, match=r"n \(3 × 3 .*lines × samples × bands"):
        open_cube(path, variable="n")


def test_the_only_cube_among_other_things_is_taken(tmp_path):
    cube = samples.make_cube()
    rest = {"gt": np.eye(4), "names": np.array(["a", "b"], dtype=object), "s": {"x": 1}}
    scipy.io.savemat(tmp_path / "a.mat", {**rest, "cube": cube})
    with open_cube(tmp_path / "a.mat") as file:
        np.testing.assert_array_equal(file.read(), cube)


def test_variable_where_there_are_none(tmp_path):
    np.save(tmp_path / "a.npy", samples.make_cube())
    with pytest.raises(InputFileError, match="leave it out"):
        open_cube(tmp_path / "a.npy", variable="cube")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3)), "2 × 3"),
        (np.zeros((2, 3, 4, 5)), "2 × 3 × 4 × 5"),
        (np.zeros((2, 0, 4)), "each at least 1"),
        (np.zeros((2, 3, 4), bool), "bool"),
        (np.zeros((2, 3, 4), complex), "complex128"),
        (np.zeros((2, 3, 4), "U3"), "U3"),
        (np.zeros((2, 3, 4), object), "object"),
        (np.zeros((2, 3, 4), np.longdouble), "float"),
        (np.zeros((2, 3, 4), [("a", "u1")]), "type"),
    ],
)
def test_arrays_that_are_no_cube(tmp_path, array, message):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(InputFileError, match=message):
        open_cube(tmp_path / "a.npy")
    np.savez(tmp_path / "a.npz", array)
    with pytest.raises(InputFileError):
        open_cube(tmp_path / "a.npz")


def test_complex_and_logical_matlab_arrays(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"a": samples.make_cube() * 1j})
    with pytest.raises(InputFileError, match="complex"):
        open_cube(tmp_path / "a.mat")
    for name, write in (("b.mat", scipy.io.savemat), ("c.mat", _logical73)):
        write(tmp_path / name, {"a": samples.make_cube() > 9})
        with pytest.raises(InputFileError, match="logical"):
            open_cube(tmp_path / name)


def _logical73(path, variables):
    with h5py.File(path, "w") as file:
        for name, values in variables.items():
            file[name] = values.T.astype("u1")
            file[name].attrs["MATLAB_class"] = np.bytes_("logical")


def test_nodata_of_the_caller_outweighs_the_file(tmp_path):
    samples.write_envi(tmp_path / "a.hdr", samples.make_cube(), extra="data ignore value = -9\n")
    with open_cube(tmp_path / "a.hdr") as file:
        assert file.nodata == -9.0
    with open_cube(tmp_path / "a.hdr", nodata=0) as file:
        assert file.nodata == 0.0
    with open_cube(tmp_path / "a.hdr", nodata=float("nan")) as file:
        assert file.nodata is None


def test_hash_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hash_file(tmp_path / "a") == expected
    with pytest.raises(InputFileError):
        hash_file(tmp_path / "b")


@pytest.mark.data
def test_real_scenes(data_dir):
    from hsi_suite.data.readers import read_labels

    jasper = data_dir / "scenes" / "Jasper.mat"
    muufl = data_dir / "scenes" / "muffle_dataset_130_90.mat"
    if not jasper.is_file() or not muufl.is_file():
        pytest.skip("the real scenes are not there")
    with pytest.raises(InputFileError, match=r"S_GT \(100 × 100 × 4.*Y \(198 × 10000.*e Y$"):
        open_cube(jasper)
    with open_cube(jasper, variable="Y") as file:  # lines and cols stand in the file
        np.testing.assert_array_equal(file.read(), load_dataset("jasper_ridge").cube)
    with pytest.raises(InputFileError, match=r"Y \(90 × 90 × 64 double\)"):
        open_cube(muufl)
    with open_cube(muufl, variable="Y") as file:
        assert file.read(10, 12).shape == (2, 90, 64)
    truth = read_labels(data_dir / "scenes" / "Indian_pines_gt.mat")
    assert truth.labels.shape == (145, 145)
    assert (truth.labels > 0).sum() == 10_249


def test_big_tiff_pages_are_guessed_as_documented(tmp_path):
    for shape, bands in [((6, 6, 9), 9), ((9, 6, 6), 9), ((8, 9, 5), 5), ((5, 8, 9), 5)]:
        tifffile.imwrite(tmp_path / "a.tif", np.zeros(shape, "u1"), photometric="minisblack")
        with open_cube(tmp_path / "a.tif") as file:
            assert file.shape[2] == bands
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((9, 5, 8), "u1"), photometric="minisblack")
    with pytest.raises(InputFileError, match="axes"):
        open_cube(tmp_path / "a.tif")


def test_the_name_of_a_data_set_is_no_file_and_says_how_to_get_one(tmp_path):
    with pytest.raises(InputFileError, match="hsi data export indian_pines"):
        open_cube(tmp_path / "indian_pines")
    with pytest.raises(InputFileError, match="heck the path"):
        open_cube(tmp_path / "indian_pine")
