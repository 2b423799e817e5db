import contextlib
import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spectral.io import envi

from hsi_suite.data.field_spectra import read_field_spectrum
from hsi_suite.data.spectral_resampling import band_widths, resample
from hsi_suite.data.wavelengths import jasper_ridge, muufl_gulfport
from hsi_suite.errors import InputFileError

FINE = np.arange(350.0, 2501.0)


def smooth(wavelengths):
    return 0.1 + 0.3 * np.exp(-(((wavelengths - 900) / 400) ** 2))


def table(separator=",", wavelengths=FINE, factor=1.0, decimal="."):
    rows = (
        f"{w:.7g}{separator}{v:.7g}".replace(".", decimal)
        for w, v in zip(wavelengths, smooth(FINE) * factor, strict=True)
    )
    return "\n".join(rows)


FORMS = {
    "csv with header": ("wavelength,reflectance\n" + table(), "utf-8"),
    "csv without header": (table(), "utf-8"),
    "semicolons, decimal commas": (table(";", decimal=","), "utf-8"),
    "tabs, ASD": ("Spectrum file\nWavelength\twater.000\n" + table("\t"), "utf-8"),
    "spaces, comments": ("# field\n! spectrum\n" + table("   "), "utf-8"),
    "micrometres, percent by words": (
        "X Units: Wavelength (micrometers)\nY Units: Reflectance (percent)\n"
        + table("\t", FINE / 1000, 100),
        "utf-8",
    ),
    "percent by range": (table(factor=100), "utf-8"),
    "times 10000": (table(factor=10_000), "utf-8"),
    "latin-1 micro sign": ("wavelength (µm);r\n" + table(";", FINE / 1000), "latin-1"),
    "utf-16": ("wavelength,reflectance\n" + table(), "utf-16"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_table_gives_the_same_spectrum(tmp_path, form):
    text, encoding = FORMS[form]
    path = tmp_path / "spectrum.csv"
    path.write_bytes(text.encode(encoding))
    spectrum = read_field_spectrum(path)
    assert np.allclose(spectrum.wavelengths, FINE)
    assert np.allclose(spectrum.reflectance, smooth(FINE), atol=1e-6)
    assert any(remark.startswith("wavelengths in") for remark in spectrum.remarks)
    assert any(remark.startswith("values in") for remark in spectrum.remarks)


def test_units_are_said_and_can_be_given(tmp_path):
    path = tmp_path / "dark.csv"
    path.write_text("nm,percent reflectance\n400,1.5\n500,1.2\n600,0.4")
    spectrum = read_field_spectrum(path)
    assert np.allclose(spectrum.reflectance, [0.015, 0.012, 0.004])
    assert "values in percent, as the file says" in spectrum.remarks
    path.write_text("nm,value\n400,1.5\n500,1.2\n600,0.4")
    assert read_field_spectrum(path).reflectance[0] == 1.5
    asked = read_field_spectrum(path, units="percent")
    assert np.allclose(asked.reflectance, [0.015, 0.012, 0.004])
    assert "values in percent, as asked for" in asked.remarks


def test_missing_negative_and_repeated_values_are_handled_and_said(tmp_path):
    path = tmp_path / "field.csv"
    path.write_text(
        "wavelength;r\n400;0,1\n410;NaN\n420;-0,01\n430;-1.23e34\n440;0,2\n440;0,4\n450;0,5\n"
    )
    spectrum = read_field_spectrum(path)
    assert spectrum.wavelengths.tolist() == [400, 420, 440, 450]
    assert np.allclose(spectrum.reflectance, [0.1, 0, 0.3, 0.5])
    said = " / ".join(spectrum.remarks)
    assert "2 of 7 values are missing" in said
    assert "1 values a little below 0" in said
    assert "1 wavelengths stand there twice" in said


RISING = np.linspace(0.11, 0.62, 60)
TWICE = 400 + 10.0 * (np.arange(60) // 2)
OVERLAPPING = np.r_[np.linspace(400, 690, 30), np.linspace(680, 970, 30)]


@pytest.mark.parametrize("wavelengths", [TWICE, TWICE[::-1], OVERLAPPING])
@pytest.mark.parametrize("columns", ["wavelength first", "row numbers first"])
def test_wavelengths_that_repeat_are_told_from_reflectance(tmp_path, wavelengths, columns):
    path = tmp_path / "field.txt"
    rows = [np.arange(60)] * (columns == "row numbers first")
    np.savetxt(path, np.column_stack([*rows, wavelengths, RISING]), fmt="%.9g")
    spectrum = read_field_spectrum(path)
    order, place = np.unique(wavelengths, return_inverse=True)
    assert spectrum.wavelengths.tolist() == order.tolist()
    means = np.bincount(place, weights=RISING) / np.bincount(place)
    assert np.allclose(spectrum.reflectance, means, atol=1e-6)


@pytest.mark.parametrize(
    "columns",
    [(RISING, TWICE), (TWICE, 10_000 * RISING), (TWICE / 1000, RISING), (RISING, OVERLAPPING)],
)
def test_columns_that_may_both_be_wavelengths_are_asked_about(tmp_path, columns):
    path = tmp_path / "field.csv"
    np.savetxt(path, np.column_stack(columns), fmt="%.9g", delimiter=",")
    with pytest.raises(InputFileError, match=r"columns 1 and 2 may both .* Name that column"):
        read_field_spectrum(path)
    names = ["r,wavelength", "wavelength,r"][columns[1] is not TWICE and columns[0] is not RISING]
    path.write_text(f"{names}\n{path.read_text()}")
    at = names.split(",").index("wavelength")
    assert len(read_field_spectrum(path).wavelengths) == len(np.unique(columns[at]))


def test_one_of_several_columns_is_chosen_by_name(tmp_path):
    path = tmp_path / "many.csv"
    path.write_text("row,wavelength,grass,sand\n0,400,0.1,0.3\n1,500,0.2,0.4\n2,600,0.3,0.5")
    with pytest.raises(InputFileError, match="holds 2 spectra; expected the name of one: grass, s"):
        read_field_spectrum(path)
    assert read_field_spectrum(path, name="sand").reflectance.tolist() == [0.3, 0.4, 0.5]
    with pytest.raises(InputFileError, match="Did you mean sand"):
        read_field_spectrum(path, name="sandy")


def save_library(tmp_path, names=("water", "sand"), **metadata):
    centres = np.linspace(400, 900, 11)
    values = np.stack([np.linspace(0.1, 0.02, 11), np.linspace(0.2, 0.5, 11)]).astype(np.float32)
    header = {
        "wavelength": centres.tolist(),
        "spectra names": list(names),
        "wavelength units": "Nanometers",
        **metadata,
    }
    envi.SpectralLibrary(values, header).save(str(tmp_path / "library"))
    return centres, values


@pytest.mark.parametrize("ending", ["hdr", "sli"])
def test_a_library_is_read_by_either_of_its_files(tmp_path, ending):
    centres, values = save_library(tmp_path)
    spectrum = read_field_spectrum(tmp_path / f"library.{ending}", name="sand")
    assert np.allclose(spectrum.wavelengths, centres)
    assert np.allclose(spectrum.reflectance, values[1])
    with pytest.raises(InputFileError, match="holds 2 spectra"):
        read_field_spectrum(tmp_path / f"library.{ending}")


def test_a_damaged_library_is_refused_in_one_line(tmp_path):
    save_library(tmp_path)
    data = tmp_path / "library.sli"
    data.write_bytes(data.read_bytes()[:-9])
    with pytest.raises(InputFileError, match="holds 79 bytes; expected 88"):
        read_field_spectrum(tmp_path / "library.hdr", name="sand")
    data.unlink()
    with pytest.raises(InputFileError):
        read_field_spectrum(tmp_path / "library.hdr", name="sand")


CENTRES = np.linspace(0.4, 2.5, 50)
REFLECTANCE = np.stack([0.3 + 0.2 * np.sin(CENTRES * 4), np.full(50, 0.25)])


def write_library(path, values=REFLECTANCE, extra="", order=0, offset=0, without=(), ending="sli"):
    """A library written byte by byte, as no library's writer would."""
    fields = {"samples": 50, "lines": 2, "bands": 1, "header offset": offset, "data type": 4}
    fields |= {"file type": "ENVI Spectral Library", "interleave": "bsq", "byte order": order}
    lines = [f"{name} = {value}" for name, value in fields.items() if name not in without]
    centres = ", ".join(map(repr, CENTRES.tolist()))
    names = "" if "spectra names" in extra else "spectra names = {grass, sand}\n"
    path.write_text(
        "ENVI\n" + "\n".join(lines) + f"\nwavelength units = Micrometers\n{names}{extra}\n"
        f"wavelength = {{{centres}}}\n"
    )
    data = np.asarray(values, dtype="<>"[order] + "f4").tobytes()
    path.with_suffix(f".{ending}" if ending else "").write_bytes(b"\x7f" * offset + data)
    return path


@pytest.mark.parametrize(
    "options",
    [
        {"offset": 64},
        {"offset": 128, "order": 1},
        {"order": 1},
        {"without": ("byte order",)},
        {"without": ("header offset", "bands")},
        {"ending": "lib"},
        {"ending": ""},
        {"extra": "data ignore value = {-1}"},
        {"extra": "bbl = {} ; none\n; a comment = {"},
    ],
)
@pytest.mark.parametrize("index", [0, 1])
def test_libraries_of_every_writer_give_exact_values(tmp_path, options, index):
    path = write_library(tmp_path / "a.hdr", **options)
    found = read_field_spectrum(path, name=("grass", "sand")[index])
    np.testing.assert_allclose(found.wavelengths, CENTRES * 1000)
    np.testing.assert_array_equal(found.reflectance, REFLECTANCE[index].astype("f4"))


@pytest.mark.parametrize(
    ("mark", "extra"),
    [
        (0.0, "data ignore value = 0"),
        (-1.23e34, "data ignore value = -1.23e34"),
        (0.9, "bbl = {" + ", ".join("0" if 10 <= n < 15 else "1" for n in range(50)) + "}"),
    ],
)
def test_ignored_values_and_bad_bands_are_left_out(tmp_path, mark, extra):
    values = REFLECTANCE.copy()
    values[:, 10:15] = mark
    found = read_field_spectrum(
        write_library(tmp_path / "a.hdr", values, f"{extra}\n"), name="grass"
    )
    kept = np.r_[0:10, 15:50]
    np.testing.assert_allclose(found.wavelengths, CENTRES[kept] * 1000)
    np.testing.assert_array_equal(found.reflectance, REFLECTANCE[0, kept].astype("f4"))
    assert any("5 of 50" in remark and "left out" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        ("a soil, b, with comma", {"a soil": 0, "b, with comma": 1}),
        ("Soil, dry,Grass", {"Soil, dry": 0, "Grass": 1}),
        ("Soil, dry,\n Grass", {"Soil, dry": 0, "Grass": 1}),
        ('"Soil, dry", Grass', {"Soil, dry": 0, "Grass": 1}),
        ("Soil, dry, Grass", {"Soil, dry": 0, "Grass": 1}),
        ("only one", {"spectrum 1": 0, "spectrum 2": 1}),
        ("", {"spectrum 1": 0, "spectrum 2": 1}),
    ],
)
def test_names_of_library_spectra_that_hold_commas_or_are_missing(tmp_path, names, asked):
    path = write_library(tmp_path / "a.hdr", extra=f"spectra names = {{{names}}}\n")
    for name, index in asked.items():
        found = read_field_spectrum(path, name=name)
        assert found.name == name
        np.testing.assert_array_equal(found.reflectance, REFLECTANCE[index].astype("f4"))
    with pytest.raises(InputFileError, match="holds no spectrum"):
        read_field_spectrum(path, name="comma")


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("spectra names = {grass sand}", "spectra names lists 1 for 2 spectra: they are numbered"),
        ("spectra names = {a, b, c}", "spectra names lists 3 for 2 spectra: they are numbered"),
        ("bbl = {1, 0, 1}", "bbl lists 3 for 50 bands, and is left out"),
    ],
)
def test_lists_of_a_library_that_do_not_fit_are_said(tmp_path, extra, said):
    path = write_library(tmp_path / "a.hdr", extra=f"{extra}\n")
    numbered = extra.startswith("spectra")
    found = read_field_spectrum(path, name="spectrum 2" if numbered else "sand")
    assert f"a.hdr: {said}" in found.remarks
    np.testing.assert_array_equal(found.reflectance, REFLECTANCE[1].astype("f4"))
    if numbered:
        with pytest.raises(InputFileError, match=r"they are numbered"):
            read_field_spectrum(path, name="grass")


