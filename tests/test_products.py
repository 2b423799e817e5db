"""Satellite and airborne products: what is read is what was written."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from file_samples import make_cube, write_envi
from product_samples import (
    PRODUCTS,
    write_aviris,
    write_desis,
    write_emit,
    write_enmap,
    write_prisma,
    write_tanager,
)

from hsi_suite.data.file_description import describe_file
from hsi_suite.data.formats.products import lookup_grid
from hsi_suite.data.formats.products.lookup_grid import LookupGrid, SensorPixels
from hsi_suite.data.readers import open_cube, open_scene, read_scene
from hsi_suite.data.value_scale import declared_scale
from hsi_suite.errors import InputFileError


@pytest.fixture(params=PRODUCTS)
def written(request, tmp_path):
    return PRODUCTS[request.param](tmp_path)


def test_products_are_read_as_they_were_written(written):
    with open_cube(written.path) as file:
        assert file.product.title == written.title
        assert file.product.unit == written.unit
        assert file.dtype == written.values.dtype
        assert np.array_equal(file.read(), written.values)
        assert np.allclose(file.wavelengths, written.centres, rtol=1e-7)
        assert np.allclose(file.fwhm, written.widths, rtol=1e-7)
        assert file.bad_bands == written.bad
        valid = file.valid(file.read())
        expected = None if written.valid is None else written.valid
        assert np.array_equal(valid, expected) if expected is not None else valid is None
        scale = declared_scale(file)
        if written.gains is None:
            assert scale is None
        else:
            assert np.allclose(scale.gain, written.gains, rtol=1e-6)
            assert np.allclose(scale.offset, written.offsets, rtol=1e-6, atol=1e-12)


def test_products_lie_where_they_were_written(written):
    """To a tenth of a pixel at every corner; exactly, in fact."""
    with open_cube(written.path) as file:
        lines, samples, _ = file.shape
        if written.place is None:
            assert file.georeference is None
            assert "geometry" in file.product.position
            return
        transform, crs = written.place
        assert file.georeference.crs == crs
        corners = np.array([(0, 0, 1), (samples, 0, 1), (0, lines, 1), (samples, lines, 1)])
        found, wanted = (
            corners @ np.reshape(each, (2, 3)).T
            for each in (file.georeference.transform, transform)
        )
        pixel = np.hypot(transform[0], transform[3])
        assert np.abs(found - wanted).max() < 1e-6 * pixel


@pytest.mark.parametrize("height", [1, 4])
def test_strips_give_the_bits_of_the_whole(written, height):
    with open_cube(written.path) as file:
        whole, lines = file.read(), file.shape[0]
        starts = range(0, lines, height)
        strips = [file.read(start, min(start + height, lines)) for start in starts]
        joined = np.concatenate(strips)
        assert joined.tobytes() == whole.tobytes()
        masks = [file.valid(strip, start) for strip, start in zip(strips, starts, strict=True)]
        each = [np.ones(s.shape[:2], bool) if m is None else m
                for m, s in zip(masks, strips, strict=True)]  # fmt: skip
        valid = file.valid(whole)
        valid = np.ones(whole.shape[:2], bool) if valid is None else valid
        assert np.array_equal(np.concatenate(each), valid)


def test_products_are_described(written):
    described = describe_file(written.path)
    assert described["product"].startswith(written.title)
    assert f"[{written.unit}]" in described["quantity"]
    assert described["position"]
    assert described["wavelengths_nm"] == [written.centres.min(), written.centres.max()]


def test_truncated_products_are_refused_in_one_line(written):
    for part in written.parts:
        content = part.read_bytes()
        for kept in (0.9, 0.5, 0.1):
            part.write_bytes(content[: int(kept * len(content))])
            with pytest.raises(InputFileError) as caught, open_cube(written.path) as file:
                file.read()
            assert "\n" not in str(caught.value)
            assert part.name in str(caught.value) or written.path.name in str(caught.value)
        part.write_bytes(content)


# EnMAP


def test_enmap_image_and_metadata_name_the_same_product(tmp_path):
    written = write_enmap(tmp_path)
    with open_cube(written.parts[0]) as image, open_cube(written.path) as metadata:
        assert (image.path, metadata.path) == (written.parts[0], written.path)
        alike = {
            "path": image.path,
            "source": None,
            "mask": None,
            "wavelengths": None,
            "fwhm": None,
        }
        assert replace(image, **alike) == replace(metadata, **alike)
        assert np.array_equal(image.wavelengths, metadata.wavelengths)


def test_enmap_detectors_of_l1b_are_joined_or_read_alone(tmp_path):
    written = write_enmap(tmp_path, "L1B")
    with open_cube(written.path) as file:
        assert any("not register" in remark for remark in file.remarks)
        whole, centres = file.read(), file.wavelengths
    for detector, span in (("vnir", (400, 1000)), ("SWIR", (900.5, 2500))):
        with open_cube(written.path, variable=detector) as file:
            alone = file.read()
            assert span[0] < file.wavelengths.min() and file.wavelengths.max() < span[1]
            places = [int(np.flatnonzero(centres == each)[0]) for each in file.wavelengths]
            assert np.array_equal(alone, whole[..., places])
    with (
        pytest.raises(InputFileError, match="vnir or swir"),
        open_cube(written.path, variable="pan"),
    ):
        pass
    with open_cube(written.parts[1]) as file:
        assert np.array_equal(file.read(), alone)


# What becomes of the metadata, and what is said of it.
DAMAGE = {
    "another level": (("L2A<", "L3X<"), "level L3X"),
    "another schema": (("00.02", "7.1"), "schema 7"),
    "another product": (("bandID", "row"), "no known product"),
    "absurd wavelength": (("550.6", "1e30"), "band 2 .* nm"),
    "no wavelength": (("550.6", ""), "wavelengthCenterOfBand of band 2"),
    "wavelength nan": (("550.6", "nan"), "band 2"),
    "no gain": ((">0.0001<", ">0<"), "gain of 0"),
    "a band less": (("<bandID number=\"1\"><wave", "<x number=\"1\"><wave"), "XML"),
    "document type": (("<level_X", "<!DOCTYPE a><level_X"), "document type"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_enmap_metadata_that_cannot_be_are_refused(tmp_path, damage):
    written = write_enmap(tmp_path)
    change, match = DAMAGE[damage]
    written.path.write_text(written.path.read_text().replace(*change))
    with pytest.raises(InputFileError, match=match) as caught, open_cube(written.path):
        pass
    assert "\n" not in str(caught.value)


def test_enmap_products_whose_files_are_missing_or_cut_are_refused(tmp_path):
    written = write_enmap(tmp_path)
    content = written.path.read_text()
    written.path.write_text(content[:900])
    with pytest.raises(InputFileError, match=r"METADATA\.XML: cannot be read"):
        open_cube(written.path)
    written.path.write_text(content)
    written.parts[0].unlink()
    with pytest.raises(InputFileError, match="does not lie beside it"):
        open_cube(written.path)


def test_images_of_products_without_metadata_are_read_as_they_are_and_it_is_said(tmp_path):
    written = write_enmap(tmp_path)
    written.path.unlink()
    with open_cube(written.parts[0]) as file:
        assert file.product is None and file.wavelengths is None
        (remark,) = file.remarks
        assert remark.startswith(f"{written.path.name} does not lie beside it")
        values = file.read(0, file.shape[0])
    other = written.parts[0].rename(tmp_path / "scene.tif")
    with open_cube(other) as file:
        assert file.product is None and not file.remarks
        assert np.array_equal(file.read(0, file.shape[0]), values)


def test_bands_that_the_statistics_call_empty_are_marked(tmp_path):
    with open_cube(write_enmap(tmp_path).path) as file:
        assert file.bad_bands == (2,)


def test_scenes_of_products_carry_their_place(tmp_path):
    written = write_enmap(tmp_path, "L1C")
    scene = read_scene(written.path)
    assert scene.georeference.crs == "EPSG:32633"
    assert np.array_equal(scene.valid, written.valid)
    with open_scene(written.path).cube as file:
        assert set(map(str, {f.name for f in file.files})) >= {written.path.name}


# PRISMA


def test_prisma_detectors_can_be_read_alone(tmp_path):
    written = write_prisma(tmp_path)
    with open_cube(written.path) as file:
        assert any("1 VNIR and 1 SWIR" in r for r in file.remarks)
        assert np.all(np.diff(file.wavelengths) > 0)
        assert any("943-998 nm" in remark for remark in file.remarks)
    for name in ("vnir", "VNIR_Cube", "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/VNIR_Cube"):
        with open_cube(written.path, variable=name) as file:
            places = np.isin(written.centres, file.wavelengths)
            assert places.sum() == 4 and np.array_equal(file.read(), written.values[..., places])
    errors = "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/VNIR_PIXEL_L2_ERR_MATRIX"
    with open_cube(written.path, variable=errors, axes="y,band,x") as file:
        assert file.product is None and set(np.unique(file.read())) == {0, 1, 4}


def test_prisma_values_stay_as_they_are_where_no_value_is_missing(tmp_path):
    written = write_prisma(tmp_path)
    with h5py.File(written.path) as stored:
        cube = stored[f"{_FIELDS}/VNIR_Cube"][()]
    with open_cube(written.path, nodata=np.nan) as file:
        assert np.array_equal(file.read()[..., 0], cube[:, 3])
        assert file.valid(file.read()) is None


def test_prisma_corners_may_be_the_outer_edges_of_the_pixels(tmp_path):
    written = write_prisma(tmp_path)
    with h5py.File(written.path, "r+") as file:
        for corner, x, y in (("UL", -15, 15), ("LR", 15, -15)):
            file.attrs[f"Product_{corner}corner_easting"] += x
            file.attrs[f"Product_{corner}corner_northing"] += y
    with open_cube(written.path) as file:
        assert np.allclose(file.georeference.transform, written.place[0], rtol=0, atol=1e-6)


_FIELDS = "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields"


def _elsewhere(path, kind):
    """The VNIR cube outside the file, in one of three ways."""

    def change(file):
        name, other = f"{_FIELDS}/VNIR_Cube", path.with_name("other.h5")
        stored = file[name][()]
        del file[name]
        if kind == "link":
            file[name] = h5py.ExternalLink(str(other), "/cube")
        elif kind == "storage":
            file.create_dataset(
                name, stored.shape, "u2", external=[(str(other), 0, h5py.h5f.UNLIMITED)]
            )
        else:
            layout = h5py.VirtualLayout(stored.shape, "u2")
            layout[...] = h5py.VirtualSource(str(other), "cube", stored.shape)
            file.create_virtual_dataset(name, layout)

    return change


def _set(name, value):
    return lambda file: file.attrs.__setitem__(name, value)


def _renamed(file):
    file.move("HDFEOS/SWATHS/PRS_L2D_HCO", "HDFEOS/SWATHS/PRS_L3_HCO")


def _circle(file):
    del file[f"{_FIELDS}/VNIR_Cube"]
    file[f"{_FIELDS}/VNIR_Cube"] = h5py.SoftLink(f"/{_FIELDS}/VNIR_Cube")


PRISMA_DAMAGE = {
    "no cube": (lambda f: f.__delitem__(f"{_FIELDS}/SWIR_Cube"), "holds no .*SWIR_Cube"),
    "no wavelengths": (lambda f: f.attrs.__delitem__("List_Cw_Vnir"), "no attribute List_Cw_Vnir"),
    "few wavelengths": (_set("List_Cw_Vnir", np.ones(3)), "lists 3 bands"),
    "wavelengths as text": (_set("List_Cw_Vnir", "none"), "List_Cw_Vnir holds no numbers"),
    "wavelengths of nothing": (_set("List_Cw_Vnir", np.zeros(5)), "no band of VNIR_Cube"),
    "absurd wavelength": (_set("List_Cw_Vnir", np.float64([1, 2, 3, 4, -1e300])), "wavelength of"),
    "absurd scale": (_set("L2ScaleVnirMax", np.inf), "L2ScaleVnirMax is inf"),
    "scale of nothing": (_set("L2ScaleVnirMax", 0.0), "larger maximum"),
    "absurd corner": (_set("Product_LRcorner_easting", -1e9), "corner"),
    "absurd system": (_set("Epsg_Code", 3.5), "Epsg_Code 3.5"),
    "unknown level": (_renamed, "level L3; expected L1 or L2B"),
    "a circle of links": (_circle, "link in a circle"),
}


@pytest.mark.parametrize("damage", PRISMA_DAMAGE)
def test_prisma_files_that_cannot_be_are_refused(tmp_path, damage):
    written = write_prisma(tmp_path)
    change, match = PRISMA_DAMAGE[damage]
    with h5py.File(written.path, "r+") as file:
        change(file)
    with pytest.raises(InputFileError, match=match) as caught, open_cube(written.path):
        pass
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["link", "storage", "virtual"])
def test_values_in_other_files_are_not_followed(tmp_path, kind):
    written = write_prisma(tmp_path)
    with h5py.File(written.path, "r+") as file:
        _elsewhere(written.path, kind)(file)
    with pytest.raises(InputFileError, match="another file"), open_cube(written.path):
        pass


def test_links_inside_a_file_are_followed(tmp_path):
    written = write_prisma(tmp_path)
    with h5py.File(written.path, "r+") as file:
        file.move(f"{_FIELDS}/VNIR_Cube", "kept")
        file[f"{_FIELDS}/VNIR_Cube"] = h5py.SoftLink("/kept")
    with open_cube(written.path) as file:
        assert np.array_equal(file.read(), written.values)


def _attribute(place, name, value):
    return lambda file: file[place].attrs.__setitem__(name, value)


def _replaced(place, value):
    def change(file):
        del file[place]
        if value is not None:
            file[place] = value

    return change


def refused(written, change, match):
    with h5py.File(written.path, "r+") as file:
        change(file)
    with pytest.raises(InputFileError, match=match) as caught, open_cube(written.path) as file:
        file.read()
    assert "\n" not in str(caught.value)


# EMIT


def test_emit_can_be_read_as_the_sensor_saw_it(tmp_path):
    with open_cube(write_emit(tmp_path).path, variable="reflectance") as file:
        assert file.shape[:2] == (11, 8) and file.georeference is None
        assert file.bad_bands == (2, 3) and file.product.title == "EMIT L2A"
        with h5py.File(file.path, locking=False) as stored:
            assert np.array_equal(file.read(), stored["reflectance"][()])


def test_emit_places_without_a_pixel_are_missing_whatever_the_user_says_of_nodata(tmp_path):
    written = write_emit(tmp_path)
    with (
        open_cube(written.path, nodata=np.nan) as file,
        h5py.File(written.path, locking=False) as stored,
    ):
        empty = stored["location/glt_x"][()] == 0
        assert np.isnan(file.read()[empty]).all()
        assert np.isfinite(file.read()[~empty]).all()


def test_places_that_a_neighbour_fills_are_read(tmp_path):
    """Negative numbers in a lookup table stand for the nearest pixel."""
    written = write_emit(tmp_path)
    with h5py.File(written.path, "r+") as file:
        for axis in "xy":
            table = file[f"location/glt_{axis}"]
            table[5:] = -table[5:]
    with open_cube(written.path) as file:
        assert np.array_equal(file.read(), written.values)


EMIT_DAMAGE = {
    "unknown version": (lambda f: f.attrs.__setitem__("product_version", "V007"), "version V007"),
    "no wavelengths": (_replaced("sensor_band_parameters/wavelengths", None), "holds no sensor"),
    "few wavelengths": (_replaced("sensor_band_parameters/wavelengths", np.ones(3)), "3 bands"),
    "wavelengths in grams": (
        _attribute("sensor_band_parameters/wavelengths", "units", "g"), "stands in 'g'"),
    "absurd wavelengths": (
        _replaced("sensor_band_parameters/wavelengths", np.full(6, 1e-9)), "band 1 .* nm"),
    "few marks": (_replaced("sensor_band_parameters/good_wavelengths", np.ones(2)), "2 marks"),
    "half a table": (_replaced("location/glt_y", None), "holds no location/glt_y"),
    "table of another size": (_replaced("location/glt_y", np.ones((3, 3), "i4")), "3 × 3"),
    "table beyond the swath": (
        _replaced("location/glt_y", np.full((15, 13), 12, "i4")), r"names line 12; .* 1 to 11"),
    "no place": (lambda f: f.attrs.__delitem__("geotransform"), "no attribute geotransform"),
    "absurd place": (
        lambda f: f.attrs.__setitem__("geotransform", np.full(6, np.inf)), "geotransform is inf"),
}  # fmt: skip


@pytest.mark.parametrize("damage", EMIT_DAMAGE)
def test_emit_files_that_cannot_be_are_refused(tmp_path, damage):
    refused(write_emit(tmp_path), *EMIT_DAMAGE[damage])


def test_wavelengths_in_micrometres_are_converted(tmp_path):
    written = write_emit(tmp_path)
    with h5py.File(written.path, "r+") as file:
        for name in ("wavelengths", "fwhm"):
            item = file[f"sensor_band_parameters/{name}"]
            item[...] = item[()] / 1000
            item.attrs["units"] = "um"
    with open_cube(written.path) as file:
        assert np.allclose(file.wavelengths, written.centres, rtol=1e-6)
        assert np.allclose(file.fwhm, written.widths, rtol=1e-6)


def test_a_grid_reads_the_sensor_block_by_block(monkeypatch):
    """A line of the map that crosses every line of the sensor takes no more memory than a block."""
    values = np.arange(60 * 50 * 3, dtype="float32").reshape(60, 50, 3)
    blocks = []

    def read(top, bottom, left, right):
        blocks.append((bottom - top) * (right - left))
        return values[top:bottom, left:right]

    def table(first, last):
        rows = np.tile(np.arange(1, 61), (last - first, 1))
        return rows, (rows - 1) * 50 // 60 + 1

    monkeypatch.setattr(lookup_grid, "_BLOCK_BYTES", 4 * 50 * 3 * 4)
    pixels = SensorPixels("x.nc", values.shape, values.dtype, read)
    found = LookupGrid(pixels, table, -1.0, lambda: None).read_lines(0, 2)
    lines, samples = table(0, 2)
    assert np.array_equal(found, values[lines - 1, samples - 1])
    assert len(blocks) == 15 and max(blocks) <= 4 * 5


# Tanager

_HYP = "HDFEOS/GRIDS/HYP"
_SR = f"{_HYP}/Data Fields/surface_reflectance"
_STRUCTURE = "HDFEOS INFORMATION/StructMetadata.0"


def test_tanager_variables_other_than_the_cube_are_read_as_plain_arrays(tmp_path):
    written = write_tanager(tmp_path)
    name = f"{_SR}_uncertainty"
    with open_cube(written.path, variable=name, axes="band,y,x") as file:
        assert file.product is None and np.array_equal(file.read(), written.values)


def test_tanager_zones_of_the_south_are_negative(tmp_path):
    written = write_tanager(tmp_path)
    with h5py.File(written.path, "r+") as file:
        del file[_HYP].attrs["epsg_code"]
        text = file[_STRUCTURE][()].replace(b"ZoneCode=11", b"ZoneCode=-56")
        del file[_STRUCTURE]
        file[_STRUCTURE] = text
    with open_cube(written.path) as file:
        assert file.georeference.crs == "EPSG:32756"


TANAGER_DAMAGE = {
    "no cube": (_replaced(_SR, None), "holds no cube; expected surface_reflectance"),
    "no wavelengths": (lambda f: f[_SR].attrs.__delitem__("wavelengths"), "attribute wavelengths"),
    "few wavelengths": (_attribute(_SR, "wavelengths", np.ones(3)), "band 1"),
    "too few": (_attribute(_SR, "wavelengths", np.full(3, 500.0)), "5 FWHM values for 3"),
    "absurd width": (_attribute(_SR, "fwhm", np.full(5, -1.0)), "FWHM of -1"),
    "no description": (_replaced(_STRUCTURE, None), "StructMetadata"),
    "no corners": (_replaced(_STRUCTURE, np.bytes_("GROUP=x")), "no corners"),
    "mask of another size": (
        _replaced(f"{_HYP}/Data Fields/nodata_pixels", np.ones((2, 2), "u1")), "2 × 2"),
    "absurd system": (_attribute(_HYP, "epsg_code", np.nan), "epsg_code is nan"),
}  # fmt: skip


@pytest.mark.parametrize("damage", TANAGER_DAMAGE)
def test_tanager_files_that_cannot_be_are_refused(tmp_path, damage):
    refused(write_tanager(tmp_path), *TANAGER_DAMAGE[damage])


# DESIS


DESIS_DAMAGE = {
    "unknown level": (("-L2A-", "-L9Z-"), "level L9Z"),
    "unknown version": (("V0210", "V7710"), "version V77"),
    "no gain": (("<gainOfBand>0.0001</gainOfBand>", ""), "gainOfBand of band 1 is ''"),
    "absurd width": (("3.4<", "-3.4<"), "FWHM of -3.4"),
}


@pytest.mark.parametrize("damage", DESIS_DAMAGE)
def test_desis_metadata_that_cannot_be_are_refused(tmp_path, damage):
    written = write_desis(tmp_path)
    change, match = DESIS_DAMAGE[damage]
    written.path.write_text(written.path.read_text().replace(*change))
    with pytest.raises(InputFileError, match=match) as caught, open_cube(written.path):
        pass
    assert "\n" not in str(caught.value)


def test_desis_metadata_without_a_name_have_the_level_of_their_scale(tmp_path):
    written = write_desis(tmp_path)
    written.path.write_text(written.path.read_text().replace("DESIS-HSI", "X"))
    with open_cube(written.path) as file:
        assert file.product.title == "DESIS L2A"


# AVIRIS


def test_rotated_grids_lie_where_gdal_has_them(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    written = write_aviris(tmp_path)
    with open_cube(written.path) as file, rasterio.open(written.parts[0]) as other:
        corners = np.array([(0, 0, 1), (8, 0, 1), (0, 11, 1), (8, 11, 1)])
        ours, theirs = (
            corners @ np.reshape(tuple(each)[:6], (2, 3)).T
            for each in (file.georeference.transform, other.transform)
        )
        assert np.abs(ours - theirs).max() < 0.1 * 5.1


def test_aviris_tables_of_gains_that_do_not_fit_are_refused(tmp_path):
    written = write_aviris(tmp_path, later=False)
    (table,) = tmp_path.glob("*.gain")
    table.write_text("300 1\n300 2\n")
    with pytest.raises(InputFileError, match="no table of gains"):
        open_cube(written.path)


def test_envi_cubes_of_other_instruments_are_no_products(tmp_path):
    write_envi(tmp_path / "cube.hdr", make_cube(), "bil", "description = {a cube}\n")
    with open_cube(tmp_path / "cube.hdr") as file:
        assert file.product is None
