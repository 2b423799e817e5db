"""What stands around a map in print: round coordinates, a round scale bar, north."""

import math

import numpy as np
import pytest

from hsi_suite.data.ground_scale import degree_metres, ground_scale
from hsi_suite.data.scene import Georeference
from hsi_suite.reports.paper.frame import (
    MapFrame,
    bar_metres,
    left_ticks,
    lower_ticks,
    metres_text,
    round_values,
)

TURN = math.radians(30)
GRIDS = {
    "UTM": ("EPSG:32633", (30, 0, 364095, 0, -30, 5809965)),
    "UTM, turned": (
        "EPSG:32633",
        (
            30 * math.cos(TURN), 30 * math.sin(TURN), 364095,
            30 * math.sin(TURN), -30 * math.cos(TURN), 5809965,
        ),
    ),
    "UTM, south up": ("EPSG:32733", (20, 0, 500000, 0, 20, 7000000)),
    "degrees": ("EPSG:4326", (3e-4, 0, 13.0, 0, -3e-4, 52.4)),
    "degrees, southern": ("EPSG:4326", (1e-3, 0, -70.0, 0, -2e-3, -33.0)),
    "web Mercator": ("EPSG:3857", (30, 0, 1450000, 0, -30, 6870000)),
    "polar": ("EPSG:3413", (100, 0, 1000000, 0, -100, -1500000)),
    "equal area": ("EPSG:3035", (10, 0, 4500000, 0, -10, 3200000)),
    "feet": ("EPSG:2263", (10, 0, 990000, 0, -10, 200000)),
}  # fmt: skip


def slow_scale(crs, transform, lines, samples):
    """By PROJ's geodesics: metres of a step along samples and lines, and the way north."""
    pyproj = pytest.importorskip("pyproj")
    to_degrees = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
    back = pyproj.Transformer.from_crs(4326, crs, always_xy=True)
    geod = pyproj.Geod(ellps="WGS84")
    a, b, c, d, e, f = transform
    x, y = samples / 2, lines / 2

    def at(sample, line):
        return to_degrees.transform(a * sample + b * line + c, d * sample + e * line + f)

    metres = [
        geod.inv(*at(x - u / 2, y - v / 2), *at(x + u / 2, y + v / 2))[2]
        for u, v in ((1, 0), (0, 1))
    ]
    longitude, latitude, _ = geod.fwd(*at(x, y), 0.0, min(metres))
    east, north = back.transform(longitude, latitude)
    step = np.linalg.solve([[a, b], [d, e]], (east - c, north - f)) - (x, y)
    drawn = step * metres
    return *metres, drawn / np.hypot(*drawn)


@pytest.mark.parametrize("name", GRIDS)
def test_pixels_are_as_large_as_geodesics_say_and_north_is_the_meridian(name):
    pytest.importorskip("rasterio")
    crs, transform = GRIDS[name]
    found = ground_scale(Georeference(crs, transform), 192, 160)
    sample, line, north = slow_scale(crs, transform, 192, 160)
    assert found.sample_metres == pytest.approx(sample, rel=1e-6)
    assert found.line_metres == pytest.approx(line, rel=1e-6)
    np.testing.assert_allclose(found.north, north, atol=2e-4)
    assert found.true_north


def test_degrees_have_the_lengths_that_geodesics_give_them():
    geod = pytest.importorskip("pyproj").Geod(ellps="WGS84")
    for latitude in (-80, -12.5, 0, 45, 52.4, 89):
        east, north = degree_metres(latitude)
        # A short way, as degrees change along it.
        assert 1e3 * geod.inv(10, latitude, 10.001, latitude)[2] == pytest.approx(east, rel=1e-6)
        way = geod.inv(10, latitude - 5e-4, 10, latitude + 5e-4)[2]
        assert 1e3 * way == pytest.approx(north, rel=1e-6)


