from itertools import product

import file_samples as samples
import numpy as np
import pytest
import tifffile
from PIL import Image

from hsi_suite.data.formats.tiff_writer import write_layers_tiff
from hsi_suite.data.readers import open_cube, read_labels
from hsi_suite.errors import InputFileError

TRANSFORM = (20.0, 0.0, 500000.0, 0.0, -20.0, 4000000.0)


def write_rasterio(path, cube, transform=TRANSFORM, **options):
    rasterio = pytest.importorskip("rasterio")
    profile = {"driver": "GTiff", "dtype": cube.dtype, "crs": "EPSG:32617", **options}
    lines, columns, bands = cube.shape
    if transform is not None:
        profile["transform"] = rasterio.Affine(*transform)
    with rasterio.open(path, "w", width=columns, height=lines, count=bands, **profile) as file:
        file.write(cube.transpose(2, 0, 1))
        return rasterio.Affine(*transform) if transform else None


@pytest.mark.parametrize("interleave", ["pixel", "band"])
@pytest.mark.parametrize("compress", ["none", "deflate", "lzw", "packbits"])
@pytest.mark.parametrize("tiled", [False, True])
def test_files_of_gdal(tmp_path, interleave, compress, tiled):
    cube = samples.make_cube("float32", (40, 50, 4))
    blocks = {"tiled": True, "blockxsize": 16, "blockysize": 32} if tiled else {"blockysize": 7}
    write_rasterio(
        tmp_path / "a.tif", cube, interleave=interleave, compress=compress, nodata=-1, **blocks
    )
    with open_cube(tmp_path / "a.tif") as file:
        assert file.nodata == -1.0
        assert file.georeference.crs == "EPSG:32617"
        assert file.georeference.transform == TRANSFORM
        np.testing.assert_array_equal(file.read(), cube)
        np.testing.assert_array_equal(file.read(13, 35), cube[13:35])


@pytest.mark.parametrize(
    ("bits", "compress"),
    [
        *product((1, 2, 4, 8, 11, 12, 16), ("none", "lzw", "zstd", "lzma", "packbits")),
        # Of other numbers of bits GDAL writes none.
        *product((8, 16), ("lerc_zstd",)),
    ],
)
@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_what_gdal_reads_is_read(tmp_path, bits, compress, monkeypatch):
    dtype = "uint8" if bits <= 8 else "uint16"
    cube = np.random.default_rng(bits).integers(0, 2**bits, (37, 45, 3)).astype(dtype)
    for bands, interleave in ((3, "pixel"), (3, "band"), (1, "band")):
        path = tmp_path / f"{bands}{interleave}.tif"
        write_rasterio(
            path, cube[..., :bands], nbits=bits, compress=compress, interleave=interleave,
            tiled=bands == 3, blockxsize=16, blockysize=16,
        )  # fmt: skip
        with monkeypatch.context() as without:
            without.setitem(__import__("sys").modules, "rasterio", None)
            with open_cube(path) as file:
                assert file.dtype == dtype
                np.testing.assert_array_equal(file.read(), cube[..., :bands])
                np.testing.assert_array_equal(file.read(9, 23), cube[9:23, :, :bands])
    np.testing.assert_array_equal(read_labels(path).labels, cube[..., 0])


@pytest.mark.parametrize("compression", ["ccittfax3", "ccittfax4", "ccittrle"])
def test_faxed_label_maps_are_read(tmp_path, compression):
    cube = np.random.default_rng(0).integers(0, 2, (37, 45, 1)).astype("uint8")
    write_rasterio(tmp_path / "a.tif", cube, nbits=1, compress=compression)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif").labels, cube[..., 0])


@pytest.mark.parametrize("photometric", ["rgb", "ycbcr"])
@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_jpeg_compressed_bands_are_those_of_gdal(tmp_path, photometric):
    rasterio = pytest.importorskip("rasterio")
    lines = np.linspace(0, 255, 64)
    cube = np.stack([np.add.outer(lines, lines[::-1]) / 2, np.tile(lines, (64, 1))] * 2, 2)
    write_rasterio(
        tmp_path / "a.tif", cube[..., :3].astype("uint8"), compress="jpeg",
        photometric=photometric, interleave="pixel",
    )  # fmt: skip
    with rasterio.open(tmp_path / "a.tif") as theirs, open_cube(tmp_path / "a.tif") as ours:
        difference = ours.read().astype(int) - theirs.read().transpose(1, 2, 0)
    # Decoders differ in how they spread the colours of 2 × 2 pixels.
    assert np.abs(difference).max() <= (8 if photometric == "ycbcr" else 1)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_pages_of_any_compression_are_a_stack(tmp_path, compression):
    cube = samples.make_cube("uint16", (30, 40, 4))
    pages = [Image.fromarray(cube[..., band]) for band in range(4)]
    pages[0].save(
        tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression=compression
    )
    with open_cube(tmp_path / "a.tif") as file:
        np.testing.assert_array_equal(file.read(), cube)


