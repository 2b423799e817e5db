"""Where blocks of JPEG begin: by edges, and by multiples of steps."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import fft
from skimage import data as samples

from hsi_suite.restoration import jpeg_grids
from hsi_suite.restoration.jpeg_grids import edge_corner, likely_corners
from hsi_suite.restoration.jpeg_traces import find_jpeg


def through_jpeg(values, quality):
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def twice(first, crop, second):
    cut = through_jpeg(samples.camera()[128:384, 128:384], first)[crop[0] :, crop[1] :]
    return np.asarray(through_jpeg(np.ascontiguousarray(cut), second), np.float32)


@pytest.mark.parametrize(("down", "across"), [(0, 1), (2, 2), (3, 0)])
def test_counting_is_that_of_the_blocks_of_every_corner(down, across):
    """The slow twin: whole blocks from each corner, transformed; some lie on a limit of two."""
    luma = np.asarray(through_jpeg(samples.camera()[:61, :83], 60), np.float32)
    counts = jpeg_grids._histograms(jpeg_grids._sliding(luma, down, across))
    for number in range(64):
        cut = luma[number // 8 :, number % 8 :]
        lines, columns = (size // 8 for size in cut.shape)
        blocks = cut[: lines * 8, : columns * 8].reshape(lines, 8, columns, 8).swapaxes(1, 2)
        spread = fft.dctn(blocks.astype(np.float64), axes=(2, 3), norm="ortho")
        levels = np.rint(np.abs(spread[..., down, across]) / 0.5).clip(max=511).astype(int)
        expected = np.bincount(levels.ravel(), minlength=512)
        assert counts[number].sum() == expected.sum() == lines * columns
        assert np.abs(counts[number] - expected).sum() <= 2


@pytest.mark.parametrize("crop", [(3, 5), (4, 4), (0, 3)])
@pytest.mark.parametrize(("first", "second"), [(60, 90), (75, 95), (85, 95), (90, 98)])
def test_the_coarser_of_two_is_found_with_its_blocks(first, second, crop):
    found = find_jpeg(twice(first, crop, second))
    assert found is not None and abs(found.quality - first) <= 1
    assert found.corner == tuple(-each % 8 for each in crop)


@pytest.mark.parametrize("crop", [(0, 0), (3, 5)])
@pytest.mark.parametrize("quality", [75, 80, 90, 95])
def test_a_jpeg_alone_is_not_taken_for_a_coarser_one(quality, crop):
    pixels = through_jpeg(samples.camera()[100:360, 90:350], quality)[crop[0] :, crop[1] :]
    found = find_jpeg(np.asarray(pixels, np.float32))
    assert found is None or abs(found.quality - quality) <= 1
    assert found is not None or quality == 95


def test_the_edges_of_coarse_blocks_come_first():
    pixels = np.asarray(through_jpeg(samples.camera(), 8)[3:, 5:], np.float32)
    corners = likely_corners(pixels)
    assert corners[0] == edge_corner(pixels) == (5, 3)
    assert len(set(corners)) == len(corners) <= 3


@pytest.mark.parametrize("values", [np.zeros((16, 16)), np.full((40, 17), 255.0)])
def test_what_shows_nothing_has_corners_all_the_same(values):
    corners = likely_corners(values.astype(np.float32))
    assert all(0 <= place < 8 for corner in corners for place in corner)
