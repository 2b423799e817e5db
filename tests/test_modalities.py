"""Modalities of pixels: items, windows at borders, what may be missing, pairs and their split."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi_suite.data.item_source import ItemSource
from hsi_suite.data.leakage import nearest_training_distance
from hsi_suite.data.modalities import (
    Modality,
    ModalityOptions,
    modality_from,
    scene_modality,
    unit_rows,
)
from hsi_suite.data.pair_split import split_pairs
from hsi_suite.data.pairs import Labelled, PairParts, Pairs, one_hot, pair_names
from hsi_suite.data.scene import Scene
from hsi_suite.errors import ConfigError, InputFileError, ShapeError, SplitError

GENERATOR = np.random.default_rng(0)
WAVELENGTHS = np.linspace(400.0, 1000.0, 13)


def scene(**changed):
    cube = np.random.default_rng(1).normal(100, 10, (12, 10, 13)).astype(np.float32)
    height = np.arange(120.0).reshape(12, 10)
    keys = {"cube": cube, "wavelengths": WAVELENGTHS, "companions": {"height": height}}
    return Scene(**{"name": "hill", **keys, **changed})


def fit(kind, one=None, **options):
    one = one or scene()
    return scene_modality(kind, one, np.arange(100), ModalityOptions(**{"window": 3, **options}))


def test_spectra_are_those_of_the_cube():
    one = scene()
    pixels = np.array([0, 37, 119])
    items = ItemSource(fit("spectrum"), one).items(pixels)
    np.testing.assert_array_equal(items, one.cube.reshape(-1, 13)[pixels])


def test_windows_lie_around_their_pixel_and_borders_repeat():
    one = scene()
    items = ItemSource(fit("companion"), one).items(np.array([0, 55]))
    assert items.shape == (2, 1, 3, 3)
    low, high = np.percentile(one.companions["height"], [2, 98])
    layer = (one.companions["height"] - low) / (high - low)
    np.testing.assert_allclose(items[1, 0], layer[4:7, 4:7], atol=1e-6)
    padded = np.pad(layer, 1, mode="edge")
    np.testing.assert_allclose(items[0, 0], padded[0:3, 0:3], atol=1e-6)


def test_colours_and_greys_are_means_of_their_bands():
    one = scene()
    source = ItemSource(fit("panchromatic", panchromatic=(500.0, 600.0)), one)
    inside = (WAVELENGTHS >= 500) & (WAVELENGTHS <= 600)
    grey = one.cube[..., inside].mean(-1)
    low, high = np.percentile(grey, [2, 98])
    np.testing.assert_allclose(
        source.items(np.arange(120))[:, 0, 1, 1],
        ((grey - low) / (high - low)).reshape(-1),
        atol=1e-5,
    )
    assert ItemSource(fit("rgb"), one).items(np.arange(5)).shape == (5, 3, 3, 3)


def test_a_picture_of_another_unit_gives_the_same_items():
    rgb = np.random.default_rng(2).random((9, 8, 3))
    modality = fit("rgb")
    bare = {"wavelengths": None, "companions": {}}
    one = ItemSource(modality, scene(cube=rgb, **bare)).items(np.arange(72))
    other = ItemSource(modality, scene(cube=(rgb * 255), **bare)).items(np.arange(72))
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_components_come_from_the_learnt_pixels_alone():
    one, other = scene(), scene()
    other.cube[11] += 1000
    first, second = (scene_modality("pca", s, np.arange(100), ModalityOptions(3)) for s in
                     (one, other))  # fmt: skip
    np.testing.assert_array_equal(first.reduction.matrix, second.reduction.matrix)
    assert ItemSource(first, one).items(np.arange(4)).shape == (4, 3, 3, 3)


def test_missing_pixels_become_the_mean_of_the_others():
    valid = np.ones((12, 10), bool)
    valid[3, 4] = False
    cube = scene().cube.copy()
    cube[3, 4] = np.nan
    one = scene(cube=cube, valid=valid)
    items = ItemSource(fit("spectrum"), one).items(np.array([34]))
    np.testing.assert_allclose(items[0], cube[valid].mean(0), rtol=1e-5)
    assert np.isfinite(ItemSource(fit("rgb"), one).items(np.arange(120))).all()


@settings(max_examples=20, deadline=None)
@given(factor=st.floats(1e-3, 1e4))
def test_unit_norm_makes_the_unit_of_spectra_irrelevant(factor):
    spectra = np.random.default_rng(3).random((20, 13)).astype(np.float32) + 0.1
    modality = Modality("spectrum", 13, unit_norm=True).fitted(spectra)
    np.testing.assert_allclose(
        modality.prepare(spectra), modality.prepare(spectra * np.float32(factor)), atol=2e-3
    )


def test_prepared_items_are_standardised_by_channel():
    items = np.random.default_rng(4).normal(5, 3, (50, 2, 3, 3)).astype(np.float32)
    items[:, 1] = 7
    prepared = Modality("pca", 2, 3).fitted(items).prepare(items)
    assert abs(prepared[:, 0].mean()) < 1e-5
    assert prepared[:, 0].std() == pytest.approx(1, rel=1e-4)
    assert (prepared[:, 1] == 0).all()
    with pytest.raises(ShapeError, match=r"expected \(2, 3, 3\)"):
        Modality("pca", 2, 3).prepare(items[:, :1])


def test_a_modality_survives_its_header():
    one = scene()
    for kind in ("spectrum", "pca", "rgb", "companion"):
        modality = fit(kind, one)
        modality = modality.fitted(ItemSource(modality, one).items(np.arange(60)))
        again = modality_from(modality.to_dict(), modality.arrays())
        items = ItemSource(again, one).items(np.arange(120))
        np.testing.assert_array_equal(
            again.prepare(items), modality.prepare(ItemSource(modality, one).items(np.arange(120)))
        )


@pytest.mark.parametrize(
    ("kind", "changed", "message"),
    [
        ("rgb", {"wavelengths": None}, "13 bands without wavelengths"),
        ("rgb", {"wavelengths": WAVELENGTHS + 1000}, "no band between 600 and 700 nm"),
        ("companion", {"companions": {}}, "no companion layer, such as LiDAR height"),
        ("companion", {"companions": {k: np.zeros((12, 10)) for k in "ab"}}, "2 companion layers"),
    ],
)
def test_what_a_scene_lacks_is_said(kind, changed, message):
    one = scene(**changed)
    with pytest.raises(InputFileError, match=message):
        ItemSource(fit(kind, one), one)


def test_other_refusals():
    with pytest.raises(ConfigError, match=r"unknown kind 'lidar'"):
        fit("lidar")
    with pytest.raises(ShapeError, match="a window of 13 in a scene of 12 × 10"):
        fit("rgb", window=13)
    with pytest.raises(ShapeError, match="13 bands; expected the 5"):
        ItemSource(Modality("spectrum", 5), scene())
    with pytest.raises(ShapeError, match=r"reduction\.components"):
        fit("pca", components=14)
    with pytest.raises(ConfigError, match="which no scene has"):
        ItemSource(Modality("features", 3), scene())
    for text in ("spectrum", "spectrum:rgb:pca", ":rgb", "rgb:rgb"):
        with pytest.raises(ConfigError, match=r"data\.pair"):
            pair_names(text)


def test_unit_rows_keep_zeros():
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0]])


def test_pairs_belong_together():
    first, second = np.zeros((4, 3), np.float32), np.zeros((4, 2), np.float32)
    targets = one_hot(np.array([0, 1, 1, 2]), 3)
    pairs = Pairs(first, second, targets)
    parts = PairParts(pairs, pairs.take(np.array([0])), pairs, ("a", "b", "c"),
                      extra=(None, Labelled(second[:1] + 1, targets[:1])))  # fmt: skip
    assert not parts.multi_label
    assert [len(gallery) for gallery in parts.galleries] == [4, 5]
    both = targets.copy()
    both[0, 2] = 1
    assert PairParts(Pairs(first, second, both), pairs, pairs, ("a", "b", "c")).multi_label
    with pytest.raises(ShapeError, match="4 items of the first modality and 3 of the second"):
        Pairs(first, second[:3], targets)
    with pytest.raises(ShapeError, match="3 of them; expected 4"):
        Pairs(first, second, targets[:3])


def stripes(size=44):
    labels = np.zeros((size, size), np.int64)
    labels[:, ::2] = 1
    labels[:, 1::2] = 2
    labels[::3] = 3
    return labels


def split(kind, pairs):
    return split_pairs(
        stripes(),
        kind=kind,
        train=0.6,
        validation=0.25,
        guard=4,
        layout="auto",
        rare_classes="drop",
        pairs=pairs,
        generator=np.random.default_rng(0),
    )


def test_all_three_parts_of_a_disjoint_split_keep_the_guard():
    parts = split("disjoint", 100)
    assert len(parts.train) == 100 and len(parts.validation) and len(parts.test)
    assert nearest_training_distance(parts).min() > 4
    lines, samples = np.divmod(parts.train, 44)
    others = np.stack(np.divmod(parts.validation, 44))
    away = np.maximum(abs(lines[:, None] - others[0]), abs(samples[:, None] - others[1]))
    assert away.min() > 4
    used = np.concatenate([parts.train, parts.validation, parts.test])
    assert len(np.unique(used)) == len(used)


def test_training_pairs_are_drawn_with_every_class():
    whole, some = split("random", None), split("random", 90)
    labels = stripes().ravel()
    assert len(some.train) == 90 and set(some.train) <= set(whole.train)
    shares = [np.bincount(labels[s.train])[1:] / len(s.train) for s in (some, whole)]
    np.testing.assert_allclose(*shares, atol=0.02)
    assert np.bincount(labels[split("random", 3).train])[1:].tolist() == [1, 1, 1]
    for number, message in ((5000, "training pairs are left"), (2, "one for each class")):
        with pytest.raises(SplitError, match=message):
            split("random", number)
