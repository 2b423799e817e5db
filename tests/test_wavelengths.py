import numpy as np
import pytest

from hsi_suite.data import wavelengths

COUNTS = {
    "indian_pines_220": 220,
    "indian_pines_corrected": 200,
    "salinas_corrected": 204,
    "jasper_ridge": 198,
    "muufl_gulfport": 64,
    "pavia_university": 103,
    "pavia_centre": 102,
    "botswana": 145,
}


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_one_centre_for_each_band_in_the_range_of_the_sensor(name, count):
    centres = getattr(wavelengths, name)()
    assert centres.shape == (count,)
    assert centres.dtype == np.float64
    assert 350 < centres.min() < 450 < 850 < centres.max() < 2510


def test_corrected_indian_pines_drops_the_named_channels():
    full, left = wavelengths.indian_pines_220(), wavelengths.indian_pines_corrected()
    dropped = [*range(104, 109), *range(150, 164), 220]
    np.testing.assert_array_equal(left, np.delete(full, np.array(dropped) - 1))
    # What is dropped lies in the water vapour bands, and the noisy last channel.
    lost = np.sort(full[np.array(dropped) - 1])
    assert ((lost > 1350) & (lost < 1410)).sum() == 5
    assert ((lost > 1800) & (lost < 1960)).sum() == 14
    assert lost[-1] == 2498.96


def test_jasper_and_salinas_follow_the_channel_numbers():
    aviris = np.array(wavelengths.AVIRIS_224)
    jasper = [*range(4, 108), *range(113, 154), *range(167, 220)]
    np.testing.assert_array_equal(wavelengths.jasper_ridge(), aviris[np.array(jasper) - 1])
    dropped = {*range(108, 113), *range(154, 168), 224}
    salinas = [channel for channel in range(1, 225) if channel not in dropped]
    np.testing.assert_array_equal(wavelengths.salinas_corrected(), aviris[np.array(salinas) - 1])


@pytest.mark.parametrize("name", ["muufl_gulfport", "pavia_university", "pavia_centre"])
def test_evenly_spaced_centres(name):
    steps = np.diff(getattr(wavelengths, name)())
    np.testing.assert_allclose(steps, steps[0])
    assert 4 < steps[0] < 10


def test_hyperion_centres_at_known_bands():
    centres = wavelengths.botswana()
    # Hyperion's published centres of bands 29, 55, 82, 102, 119, 187 and 220, in nm.
    known = {19: 640.50, 45: 905.05, 46: 962.91, 62: 1164.68, 79: 1336.15, 111: 2022.25}
    for band, centre in known.items():
        assert centres[band] == pytest.approx(centre, abs=0.15)
    assert centres[-1] == pytest.approx(2355.21, abs=0.15)


def test_centres_step_back_only_where_spectrometers_overlap():
    for table in (wavelengths.AVIRIS_224, wavelengths.INDIAN_PINES_220):
        steps = np.diff(table)
        assert (steps < 0).sum() == 3
        assert steps.min() > -13 and steps.max() < 15


@pytest.mark.data
def test_tables_equal_the_calibration_files(data_dir):
    rows = (data_dir / "scenes" / "92AV3C.spc").read_text().splitlines()[2:]
    spc = [float(row.split()[0]) for row in rows if row.strip()]
    np.testing.assert_allclose(wavelengths.INDIAN_PINES_220, spc, atol=0.006)
    lines = (data_dir / "scenes" / "aviris_224_wavelengths_nm.csv").read_text().splitlines()
    listed = [float(line) for line in lines if line and not line.startswith("#")]
    np.testing.assert_allclose(wavelengths.AVIRIS_224, listed, atol=0.006)
