"""Filters of finished maps."""

import numpy as np
import pytest
from scipy import ndimage

from hsi_suite.data import map_filters
from hsi_suite.data.map_filters import count_small, majority, map_filter, without_small
from hsi_suite.data.scene import Georeference
from hsi_suite.errors import ConfigError

METRES = Georeference("EPSG:32633", (30.0, 0, 0, 0, -30.0, 0))


def patches(seed, lines=37, samples=29, classes=4, dtype=np.uint8):
    """Patches with noise, and pixels without data."""
    generator = np.random.default_rng(seed)
    labels = np.kron(generator.integers(1, classes + 1, (8, 6)), np.ones((5, 5), int))
    labels = labels[:lines, :samples].astype(dtype)
    noisy = generator.random(labels.shape) < 0.2
    labels[noisy] = generator.integers(0, classes + 1, noisy.sum())
    return labels


def slow_majority(labels, size):
    radius, result = size // 2, labels.copy()
    for line, sample in zip(*np.nonzero(labels), strict=True):
        top, left = max(0, line - radius), max(0, sample - radius)
        around = labels[top : line + radius + 1, left : sample + radius + 1]
        values, votes = np.unique(around[around > 0], return_counts=True)
        best = values[votes == votes.max()]
        own = labels[line, sample]
        result[line, sample] = own if own in best else best[0]
    return result


def small_regions(labels, pixels):
    """How many regions are below a size."""
    found = 0
    for label in np.unique(labels[labels > 0]):
        regions, _ = ndimage.label(labels == label)
        found += int((np.bincount(regions.ravel())[1:] < pixels).sum())
    return found


@pytest.mark.parametrize("size", [3, 5, 9, 99])
@pytest.mark.parametrize("block", [1, 4, 256])
def test_majority_is_the_slow_one(monkeypatch, size, block):
    monkeypatch.setattr(map_filters, "_LINES", block)
    for seed in range(2):
        labels = patches(seed, dtype=(np.uint8, np.uint16)[seed])
        found = majority(labels, size)
        assert found.dtype == labels.dtype
        np.testing.assert_array_equal(found, slow_majority(labels, size))


def test_majority_decides_ties():
    # A pixel keeps its own class among the most frequent; else the lowest number wins.
    np.testing.assert_array_equal(majority(np.array([[2, 1]]), 3), [[2, 1]])
    np.testing.assert_array_equal(majority(np.array([[3, 3, 5, 2, 2]]), 5)[0, 2], 2)
    np.testing.assert_array_equal(majority(np.array([[0, 1, 0]]), 3), [[0, 1, 0]])


@pytest.mark.parametrize("pixels", [2, 5, 12])
def test_no_small_region_is_left_but_where_nothing_borders_it(pixels):
    pytest.importorskip("rasterio")
    for seed in range(3):
        labels = patches(seed, dtype=(np.uint8, np.uint16)[seed % 2])
        labels[5, :8] = 0
        labels[:6, 8] = 0
        filtered = without_small(labels, pixels)
        assert filtered.dtype == labels.dtype
        np.testing.assert_array_equal(filtered == 0, labels == 0)
        # Parts of the map that are smaller themselves stay small.
        parts, _ = ndimage.label(labels > 0)
        islands = np.isin(parts, np.flatnonzero(np.bincount(parts.ravel()) < pixels))
        assert small_regions(np.where(islands, 0, filtered), pixels) == 0
        large, _ = ndimage.label(labels == 1)
        for region in np.flatnonzero(np.bincount(large.ravel())[1:] >= pixels) + 1:
            assert (filtered[large == region] == 1).all()
        np.testing.assert_array_equal(without_small(filtered, pixels), filtered)
        for each in (labels, filtered):
            assert count_small(each, pixels) == small_regions(each, pixels)
    noise = np.random.default_rng(0).integers(1, 5, (60, 60)).astype(np.uint8)
    assert small_regions(without_small(noise, pixels), pixels) == 0


def test_regions_share_edges_not_corners():
    pytest.importorskip("rasterio")
    labels = np.ones((6, 6), np.uint8)
    labels[2, 2] = labels[3, 3] = 2
    assert (without_small(labels, 2) == 1).all()
    labels[2, 3] = 2
    np.testing.assert_array_equal(without_small(labels, 3), labels)


def test_the_majority_comes_first():
    pytest.importorskip("rasterio")
    labels = patches(0)
    both = map_filter(3, 6, None, 37)
    np.testing.assert_array_equal(both.apply(labels), without_small(majority(labels, 3), 6))
    assert str(both) == "majority of 3 × 3 pixels and then regions of at least 6 pixels"
    assert not map_filter(None, None, None, 37) and both


@pytest.mark.parametrize(
    "given, pixels",
    [
        (4, 4), (4.0, 4), ("12", 12), ("12px", 12), (" 12 PX", 12), ("2.5px", 3), ("0.2px", 1),
        ("3600m2", 4), ("3601m²", 5), ("900 m2", 1), ("1ha", 12), ("0.09ha", 1), (2.5, 3),
    ],
)  # fmt: skip
def test_smallest_areas(given, pixels):
    assert map_filter(None, given, METRES, 10).min_area == pixels


@pytest.mark.parametrize("given", ["", "0", "-3px", "3 acres", "px", "1e3", "nan", "0ha", 0.0, -1])
def test_what_is_no_area(given):
    with pytest.raises(ConfigError, match=r"--min-area: .*expected pixels such as 12px"):
        map_filter(None, given, METRES, 10)


def test_what_cannot_be_filtered():
    for place in (None, Georeference(None, METRES.transform)):
        with pytest.raises(ConfigError, match=r"unknown pixel size.*Give it in px"):
            map_filter(None, "3600m2", place, 10)
    for size in (1, 2, 4, -3):
        with pytest.raises(ConfigError, match=r"--majority: .*an odd number"):
            map_filter(size, None, None, 10)
    # Degrees have areas too: those of the mean line.
    degrees = Georeference("EPSG:4326", (0.001, 0, 13.0, 0, -0.001, 52.0))
    assert map_filter(None, "1ha", degrees, 10).min_area == 2


@pytest.mark.parametrize("pixels", [11, 12, 13, 10**9])
def test_a_smallest_area_that_no_region_has_leaves_the_map(pixels: int) -> None:
    labels = np.repeat(np.array([[1, 2]], np.uint8), 3, axis=0).repeat(2, axis=1)

    assert (without_small(labels, pixels) == labels).all()
