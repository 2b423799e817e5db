"""Scenes as DataArrays of xarray, and back."""

from dataclasses import fields, replace

import numpy as np
import pytest
import rasterio
import rioxarray
import xarray

from hsi_suite import Scene
from hsi_suite.data.band_selection import BandSelection, LeftOut
from hsi_suite.data.scene import Georeference
from hsi_suite.errors import ConfigError, HsiSuiteError, ShapeError

GRIDS = {
    "north up": (30.0, 0.0, 600000.0, 0.0, -30.0, 5800000.1),
    "ascending y": (0.1, 0.0, 13.7, 0.0, 0.3, 52.1),
    "rotated": (26.0, 15.0, 600000.0, 15.0, -26.0, 5800000.0),
    "sheared": (30.0, 4.0, 600000.0, 0.0, -20.0, 5800000.0),
}
LINES, SAMPLES, BANDS = 4, 6, 5


def make_scene(grid="north up", crs="EPSG:32633", dtype="i2"):
    cube = np.random.default_rng(0).integers(1, 900, (LINES, SAMPLES, BANDS)).astype(dtype)
    cube[0, :2] = -99
    labels = np.zeros((LINES, SAMPLES), np.uint16)
    labels[1:, 1:4] = [1, 2, 3]
    valid = np.ones((LINES, SAMPLES), bool)
    valid[0, :2] = valid[3, 5] = False
    return Scene(
        "field", cube, labels, ("bare soil", "oats", "rye", "none seen"),
        np.arange(24).reshape(LINES, SAMPLES).astype("u4"),
        np.array([410.125, 500.5, 1001.0, 990.0, 2400.7]),
        None if grid is None else Georeference(crs, GRIDS[grid]),
        {"height": np.random.default_rng(1).random((LINES, SAMPLES), np.float32)},
        valid, -99.0, (2, 1, 0), True, {"field.hdr": "abc"}, "Nobody, 2026", ("a", "b"), ("b",),
        ("field.hdr",), np.full(BANDS, 6.5),
        BandSelection(7, (0, 1, 3, 4, 6), (LeftOut("marked as bad", (2, 5), "3, 6"),), "number"),
    )  # fmt: skip


def assert_same(first, second):
    for field in fields(Scene):
        one, other = (getattr(scene, field.name) for scene in (first, second))
        if field.name == "companions":
            assert list(one) == list(other)
            for name in one:
                np.testing.assert_array_equal(one[name], other[name])
        elif isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, err_msg=field.name)
            assert one.dtype == other.dtype, field.name
        else:
            assert one == other, field.name


@pytest.mark.parametrize("dims", [("y", "x", "wavelength"), ("wavelength", "x", "y")])
@pytest.mark.parametrize("grid", [*GRIDS, None])
def test_a_scene_comes_back_the_same(grid, dims):
    scene = make_scene(grid)
    array = scene.to_xarray()
    assert array.dims == ("y", "x", "wavelength")
    assert_same(scene, Scene.from_xarray(array.transpose(*dims)))


def test_a_scene_of_a_cube_alone_comes_back_the_same():
    scene = Scene("bare", np.random.default_rng(0).random((3, 4, 2)), false_colour=(1, 1, 0))
    array = scene.to_xarray()
    assert not array.coords
    assert_same(scene, Scene.from_xarray(array))


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:3035", None])
def test_a_scene_survives_netcdf_of_xarray(tmp_path, crs):
    scene = make_scene(crs=crs)
    scene.to_xarray().to_netcdf(tmp_path / "cube.nc")
    with xarray.open_dataarray(
        tmp_path / "cube.nc", mask_and_scale=False, decode_coords="all"
    ) as a:
        assert_same(scene, Scene.from_xarray(a))
    # As it is by default: missing values are NaN, and their mark is in the encoding.
    with xarray.open_dataarray(tmp_path / "cube.nc", decode_coords="all") as array:
        found = Scene.from_xarray(array)
    assert np.isnan(found.cube[0, :2]).all() and found.nodata == -99
    np.testing.assert_array_equal(found.valid, scene.valid)
    assert found.georeference == scene.georeference


@pytest.mark.parametrize("grid", GRIDS)
def test_rioxarray_reads_the_place(grid):
    array = make_scene(grid).to_xarray()
    assert array.rio.crs == rasterio.CRS.from_epsg(32633)
    np.testing.assert_allclose(tuple(array.rio.transform())[:6], GRIDS[grid], rtol=1e-9)
    assert array.rio.nodata == -99
    if grid == "north up":
        assert array.x.values[:2].tolist() == [600015.0, 600045.0]


def test_rioxarray_says_the_place(tmp_path):
    """What others have written: a GeoTIFF that rioxarray opened, band first."""
    cube = make_scene().cube
    with rasterio.open(
        tmp_path / "c.tif", "w", driver="GTiff", width=SAMPLES, height=LINES, count=BANDS,
        dtype="int16", crs="EPSG:32633", transform=rasterio.Affine(*GRIDS["north up"]), nodata=-99,
    ) as file:  # fmt: skip
        file.write(cube.transpose(2, 0, 1))
    with rioxarray.open_rasterio(tmp_path / "c.tif") as array:
        scene = Scene.from_xarray(array, labels=make_scene().labels)
    np.testing.assert_array_equal(scene.cube, cube)
    assert scene.georeference == Georeference("EPSG:32633", GRIDS["north up"])
    assert scene.nodata == -99 and scene.class_names == ("class 1", "class 2", "class 3")
    assert not scene.valid[0, :2].any() and scene.valid.sum() == LINES * SAMPLES - 2


