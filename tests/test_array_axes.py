"""Which array of a file is the cube, and which of its axes is what."""

import re

import file_samples as samples
import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from click.testing import CliRunner
from scenes_samples import small_cube

import hsi_suite as hsi
from hsi_suite.cli.data import data
from hsi_suite.data.file_description import describe_file
from hsi_suite.data.readers import open_cube, open_scene, read_labels, read_scene
from hsi_suite.errors import ConfigError, InputFileError, ShapeError

pytestmark = pytest.mark.stand_in_pictures

LINES, SAMPLES, BANDS = samples.SHAPE


def matrix_of(cube):
    """Bands × pixels, counted down the columns, as unmixing packs have it."""
    return cube.transpose(2, 1, 0).reshape(cube.shape[2], -1)


def pack(path, cube, *, sizes=True, abundances=True, write=scipy.io.savemat, **options):
    arrays = {"Y": matrix_of(cube), "M": np.random.default_rng(0).random((cube.shape[2], 3))}
    if sizes:
        arrays |= {"nRow": float(cube.shape[0]), "nCol": float(cube.shape[1]), "maxValue": 9.0}
    if abundances:
        arrays["S_GT"] = np.random.default_rng(1).random((*cube.shape[:2], 3))
    write(path, arrays, **options)
    return path


def write_v73(path, arrays):
    samples.write_matlab73(path, **{k: np.atleast_2d(v) for k, v in arrays.items()})


