"""netCDF-4 cubes: those that xarray wrote, and those that `hsi data export` writes."""

import h5py
import numpy as np
import pytest
import rioxarray  # noqa: F401 - gives arrays their .rio
import xarray
from file_samples import make_cube, write_envi
from product_samples import PRODUCTS
from test_scene_arrays import GRIDS, make_scene

from hsi_suite import Scene
from hsi_suite.data import cube_export
from hsi_suite.data.cube_export import export_cube
from hsi_suite.data.readers import open_cube, read_scene
from hsi_suite.data.scene import Georeference
from hsi_suite.data.value_scale import declared_scale
from hsi_suite.errors import HsiSuiteError, OutputError

EXTRA = (
    "wavelength units = nm\nwavelength = {400.5, 500, 600, 700, 800}\nfwhm = {9, 9, 9, 9, 9.25}\n"
    "bbl = {1, 0, 1, 1, 1}\ndata ignore value = 7\nreflectance scale factor = 10000\n"
    "map info = {UTM, 1, 1, 500000, 4400000, 30, 30, 33, North, WGS-84}\n"
)


@pytest.mark.parametrize("grid", [*GRIDS, None])
@pytest.mark.parametrize("dims", [("y", "x", "wavelength"), ("wavelength", "y", "x")])
def test_what_xarray_wrote_is_read(tmp_path, grid, dims):
    scene = make_scene(grid)
    scene.to_xarray().transpose(*dims).to_netcdf(tmp_path / "cube.nc")
    with open_cube(tmp_path / "cube.nc") as file:
        values = file.read()
        np.testing.assert_array_equal(values, scene.cube)
        np.testing.assert_array_equal(file.read(1, 3), scene.cube[1:3])
        np.testing.assert_array_equal(file.wavelengths, scene.wavelengths)
        np.testing.assert_array_equal(file.fwhm, scene.fwhm)
        assert file.georeference == scene.georeference and file.nodata == -99
        np.testing.assert_array_equal(file.valid(values), scene.valid)
    labels = {"labels": tmp_path / "cube.nc", "labels_variable": "labels"}
    found = read_scene(tmp_path / "cube.nc", **labels)
    np.testing.assert_array_equal(found.labels, scene.labels)


def test_packed_values_micrometres_and_a_grid_mapping_of_another_name(tmp_path):
    scene = make_scene("ascending y")
    array = scene.to_xarray().astype("f4").where(scene.valid[..., None])
    array = array.assign_coords(wavelength=("wavelength", scene.wavelengths / 1e3, {"units": "um"}))
    del array.attrs["_FillValue"]
    array = array.drop_vars("spatial_ref").rio.write_crs("EPSG:32633", grid_mapping_name="crs")
    packed = {"dtype": "i2", "scale_factor": 0.5, "add_offset": 2.0, "_FillValue": -7}
    array.rename("cube").to_netcdf(tmp_path / "c.nc", encoding={"cube": packed})
    with open_cube(tmp_path / "c.nc") as file:
        stored, scale = file.read(), declared_scale(file)
        assert file.nodata == -7 and file.dtype == np.int16
        assert set(scale.gain) == {0.5} and set(scale.offset) == {2.0}
        there = scene.valid
        np.testing.assert_array_equal(stored[there] * 0.5 + 2.0, scene.cube[there])
        np.testing.assert_allclose(file.wavelengths, scene.wavelengths)
        assert file.georeference.crs == "EPSG:32633"
        np.testing.assert_allclose(file.georeference.transform, GRIDS["ascending y"], rtol=1e-12)


def test_a_file_without_place_has_none_and_uneven_coordinates_are_said(tmp_path):
    array = xarray.DataArray(np.ones((3, 4, 2)), dims=("y", "x", "band"), name="cube")
    array.to_netcdf(tmp_path / "bare.nc")
    array.assign_coords(x=[1.0, 2, 3, 9], y=[1.0, 2, 3]).to_netcdf(tmp_path / "uneven.nc")
    for name, said in (("bare", False), ("uneven", True)):
        with open_cube(tmp_path / f"{name}.nc") as file:
            assert file.georeference is None and file.shape == (3, 4, 2)
            assert any("not evenly spaced" in remark for remark in file.remarks) == said
            assert file.wavelengths is None
            assert not any("wavelength" in remark for remark in file.remarks)


