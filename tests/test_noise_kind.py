import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, features
from scipy import ndimage
from skimage import data as samples

import hsi_suite.restoration.noise_kind as noise_kind
from hsi_suite.data.photographs import read_photograph
from hsi_suite.errors import ShapeError
from hsi_suite.restoration.jpeg_traces import JpegTraces
from hsi_suite.restoration.lossy_coding import LossyCoding
from hsi_suite.restoration.noise_kind import find_noise, is_texture, is_white, signs_of
from hsi_suite.restoration.noise_signs import NoiseSigns, noise_signs
from hsi_suite.restoration.patch_detail import FLAT_SPREAD, PLACES, measure


def levels(values):
    return np.rint(values).clip(0, 255).astype(np.float32)


def with_white(image, sigma, seed=0):
    rng = np.random.default_rng(seed)
    return levels(image + rng.normal(0, sigma, image.shape))


def with_coarse(image, sigma):
    """Noise that is alike over some pixels, and in the three colours, as a camera leaves it."""
    noise = np.random.default_rng(0).normal(size=image.shape[:2])
    noise = ndimage.gaussian_filter(noise, 1.0)
    noise *= sigma / noise.std()
    return levels(image + (noise[..., None] if image.ndim == 3 else noise))


def through_jpeg(image, quality):
    buffer = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), np.float32)


def halved():
    """Means of 2 × 2 pixels: the picture itself has some grain."""
    return np.rint(samples.astronaut().reshape(256, 2, 256, 2, 3).mean((1, 3))).astype(np.uint8)


PICTURES = {"colour": halved, "grey": samples.camera}


@pytest.mark.parametrize("picture", PICTURES)
def test_each_kind_is_told(picture):
    clean = PICTURES[picture]().astype(np.float32)
    assert find_noise(clean).kind == "clean"
    assert find_noise(with_coarse(clean, 8)).kind == "camera"
    for quality in (10, 40):
        found = find_noise(through_jpeg(clean, quality))
        assert found.kind == "jpeg" and f"quality {quality}" in found.words
    for sigma in (5, 15, 50):
        assert find_noise(with_white(clean, sigma)).kind == "gaussian"


@pytest.mark.parametrize(
    ("coding", "shown", "texture"),
    [
        (None, {}, True),
        # Noise: nearly constant in flat places, over soft edges, or as fine in colour everywhere.
        (None, {"flat": 0.5}, False),
        (None, {"flat_colour": 0.4}, False),
        (None, {"edges": 2.0}, False),
        (None, {"lively": -1.0}, False),
        # Where most of the picture is smooth, what shows there is noise.
        (None, {"coarse": 1.9}, False),
        # Noise of luma alone tells nothing by colour.
        (None, {"colour_middle": 1.0}, False),
        # Behind other coders colour is at half the size; behind JPEG texture is not told.
        (LossyCoding("WebP", 3, 127), {"lively": -1.0}, True),
        (LossyCoding("WebP", 3, 127), {"lively": -1.0, "edges": 2.0}, False),
        (LossyCoding("WebP", 3, 127), {"lively": 0.0, "edges": 2.0}, True),
    ],
)
def test_fine_texture_of_colour_is_no_noise(coding, shown, texture):
    """What the trees take for noise is looked at again; numbers of one measured texture."""
    values = {"flat": 0.7, "edges": 11.0, "lively": -0.75, "colour_middle": 5.0, "coarse": 2.9}
    values |= {"flat_colour": 0.7} | shown
    details = np.zeros(116)
    details[FLAT_SPREAD : FLAT_SPREAD + 2] = values["flat"], values["flat_colour"]
    details[PLACES["luma", "fine", 0.99]] = np.log(values["edges"])
    details[PLACES["luma", "coarse", 0.6]] = values["coarse"]
    details[PLACES["luma", "middle", 0.9]] = 2.3
    details[PLACES["colour", "fine", 0.6]] = -1.1
    details[PLACES["colour", "fine", 0.9]] = values["lively"]
    signs = NoiseSigns(3.0, 9.0, 1.0, values["colour_middle"], tuple(details), None)
    assert is_texture(signs, coding) == texture
    behind = replace(signs, jpeg=JpegTraces(80, (0, 0)))
    assert not is_texture(behind, coding)


