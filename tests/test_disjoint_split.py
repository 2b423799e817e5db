import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import loadmat

from hsi_suite.data.disjoint_split import disjoint_split
from hsi_suite.data.leakage import audit
from hsi_suite.data.partition_annealing import Annealing, anneal, anneal_together
from hsi_suite.data.partition_problem import (
    Problem,
    can_be_divided,
    needed_pixels,
    within_guard,
)
from hsi_suite.data.partition_search import Grid, measured
from hsi_suite.data.splits import PARTS, Split
from hsi_suite.errors import SplitError


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def parcels(lines: int, samples: int, num_classes: int, seed: int, edge: int = 4) -> np.ndarray:
    """Blocky parcels with unlabelled gaps."""
    coarse = rng(seed).integers(0, num_classes + 1, (-(-lines // edge), -(-samples // edge)))
    return np.kron(coarse, np.ones((edge, edge), int))[:lines, :samples]


def two_fields() -> np.ndarray:
    """Class 1 above class 2, each 8 × 24, and a class 3 of 2 × 3 pixels."""
    labels = np.repeat([1, 2], 8)[:, None] * np.ones((1, 24), int)
    labels[0:2, 0:3] = 3
    return labels


def distances(split: Split, samples: int) -> np.ndarray:
    side = np.concatenate([split.train, split.validation])
    place = [np.stack(np.divmod(p, samples), 1) for p in (side, split.test)]
    return np.abs(place[0][:, None] - place[1][None]).max(-1)


def assert_sound(split: Split, labels: np.ndarray, guard: int) -> None:
    """Everything a disjoint split promises, by brute force."""
    assert distances(split, labels.shape[1]).min() > guard
    flat = labels.ravel()
    joined = np.concatenate([getattr(split, part) for part in PARTS])
    assert len(np.unique(joined)) == len(joined)
    assert set(np.unique(flat[joined])) <= set(split.classes)
    dropped = sum(int((labels == label).sum()) for label in split.dropped)
    assert len(joined) + sum(split.lost.values()) + dropped == (labels > 0).sum()
    lost = np.setdiff1d(np.flatnonzero(np.isin(labels, split.classes)), joined)
    place = np.stack(np.divmod(np.arange(labels.size), labels.shape[1]), 1)
    side = place[np.concatenate([split.train, split.validation])]
    # Nothing is lost that could test.
    assert all(np.abs(place[pixel] - side).max(1).min() <= guard for pixel in lost)
    assert set(split.classes) | set(split.dropped) == set(np.unique(labels)) - {0}
    assert not set(split.classes) & set(split.dropped)
    for label, n in split.counts(labels).items():
        total = int((labels == label).sum())
        assert sum(n.values()) == total
        if label in split.train_only:
            assert n["train"] + n["validation"] == total
        else:
            assert n["train"] + n["validation"] >= needed_pixels(total)
            assert n["test"] >= needed_pixels(total)


@settings(max_examples=10, deadline=None)
@given(
    st.integers(12, 30),
    st.integers(12, 30),
    st.integers(2, 4),
    st.integers(0, 10**6),
    st.integers(0, 4),
    st.sampled_from(["drop", "train"]),
    st.sampled_from(["auto", "blocks", "stripes"]),
    st.sampled_from([0.0, 0.2]),
)
def test_every_promise_on_random_maps(lines, samples, k, seed, guard, policy, layout, held):
    labels = parcels(lines, samples, k, seed)
    try:
        split = disjoint_split(
            labels, train=0.4, guard=guard, validation=held, rare_classes=policy,
            layout=layout, trials=2, generator=rng(seed),
        )  # fmt: skip
    except SplitError:
        return
    assert_sound(split, labels, guard)
    assert audit(split, window=2 * guard + 1).test_inside_training_window == 0
    assert (split.validation.size == 0) == (held == 0)


def test_two_fields_by_hand():
    labels = two_fields()
    split = disjoint_split(labels, train=0.5, guard=2, trials=4, generator=rng())
    assert_sound(split, labels, 2)
    assert split.classes == (1, 2)
    assert split.dropped == {
        3: "no layout leaves 5 of its 6 pixels on each side, more than 2 pixels apart"
    }
    # A straight cut across both fields loses two samples of 16 pixels.
    assert sum(split.lost.values()) <= 4 * 16
    for n in split.counts(labels).values():
        assert n["train"] / (n["train"] + n["test"]) == pytest.approx(0.5, abs=0.1)


def test_rare_class_can_train_untested():
    labels = two_fields()
    split = disjoint_split(
        labels, train=0.5, guard=2, rare_classes="train", trials=4, generator=rng()
    )
    assert_sound(split, labels, 2)
    assert split.classes == (1, 2, 3)
    assert list(split.train_only) == [3]
    assert split.counts(labels)[3] == {"train": 6, "validation": 0, "test": 0, "lost": 0}


def test_rare_class_can_be_refused():
    with pytest.raises(SplitError, match="class 3: no layout leaves 5 of its 6 pixels"):
        disjoint_split(two_fields(), train=0.5, guard=2, rare_classes="error", generator=rng())


def test_too_large_a_guard_leaves_no_class():
    with pytest.raises(SplitError, match=r"smaller model\.window"):
        disjoint_split(two_fields(), train=0.5, guard=30, generator=rng())


def test_fewer_than_two_classes_left():
    labels = np.zeros((10, 60), int)
    labels[:, :50] = 1
    labels[:3, 55:] = 2
    with pytest.raises(SplitError, match="1 classes are left"):
        disjoint_split(labels, train=0.5, guard=4, trials=4, generator=rng())


@pytest.mark.parametrize(
    "wrong",
    [{"train": 1}, {"train": 0.0}, {"guard": -1}, {"layout": "rings"}, {"trials": 0},
     {"validation": 1.0}, {"rare_classes": "keep"}],
)  # fmt: skip
def test_arguments_out_of_range(wrong):
    with pytest.raises(SplitError):
        disjoint_split(two_fields(), **{"train": 0.5, "guard": 1, "generator": rng(), **wrong})


def test_same_seed_same_split():
    labels = parcels(40, 40, 4, 1, edge=8)
    one, same, other = (
        disjoint_split(labels, train=0.3, guard=2, validation=0.2, trials=3, generator=rng(seed))
        for seed in (5, 5, 6)
    )
    for part in PARTS:
        np.testing.assert_array_equal(getattr(one, part), getattr(same, part))
    assert one.layout == same.layout
    assert not np.array_equal(one.test, other.test)


def test_stripes_are_whole_lines_or_samples():
    labels = parcels(40, 40, 3, 2, edge=5)
    split = disjoint_split(labels, train=0.4, guard=1, layout="stripes", trials=4, generator=rng())
    test = np.zeros(labels.shape, bool)
    test.ravel()[split.test] = True
    known = np.isin(labels, split.classes)
    whole = [(test.any(a) & (known & ~test).any(a)).any() for a in (0, 1)]
    assert not all(whole)
    assert split.layout.startswith("stripes")


def test_validation_is_made_of_blocks_of_the_training_side():
    labels = parcels(60, 60, 3, 3, edge=12)
    split = disjoint_split(labels, train=0.5, guard=3, validation=0.25, trials=4, generator=rng())
    assert_sound(split, labels, 3)
    side = split.train.size + split.validation.size
    assert split.validation.size == pytest.approx(0.25 * side, rel=0.25)
    held = np.zeros(labels.shape, bool)
    held.ravel()[split.validation] = True
    train = np.zeros(labels.shape, bool)
    train.ravel()[split.train] = True
    # Half of a random selection this sparse would have no validation pixel on either side.
    inner = held[:, 1:-1] & (held[:, :-2] | held[:, 2:])
    assert inner.sum() > 0.8 * held.sum()


def slowly_annealed(problem: Problem, annealing: Annealing):
    """The slow twin of `anneal`: the whole scene is counted anew at each flip."""
    side = best = annealing.start
    cost = best_cost = problem.cost(*problem.counts(side))
    for cell, limit in zip(annealing.flips, annealing.limits, strict=True):
        flipped = side ^ (annealing.cells == cell)
        new_cost = problem.cost(*problem.counts(flipped))
        if new_cost - cost <= limit:
            side, cost = flipped, new_cost
            if cost < best_cost:
                best, best_cost = side, cost
    return measured(problem, annealing.grid, best)


class TestProblem:
    def test_within_guard_equals_brute_force(self):
        mask = rng(1).random((9, 13)) < 0.05
        places = np.argwhere(mask)
        for guard in (0, 1, 3, 20):
            for line, sample in np.ndindex(mask.shape):
                near = (np.abs(places - [line, sample]).max(1) <= guard).any()
                assert within_guard(mask, guard)[line, sample] == near

    def test_needed_pixels(self):
        assert [needed_pixels(n) for n in (1, 20, 100, 101, 1428, 2455)] == [5, 5, 5, 6, 72, 123]

    @pytest.mark.parametrize(
        ("shape", "guard", "possible"),
        [((1, 12), 2, True), ((1, 11), 5, False), ((5, 3), 2, False), ((2, 8), 2, True),
         ((2, 8), 3, False), ((8, 2), 2, True), ((3, 3), 0, False), ((10, 10), 8, True),
         ((10, 10), 9, False)],
    )  # fmt: skip
    def test_can_be_divided(self, shape, guard, possible):
        labels = np.zeros((30, 30), int)
        labels[4 : 4 + shape[0], 7 : 7 + shape[1]] = 2
        assert can_be_divided(labels, 2, guard) == possible

    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 10**6), st.integers(0, 4), st.booleans())
    def test_annealing_equals_a_fresh_count_at_each_flip(self, seed, guard, with_forced):
        labels = parcels(20, 25, 3, seed)
        classes = [int(c) for c in np.unique(labels) if c and can_be_divided(labels, c, guard)]
        if not classes:
            return
        forced = np.zeros(labels.shape, bool)
        forced[3, 4] = with_forced
        problem = Problem(labels, classes, forced, guard, 0.3)
        random, annealings = rng(seed), []
        for grid in (
            Grid("blocks", 3, (1, 2)),
            Grid("lines", 5, (0, 3)),
            Grid("blocks", 7, (0, 0)),
        ):
            start = random.random(len(problem.pixels)) < 0.5
            annealings.append(
                Annealing.drawn(
                    problem, grid, start, steps=80, temperatures=(0.1, 0.001), generator=random
                )
            )
        found = [anneal(problem, each) for each in annealings]
        twins = [slowly_annealed(problem, each) for each in annealings]
        for one, together, twin in zip(
            found, anneal_together(problem, annealings), twins, strict=True
        ):
            for each in (together, twin):
                np.testing.assert_array_equal(one.test_side, each.test_side)
                assert (one.kept, one.cost) == (each.kept, each.cost)
        after = found[0]
        train, test = problem.divide(after.test_side)
        places = np.stack(np.divmod(problem.pixels, labels.shape[1]), 1)
        if test.any():
            apart = np.abs(places[:, None] - places[test][None]).max(-1).min(1)
            np.testing.assert_array_equal(train, ~after.test_side & (apart > guard))
        if with_forced:
            assert (np.abs(places[test] - [3, 4]).max(1) > guard).all()


@pytest.mark.data
@pytest.mark.parametrize(("window", "classes"), [(25, 12), (9, 15)])
def test_indian_pines_keeps_every_class_that_can_be_cut(data_dir, window, classes):
    labels = loadmat(data_dir / "scenes" / "Indian_pines_gt.mat")["indian_pines_gt"]
    guard = window // 2
    split = disjoint_split(labels, train=0.3, guard=guard, generator=rng())
    assert_sound(split, labels, guard)
    assert len(split.classes) == classes
    assert all("no layout" in reason for reason in split.dropped.values())
    found = audit(split, window=window)
    assert found.test_inside_training_window == 0
    assert found.min_distance == guard + 1
