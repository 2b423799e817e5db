"""Print and drawings are told from noise, and photographs are none, burnt out or dark."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from skimage import data as samples

from hsi_suite.data.photographs import read_photograph
from hsi_suite.restoration.drawn_signs import (
    has_two_tones,
    hides_noise,
    is_drawn,
    is_mended,
    is_print,
)
from hsi_suite.restoration.jpeg_traces import find_jpeg
from hsi_suite.restoration.noise_kind import find_noise
from hsi_suite.tasks.denoising.photographs.network_choice import weights_for

PHOTOGRAPH = np.rint(samples.astronaut().reshape(256, 2, 256, 2, 3).mean((1, 3)))


def page(size=12, ink=(0, 0, 0), paper=(255, 255, 255)):
    sheet = Image.new("RGB", (320, 256), paper)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size)
    words = "the quick brown fox jumps over the lazy dogs, sphinx of black quartz"
    for line in range(4, 250, size + 4):
        pen.text((4 - line % 7, line), words, fill=ink, font=font)
    return sheet


def dithered():
    return Image.fromarray(samples.camera()[:256, :256]).convert("1").convert("RGB")


def smaller(image, share=0.7):
    size = [round(side * share) for side in image.size]
    return image.resize(size, Image.Resampling.LANCZOS)


def levels(image):
    return np.asarray(image, np.float32)


def through_jpeg(image, quality):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


PRINT = {
    "page": page,
    "smaller page": lambda: smaller(page()),
    "white on black": lambda: page(12, (255, 255, 255), (0, 0, 0)),
    "dither": dithered,
}


@pytest.mark.parametrize("name", PRINT)
def test_print_is_never_noise_and_left_as_it_is(name):
    drawn = PRINT[name]()
    assert is_print(levels(drawn))
    assert weights_for(find_noise(levels(drawn))) is None
    for quality in (85, 90) if "smaller" not in name else ():
        found = find_noise(levels(through_jpeg(drawn, quality)), quality)
        assert found.drawn and not found.mended and weights_for(found) is None
        assert found.words == (
            f"text or a drawing rather than a photograph behind JPEG of quality {quality}"
        )


def hard(image):
    """Without anything between black and white, as a fax has it."""
    return image.convert("L").point(lambda value: 255 * (value > 127))


def sent(image, quality):
    found = find_noise(levels(through_jpeg(image, quality)), quality)
    assert found.drawn
    return weights_for(found)


@pytest.mark.parametrize(
    ("kind", "finest"),
    [(page, 80), (lambda: page(12, (255, 255, 255), (0, 0, 0)), 80), (lambda: hard(page()), 60)],
    ids=["page", "white on black", "hard"],
)
def test_text_behind_jpeg_is_mended_as_far_as_it_gains(kind, finest):
    drawn = kind()
    for quality in (30, 50, 60, 75, 80, 85):
        if is_print(levels(through_jpeg(drawn, quality))):
            wanted = "jpeg_denoiser" if quality <= finest else None
            assert sent(drawn, quality) == wanted, quality
    assert is_print(levels(through_jpeg(drawn, 60))) and is_print(levels(through_jpeg(drawn, 75)))


def test_dithers_are_left_alone_on_a_part_of_a_page_too():
    sheet = page(20)
    sheet.paste(dithered().crop((0, 0, 128, 100)), (20, 100))
    for drawn in (dithered(), sheet):
        for quality in (50, 75):
            assert sent(drawn, quality) is None


def test_mazes_and_what_jpeg_has_not_touched_are_left_alone():
    cells = np.random.default_rng(0).random((32, 32)) < 0.5
    slanted = np.where(cells.repeat(8, 0).repeat(8, 1), np.tile(np.eye(8), (32, 32)), 0)
    slanted += np.where(~cells.repeat(8, 0).repeat(8, 1), np.tile(np.eye(8)[::-1], (32, 32)), 0)
    maze = np.where(ndimage.maximum_filter(slanted, 2) > 0, 0, 255).astype(np.float32)
    assert not is_mended(maze + 0.5, 50)
    code = 255 * cells.repeat(8, 0).repeat(8, 1).astype(np.float32)
    assert is_print(code) and not is_mended(code, 50)
    ringing = np.where(code == 0, np.float32(6), code)
    ringing[:, :16] = code[:, :16]
    ringing[:64] = code[:64]
    assert is_mended(ringing, 50) and not is_mended(ringing, 75)
    bars = ringing[100:101].repeat(256, 0)
    bars[:100] = code[100]
    assert not is_mended(bars, 50) and not is_mended(bars.T, 50)
    bars[128:] = ringing[128:]
    assert is_mended(bars, 50)


def test_small_text_passed_for_white_noise():
    found = find_noise(levels(smaller(page(10).convert("L"))))
    # What the trees and the finest detail say is not believed.
    assert found.chance == 1 and found.drawn and found.kind == "clean"
    assert found.words == "text or a drawing rather than a photograph"


@pytest.mark.parametrize("sigma", [0, 10, 25, 60])
@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize(
    "tone",
    [lambda v: v, lambda v: 2 * v, lambda v: v / 2 - 20, lambda v: (v - 150) / 2],
    ids=["as it is", "burnt out", "dark", "night"],
)
def test_photographs_are_no_print(tone, coarse, sigma):
    noise = np.random.default_rng(0).standard_normal(PHOTOGRAPH.shape)
    if coarse:
        noise = ndimage.gaussian_filter(noise, (1, 1, 0))
    values = np.rint((tone(PHOTOGRAPH) + sigma * noise / noise.std()).clip(0, 255))
    assert not is_print(values.astype(np.float32))
    if sigma:
        assert not is_drawn(values.astype(np.float32))


def test_a_noisy_page_is_no_print_but_noise():
    noisy = levels(page()) + np.random.default_rng(0).normal(0, 15, (256, 320, 1))
    noisy = np.rint(noisy.clip(0, 255)).astype(np.float32)
    assert not is_print(noisy)
    assert find_noise(noisy).kind == "gaussian"


def test_flat_squares_and_few_values_are_drawn():
    rng = np.random.default_rng(0)
    squares = rng.integers(20, 230, (64, 80, 3)).repeat(3, 0).repeat(3, 1).astype(np.float32)
    few = rng.choice([40, 90, 200], (200, 200)).astype(np.float32)
    assert is_drawn(squares) and is_drawn(few)
    # Squares of three pixels are as fine as noise.
    assert find_noise(squares).drawn


def in_two_greys(plane):
    return Image.fromarray(np.where(plane > 0, 200, 60).astype(np.uint8))


TWO_TONES = {
    "dither": lambda: in_two_greys(levels(dithered())[..., 0]),
    "single pixels": lambda: in_two_greys(np.indices((96, 96)).sum(0) % 2),
    "squares of 4": lambda: in_two_greys((np.indices((96, 96)) // 4).sum(0) % 2),
    "stripes": lambda: in_two_greys(np.indices((96, 96))[1] % 3 == 0),
}


@pytest.mark.parametrize("name", TWO_TONES)
@pytest.mark.parametrize("quality", [75, 90])
def test_two_tones_in_every_place_are_no_noise(name, quality):
    """Dithers and squares in greys passed for white noise, and lost 12 to 28 dB."""
    pattern = through_jpeg(TWO_TONES[name](), quality)
    assert has_two_tones(levels(pattern))
    found = find_noise(levels(pattern), quality)
    assert weights_for(found) is None


@pytest.mark.parametrize("sigma", [0, 5, 25, 60])
def test_noise_is_not_of_two_tones(sigma):
    noise = np.random.default_rng(0).normal(0, sigma, PHOTOGRAPH.shape)
    for picture in (PHOTOGRAPH + noise, (PHOTOGRAPH + noise)[..., 0], 0.3 * PHOTOGRAPH + noise):
        assert not has_two_tones(np.rint(picture).clip(0, 255).astype(np.float32))
    # A dither with as much noise is to be denoised.
    noisy = levels(TWO_TONES["dither"]()) + np.random.default_rng(0).normal(0, 25, (256, 256))
    assert not has_two_tones(noisy.astype(np.float32))
    assert not has_two_tones(np.full((40, 40), 128, np.float32))


def test_text_in_greys_has_blank_places():
    assert not has_two_tones(levels(page(ink=(60, 60, 60), paper=(200, 200, 200))))


def test_noise_is_not_looked_for_where_edges_are_everywhere():
    rng = np.random.default_rng(5)
    squares = rng.integers(0, 256, (64, 80)).repeat(3, 0).repeat(3, 1).astype(np.uint8)
    values = levels(through_jpeg(Image.fromarray(squares), 80))
    assert hides_noise(values) and find_noise(values, 80).kind == "jpeg"
    noisy = PHOTOGRAPH + 8 * np.random.default_rng(0).standard_normal(PHOTOGRAPH.shape)
    assert not hides_noise(noisy.astype(np.float32))


def test_colours_that_differ_in_one_channel_alone_are_many():
    many = np.zeros((40, 40, 3), np.float32)
    many[..., 1] = np.arange(40)
    assert not is_drawn(many[..., 1]) or np.unique(many[..., 1]).size <= 16
    few = np.zeros((40, 40, 3), np.float32)
    few[..., 2] = np.arange(40) % 16
    assert is_drawn(few)
    few[0, 0, 0] = 7
    assert not is_drawn(few)


def test_a_slope_and_squares_on_the_grid_are_no_jpeg():
    lines, samples_ = np.mgrid[:320, :400]
    slope = np.stack([samples_ * 255 / 400, lines * 255 / 320], 2).sum(2) / 2
    assert find_jpeg(np.rint(slope).astype(np.float32)) is None
    colour = np.stack([samples_ * 255 / 400, lines * 255 / 320, (samples_ + lines) * 255 / 720], 2)
    found = find_noise(np.rint(colour).astype(np.float32))
    assert found.kind == "clean" and found.signs.jpeg is None
    squares = np.random.default_rng(5).integers(0, 255, (40, 48)).repeat(8, 0).repeat(8, 1)
    fine = through_jpeg(Image.fromarray(squares.astype(np.uint8)), 95)
    assert find_jpeg(levels(fine)) is None
    assert find_jpeg(levels(through_jpeg(Image.fromarray(PHOTOGRAPH.astype("u1")), 30)) @ (
        np.float32([0.299, 0.587, 0.114])
    )).quality == 30  # fmt: skip


def test_doubt_is_said():
    """Between hardly any noise and noise that is denoised lies what may be noise."""
    from dataclasses import replace

    found = find_noise(PHOTOGRAPH.astype(np.float32))
    assert found.words == "hardly any noise"
    assert replace(found, chance=0.6).words == "noise not told from texture"


@pytest.mark.parametrize("name", PRINT)
@pytest.mark.parametrize("quality", [50, 75])
def test_print_behind_webp_is_left_as_it_is(tmp_path, name, quality):
    PRINT[name]().save(tmp_path / "a.webp", quality=quality)
    photograph = read_photograph(tmp_path / "a.webp")
    assert photograph.coding.coarse
    found = find_noise(levels(photograph.values), coding=photograph.coding)
    assert weights_for(found) is None


def test_a_photograph_behind_webp_is_no_drawing(tmp_path):
    for picture in (PHOTOGRAPH, PHOTOGRAPH // 4, np.minimum(PHOTOGRAPH * 2, 255)):
        Image.fromarray(picture.astype(np.uint8)).save(tmp_path / "a.webp", quality=50)
        photograph = read_photograph(tmp_path / "a.webp")
        found = find_noise(levels(photograph.values), coding=photograph.coding)
        assert found.kind == "lossy" and not found.drawn