def test_a_compression_that_nobody_reads_is_named_and_not_blamed_on_the_copy(tmp_path):
    write_rasterio(tmp_path / "a.tif", samples.make_cube(), compress="lzw")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as file:
        file.pages.first.tags["Compression"].overwrite(34661)
    with pytest.raises(InputFileError, match=r"JBIG.*gdal_translate") as caught:
        open_cube(tmp_path / "a.tif")
    assert "again" not in str(caught.value)


def test_sparse_tiles_are_nodata(tmp_path):
    cube = np.zeros((64, 64, 2), "int16")
    cube[:32] = 7
    write_rasterio(
        tmp_path / "a.tif", np.zeros_like(cube), sparse_ok=True, tiled=True, nodata=0,
        blockxsize=32, blockysize=32, interleave="band",
    )  # fmt: skip
    with open_cube(tmp_path / "a.tif") as file:
        assert not file.read(10, 50).any()


def test_overviews_are_not_bands(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    cube = samples.make_cube("uint16", (64, 64, 3))
    write_rasterio(tmp_path / "a.tif", cube)
    with rasterio.open(tmp_path / "a.tif", "r+") as file:
        file.build_overviews([2, 4])
    with open_cube(tmp_path / "a.tif") as file:
        np.testing.assert_array_equal(file.read(), cube)


@pytest.mark.parametrize("code", [32617, 4326, 2154, 3857])
def test_reference_system_with_and_without_rasterio(tmp_path, code, monkeypatch):
    write_rasterio(tmp_path / "a.tif", samples.make_cube(), crs=f"EPSG:{code}")
    monkeypatch.setitem(__import__("sys").modules, "rasterio", None)
    with open_cube(tmp_path / "a.tif") as file:
        assert file.georeference.crs == f"EPSG:{code}"


def test_reference_system_of_its_own_is_read_by_rasterio(tmp_path, monkeypatch):
    crs = pytest.importorskip("rasterio.crs").CRS.from_proj4(
        "+proj=laea +lat_0=10 +lon_0=20 +x_0=5 +datum=WGS84"
    )
    write_rasterio(tmp_path / "a.tif", samples.make_cube(), crs=crs)
    with open_cube(tmp_path / "a.tif") as file:
        assert type(crs).from_user_input(file.georeference.crs) == crs
    monkeypatch.setitem(__import__("sys").modules, "rasterio", None)
    with open_cube(tmp_path / "a.tif") as file:
        assert file.georeference.crs is None
        assert file.georeference.transform == TRANSFORM


@pytest.mark.parametrize(
    "transform", [(17.0, 10.0, 5.0, 10.0, -17.0, 9.0), (0.1, 0.0, -100.0, 0.0, 0.1, 40.0)]
)
def test_turned_and_mirrored_grids(tmp_path, transform):
    write_rasterio(tmp_path / "a.tif", samples.make_cube(), transform)
    with open_cube(tmp_path / "a.tif") as file:
        assert file.georeference.transform == pytest.approx(transform)


def test_pixel_is_point_shifts_half_a_pixel(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    cube = samples.make_cube()
    write_rasterio(tmp_path / "a.tif", cube)
    with rasterio.open(tmp_path / "a.tif", "r+") as file:
        file.update_tags(AREA_OR_POINT="Point")
    with rasterio.open(tmp_path / "a.tif") as theirs, open_cube(tmp_path / "a.tif") as ours:
        assert ours.georeference.transform == pytest.approx(tuple(theirs.transform)[:6])


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_without_georeference_nothing_is_said(tmp_path, capfd):
    write_rasterio(tmp_path / "a.tif", samples.make_cube(), None, crs=None)
    with open_cube(tmp_path / "a.tif") as file:
        assert file.georeference is None
    assert capfd.readouterr() == ("", "")


def test_band_names_and_wavelengths_of_gdal(tmp_path):
    names = [f"b&{band}" for band in range(5)]
    items = "".join(
        f'<Item name="DESCRIPTION" sample="{band}" role="description">b&amp;{band}</Item>'
        f'<Item name="CENTRAL_WAVELENGTH_UM" sample="{band}" domain="IMAGERY">0.{band + 4}</Item>'
        for band in range(5)
    )
    text = f"<GDALMetadata>{items}</GDALMetadata>".encode()
    for content, expected in [(text, tuple(names)), (b"<GDAL", ()), (b"<!DOCTYPE x><a/>", ())]:
        tifffile.imwrite(
            tmp_path / "a.tif", samples.make_cube(), photometric="minisblack", metadata=None,
            planarconfig="contig", extratags=[(42112, 2, 0, content, True)],
        )  # fmt: skip
        with open_cube(tmp_path / "a.tif") as file:
            assert file.band_names == expected
            if expected:
                np.testing.assert_allclose(file.wavelengths, [400, 500, 600, 700, 800])


def test_wavelengths_of_some_bands_are_said_and_transparency_needs_none(tmp_path):
    def items(bands):
        return "".join(
            f'<Item name="WAVELENGTH" sample="{band}">{400 + 100 * band}</Item>' for band in bands
        )

    def write(text, **options):
        content = f"<GDALMetadata>{text}</GDALMetadata>".encode()
        tifffile.imwrite(
            tmp_path / "a.tif", samples.make_cube(), photometric="minisblack", metadata=None,
            planarconfig="contig", extratags=[(42112, 2, 0, content, True)], **options,
        )  # fmt: skip
        return open_cube(tmp_path / "a.tif")

    with write(items([0, 1, 3, 4])) as file:
        said = "a.tif: wavelengths stand there for 4 of 5 bands, and are left out"
        assert file.wavelengths is None and file.remarks == (said,)
    with write(items(range(4)), extrasamples=[0, 0, 0, 2]) as file:
        assert file.shape[2] == 4 and file.wavelengths.tolist() == [400, 500, 600, 700]
        assert len(file.remarks) == 1 and "transparency" in file.remarks[0]


def test_band_descriptions_written_by_gdal(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    write_rasterio(tmp_path / "a.tif", samples.make_cube())
    names = ("a & b", "<c>", '"d"', "e", "&amp;")
    with rasterio.open(tmp_path / "a.tif", "r+") as file:
        file.descriptions = names
    with open_cube(tmp_path / "a.tif") as file:
        assert file.band_names == names


def test_wavelengths_survive_gdal_translate(tmp_path):
    copy = pytest.importorskip("rasterio.shutil").copy
    extra = "wavelength units = Nanometers\nwavelength = {400.5, 500, 600, 700, 800}\n"
    samples.write_envi(tmp_path / "a.hdr", samples.make_cube(), extra=extra)
    copy(str(tmp_path / "a.img"), str(tmp_path / "a.tif"), driver="GTiff")
    with open_cube(tmp_path / "a.tif") as file:
        np.testing.assert_allclose(file.wavelengths, [400.5, 500, 600, 700, 800])


def test_one_band_and_several_images(tmp_path):
    plane = samples.make_cube()[:, :, 0]
    tifffile.imwrite(tmp_path / "a.tif", plane)
    with open_cube(tmp_path / "a.tif") as file:
        np.testing.assert_array_equal(file.read(), plane[:, :, None])
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(plane, metadata=None)
        file.write(plane[:3], metadata=None)
    with pytest.raises(InputFileError, match=r"2 images \(7 × 9, 3 × 9\)"):
        open_cube(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((2, 3, 4, 5), "u1"), photometric="minisblack")
    with pytest.raises(InputFileError, match="2 × 3 × 4 × 5"):
        open_cube(tmp_path / "a.tif")


@pytest.mark.parametrize("nodata", ["nan", "-9999"])
def test_the_nodata_of_a_label_map_is_unlabelled(tmp_path, nodata):
    labels = np.array([[1, 0, 2], [0, 3, 3]], np.float32)
    stored = np.where(labels == 0, np.float32(nodata), labels)
    tag = [(42113, "s", 0, nodata, True)]
    tifffile.imwrite(tmp_path / "a.tif", stored, extratags=tag)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif").labels, labels)


def test_a_colour_picture_is_no_label_map(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 5, 3), "u1"), photometric="rgb")
    with pytest.raises(InputFileError, match=r"3 bands.*one band"):
        read_labels(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("descriptions", "expected"),
    [
        (["Band 1 (450.2 nm)", "Band 2 (1600 nm)"], [450.2, 1600]),
        (["B1: 0.45 um", "B2: 1.6 um"], [450, 1600]),
        (["450.5", "1600"], [450.5, 1600]),
        (["band 7 centre 450 Nanometers", "band 8 centre 1600 Nanometers"], [450, 1600]),
        (["450.2 nm (FWHM 6.5 nm)", "1600 nm, bandwidth = 10 nm"], [450.2, 1600]),
        (["450,2 nm", "1600,0 nm"], [450.2, 1600]),
        (["0.4502", "1.6"], [450.2, 1600]),
        (["1,450 nm", "1,600 nm"], None),
        (["1.0", "25.5"], None),
        (["450nm", "1.6 µm"], None),
        (["450-460 nm", "460-470 nm"], None),  # the ends of bands
        (["0.45 – 0.46 µm", "0.46 – 0.47 µm"], None),
        (["Band 5 - 450 nm", "Band 6 - 460 nm"], [450, 460]),
        (["2'500 nm", "2'510 nm"], None),
        (["1", "2"], None),
        (["450", "450"], None),
        (["red 450 nm", "green"], None),
        (["450 nm to 460 nm", "500 nm to 510 nm"], None),
    ],
)
def test_wavelengths_in_descriptions_of_bands(tmp_path, descriptions, expected):
    path = tmp_path / "cube.tif"
    write_layers_tiff(path, np.ones((3, 4, 2), np.float32), descriptions, None, None)
    with open_cube(path) as file:
        found, remarks = file.wavelengths, file.remarks
    if expected is None:
        assert found is None and not any("descriptions" in remark for remark in remarks)
    else:
        np.testing.assert_allclose(found, expected)
        span = f"{expected[0]:.5g} to {expected[1]:.5g} nm"
        assert f"wavelengths are those in the bands' descriptions, {span}" in remarks