def test_texture_that_the_trees_take_for_noise_is_left_in_colour(monkeypatch):
    monkeypatch.setattr(noise_kind, "_chance", lambda *_, **__: 1.0)
    monkeypatch.setattr(noise_kind, "is_texture", lambda *_: True)
    found = find_noise(halved().astype(np.float32))
    assert found.kind == "clean" and found.words == "noise not told from texture"
    assert find_noise(halved()[..., 1].astype(np.float32)).kind == "camera"


@pytest.mark.parametrize(("kind", "quality"), [("webp", 82), ("avif", 65)])
def test_fine_files_of_other_coders_have_trees_of_their_own(tmp_path, kind, quality):
    """They have lost the finest detail of noise, by which those of PNG go."""

    def chances(picture):
        path = tmp_path / f"a.{kind}"
        Image.fromarray(picture.astype(np.uint8)).save(path, quality=quality)
        photograph = read_photograph(path)
        assert photograph.coding is not None and not photograph.coding.coarse
        signs = signs_of(photograph.values.astype(np.float32), None)
        codings = (photograph.coding, None)
        return [noise_kind._chance(signs, coding, grey=False) for coding in codings]

    if not features.check(kind):
        pytest.skip(f"this Pillow does not write {kind}")
    own, others = chances(with_coarse(halved().astype(np.float32), 4))
    assert own > noise_kind._LIKELY_CODED and others < 0.5
    assert max(chances(halved())) < 0.1


def test_grey_and_jpeg_behind_other_coders_have_the_trees_they_had():
    coding = LossyCoding("AVIF", 51, 255)
    signs = signs_of(halved().astype(np.float32), None)
    expected = [*signs.numbers(), 0.2, 0.0, 1.0]
    assert noise_kind.fit_numbers(signs, coding, grey=False).tolist() == pytest.approx(expected)
    behind = replace(signs, jpeg=JpegTraces(80, (0, 0)), blocks=(0.5,) * 9)
    for each, grey, name in ((signs, True, "grey"), (behind, False, "colour_jpeg")):
        assert noise_kind.fit_name(each, coding, grey=grey) == name
        numbers = noise_kind.fit_numbers(each, coding, grey=grey)
        assert numbers.tolist() == each.numbers().tolist()


def test_a_file_may_say_its_quality():
    fine = through_jpeg(samples.astronaut(), 97)
    assert "quality" not in find_noise(fine).words
    assert "quality 97" in find_noise(fine, 97).words


def test_a_file_written_again_is_as_coarse_as_it_was():
    coarse = through_jpeg(halved(), 30)
    assert "quality 30" in find_noise(through_jpeg(coarse, 95), 95).words
    assert "quality 60" in find_noise(through_jpeg(through_jpeg(halved(), 95), 60), 60).words


def test_faults_of_fine_jpeg_are_not_named():
    assert find_noise(through_jpeg(halved(), 97), 97).kind == "clean"
    assert find_noise(through_jpeg(halved(), 85), 85).kind == "jpeg"


@pytest.mark.parametrize("picture", PICTURES)
def test_noise_that_is_hardly_seen_is_left_alone(picture):
    clean = PICTURES[picture]().astype(np.float32)
    assert find_noise(with_white(clean, 1)).kind == "clean"


def test_white_noise_that_texture_hides_in_grey_is_found():
    grass = samples.camera()[256:384, 320:448].astype(np.float32)
    noisy = with_white(grass, 3)
    assert not is_white(signs_of(noisy, None), grey=True)
    assert find_noise(grass).kind == "clean" and find_noise(noisy).kind == "gaussian"


def test_noise_of_one_colour_is_found():
    picture = halved().astype(np.float32)
    picture[..., 2] = with_white(picture[..., 2], 15)
    assert find_noise(picture).kind == "gaussian"


@pytest.mark.parametrize("change", [lambda v: v, lambda v: with_coarse(v, 6)])
def test_grey_in_three_channels_is_grey(change):
    grey = change(samples.camera().astype(np.float32))
    assert find_noise(np.repeat(grey[..., None], 3, 2)) == find_noise(grey)


