import gzip

import file_samples as samples
import numpy as np
import pytest

from hsi_suite.data.formats.envi_header import format_envi_header, parse_envi_header
from hsi_suite.data.formats.georeferencing import make_map_info, read_map_info, simple_epsg
from hsi_suite.data.readers import open_cube
from hsi_suite.errors import InputFileError

UTM = "map info = {UTM, 1, 1, 500000, 4000000, 20, 20, 17, North, WGS-84, units=Meters}\n"
RICH = (
    "wavelength units = Micrometers\nWavelength = {\n 0.45, 0.55,\n 0.65, 0.85, 2.2}\n"
    "; a comment\nband names = {b one, two, 3, 4, 5}\ndefault bands = {3, 2, 1}\n"
    "data ignore value = -9999\n" + UTM
)


def open_with(tmp_path, extra):
    samples.write_envi(tmp_path / "a.hdr", samples.make_cube(), extra=extra)
    return open_cube(tmp_path / "a.hdr")


def test_what_the_header_says(tmp_path):
    with open_with(tmp_path, RICH) as file:
        np.testing.assert_allclose(file.wavelengths, [450, 550, 650, 850, 2200])
        assert file.band_names == ("b one", "two", "3", "4", "5")
        assert file.default_bands == (2, 1, 0)
        assert file.nodata == -9999.0
        assert file.georeference.crs == "EPSG:32617"
        assert file.georeference.transform == (20, 0, 500000, 0, -20, 4000000)
        assert file.georeference.map_info[0] == "UTM"


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("wavelength units = Nanometers\nwavelength = {400, 500, 600, 700, 800}", 400),
        ("wavelength units = µm\nwavelength = {.4, .5, .6, .7, .8}", 400),
        ("wavelength = {0.4, 0.5, 0.6, 0.7, 0.8}", 400),
        ("wavelength units = Wavenumber\nwavelength = {25000, 20000, 16666, 14285, 12500}", 400),
        ("wavelength units = Micrometers\nwavelength = {1e308, 2, 3, 4, 5}", None),
        ("wavelength = {4e-7, 5e-7, 6e-7, 7e-7, 8e-7}", 400),
        ("wavelength units = m\nwavelength = {4e-7, 5e-7, 6e-7, 7e-7, 8e-7}", 400),
        ("wavelength units = Angstrom\nwavelength = {4000, 5000, 6000, 7000, 8000}", 400),
        ("wavelength units = um\nwavelength = {1, 2, 3, 4, 5}", 1000),
        ("wavelength = {1, 2, 3, 4, 5}", None),
        ("wavelength units = Unknown\nwavelength = {1.0, 2.0, 3.0, 4.0, 5.0}", None),
        ("wavelength units = Index\nwavelength = {1, 2, 3, 4, 5}", None),
        ("wavelength = {400, 500}", None),
        ("wavelength = {a, b, c, d, e}", None),
        ("", None),
    ],
)
def test_wavelength_units(tmp_path, extra, expected):
    with open_with(tmp_path, extra + "\n") as file:
        if expected is None:
            assert file.wavelengths is None
        else:
            assert file.wavelengths[0] == pytest.approx(expected)


def test_latin_1_headers_of_older_software(tmp_path):
    cube = samples.make_cube()
    samples.write_envi(tmp_path / "a.hdr", cube)
    text = samples.envi_header(cube, "bsq", "wavelength units = µm\nwavelength = {1,2,3,4,5}\n")
    (tmp_path / "a.hdr").write_bytes(text.encode("latin-1"))
    with open_cube(tmp_path / "a.hdr") as file:
        assert file.wavelengths[0] == 1000.0


@pytest.mark.parametrize("suffix", ["", ".img", ".dat", ".raw", ".bin", ".bsq", ".IMG", ".hyspex"])
def test_the_data_file_is_found_and_finds_its_header(tmp_path, suffix):
    cube = samples.make_cube()
    data = samples.write_envi(tmp_path / "a.hdr", cube, data_suffix=suffix)
    for path in (tmp_path / "a.hdr", data):
        with open_cube(path) as file:
            assert file.files == (tmp_path / "a.hdr", data)
            np.testing.assert_array_equal(file.read(), cube)


