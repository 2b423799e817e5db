import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from hsi_suite.data.crop_boxes import (
    centred_boxes,
    multi_crop_boxes,
    random_area_boxes,
    shifted_boxes,
)
from hsi_suite.data.image_boxes import INTERPOLATIONS, BoxSampler
from hsi_suite.data.labelled_images import LabelledImages
from hsi_suite.data.photometric import distort
from hsi_suite.schemas.image_classification import AugmentConfig
from hsi_suite.tasks.images.views import ImageViews, channel_statistics

CPU = torch.device("cpu")


def pictures(shapes, channels=3, seed=0):
    generator = np.random.default_rng(seed)
    shapes = np.array(shapes)
    pixels = generator.integers(0, 256, (int(shapes.prod(1).sum()), channels), dtype=np.uint8)
    number = len(shapes)
    return LabelledImages(
        "pictures", ("a", "b"), pixels, shapes, np.arange(number) % 2, list(map(str, range(number)))
    )


def planes(images, index):
    return torch.from_numpy(images.image(index).copy()).permute(2, 0, 1)[None].float() / 255


def slowly(images, index, box, size, mirrored, how="bilinear"):
    """One view of a box of whole pixels: cropped first, resized then."""
    top, left, height, width = map(int, box)
    crop = planes(images, index)[:, :, top : top + height, left : left + width]
    mode, corners = {"nearest": ("nearest-exact", None)}.get(how, (how, False))
    view = functional.interpolate(crop, (size, size), mode=mode, align_corners=corners).clamp(0, 1)
    return view.flip(3) if mirrored else view