@pytest.mark.parametrize("product", PRODUCTS)
def test_exported_cubes_read_back_equal(tmp_path, monkeypatch, product):
    written = PRODUCTS[product](tmp_path)
    monkeypatch.setattr(cube_export, "_STRIP_BYTES", 1)  # a line at a time
    with open_cube(written.path) as first:
        scale = declared_scale(first)
        if scale is not None and len(set(scale.gain) | set(scale.offset)) > 2:
            with pytest.raises(OutputError, match="scale"):
                export_cube(written.path, tmp_path / "out.nc")
            assert not (tmp_path / "out.nc").exists()
            return
        export_cube(written.path, tmp_path / "out.nc")
        with open_cube(tmp_path / "out.nc") as second:
            values = first.read()
            np.testing.assert_array_equal(values, second.read())
            assert first.dtype == second.dtype
            np.testing.assert_array_equal(first.wavelengths, second.wavelengths)
            np.testing.assert_array_equal(first.fwhm, second.fwhm)
            assert (first.nodata, first.bad_bands) == (second.nodata, second.bad_bands)
            assert first.georeference == second.georeference
            if scale is not None:
                assert scale.equals(declared_scale(second))
            np.testing.assert_array_equal(first.valid(values), second.valid(values))


def test_xarray_reads_an_exported_cube(tmp_path):
    write_envi(tmp_path / "cube.hdr", make_cube(), "bil", EXTRA)
    export_cube(tmp_path / "cube.hdr", tmp_path / "out.nc")
    with open_cube(tmp_path / "cube.hdr") as file:
        place = file.georeference
    opened = {"filename_or_obj": tmp_path / "out.nc", "decode_coords": "all"}
    with xarray.open_dataarray(**opened) as array:
        assert array.dims == ("y", "x", "wavelength") and array.rio.crs.to_epsg() == 32633
        assert tuple(array.rio.transform())[:6] == place.transform
        cube = make_cube()
        there = np.where(cube == 7, np.nan, cube * 1e-4)
        np.testing.assert_allclose(array.values, there, rtol=1e-6)
        scene = Scene.from_xarray(array)
    assert scene.bands == 4 and scene.selection.left_out[0].bands == (1,)
    np.testing.assert_array_equal(scene.wavelengths, [400.5, 600, 700, 800])
    assert scene.fwhm[-1] == 9.25 and scene.georeference == place


def test_cubes_without_wavelengths_and_rotated_ones_are_exported(tmp_path):
    np.save(tmp_path / "cube.npy", make_cube())
    export_cube(tmp_path / "cube.npy", tmp_path / "out.nc", axes="y,x,band")
    with xarray.open_dataarray(tmp_path / "out.nc") as array:
        assert array.dims == ("y", "x", "band") and not array.coords
    make_scene("rotated").to_xarray().to_netcdf(tmp_path / "turned.nc")
    export_cube(tmp_path / "turned.nc", tmp_path / "again.nc")
    with open_cube(tmp_path / "again.nc") as file:
        assert file.georeference == Georeference("EPSG:32633", GRIDS["rotated"])


def test_a_link_out_of_the_file_gives_no_place(tmp_path):
    make_scene().to_xarray().to_netcdf(tmp_path / "other.nc")
    with h5py.File(tmp_path / "cube.nc", "w") as file:
        data = file.create_dataset("cube", data=make_cube())
        for axis, name in enumerate(("y", "x", "band")):
            scale = file.create_dataset(name, data=np.arange(data.shape[axis]) * 30.0)
            scale.make_scale(name)
            data.dims[axis].attach_scale(scale)
        file["spatial_ref"] = h5py.ExternalLink("other.nc", "spatial_ref")
    with open_cube(tmp_path / "cube.nc") as file:
        assert file.georeference.crs is None


def test_a_cut_file_is_refused(tmp_path):
    make_scene().to_xarray().to_netcdf(tmp_path / "cube.nc")
    data = (tmp_path / "cube.nc").read_bytes()
    (tmp_path / "cube.nc").write_bytes(data[: len(data) // 2])
    with pytest.raises(HsiSuiteError):
        read_scene(tmp_path / "cube.nc")