def test_header_named_after_the_whole_data_file(tmp_path):
    cube = samples.make_cube()
    data = samples.write_envi(tmp_path / "a.hdr", cube)
    (tmp_path / "a.hdr").rename(tmp_path / "a.img.hdr")
    for path in (data, tmp_path / "a.img.hdr"):
        with open_cube(path) as file:
            np.testing.assert_array_equal(file.read(), cube)


def test_header_offset(tmp_path):
    cube = samples.make_cube()
    data = samples.write_envi(tmp_path / "a.hdr", cube, "bil")
    data.write_bytes(bytes(100) + data.read_bytes())
    text = (tmp_path / "a.hdr").read_text().replace("header offset = 0", "header offset = 100")
    (tmp_path / "a.hdr").write_text(text)
    with open_cube(tmp_path / "a.hdr") as file:
        np.testing.assert_array_equal(file.read(2, 5), cube[2:5])


@pytest.mark.parametrize("field", ["samples", "lines", "bands", "data type", "interleave"])
def test_missing_fields(tmp_path, field):
    samples.write_envi(tmp_path / "a.hdr", samples.make_cube())
    lines = (tmp_path / "a.hdr").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(field + " ")]
    (tmp_path / "a.hdr").write_text("\n".join(kept))
    with pytest.raises(InputFileError, match=f"'{field}' is missing"):
        open_cube(tmp_path / "a.hdr")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lines = 7", "lines = 8", r"630 bytes.*720"),
        ("lines = 7", "lines = 6", r"630 bytes.*540"),
        ("lines = 7", "lines = -7", "whole number"),
        ("lines = 7", "lines = 0", "whole number"),
        ("lines = 7", "lines = seven", "whole number"),
        ("lines = 7", "lines = 999999999999999", "bytes"),
        ("lines = 7", f"lines = {'9' * 5000}", "5000 characters"),
        ("byte order = 0", f"byte order = {'0' * 5000}", "at most 15 digits"),
        ("lines = 7", "lines =", "no single value"),
        ("lines = 7", "lines = {7, 7}", "no single value"),
        ("data type = 12", "data type = 4", "bytes"),
        ("data type = 12", "data type = 6", "complex64"),
        ("data type = 12", "data type = 7", "one of 1, 2, 3"),
        ("interleave = bsq", "interleave = tile", "bsq, bil or bip"),
        ("byte order = 0", "byte order = 2", "little-endian"),
        ("file type = ENVI Standard", "file type = ENVI Spectral Library", "ENVI Standard"),
        ("byte order = 0", "byte order = 0\nfile compression = 1", "not compressed with gzip"),
        ("byte order = 0", "byte order = 0\nfile compression = 2", "0 or 1"),
        ("byte order = 0", "byte order = 0\nmajor frame offsets = {0, 4}", "without gaps"),
        ("byte order = 0", "byte order = 0\ndata ignore value = {0, 1}", "no single value"),
        ("file type = ENVI Standard", "file type = ENVI Virtual Mosaic", "save it|Save it"),
        ("byte order = 0", "byte order = 0\ndata ignore value = zero", "a number"),
        ("byte order = 0", "byte order = 0\nband names = {a, b", "no end"),
        ("byte order = 0\n", "byte or", "ends inside a line"),
        ("ENVI\n", "ENVY\n", "no known format|not 'ENVI'"),
    ],
)
def test_wrong_fields(tmp_path, old, new, message):
    samples.write_envi(tmp_path / "a.hdr", samples.make_cube())
    text = (tmp_path / "a.hdr").read_text()
    assert old in text
    (tmp_path / "a.hdr").write_text(text.replace(old, new))
    with pytest.raises(InputFileError, match=message) as error:
        open_cube(tmp_path / "a.hdr")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("byte order = 0\n", ""),
        ("byte order = 0", "byte order = Host (Intel)"),
        ("header offset = 0", "header offset ="),
        ("header offset = 0", "header offset = 0.0"),
        ("lines = 7", "lines = +7 ; rows"),
        ("lines = 7", "lines = {7}"),
        ("lines = 7", "lines = 9\nlines = 7"),
        ("interleave = bsq", "interleave = {BSQ}"),
        ("ENVI Standard", "ENVI  Standard"),
        ("ENVI Standard", "PCI"),
        ("ENVI Standard", "TIFF"),
    ],
)
def test_slips_that_other_software_reads(tmp_path, old, new):
    cube = samples.make_cube()
    samples.write_envi(tmp_path / "a.hdr", cube)
    text = (tmp_path / "a.hdr").read_text()
    assert old in text
    (tmp_path / "a.hdr").write_text(text.replace(old, new, 1))
    with open_cube(tmp_path / "a.hdr") as file:
        np.testing.assert_array_equal(file.read(), cube)
        assert bool(file.remarks) == (new == "")  # a byte order that is taken is said


