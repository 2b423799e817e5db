"""Folders and archives in which products are delivered: one line that says what to name."""

import io
import tarfile
import zipfile

import numpy as np
import product_samples as products
import pytest

from hsi_suite.data.readers import open_cube
from hsi_suite.errors import InputFileError


def refusal(path) -> str:
    with pytest.raises(InputFileError) as error:
        open_cube(path)
    return str(error.value)


def test_a_folder_names_the_file_that_opens_the_product(tmp_path):
    deep = tmp_path / "delivery" / "product"
    deep.mkdir(parents=True)
    written = products.write_enmap(deep)
    said = refusal(tmp_path / "delivery")
    assert said.endswith(f"expected a file. Name product/{written.path.name}")


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (("EMIT_L2A_MASK_001.nc", "EMIT_L2A_RFL_001.nc", "EMIT_L2A_RFLUNCERT_001.nc"),
         "EMIT_L2A_RFL_001.nc"),
        (("ang2017_rdn_img.hdr", "ang2017_rdn_img", "ang2017_rdn_igm.hdr", "ang2017_glt.hdr"),
         "ang2017_rdn_img.hdr"),
        (("PRS_L2D_STD.he5", "readme.txt"), "PRS_L2D_STD.he5"),
        (("a.hdr", "b.hdr"), "a.hdr or b.hdr"),
        (("a.nc", "b.nc", "c.nc", "d.nc"), r"a.nc, b.nc or c.nc (1 more)"),
        ((), "a file, such as a cube"),
    ],
)  # fmt: skip
def test_what_lies_beside_a_cube_is_not_named(tmp_path, files, named):
    for name in files:
        (tmp_path / name).write_bytes(b"x")
    assert refusal(tmp_path).endswith(f"Name {named}")


def test_archives_are_told_from_arrays(tmp_path):
    zipped, tarred, packed = (tmp_path / f"p.{end}" for end in ("zip", "tar", "tar.gz"))
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("folder/PRS_L2D_STD.he5", b"x")
    for path, mode in ((tarred, "w"), (packed, "w:gz")):
        with tarfile.open(path, mode) as tar:
            tar.addfile(tarfile.TarInfo("x-METADATA.XML"), io.BytesIO())
    assert "ZIP archive" in refusal(zipped)
    assert refusal(zipped).endswith("Unpack it and name folder/PRS_L2D_STD.he5")
    assert "this is a TAR archive" in refusal(tarred)
    assert "this is packed by gzip" in refusal(packed)
    np.savez(tmp_path / "cube.npz", cube=np.ones((3, 4, 5)))
    with open_cube(tmp_path / "cube.npz") as cube:
        assert cube.shape == (3, 4, 5)


def test_raw_values_that_begin_like_an_archive_are_values(tmp_path):
    values = np.zeros(60, np.uint8)
    values[:2] = 0x1F, 0x8B
    (tmp_path / "cube.img").write_bytes(values.tobytes())
    (tmp_path / "cube.hdr").write_text(
        "ENVI\nsamples = 4\nlines = 3\nbands = 5\ndata type = 1\ninterleave = bip\nbyte order = 0\n"
    )
    with open_cube(tmp_path / "cube.img") as cube:
        assert cube.read()[0, 0, 0] == 0x1F


def test_classic_netcdf_is_named_with_what_converts_it(tmp_path):
    (tmp_path / "old.nc").write_bytes(b"CDF\2" + bytes(100))
    assert "classic format; expected netCDF-4. `nccopy -k nc4" in refusal(tmp_path / "old.nc")