@pytest.mark.parametrize("grid", GRIDS)
def test_a_part_lies_where_it_was_cut_out(grid):
    scene = make_scene(grid)
    found = Scene.from_xarray(scene.to_xarray()[1:, 2:, 1:4])
    a, b, c, d, e, f = GRIDS[grid]
    there = (a, b, c + 2 * a + b, d, e, f + 2 * d + e)
    np.testing.assert_allclose(found.georeference.transform, there, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(found.cube, scene.cube[1:, 2:, 1:4])
    np.testing.assert_array_equal(found.labels, scene.labels[1:, 2:])
    np.testing.assert_array_equal(found.wavelengths, scene.wavelengths[1:4])
    assert found.selection.bands == (1, 3, 4) and found.selection.of == 7
    assert [each.bands for each in found.selection.left_out] == [(2, 5), (0, 6)]


def test_map_info_goes_along_as_long_as_it_holds():
    info = ("UTM", "1", "1", "600000", "5800000.1", "30", "30", "33", "North", "WGS-84")
    place = Georeference("EPSG:32633", GRIDS["north up"], info)
    array = replace(make_scene(), georeference=place).to_xarray()
    assert Scene.from_xarray(array).georeference == place
    assert Scene.from_xarray(array[1:]).georeference.map_info is None


@pytest.mark.parametrize("name", ["good_wavelengths", "good_bands", "bbl"])
def test_marked_bands_are_left_out(name):
    marks = np.array([1, 0, 1, 1, 0])
    array = replace(make_scene(), selection=None).to_xarray()
    array = array.assign_coords({name: ("wavelength", marks)})
    scene = Scene.from_xarray(array)
    assert scene.selection.bands == (0, 2, 3) and "marked as bad" in scene.selection.summary()
    np.testing.assert_array_equal(scene.wavelengths, array.wavelength[[0, 2, 3]])
    assert len(scene.fwhm) == scene.bands == 3
    assert Scene.from_xarray(array, bands="all").bands == BANDS


def test_units_of_wavelengths_count():
    array = xarray.DataArray(np.ones((2, 3, 2)), dims=("lat", "lon", "band"))
    for values, unit, nm in (([0.4, 0.5], "um", [400, 500]), ([400, 500], "", [400, 500])):
        with_unit = array.assign_coords(wavelength=("band", values, {"units": unit}))
        np.testing.assert_allclose(Scene.from_xarray(with_unit).wavelengths, nm)
    counted = array.assign_coords(wavelength=("band", [0, 1]))
    assert Scene.from_xarray(counted).wavelengths is None


def _array(**coordinates):
    return make_scene(None).to_xarray().assign_coords(coordinates)


WRONG = {
    "no array": lambda: np.ones((2, 2, 2)),
    "a dataset": lambda: make_scene().to_xarray().to_dataset(),
    "dimensions": lambda: xarray.DataArray(np.ones((2, 2, 2)), dims=("a", "b", "c")),
    "two dimensions": lambda: xarray.DataArray(np.ones((2, 2)), dims=("y", "x")),
    "empty": lambda: make_scene().to_xarray()[:0],
    "texts": lambda: make_scene().to_xarray().astype(str),
    "unit": lambda: _array(wavelength=("wavelength", np.arange(5.0), {"units": "parsec"})),
    "not above 0": lambda: _array(wavelength=np.array([-1.0, 2, 3, 4, 5])),
    "wavelengths of text": lambda: _array(wavelength=list("abcde")),
    "labels of text": lambda: _array(labels=(("y", "x"), np.full((LINES, SAMPLES), "a"))),
    "half labels": lambda: _array(labels=(("y", "x"), np.full((LINES, SAMPLES), 0.5))),
    "uneven x": lambda: _array(x=[0, 1, 2, 4, 5, 6.0], y=np.arange(LINES)),
    "all bands bad": lambda: _array(bbl=("wavelength", np.zeros(BANDS))),
    "nodata": lambda: make_scene().to_xarray().assign_attrs(_FillValue="none", nodata="none"),
    "damaged bands": lambda: _array(band=("wavelength", np.arange(5), {"selection": "[" * 9999})),
    "damaged deeply": lambda: make_scene().to_xarray().assign_attrs(checksums="[" * 99999),
    "damaged": lambda: make_scene().to_xarray().assign_attrs(checksums="{"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_scene_is_refused(kind):
    with pytest.raises(HsiSuiteError):
        Scene.from_xarray(WRONG[kind]())


def test_labels_that_do_not_fit_are_refused():
    array = make_scene().to_xarray()
    with pytest.raises(ShapeError, match="labels"):
        Scene.from_xarray(array, labels=np.ones((SAMPLES, LINES), int))
    with pytest.raises(ConfigError, match="class_names"):
        Scene.from_xarray(array, class_names=("one",))
    turned = xarray.DataArray(make_scene().labels.T, dims=("x", "y"))
    np.testing.assert_array_equal(
        Scene.from_xarray(array, labels=turned).labels, make_scene().labels
    )
