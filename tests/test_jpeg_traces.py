import io

import numpy as np
import pytest
from PIL import Image
from scipy import fft
from skimage import data as samples

from hsi_suite.restoration import jpeg_traces
from hsi_suite.restoration.jpeg_traces import (
    JpegTraces,
    filled_blocks,
    find_jpeg,
    luma_steps,
    quality_of_table,
)


def through_jpeg(values, quality):
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


@pytest.mark.parametrize("quality", [10, 50, 75, 90])
def test_the_tables_are_those_of_libjpeg(quality):
    picture = through_jpeg(samples.camera(), quality)
    table = picture.quantization[0]
    assert sorted(table) == sorted(luma_steps(quality).ravel().astype(int))
    assert quality_of_table(table) == quality


@pytest.mark.parametrize("quality", [5, 10, 30, 49, 50, 75, 88])
@pytest.mark.parametrize("corner", [(0, 0), (3, 5), (7, 1)])
def test_quality_and_grid_are_found_wherever_it_was_cut(quality, corner):
    pixels = np.asarray(through_jpeg(samples.camera(), quality), np.float32)
    found = find_jpeg(pixels[corner[0] : 300, corner[1] : 400])
    assert found is not None
    assert abs(found.quality - quality) <= 1
    assert found.corner == ((-corner[0]) % 8, (-corner[1]) % 8)


def test_of_a_large_picture_the_middle_is_looked_at():
    tiled = np.tile(samples.camera(), (2, 2))
    pixels = np.asarray(through_jpeg(tiled, 40), np.float32)[5:, 2:]
    assert find_jpeg(pixels) == JpegTraces(40, (3, 6))


def test_colour_jpeg_is_found_in_luma():
    picture = through_jpeg(samples.astronaut(), 60)
    luma = np.asarray(picture, np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    found = find_jpeg(luma)
    assert found is not None and abs(found.quality - 60) <= 1


def drawn():
    """Grey areas and lines, as on a screen."""
    picture = np.full((256, 256), 43)
    picture[:30], picture[60:200, 10:200], picture[80:200:14, 20:190] = 112, 255, 90
    return picture


@pytest.mark.parametrize(
    "values",
    [
        samples.camera(),
        samples.camera()[:9, :9],
        np.full((64, 64), 128),
        np.random.default_rng(0).normal(128, 30, (128, 128)).clip(0, 255).round(),
        samples.camera() * 0.5 + 20.3,
        np.zeros((256, 256)),
        drawn(),
        np.tile(np.arange(256), (256, 1)),
    ],
    ids=["photograph", "tiny", "flat", "noise", "scaled", "black", "drawn", "gradient"],
)
def test_nothing_is_found_where_there_was_none(values):
    assert find_jpeg(np.asarray(values, np.float32)) is None


@pytest.mark.parametrize("quality", [10, 50, 75, 90])
def test_counting_is_that_of_every_coefficient(quality):
    """The slow twin: all coefficients of all blocks, each against its own step, in float64."""
    luma = np.asarray(through_jpeg(samples.camera(), 60), np.float32)
    blocks = luma.reshape(64, 8, 64, 8).swapaxes(1, 2).reshape(-1, 64).astype(np.float64) - 128
    found = fft.dctn(np.unique(blocks, axis=0).reshape(-1, 8, 8), axes=(1, 2), norm="ortho")
    steps = np.broadcast_to(luma_steps(quality), found.shape)
    shown = (np.abs(found) > steps / 2 + 0.5) & (steps > 3)
    step, value = steps[shown], found[shown]
    chance = np.minimum(2 / step, 1)
    surplus = (np.abs(value - step * np.round(value / step)) < 1) - chance
    expected = surplus.sum() / np.sqrt((chance * (1 - chance)).sum() + 1)
    values, places = jpeg_traces._large_coefficients(luma, (0, 0))
    # A few coefficients lie on a limit, and rounding decides.
    assert jpeg_traces._on_multiples(values, places, quality) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("corner", [(0, 0), (3, 6)])
@pytest.mark.parametrize("first", [20, 60])
def test_the_coarser_of_two_jpegs_is_found(first, corner):
    once = np.asarray(through_jpeg(samples.camera(), first))[corner[0] :, corner[1] :]
    twice = np.asarray(through_jpeg(once, 95), np.float32)
    found = find_jpeg(twice)
    assert found is not None and abs(found.quality - first) <= 1


def test_noise_leaves_few_blocks_of_a_jpeg_empty():
    smooth = np.add.outer(np.arange(128), np.arange(128)) / 2.0 + 40
    noisy = smooth + np.random.default_rng(0).normal(0, 8, smooth.shape)
    pixels = [
        np.asarray(through_jpeg(np.rint(each).astype(np.uint8), 75), np.float32)
        for each in (smooth, noisy)
    ]
    quiet, filled = (filled_blocks(each, JpegTraces(75, (0, 0))) for each in pixels)
    assert len(quiet) == 9 and quiet[1:3] == (0, 0)
    assert all(more > less for more, less in zip(filled, quiet, strict=True))
