import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hsi_suite as hsi
from hsi_suite.data.polygons import polygons_of, touching_groups
from hsi_suite.data.spatial_folds import SpatialFolds, pixel_folds, spatial_folds
from hsi_suite.errors import ShapeError, SplitError


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def parcels(lines: int, samples: int, num_classes: int, seed: int, edge: int = 4) -> np.ndarray:
    """Blocky parcels with unlabelled gaps."""
    coarse = rng(seed).integers(0, num_classes + 1, (-(-lines // edge), -(-samples // edge)))
    return np.kron(coarse, np.ones((edge, edge), int))[:lines, :samples]


def sides(split) -> np.ndarray:
    return np.concatenate([split.train, split.validation])


def assert_sound(folds: SpatialFolds, labels: np.ndarray, guard: int) -> None:
    """Everything that spatial folds promise, by brute force."""
    flat, labelled = labels.ravel(), np.flatnonzero(labels)
    place = np.stack(np.divmod(np.arange(labels.size), labels.shape[1]), 1)
    tested = np.concatenate([split.test for split in folds.splits])
    assert len(np.unique(tested)) == len(tested)
    assert np.array_equal(np.sort(tested), folds.tested)
    missing = np.setdiff1d(labelled, tested)
    counted = {
        int(label): int((flat[missing] == label).sum()) for label in np.unique(flat[missing])
    }
    untested = {label: n for label, n in folds.untested.items() if label not in folds.dropped}
    assert counted == untested | {label: int((flat == label).sum()) for label in folds.dropped}
    assert set(folds.classes) | set(folds.dropped) == set(np.unique(labels)) - {0}
    for number, split in enumerate(folds.splits):
        learnt, test = sides(split), split.test
        assert len(test)
        assert len(np.unique(learnt)) == len(learnt)
        assert not len(np.intersect1d(learnt, test))
        apart = np.abs(place[learnt][:, None] - place[test][None]).max(-1)
        assert apart.min() > guard
        assert (folds.fold.ravel()[test] == number).all()
        assert (folds.fold.ravel()[learnt] != number).all()
        # No pixel is left untested whose class this fold knows, and none tested that it does not.
        known = set(np.unique(flat[split.train]))
        assert known == set(np.unique(flat[learnt])) == set(split.classes)
        own = labelled[folds.fold.ravel()[labelled] == number]
        own = own[~np.isin(flat[own], list(folds.dropped))]
        assert np.array_equal(test, own[np.isin(flat[own], list(known))])
        # Nothing is lost that could train.
        others = labelled[(folds.fold.ravel()[labelled] != number)]
        others = others[~np.isin(flat[others], list(folds.dropped))]
        lost = np.setdiff1d(others, learnt)
        if len(lost):
            apart = np.abs(place[lost][:, None] - place[own][None]).max(-1)
            assert (apart.min(1) <= guard).all()
        counts = np.unique(flat[lost[np.isin(flat[lost], list(known))]], return_counts=True)
        assert split.lost == dict(zip(map(int, counts[0]), map(int, counts[1]), strict=True))


@settings(max_examples=15, deadline=None)
@given(
    st.integers(14, 34),
    st.integers(14, 34),
    st.integers(2, 5),
    st.integers(0, 10**6),
    st.integers(0, 3),
    st.integers(2, 5),
    st.sampled_from(["auto", "blocks", "stripes"]),
    st.sampled_from([0.0, 0.25]),
    st.sampled_from(["drop", "train"]),
)
def test_every_promise_on_random_maps(
    lines, samples, num_classes, seed, guard, folds, layout, held, rare
):
    labels = parcels(lines, samples, num_classes, seed)
    try:
        found = spatial_folds(
            labels, folds=folds, guard=guard, layout=layout, validation=held, rare_classes=rare,
            trials=6, generator=rng(seed),
        )  # fmt: skip
    except SplitError as error:
        assert "\n" not in str(error)
        return
    assert len(found.splits) == folds
    assert_sound(found, labels, guard)


def test_folds_of_a_scene_with_room_enough_test_every_pixel():
    labels = np.where(np.arange(40)[:, None] < 20, 1, 2) * np.ones((1, 60), int)
    found = spatial_folds(labels, folds=4, guard=2, generator=rng())
    assert len(found.tested) == labels.size
    assert not found.untested and not found.dropped
    sizes = [len(split.test) for split in found.splits]
    assert max(sizes) < 2 * min(sizes)
    assert all(split.classes == (1, 2) for split in found.splits)
    assert_sound(found, labels, 2)


def test_the_seed_alone_decides():
    labels = parcels(30, 30, 3, 5)
    one, same, other = (
        spatial_folds(labels, folds=3, guard=1, trials=6, generator=rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one.fold, same.fold)
    assert not np.array_equal(one.fold, other.fold)


def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Fields of 4 × 4 pixels, 2 apart, numbered; the classes take turns."""
    labels, features = np.zeros((36, 36), int), np.zeros((36, 36), int)
    for number, (line, sample) in enumerate(np.ndindex(6, 6)):
        place = np.s_[6 * line : 6 * line + 4, 6 * sample : 6 * sample + 4]
        labels[place], features[place] = number % 3 + 1, number + 1
    return labels, features


@pytest.mark.parametrize("guard", [0, 3])
def test_drawn_polygons_are_dealt_out_whole(guard):
    labels, features = drawn()
    found = spatial_folds(labels, features, folds=4, guard=guard, validation=0.3, generator=rng(3))
    assert_sound(found, labels, guard)
    for number in range(1, 37):
        assert len(np.unique(found.fold[features == number])) == 1
    assert "polygons" in found.layout
    for split in found.splits:
        assert len(split.validation)
        held = set(features.ravel()[split.validation])
        assert not held & set(features.ravel()[split.train])


def test_polygons_of_one_class_that_touch_stay_together():
    labels, features = drawn()
    labels[0:4, 4:6], features[0:4, 4:6] = 1, 99
    labels[0:4, 6:10] = 1
    groups = touching_groups(labels, polygons_of(labels, features))
    found = spatial_folds(labels, features, folds=3, guard=0, generator=rng())
    assert len(np.unique(groups[0:4, 0:10])) == 1
    assert len(np.unique(found.fold[0:4, 0:10])) == 1


def test_every_pixel_of_the_scene_has_the_fold_of_its_nearest_labelled_pixel():
    labels = parcels(24, 24, 2, 8)
    found = spatial_folds(labels, folds=2, guard=0, generator=rng())
    places, own = np.argwhere(labels > 0), found.fold[labels > 0]
    for place in np.argwhere(labels == 0):
        away = ((places - place) ** 2).sum(1)
        assert found.fold[tuple(place)] in own[away == away.min()]


def test_a_class_in_one_place_alone_is_dropped_or_learnt_untested_or_refused():
    labels = np.where(np.arange(40)[:, None] < 20, 1, 2) * np.ones((1, 40), int)
    labels[10:13, 10:13] = 3
    ask = {"folds": 3, "guard": 4, "generator": rng()}
    found = spatial_folds(labels, **ask)
    assert set(found.dropped) == {3} and found.classes == (1, 2)
    assert_sound(found, labels, 4)
    found = spatial_folds(labels, rare_classes="train", **ask)
    assert set(found.train_only) == {3} and found.untested[3] == 9
    assert any(3 in split.classes for split in found.splits)
    assert_sound(found, labels, 4)
    with pytest.raises(SplitError, match="class 3"):
        spatial_folds(labels, rare_classes="error", **ask)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"folds": 1}, "split.folds.*2 or more"),
        ({"folds": 0}, "split.folds"),
        ({"guard": -1}, "guard"),
        ({"guard": 40}, "3 folds, of which 3 can test nothing with 40 pixels"),
        ({"layout": "hexagons"}, "layout"),
        ({"validation": 1.0}, "validation"),
        ({"folds": 901}, "split.folds: 901 folds of 900 labelled pixels"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    labels = np.where(np.arange(30)[:, None] < 15, 1, 2) * np.ones((1, 30), int)
    ask = {"folds": 3, "guard": 1, "generator": rng()} | change
    with pytest.raises(SplitError, match=message):
        spatial_folds(labels, **ask)


def test_more_folds_than_groups_of_polygons_are_refused():
    labels, features = drawn()
    with pytest.raises(SplitError, match=r"40 folds of 36 .*groups of polygons"):
        spatial_folds(labels, features, folds=40, guard=0, generator=rng())
    with pytest.raises(ShapeError):
        spatial_folds(labels, features[:-1], folds=3, guard=0, generator=rng())


def test_folds_of_some_pixels_are_positions_among_them():
    labels = parcels(40, 40, 3, 2)
    pixels = rng(1).permutation(np.flatnonzero(labels))[:400]
    classes = labels.ravel()[pixels] - 1
    parts = pixel_folds(pixels, classes, labels.shape, folds=3, guard=2, generator=rng())
    place = np.stack(np.divmod(pixels, 40), 1)
    tested = np.concatenate([test for _, test in parts])
    assert len(np.unique(tested)) == len(tested) > 300
    for learnt, test in parts:
        assert np.abs(place[learnt][:, None] - place[test][None]).max(-1).min() > 2
        assert set(classes[test]) <= set(classes[learnt])


def test_the_library_offers_them_from_a_map_alone():
    labels = parcels(30, 30, 3, 5)
    found = hsi.splits.spatial_folds(labels, guard=2, folds=3, seed=4)
    assert "3 spatial folds of 30 × 30 pixels" in repr(found)
    assert "fold 1" in repr(found)
    assert_sound(found, labels, 2)
