"""Missing pixels and bands: fill values, masks, transparency, bad bands; whole and by lines."""

import shlex

import file_samples as samples
import h5py
import numpy as np
import pytest
from scipy import io

from hsi_suite.data.cube_writer import write_cube_like
from hsi_suite.data.readers import open_cube, open_scene, read_labels, read_scene
from hsi_suite.errors import InputFileError


def whole_and_by_lines(path, **options):
    """A scene read whole; by lines it must be the same, values, mask and words."""
    scene = read_scene(path, **options)
    lines = open_scene(path, **options)
    with lines.cube as file:
        for first, last in [(0, scene.lines), (0, 1), (1, 3), (scene.lines - 1, scene.lines)]:
            np.testing.assert_array_equal(file.read(first, last), scene.cube[first:last])
        if scene.valid is None:
            assert lines.valid is None
        else:
            np.testing.assert_array_equal(lines.valid, scene.valid)
        assert (lines.remarks, lines.nodata) == (scene.remarks, scene.nodata)
    return scene


def slowly_filled(cube, missing, positions):
    """The slow twin: pixel by pixel with NumPy's own interpolation."""
    out, valid = cube.astype(float), np.ones(cube.shape[:2], bool)
    for line, sample in np.ndindex(cube.shape[:2]):
        gone = missing[line, sample]
        if 2 * gone.sum() > cube.shape[2]:
            valid[line, sample] = False
        elif gone.any():
            known = ~gone
            out[line, sample, gone] = np.interp(
                positions[gone], positions[known], cube[line, sample, known].astype(float)
            )
    return (np.rint(out) if cube.dtype.kind in "iu" else out), valid


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("writer", ["envi bil", "npy columns", "npz", "matlab v7.3", "npy big"])
def test_single_missing_bands_are_filled_and_counted(tmp_path, writer, dtype, monkeypatch):
    generator = np.random.default_rng(5)
    cube = samples.make_cube(dtype)
    missing = generator.random(cube.shape) < 0.3
    missing[0, 0] = [True, True, False, False, False]  # at the edge of the spectrum
    cube[missing] = 0
    if dtype[0] == "f":
        cube[missing & (generator.random(cube.shape) < 0.5)] = np.nan
    name, write = samples.CUBE_WRITERS[writer]
    write(tmp_path / name, cube)
    monkeypatch.setattr("hsi_suite.data.readers._BLOCK_VALUES", 100)
    scene = whole_and_by_lines(tmp_path / name, nodata=0)
    expected, valid = slowly_filled(cube, missing, np.arange(5.0))
    np.testing.assert_array_equal(scene.valid, valid)
    np.testing.assert_allclose(scene.cube[valid], expected[valid], rtol=1e-6)
    assert scene.cube.dtype == cube.dtype
    np.testing.assert_array_equal(scene.cube[~valid], cube[~valid])
    count, pixels = missing[valid].sum(), missing[valid].any(axis=1).sum()
    assert f"{count} missing values in single bands of {pixels} pixels" in scene.remarks[-1]


def test_bands_are_filled_by_their_wavelengths(tmp_path):
    cube = samples.make_cube("float64")
    cube[2, 2, 1] = -1
    extra = "data ignore value = -1\nwavelength = {400, 410, 500, 600, 700}\n"
    samples._ENVI_CODES.setdefault("float64", 5)
    samples.write_envi(tmp_path / "a.hdr", cube, extra=extra)
    low, high = cube[2, 2, 0], cube[2, 2, 2]
    assert read_scene(tmp_path / "a.hdr").cube[2, 2, 1] == pytest.approx(low + 0.1 * (high - low))


# Masks of GDAL


def write_raster(path, cube, *, mask=None, inside=True, **profile):
    rasterio = pytest.importorskip("rasterio")
    profile = {
        "driver": "GTiff",
        "height": cube.shape[0],
        "width": cube.shape[1],
        "count": cube.shape[2],
        "dtype": cube.dtype,
        "transform": rasterio.Affine(30, 0, 0, 0, -30, 0),
        "crs": "EPSG:32633",
    } | profile
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside), rasterio.open(path, "w", **profile) as file:
        file.write(cube.transpose(2, 0, 1))
        if mask is not None:
            file.write_mask(mask)
    return path


@pytest.fixture
def mask():
    mask = np.full((7, 9), 255, "u1")
    mask[2:4, 1:5] = 0
    return mask


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(
    "profile",
    [
        {},
        {"interleave": "pixel", "compress": "deflate"},
        {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "lzw"},
    ],
)
def test_pixels_that_gdal_masks_hold_no_data(tmp_path, mask, inside, profile):
    path = write_raster(
        tmp_path / "a.tif", samples.make_cube(), mask=mask, inside=inside, **profile
    )
    assert inside != (tmp_path / "a.tif.msk").exists()
    scene = whole_and_by_lines(path)
    np.testing.assert_array_equal(scene.valid, mask > 0)
    assert ("a.tif.msk" in scene.checksums) is not inside
    assert read_scene(path, nodata=np.nan).valid is None
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2])
    np.testing.assert_array_equal(read_scene(path).valid, mask > 0)