@pytest.mark.parametrize(
    ("value", "nodata"),
    [("", None), ("none", None), ("{-9999}", -9999), ("{5, 5}", 5), ("-9.999e+03", -9999)],
)
def test_ignored_values_as_they_are_written(tmp_path, value, nodata):
    with open_with(tmp_path, f"data ignore value = {value}\n") as file:
        assert file.nodata == nodata


def test_a_list_ends_at_its_brace_whatever_follows(tmp_path):
    extra = (
        "wavelength = {400, 500, 600, 700, 800} ; nm\n"
        "description = { a { lone brace }\n"
        "data ignore value = 5\n"
        "band names = {a {1}, b {2},\n c {3},\n; a comment = {\n d\n , e} and more\n"
        "default bands = {3, 2, 1}\n"
    )
    with open_with(tmp_path, extra) as file:
        np.testing.assert_array_equal(file.wavelengths, [400, 500, 600, 700, 800])
        assert file.nodata == 5
        assert file.band_names == ("a {1}", "b {2}", "c {3}", "d", "e")
        assert file.default_bands == (2, 1, 0)


@pytest.mark.parametrize("ending", [".cube", ".hsi", ".rfl", ".lan", ".HSI", ".pix"])
def test_a_data_file_of_any_ending_is_told_by_its_size(tmp_path, ending):
    cube = samples.make_cube()
    data = samples.write_envi(tmp_path / "a.hdr", cube, data_suffix=ending)
    (tmp_path / "a.txt").write_text("notes")
    with open_cube(tmp_path / "a.hdr") as file:
        assert file.files[1] == data
    (tmp_path / "a.other").write_bytes(data.read_bytes())
    with pytest.raises(InputFileError, match="several data files fit"):
        open_cube(tmp_path / "a.hdr")


def test_padding_is_left_out_and_said(tmp_path):
    cube = samples.make_cube()
    data = samples.write_envi(tmp_path / "a.hdr", cube, "bil")
    data.write_bytes(data.read_bytes() + bytes(13))
    with open_cube(tmp_path / "a.hdr") as file:
        np.testing.assert_array_equal(file.read(), cube)
        assert "13 bytes" in file.remarks[0]


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_compressed_data(tmp_path, interleave):
    cube = samples.make_cube()
    data = samples.write_envi(
        tmp_path / "a.hdr", cube, interleave, extra="file compression = 1\n", order=1
    )
    whole = data.read_bytes()
    data.write_bytes(gzip.compress(whole))
    with open_cube(tmp_path / "a.hdr") as file:
        np.testing.assert_array_equal(file.read(2, 5), cube[2:5])
    data.write_bytes(gzip.compress(whole[:-2]))
    with open_cube(tmp_path / "a.hdr") as file, pytest.raises(InputFileError, match="unpacks to"):
        file.read()


def test_interleave_is_told_by_the_ending_alone(tmp_path):
    cube = samples.make_cube()
    samples.write_envi(tmp_path / "a.hdr", cube, "bil", data_suffix=".bil")
    text = (tmp_path / "a.hdr").read_text()
    (tmp_path / "a.hdr").write_text(text.replace("interleave = bil\n", ""))
    with open_cube(tmp_path / "a.hdr") as file:
        np.testing.assert_array_equal(file.read(), cube)


def test_pairs_with_a_file_missing(tmp_path):
    data = samples.write_envi(tmp_path / "a.hdr", samples.make_cube())
    data.rename(tmp_path / "b.img")
    with pytest.raises(InputFileError, match="data file does not lie beside"):
        open_cube(tmp_path / "a.hdr")
    with pytest.raises(InputFileError, match=r"needs its \.hdr"):
        open_cube(tmp_path / "b.img")


