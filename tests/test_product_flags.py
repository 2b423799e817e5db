"""Files of flags that lie beside a product: pixels in which the ground is not seen are masked."""

import h5py
import numpy as np
import product_samples as products
import pytest
import rasterio
from product_samples import LINES, SAMPLES, write_tiff

from hsi_suite.data.cube_export import export_cube
from hsi_suite.data.readers import open_cube, read_scene
from hsi_suite.errors import InputFileError


def valid(path, **reading) -> np.ndarray:
    with open_cube(path, **reading) as file:
        found = file.valid(file.read())
        return np.ones(file.shape[:2], bool) if found is None else found


def flags(*places, bands=1, values=1, pixels=(LINES, SAMPLES)) -> np.ndarray:
    layer = np.zeros((*pixels, bands), np.uint8)
    for place in places:
        layer[place] = values
    return layer


def test_enmap_clouds_and_their_shadow_are_masked(tmp_path):
    written = products.write_enmap(tmp_path)
    stem = written.path.name.removesuffix("-METADATA.XML")
    write_tiff(tmp_path / f"{stem}-QL_QUALITY_CLOUD.TIF", flags((5, slice(2, 4))))
    write_tiff(tmp_path / f"{stem}-QL_QUALITY_CLOUDSHADOW.TIF", flags((6, 3)))
    write_tiff(tmp_path / f"{stem}-QL_QUALITY_HAZE.TIF", flags((7, 3)))
    expected = written.valid.copy()
    expected[5, 2:4] = expected[6, 3] = False
    assert np.array_equal(valid(written.path), expected)
    assert np.array_equal(valid(written.parts[0]), expected)
    with open_cube(written.path) as file:
        assert "clouds (QL_QUALITY_CLOUD), shadow" in file.product.quality
        assert "haze, cirrus, snow, PIXELMASK) are not applied" in file.product.quality
    assert valid(written.path, nodata=np.nan).all()
    assert np.array_equal(read_scene(written.path).valid, expected)


def test_desis_clouds_over_land_and_water_are_masked(tmp_path):
    written = products.write_desis(tmp_path)
    layers = flags(bands=10)
    layers[3, 1, 0] = layers[4, 2, 5] = layers[5, 3, 6] = 1  # shadow, clouds over land, water
    layers[6, 4, 1] = layers[7, 5, 7] = layers[8, 6, 3] = 1  # land, water, haze
    stem = written.path.name.removesuffix("-METADATA.xml")
    write_tiff(tmp_path / f"{stem}-QL_QUALITY-2.tif", layers)
    expected = written.valid.copy()
    expected[3, 1] = expected[4, 2] = expected[5, 3] = False
    assert np.array_equal(valid(written.path), expected)
    write_tiff(tmp_path / f"{stem}-QL_QUALITY-2.tif", layers[..., :3])
    with pytest.raises(InputFileError, match="3 bands; expected 7 at least"):
        open_cube(written.path)


@pytest.mark.parametrize("name", ["reflectance", "radiance"])
def test_emit_clouds_follow_the_lookup_table(tmp_path, name):
    written = products.write_emit(tmp_path, name)
    before = valid(written.path)
    clouds = [(6, 3), (7, 4)]
    mask = tmp_path / f"EMIT_L2A_MASK_001_{written.path.name.split('_001_')[1]}"
    products.write_emit_mask(mask, clouds)
    with h5py.File(written.path, locking=False) as file:
        lines, samples = (np.abs(file[f"location/glt_{axis}"][()]) - 1 for axis in "yx")
    clouded = np.zeros(before.shape, bool)
    for line, sample in clouds:
        clouded |= (lines == line) & (samples == sample)
    assert clouded.any()
    assert np.array_equal(valid(written.path), before & ~clouded)
    seen = valid(written.path, variable=name)
    assert not seen[6, 3] and not seen[7, 4] and seen.sum() == LINES * SAMPLES - 3
    products.write_emit_mask(mask, clouds, names=("Cirrus flag", "AOD550"))
    with pytest.raises(InputFileError, match="names no flag of clouds"):
        open_cube(written.path)


def test_flags_of_another_product_are_refused(tmp_path):
    written = products.write_enmap(tmp_path)
    stem = written.path.name.removesuffix("-METADATA.XML")
    write_tiff(tmp_path / f"{stem}-QL_QUALITY_CLOUD.TIF", flags(pixels=(4, 5)))
    with pytest.raises(InputFileError, match="4 × 5 pixels; expected 11 × 8"):
        open_cube(written.path)
    emit = products.write_emit(tmp_path)
    mask = tmp_path / emit.path.name.replace("RFL", "MASK")
    products.write_emit_mask(mask, [])
    with h5py.File(mask, "r+") as file:
        del file["mask"]
        file["mask"] = np.zeros((4, 5, 3), "float32")
    with pytest.raises(InputFileError, match="4 × 5 pixels; expected 11 × 8"):
        open_cube(emit.path)


@pytest.mark.parametrize("target", ["cube.tif", "cube.img"])
def test_the_mask_of_an_exported_cube_holds_nodata_too(tmp_path, target):
    """GDAL asks a mask alone where there is one."""
    written = products.write_desis(tmp_path)
    layers = flags((4, 2), bands=7)
    stem = written.path.name.removesuffix("-METADATA.xml")
    write_tiff(tmp_path / f"{stem}-QL_QUALITY-2.tif", layers)
    output = tmp_path / "out" / target
    output.parent.mkdir()
    export_cube(written.path, output.with_suffix(".hdr") if target.endswith("img") else output)
    with rasterio.open(output) as file:
        assert np.array_equal(file.dataset_mask() > 0, valid(written.path))
