"""What a cube's file says of its bands stays with a cube that is made from it."""

import numpy as np
import pytest

from hsi_suite.data.cube_writer import write_cube_like
from hsi_suite.data.readers import open_cube

CUBE = np.arange(2 * 3 * 4, dtype="<f4").reshape(2, 3, 4)
HEADER = """ENVI
samples = 3
lines = 2
bands = 4
data type = 4
interleave = bip
byte order = 0
wavelength units = Micrometers
wavelength = {0.5, 0.6, 0.7, 0.8}
fwhm = {0.01, 0.011, 0.012, 0.02}
bbl = {1, 1, 0, 1}
data gain values = {0.01, 0.02, 0.03, 0.04}
data offset values = {1, 2, 3, 4}
reflectance scale factor = 10000
sensor type = AVIRIS
"""
SCALING = {
    "data gain values": ("0.01", "0.02", "0.03", "0.04"),
    "data offset values": tuple("1234"),
}


@pytest.fixture
def envi(tmp_path):
    path = tmp_path / "cube.hdr"
    path.write_text(HEADER)
    path.with_suffix(".img").write_bytes(CUBE.tobytes())
    return path


def copy(source, target):
    with open_cube(source) as file:
        write_cube_like(target, file, file.dtype, [file.read()])
    return target


def test_envi_keeps_widths_bad_bands_scaling_and_sensor(envi, tmp_path):
    with open_cube(copy(envi, tmp_path / "copy.hdr")) as file:
        np.testing.assert_allclose(file.wavelengths, [500, 600, 700, 800])
        np.testing.assert_allclose(file.fwhm, [10, 11, 12, 20])
        assert file.kept_fields == SCALING | {
            "bbl": ("1", "1", "0", "1"),
            "reflectance scale factor": "10000",
            "sensor type": "AVIRIS",
        }
        assert np.array_equal(file.read(), CUBE)


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_a_tiff_keeps_the_scale_the_marks_and_the_widths_of_its_bands(envi, tmp_path):
    first = copy(envi, tmp_path / "copy.tif")
    with open_cube(copy(first, tmp_path / "again.tif")) as file:
        assert file.kept_fields == SCALING | {"bbl": ("1", "1", "0", "1")}
        np.testing.assert_allclose(file.fwhm, [10, 11, 12, 20], rtol=1e-12)
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(first) as dataset:
        assert dataset.scales == (0.01, 0.02, 0.03, 0.04)
        assert dataset.offsets == (1, 2, 3, 4)


def test_fields_of_another_number_of_bands_are_left_out(envi, tmp_path):
    envi.write_text(HEADER.replace("bbl = {1, 1, 0, 1}", "bbl = {1, 1}").replace("0.012, ", ""))
    with open_cube(envi) as file:
        assert "bbl" not in file.kept_fields
        assert file.fwhm is None