def test_an_image_header_is_no_library(tmp_path):
    save_library(tmp_path)
    header = tmp_path / "library.hdr"
    header.write_text(header.read_text().replace("ENVI Spectral Library", "ENVI Standard"))
    with pytest.raises(
        InputFileError, match="file type = envi standard; expected file type = ENVI"
    ):
        read_field_spectrum(header)


def test_a_table_beside_an_image_of_the_same_name_is_a_table(tmp_path):
    (tmp_path / "water.hdr").write_text("ENVI\nsamples = 3\n")
    (tmp_path / "water.csv").write_text("400,0.1\n500,0.2\n600,0.2")
    assert len(read_field_spectrum(tmp_path / "water.csv").wavelengths) == 3


BAD = {
    "empty": b"",
    "words": b"hello\nworld",
    "binary": bytes(range(256)) * 4,
    "one row": b"400,0.1",
    "one column": b"0.1\n0.2\n0.3",
    "no wavelengths": b"1,2,3\n1,2,3\n1,2,3",
    "radiance": b"400,10\n500,100000\n600,4",
    "dark": b"400,0\n500,0\n600,0",
    "all missing": b"nm,r\n400,nan\n500,nan\n600,nan",
    "negative": b"nm,r\n400,-1\n500,-1\n600,0.1",
    "light years": b"wavelength_um,r\n400,0.1\n500,0.1\n600,0.1",
}