def test_headers_agree_with_the_spectral_package(tmp_path):
    envi = pytest.importorskip("spectral.io.envi")
    cube = samples.make_cube()
    metadata = {"wavelength": [401.5, 402, 403, 404, 405], "wavelength units": "Nanometers"}
    envi.save_image(str(tmp_path / "s.hdr"), cube, dtype="uint16", metadata=metadata)
    with open_cube(tmp_path / "s.hdr") as file:
        np.testing.assert_array_equal(file.read(), cube)
        assert list(file.wavelengths) == [401.5, 402, 403, 404, 405]
    samples.write_envi(tmp_path / "a.hdr", cube, extra=RICH.replace("Wavelength", "wavelength"))
    ours, theirs = (
        parse_envi_header(tmp_path / "a.hdr"),
        envi.read_envi_header(str(tmp_path / "a.hdr")),
    )
    assert {k: list(v) if isinstance(v, tuple) else v for k, v in ours.items()} == theirs


def test_header_text_survives(tmp_path):
    fields = {"bands": 3, "class names": ("a, b", "c {d}"), "coordinate system string": 'X["é, 1"]'}
    (tmp_path / "a.hdr").write_text(format_envi_header(fields), encoding="utf-8")
    assert parse_envi_header(tmp_path / "a.hdr") == {
        "bands": "3",
        "class names": ("a; b", "c (d)"),
        "coordinate system string": 'X["é, 1"]',
    }


@pytest.mark.parametrize(
    ("info", "crs"),
    [
        ("UTM, 1, 1, 5e5, 4e6, 20, 20, 17, South, WGS-84, units=Meters", "EPSG:32717"),
        ("UTM, 1, 1, 5e5, 4e6, 20, 20, 11, North, North America 1983", "EPSG:26911"),
        ("UTM, 1, 1, 5e5, 4e6, 20, 20, 99, North, WGS-84", None),
        ("UTM, 1, 1, 5e5, 4e6, 20, 20, 17, South, North America 1983", None),
        ("Geographic Lat/Lon, 1, 1, -100, 40, .1, .1, WGS-84, units=Degrees", "EPSG:4326"),
        ("Arbitrary, 1, 1, 0, 0, 1, 1, 0, North", None),
    ],
)
def test_reference_systems_of_map_info(info, crs):
    assert read_map_info([item.strip() for item in info.split(",")], None).crs == crs


def test_map_info_geometry():
    def transform(text):
        return read_map_info(text.split(","), None).transform

    assert transform("UTM,1.5,1.5,500,900,20,10,17,North,WGS-84") == (20, 0, 490, 0, -10, 905)
    # cos 30° · 20 = 17.3205, sin 30° · 20 = 10
    turned = transform("UTM,1,1,500,900,20,20,17,North,WGS-84,rotation=30")
    assert turned == pytest.approx((17.320508, 10, 500, 10, -17.320508, 900))
    back = make_map_info(turned, None)
    assert transform(",".join(back)) == pytest.approx(turned, abs=1e-9)
    assert make_map_info((20, 5, 0, 0, -20, 0), None) is None
    for broken in ("UTM,1,1,x,900,20,20", "UTM,1", "UTM,1,1,nan,0,1,1", "UTM,1,1,0,0,0,1"):
        assert read_map_info(broken.split(","), None) is None


def test_simple_epsg():
    assert simple_epsg("epsg:32633") == 32633
    assert simple_epsg('PROJCS["x",UNIT["metre",1],AUTHORITY["EPSG","32617"]]') == 32617
    assert simple_epsg('PROJCS["WGS_1984_UTM_Zone_17S",GEOGCS["GCS_WGS_1984"]]') == 32717
    assert simple_epsg("EPSG:2154") is None
    assert simple_epsg('PROJCS["x",GEOGCS["y",AUTHORITY["EPSG","4326"]],UNIT["m",1]]') is None
    assert simple_epsg(None) is None