def test_masks_and_nodata_and_envi(tmp_path, mask):
    cube = samples.make_cube()
    cube[5, 5] = 7
    path = write_raster(tmp_path / "a.tif", cube, mask=mask, inside=False)
    expected = mask > 0
    expected[5, 5] = False
    np.testing.assert_array_equal(whole_and_by_lines(path, nodata=7).valid, expected)
    samples.write_envi(tmp_path / "b.hdr", cube)
    (tmp_path / "a.tif.msk").rename(tmp_path / "b.img.msk")
    np.testing.assert_array_equal(whole_and_by_lines(tmp_path / "b.hdr").valid, mask > 0)
    samples.write_envi(tmp_path / "b.hdr", cube[:6])
    with pytest.raises(InputFileError, match=r"img\.msk: a mask of 7 × 9 pixels; expected 6 × 9"):
        read_scene(tmp_path / "b.hdr")


def test_what_a_file_calls_transparency_is_a_mask_and_no_band(tmp_path, mask):
    cube = samples.make_cube("uint8", (7, 9, 3))
    path = write_raster(tmp_path / "a.tif", np.dstack([cube, mask]), photometric="RGB", alpha="YES")
    scene = whole_and_by_lines(path)
    np.testing.assert_array_equal(scene.cube, cube)
    np.testing.assert_array_equal(scene.valid, mask > 0)
    assert "band 4 transparency" in scene.remarks[0]
    assert read_scene(path, nodata=np.nan).cube.shape == (7, 9, 4)
    path = write_raster(tmp_path / "b.tif", np.dstack([cube, mask]), photometric="MINISBLACK")
    assert read_scene(path).cube.shape == (7, 9, 4)  # unspecified: it may be anything


@pytest.mark.parametrize("name", ["b.tif", "b.hdr"])
def test_the_mask_of_a_cube_goes_with_what_is_made_of_it(tmp_path, mask, name):
    rasterio = pytest.importorskip("rasterio")
    cube = samples.make_cube()
    with open_cube(write_raster(tmp_path / "a.tif", cube, mask=mask)) as file:
        written = write_cube_like(tmp_path / name, file, file.dtype, [file.read()])
    assert written[-1].suffix == ".msk"
    np.testing.assert_array_equal(whole_and_by_lines(tmp_path / name).valid, mask > 0)
    with rasterio.open(written[-2]) as file:
        np.testing.assert_array_equal(file.dataset_mask(), mask)


def test_masked_labels_are_unlabelled(tmp_path, mask):
    labels = np.ones((7, 9, 1), "u1")
    path = write_raster(tmp_path / "gt.tif", labels, mask=mask)
    np.testing.assert_array_equal(read_labels(path).labels, mask > 0)
    path = write_raster(tmp_path / "side.tif", labels, mask=mask, inside=False)
    np.testing.assert_array_equal(read_labels(path).labels, mask > 0)


def test_a_scene_that_is_masked_altogether_is_refused(tmp_path, mask):
    path = write_raster(tmp_path / "a.tif", samples.make_cube(), mask=mask * 0)
    with pytest.raises(InputFileError, match="no pixel holds data"):
        read_scene(path)
    with pytest.raises(InputFileError, match="no pixel holds data"):
        open_scene(path)


# HDF5


def neon(path, cube, **attributes):
    """The layout of NEON's airborne reflectance files."""
    with h5py.File(path, "w") as file:
        data = file.create_dataset("SITE/Reflectance/Reflectance_Data", data=cube)
        data.attrs["Data_Ignore_Value"] = -9999.0
        data.attrs["Scale_Factor"] = 10000.0
        data.attrs["Dimension_Labels"] = "Line, Sample, Wavelength"
        file["SITE/Reflectance/Metadata/Ancillary_Imagery/Aspect"] = cube[:, :, 0].astype("f4")
        spectral = file.create_group("SITE/Reflectance/Metadata/Spectral_Data")
        spectral["Wavelength"] = np.linspace(400, 2400, cube.shape[2])
        spectral["FWHM"] = np.full(cube.shape[2], 6.0)
        for name in ("Wavelength", "FWHM"):
            spectral[name].attrs["Units"] = "nanometers"
        for name, value in attributes.items():
            file["SITE/Reflectance"].attrs[name] = value
    return path


