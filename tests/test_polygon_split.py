"""Whole polygons on one side of a split, and what audits say of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label as areas_of

import hsi_suite as hsi
from hsi_suite.data.leakage import audit, nearest_training_distance
from hsi_suite.data.polygon_split import polygon_split
from hsi_suite.data.polygons import polygons_of, touching_groups
from hsi_suite.data.splits import PARTS, load_split, random_split, save_split
from hsi_suite.errors import HsiSuiteError, ShapeError, SplitError

EIGHT = np.ones((3, 3), int)


def squares(rows=6, columns=8, edge=4, gap=2, classes=3):
    """Separate squares, classes in turn; gives labels and the square of each pixel."""
    labels = np.zeros((rows * (edge + gap), columns * (edge + gap)), np.int32)
    features = np.zeros_like(labels)
    for number in range(rows * columns):
        line, sample = (place * (edge + gap) for place in divmod(number, columns))
        here = np.s_[line : line + edge, sample : sample + edge]
        labels[here], features[here] = number % classes + 1, number + 1
    return labels, features


def sides(split, ids):
    """The sides that each polygon has pixels on, by brute force."""
    found = {}
    for part in PARTS:
        for pixel in getattr(split, part).tolist():
            side = "test" if part == "test" else "training"
            found.setdefault(int(ids.ravel()[pixel]), set()).add(side)
    return found


@settings(max_examples=25, deadline=None)
@given(
    lines=st.integers(8, 30),
    samples=st.integers(8, 30),
    density=st.floats(0.1, 0.9),
    classes=st.integers(2, 5),
    polygons=st.integers(4, 40),
    guard=st.integers(0, 3),
    held=st.sampled_from([0.0, 0.3]),
    policy=st.sampled_from(["drop", "train"]),
    seed=st.integers(0, 2**31),
)
def test_no_polygon_is_ever_divided(
    lines, samples, density, classes, polygons, guard, held, policy, seed
):
    rng = np.random.default_rng(seed)
    features = rng.integers(1, polygons + 1, (lines, samples))
    features[rng.random((lines, samples)) > density] = 0
    of_class = rng.integers(1, classes + 1, polygons + 1)
    labels = np.where(features > 0, of_class[features], 0)
    try:
        split = polygon_split(
            labels,
            features,
            train=0.4,
            guard=guard,
            validation=held,
            rare_classes=policy,
            trials=3,
            generator=np.random.default_rng(seed),
        )
    except SplitError as error:
        assert "\n" not in str(error)
        return
    assert all(len(where) == 1 for where in sides(split, features).values())
    groups = touching_groups(labels, polygons_of(labels, features))
    assert all(len(where) == 1 for where in sides(split, groups).values())
    assert nearest_training_distance(split).min() > guard
    pixels = np.concatenate([getattr(split, part) for part in PARTS])
    assert len(np.unique(pixels)) == len(pixels)
    used = np.isin(labels.ravel(), split.classes).sum()
    assert used == len(pixels) + sum(split.lost.values())
    flat = labels.ravel()
    tested = set(split.classes) - set(split.train_only)
    assert set(np.unique(flat[split.test])) == tested
    assert tested <= set(np.unique(flat[split.train]))
    assert audit(split, window=1, polygons=features).polygons.divided == 0


def test_shares_are_those_asked_for_in_every_class():
    labels, features = squares()
    split = polygon_split(labels, features, train=0.5, guard=1, generator=np.random.default_rng(3))
    for counts in split.counts(labels).values():
        assert counts["train"] / (counts["train"] + counts["test"]) == pytest.approx(0.5, abs=0.1)
    assert split.kind == "polygons" and not split.lost
    assert split.layout == "of 48 polygons: 24 train, 24 test"


def test_same_seed_same_split(tmp_path):
    labels, features = squares()
    first, second, other = (
        polygon_split(
            labels,
            features,
            train=0.3,
            guard=1,
            validation=0.3,
            generator=np.random.default_rng(seed),
        )
        for seed in (1, 1, 2)
    )
    for part in PARTS:
        np.testing.assert_array_equal(getattr(first, part), getattr(second, part))
    assert first.train.tolist() != other.train.tolist() and len(first.validation)
    save_split(first, tmp_path / "split.npz")
    assert load_split(tmp_path / "split.npz").kind == "polygons"


def test_a_guard_takes_training_pixels_and_counts_them():
    labels, features = squares(gap=2)
    split = polygon_split(labels, features, train=0.5, guard=3, generator=np.random.default_rng(0))
    assert nearest_training_distance(split).min() > 3
    assert sum(split.lost.values()) > 0


def test_classes_with_one_polygon_are_named():
    labels, features = squares(rows=2, columns=6, classes=2)
    labels[features == 5], labels[features == 6] = 3, 3
    features[features == 6] = 5  # a feature of two parts is one polygon
    split = polygon_split(labels, features, train=0.5, guard=0, generator=np.random.default_rng(0))
    assert split.dropped == {3: "a single polygon"} and split.classes == (1, 2)
    learnt = polygon_split(
        labels,
        features,
        train=0.5,
        guard=0,
        rare_classes="train",
        generator=np.random.default_rng(0),
    )
    assert learnt.train_only == {3: "a single polygon"} and learnt.classes == (1, 2, 3)
    assert (labels.ravel()[learnt.train] == 3).sum() == (labels == 3).sum()
    with pytest.raises(SplitError, match="a single polygon"):
        polygon_split(
            labels,
            features,
            train=0.5,
            guard=0,
            rare_classes="error",
            generator=np.random.default_rng(0),
        )


def test_polygons_of_a_class_that_touch_go_together():
    labels, features = squares(gap=2)
    fused = features.copy()
    # Two neighbours of class 1, drawn as two polygons with a corner in common.
    labels[4:6, 4:6], fused[4:6, 4:6] = 1, 500
    labels[6:10, 6:10] = 1
    groups = touching_groups(labels, polygons_of(labels, fused))
    assert len(np.unique(groups[[0, 4, 6], [0, 4, 6]])) == 1
    alone = polygon_split(
        np.where(labels == 1, np.where(fused == 500, 1, labels), labels),
        fused,
        train=0.5,
        guard=0,
        generator=np.random.default_rng(0),
    )
    assert all(len(where) == 1 for where in sides(alone, groups).values())


def test_two_touching_polygons_alone_cannot_be_divided():
    labels, features = squares(rows=2, columns=6, classes=2)
    labels[:4, 24:32], features[:4, 24:28], features[:4, 28:32] = 3, 90, 91
    split = polygon_split(labels, features, train=0.5, guard=0, generator=np.random.default_rng(0))
    assert split.dropped == {3: "its 2 polygons touch each other"}


def test_areas_of_a_label_map_stand_for_polygons():
    labels, features = squares()
    labels[4, 4] = 1  # touches the first square at a corner
    expected, count = areas_of(labels > 0, EIGHT)
    polygons = polygons_of(labels, None)
    assert polygons.max() == count
    pairs = np.unique(np.stack([polygons.ravel(), expected.ravel()]), axis=1)
    assert pairs.shape[1] == count + 1
    split = polygon_split(labels, train=0.5, guard=0, generator=np.random.default_rng(0))
    assert "areas of one label, which stand for polygons" in split.layout
    # Beside drawn ones, labels of a map are polygons of their own.
    features[features == 1] = 0
    both = polygons_of(labels, features)
    assert both.max() == 48 and both[0, 0] == both[4, 4] > 0


def test_the_audit_counts_divided_polygons():
    labels, features = squares()
    split = random_split(labels, train=0.3, generator=np.random.default_rng(0))
    found = audit(split, window=1, polygons=features).polygons
    where = sides(split, features)
    both = [number for number, each in where.items() if len(each) == 2]
    assert found.polygons == 48 and found.divided == len(both) > 40
    tested = features.ravel()[split.test]
    assert found.test_in_training_polygons == pytest.approx(np.isin(tested, both).mean())
    assert "polygons" not in audit(split, window=1).to_dict()


def test_in_python():
    labels, features = squares()
    split = hsi.splits.polygons(labels, features, guard=1, seed=4)
    told = str(hsi.audit(labels, split, polygons=features))
    assert "polygons on both sides" in told and "0 of 48" in told
    leaky = hsi.splits.random(labels, seed=4)
    assert "0 of 48" not in str(hsi.audit(labels, leaky, polygons=features))
    with pytest.raises(ShapeError, match="polygons"):
        hsi.splits.polygons(labels, features / 2, guard=1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"train": 5}, "a share of 5"),
        ({"guard": -1}, "0 or more"),
        ({"trials": 0}, "1 or more"),
        ({"features": np.ones((2, 2), int)}, "as the labels"),
        ({"guard": 100}, "one side alone"),
    ],
)
def test_arguments_out_of_range(wrong, message):
    labels, features = squares()
    given_ = {"features": features, "train": 0.3, "guard": 0, "trials": 2} | wrong
    with pytest.raises(HsiSuiteError, match=message) as caught:
        polygon_split(labels, generator=np.random.default_rng(0), **given_)
    assert "\n" not in str(caught.value)