WRITERS = {
    "v4": {"format": "4", "appendmat": False},
    "v6": {},
    "v7": {"do_compression": True},
    "v7.3": {"write": write_v73},
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_matrix_of_spectra_with_its_numbers_of_rows_and_columns(tmp_path, kind):
    cube = samples.make_cube()
    path = pack(tmp_path / "urban.mat", cube, abundances=False, **WRITERS[kind])
    with open_cube(path) as file:
        np.testing.assert_array_equal(file.read(), cube)
        np.testing.assert_array_equal(file.read(2, 5), cube[2:5])
        assert "down the columns, by nRow and nCol; --axes band,y,x" in file.remarks[0]


@pytest.mark.parametrize("sizes", [True, False])
@pytest.mark.parametrize("kind", ["v6", "v7", "v7.3"])
def test_abundances_beside_the_spectra_are_not_taken_for_the_cube(tmp_path, kind, sizes):
    cube = samples.make_cube()
    path = pack(tmp_path / "samson.mat", cube, sizes=sizes, **WRITERS[kind])
    with pytest.raises(InputFileError, match=r"Y \(5 × 63.*S_GT \(7 × 9 × 3|S_GT.*Y") as error:
        open_cube(path)
    assert "--scene-variable Y" in str(error.value)
    with open_cube(path, variable="Y") as file:
        np.testing.assert_array_equal(file.read(), cube)
    with open_cube(path, variable="S_GT") as file:
        assert file.shape == (7, 9, 3)
    with pytest.raises(InputFileError, match=r"M \(5 × 3.*--shape"):
        open_cube(path, variable="M")


def test_the_user_says_how_the_pixels_of_a_matrix_lie(tmp_path):
    cube = samples.make_cube()
    rows = cube.reshape(-1, BANDS)  # pixels × bands, along the lines
    for name, array in {"a.npy": rows, "b.npy": np.asfortranarray(rows), "c.npy": rows.T}.items():
        np.save(tmp_path / name, array)
        with pytest.raises(InputFileError, match=r"matrix of .*--shape LINES,SAMPLES"):
            open_cube(tmp_path / name)
        with open_cube(tmp_path / name, shape=(LINES, SAMPLES)) as file:
            np.testing.assert_array_equal(file.read(), cube)
            np.testing.assert_array_equal(file.read(1, 4), cube[1:4])
    np.save(tmp_path / "d.npy", matrix_of(cube))
    with open_cube(tmp_path / "d.npy", shape=(LINES, SAMPLES), axes="band,x,y") as file:
        np.testing.assert_array_equal(file.read(2, 6), cube[2:6])
    path = pack(tmp_path / "a.mat", cube, sizes=False, abundances=False)
    with open_cube(path, shape=(LINES, SAMPLES)) as file:
        np.testing.assert_array_equal(file.read(), cube)
    for shape, axes, message in [
        ((8, 9), None, "expected 72 pixels"),
        ((7, 9), "pixel,band", "63 pixels along axis 1"),
        ((7, 9), "x,band,y", "bands first or last"),
    ]:
        with pytest.raises(InputFileError, match=message):
            open_cube(path, variable="Y", shape=shape, axes=axes)
    np.save(tmp_path / "square.npy", np.zeros((6, 6)))
    with pytest.raises(InputFileError, match="--axes band,pixel or pixel,band"):
        open_cube(tmp_path / "square.npy", shape=(2, 3))
    with open_cube(tmp_path / "square.npy", shape=(2, 3), axes="pixel,band") as file:
        assert file.shape == (2, 3, 6)


ORDERS = ["y,x,band", "y,band,x", "x,y,band", "x,band,y", "band,y,x", "band,x,y"]


def turned(cube, order):
    return cube.transpose([["y", "x", "band"].index(name) for name in order.split(",")])


def formats(folder, array):
    """One file of each format whose axes can be in any order."""
    np.save(folder / "c.npy", np.ascontiguousarray(array))
    np.save(folder / "f.npy", np.asfortranarray(array))
    np.savez(folder / "a.npz", cube=array)
    scipy.io.savemat(folder / "v6.mat", {"cube": array})
    scipy.io.savemat(folder / "v7.mat", {"cube": array}, do_compression=True)
    samples.write_matlab73(folder / "v73.mat", cube=array)
    with h5py.File(folder / "a.h5", "w") as file:
        file["cube"] = array
    return sorted(folder.iterdir())


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_of_axes_in_every_format(tmp_path, order):
    cube = samples.make_cube()
    for path in formats(tmp_path, turned(cube, order)):
        with open_cube(path, axes=order) as file:
            np.testing.assert_array_equal(file.read(), cube, str(path))
            np.testing.assert_array_equal(file.read(3, 6), cube[3:6], str(path))
            assert not file.remarks
        with open_cube(path) as file:
            assert file.shape == turned(cube, order).shape
            lines, samples_, bands = file.shape
            taken = f"read as {lines} lines × {samples_} samples × {bands} bands; "
            assert file.remarks[0].startswith(taken) and "--axes" in file.remarks[0]


def test_axes_that_are_none(tmp_path):
    np.save(tmp_path / "a.npy", samples.make_cube())
    for axes in ("", "y,x", "y,y,band", "a,b,c", "band,pixel,x"):
        with pytest.raises(ConfigError, match="--axes"):
            open_cube(tmp_path / "a.npy", axes=axes)
    with pytest.raises(InputFileError, match="three axes"):
        open_cube(tmp_path / "a.npy", axes="pixel,band")
    with pytest.raises(InputFileError, match="--shape says"):
        open_cube(tmp_path / "a.npy", shape=(9, 7))
    samples.write_envi(tmp_path / "a.hdr", samples.make_cube())
    with pytest.raises(InputFileError, match="leave it out"):
        open_cube(tmp_path / "a.hdr", axes="y,x,band")


@pytest.mark.parametrize("read", [read_scene, open_scene])
def test_labels_that_fit_another_order_of_axes_are_refused(tmp_path, read):
    cube, labels = samples.make_cube(), samples.make_labels()
    np.save(tmp_path / "gt.npy", labels)
    for path in formats_of_bands_first(tmp_path, cube):
        with pytest.raises(InputFileError, match=r"5 lines × 7 samples.*--axes band,y,x"):
            read(path, labels=tmp_path / "gt.npy")
        scene = read(path, labels=tmp_path / "gt.npy", axes="band,y,x")
        assert scene.cube.shape == cube.shape


def formats_of_bands_first(folder, cube):
    (folder / "files").mkdir()
    return formats(folder / "files", turned(cube, "band,y,x"))


def test_wavelengths_and_names_of_axes_tell_the_order(tmp_path):
    cube = samples.make_cube("float32")
    centres = np.linspace(400, 800, BANDS)
    first = turned(cube, "band,y,x")
    scipy.io.savemat(tmp_path / "a.mat", {"cube": first, "wavelengths": centres})
    np.savez(tmp_path / "a.npz", cube=first, wavelength=centres / 1000)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"], file["Wavelength"] = first, centres
    with h5py.File(tmp_path / "named.nc", "w") as file:
        file["cube"] = turned(cube, "x,band,y")
        for place, name in enumerate(("lon", "wavelength", "lat")):
            file[name] = np.arange(file["cube"].shape[place], dtype=float)
            file[name].make_scale(name)
            file["cube"].dims[place].attach_scale(file[name])
    for name, told in [
        ("a.mat", "by its 5 wavelengths"),
        ("a.npz", "by its 5 wavelengths"),
        ("a.h5", "by its 5 wavelengths"),
        ("named.nc", "by the names of its axes"),
    ]:
        with open_cube(tmp_path / name) as file:
            np.testing.assert_array_equal(file.read(), cube)
            assert file.remarks[0].endswith(told)
            if name[0] == "a":
                np.testing.assert_allclose(file.wavelengths, centres)


def test_the_band_axis_of_a_tiff_stack_is_said_and_can_be_given(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((9, 5, 8), "u1"), photometric="minisblack")
    with pytest.raises(InputFileError, match="--axes y,x,band or --axes band,y,x"):
        open_cube(path)
    for axes, shape in [("band,y,x", (5, 8, 9)), ("y,x,band", (9, 5, 8)), ("y,band,x", (9, 8, 5))]:
        with open_cube(path, axes=axes) as file:
            assert file.shape == file.read().shape == shape
    tifffile.imwrite(path, np.zeros((5, 8, 9), "u1"), photometric="minisblack")
    with open_cube(path) as file:
        assert "read as 8 lines × 9 samples × 5 bands; " in file.remarks[0]


def test_data_info_asks_which_array_and_says_how_it_is_read(tmp_path):
    path = str(pack(tmp_path / "a.mat", samples.make_cube()))
    with pytest.raises(InputFileError, match="--scene-variable Y"):
        CliRunner().invoke(data, ["info", path], catch_exceptions=False)
    told = CliRunner().invoke(data, ["info", path, "--scene-variable", "Y"])
    assert told.exit_code == 0 and "7 × 9 × 5" in told.output and "columns" in told.output
    options = ["--scene-variable", "Y", "--shape", "9,7", "--axes", "band,y,x"]
    told = CliRunner().invoke(data, ["info", path, *options])
    assert told.exit_code == 0 and "9 × 7 × 5" in told.output
    wrong = CliRunner().invoke(data, ["info", path, "--shape", "0,x"])
    assert wrong.exit_code == 2 and "lines and samples" in wrong.output


def test_a_run_remembers_the_axes_and_predicts_with_them(tmp_path):
    cube, labels = small_cube()
    np.save(tmp_path / "labels.npy", labels)
    np.save(tmp_path / "cube.npy", cube)
    np.save(tmp_path / "first.npy", cube.transpose(2, 0, 1))
    options = {"labels": str(tmp_path / "labels.npy"), "model": "lda", "threads": 1}
    usual = hsi.train(scene=str(tmp_path / "cube.npy"), output=tmp_path / "a", **options)
    with pytest.raises(InputFileError, match="--axes band,y,x"):
        hsi.train(scene=str(tmp_path / "first.npy"), output=tmp_path / "b", **options)
    first, order = str(tmp_path / "first.npy"), {"axes": "band,y,x"}
    run = hsi.train(scene=first, output=tmp_path / "b", **options, **order)
    np.testing.assert_array_equal(run.label_map, usual.label_map)
    assert hsi.evaluate(run.path).equal
    with pytest.raises(ShapeError, match=r"first\.npy: 28 bands; expected 18.*--axes band,y,x"):
        hsi.predict([run.path], output=tmp_path / "m.npy", scene=first, threads=1)
    got = hsi.predict([run.path], output=tmp_path / "m.npy", scene=first, threads=1, **order)
    np.testing.assert_array_equal(got.labels[labels > 0], run.label_map[labels > 0])


@pytest.mark.parametrize("ending", ["mat", "npz", "h5"])
def test_wavelengths_of_another_length_are_said(tmp_path, ending):
    arrays = {"cube": np.arange(7 * 9 * 5.0).reshape(7, 9, 5), "wavelengths": np.arange(1.0, 5.0)}
    path = tmp_path / f"a.{ending}"
    if ending == "h5":
        with h5py.File(path, "w") as file:
            file.update(arrays)
    else:
        {"mat": scipy.io.savemat, "npz": lambda p, a: np.savez(p, **a)}[ending](path, arrays)
    with open_cube(path, axes="y,x,band") as file:
        assert file.wavelengths is None
        said = " / ".join(file.remarks)
        assert "wavelengths (" in said and "not as long as the 5 bands" in said


def write_arrays(path, arrays):
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file.update(arrays)
    elif path.suffix == ".npy":
        np.save(path, arrays["cube"])
    elif path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.stem.startswith("v73"):
        samples.write_matlab73(path, **arrays)
    else:
        scipy.io.savemat(path, arrays, do_compression=path.stem == "packed")
    return path


@pytest.mark.parametrize("name", ["a.mat", "packed.mat", "v73.mat", "a.npz", "a.h5", "a.npy"])
@pytest.mark.parametrize("at", [(0,), (3,), (2,), (0, 0)])
def test_axes_of_length_1_are_left_out_of_a_cube_and_said(tmp_path, name, at):
    cube = np.random.default_rng(0).random((6, 7, 5)).astype("f4")
    stored = cube
    for place in at:
        stored = np.expand_dims(stored, place)
    path = write_arrays(tmp_path / name, {"cube": stored, "map": np.eye(6, 7, dtype="u1")})
    with open_cube(path) as file:
        assert file.shape == (6, 7, 5)
        np.testing.assert_array_equal(file.read(), cube)
        np.testing.assert_array_equal(file.read(2, 4), cube[2:4])
        assert "its axes of length 1 are left out" in " / ".join(file.remarks)
    with open_cube(path, axes="band,x,y") as file:
        np.testing.assert_array_equal(file.read(), cube.transpose(2, 1, 0))
    described = describe_file(path)
    assert described["shape"] == [6, 7, 5]


@pytest.mark.parametrize("name", ["a.mat", "v73.mat", "a.npz", "a.h5"])
def test_a_map_beside_what_is_no_cube_says_so(tmp_path, name):
    path = write_arrays(
        tmp_path / name, {"cube": np.ones((2, 6, 7, 5)), "map": np.eye(6, 7, dtype="u1")}
    )
    described = describe_file(path)
    assert described["format"].startswith("a label map")
    assert "cube (2 × 6 × 7 × 5" in described["remarks"][-1]
    assert "save a part of cube with three axes" in described["remarks"][-1]


def test_names_of_axes_count_without_those_of_length_1(tmp_path):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file["cube"] = np.zeros((1, 5, 6, 7))
        for place, name in enumerate(("time", "wavelength", "lat", "lon")):
            file["cube"].dims[place].label = name
    with open_cube(tmp_path / "a.nc") as file:
        assert file.shape == (6, 7, 5)


@pytest.mark.parametrize(
    ("name", "unit"),
    [("wl", 1.0), ("lambda_nm", 1.0), ("wavelength_um", 1e-3), ("Wavelength_micrometers", 1e-3)],
)
def test_wavelengths_of_another_variable_are_named(tmp_path, name, unit):
    centres = np.linspace(400.0, 2500.0, 10)
    cube = np.ones((6, 7, 10), np.float32)
    scipy.io.savemat(tmp_path / "cube.mat", {"cube": cube, name: centres * unit})
    np.savez(tmp_path / "cube.npz", **{"cube": cube, name: centres * unit})
    for path in (tmp_path / "cube.mat", tmp_path / "cube.npz"):
        with open_cube(path) as file:
            np.testing.assert_allclose(file.wavelengths, centres)
            assert f"wavelengths are those of {name}, 400 to 2500 nm" in file.remarks


@pytest.mark.parametrize(
    ("name", "unit", "own"), [("fwhm", 1e-3, 1e-3), ("fwhm_nm", 1e-3, 1.0), ("FWHM", 1.0, 1.0)]
)
def test_widths_of_another_variable_are_in_their_unit_or_that_of_the_wavelengths(
    tmp_path, name, unit, own
):
    centres, widths = np.linspace(400.0, 2500.0, 10), np.linspace(6, 12, 10)
    cube = np.ones((6, 7, 10), np.float32)
    arrays = {"cube": cube, "wavelength": centres * unit, name: widths * own}
    scipy.io.savemat(tmp_path / "cube.mat", arrays)
    np.savez(tmp_path / "cube.npz", **arrays)
    for path in (tmp_path / "cube.mat", tmp_path / "cube.npz"):
        with open_cube(path) as file:
            np.testing.assert_allclose(file.fwhm, widths)
    del arrays["wavelength"]
    np.savez(tmp_path / "cube.npz", **arrays)
    with open_cube(tmp_path / "cube.npz") as file:
        assert file.fwhm is None


@pytest.mark.parametrize(
    ("name", "unit", "own"), [("fwhm", "", ""), ("fwhm_nm", "", ""), ("fwhm", "µm", "nm")]
)
def test_widths_in_hdf5_are_in_their_unit_or_that_of_the_wavelengths(tmp_path, name, unit, own):
    centres, widths = np.linspace(400.0, 2500.0, 10), np.linspace(6, 12, 10)
    with h5py.File(tmp_path / "cube.h5", "w") as file:
        file["cube"] = np.ones((6, 7, 10), np.float32)
        file["wavelength"], file[name] = centres * (1e-3 if unit else 1.0), widths
        file["wavelength"].attrs["units"], file[name].attrs["units"] = unit, own
    with open_cube(tmp_path / "cube.h5") as file:
        np.testing.assert_allclose(file.wavelengths, centres)
        np.testing.assert_allclose(file.fwhm, widths)


@pytest.mark.parametrize("width", [0.0, -1.0, np.nan])
def test_widths_that_are_none_are_not_known(tmp_path, width):
    arrays = {"cube": np.ones((6, 7, 4)), "wavelength": [450.0, 500, 600, 700], "fwhm": [width] * 4}
    np.savez(tmp_path / "cube.npz", **arrays)
    with h5py.File(tmp_path / "cube.h5", "w") as file:
        file.update({name: np.asarray(values) for name, values in arrays.items()})
    for path in (tmp_path / "cube.npz", tmp_path / "cube.h5"):
        with open_cube(path) as file:
            assert file.fwhm is None
            assert file.wavelengths is not None


def test_numbers_of_bands_are_no_wavelengths(tmp_path):
    np.savez(tmp_path / "cube.npz", cube=np.ones((6, 7, 10)), wavelength=np.arange(1, 11))
    with open_cube(tmp_path / "cube.npz") as file:
        assert file.wavelengths is None
        assert "wavelength (10 int64): no wavelengths" in file.remarks[-1]


def test_arrays_inside_structs_and_cells_are_told_how_to_come_out(tmp_path):
    cube = np.ones((6, 7, 10), np.float32)
    cell = np.empty((1, 2), object)
    cell[0, 0] = cell[0, 1] = cube
    scipy.io.savemat(tmp_path / "struct.mat", {"data": {"cube": cube, "gt": cube[..., 0]}})
    scipy.io.savemat(tmp_path / "cell.mat", {"cubes": cell})
    for name, inside in (("struct", "data.FIELD"), ("cell", "cubes{1}")):
        expected = re.escape(f"x = {inside}; save('x.mat', 'x')")
        for options in ({}, {"variable": inside.split(".")[0].split("{")[0]}):
            with pytest.raises(InputFileError, match=expected):
                open_cube(tmp_path / f"{name}.mat", **options)
            with pytest.raises(InputFileError, match=expected):
                read_labels(tmp_path / f"{name}.mat", **options)