@pytest.mark.parametrize("content", BAD)
def test_what_is_no_spectrum_is_refused(tmp_path, content):
    path = tmp_path / "bad.csv"
    path.write_bytes(BAD[content])
    with pytest.raises(InputFileError) as caught:
        read_field_spectrum(path)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputFileError):
            read_field_spectrum(path)


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_random_bytes_never_raise_anything_else(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "noise.txt"
    path.write_bytes(content)
    with contextlib.suppress(InputFileError):
        read_field_spectrum(path)


def written(tmp_path, wavelengths, values):
    path = tmp_path / "spectrum.csv"
    rows = [f"{w:.6f},{v:.9f}" for w, v in zip(wavelengths, values, strict=True)]
    path.write_text("\n".join(["wavelength_nm,reflectance", *rows]))
    return read_field_spectrum(path)


@pytest.mark.parametrize("centres", [jasper_ridge(), muufl_gulfport()], ids=["jasper", "muufl"])
def test_resampling_a_smooth_spectrum_gives_its_values(tmp_path, centres):
    resampled = resample(written(tmp_path, FINE, smooth(FINE)), centres)
    assert resampled.measured.all()
    assert np.abs(resampled.values - smooth(centres)).max() < 3e-5
    assert "resampled from 2151 wavelengths, 350 to 2500 nm" in resampled.remark


def test_bands_are_gaussian_means(tmp_path):
    """A line narrower than a band comes out as the band weighs it, by numerical integration."""
    centres = np.arange(500.0, 700.0, 20)
    fine = np.arange(400.0, 800.0)
    line = 0.2 + 0.5 * np.exp(-(((fine - 603) / 2) ** 2))
    values = resample(written(tmp_path, fine, line), centres).values
    sigma = 20 / 2.3548200450309493
    for centre, value in zip(centres, values, strict=True):
        weights = np.exp(-(((fine - centre) / sigma) ** 2) / 2) * (np.abs(fine - centre) <= 10)
        assert value == pytest.approx((weights * line).sum() / weights.sum(), abs=0.012)


def test_no_overlap_says_both_ranges(tmp_path):
    spectrum = written(tmp_path, np.arange(350.0, 390), np.full(40, 0.2))
    with pytest.raises(InputFileError, match=r"350 to 389 nm.*expected 395 to 2447 nm"):
        resample(spectrum, jasper_ridge())


def test_too_little_overlap_is_refused_and_a_little_missing_is_not_invented(tmp_path):
    half = np.arange(350.0, 1075)
    with pytest.raises(InputFileError, match=r"tell 7[0-9] of the 198 bands"):
        resample(written(tmp_path, half, smooth(half)), jasper_ridge())
    most = np.arange(350.0, 2400)
    resampled = resample(written(tmp_path, most, smooth(most)), jasper_ridge())
    assert np.array_equal(resampled.measured, jasper_ridge() <= 2399)
    gap = FINE[(FINE < 1500) | (FINE > 1600)]
    resampled = resample(written(tmp_path, gap, smooth(gap)), jasper_ridge())
    inside = (jasper_ridge() > 1510) & (jasper_ridge() < 1590)
    assert not resampled.measured[inside].any()
    assert resampled.measured[(jasper_ridge() < 1490) | (jasper_ridge() > 1610)].all()


def test_bands_outside_a_spectrum_are_not_logged_one_by_one(tmp_path):
    # The library would print a line for each.
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logging.getLogger("spectral").addHandler(handler)
    try:
        most = np.arange(350.0, 2300)
        assert not resample(written(tmp_path, most, smooth(most)), jasper_ridge()).measured.all()
    finally:
        logging.getLogger("spectral").removeHandler(handler)
    assert not records


def test_widths_do_not_count_gaps_and_steps_back():
    widths = band_widths(jasper_ridge())
    assert widths.min() > 9
    assert widths.max() < 10.1
    assert band_widths(np.array([500.0, 510, 520, 800, 810])).tolist() == [10] * 5
    assert band_widths(np.array([900.0, 880, 860])).tolist() == [20] * 3
