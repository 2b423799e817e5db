"""A denoised JPEG differs from the file by no more than its steps allow."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import fft
from skimage import data as samples

import hsi_suite as hsi
from hsi_suite.restoration.colour import LUMA
from hsi_suite.restoration.jpeg_steps import hold_to_steps
from hsi_suite.restoration.jpeg_traces import JpegTraces, luma_steps
from hsi_suite.tasks.denoising.photographs.network_choice import Networks

SHARE = 1.0


def luma(values):
    values = values.astype(np.float64)
    return values if values.ndim == 2 else values @ np.array(LUMA)


def block_by_block(image, clean, jpeg):
    """The slow twin: each block by itself, on the scale 0 to 255."""
    change, most = luma(clean) - luma(image), SHARE * luma_steps(jpeg.quality)
    back = np.zeros_like(change)
    for line in range(jpeg.corner[0] - 8, len(change), 8):
        for sample in range(jpeg.corner[1] - 8, change.shape[1], 8):
            rows = [row for row in range(line, line + 8) if 0 <= row < len(change)]
            columns = [c for c in range(sample, sample + 8) if 0 <= c < change.shape[1]]
            if not rows or not columns:
                continue
            block = np.zeros((8, 8))
            inside = np.ix_([row - line for row in rows], [c - sample for c in columns])
            block[inside] = change[np.ix_(rows, columns)]
            spread = fft.dctn(block, norm="ortho")
            beyond = fft.idctn(spread - spread.clip(-most, most), norm="ortho")
            back[np.ix_(rows, columns)] = beyond[inside]
    return clean - (back if clean.ndim == 2 else back[..., None])


@pytest.mark.parametrize("corner", [(0, 0), (3, 0), (0, 5), (7, 1)])
@pytest.mark.parametrize("shape", [(40, 48), (37, 45, 3), (300, 20), (8, 8, 3), (5, 3)])
def test_it_is_the_slow_twins(corner, shape):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, shape).astype(np.float32)
    clean = image + rng.normal(0, 30, shape).astype(np.float32)
    jpeg = JpegTraces(60, corner)
    wanted = block_by_block(image, clean, jpeg)
    hold_to_steps(image, clean, jpeg, 255.0)
    np.testing.assert_allclose(clean, wanted, atol=1e-3)


@pytest.mark.parametrize(("dtype", "white"), [("u1", 255.0), ("u2", 65_535.0), ("f4", 1.0)])
def test_scale_and_type_do_not_matter(dtype, white):
    rng = np.random.default_rng(0)
    shares = rng.random((2, 40, 48, 3)) * [[[[0.5]]], [[[1]]]]
    image, clean = (shares * white).astype(dtype)
    plain = [each.astype(np.float32) * np.float32(255 / white) for each in (image, clean)]
    jpeg = JpegTraces(80, (0, 0))
    hold_to_steps(image, clean, jpeg, white)
    hold_to_steps(*plain, jpeg, 255.0)
    assert clean.dtype == dtype
    found = clean.astype(np.float64) * (255 / white)
    limits = (0, 255) if dtype != "f4" else (-np.inf, np.inf)
    np.testing.assert_allclose(found, plain[1].clip(*limits), atol=0.51 if dtype == "u1" else 0.01)


def test_what_is_within_the_steps_stays():
    rng = np.random.default_rng(0)
    image = rng.integers(50, 200, (64, 64, 3)).astype(np.uint8)
    clean = image + rng.integers(-1, 2, image.shape).astype(np.uint8)
    before = clean.copy()
    hold_to_steps(image, clean, JpegTraces(10, (0, 0)), 255.0)
    assert np.array_equal(clean, before)


def through_jpeg(image, quality):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_texture_of_a_fine_jpeg_is_kept():
    texture = np.rint(samples.astronaut().reshape(256, 2, 256, 2, 3).mean((1, 3))).astype("u1")
    file = through_jpeg(texture, 80)
    choice = Networks(None, "auto", torch.device("cpu")).choose(file, 255.0, quality=80)
    assert choice.jpeg == JpegTraces(80, (0, 0))
    said = Networks(None, "jpeg", torch.device("cpu")).choose(file, 255.0, quality=80)
    assert said.jpeg is None
    held = hsi.denoise(file)
    errors = [np.mean((each.astype(float) - texture) ** 2) for each in (file, held)]
    assert errors[1] < errors[0]
    change = (luma(held) - luma(file)).reshape(32, 8, 32, 8).swapaxes(1, 2)
    spread = np.abs(fft.dctn(change, axes=(2, 3), norm="ortho"))
    # Rounding to whole levels, and the ends of the range, add a little.
    assert (spread <= SHARE * luma_steps(80) + 4).all()
