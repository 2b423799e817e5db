import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi_suite.metrics.rankings import Desk, Worth, rank

# Few of them, so that many scores are equal; zeros of both signs and the smallest numbers are too.
MODEST = [-1.0, -0.5, -1e-45, -0.0, 0.0, 1e-45, 0.25, np.nextafter(np.float32(0.25), 1), 1.0]
# The last below 2, of both signs: rounding may bring scores there.
MODEST += [np.nextafter(np.float32(sign), np.float32(0)) for sign in (-2, 2)]
WILD = [*MODEST, -np.inf, -3e38, -2.0, 2.0, 3e38, np.inf]


def counted_one_by_one(scores, worth):
    """Higher, as high and relevant as high for each relevant item of one ranking, best first."""
    relevant = sorted(
        (item for item in range(len(scores)) if worth[item]), key=lambda i: -scores[i]
    )
    return [
        (
            sum(other > scores[item] for other in scores),
            sum(other >= scores[item] for other in scores),
            sum(scores[other] >= scores[item] for other in relevant),
        )
        for item in relevant
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 20), st.integers(1, 5),
       st.booleans(), st.sampled_from([0.05, 0.5, 1.0]))  # fmt: skip
def test_every_count_is_that_of_a_loop(seed, queries, items, highest, wild, share):
    rng = np.random.default_rng(seed)
    values = np.array(WILD if wild else MODEST, np.float32)
    scores = rng.choice(values, (queries, items))
    worth = rng.integers(1, highest + 1, (3, items)) * (rng.random((3, items)) < share)
    worth[:, rng.integers(items)] = 1
    kinds = np.sort(rng.integers(0, 3, queries))
    found = rank(
        scores.copy(), Worth(worth.astype(np.int32)), kinds, largest=np.inf if wild else 1.8
    )
    for query, kind in enumerate(kinds):
        own = slice(found.begins[query], found.begins[query] + found.counts[query])
        columns = (found.higher[own], found.as_high[own], found.relevant_as_high[own])
        assert list(zip(*columns, strict=True)) == counted_one_by_one(scores[query], worth[kind])
        rising = np.sort(-scores[query])
        np.testing.assert_array_equal(found.tied[query, 1:], rising[1:] == rising[:-1])
        where = np.flatnonzero(found.relevant[query])
        assert all(found.higher[own] <= where) and all(where < found.as_high[own])
        if found.worth is not None:
            by_score = {}
            for item in np.flatnonzero(worth[kind]):
                by_score.setdefault(-scores[query, item] + 0, []).append(worth[kind, item])
            expected = [each for score in sorted(by_score) for each in sorted(by_score[score])]
            assert list(found.worth[own]) == expected


@pytest.mark.parametrize("largest", [0.9, 5.0, np.nan])
def test_ways_of_different_width_agree(largest):
    rng = np.random.default_rng(0)
    scores = rng.uniform(-0.9, 0.9, (9, 300)).round(2).astype(np.float32)
    worth = Worth((rng.random((2, 300)) < 0.1).astype(np.int32))
    kinds = np.arange(9) // 5
    one, other = (rank(scores.copy(), worth, kinds, largest=each) for each in (0.9, largest))
    for name in ("counts", "begins", "higher", "as_high", "relevant_as_high", "levelled", "tied"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("largest", [0.9, 5.0])
@pytest.mark.parametrize("share", [0.02, 0.3])
def test_a_desk_of_any_size_and_used_before_changes_nothing(largest, share):
    rng = np.random.default_rng(0)
    worth = Worth(np.maximum(rng.random((2, 300)) < share, np.eye(2, 300)).astype(np.int32))
    kinds = np.arange(9) // 5
    for size in (0, 1_000, 5_000, 100_000):
        desk = Desk(np.full(size, 255, np.uint8))
        for _ in range(2):
            scores = rng.uniform(-0.9, 0.9, (9, 300)).round(2).astype(np.float32)
            alone = rank(scores.copy(), worth, kinds, largest=largest)
            found = rank(scores.copy(), worth, kinds, largest=largest, desk=desk)
            for name in ("higher", "as_high", "relevant_as_high", "relevant", "tied"):
                np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))