def test_neon_reflectance(tmp_path):
    cube = samples.make_cube("int16")
    cube[1, 2] = cube[4, 4, 1] = -9999
    window = {"Band_Window_1_Nanometers": np.array([1300.0, 1500.0])}
    path = neon(tmp_path / "a.h5", cube, **window)
    assert whole_and_by_lines(path).selection.bands == (0, 1, 3, 4)
    scene = whole_and_by_lines(path, bands="all")
    assert np.argwhere(~scene.valid).tolist() == [[1, 2]]
    assert scene.cube[4, 4, 1] == round((int(cube[4, 4, 0]) + int(cube[4, 4, 2])) / 2)
    np.testing.assert_allclose(scene.wavelengths, np.linspace(400, 2400, 5))
    with open_cube(tmp_path / "a.h5") as file:
        assert file.kept_fields["reflectance scale factor"] == "10000"
        assert file.bad_bands == (2,)
        np.testing.assert_allclose(file.fwhm, 6)


def test_netcdf_conventions(tmp_path):
    cube = samples.make_cube("float32")
    cube[0, 0] = -999
    cube[3, 3] = 1e20
    with h5py.File(tmp_path / "a.nc", "w") as file:
        data = file.create_dataset("radiance", data=cube.transpose(2, 0, 1))
        data.attrs["_FillValue"] = np.array([1e20], "f4")
        data.attrs["missing_value"] = np.float32(-999)
        data.attrs["scale_factor"], data.attrs["add_offset"] = 0.5, 2.0
        file["wavelength"] = np.linspace(0.4, 0.8, 5)
        file["wavelength"].attrs["units"] = "um"
    scene = whole_and_by_lines(tmp_path / "a.nc")
    assert np.argwhere(~scene.valid).tolist() == [[0, 0], [3, 3]]
    np.testing.assert_allclose(scene.wavelengths, np.linspace(400, 800, 5))
    with open_cube(tmp_path / "a.nc") as file:
        assert file.shape == cube.shape
        assert file.kept_fields["data gain values"] == ("0.5",) * 5
        assert file.kept_fields["data offset values"] == ("2",) * 5


def test_unwritten_parts_of_hdf5_and_attributes_of_groups(tmp_path):
    cube = samples.make_cube("int16")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("cube", cube.shape, "i2", chunks=(1, 9, 5), fillvalue=-5)
        data[:4] = cube[:4]
        file.create_dataset("plain/bytes", (7, 9, 5), "u1", fillvalue=255)[:] = 255
        file["plain"].attrs["nodata"] = b"3"
    assert (~read_scene(tmp_path / "a.h5", variable="cube").valid).sum() == 3 * 9
    with open_cube(tmp_path / "a.h5", variable="plain/bytes") as file:
        assert file.nodata == 3


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"missing_value": np.array([-1.0, -2, -3])}, "-2, -3 mark missing data too"),
        ({"_FillValue": np.array([[-1], [-2]], "i2"), "missing_value": -3}, "are read as -1"),
        ({"missing_value": "-1, -2; -3"}, "-2, -3 mark missing data too"),
        ({"nodata": ["-1", "-2 -3"]}, "-2, -3 mark missing data too"),
        ({"_FillValue": np.repeat([-1, -2, -3], 40)}, "-2, -3 mark missing data too"),
        ({"missing_value": "none"}, "missing_value of /cube is no number, and marks nothing"),
        ({"missing_value": np.arange(-60, 0)}, "60 different values are said to mark missing data"),
    ],
)
def test_several_values_of_one_attribute_mark_missing_data(tmp_path, attributes, said):
    cube = samples.make_cube("int16")
    cube[0, 0], cube[1, 1], cube[2, 2] = -1, -2, -3
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = cube
        file["cube"].attrs.update(attributes)
    scene = whole_and_by_lines(tmp_path / "a.h5")
    if "mark missing" in said or "read as" in said:
        found = None if scene.valid is None else np.argwhere(~scene.valid).tolist()
        assert found == (None if "60" in said else [[0, 0], [1, 1], [2, 2]])
    else:
        assert scene.valid is None
    assert any(said in remark for remark in scene.remarks)
    told = read_scene(tmp_path / "a.h5", nodata=-2)
    assert np.argwhere(~told.valid).tolist() == [[1, 1]]
    np.testing.assert_array_equal(told.cube, cube)
    assert read_scene(tmp_path / "a.h5", nodata=np.nan).valid is None