@pytest.mark.parametrize("said", ["a/b", "..", "x" * 5000])
def test_an_interleave_that_no_file_can_end_in_is_refused(tmp_path, said):
    samples.write_envi(tmp_path / "a.hdr", samples.make_cube(), "bil")
    text = (tmp_path / "a.hdr").read_text().replace("interleave = bil", f"interleave = {said}")
    (tmp_path / "a.hdr").write_text(text)
    with pytest.raises(InputFileError, match="interleave = "):
        open_cube(tmp_path / "a.hdr")


# Lists that do not fit: a comma or a brace is missing


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("wavelength = {400, 500 600, 700, 800}", "wavelength holds '500 600', which is no number"),
        ("wavelength = {400, 500, 600, 700}", "wavelength lists 4 for 5 bands"),
        ("fwhm = {10, 10 10, 10, 10}", "fwhm holds '10 10', which is no number"),
        ("bbl = {1, 1, 0, 1}", "bbl lists 4 for 5 bands"),
        ("bbl = {1, 1, 0, 1, 1, 1}", "bbl lists 6 for 5 bands"),
        ("data gain values = {1, 1 1, 1, 1}", "data gain values holds '1 1', which is no number"),
        ("data offset values = {0, 0, 0}", "data offset values lists 3 for 5 bands"),
        ("band names = {a, b c, d, e}", "band names lists 4 for 5 bands"),
        ("default bands = {3, 2 1}", "default bands is '3, 2 1', not 1 or 3 bands from 1 to 5"),
        ("default bands = {3, 2, 6}", "default bands is '3, 2, 6', not 1 or 3 bands from 1 to 5"),
        ("class lookup = {0 0, 0, 1, 2, 3}", "class lookup lists 5 entries, not three from"),
        ("map info = {UTM 1, 1, 5e5, 4e6, 20, 20, 17, North, WGS-84}", "map info makes no sense"),
        ("map info = {UTM, 1 1, 5e5, 4e6, 20, 20, 17, North, WGS-84}", "map info makes no sense"),
    ],
)
def test_lists_that_do_not_fit_are_said(tmp_path, extra, said):
    with open_with(tmp_path, extra + "\n") as file:
        (remark,) = file.remarks
        assert remark.startswith(f"a.hdr: {said}") and remark.endswith(", and is left out")
        assert file.georeference is None and file.wavelengths is None and not file.bad_bands
    with open_with(tmp_path, RICH) as file:
        assert not file.remarks


LISTS = {
    "wavelength": "400, 500, 600, 700, 800",
    "fwhm": "10, 10, 10, 10, 10",
    "bbl": "1, 1, 1, 1, 1",
    "band names": "a, b, c, d, e",
    "class names": "a, b, c, d, e",
    "class lookup": "0, 0, 0",
    "default bands": "3, 2, 1",
    "map info": "UTM, 1, 1, 500000, 4000000, 20, 20, 17, North, WGS-84",
    "data gain values": "1, 1, 1, 1, 1",
    "spectra names": "a, b",
    "description": "whatever",
}


@pytest.mark.parametrize("following", ["fwhm = {1, 2}", "byte order = 0\nx = {1}", "own = {1, 2}"])
@pytest.mark.parametrize("name", LISTS)
def test_a_brace_that_does_not_close_swallows_nothing(tmp_path, name, following):
    with pytest.raises(InputFileError, match=f"the list '{name}' has no end") as refused:
        open_with(tmp_path, f"{name} = {{{LISTS[name]}\n{following}\n")
    assert "a closing brace" in str(refused.value)


def test_lines_of_a_description_may_look_like_fields(tmp_path):
    text = "description = {made of\n samples = 3 and\n own = {a, b}}\n"
    with open_with(tmp_path, text + RICH) as file:
        assert len(file.wavelengths) == 5 and not file.remarks


def test_widths_of_nothing_are_left_out_and_said(tmp_path):
    extra = "wavelength = {450, 500, 600, 700, 800}\nfwhm = {10, 0, 10, 10, 10}\n"
    samples.write_envi(tmp_path / "a.hdr", samples.make_cube(), extra=extra)
    with open_cube(tmp_path / "a.hdr") as file:
        assert file.fwhm is None and file.wavelengths is not None
        assert "a.hdr: fwhm holds values that are not above 0, and is left out" in file.remarks