def test_without_rasterio_utm_has_the_sizes_of_its_grid(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rasterio.crs", None)
    crs, transform = GRIDS["UTM, turned"]
    found = ground_scale(Georeference(crs, transform), 192, 160)
    assert (found.sample_metres, found.line_metres) == (pytest.approx(30), pytest.approx(30))
    # North of the grid is 30 degrees to the right of the lines' way up.
    np.testing.assert_allclose(found.north, (math.sin(TURN), -math.cos(TURN)), atol=1e-12)
    assert not found.true_north
    assert ground_scale(Georeference("EPSG:3035", transform), 9, 9).sample_metres is None


def test_where_nothing_is_known_nothing_is_said():
    assert ground_scale(None, 5, 5) is None
    assert ground_scale(Georeference(None, (1, 0, 0, 0, -1, 0)), 5, 5) is None
    unknown = ground_scale(Georeference(None, (30, 0, 1e5, 0, -30, 2e5)), 5, 5)
    assert (unknown.sample_metres, unknown.north, unknown.unit) == (None, None, "")


def test_a_pixel_that_is_not_square_on_the_ground_is_drawn_as_it_is():
    crs, transform = GRIDS["degrees"]
    ground = ground_scale(Georeference(crs, transform), 100, 200)
    frame = MapFrame(100, 200, transform, "degree", ground.sample_metres, ground.line_metres)
    east, north = degree_metres(52.4 - 50 * 3e-4)
    assert frame.height_share == pytest.approx(0.5 * north / east, rel=1e-6)
    assert MapFrame(100, 200).height_share == 0.5


@pytest.mark.parametrize(("longest", "expected"), [
    (1, 1), (1.99, 1), (2, 2), (4.99, 2), (5, 5), (9.99, 5), (10, 10), (1919, 1000), (2000, 2000),
    (0.3, 0.2), (0.05, 0.05), (123456, 100000),
])  # fmt: skip
def test_the_bar_is_the_longest_round_length_that_fits(longest, expected):
    assert bar_metres(longest) == pytest.approx(expected)
    slow = max(
        lead * 10.0**power for power in range(-6, 9) for lead in (1, 2, 5)
        if lead * 10.0**power <= longest * (1 + 1e-9)
    )  # fmt: skip
    assert bar_metres(longest) == pytest.approx(slow)


def test_lengths_are_written_in_their_unit():
    written = [metres_text(m) for m in (0.2, 5, 500, 1000, 20000)]
    assert written == ["20 cm", "5 m", "500 m", "1 km", "20 km"]


def test_round_values_are_few_round_and_inside():
    rng = np.random.default_rng(0)
    for _ in range(300):
        low = rng.uniform(-1e4, 1e4)
        high = low + 10 ** rng.uniform(-3, 5)
        most = int(rng.integers(2, 7))
        values = round_values(low, high, most)
        assert len(values) <= most
        assert all(low - 1e-6 <= value <= high + 1e-6 for value in values)
        if len(values) > 1:
            step = values[1] - values[0]
            lead = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
            assert min(abs(lead - one) for one in (1, 2, 5)) < 1e-6
            np.testing.assert_allclose(np.diff(values), step, rtol=1e-6)


def test_coordinates_are_where_the_grid_has_them():
    _, transform = GRIDS["UTM"]
    frame = MapFrame(192, 160, transform, "m")
    lower, left = lower_ticks(frame, 5), left_ticks(frame, 5)
    assert (lower.title, left.title) == ("easting, km", "northing, km")
    assert lower.labels == ["365", "366", "367", "368"]
    np.testing.assert_allclose(
        lower.places, [(365000 - 364095) / 30 + k * 1000 / 30 for k in range(4)]
    )
    assert left.labels == ["5805", "5806", "5807", "5808", "5809"]
    np.testing.assert_allclose(left.places[-1], (5809965 - 5809000) / 30)


def test_coordinates_of_small_scenes_are_in_metres_and_of_degrees_with_their_side():
    frame = MapFrame(40, 40, (1, 0, 500003, 0, -1, 5800017), "m")
    assert lower_ticks(frame, 4).title == "easting, m"
    assert lower_ticks(frame, 4).labels == ["500010", "500020", "500030", "500040"]
    frame = MapFrame(100, 100, GRIDS["degrees, southern"][1], "degree")
    assert lower_ticks(frame, 3).labels == ["70.00°W", "69.95°W", "69.90°W"]
    assert left_ticks(frame, 3).labels == ["33.2°S", "33.1°S", "33.0°S"]
    assert lower_ticks(MapFrame(9, 9, (1, 0, -2, 0, -1, 3), "degree"), 3).labels[0] == "0°"


def test_coordinates_below_zero_have_a_minus():
    frame = MapFrame(100, 100, GRIDS["polar"][1], "m")
    assert left_ticks(frame, 3).labels == [
        "\N{MINUS SIGN}1510",
        "\N{MINUS SIGN}1505",
        "\N{MINUS SIGN}1500",
    ]


def test_a_grid_on_its_side_has_northings_below():
    frame = MapFrame(100, 100, (0, 30, 400000, 30, 0, 5800000), "m")
    assert lower_ticks(frame, 4).title == "northing, km"
    assert left_ticks(frame, 4).title == "easting, km"


def test_without_coordinates_pixels_are_counted_at_their_middles():
    lower = lower_ticks(MapFrame(145, 145), 5)
    assert lower.title == "sample"
    assert lower.labels == ["0", "50", "100"]
    assert lower.places == [0.5, 50.5, 100.5]