def test_fill_values_of_hdf5_label_maps_are_unlabelled(tmp_path):
    labels = samples.make_labels() + np.uint8(1)
    labels[0], labels[1] = 255, 254
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["labels"] = labels
        file["labels"].attrs["_FillValue"] = np.array([255, 254], "u1")
    found = read_labels(tmp_path / "a.h5")
    np.testing.assert_array_equal(found.labels, np.where(labels > 200, 0, labels))
    assert found.remarks == ("a.h5: 254 mark missing data too, and are read as 255",)
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file["labels"][2] = 0
    with pytest.raises(InputFileError, match="nodata is 255, and 0 occurs too"):
        read_labels(tmp_path / "a.h5")
    assert read_labels(tmp_path / "a.h5", unlabelled=0).labels.max() == labels[2:].max()


def test_scales_of_single_bands(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = samples.make_cube("int16")
        file["cube"].attrs["scale_factor"] = np.arange(1.0, 6.0)
    with open_cube(tmp_path / "a.h5") as file:
        assert file.kept_fields["data gain values"] == ("1", "2", "3", "4", "5")


# Bad bands


def test_bad_bands_of_the_header_are_said(tmp_path):
    cube = samples.make_cube("int16")
    extra = "bbl = {1, 0.0, 0, 1, 1}\ndata ignore value = -1\n"
    samples.write_envi(tmp_path / "a.hdr", cube, extra=extra)
    scene = whole_and_by_lines(tmp_path / "a.hdr", bands="all")
    assert "the header marks 2 of 5 bands as bad (2-3)" in scene.remarks[0]
    scene = whole_and_by_lines(tmp_path / "a.hdr")
    assert scene.remarks == ("3 of 5 bands are used; left out: 2 marked as bad: 2-3",)
    cube[..., 1:3] = -1
    samples.write_envi(tmp_path / "a.hdr", cube, extra=extra)
    for read in (read_scene, open_scene):
        assert read(tmp_path / "a.hdr").selection.bands == (0, 3, 4)
        words = r"2 of 5 bands \(2-3\).*marks all .* as bad. Leave these bands out \(--bands good\)"
        with pytest.raises(InputFileError, match=words):
            read(tmp_path / "a.hdr", bands="all")


def write_dead_bands(tmp_path, kind):
    """A scene with two bands of nodata alone and a pixel of zeros; options to read it, and values.

    Every tenth pixel or so holds nothing at all.
    """
    rng = np.random.default_rng(0)
    cube = (1000 + rng.normal(0, 20, (20, 22, 12)) + 100 * rng.random((20, 22, 1))).astype("int16")
    cube[3, 4] = 0
    cube[..., 5:7] = -1
    cube[rng.random((20, 22)) < 0.1] = -1
    cube[3, 5, 2] = -1
    if kind == "envi":
        marks = ", ".join("0" if band in (2, 5, 6) else "1" for band in range(12))
        extra = f"bbl = {{{marks}}}\ndata ignore value = -1\n"
        return samples.write_envi(tmp_path / "a.hdr", cube, extra=extra), {}, cube
    if kind == "matlab":
        io.savemat(tmp_path / "a.mat", {"cube": cube, "other": cube[:9, :9]})
        return tmp_path / "a.mat", {"variable": "cube", "nodata": -1}, cube
    if kind == "npy matrix":
        np.save(tmp_path / "a.npy", cube.reshape(-1, 12).T)
        options = {"axes": "band,pixel", "shape": (20, 22), "nodata": -1}
        return tmp_path / "a.npy", options, cube
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = cube
        file["cube"].attrs["Data_Ignore_Value"] = -1
        file["cube"].attrs["Band_Window_1_Nanometers"] = [495.0, 555.0]
        file["wavelength"] = np.arange(12) * 50.0 + 250
    return tmp_path / "a.h5", {}, cube


@pytest.mark.parametrize("kind", ["envi", "matlab", "npy matrix", "neon"])
def test_the_advice_for_bands_without_data_helps(tmp_path, monkeypatch, hsi, kind):
    monkeypatch.chdir(tmp_path)
    path, options, cube = write_dead_bands(tmp_path, kind)
    with pytest.raises(InputFileError, match=r"2 of 12 bands \(6-7\)") as refused:
        read_scene(path, bands="all", **options)
    scene = read_scene(path, bands="1-5,8-12", **options)
    assert scene.bands == (9 if kind == "envi" else 10)
    advice = str(refused.value).split("`")[1]
    status, out, err = hsi(*shlex.split(advice)[1:])
    assert status == 0, err
    scene = read_scene(out.splitlines()[0], bands="all", nodata=options.get("nodata"))
    held = (cube != -1).sum(axis=2) > 5
    np.testing.assert_array_equal(scene.valid, held)
    with open_cube(out.splitlines()[0]) as file:
        assert not (file.read()[held] == -1).any()
        # All that were marked are replaced, dead or not.
        assert file.bad_bands == ()
    assert (scene.cube[3, 4] == 0).all()
    assert ("no longer marked" in err) == (kind in ("envi", "neon"))
