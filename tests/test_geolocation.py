"""Swaths: where each pixel lies is read, shown, and handed on by what is exported."""

import h5py
import numpy as np
import pytest
import rasterio
import xarray
from product_samples import LINES, PRODUCTS, SAMPLES

from hsi_suite.data.cube_export import export_cube
from hsi_suite.data.file_description import describe_file
from hsi_suite.data.readers import open_cube
from hsi_suite.errors import InputFileError, OutputError

SWATHS = {
    "prisma L1": "longitude", "prisma L2B": "longitude", "prisma L2C": "longitude",
    "tanager basic": "longitude", "emit without a table": "longitude", "aviris": "x",
}  # fmt: skip


@pytest.fixture(params=SWATHS)
def written(request, tmp_path):
    return PRODUCTS[request.param](tmp_path)


@pytest.mark.parametrize("name", PRODUCTS)
def test_pixels_of_swaths_lie_where_they_were_written(tmp_path, name):
    written = PRODUCTS[name](tmp_path)
    with open_cube(written.path) as file:
        if written.places is None:
            assert file.geolocation is None
            return
        xy, crs = written.places
        assert file.georeference is None and file.geolocation.crs == crs
        assert np.array_equal(file.geolocation.read(), xy)
        assert np.array_equal(file.geolocation.read(3, 5), xy[3:5])
    low, high = xy[..., 0].min(), xy[..., 0].max()
    digits = 4 if crs == "EPSG:4326" else 1
    said = f"{crs}, {SWATHS[name]} {low:.{digits}f} to {high:.{digits}f}"
    assert describe_file(written.path)["pixels_at"].startswith(said)


def test_geotiff_holds_ground_control_points(tmp_path, written):
    export_cube(written.path, tmp_path / "cube.tif")
    xy, crs = written.places
    with rasterio.open(tmp_path / "cube.tif") as file:
        points, system = file.gcps
    assert system == rasterio.CRS.from_user_input(crs)
    assert {(0.5, 0.5), (LINES - 0.5, SAMPLES - 0.5)} <= {(p.row, p.col) for p in points}
    for point in points:
        place = xy[int(point.row), int(point.col)]
        assert np.allclose((point.x, point.y), place, rtol=0, atol=1e-9)
    with open_cube(tmp_path / "cube.tif") as file:
        assert file.georeference is None


def test_netcdf_holds_the_coordinates_of_each_pixel(tmp_path, written):
    # netCDF holds one scale for all bands.
    export_cube(written.path, tmp_path / "cube.nc", scaled=written.gains is not None)
    xy, crs = written.places
    names = ("lon", "lat") if crs == "EPSG:4326" else ("xc", "yc")
    with xarray.open_dataset(tmp_path / "cube.nc") as file:
        for axis, name in enumerate(names):
            assert file[name].dims == ("y", "x") and name in file.coords
            assert np.array_equal(file[name], xy[..., axis])
    with open_cube(tmp_path / "cube.nc") as file:
        assert file.shape == written.values.shape


def test_envi_holds_them_in_an_igm_file(tmp_path, written):
    made = export_cube(written.path, tmp_path / "out.hdr").written
    assert {p.name for p in made} >= {"out_igm.hdr", "out_igm.img"}
    with open_cube(tmp_path / "out_igm.hdr") as file:
        assert np.array_equal(file.read(), written.places[0])
    for path in set(made) - {tmp_path / "out_igm.hdr"}:
        path.unlink()
    with pytest.raises(OutputError, match="out_igm"):
        export_cube(written.path, tmp_path / "out.hdr")


def test_places_that_are_unknown_are_no_control_points(tmp_path):
    written = PRODUCTS["tanager basic"](tmp_path)
    with h5py.File(written.path, "r+") as file:
        group = file["HDFEOS/SWATHS/HYP/Geolocation Fields"]
        group["Latitude"][0] = -9999
        group["Longitude"][0] = -9999
    with open_cube(written.path) as file:
        assert np.isnan(file.geolocation.read(0, 1)).all()
        points = file.geolocation.points()
    assert points[:, 1].min() == 1.5 and np.isfinite(points).all()


def test_an_input_is_not_overwritten_by_the_places_of_an_output(tmp_path):
    written = PRODUCTS["aviris"](tmp_path)
    with pytest.raises(OutputError, match="is the input itself"):
        export_cube(written.path, tmp_path / "f080611t01p00r07rdn_c.hdr", overwrite=True)


def test_coordinates_of_other_pixels_are_refused(tmp_path):
    written = PRODUCTS["prisma L2C"](tmp_path)
    with h5py.File(written.path, "r+") as file:
        group = file["HDFEOS/SWATHS/PRS_L2C_HCO/Geolocation Fields"]
        del group["Latitude"]
        group["Latitude"] = np.zeros((3, 4))
    with pytest.raises(InputFileError, match="Latitude of 3 × 4; expected 11 × 8"):
        open_cube(written.path)