def test_each_number_is_where_it_is_said_to_be():
    plane = with_white(samples.camera(), 9)[:160, :160]
    planes = [plane, plane.T.copy(), plane[::-1].copy()]
    detail = measure(planes, np.ones(plane.shape, bool))
    numbers = detail.numbers()

    def measured(energies):
        return pytest.approx(np.log(0.05 + np.sqrt(energies)), rel=1e-4)

    assert numbers[PLACES["luma", "fine", 0.99]] == measured(np.quantile(detail.luma[:, 0], 0.99))
    for share in (0.02, 0.6, 0.9):
        coarse, fine = (np.quantile(detail.colour[:, band], share) for band in (2, 0))
        assert numbers[PLACES["colour", "coarse", share]] == measured(coarse)
        assert numbers[PLACES["colour", "fine", share]] == measured(fine)
    for place, energies in enumerate((detail.luma, detail.colour)):
        low, high = np.quantile(energies[detail.flat(), 1], (0.1, 0.9))
        assert numbers[FLAT_SPREAD + place] == pytest.approx(np.log(high / low) / 2, rel=1e-3)


def test_signs_grow_with_the_noise():
    clean = samples.camera().astype(np.float32)
    weak, strong = (noise_signs(with_white(clean, sigma), None) for sigma in (3, 20))
    assert weak.fine < strong.fine and strong.luma_whiteness > 0.8
    assert weak.numbers().shape == strong.numbers().shape
    assert np.isfinite(strong.numbers()).all()


@pytest.mark.parametrize("bright", [False, True])
@pytest.mark.parametrize("colour", [False, True])
def test_floats_beyond_the_ends_count_and_cut_off_ones_do_not(bright, colour):
    def signs(image):
        return noise_signs(255 - image if bright else image, None)

    image = np.random.default_rng(0).uniform(100, 150, (64, 64, 3)).astype(np.float32)
    image = image if colour else image[..., 0]
    quiet = image[:32] / 100
    image[:32] = 20 + quiet
    expected = signs(image).numbers()
    image[:32] = quiet - 10
    # But for the step between both halves.
    assert signs(image).numbers() == pytest.approx(expected, abs=0.5)
    # Of 16 bits the largest value falls a little short.
    for end in (0.0, 0.0001) if bright else (0.0,):
        image[:32] = end
        assert signs(image).fine == pytest.approx(signs(image[32:]).fine, rel=0.1)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_is_clean(value):
    flat = np.full((64, 64, 3), value, np.float32)
    signs = noise_signs(flat, None)
    assert np.isfinite(signs.numbers()).all()
    assert find_noise(flat).kind in ("clean", "jpeg")


def test_too_small_a_picture_is_refused():
    with pytest.raises(ShapeError, match="16"):
        noise_signs(np.zeros((15, 40), np.float32), None)


def test_usual_test_images_are_clean_until_noise_is_added(data_dir):
    """Set12: half of them are old scans with grain, too weak to be worth any texture."""
    paths = sorted((data_dir / "denoising" / "Set12").glob("*.png"))
    assert len(paths) == 12
    images = [np.asarray(Image.open(path), np.float32) for path in paths]
    assert {find_noise(image).kind for image in images} == {"clean"}
    assert {find_noise(with_white(image, 5)).kind for image in images[:7]} == {"gaussian"}


@pytest.mark.parametrize("end", [0, 255])
@pytest.mark.parametrize(("colour", "sigma"), [(True, 25), (True, 50), (False, 25)])
def test_strong_noise_is_found_within_a_frame_that_has_none(colour, sigma, end):
    clean = samples.astronaut()[:200, :200] if colour else samples.camera()[100:300, :200]
    noise = np.random.default_rng(0).normal(0, sigma, clean.shape)
    framed = np.full((240, 200, *clean.shape[2:]), end, np.float32)
    framed[40:] = np.rint(clean + noise).clip(0, 255)
    assert find_noise(framed).kind == "gaussian"
    framed[40:] = clean
    assert find_noise(framed).kind != "gaussian"
    # Crushed shadows are black without noise, too.
    assert find_noise(np.float32(clean).clip(90, 255) - 90).kind != "gaussian"
