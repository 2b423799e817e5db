"""`hsi data export`: what is written says and holds what was read."""

import numpy as np
import pytest
from click.testing import CliRunner
from file_samples import make_cube, write_envi
from product_samples import PRODUCTS, write_enmap, write_prisma, write_tanager

from hsi_suite.cli.data import data
from hsi_suite.data import cube_export
from hsi_suite.data.cube_export import export_cube
from hsi_suite.data.readers import open_cube
from hsi_suite.data.value_scale import ValueScale, declared_scale
from hsi_suite.errors import ConfigError, ExistingOutputError, InputFileError, OutputError


@pytest.mark.parametrize("ending", [".tif", ".hdr"])
@pytest.mark.parametrize("product", PRODUCTS)
def test_products_read_back_equal(tmp_path, monkeypatch, product, ending):
    written = PRODUCTS[product](tmp_path)
    monkeypatch.setattr(cube_export, "_STRIP_BYTES", 1)  # a line at a time
    exported = export_cube(written.path, tmp_path / f"out{ending}")
    with open_cube(written.path) as first, open_cube(exported.written[0]) as second:
        assert np.array_equal(first.read(), second.read())
        assert first.dtype == second.dtype
        assert np.array_equal(first.wavelengths, second.wavelengths)
        assert np.array_equal(first.fwhm, second.fwhm)
        assert (first.nodata, first.bad_bands) == (second.nodata, second.bad_bands)
        scales = declared_scale(first), declared_scale(second)
        assert scales[0] == scales[1]
        valid = [file.valid(file.read()) for file in (first, second)]
        assert np.array_equal(*valid) if valid[0] is not None else valid[1] is None
        places = [file.georeference and file.georeference.transform for file in (first, second)]
        assert places[0] == places[1] or np.allclose(*places, rtol=1e-12, atol=0)


def test_other_formats_are_converted_too(tmp_path):
    extra = (
        "reflectance scale factor = 10000\nwavelength = {400, 500, 600, 700, 800}\n"
        "fwhm = {9, 9, 9, 9, 9.25}\nbbl = {1, 0, 1, 1, 1}\n"
    )
    write_envi(tmp_path / "cube.hdr", make_cube(), "bil", extra + "wavelength units = nm\n")
    export_cube(tmp_path / "cube.hdr", tmp_path / "out.tif")
    with open_cube(tmp_path / "out.tif") as file:
        assert np.array_equal(file.read(), make_cube())
        assert file.fwhm[-1] == 9.25 and file.bad_bands == (1,)
        assert declared_scale(file).gain == (1e-4,) * 5
    export_cube(tmp_path / "out.tif", tmp_path / "out.npy")
    assert np.array_equal(np.load(tmp_path / "out.npy"), make_cube())


def test_scaled_values_are_what_they_stand_for(tmp_path):
    written = write_prisma(tmp_path)
    export_cube(written.path, tmp_path / "out.tif", scaled=True)
    with open_cube(tmp_path / "out.tif") as file:
        values = file.read()
        assert values.dtype == np.float32
        # So that scenes of other scales can be brought to it.
        assert declared_scale(file) == ValueScale((1.0,) * file.shape[2], (0.0,) * file.shape[2])
        missing = written.values == 0
        assert np.array_equal(np.isnan(values), missing)
        expected = written.values * written.gains + written.offsets
        assert np.allclose(values[~missing], expected[~missing], rtol=1e-6)
    with pytest.raises(InputFileError, match="does not say what its values stand for"):
        export_cube(write_tanager(tmp_path).path, tmp_path / "other.tif", scaled=True)


def test_finished_files_are_kept_and_nothing_is_left_half_written(tmp_path):
    written = write_enmap(tmp_path)
    (tmp_path / "out.img").write_text("mine")
    with pytest.raises(ExistingOutputError, match=r"out\.img"):
        export_cube(written.path, tmp_path / "out.hdr")
    assert not (tmp_path / "out.hdr").exists()
    export_cube(written.path, tmp_path / "out.hdr", overwrite=True)
    before = set(tmp_path.iterdir())
    content = written.parts[0].read_bytes()
    written.parts[0].write_bytes(content[: len(content) // 2])
    with pytest.raises(InputFileError):
        export_cube(written.path, tmp_path / "new.tif")
    assert set(tmp_path.iterdir()) == before
    written.parts[0].write_bytes(content)
    with pytest.raises(OutputError, match="names no format"):
        export_cube(written.path, tmp_path / "out.png")
    with pytest.raises(OutputError, match="input itself"):
        export_cube(written.parts[0], written.parts[0], overwrite=True)


def test_a_limit_that_does_not_hold_a_line_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="one line of"):
        export_cube(write_enmap(tmp_path).path, tmp_path / "out.tif", memory_limit=1e6)


def test_the_command_says_what_it_wrote_and_what_it_assumed(tmp_path):
    written = write_prisma(tmp_path)
    command = ["export", str(written.path), "-o", str(tmp_path / "out.tif")]
    result = CliRunner().invoke(data, command)
    assert result.exit_code == 0
    assert result.stdout.split() == [str(tmp_path / "out.tif")]
    assert "sorted by wavelength" in result.stderr
    with pytest.raises(ExistingOutputError):
        CliRunner().invoke(data, command, catch_exceptions=False)


def test_georeferenced_results_are_read_by_others(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    written = write_prisma(tmp_path)
    export_cube(written.path, tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as file:
        assert file.crs.to_epsg() == 32633 and file.nodata == 0
        assert tuple(file.transform)[:6] == written.place[0]
        assert np.array_equal(file.read().transpose(1, 2, 0), written.values)
        assert np.allclose(file.scales, written.gains) and np.allclose(
            file.offsets, written.offsets
        )
        assert float(file.tags(3)["WAVELENGTH"]) == pytest.approx(written.centres[2])
        assert float(file.tags(3)["FWHM"]) == pytest.approx(written.widths[2])