def test_views_are_crops_that_are_resized():
    images = pictures([(9, 13), (20, 7), (8, 8)])
    boxes = np.array([[1, 2, 7, 9], [3, 0, 15, 7], [0, 0, 8, 8], [2, 3, 1, 5]], float)
    which, mirrored = np.array([0, 1, 2, 0]), np.array([True, False, True, False])
    for size in (4, 8, 11):
        values, inside = BoxSampler(images, size, CPU).cut(which, boxes, mirrored)
        assert inside is None
        assert values.shape == (4, 3, size, size)
        for number in range(4):
            expected = slowly(images, which[number], boxes[number], size, mirrored[number])
            torch.testing.assert_close(values[number : number + 1], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("size", [4, 8, 11])
def test_each_view_by_the_interpolation_it_is_told(size):
    images = pictures([(9, 13), (20, 7), (8, 8)])
    boxes = np.array([[1, 2, 7, 9], [3, 0, 15, 7], [0, 0, 8, 8], [2, 3, 1, 5]] * 3, float)
    which, mirrored = np.array([0, 1, 2, 0] * 3), np.array([True, False, True, False] * 3)
    kinds = np.repeat(INTERPOLATIONS, 4)
    values, inside = BoxSampler(images, size, CPU).cut(which, boxes, mirrored, kinds)
    assert inside is None
    for number, kind in enumerate(kinds):
        given = which[number], boxes[number], size, mirrored[number], str(kind)
        expected = slowly(images, *given)
        torch.testing.assert_close(values[number : number + 1], expected, atol=1e-5, rtol=0)
    plain, _ = BoxSampler(images, size, CPU).cut(which, boxes, mirrored)
    assert torch.equal(values[4:8], plain[4:8])


def test_interpolations_are_drawn_view_by_view():
    images = pictures([(9, 9)])
    views = ImageViews(images, 6, 9.0, [0.0] * 3, [1.0] * 3, CPU)
    which = np.zeros(60, int)

    def drawn(seed=0, **options):
        augment = AugmentConfig(**options)
        return views.drawn(which, augment, np.random.default_rng(seed))

    single = {kind: drawn(interpolation=[kind])[0] for kind in INTERPOLATIONS}
    assert not any(torch.equal(single["bilinear"], single[k]) for k in ("nearest", "bicubic"))
    assert torch.equal(drawn(interpolation=["bilinear"]), drawn())
    mixed = drawn(interpolation=list(INTERPOLATIONS))
    counts = [sum(torch.equal(view, each) for view in mixed) for each in single.values()]
    assert sum(counts) == 60 and min(counts) > 5
    assert torch.equal(mixed, drawn(interpolation=list(INTERPOLATIONS)))
    assert not torch.equal(mixed, drawn(seed=1, interpolation=list(INTERPOLATIONS)))


def test_boxes_of_the_size_of_the_view_are_copied_exactly():
    images = pictures([(9, 13)], channels=1)
    values, _ = BoxSampler(images, 5, CPU).cut(
        np.zeros(1, int), np.array([[2.0, 4, 5, 5]]), np.zeros(1, bool)
    )
    assert np.array_equal((values[0, 0] * 255).round().numpy(), images.image(0)[2:7, 4:9, 0])


def test_padded_views_tell_where_the_image_ends():
    images = pictures([(6, 6)])
    box = np.array([[-2.0, 1, 6, 6]])
    values, inside = BoxSampler(images, 6, CPU).cut(np.zeros(1, int), box, np.zeros(1, bool))
    padded = functional.pad(planes(images, 0), (0, 1, 2, 0))[..., :6, 1:7]
    expected = torch.zeros(6, 6, dtype=torch.bool)
    expected[2:, :5] = True
    assert torch.equal(inside[0, 0], expected)
    torch.testing.assert_close(values * inside, padded)


def test_drawn_views_hold_the_mean_colour_beyond_the_border():
    images = pictures([(6, 6)] * 4)
    mean, std = channel_statistics(images, np.arange(4))
    views = ImageViews(images, 6, 6, mean, std, CPU)
    augment = AugmentConfig(crop="shift", pad=5)
    drawn = views.drawn(np.arange(4), augment, np.random.default_rng(3))
    assert (drawn == 0).float().mean() > 0.2
    same = views.drawn(np.arange(4), augment, np.random.default_rng(3))
    assert torch.equal(drawn, same)
    plain = views.drawn(np.arange(4), AugmentConfig(), np.random.default_rng(3))
    [(fixed, number)] = views.fixed(np.arange(4), 1, 100)
    assert number == 1
    assert torch.equal(plain, fixed)


def test_statistics_are_those_of_the_chosen_images():
    images = pictures([(4, 5), (7, 3), (6, 6)])
    mean, std = channel_statistics(images, np.array([0, 2]))
    pixels = np.concatenate([images.image(k).reshape(-1, 3) for k in (0, 2)]) / 255
    assert np.allclose(mean, pixels.mean(0), rtol=1e-12)
    assert np.allclose(std, pixels.std(0), rtol=1e-12)
    images.pixels[:] = 7
    assert channel_statistics(images, np.array([1]))[1] == [1.0] * 3


shapes_of = st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(shapes_of, st.integers(0, 2**32), st.floats(0.05, 1), st.floats(1, 2))
def test_random_areas_lie_inside_and_keep_their_aspect(shapes, seed, least, stretch):
    shapes = np.array(shapes)
    area, aspect = (least, 1.0), (1 / stretch, stretch)
    boxes = random_area_boxes(shapes, area, aspect, np.random.default_rng(seed))
    top, left, height, width = boxes.T
    assert (boxes[:, :2] >= -1e-9).all()
    assert (top + height <= shapes[:, 0] + 1e-9).all()
    assert (left + width <= shapes[:, 1] + 1e-9).all()
    ratio = width / height
    assert (ratio >= aspect[0] - 1e-9).all()
    assert (ratio <= aspect[1] + 1e-9).all()
    assert (height * width <= shapes.prod(1) * (1 + 1e-9)).all()


def test_random_areas_fill_their_range_in_square_images():
    shapes = np.full((20_000, 2), 32)
    boxes = random_area_boxes(shapes, (0.08, 1), (3 / 4, 4 / 3), np.random.default_rng(0))
    areas = boxes[:, 2] * boxes[:, 3] / 1024
    assert areas.min() >= 0.08
    assert areas.min() < 0.081
    assert areas.max() > 0.99
    # Up to three quarters of the image every aspect fits in: evenly drawn there.
    small = areas[areas < 0.74]
    assert abs(np.quantile(small, [0.25, 0.5, 0.75]) - [0.245, 0.41, 0.575]).max() < 0.01
    ratios = np.log(boxes[:, 3] / boxes[:, 2])
    assert abs(ratios.mean()) < 0.005
    assert abs(abs(ratios).max() - np.log(4 / 3)) < 0.001


def test_where_no_area_fits_the_largest_centred_box_is_taken():
    boxes = random_area_boxes(
        np.array([[10, 100]]), (0.9, 1.0), (3 / 4, 4 / 3), np.random.default_rng(0)
    )
    assert np.allclose(boxes, [[0, 50 - 20 / 3, 10, 40 / 3]])


def test_shifted_boxes_reach_every_place_and_no_further():
    shapes = np.tile([[32, 35]], (5000, 1))
    boxes = shifted_boxes(shapes, 32, 4, np.random.default_rng(0))
    assert set(boxes[:, 0]) == set(range(-4, 5))
    assert set(boxes[:, 1]) == set(range(-4, 8))
    assert (boxes[:, 2:] == 32).all()


def test_centred_boxes():
    assert centred_boxes(np.array([[9, 12]]), 4).tolist() == [[2, 4, 4, 4]]
    assert centred_boxes(np.array([[9, 9]]), 9).tolist() == [[0, 0, 9, 9]]


def slow_views(image, size, crops):
    """The views of one image by loops, in the words of the papers."""
    lines, samples = image.shape[2:]
    short = min(lines, samples)
    if crops == 1:
        scales, squares = [], []
    else:
        scales = [256, 288, 320, 352] if crops == 144 else [256]
        squares = [0, 0.5, 1] if crops == 144 else [0.5]
    views = []
    for scale in scales:
        side = short * 224 / scale
        for place in squares:
            y, x = (lines - short) * place, (samples - short) * place
            room = short - side
            inner = [(y, x), (y, x + room), (y + room, x), (y + room, x + room)]
            inner.append((y + room / 2, x + room / 2))
            cuts = [(top, left, side) for top, left in inner]
            if crops != 10:
                cuts.append((y, x, short))
            for top, left, extent in cuts:
                view = slow_box(image, top, left, extent, size)
                views += [view, view.flip(2)]
    return views


def slow_box(image, top, left, side, size):
    lines, samples = image.shape[2:]
    view = torch.empty(image.shape[1], size, size)
    for row in range(size):
        for column in range(size):
            y = min(max(top + (row + 0.5) * side / size - 0.5, top), top + side - 1)
            x = min(max(left + (column + 0.5) * side / size - 0.5, left), left + side - 1)
            j, i = int(np.floor(y)), int(np.floor(x))
            below, right = min(j + 1, lines - 1), min(i + 1, samples - 1)
            v, u = y - j, x - i
            view[:, row, column] = (
                (1 - v) * ((1 - u) * image[0, :, j, i] + u * image[0, :, j, right])
                + v * ((1 - u) * image[0, :, below, i] + u * image[0, :, below, right])
            )  # fmt: skip
    return view


@pytest.mark.parametrize("crops", [10, 12, 144])
def test_crops_of_a_test_are_those_of_a_slow_loop(crops):
    images = pictures([(22, 16), (16, 22)])
    views = ImageViews(images, 6, 16, [0.0] * 3, [1.0] * 3, CPU)
    [(values, number)] = views.fixed(np.arange(2), crops, 1000)
    assert number == crops
    expected = [view for k in range(2) for view in slow_views(planes(images, k), 6, crops)]
    torch.testing.assert_close(values, torch.stack(expected), atol=2e-5, rtol=0)


def test_square_images_have_one_square_of_each_scale_with_the_same_mean():
    images = pictures([(16, 16)])
    boxes, mirrored = multi_crop_boxes(images.shapes, 144, 16)
    assert boxes.shape == (1, 48, 4)
    assert len(mirrored) == 48
    views = ImageViews(images, 6, 16, [0.0] * 3, [1.0] * 3, CPU)
    [(values, _)] = views.fixed(np.arange(1), 144, 1000)
    slow = torch.stack(slow_views(planes(images, 0), 6, 144))
    weights = torch.randn(3 * 36, 4, generator=torch.manual_seed(0))
    ours = (values.flatten(1) @ weights).softmax(1).mean(0)
    torch.testing.assert_close(ours, (slow.flatten(1) @ weights).softmax(1).mean(0))


def test_batches_of_views_change_nothing():
    images = pictures([(16, 16), (20, 16), (16, 18)])
    views = ImageViews(images, 8, 16, [0.5] * 3, [0.2] * 3, CPU)
    for crops in (1, 12):
        whole = torch.cat([values for values, _ in views.fixed(np.arange(3), crops, 10_000)])
        parts = list(views.fixed(np.arange(3), crops, 1))
        assert len(parts) == 3
        assert torch.equal(whole, torch.cat([values for values, _ in parts]))


def test_photometric_distortion():
    generator = np.random.default_rng(0)
    images = torch.from_numpy(generator.random((40, 3, 4, 4)).astype(np.float32))
    assert torch.allclose(distort(images, 0, 0, 0, generator), images, atol=1e-6)
    grey = images[:, :1].expand(-1, 3, -1, -1)
    assert torch.allclose(distort(grey, 0, 0, 0.9, generator), grey, atol=1e-6)
    dim = images * 0.4 + 0.1
    brighter = distort(dim, 0.5, 0, 0, generator) / dim
    factors = brighter.flatten(1)
    assert torch.allclose(factors, factors[:, :1].expand_as(factors), atol=1e-5)
    assert factors.min() >= 0.5
    assert factors.max() <= 1.5
    assert factors[:, 0].std() > 0.2
    # Contrast and saturation leave the mean grey alone.
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    changed = distort(dim, 0, 0.3, 0.3, generator)
    means = ((dim * luma).sum(1).mean((1, 2)), (changed * luma).sum(1).mean((1, 2)))
    torch.testing.assert_close(*means, atol=1e-5, rtol=0)
    wild = distort(images, 0.99, 0.99, 0.99, generator)
    assert wild.min() >= 0
    assert wild.max() <= 1
    assert distort(images[:, :1], 0.2, 0.2, 0.2, generator).shape == (40, 1, 4, 4)
